"""Makes a shipped demo model trainable again, so that training can go on where it ended.

python -m resources.demo_model.restore MODEL.gguf FOLDER

Writes the checkpoint and the tokenizer that ``train`` goes on from. The weights are those of the file, in half
precision; the optimiser starts afresh. A FOLDER that has a tokenizer keeps it: tokens that the model knows keep their
rows, and a new one starts from what it is made of.
"""

from __future__ import annotations

import itertools
import json
import shutil
import sys
from pathlib import Path

import gguf  # type: ignore[import-not-found, unused-ignore]  # only the extra `train` brings it
import torch  # type: ignore[import-not-found, unused-ignore]  # as gguf

from resources.demo_model.model import DemoModel, Shape
from resources.demo_model.tokenizer import CONTROLS, Codec

RESTORED_STEP = 2000
"""Past all stages of the curriculum."""


def restore(model: Path, folder: Path) -> None:
    """Write ``tokenizer.json`` and ``last.pt`` to ``folder`` from a GGUF that ``export`` wrote."""
    reader = gguf.GGUFReader(model)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer, own = folder / "tokenizer.json", folder / "restored_tokenizer.json"
    own.write_text(json.dumps(_tokenizer(reader), ensure_ascii=False), encoding="utf-8")
    if not tokenizer.exists():
        shutil.copyfile(own, tokenizer)
    made = DemoModel(Shape(Codec(tokenizer).size))
    tensors = {tensor.name: torch.from_numpy(tensor.data.copy()).float() for tensor in reader.tensors}
    with torch.no_grad():
        for name in ("token_embd.weight", "output.weight"):
            tensors[name] = carried_over(tensors[name], Codec(own), Codec(tokenizer))
        _fill(made, tensors)
    torch.save({"model": made.state_dict(), "step": RESTORED_STEP}, folder / "last.pt")


def carried_over(rows: torch.Tensor, old: Codec, new: Codec) -> torch.Tensor:
    """The rows of ``old``'s tokens as rows of ``new``'s.

    A form of a word that ``old`` does not have as one token (with or without a space before it, a capital or not)
    starts at a form that it has, moved by what that differs in on average; other tokens at the mean of their pieces.
    """
    known = {old.text([token]): rows[token] for token in range(old.base)}
    forms = {text: _forms(text) for text in known}
    steps: dict[tuple[int, int], torch.Tensor] = {}
    for a, b in itertools.permutations(range(4), 2):
        found = [known[f[b]] - known[text] for text, f in forms.items() if f and f[a] == text and f[b] in known]
        steps[a, b] = torch.stack(found).mean(0)
    made = torch.empty(new.size, rows.shape[1])
    for token in range(new.base):
        text = new.text([token])
        others = _forms(text)
        at = others.index(text) if others else 0
        bases = [known[form] + steps[n, at] for n, form in enumerate(others) if n != at and form in known]
        if text in known:
            made[token] = known[text]
        elif bases:
            made[token] = torch.stack(bases).mean(0)
        else:
            made[token] = rows[old.plain(text)].mean(0)
    made[new.base :] = rows[old.base :]
    return made


def _forms(text: str) -> tuple[str, ...]:
    """The four forms of a word: as it is, capitalised, and both with a space; none for what is no word."""
    word = text.strip(" ").lower()
    if not (word.isalpha() and word.isascii() and len(word) > 1):
        return ()
    four = (word, word.capitalize(), f" {word}", f" {word.capitalize()}")
    return four if text in four else ()


def _tokenizer(reader: gguf.GGUFReader) -> dict[str, object]:
    tokens = reader.fields["tokenizer.ggml.tokens"].contents()[: -len(CONTROLS)]
    merges = reader.fields["tokenizer.ggml.merges"].contents()
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
        "pre_tokenizer": level, "post_processor": None, "decoder": level,
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
            "vocab": {token: n for n, token in enumerate(tokens)}, "merges": [merge.split(" ") for merge in merges],
        },
    }  # fmt: skip


def _fill(model: DemoModel, tensors: dict[str, torch.Tensor]) -> None:
    model.embedding.copy_(tensors["token_embd.weight"])
    model.output.copy_(tensors["output.weight"])
    model.norm.copy_(tensors["output_norm.weight"])
    for n, layer in enumerate(model.layers):
        part = {name.removeprefix(f"blk.{n}."): tensor for name, tensor in tensors.items()}
        layer.norm1.copy_(part["attn_norm.weight"])
        layer.norm2.copy_(part["post_attention_norm.weight"])
        layer.qkv.copy_(torch.cat([part[f"attn_{name}.weight"] for name in "qkv"]))
        layer.qkv_bias.copy_(torch.cat([part[f"attn_{name}.bias"] for name in "qkv"]))
        layer.out.copy_(part["attn_output.weight"])
        layer.out_bias.copy_(part["attn_output.bias"])
        layer.router.copy_(part["ffn_gate_inp.weight"])
        layer.router_bias.copy_(part["ffn_gate_inp.bias"])
        layer.up.copy_(torch.cat([part[f"ffn_{name}_exps.weight"].flatten(0, 1) for name in ("gate", "up")]))
        layer.up_bias.copy_(torch.cat([part[f"ffn_{name}_exps.bias"].flatten() for name in ("gate", "up")]))
        layer.down.copy_(part["ffn_down_exps.weight"].permute(1, 0, 2).flatten(1))
        layer.down_bias.copy_(part["ffn_down_exps.bias"])


def main() -> None:
    """The command."""
    restore(Path(sys.argv[1]), Path(sys.argv[2]))


if __name__ == "__main__":
    main()
