"""Golden examples: saving one from a verdict, and scoring a policy against its set."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from studio.core.errors import InputError
from studio.core.golden import GoldenExample, GoldenQuery
from studio.core.labels import Decision
from studio.core.policy import Policy
from studio.core.progress import Cancel, Progress
from studio.core.run import Run
from studio.services.judge import JudgeService
from studio.services.many import judge_many
from studio.services.sessions import SessionService
from studio.store.workspace import Workspace


@dataclass(frozen=True, slots=True)
class GoldenScore:
    """A golden run. A non-verdict is neither right nor wrong: it stands apart."""

    items: tuple[tuple[GoldenExample, Run], ...]

    @property
    def total(self) -> int:
        """How many examples were judged."""
        return len(self.items)

    @property
    def right(self) -> int:
        """Verdicts with the expected decision."""
        return sum(run.verdict is not None and run.verdict.decision is e.expected for e, run in self.items)

    @property
    def no_verdict(self) -> int:
        """Judgements that gave no verdict."""
        return sum(run.verdict is None or not run.verdict.is_verdict for _, run in self.items)

    @property
    def wrong(self) -> int:
        """Verdicts with another decision than the expected one."""
        return self.total - self.right - self.no_verdict


class GoldenService:
    """The golden sets of the workspace."""

    def __init__(self, workspace: Workspace, judge: JudgeService, sessions: SessionService) -> None:
        self._golden = workspace.golden
        self._judge = judge
        self._sessions = sessions

    def add_from_run(
        self,
        run: Run,
        *,
        expected: Decision,
        labels: tuple[str, ...] = (),
        why: str = "",
        decided_by: str = "",
        tags: tuple[str, ...] = (),
    ) -> GoldenExample:
        """Save the content of a run with the decision that is right. The same content again replaces its example.

        Raises InputError for a label that the policy does not define.
        """
        _refuse_unknown(run.policy, labels)
        known = self._golden.find_by_content(run.policy.id, run.content.sha256)
        example = GoldenExample(
            id=known.id if known else uuid4().hex,
            policy_id=run.policy.id,
            content=run.content,
            expected=expected,
            labels=labels,
            why=why,
            decided_by=decided_by,
            tags=tags,
            source=f"run {run.id}",
            created_at=known.created_at if known else datetime.now(UTC),
        )
        if known:
            self._golden.update(example)
            return example
        return self._golden.add(example)

    def find(self, policy_id: str, query: GoldenQuery) -> builtins.list[str]:
        """The ids of the examples that a query wants, oldest first."""
        return self._golden.find(policy_id, query)

    def many(self, ids: Sequence[str]) -> builtins.list[GoldenExample]:
        """Those of the examples that are there, in the order of ``ids``."""
        return self._golden.many(ids)

    def edit(self, policy: Policy, example: GoldenExample) -> GoldenExample:
        """Replace the example of the same id. Raises NotFoundError, and InputError for a label the policy lacks.

        A label that it had before may stay: the policy may have changed since.
        """
        before = self._golden.get(example.id)
        _refuse_unknown(policy, [label for label in example.labels if before is None or label not in before.labels])
        return self._golden.update(example)

    def list(self, policy_id: str, limit: int = 1000, offset: int = 0) -> builtins.list[GoldenExample]:
        """The examples of a policy, oldest first."""
        return self._golden.list(policy_id, limit=limit, offset=offset)

    def count(self, policy_id: str) -> int:
        """How many examples a policy has."""
        return self._golden.count(policy_id)

    def tag(self, ids: Sequence[str], tag: str) -> None:
        """Give many examples a tag. Raises InputError for a tag without letters."""
        if not tag.strip():
            raise InputError("A tag without letters says nothing.", hint="Write a word.")
        self._golden.add_tag(ids, tag.strip())

    def restore(self, example: GoldenExample) -> GoldenExample:
        """Put back an example that was deleted, at the end of the set. Raises InputError when it is there."""
        return self._golden.add(example)

    def delete(self, example_id: str) -> None:
        """Delete one example."""
        self._golden.delete(example_id)

    def score(
        self,
        policy: Policy,
        examples: Sequence[GoldenExample],
        *,
        on_progress: Callable[[Progress], None] | None = None,
        cancel: Cancel | None = None,
    ) -> GoldenScore:
        """Judge every example whose decision is known, and compare. A stop gives the score of what was judged."""
        known = [example for example in examples if example.expected is not None]
        if not known:
            return GoldenScore(())
        session = self._sessions.create(f"Golden run: {policy.title}")
        done = 0

        def one(example: GoldenExample, own: Cancel) -> Run:
            return self._judge.judge(policy, example.content, session_id=session.id, batch=True, cancel=own)

        def tell(_: GoldenExample, __: Run) -> None:
            nonlocal done
            done += 1
            if on_progress is not None:
                on_progress(Progress(done, len(known), policy.title))

        runs = judge_many(known, one, width=self._judge.width(cancel), on_done=tell, cancel=cancel)
        return GoldenScore(tuple((example, run) for example, run in zip(known, runs, strict=True) if run is not None))


def _refuse_unknown(policy: Policy, labels: Sequence[str]) -> None:
    unknown = [label for label in labels if policy.label(label) is None]
    if unknown:
        raise InputError(f"The policy {policy.title!r} has no label {unknown[0]!r}.", hint="Choose one of its labels.")
