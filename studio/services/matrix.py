"""Contents judged under several policies at once: a verdict for each content under each policy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from studio.core import compose
from studio.core.content import Content
from studio.core.errors import InputError
from studio.core.policy import Policy
from studio.core.progress import Cancel, Progress
from studio.core.run import Run
from studio.services.ask import Question, ask
from studio.services.evaluation import Settings
from studio.services.studio import Studio

__all__ = ["MERGE_COST", "Matrix", "matrix"]

MERGE_COST = compose.MERGE_COST
SESSION = "Several policies"
_COMBINED_ID = "combined"


@dataclass(frozen=True, slots=True)
class Matrix:
    """``runs`` has a row for each content and in it a run for each policy, None where a stop left it out.

    ``notes`` say what combining costs, where that was asked for.
    """

    policies: tuple[Policy, ...]
    contents: tuple[Content, ...]
    runs: tuple[tuple[Run | None, ...], ...]
    notes: tuple[str, ...] = ()


def matrix(
    studio: Studio,
    policies: Sequence[Policy],
    contents: Sequence[Content],
    settings: Settings | None = None,
    *,
    combined: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    on_run: Callable[[Run], None] | None = None,
    cancel: Cancel | None = None,
) -> Matrix:
    """Judge every content under every policy, in one call each; ``combined`` merges the policies into one call.

    All is greedy; the runs are kept in a session of their own. Raises InputError when there is no policy or content,
    PolicyError when the policies cannot be merged, ModelFileError or EngineError, and StoreError.
    """
    if not policies or not contents:
        missing = "contents" if policies else "policies"
        raise InputError(f"There are no {missing} to judge.", hint="Name at least one policy and one content.")
    notes: tuple[str, ...] = ()
    if combined:
        made = compose.merge(policies, policy_id=_COMBINED_ID, title=" + ".join(policy.title for policy in policies))
        policies, notes = [made.policy], made.notes
    # One policy after the other, so that its head is read once for all contents.
    questions = [Question(policy, content) for policy in policies for content in contents]

    def answered(_question: Question, run: Run) -> None:
        if on_run is not None:
            on_run(run)

    runs = ask(
        studio,
        questions,
        settings or Settings(),
        session=SESSION,
        on_progress=on_progress,
        on_answer=answered,
        cancel=cancel,
    )
    rows = tuple(tuple(runs[row :: len(contents)]) for row in range(len(contents)))
    return Matrix(tuple(policies), tuple(contents), rows, notes)
