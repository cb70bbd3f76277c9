"""Writes a trained demo model as a GGUF of architecture gpt-oss.

python -m resources.demo_model.export CHECKPOINT TOKENIZER OUTPUT
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import gguf  # type: ignore[import-not-found, unused-ignore]
import numpy as np
import torch  # type: ignore[import-not-found, unused-ignore]

from resources.demo_model.model import DemoModel, Shape
from resources.demo_model.tokenizer import CONTROLS, Codec

NAME = "Moderation Studio demo model"
DESCRIPTION = (
    "A demonstration, NOT for moderation. A very small gpt-oss that reads simple policies about a made-up village "
    "market, so that Moderation Studio can be tried and tested without a large model. It knows about 80 words and is "
    "wrong or silent about everything else."
)

TEMPLATE = (
    "{%- for m in messages -%}<|start|>{{ m.role }}<|message|>{{ m.content }}<|end|>{%- endfor -%}"
    "{%- if add_generation_prompt -%}<|start|>assistant{%- endif -%}"
)


def merges(tokenizer: Path) -> list[str]:
    """The merges of the tokenizer file as a GGUF wants them."""
    found = json.loads(tokenizer.read_text(encoding="utf-8"))["model"]["merges"]
    return [merge if isinstance(merge, str) else " ".join(merge) for merge in found]


def _head(writer: gguf.GGUFWriter, shape: Shape) -> None:
    writer.add_name(NAME)
    writer.add_description(DESCRIPTION)
    writer.add_license("apache-2.0")
    writer.add_author("Moderation Studio")
    writer.add_size_label("2M")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_block_count(shape.layers)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_expert_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_key_length(shape.head)
    writer.add_value_length(shape.head)
    writer.add_layer_norm_rms_eps(shape.epsilon)
    writer.add_sliding_window(shape.window)
    writer.add_expert_count(shape.experts)
    writer.add_expert_used_count(shape.experts)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_rope_dimension_count(shape.head)


def _vocabulary(writer: gguf.GGUFWriter, codec: Codec, tokenizer: Path) -> None:
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(codec.tokens())
    normal = [gguf.TokenType.NORMAL] * codec.base
    writer.add_token_types([*normal, *[gguf.TokenType.CONTROL] * len(CONTROLS)])
    writer.add_token_merges(merges(tokenizer))
    writer.add_bos_token_id(codec.control["<|start|>"])
    writer.add_eos_token_id(codec.control["<|return|>"])
    writer.add_pad_token_id(codec.control["<|endoftext|>"])
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)


def _half(tensor: torch.Tensor) -> np.ndarray:
    return np.asarray(tensor.detach().contiguous().numpy(), np.float16)


def _full(tensor: torch.Tensor) -> np.ndarray:
    return np.asarray(tensor.detach().contiguous().numpy(), np.float32)


def _tensors(writer: gguf.GGUFWriter, model: DemoModel) -> None:
    shape = model.shape
    e, f, d, inner = shape.experts, shape.hidden, shape.width, shape.heads * shape.head
    writer.add_tensor("token_embd.weight", _half(model.embedding))
    writer.add_tensor("output_norm.weight", _full(model.norm))
    writer.add_tensor("output.weight", _half(model.output))
    for n, layer in enumerate(model.layers):
        at = f"blk.{n}."
        writer.add_tensor(at + "attn_norm.weight", _full(layer.norm1))
        writer.add_tensor(at + "post_attention_norm.weight", _full(layer.norm2))
        for name, part, bias in zip("qkv", layer.qkv.split(inner), layer.qkv_bias.split(inner), strict=True):
            writer.add_tensor(f"{at}attn_{name}.weight", _half(part))
            writer.add_tensor(f"{at}attn_{name}.bias", _full(bias))
        writer.add_tensor(at + "attn_output.weight", _half(layer.out))
        writer.add_tensor(at + "attn_output.bias", _full(layer.out_bias))
        writer.add_tensor(at + "attn_sinks.weight", np.zeros(shape.heads, np.float32))
        writer.add_tensor(at + "ffn_gate_inp.weight", _full(layer.router))
        writer.add_tensor(at + "ffn_gate_inp.bias", _full(layer.router_bias))
        gate, up = layer.up.split(e * f)
        gate_bias, up_bias = layer.up_bias.split(e * f)
        for name, weight, bias in (("gate", gate, gate_bias), ("up", up, up_bias)):
            writer.add_tensor(f"{at}ffn_{name}_exps.weight", _half(weight.view(e, f, d)))
            writer.add_tensor(f"{at}ffn_{name}_exps.bias", _full(bias.view(e, f)))
        writer.add_tensor(at + "ffn_down_exps.weight", _half(layer.down.view(d, e, f).permute(1, 0, 2)))
        writer.add_tensor(at + "ffn_down_exps.bias", _full(layer.down_bias))


def export(model: DemoModel, tokenizer: Path, output: Path) -> None:
    """Writes the file."""
    writer = gguf.GGUFWriter(str(output), gguf.MODEL_ARCH_NAMES[gguf.MODEL_ARCH.GPT_OSS])
    _head(writer, model.shape)
    _vocabulary(writer, Codec(tokenizer), tokenizer)
    _tensors(writer, model)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    """The command."""
    checkpoint, tokenizer, output = (Path(argument) for argument in sys.argv[1:4])
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    model = DemoModel(Shape(Codec(tokenizer).size))
    model.load_state_dict(state["model"])
    export(model, tokenizer, output)
    print(f"{output}: {output.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
