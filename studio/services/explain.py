"""Which rule decides: each part of a policy, or of a content, taken away in turn and the rest judged again.

All of it is greedy, under the effort and the date of the verdict that is explained. The judgements are kept as
ordinary runs in a session of their own, so that each can be opened and none is made twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from studio.core.ablate import Part, PartKind, Piece, Unit, parts_of, pieces_of, without, without_piece
from studio.core.content import Content
from studio.core.errors import InputError
from studio.core.policy import Policy
from studio.core.progress import Cancel, Progress
from studio.core.run import Run
from studio.core.verdict import Verdict
from studio.services.ask import Question, ask
from studio.services.evaluation import Settings, answer_decision
from studio.services.studio import Studio

__all__ = ["Effect", "Explanation", "Part", "PartKind", "Piece", "Removal", "Unit", "explain", "ranked", "same_as"]

SESSION = "Which rule decides: {}"


class Effect(StrEnum):
    """What taking a part away does to the verdict, the strongest first."""

    FLIPS = "flips"
    OTHER_LABEL = "other_label"
    NO_VERDICT = "no_verdict"
    HOLDS = "holds"


_ORDER = list(Effect)


@dataclass(frozen=True, slots=True)
class Removal:
    """What came without one part.

    ``share`` is the probability, in [0, 1], that the model then gives to the answer that was decided with it;
    ``change`` is how much more (above 0) or less (below 0) that is. None: unknown.
    """

    part: Part | Piece
    run: Run
    effect: Effect
    share: float | None
    change: float | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The verdict with everything in place, and what each removal did, the strongest first.

    ``total`` counts the parts; with a stop fewer were tried.
    """

    run: Run
    share: float | None
    removals: tuple[Removal, ...]
    total: int

    @property
    def deciding(self) -> tuple[Removal, ...]:
        """The removals without which the decision is another one."""
        return tuple(removal for removal in self.removals if removal.effect is Effect.FLIPS)


def same_as(run: Run) -> Settings:
    """The settings under which a kept run was made, greedily."""
    kept = run.provenance
    return Settings(effort=kept.effort, pinned_date=kept.pinned_date) if kept else Settings()


def explain(
    studio: Studio,
    policy: Policy,
    content: Content,
    settings: Settings | None = None,
    *,
    unit: Unit | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_removal: Callable[[Run, Removal], None] | None = None,
    cancel: Cancel | None = None,
) -> Explanation | None:
    """Take away each part of the policy, or each ``unit`` of the content; None when a stop came first.

    ``on_removal`` gets the verdict with everything in place, and what came, in any order. Raises InputError when there
    is nothing to take away or no verdict to explain, ModelFileError or EngineError when the model does not load, and
    StoreError.
    """
    settings = settings or Settings()
    asked = _questions(policy, content, unit)
    title = SESSION.format(policy.title)
    whole = Question(policy, content)
    (base,) = ask(studio, [whole], settings, session=title, cancel=cancel)
    if base is None:
        return None
    if base.verdict is None or not base.verdict.is_verdict:
        why = base.verdict.status_detail if base.verdict else ""
        raise InputError(
            f"There is no verdict to explain. {why}".strip(),
            hint="Judge the content again, and see why it gave no verdict.",
        )
    decided = base.verdict
    parts: dict[tuple[str, str], list[Part | Piece]] = {}
    for part, question in asked:
        parts.setdefault(question.key, []).append(part)
    found: list[Removal] = []

    def answered(question: Question, run: Run) -> None:
        # Two removals that leave the same text are one question and two answers.
        for part in parts[question.key]:
            removal = _removal(part, run, decided, policy)
            found.append(removal)
            if on_removal is not None:
                on_removal(base, removal)

    ask(
        studio,
        [question for _, question in asked],
        settings,
        session=title,
        on_progress=on_progress,
        on_answer=answered,
        cancel=cancel,
    )
    return Explanation(base, decided_share(policy, decided, decided), ranked(found), len(asked))


def ranked(removals: Iterable[Removal]) -> tuple[Removal, ...]:
    """By effect, flips first, then by how far the probability of what was decided moved, then in the text's order."""
    return tuple(
        sorted(removals, key=lambda one: (_ORDER.index(one.effect), -abs(one.change or 0.0), _place(one.part)))
    )


def decided_share(policy: Policy, verdict: Verdict, decided: Verdict) -> float | None:
    """The probability of what ``decided`` says, in [0, 1]: of its label where that is told, else of its decision.

    None when there is no verdict, and where the probabilities of several answers were told as one.
    """
    if not verdict.is_verdict or not verdict.alternatives:
        return None
    shares = [(answers.split(" or "), share) for answers, share in verdict.alternatives]
    wanted = {label.casefold() for label in decided.labels}
    told = {answer.casefold() for answers, _ in shares for answer in answers}
    if len(wanted) == 1 and any(policy.label(answer) for answer in told):
        mine = [(answers, share) for answers, share in shares if wanted & {answer.casefold() for answer in answers}]
        return None if any(len(answers) > 1 for answers, _ in mine) else min(1.0, sum(share for _, share in mine))
    mass = 0.0
    for answers, share in shares:
        decisions = {answer_decision(policy, answer) for answer in answers}
        if decided.decision in decisions and len(decisions) > 1:
            return None
        mass += share if decisions == {decided.decision} else 0.0
    return min(1.0, mass)


def _questions(policy: Policy, content: Content, unit: Unit | None) -> list[tuple[Part | Piece, Question]]:
    if unit is None:
        parts = parts_of(policy)
        if not parts:
            raise InputError(
                f"The policy {policy.title!r} has no rules, examples or paragraphs that could be taken away.",
                hint="Write its rules as a list, one to a line.",
            )
        # From the end on, so that neighbours share the longest heads and little is read twice.
        return [(part, Question(without(policy, part), content)) for part in reversed(parts)]
    pieces = pieces_of(content, unit)
    if not pieces:
        raise InputError(f"The content has fewer than two {unit}, so none can be taken away.", hint="Ask by policy.")
    return [(piece, Question(policy, without_piece(content, piece))) for piece in pieces]


def _removal(part: Part | Piece, run: Run, decided: Verdict, policy: Policy) -> Removal:
    verdict = run.verdict
    if verdict is None or not verdict.is_verdict:
        return Removal(part, run, Effect.NO_VERDICT, None, None)
    effect = Effect.HOLDS
    if verdict.decision is not decided.decision:
        effect = Effect.FLIPS
    elif {label.casefold() for label in verdict.labels} != {label.casefold() for label in decided.labels}:
        effect = Effect.OTHER_LABEL
    before, after = decided_share(policy, decided, decided), decided_share(policy, verdict, decided)
    return Removal(part, run, effect, after, None if before is None or after is None else after - before)


def _place(part: Part | Piece) -> tuple[int, int]:
    return (part.turn if isinstance(part, Piece) else 0), part.start
