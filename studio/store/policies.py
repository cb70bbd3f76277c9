"""Policies: immutable numbered versions, drafts as last typed, and every text that was ever judged by."""

from __future__ import annotations

import builtins
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Select, delete, exists, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from studio.core.errors import InputError, NotFoundError
from studio.core.policy import Policy, PolicySummary, PolicyVersion
from studio.store.convert import document_sha256, policy_document, policy_from
from studio.store.database import Database
from studio.store.keep import drop_policies, keep_policy
from studio.store.schema import GoldenRow, PolicyDocumentRow, PolicyDraftRow, PolicyRow, PolicyVersionRow, RunRow


class Policies:
    """The policies of a workspace. All methods raise StoreError when the file fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save_version(
        self, policy: Policy, *, message: str, author: str, now: datetime, builtin: bool = False
    ) -> PolicyVersion:
        """Keep the policy as its next version, numbered from 1; unchanged since the latest, that one is returned.

        A draft that says the same is done with and goes. ``builtin`` marks a new policy as one that came with the
        studio. An archived policy comes back.
        """
        with self._database.write() as session:
            return _save(session, policy, message, author, now, builtin)

    def latest(self, policy_id: str) -> PolicyVersion | None:
        """The newest version, None when none was saved."""
        with self._database.read() as session:
            row = session.get(PolicyRow, policy_id)
            return None if row is None else _version(session, policy_id, row.latest_number)

    def version(self, policy_id: str, number: int) -> PolicyVersion | None:
        """One version, None when there is no such."""
        with self._database.read() as session:
            found = session.execute(_versions(policy_id).where(PolicyVersionRow.number == number)).one_or_none()
            return None if found is None else _version_from(*found)

    def versions(self, policy_id: str) -> builtins.list[PolicyVersion]:
        """All versions, newest first; empty when none was saved."""
        with self._database.read() as session:
            found = session.execute(_versions(policy_id).order_by(PolicyVersionRow.number.desc()))
            return [_version_from(row, document) for row, document in found]

    def name_release(self, policy_id: str, number: int, name: str) -> PolicyVersion:
        """Name a version as a release; an empty name takes it away.

        Raises NotFoundError for a version that is not there, InputError when another version has that name.
        """
        with self._database.write() as session:
            row = session.get(PolicyVersionRow, (policy_id, number))
            if row is None:
                raise NotFoundError(f"The policy {policy_id!r} has no version {number}.", hint="See its versions.")
            taken = session.scalar(
                select(PolicyVersionRow.number).where(
                    PolicyVersionRow.policy_id == policy_id,
                    PolicyVersionRow.release == name,
                    PolicyVersionRow.number != number,
                )
            )
            if name and taken is not None:
                raise InputError(f"Version {taken} is the release {name!r} already.", hint="Choose another name.")
            row.release = name
            session.flush()
            return _version(session, policy_id, number)

    def version_number(self, policy: Policy) -> int | None:
        """The number of the newest saved version that judges as this policy does, None for a draft."""
        with self._database.read() as session:
            return session.scalar(
                select(PolicyVersionRow.number)
                .join(PolicyDocumentRow, PolicyDocumentRow.sha256 == PolicyVersionRow.document_sha256)
                .where(PolicyVersionRow.policy_id == policy.id, PolicyDocumentRow.judged_sha256 == policy.sha256)
                .order_by(PolicyVersionRow.number.desc())
                .limit(1)
            )

    def snapshot(self, sha256: str) -> Policy | None:
        """A policy that was judged by, by its :attr:`Policy.sha256`, saved or not; None when none was kept."""
        with self._database.read() as session:
            row = session.scalar(
                select(PolicyDocumentRow).where(PolicyDocumentRow.judged_sha256 == sha256).order_by("sha256").limit(1)
            )
            return None if row is None else policy_from(row.document)

    def list(self, *, archived: bool = False) -> builtins.list[PolicySummary]:
        """The policies by title, those with only a draft too; the archived ones instead when ``archived``."""
        with self._database.read() as session:
            drafts = {row.policy_id: row for row in session.scalars(select(PolicyDraftRow))}
            saved = {row.id: row for row in session.scalars(select(PolicyRow))}
            found = [_summary(row, drafts.get(row.id)) for row in saved.values() if row.archived == archived]
            if not archived:
                found += [_draft_summary(row) for row in drafts.values() if row.policy_id not in saved]
        return sorted(found, key=lambda summary: (summary.title.casefold(), summary.id))

    def rename(self, policy_id: str, title: str, *, author: str, now: datetime) -> None:
        """Give the policy a new title: a new version with the same text, and the draft likewise.

        Raises NotFoundError when there is neither a version nor a draft.
        """
        with self._database.write() as session:
            draft = session.get(PolicyDraftRow, policy_id)
            row = session.get(PolicyRow, policy_id)
            if row is None and draft is None:
                raise _unknown(policy_id)
            if draft is not None:
                renamed = replace(policy_from(draft.document), title=title)
                draft.document, draft.updated_at = policy_document(renamed), now
            if row is not None:
                policy = _version(session, policy_id, row.latest_number).policy
                message = f"Renamed from “{policy.title}”"
                _save(session, replace(policy, title=title), message, author, now, row.builtin)

    def archive(self, policy_id: str, archived: bool = True) -> None:
        """Take the policy out of the list, or put it back. Nothing is lost. Raises NotFoundError."""
        with self._database.write() as session:
            row = session.get(PolicyRow, policy_id)
            if row is None:
                raise _unknown(policy_id)
            row.archived = archived

    def delete(self, policy_id: str) -> bool:
        """Delete the policy with its versions and draft, True; archive it, False, when runs or golden examples need it.

        Raises NotFoundError when there is neither a version nor a draft.
        """
        with self._database.write() as session:
            row = session.get(PolicyRow, policy_id)
            draft = session.get(PolicyDraftRow, policy_id)
            if row is None and draft is None:
                raise _unknown(policy_id)
            if row is not None and _needed(session, policy_id):
                row.archived = True
                return False
            if draft is not None:
                session.delete(draft)
            if row is None:
                return True
            versions = PolicyVersionRow.policy_id == policy_id
            digests = session.scalars(select(PolicyVersionRow.document_sha256).where(versions)).all()
            session.execute(delete(PolicyVersionRow).where(versions))
            session.delete(row)
            session.flush()
            drop_policies(session, digests)
            return True

    def save_draft(self, policy: Policy, now: datetime) -> None:
        """Keep the policy as it was last typed, in place of the draft before."""
        with self._database.write() as session:
            values = {"document": policy_document(policy), "updated_at": now}
            session.execute(
                insert(PolicyDraftRow)
                .values(policy_id=policy.id, **values)
                .on_conflict_do_update(index_elements=["policy_id"], set_=values)
            )

    def draft(self, policy_id: str) -> Policy | None:
        """The policy as it was last typed, None when nothing waits to be saved."""
        with self._database.read() as session:
            row = session.get(PolicyDraftRow, policy_id)
            return None if row is None else policy_from(row.document)

    def discard_draft(self, policy_id: str) -> None:
        """Forget what was typed; without a draft nothing happens."""
        with self._database.write() as session:
            session.execute(delete(PolicyDraftRow).where(PolicyDraftRow.policy_id == policy_id))


def _save(session: Session, policy: Policy, message: str, author: str, now: datetime, builtin: bool) -> PolicyVersion:
    sha256 = keep_policy(session, policy)
    _drop_same_draft(session, policy.id, sha256)
    row = session.get(PolicyRow, policy.id)
    if row is None:
        row = PolicyRow(id=policy.id, latest_number=0, builtin=builtin)
    else:
        latest = session.get(PolicyVersionRow, (policy.id, row.latest_number))
        if latest is not None and latest.document_sha256 == sha256:
            row.archived = False
            return _version(session, policy.id, latest.number)
    row.latest_number += 1
    row.title, row.summary, row.tags = policy.title, policy.summary, [*policy.tags]
    row.jurisdictions = [*policy.jurisdictions]
    row.archived, row.updated_at = False, now
    session.add(row)
    # The version refers to the policy's row, which must be there first.
    session.flush()
    version = PolicyVersionRow(
        policy_id=policy.id,
        number=row.latest_number,
        document_sha256=sha256,
        message=message,
        author=author,
        created_at=now,
    )
    session.add(version)
    session.flush()
    session.expire(version)
    return _version(session, policy.id, row.latest_number)


def _drop_same_draft(session: Session, policy_id: str, sha256: str) -> None:
    draft = session.get(PolicyDraftRow, policy_id)
    if draft is not None and document_sha256(draft.document) == sha256:
        session.delete(draft)


def _versions(policy_id: str) -> Select[tuple[PolicyVersionRow, PolicyDocumentRow]]:
    return (
        select(PolicyVersionRow, PolicyDocumentRow)
        .join(PolicyDocumentRow, PolicyDocumentRow.sha256 == PolicyVersionRow.document_sha256)
        .where(PolicyVersionRow.policy_id == policy_id)
    )


def _version(session: Session, policy_id: str, number: int) -> PolicyVersion:
    return _version_from(*session.execute(_versions(policy_id).where(PolicyVersionRow.number == number)).one())


def _version_from(row: PolicyVersionRow, document: PolicyDocumentRow) -> PolicyVersion:
    policy = policy_from(document.document)
    return PolicyVersion(policy, row.number, row.message, row.author, row.created_at, row.release)


def _unknown(policy_id: str) -> NotFoundError:
    return NotFoundError(f"There is no policy {policy_id!r} in this workspace.")


def _needed(session: Session, policy_id: str) -> bool:
    runs = exists().where(RunRow.policy_id == policy_id)
    golden = exists().where(GoldenRow.policy_id == policy_id)
    return bool(session.scalar(select(runs | golden)))


def _summary(row: PolicyRow, draft: PolicyDraftRow | None) -> PolicySummary:
    return PolicySummary(
        id=row.id,
        title=row.title,
        summary=row.summary,
        tags=tuple(row.tags),
        latest=row.latest_number,
        updated_at=row.updated_at if draft is None else draft.updated_at,
        has_draft=draft is not None,
        archived=row.archived,
        builtin=row.builtin,
        jurisdictions=tuple(row.jurisdictions),
    )


def _draft_summary(row: PolicyDraftRow) -> PolicySummary:
    policy = policy_from(row.document)
    return PolicySummary(
        row.policy_id,
        policy.title,
        policy.summary,
        policy.tags,
        latest=0,
        updated_at=row.updated_at,
        has_draft=True,
        jurisdictions=policy.jurisdictions,
    )
