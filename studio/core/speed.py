"""How long one judgement takes on a machine, worked out from two models that were measured there.

The time of a token is taken as a straight line over the work that the token needs: a fixed part, and a part for each
number or byte of the model that has to be touched. Two measured models give the line, and a third is read off it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PROMPT_TOKENS = 904
"""Half of all logged prompts of the real model are shorter: policy, scaffolding and content together."""

ANSWER_TOKENS, LONG_ANSWER_TOKENS = 169, 743
"""Half, and nine of ten, of 6,730 logged answers of the real model are shorter."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a model needs for a token.

    ``reading``: numbers multiplied for each token of the prompt; ``writing``: bytes of weights touched for each token
    of the answer.
    """

    reading: float
    writing: float

    def __add__(self, other: Work) -> Work:
        return Work(self.reading + other.reading, self.writing + other.writing)


@dataclass(frozen=True, slots=True)
class Sample:
    """One measured model: its work, and seconds for each token of the prompt and of the answer."""

    work: Work
    read_s: float
    write_s: float


@dataclass(frozen=True, slots=True)
class Line:
    """Seconds of a token over its work: ``fixed`` and so much for each unit."""

    fixed: float
    slope: float

    @classmethod
    def through(cls, small: tuple[float, float], large: tuple[float, float]) -> Line:
        """The line through (work, seconds) of a small and a large model, never with a negative part.

        Where the small one took longer than its share, so that the line would fall, the large one alone counts.
        """
        (near, quick), (far, slow) = small, large
        slope = (slow - quick) / (far - near) if far > near else 0.0
        fixed = quick - slope * near
        if slope <= 0 or fixed < 0:
            return cls(0.0, slow / far)
        return cls(fixed, slope)

    def at(self, work: float) -> float:
        """Seconds of a token that needs so much work."""
        return self.fixed + self.slope * work


@dataclass(frozen=True, slots=True)
class Rates:
    """What a place (the CPU, or a GPU) takes for tokens of the prompt and of the answer."""

    read: Line
    write: Line

    @classmethod
    def of(cls, small: Sample, large: Sample) -> Rates:
        """The rates by two measured models."""
        return cls(
            Line.through((small.work.reading, small.read_s), (large.work.reading, large.read_s)),
            Line.through((small.work.writing, small.write_s), (large.work.writing, large.write_s)),
        )


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens per second, of the prompt and of the answer, one request at a time."""

    read: float
    write: float

    def seconds(self, prompt: int = PROMPT_TOKENS, answer: int = ANSWER_TOKENS) -> float:
        """Seconds of one judgement whose whole prompt is new."""
        return prompt / self.read + answer / self.write


def estimate(parts: Sequence[tuple[Rates, Work]]) -> Speed:
    """The speed of a model whose parts lie in these places; they work one after the other.

    The largest fixed part counts once: a token passes the whole model, however many places that has.
    """
    read = max(rates.read.fixed for rates, _work in parts) + sum(r.read.slope * w.reading for r, w in parts)
    write = max(rates.write.fixed for rates, _work in parts) + sum(r.write.slope * w.writing for r, w in parts)
    return Speed(1 / max(read, 1e-9), 1 / max(write, 1e-9))
