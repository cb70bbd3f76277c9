"""Trains the demo model on a CPU.

    python -m resources.demo_model.train FOLDER --minutes 60

``FOLDER`` gets the tokenizer and checkpoints; a run that is started again goes on from the last one.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch  # type: ignore[import-not-found, unused-ignore]
import torch.nn.functional as nnf  # type: ignore[import-not-found, unused-ignore]
from torch import Tensor  # type: ignore[import-not-found, unused-ignore]

from resources.demo_model.batches import Group, stream, to_batch
from resources.demo_model.lexicon import set_embedding
from resources.demo_model.model import DemoModel, Shape, set_reading_heads
from resources.demo_model.tokenizer import Codec, train_tokenizer

STAGES = (
    (0, {"most": 0, "topics": 0, "drill": 0.0, "copy": 0.0}),
    (120, {"most": 3, "topics": 1, "drill": 0.3, "copy": 0.3}),
    (400, {"most": 6, "topics": 2, "drill": 0.2, "copy": 0.1}),
    (640, {"most": 10, "topics": 2, "drill": 0.0, "copy": 0.05}),
)
"""From which step on how many rules and topics there may be, and how often only the contents are read.

No rules: random tokens to be copied."""


class Muon:
    """Momentum with orthogonal updates for matrices, one batch of equal shapes at a time."""

    def __init__(self, matrices: list[Tensor], rate: float) -> None:
        self.rate = rate
        self.matrices = matrices
        self.moments = [torch.zeros_like(m) for m in matrices]

    def step(self, scale: float) -> None:
        """One update, with the learning rate times ``scale``."""
        with torch.no_grad():
            self._step(scale)

    def _step(self, scale: float) -> None:
        shapes: dict[torch.Size, list[tuple[Tensor, Tensor]]] = {}
        for matrix, moment in zip(self.matrices, self.moments, strict=True):
            assert matrix.grad is not None
            moment.lerp_(matrix.grad, 0.05)
            update = matrix.grad.lerp(moment, 0.95)
            for part, target in zip(_blocks(update), _blocks(matrix), strict=True):
                shapes.setdefault(part.shape, []).append((part, target))
        for size, pairs in shapes.items():
            done = _orthogonal(torch.stack([update for update, _ in pairs]))
            rate = self.rate * scale * max(1.0, size[0] / size[1]) ** 0.5
            for update, (_, target) in zip(done, pairs, strict=True):
                target.mul_(1 - 0.02 * rate).sub_(update, alpha=rate)


def _blocks(matrix: Tensor) -> tuple[Tensor, ...]:
    """A matrix that holds several, apart: queries, keys and values; gates and ups."""
    rows, columns = matrix.shape
    return matrix.split(rows // 3) if rows == 3 * columns else matrix.chunk(2) if rows > 2 * columns else (matrix,)


def _orthogonal(batch: Tensor) -> Tensor:
    """Newton-Schulz: the nearest matrices with orthonormal rows or columns."""
    x = batch.bfloat16()
    flat = x.shape[1] > x.shape[2]
    x = x.mT if flat else x
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        product = x.mT @ x
        x = 3.4445 * x + x @ (-4.7750 * product + 2.0315 * product @ product)
    return (x.mT if flat else x).float()


@dataclass
class Score:
    """What the log says about the last steps."""

    loss: float = 0.0
    tokens: float = 0.0
    hard: float = 0.0
    whole: float = 0.0

    def add(self, other: Score) -> None:
        """Mixes in another step."""
        for name in ("loss", "tokens", "hard", "whole"):
            old = getattr(self, name)
            setattr(self, name, getattr(other, name) if old == 0.0 else 0.95 * old + 0.05 * getattr(other, name))


def batches(codec_path: Path, step: int, seed: int, groups: int, size: int, window: int) -> Iterator[list[Group]]:
    """The stream of the curriculum, from ``step`` on."""
    while True:
        at = max(n for n, (start, _) in enumerate(STAGES) if start <= step)
        end = STAGES[at + 1][0] if at + 1 < len(STAGES) else math.inf
        source = stream(seed + step, codec_path, STAGES[at][1], groups, size)
        for batch in source:
            yield batch
            step += 1
            if step >= end:
                break
        source.close()


def train_step(model: DemoModel, groups: list[Group], gap: int) -> Score:
    """Forward and backward over one batch."""
    batch = to_batch(groups, model.shape.window, gap)
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(batch)
    losses = nnf.cross_entropy(logits.float(), batch.targets, reduction="none")
    loss = (losses * batch.weights).sum() / batch.weights.sum()
    loss.backward()
    with torch.no_grad():
        right = logits.argmax(-1) == batch.targets
        sizes = [len(weights) for group in groups for _, _, weights in group.branches]
        whole = sum(bool(part.all()) for part in right.split(sizes)) / len(sizes)
        hard = right[batch.weights >= 3].float().mean().nan_to_num()
    return Score(loss.item(), right.float().mean().item(), hard.item(), whole)


def run(folder: Path, minutes: float, args: argparse.Namespace) -> None:
    """The training loop; the rate falls with the time that is left."""
    tokenizer = folder / "tokenizer.json"
    if not tokenizer.exists():
        train_tokenizer(tokenizer)
    codec = Codec(tokenizer)
    torch.manual_seed(args.seed)
    model = DemoModel(Shape(codec.size))
    directions = set_embedding(model.embedding, codec, model.shape.width - 2 * model.shape.head)
    set_reading_heads(model, directions)
    model.output.data.copy_(model.embedding.data)
    step, last = 0, folder / "last.pt"
    matrices = [
        p for name, p in model.named_parameters() if p.ndim == 2 and name.startswith("layers") and p.shape[0] > 8
    ]
    chosen = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in chosen]
    muon = Muon(matrices, args.rate)
    # Adam moves every row of a large matrix at each step, however small its gradient: rare words drift together and
    # cannot be told apart any more. So words move slowly, and what is read is not tied to what is written.
    speeds = {id(model.embedding): 0.3, id(model.output): 0.4}
    adam = torch.optim.AdamW(
        [{"params": [p], "speed": speeds.get(id(p), 1.0)} for p in others],
        lr=args.adam, betas=(0.9, 0.98), weight_decay=0.0,
    )  # fmt: skip
    if last.exists():
        state = torch.load(last, weights_only=True)
        model.load_state_dict(state["model"])
        if "adam" in state:
            adam.load_state_dict(state["adam"])
            muon.moments = state["muon"]
        step = state["step"]
    begun = saved = time.time()
    score, seen, first = Score(), 0, step
    for groups in batches(tokenizer, step, args.seed * 100_000, args.groups, args.size, model.shape.window):
        passed = (time.time() - begun) / (60 * minutes)
        scale = min(1.0, (step - first + 1) / 40) * min(1.0, max(0.02, (1 - passed) / args.decay))
        gap = (step * 7919) % 1500 if step > 1500 and step % 8 == 0 else 0
        score.add(train_step(model, groups, gap))
        seen += sum(len(g.prefix) + sum(len(b[0]) for b in g.branches) for g in groups)
        torch.nn.utils.clip_grad_norm_(others, 1.0)
        muon.step(scale)
        for group in adam.param_groups:
            group["lr"] = args.adam * scale * group["speed"]
        adam.step()
        model.zero_grad(set_to_none=True)
        step += 1
        if step % 20 == 0:
            speed = seen / (time.time() - begun)
            print(
                f"{step} {(time.time() - begun) / 60:.1f} min loss {score.loss:.4f} tokens {score.tokens:.4f} "
                f"decisions {score.hard:.4f} whole {score.whole:.3f} rate {scale:.2f} {speed:.0f} tok/s",
                flush=True,
            )
        if time.time() - saved > 60 * args.save or passed >= 1:
            saved = time.time()
            state = {"model": model.state_dict(), "step": step, "adam": adam.state_dict(), "muon": muon.moments}
            _save(state, last)
        if passed >= 1:
            return


def _save(state: dict[str, Any], path: Path) -> None:
    """Writes a checkpoint so that a stop half way leaves the one before."""
    fresh = path.with_name("new.pt")
    torch.save(state, fresh)
    fresh.replace(path)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=80)
    parser.add_argument("--groups", type=int, default=6)
    parser.add_argument("--size", type=int, default=3)
    parser.add_argument("--rate", type=float, default=0.005)
    parser.add_argument("--adam", type=float, default=1e-3)
    parser.add_argument("--decay", type=float, default=0.5)
    parser.add_argument("--save", type=float, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    run(args.folder, args.minutes, args)


if __name__ == "__main__":
    main()
