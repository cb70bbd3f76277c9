"""Training batches: groups of cases as packed tokens, made in a process of their own."""

from __future__ import annotations

import multiprocessing as mp
import os
import random
import re
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import torch  # type: ignore[import-not-found, unused-ignore]
from torch import Tensor  # type: ignore[import-not-found, unused-ignore]

from resources.demo_model.cases import DemoCase, make_group
from resources.demo_model.contents import TRAIN
from resources.demo_model.model import Batch
from resources.demo_model.tokenizer import Codec, some_date
from studio.core.policy import ContentKind

_LINE = re.compile(r"^(.*?)( -> .*)?$")


@dataclass(frozen=True)
class Group:
    """One policy prefix and its branches: ids, where the answer starts, and the weight of each answer token."""

    prefix: list[int]
    branches: list[tuple[list[int], int, list[float]]]


def weighted_answer(codec: Codec, case: DemoCase) -> tuple[list[int], list[float]]:
    """The answer's ids with their weights: what is decided counts more than what is copied."""
    ids, weights = [], []

    def add(text: str, weight: float, start: float = 0.0) -> None:
        new = codec.plain(text)
        ids.extend(new)
        weights.extend([max(weight, start)] * min(4, len(new)) + [weight] * (len(new) - 4))

    for n, line in enumerate(case.analysis.split("\n")):
        if n:
            add("\n", 3.0)
        if line.startswith(("Content:", "Result:")):
            add(line, 3.0)
            continue
        match = _LINE.match(line)
        assert match is not None
        add(match[1], 1.0, start=5.0)  # which line comes next is the hardest of all
        if match[2]:
            add(match[2], 4.0)
    whole = codec.answer(case)
    lead = whole.index(codec.control["<|message|>"]) + 1
    assert whole[lead : lead + len(ids)] == ids, case.analysis
    return whole, [0.3] * lead + weights + [1.5] * (len(whole) - lead - len(ids))


def make_tokens(
    rng: random.Random, codec: Codec, size: int, most: int, topics: int, kind: ContentKind | None = None
) -> Group:
    """A group of cases as tokens."""
    cases = make_group(rng, TRAIN, size, most, topics, kind)
    day = some_date(rng)
    branches = []
    head: list[int] = []
    for case in cases:
        head, tail = codec.prompt(case, day)
        ids, weights = weighted_answer(codec, case)
        branches.append((tail + ids, len(tail), weights))
    return Group(head, branches)


def make_drill(rng: random.Random, codec: Codec, size: int, topics: int) -> Group:
    """Many contents under one short policy, and of the answers only the first line: what the content is about."""
    kind = rng.choice((ContentKind.MESSAGE,) * 4 + (ContentKind.CONVERSATION, ContentKind.COMPLETION))
    group = make_tokens(rng, codec, size, 2, topics, kind)
    stop = codec.plain("\n")[0]
    branches = []
    for ids, start, weights in group.branches:
        end = ids.index(stop, start) + 1
        branches.append((ids[:end], start, weights[: end - start]))
    return Group(group.prefix, branches)


def make_copying(rng: random.Random, codec: Codec, size: int) -> Group:
    """Random tokens, and stretches of them to be copied: what the first steps teach."""
    prefix = [rng.randrange(codec.base) for _ in range(rng.randint(40, 300))]
    branches = []
    for _ in range(size):
        ids, weights = [rng.randrange(codec.base) for _ in range(rng.randint(2, 30))], []
        lead = len(ids)
        for _ in range(rng.randint(2, 6)):
            source = prefix if rng.random() < 0.8 or len(ids) < 12 else ids
            start, length = rng.randrange(len(source) - 8), rng.randint(4, 16)
            piece = source[start : start + length]
            ids += piece
            weights += [0.0, *[1.0] * (len(piece) - 1)]
        branches.append((ids, lead, weights))
    return Group(prefix, branches)


def to_batch(groups: list[Group], window: int, gap: int = 0) -> Batch:
    """Groups as one batch. ``gap`` moves the branches away from their prefix, as a longer content would."""
    rows = [group.prefix for group in groups] + [ids for group in groups for ids, _, _ in group.branches]
    owner = [n for n, group in enumerate(groups) for _ in group.branches]
    count = len(groups)
    starts = [0] * count + [len(groups[n].prefix) + gap for n in owner]
    lengths = [len(row) for row in rows]
    offsets = torch.tensor([0, *lengths]).cumsum(0)
    total = int(offsets[-1])
    positions = torch.cat([torch.arange(s, s + n) for s, n in zip(starts, lengths, strict=True)])
    prefixes, back_p = _lay_out(lengths[:count], offsets[:count], total, right=True)
    branches, back_b = _lay_out(lengths[count:], offsets[count:-1], total)
    at: list[int] = []
    targets: list[int] = []
    weights: list[float] = []
    for n, (ids, start, token_weights) in enumerate([branch for group in groups for branch in group.branches]):
        first = int(offsets[count + n]) + start - 1
        at += range(first, first + len(token_weights))
        targets += ids[start:]
        weights += token_weights
    lens, owners = torch.tensor(lengths), torch.tensor(owner)
    return Batch(
        torch.tensor([i for row in rows for i in row]), positions, prefixes, branches, back_p, back_b,
        owners, _masks(prefixes.shape[1], branches.shape[1], lens, count, owners, gap, window),
        torch.tensor(at), torch.tensor(targets), torch.tensor(weights),
    )  # fmt: skip


def _lay_out(lengths: list[int], offsets: Tensor, total: int, right: bool = False) -> tuple[Tensor, Tensor]:
    """Padded places to packed ones and back; prefixes stand at the right, next to their branches."""
    longest = max(lengths)
    size = torch.tensor(lengths)[:, None]
    place = torch.arange(longest)[None, :] - ((longest - size) if right else 0)
    inside = (place >= 0) & (place < size)
    index = torch.where(inside, place + offsets[:, None], total)
    back = torch.full((total,), index.numel())
    back[index[inside]] = torch.arange(index.numel()).view_as(index)[inside]
    return index, back


def _masks(
    longest_p: int, longest_b: int, lengths: Tensor, count: int, owner: Tensor, gap: int, window: int
) -> dict[bool, tuple[Tensor, Tensor]]:
    """For sliding and full layers: masks of prefixes and of branches; the last key is the sink."""
    shift = longest_p - lengths[:count]
    p = torch.arange(longest_p)[None, :] - shift[:, None]
    b = torch.arange(longest_b)
    b_pos = lengths[:count][owner][:, None] + gap + b
    made = {}
    for sliding in (False, True):
        reach = window if sliding else 1 << 30
        far = p[:, :, None] - p[:, None, :]
        see_p = (far >= 0) & (far < reach) & (p[:, None, :] >= 0)
        head = p[owner][:, -(window - 1) :] if sliding else p[owner]
        ahead = b_pos[:, :, None] - head[:, None, :]
        see_head = (head[:, None, :] >= 0) & (ahead < reach)
        own = b[:, None] - b[None, :]
        see_own = ((own >= 0) & (own < reach)).expand(len(owner), -1, -1)
        see_b = torch.cat([see_head, see_own], 2)
        made[sliding] = (_bias(see_p), _bias(see_b))
    return made


def _bias(see: Tensor) -> Tensor:
    bias = torch.zeros(see.shape, dtype=torch.float32).masked_fill_(~see, float("-inf"))
    return torch.nn.functional.pad(bias, (0, 1)).unsqueeze(1)


def _produce(queue: mp.Queue, seed: int, tokenizer: str, stage: dict, groups: int, size: int) -> None:  # type: ignore[type-arg]
    os.nice(2)
    rng = random.Random(seed)
    codec = Codec(Path(tokenizer))
    while True:
        pool = [
            make_tokens(rng, codec, size, stage["most"], stage["topics"])
            if stage["most"]
            else make_copying(rng, codec, size)
            for _ in range(groups * 6)
        ]
        pool.sort(key=lambda g: len(g.prefix) + max(len(ids) for ids, _, _ in g.branches))
        batches = [pool[n : n + groups] for n in range(0, len(pool), groups)]
        drills = round(len(batches) * stage["drill"])
        batches += [[make_drill(rng, codec, size * 4, stage["topics"]) for _ in range(groups)] for _ in range(drills)]
        copies = round(len(batches) * stage["copy"])
        batches += [[make_copying(rng, codec, size) for _ in range(groups)] for _ in range(copies)]
        rng.shuffle(batches)
        for batch in batches:
            queue.put(batch)


def stream(seed: int, tokenizer: Path, stage: dict, groups: int, size: int) -> Generator[list[Group]]:  # type: ignore[type-arg]
    """Batches without end; ``stage`` says how large the policies and contents may be."""
    context = mp.get_context("fork")
    queue: mp.Queue = context.Queue(maxsize=12)  # type: ignore[type-arg]
    process = context.Process(target=_produce, args=(queue, seed, str(tokenizer), stage, groups, size), daemon=True)
    process.start()
    try:
        while True:
            yield queue.get()
    finally:
        process.terminate()
