"""What an evaluation is: its settings, its judgements without their texts, and how a run becomes one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from studio.core.answers.vocabulary import CONTRACT_WORDS
from studio.core.errors import InputError
from studio.core.evaluation import Judged
from studio.core.golden import GoldenExample
from studio.core.labels import Decision
from studio.core.policy import Effort, Policy
from studio.core.run import GREEDY, SAMPLED, Provenance, Run, Sampling
from studio.core.verdict import Verdict
from studio.services.models import ModelInfo

MOST_REPEATS = 100
_FLAGS = {"1": Decision.VIOLATES, "true": Decision.VIOLATES, "0": Decision.ALLOWED, "false": Decision.ALLOWED}


@dataclass(frozen=True, slots=True)
class Settings:
    """How to judge. None is the policy's own effort, and the workspace's pinned date.

    One judgement per example is greedy; ``repeats`` of it are sampled at temperature 1.0 with the seeds ``seed``,
    ``seed + 1``... as greedy repeats would be the same answer again. ``sampling`` overrides that choice.
    """

    effort: Effort | None = None
    repeats: int = 1
    seed: int = 0
    sampling: Sampling | None = None
    pinned_date: date | None = None

    def sampling_of(self, repeat: int) -> Sampling:
        """The sampling of that repeat, counted from 0."""
        chosen = self.sampling or (GREEDY if self.repeats == 1 else SAMPLED)
        return chosen if chosen.greedy else replace(chosen, seed=self.seed + repeat)


@dataclass(frozen=True, slots=True)
class Judgement:
    """One judgement of one example, without its texts: ``EvaluateService.run_of`` has the whole run."""

    run_id: str
    judged: Judged
    confidence: float | None
    provenance: Provenance | None
    output_tokens: int
    total_s: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came of a policy version over examples. ``judgements`` has one group of repeats for each of ``examples``.

    ``unfinished`` counts the examples that a stop left without all their repeats; they are in no group. ``reused``
    judgements were made before, ``fresh`` ones for this.
    """

    policy: Policy
    version: int | None
    settings: Settings
    pinned_date: date
    model: ModelInfo
    examples: tuple[GoldenExample, ...]
    judgements: tuple[tuple[Judgement, ...], ...]
    unfinished: int
    reused: int
    fresh: int
    session_id: str
    started_at: datetime
    finished_at: datetime
    name: str = ""

    @property
    def title(self) -> str:
        """The policy with its version, and the effort where it is not the policy's own."""
        version = f"version {self.version}" if self.version else "draft"
        effort = f", {self.settings.effort} effort" if self.settings.effort else ""
        return self.name or f"{self.policy.title}, {version}{effort}"


def checked(examples: Sequence[GoldenExample], settings: Settings) -> list[GoldenExample]:
    """The examples that can be scored. Raises InputError for none of them, and for repeats that cannot be had."""
    if not 1 <= settings.repeats <= MOST_REPEATS:
        raise InputError(
            f"{settings.repeats} repeats are not possible.", hint=f"Give a number from 1 to {MOST_REPEATS}."
        )
    if settings.repeats > 1 and settings.sampling_of(0).greedy:
        raise InputError(
            "Repeats without sampling would be the same answer again.", hint="Sample, or judge each example once."
        )
    known = [example for example in examples if example.expected is not None]
    if not known:
        raise InputError(
            f"None of the {len(examples)} golden examples has a decision, so there is nothing to score against.",
            hint="Decide some of them first, or choose another set.",
        )
    return known


def light(run: Run, policy: Policy) -> Run:
    """The run without its texts, so that a hundred thousand of them fit into memory."""
    verdict = run.verdict and replace(run.verdict, rationale="", reasoning="", raw_final="", status_detail="")
    return replace(run, policy=policy, verdict=verdict, raw_output="")


def judgement_of(policy: Policy, example: GoldenExample, run: Run) -> Judgement:
    """A run that ended, held against its example."""
    verdict = run.verdict
    assert verdict is not None, "only runs that ended are put together"
    judged = Judged(
        id=example.id,
        expected=example.expected,
        status=verdict.status,
        decision=verdict.decision,
        expected_labels=tuple(_canonical(policy, label) for label in example.labels),
        labels=tuple(_canonical(policy, label) for label in verdict.labels) if verdict.is_verdict else (),
        p_violates=p_violates(policy, verdict),
        tags=example.tags,
    )
    timing = run.timing
    return Judgement(run.id, judged, verdict.confidence, run.provenance, timing.output_tokens, timing.total_s)


def _canonical(policy: Policy, label: str) -> str:
    """The label as the policy writes it; one that the policy does not know stays as it is."""
    known = policy.label(label)
    return known.id if known else label


def p_violates(policy: Policy, verdict: Verdict) -> float | None:
    """The probability that the model gave to violating; None where the answers do not tell it."""
    mass = 0.0
    for answers, share in verdict.alternatives:
        decisions = {answer_decision(policy, answer) for answer in answers.split(" or ")}
        if len(decisions) > 1 or None in decisions:
            return None
        mass += share if decisions == {Decision.VIOLATES} else 0.0
    return min(1.0, mass) if verdict.alternatives else None


def answer_decision(policy: Policy, answer: str) -> Decision | None:
    """What an answer of the contract (a label, a digit or a word) decides; None when it is none of them."""
    label = policy.label(answer)
    if label is not None:
        return label.decision.decision
    return _FLAGS.get(answer.casefold()) or CONTRACT_WORDS.get(answer.upper())
