"""Golden examples: content with the decision that people agreed on, per policy."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Text, delete, func, insert, select, type_coerce, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from studio.core.errors import InputError, NotFoundError
from studio.core.golden import GoldenCount, GoldenExample, GoldenQuery
from studio.core.labels import Decision
from studio.store.convert import golden_from, golden_values
from studio.store.database import Database
from studio.store.golden_filter import conditions
from studio.store.keep import chunks, content_rows, drop_contents, keep_contents
from studio.store.schema import ContentRow, GoldenRow

_AT_ONCE = 1_000
"""Rows that are fetched in one go: no other thread runs meanwhile."""


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
                .execution_options(yield_per=_AT_ONCE)
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

    def many(self, ids: Sequence[str]) -> builtins.list[GoldenExample]:
        """Those of the examples that are there, in the order of ``ids``."""
        with self._database.read() as session:
            return _by_ids(session, ids)

    def find(self, policy_id: str, query: GoldenQuery) -> builtins.list[str]:
        """The ids of the examples that a query wants, in the order they were added.

        Ids alone, so that a list of a hundred thousand knows its length at once and reads only what is looked at.
        """
        wanted = select(GoldenRow.id).where(*conditions(policy_id, query)).order_by(GoldenRow.seq)
        if query.words.strip():
            wanted = wanted.join(ContentRow, ContentRow.sha256 == GoldenRow.content_sha256)
        with self._database.read() as session:
            return [*session.scalars(wanted.execution_options(yield_per=_AT_ONCE))]

    def digests(self, policy_id: str) -> builtins.list[tuple[str, str, Decision | None, tuple[str, ...]]]:
        """Id, digest of the content, expected decision and labels of each example, in the order they were added."""
        columns = select(GoldenRow.id, GoldenRow.content_sha256, GoldenRow.expected, GoldenRow.labels)
        with self._database.read() as session:
            own = columns.where(GoldenRow.policy_id == policy_id).order_by(GoldenRow.seq)
            found = session.execute(own.execution_options(yield_per=_AT_ONCE))
            return [
                (key, digest, None if word is None else Decision(word), tuple(labels))
                for key, digest, word, labels in found
            ]

    def tally(self, policy_id: str) -> builtins.list[GoldenCount]:
        """How many examples expect what, in each part of the set; the most frequent first."""
        kinds = (GoldenRow.expected, GoldenRow.labels, GoldenRow.held_out)
        query = select(*kinds, func.count(GoldenRow.seq)).where(GoldenRow.policy_id == policy_id).group_by(*kinds)
        with self._database.read() as session:
            return [
                GoldenCount(None if expected is None else Decision(expected), tuple(labels), held_out, count)
                for expected, labels, held_out, count in session.execute(
                    query.order_by(func.count(GoldenRow.seq).desc(), *kinds)
                )
            ]

    def tags(self, policy_id: str, limit: int) -> builtins.list[tuple[str, int]]:
        """The most frequent tags of a policy's examples with their number."""
        items = func.json_each(type_coerce(GoldenRow.tags, Text)).table_valued("value")
        number = func.count(GoldenRow.seq)
        query = (
            select(items.c.value, number)
            .select_from(GoldenRow)
            .join(items, GoldenRow.policy_id == policy_id)
            .group_by(items.c.value)
            .order_by(number.desc(), items.c.value)
            .limit(limit)
        )
        with self._database.read() as session:
            return [(str(tag), count) for tag, count in session.execute(query)]

    def add_tag(self, ids: Sequence[str], tag: str) -> None:
        """Give those of the examples that are there a tag, all or on any error none."""
        with self._database.write() as session:
            for part in chunks(ids):
                for row in session.scalars(select(GoldenRow).where(GoldenRow.id.in_(part))):
                    if tag not in row.tags:
                        row.tags = [*row.tags, tag]
                session.flush()
                session.expunge_all()

    def hold_out(self, policy_id: str, ids: Sequence[str]) -> None:
        """Hold out exactly these of the policy's examples."""
        with self._database.write() as session:
            own = GoldenRow.policy_id == policy_id
            quiet = {"synchronize_session": False}
            session.execute(update(GoldenRow).where(own).values(held_out=False).execution_options(**quiet))
            for part in chunks(ids):
                chosen = own & GoldenRow.id.in_(part)
                session.execute(update(GoldenRow).where(chosen).values(held_out=True).execution_options(**quiet))

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
