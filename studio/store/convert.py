"""Core dataclasses to JSON documents and rows, and back. What is read is equal to what was written."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import date
from typing import Any

from studio.core.content import Content, Turn
from studio.core.golden import GoldenExample
from studio.core.labels import Decision, Label, LabelDecision
from studio.core.policy import ContentKind, Effort, OutputForm, OutputPosition, Policy
from studio.core.run import Provenance, Run, RunState, Sampling, Timing
from studio.core.verdict import ReviewReason, Status, Verdict
from studio.store.schema import GoldenRow, RunRow

Document = dict[str, Any]
_DEMO_MODEL = "Moderation Studio demo model"


def policy_document(policy: Policy) -> Document:
    """The policy, whole, as a JSON document. One without the later fields is as it was before there were any."""
    document = asdict(policy)
    for field in ("targets", "encoding", "front"):
        if not document[field]:
            del document[field]
    return document


def document_sha256(document: Document) -> str:
    """Hex digest over a whole document, so that a new title is a new document although it judges the same."""
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def policy_from(document: Document) -> Policy:
    """The policy of a document."""
    return Policy(
        **{
            **document,
            "labels": tuple(
                Label(**{**label, "decision": LabelDecision(label["decision"])}) for label in document["labels"]
            ),
            "form": OutputForm(document["form"]),
            "position": OutputPosition(document["position"]),
            "effort": Effort(document["effort"]),
            "tags": tuple(document["tags"]),
            "jurisdictions": tuple(document["jurisdictions"]),
            "content_kinds": tuple(ContentKind(kind) for kind in document["content_kinds"]),
            "targets": tuple((key, bound) for key, bound in document.get("targets", ())),
        }
    )


def content_document(content: Content) -> Document:
    """The content as a JSON document."""
    return asdict(content)


def content_from(document: Document) -> Content:
    """The content of a document."""
    return Content(
        **{
            **document,
            "kind": ContentKind(document["kind"]),
            "turns": tuple(Turn(**turn) for turn in document["turns"]),
        }
    )


def provenance_document(provenance: Provenance) -> Document:
    """The provenance as a JSON document."""
    return {**asdict(provenance), "pinned_date": provenance.pinned_date.isoformat()}


def provenance_from(document: Document) -> Provenance:
    """The provenance of a document."""
    return Provenance(
        **{
            # Earlier studios did not keep it; then as now the demo model was told by exactly this name.
            "is_demo": document["model_name"] == _DEMO_MODEL,
            **document,
            "pinned_date": date.fromisoformat(document["pinned_date"]),
            "effort": Effort(document["effort"]),
            "sampling": Sampling(**document["sampling"]),
        }
    )


def write_outcome(row: RunRow, run: Run) -> None:
    """Put into the row what belongs to the run's end: state, verdict, provenance, timing and raw output."""
    row.state = run.state
    row.finished_at = run.finished_at
    row.timing = asdict(run.timing)
    row.raw_output = run.raw_output
    write_provenance(row, run.provenance)
    verdict = run.verdict
    row.status = None if verdict is None else verdict.status
    row.decision = None if verdict is None else verdict.decision
    row.confidence = None if verdict is None else verdict.confidence
    row.review_reason = None if verdict is None else verdict.review_reason
    row.labels = [] if verdict is None else list(verdict.labels)
    row.rule_ids = [] if verdict is None else list(verdict.rule_ids)
    row.alternatives = [] if verdict is None else [[answer, share] for answer, share in verdict.alternatives]
    row.rationale = "" if verdict is None else verdict.rationale
    row.reasoning = "" if verdict is None else verdict.reasoning
    row.raw_final = "" if verdict is None else verdict.raw_final
    row.status_detail = "" if verdict is None else verdict.status_detail


def write_provenance(row: RunRow, provenance: Provenance | None) -> None:
    """Put the provenance into the row, whole and in the columns that are asked for."""
    row.provenance = None if provenance is None else provenance_document(provenance)
    row.model_name = None if provenance is None else provenance.model_name
    row.model_sha256 = None if provenance is None else provenance.model_sha256


def run_from(row: RunRow, policy: Policy, content: Document) -> Run:
    """The run of a row, of its policy, and of its content's document."""
    return Run(
        id=row.id,
        session_id=row.session_id,
        policy=policy,
        version=row.version,
        content=content_from(content),
        state=RunState(row.state),
        started_at=row.started_at,
        provenance=None if row.provenance is None else provenance_from(row.provenance),
        verdict=_verdict_from(row),
        timing=Timing(**row.timing),
        raw_output=row.raw_output,
        finished_at=row.finished_at,
    )


def _verdict_from(row: RunRow) -> Verdict | None:
    if row.status is None:
        return None
    return Verdict(
        status=Status(row.status),
        decision=None if row.decision is None else Decision(row.decision),
        labels=tuple(row.labels),
        rule_ids=tuple(row.rule_ids),
        rationale=row.rationale,
        confidence=row.confidence,
        alternatives=tuple((answer, share) for answer, share in row.alternatives),
        review_reason=None if row.review_reason is None else ReviewReason(row.review_reason),
        reasoning=row.reasoning,
        raw_final=row.raw_final,
        status_detail=row.status_detail,
    )


def golden_values(example: GoldenExample) -> Document:
    """The columns of a golden example's row."""
    return {
        "id": example.id,
        "policy_id": example.policy_id,
        "content_sha256": example.content.sha256,
        "expected": example.expected,
        "labels": list(example.labels),
        "why": example.why,
        "decided_by": example.decided_by,
        "tags": list(example.tags),
        "source": example.source,
        "source_row": example.source_row,
        "original": example.original,
        "source_sha256": example.source_sha256,
        "created_at": example.created_at,
        "held_out": example.held_out,
    }


def golden_from(row: GoldenRow, content: Document) -> GoldenExample:
    """The golden example of a row and of its content's document."""
    return GoldenExample(
        id=row.id,
        policy_id=row.policy_id,
        content=content_from(content),
        expected=None if row.expected is None else Decision(row.expected),
        labels=tuple(row.labels),
        why=row.why,
        decided_by=row.decided_by,
        tags=tuple(row.tags),
        source=row.source,
        source_row=row.source_row,
        original=row.original,
        source_sha256=row.source_sha256,
        created_at=row.created_at,
        held_out=row.held_out,
    )
