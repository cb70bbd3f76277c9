"""Makes a shipped demo model trainable again, so that training can go on where it ended.

python -m resources.demo_model.restore MODEL.gguf FOLDER

Writes the checkpoint and the tokenizer that ``train`` goes on from. The weights are those of the file, in half
precision; the optimiser starts afresh.
"""

from __future__ import annotations

import json
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
    tokenizer = folder / "tokenizer.json"
    tokenizer.write_text(json.dumps(_tokenizer(reader), ensure_ascii=False), encoding="utf-8")
    made = DemoModel(Shape(Codec(tokenizer).size))
    tensors = {tensor.name: torch.from_numpy(tensor.data.copy()).float() for tensor in reader.tensors}
    with torch.no_grad():
        _fill(made, tensors)
    torch.save({"model": made.state_dict(), "step": RESTORED_STEP}, folder / "last.pt")


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
