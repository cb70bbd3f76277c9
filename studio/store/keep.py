"""Keeps policy documents and contents once, by their digest, and drops them when nothing refers to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from sqlalchemy import delete, exists
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from studio.core.content import Content
from studio.core.policy import Policy
from studio.store.convert import Document, content_document, document_sha256, policy_document
from studio.store.schema import ContentRow, GoldenRow, PolicyDocumentRow, PolicyVersionRow, RunRow

_CHUNK = 500
_Value = TypeVar("_Value")


def keep_policy(session: Session, policy: Policy) -> str:
    """Keep the policy, whole, and return its document's digest."""
    document = policy_document(policy)
    sha256 = document_sha256(document)
    session.execute(
        insert(PolicyDocumentRow).on_conflict_do_nothing(),
        [{"sha256": sha256, "judged_sha256": policy.sha256, "document": document}],
    )
    return sha256


def content_rows(contents: Iterable[Content]) -> list[Document]:
    """The columns of the contents, each content once. Made before the transaction, as digests take their time."""
    digested = {item.sha256: item for item in contents}
    return [
        {"sha256": sha256, "kind": item.kind, "document": content_document(item)} for sha256, item in digested.items()
    ]


def keep_contents(session: Session, rows: list[Document]) -> None:
    """Keep those contents, of which there is at least one, that are not there yet."""
    session.execute(insert(ContentRow).on_conflict_do_nothing(), rows)


def drop_policies(session: Session, digests: Iterable[str]) -> None:
    """Drop those documents of the given digests that no run and no version refers to any more."""
    for part in chunks(sorted(set(digests))):
        session.execute(
            delete(PolicyDocumentRow)
            .where(PolicyDocumentRow.sha256.in_(part))
            .where(~exists().where(RunRow.document_sha256 == PolicyDocumentRow.sha256))
            .where(~exists().where(PolicyVersionRow.document_sha256 == PolicyDocumentRow.sha256))
            .execution_options(synchronize_session=False)
        )


def drop_contents(session: Session, digests: Iterable[str]) -> None:
    """Drop those contents of the given digests that no run and no golden example refers to any more."""
    for part in chunks(sorted(set(digests))):
        session.execute(
            delete(ContentRow)
            .where(ContentRow.sha256.in_(part))
            .where(~exists().where(RunRow.content_sha256 == ContentRow.sha256))
            .where(~exists().where(GoldenRow.content_sha256 == ContentRow.sha256))
            .execution_options(synchronize_session=False)
        )


def chunks(values: Sequence[_Value]) -> Iterator[Sequence[_Value]]:
    """The values in parts that fit the number of parameters SQLite takes."""
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
