"""Runs: kept before the engine starts, and completed in one transaction when it ends."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from studio.core.errors import InputError, NotFoundError
from studio.core.labels import Decision
from studio.core.policy import Policy
from studio.core.run import Run, RunState
from studio.core.verdict import Status, no_verdict
from studio.store.convert import policy_from, run_from, write_outcome
from studio.store.database import Database
from studio.store.failure import told
from studio.store.keep import chunks, content_rows, drop_contents, drop_policies, keep_contents, keep_policy
from studio.store.owner import Owners
from studio.store.schema import ContentRow, PolicyDocumentRow, RunRow
from studio.store.search_index import forget_run, index_run, index_verdict
from studio.store.sessions import next_activity, session_row


class Runs:
    """The runs of a workspace. All methods raise StoreError when the file fails."""

    def __init__(self, database: Database, owners: Owners) -> None:
        self._database = database
        self._owners = owners

    def begin(self, run: Run) -> None:
        """Keep a run that is about to start, with its policy and content, as running and as this process's own.

        Raises NotFoundError when its session does not exist and InputError when its id is taken.
        """
        with told(self._database.path):
            owner = self._owners.token()
        with self._database.write() as session:
            home = session_row(session, run.session_id)
            home.updated_at = run.started_at
            home.activity = next_activity(session)
            keep_contents(session, content_rows([run.content]))
            row = _new_row(run, keep_policy(session, run.policy), owner)
            session.add(row)
            try:
                session.flush()
            except IntegrityError as error:
                raise InputError(f"There is a run {run.id!r} in this workspace already.") from error
            index_run(session, row.seq, run.policy.title, home.title, run.content)

    def finish(self, run: Run) -> None:
        """Keep how the run ended: verdict, timing, provenance, raw output, state; what was begun stays as it was.

        A run that was called interrupted meanwhile is put right. Raises NotFoundError when it was never begun or was
        deleted, and InputError when it is done already or still says it is running.
        """
        if run.state is RunState.RUNNING:
            raise InputError(f"The run {run.id!r} has not ended yet.")
        with self._database.write() as session:
            row = session.scalar(select(RunRow).where(RunRow.id == run.id))
            if row is None:
                raise NotFoundError(f"There is no run {run.id!r} in this workspace.")
            if row.state == RunState.DONE:
                raise InputError(f"The run {run.id!r} is done already; its verdict cannot be changed.")
            write_outcome(row, run)
            index_verdict(session, row.seq, run.verdict)

    def drop(self, run_id: str) -> None:
        """Delete a run that came to nothing, and what nothing else needs; one that is done stays as it is."""
        with self._database.write() as session:
            row = session.scalar(select(RunRow).where(RunRow.id == run_id, RunRow.state == RunState.RUNNING))
            if row is None:
                return
            forget_run(session, row.seq)
            session.delete(row)
            session.flush()
            drop_contents(session, [row.content_sha256])
            drop_policies(session, [row.document_sha256])

    def get(self, run_id: str) -> Run | None:
        """One run, None when there is no such."""
        with self._database.read() as session:
            return next(iter(load_runs(session, RunRow.id == run_id).values()), None)

    def list(
        self,
        *,
        session_id: str | None = None,
        policy_id: str | None = None,
        decisions: Collection[Decision | None] = (),
        limit: int = 50,
        offset: int = 0,
    ) -> builtins.list[Run]:
        """The runs, newest first, of one session or policy or with one of some decisions (None: no verdict)."""
        with self._database.read() as session:
            wanted = (
                select(RunRow.seq)
                .where(*_filters(session_id, policy_id, decisions))
                .order_by(RunRow.seq.desc())
                .limit(limit)
                .offset(offset)
            )
            return [*load_runs(session, RunRow.seq.in_(wanted)).values()]

    def count(self, *, session_id: str | None = None, policy_id: str | None = None) -> int:
        """How many runs :meth:`list` would give without a limit."""
        with self._database.read() as session:
            return session.scalar(select(func.count(RunRow.seq)).where(*_filters(session_id, policy_id))) or 0

    def judged(self, policy_sha256: str, digests: Iterable[str]) -> Iterator[Run]:
        """The runs that ended with an answer, of contents by digest under policies that judge the same, oldest first.

        Read in parts, so that memory stays bounded while they are gone through; found by the index over contents.
        """
        for part in chunks(sorted(set(digests))):
            with self._database.read() as session:
                found = load_runs(
                    session,
                    RunRow.content_sha256.in_(part),
                    RunRow.policy_sha256 == policy_sha256,
                    RunRow.state == RunState.DONE,
                    RunRow.model_sha256.is_not(None),
                )
            yield from reversed(found.values())

    def any_judged(self, policy_id: str, policy_sha256: str) -> bool:
        """Whether a run of that policy, under a text that judges the same, ended with an answer."""
        query = select(RunRow.seq).where(
            RunRow.policy_id == policy_id,
            RunRow.policy_sha256 == policy_sha256,
            RunRow.state == RunState.DONE,
            RunRow.model_sha256.is_not(None),
        )
        with self._database.read() as session:
            return session.scalar(query.limit(1)) is not None

    def mark_interrupted(self, now: datetime) -> builtins.list[Run]:
        """Call interrupted what dead processes left running, and return it; living processes are left alone.

        To be called once after opening. ``now`` goes into the record as the moment when this was found.
        """
        running = RunRow.state == RunState.RUNNING
        with self._database.read() as session:
            owners = session.scalars(select(RunRow.owner).where(running).distinct()).all()
        with told(self._database.path):
            dead = [owner for owner in owners if not self._owners.alive(owner)]
            self._owners.sweep()
        if not dead:
            return []
        with self._database.write() as session:
            left = running & RunRow.owner.in_(dead)
            found = load_runs(session, left)
            ended = {seq: _interrupted(run, now) for seq, run in found.items()}
            for row in session.scalars(select(RunRow).where(left)).all():
                write_outcome(row, ended[row.seq])
                index_verdict(session, row.seq, ended[row.seq].verdict)
        return [*ended.values()]


def load_runs(session: Session, *where: ColumnElement[bool]) -> dict[int, Run]:
    """The runs that match, by their ``seq``, newest first."""
    found = session.execute(
        select(RunRow, ContentRow.document)
        .join(ContentRow, ContentRow.sha256 == RunRow.content_sha256)
        .where(*where)
        .order_by(RunRow.seq.desc())
    ).all()
    # Thousands of runs of an evaluation have one policy, which is long: it is read once.
    policies: dict[str, Policy] = {}
    for part in chunks(sorted({row.document_sha256 for row, _ in found})):
        documents = select(PolicyDocumentRow.sha256, PolicyDocumentRow.document).where(
            PolicyDocumentRow.sha256.in_(part)
        )
        policies |= {sha256: policy_from(document) for sha256, document in session.execute(documents)}
    return {row.seq: run_from(row, policies[row.document_sha256], content) for row, content in found}


def _interrupted(run: Run, now: datetime) -> Run:
    detail = (
        "The studio ended while this was being judged, so there is no verdict. "
        f"Found on {now:%Y-%m-%d at %H:%M %Z}; run it again."
    )
    verdict = no_verdict(Status.ENGINE_FAILED, detail)
    return replace(run, state=RunState.INTERRUPTED, verdict=verdict, finished_at=now)


def _filters(
    session_id: str | None, policy_id: str | None, decisions: Collection[Decision | None] = ()
) -> builtins.list[ColumnElement[bool]]:
    filters: builtins.list[ColumnElement[bool]] = []
    if decisions:
        named = RunRow.decision.in_([decision for decision in decisions if decision is not None])
        filters.append(named | RunRow.decision.is_(None) if None in decisions else named)
    if session_id is not None:
        filters.append(RunRow.session_id == session_id)
    if policy_id is not None:
        filters.append(RunRow.policy_id == policy_id)
    return filters


def _new_row(run: Run, document_sha256: str, owner: str) -> RunRow:
    row = RunRow(
        id=run.id,
        session_id=run.session_id,
        policy_id=run.policy.id,
        policy_sha256=run.policy.sha256,
        document_sha256=document_sha256,
        version=run.version,
        content_sha256=run.content.sha256,
        owner=owner,
        started_at=run.started_at,
    )
    write_outcome(row, replace(run, state=RunState.RUNNING, verdict=None, finished_at=None))
    return row
