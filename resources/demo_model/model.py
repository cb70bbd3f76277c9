"""A tiny gpt-oss in PyTorch: sliding window on every second layer, attention sinks, experts, separate embeddings.

Written for training on a CPU: one policy prefix is shared by the branches (contents) judged under it, and padding costs
attention only. Every expert is used for every token (2 of 2), so the mixture is one dense product.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch  # type: ignore[import-not-found, unused-ignore]
import torch.nn.functional as nnf  # type: ignore[import-not-found, unused-ignore]
from torch import Tensor, nn  # type: ignore[import-not-found, unused-ignore]


@dataclass(frozen=True)
class Shape:
    """The sizes of the model."""

    vocabulary: int
    width: int = 160
    layers: int = 5
    heads: int = 5
    head: int = 32
    experts: int = 2
    hidden: int = 192
    window: int = 128
    rope_base: float = 1_000_000.0
    context: int = 8192
    epsilon: float = 1e-5


@dataclass
class Batch:
    """Prefixes and branches in one row of tokens, with what is needed to lay them out for attention.

    ``into`` maps a padded place to a packed one (the row after the last for padding); ``back`` is its inverse.
    """

    ids: Tensor
    positions: Tensor
    prefixes: Tensor
    branches: Tensor
    back_prefixes: Tensor
    back_branches: Tensor
    owner: Tensor
    masks: dict[bool, tuple[Tensor, Tensor]]
    loss_at: Tensor
    targets: Tensor
    weights: Tensor


class _Move(torch.autograd.Function):  # type: ignore[misc, unused-ignore]
    """Rows moved by an index whose inverse is known, so that the backward pass is a lookup too."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, index: Tensor, inverse: Tensor) -> Tensor:  # noqa: D102
        ctx.save_for_backward(inverse)
        padded = torch.cat([rows, rows.new_zeros(1, rows.shape[1])])
        return padded.index_select(0, index)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[override, unused-ignore]  # noqa: D102
        (inverse,) = ctx.saved_tensors
        padded = torch.cat([grad, grad.new_zeros(1, grad.shape[1])])
        return padded.index_select(0, inverse), None, None


def _norm(x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    wide = x.float()
    return (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + epsilon)) * weight


def _turn(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary positions, halves paired (NeoX order)."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


class Layer(nn.Module):  # type: ignore[misc, unused-ignore]
    """One block: attention with a sink, then the experts."""

    def __init__(self, shape: Shape, sliding: bool) -> None:
        super().__init__()
        self.shape, self.sliding = shape, sliding
        d, inner, f = shape.width, shape.heads * shape.head, shape.experts * shape.hidden
        self.norm1 = nn.Parameter(torch.ones(d))
        self.qkv = nn.Parameter(torch.randn(3 * inner, d) / math.sqrt(d) * 0.7)
        self.qkv_bias = nn.Parameter(torch.zeros(3 * inner))
        self.out = nn.Parameter(torch.randn(d, inner) / math.sqrt(inner) * 0.1)
        self.out_bias = nn.Parameter(torch.zeros(d))
        self.norm2 = nn.Parameter(torch.ones(d))
        self.router = nn.Parameter(torch.randn(shape.experts, d) * 0.02)
        self.router_bias = nn.Parameter(torch.zeros(shape.experts))
        self.up = nn.Parameter(torch.randn(2 * f, d) / math.sqrt(d) * 0.7)
        self.up_bias = nn.Parameter(torch.zeros(2 * f))
        self.down = nn.Parameter(torch.randn(d, f) / math.sqrt(f) * 0.1)
        self.down_bias = nn.Parameter(torch.zeros(shape.experts, d))

    def forward(self, x: Tensor, batch: Batch, cos: Tensor, sin: Tensor) -> Tensor:
        """The block over all packed tokens."""
        h = nnf.linear(_norm(x, self.norm1, self.shape.epsilon), self.qkv, self.qkv_bias)
        x = x + nnf.linear(self._attend(h, batch, cos, sin), self.out, self.out_bias)
        return x + self._experts(_norm(x, self.norm2, self.shape.epsilon))

    def _experts(self, h: Tensor) -> Tensor:
        shape = self.shape
        share = torch.softmax(nnf.linear(h, self.router, self.router_bias).float(), -1)
        gate, up = nnf.linear(h, self.up, self.up_bias).chunk(2, -1)
        gate, up = gate.clamp(max=7.0), up.clamp(-7.0, 7.0)
        hidden = gate * torch.sigmoid(1.702 * gate) * (up + 1)
        hidden = hidden.view(-1, shape.experts, shape.hidden) * share.unsqueeze(-1).to(hidden.dtype)
        return nnf.linear(hidden.flatten(1), self.down) + share @ self.down_bias

    def _attend(self, h: Tensor, batch: Batch, cos: Tensor, sin: Tensor) -> Tensor:
        shape = self.shape
        q, k, v = h.view(-1, 3, shape.heads, shape.head).unbind(1)
        q, k = _turn(q, cos, sin), _turn(k, cos, sin)
        packed = torch.stack([q, k, v.float()], 1).flatten(1)
        mask_p, mask_b = batch.masks[self.sliding]
        prefix = _Move.apply(packed, batch.prefixes.flatten(), batch.back_prefixes)
        branch = _Move.apply(packed, batch.branches.flatten(), batch.back_branches)
        qp, kp, vp = self._split(prefix, batch.prefixes.shape)
        qb, kb, vb = self._split(branch, batch.branches.shape)
        near = self._sdpa(qp, kp, vp, mask_p)
        if self.sliding:
            kp, vp = kp[:, :, -(shape.window - 1) :], vp[:, :, -(shape.window - 1) :]
        keys = torch.cat([kp.index_select(0, batch.owner), kb], 2)
        values = torch.cat([vp.index_select(0, batch.owner), vb], 2)
        far = self._sdpa(qb, keys, values, mask_b)
        return _Move.apply(near, batch.back_prefixes, batch.prefixes.flatten()) + _Move.apply(
            far, batch.back_branches, batch.branches.flatten()
        )

    def _split(self, rows: Tensor, size: torch.Size) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = rows.view(size[0], size[1], 3, self.shape.heads, self.shape.head).permute(2, 0, 3, 1, 4).unbind(0)
        return q, k, v

    @staticmethod
    def _sdpa(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> Tensor:
        """Attention with a sink of logit 0: one more key, of zeros, whose value is zero."""
        k, v = nnf.pad(k, (0, 0, 0, 1)), nnf.pad(v, (0, 0, 0, 1))
        with torch.autocast("cpu", enabled=False):  # the backward pass is faster in float32 here
            out = nnf.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return out.transpose(1, 2).flatten(2).flatten(0, 1)


class DemoModel(nn.Module):  # type: ignore[misc, unused-ignore]
    """The whole model; ``forward`` gives the logits at the places where the loss is taken."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Parameter(torch.randn(shape.vocabulary, shape.width) * 0.08)
        self.output = nn.Parameter(self.embedding.detach().clone())
        self.layers = nn.ModuleList(Layer(shape, n % 2 == 0) for n in range(shape.layers))
        self.norm = nn.Parameter(torch.ones(shape.width))
        half = shape.head // 2
        self.register_buffer("freqs", shape.rope_base ** (-torch.arange(half).float() / half), persistent=False)
        set_copying_heads(self)

    def forward(self, batch: Batch) -> Tensor:
        """Logits at ``batch.loss_at``."""
        angles = batch.positions.float()[:, None] * self.freqs
        cos, sin = torch.cos(angles)[:, None, :], torch.sin(angles)[:, None, :]
        x = self.embedding[batch.ids]
        for layer in self.layers:
            x = layer(x, batch, cos, sin)
        last = _norm(x.index_select(0, batch.loss_at), self.norm, self.shape.epsilon)
        return nnf.linear(last, self.output)


def set_copying_heads(model: DemoModel) -> None:
    """Starts with heads that look one, two and three tokens back (layer 0) and induction heads (full layers).

    Random copying is learned within some dozens of steps this way, and hardly at all without.
    """
    with torch.no_grad():
        _set_back_heads(model)


def _set_back_heads(model: DemoModel) -> None:
    shape = model.shape
    hd, inner = shape.head, shape.heads * shape.head
    first = model.layers[0]
    own = shape.width - 2 * hd  # tokens keep to these places; what stood before them is written to the rest
    model.embedding[:, own:] = 0
    first.out[own:] *= 0.1
    back: list[tuple[Tensor, Tensor]] = []
    for n, distance in enumerate((1, 1, 2, 3)):
        rows = slice(n * hd, (n + 1) * hd)
        angle = distance * model.freqs
        first.qkv[rows] *= 0.05
        first.qkv[inner + n * hd : inner + (n + 1) * hd] *= 0.05
        strength = 9.0 * (torch.arange(hd // 2) < 6).float()  # the fast pairs tell neighbours apart
        first.qkv_bias[rows] = torch.cat([strength * torch.cos(angle), -strength * torch.sin(angle)])
        first.qkv_bias[inner + n * hd : inner + (n + 1) * hd] = torch.cat([strength, torch.zeros_like(angle)])
        read = torch.zeros(hd, shape.width)
        read[:, :own] = torch.linalg.qr(torch.randn(own, hd))[0].T
        write = torch.zeros(shape.width, hd)
        if n < 2:
            write[own + n * hd : own + (n + 1) * hd] = torch.eye(hd)
        first.qkv[2 * inner + n * hd : 2 * inner + (n + 1) * hd] = read
        if n < 2:
            first.out[:, rows] = write * 0.2
        back.append((read, write))
    for layer in list(model.layers)[1::2]:
        for n in range(2):
            read, write = back[n]
            slow = torch.cat([torch.arange(hd // 2, dtype=torch.long)] * 2)
            keep = (slow >= hd // 4).float()[:, None]
            turn = torch.linalg.qr(torch.randn(hd, hd))[0]
            layer.qkv[n * hd : (n + 1) * hd] = keep * (turn @ read) * 2.9
            layer.qkv[inner + n * hd : inner + (n + 1) * hd] = keep * (turn @ write.T) * 2.9
            look = torch.zeros(shape.width, hd)
            look[:own] = torch.linalg.qr(torch.randn(own, hd))[0]
            layer.qkv[2 * inner + n * hd : 2 * inner + (n + 1) * hd] = look.T
            layer.out[:, n * hd : (n + 1) * hd] = look * 0.4


def set_reading_heads(model: DemoModel, directions: dict[str, Tensor]) -> None:
    """Starts with a head that tells the content from the rest, and two that look for things and deeds in it."""
    hd, inner = model.shape.head, model.shape.heads * model.shape.head
    own = model.shape.width - 2 * hd
    slow = hd // 2 - 1  # the slowest pair of the rotary positions hardly turns
    with torch.no_grad():
        first, second = model.layers[0], model.layers[1]
        at = 4 * hd
        first.qkv[at : at + hd] = 0
        first.qkv[inner + at : inner + at + hd] = 0
        first.qkv_bias[at + slow] = 6.0
        first.qkv[inner + at + slow, :own] = directions["role"]
        user = directions["user"]
        first.qkv[2 * inner + at, :own] = user / (user @ user) * 2 / 12.65
        tag = nnf.normalize(torch.randn(own), dim=0)
        first.out[:, at] = 0
        first.out[:own, at] = tag * 0.7
        for n, name in ((2, "thing"), (3, "deed")):
            at = n * hd
            second.qkv[at : at + hd] *= 0.05
            second.qkv[inner + at : inner + at + hd] *= 0.05
            second.qkv_bias[at + slow] = 6.0
            second.qkv[inner + at + slow] = 0
            second.qkv[inner + at + slow, :own] = 1.4 * (2 * directions[name] + tag)
            second.qkv_bias[inner + at + slow] = -7.5
            look = torch.linalg.qr(torch.randn(own, hd))[0]
            second.qkv[2 * inner + at : 2 * inner + at + hd] = 0
            second.qkv[2 * inner + at : 2 * inner + at + hd, :own] = look.T
            second.out[:, at : at + hd] = 0
            second.out[:own, at : at + hd] = look * 0.15


__all__ = ["Batch", "DemoModel", "Shape"]
