"""Golden examples: content with the decision that people agreed on, per policy."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from studio.core.errors import InputError, NotFoundError
from studio.core.golden import GoldenExample
from studio.store.convert import golden_from, golden_values
from studio.store.database import Database
from studio.store.keep import chunks, content_rows, drop_contents, keep_contents
from studio.store.schema import ContentRow, GoldenRow


class Golden:
    """The golden examples of a workspace. All methods raise StoreError when the file fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, example: GoldenExample) -> GoldenExample:
        """Keep an example, and return it as it is kept. Raises InputError when its id is taken."""
        return self.add_many([example])[0]

    def add_many(self, examples: Iterable[GoldenExample]) -> builtins.list[GoldenExample]:
        """Keep all examples or, on any error, none. Raises InputError when an id is taken.

        The same content may be added twice: ask :meth:`find_by_content` or :meth:`known` before.
        """
        wanted = [*examples]
        if not wanted:
            return []
        # Digests of a large set take a while; nobody should wait for the file meanwhile.
        contents = content_rows(example.content for example in wanted)
        rows = [golden_values(example) for example in wanted]
        with self._database.write() as session:
            keep_contents(session, contents)
            try:
                session.execute(insert(GoldenRow), rows)
            except IntegrityError as error:
                raise InputError("A golden example with the same id is in this workspace already.") from error
        with self._database.read() as session:
            return _by_ids(session, [example.id for example in wanted])

    def add_new(self, examples: Sequence[GoldenExample]) -> builtins.list[str]:
        """Keep those examples whose id is not there yet, all or on any error none; the ids that were added.

        For imports in parts: nothing is read back, and an import that was broken off can be run again.
        """
        contents = content_rows(example.content for example in examples)
        rows = {example.id: golden_values(example) for example in examples}
        with self._database.write() as session:
            for part in chunks([*rows]):
                for taken in session.scalars(select(GoldenRow.id).where(GoldenRow.id.in_(part))):
                    del rows[taken]
            if rows:
                needed = {row["content_sha256"] for row in rows.values()}
                keep_contents(session, [content for content in contents if content["sha256"] in needed])
                session.execute(insert(GoldenRow), [*rows.values()])
        return [*rows]

    def update(self, example: GoldenExample) -> GoldenExample:
        """Replace the example of the same id, content included. Raises NotFoundError."""
        with self._database.write() as session:
            row = session.scalar(select(GoldenRow).where(GoldenRow.id == example.id))
            if row is None:
                raise _unknown(example.id)
            before = row.content_sha256
            keep_contents(session, content_rows([example.content]))
            for column, value in golden_values(example).items():
                setattr(row, column, value)
            session.flush()
            drop_contents(session, [before])
            session.expire(row)
            return _by_ids(session, [example.id])[0]

    def get(self, example_id: str) -> GoldenExample | None:
        """One example, None when there is no such."""
        with self._database.read() as session:
            return next(iter(_by_ids(session, [example_id])), None)

    def list(self, policy_id: str, *, limit: int | None = None, offset: int = 0) -> builtins.list[GoldenExample]:
        """The examples of a policy, in the order they were added; all of them without a limit."""
        with self._database.read() as session:
            page = (
                select(GoldenRow.seq)
                .where(GoldenRow.policy_id == policy_id)
                .order_by(GoldenRow.seq)
                .limit(-1 if limit is None else limit)
                .offset(offset)
            )
            # The page is cut on the index alone; contents are read only for what is on it.
            found = session.execute(
                select(GoldenRow, ContentRow.document)
                .join(ContentRow, ContentRow.sha256 == GoldenRow.content_sha256)
                .where(GoldenRow.seq.in_(page))
                .order_by(GoldenRow.seq)
            )
            return [golden_from(row, content) for row, content in found]

    def each(self, policy_id: str, *, page: int = 1000) -> Iterator[GoldenExample]:
        """All examples of a policy in the order they were added, read ``page`` at a time: bounded memory."""
        after = 0
        while True:
            with self._database.read() as session:
                found = session.execute(
                    select(GoldenRow, ContentRow.document)
                    .join(ContentRow, ContentRow.sha256 == GoldenRow.content_sha256)
                    .where(GoldenRow.policy_id == policy_id, GoldenRow.seq > after)
                    .order_by(GoldenRow.seq)
                    .limit(page)
                ).all()
                examples = [golden_from(row, content) for row, content in found]
                after = found[-1][0].seq if found else after
            yield from examples
            if len(examples) < page:
                return

    def count(self, policy_id: str | None = None) -> int:
        """How many examples there are, of one policy where given."""
        query = select(func.count(GoldenRow.seq))
        if policy_id is not None:
            query = query.where(GoldenRow.policy_id == policy_id)
        with self._database.read() as session:
            return session.scalar(query) or 0

    def find_by_content(self, policy_id: str, sha256: str) -> GoldenExample | None:
        """The policy's oldest example with that content (:attr:`Content.sha256`), None when there is none."""
        with self._database.read() as session:
            found = session.execute(
                select(GoldenRow, ContentRow.document)
                .join(ContentRow, ContentRow.sha256 == GoldenRow.content_sha256)
                .where(GoldenRow.policy_id == policy_id, GoldenRow.content_sha256 == sha256)
                .order_by(GoldenRow.seq)
                .limit(1)
            ).one_or_none()
            return None if found is None else golden_from(*found)

    def known(self, policy_id: str, digests: Iterable[str]) -> frozenset[str]:
        """Those of the content digests that the policy has an example of; for imports of many rows."""
        with self._database.read() as session:
            return frozenset(
                digest
                for part in chunks(sorted(set(digests)))
                for digest in session.scalars(
                    select(GoldenRow.content_sha256)
                    .where(GoldenRow.policy_id == policy_id, GoldenRow.content_sha256.in_(part))
                    .distinct()
                )
            )

    def delete(self, example_id: str) -> None:
        """Delete an example, and its content when nothing else needs it. Raises NotFoundError."""
        with self._database.write() as session:
            row = GoldenRow.id == example_id
            content = session.scalar(select(GoldenRow.content_sha256).where(row))
            if content is None:
                raise _unknown(example_id)
            session.execute(delete(GoldenRow).where(row))
            drop_contents(session, [content])

    def delete_many(self, ids: Sequence[str]) -> None:
        """Delete those of the examples that are there, with the contents that nothing else needs."""
        for part in chunks(ids):
            with self._database.write() as session:
                rows = GoldenRow.id.in_(part)
                contents = session.scalars(select(GoldenRow.content_sha256).where(rows)).all()
                session.execute(delete(GoldenRow).where(rows).execution_options(synchronize_session=False))
                drop_contents(session, contents)


def _by_ids(session: Session, ids: Sequence[str]) -> list[GoldenExample]:
    """The examples that are there, in the order of ``ids``."""
    found: dict[str, GoldenExample] = {}
    for part in chunks(ids):
        rows = session.execute(
            select(GoldenRow, ContentRow.document)
            .join(ContentRow, ContentRow.sha256 == GoldenRow.content_sha256)
            .where(GoldenRow.id.in_(part))
        )
        found.update((row.id, golden_from(row, content)) for row, content in rows)
    return [found[example_id] for example_id in ids if example_id in found]


def _unknown(example_id: str) -> NotFoundError:
    return NotFoundError(f"There is no golden example {example_id!r} in this workspace.")
