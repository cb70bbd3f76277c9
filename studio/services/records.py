"""A run as one JSON object, for scripts and for the clipboard."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from studio.core.content import Content
from studio.core.policy import ContentKind
from studio.core.run import Run


def run_record(run: Run) -> dict[str, Any]:
    """The verdict, or the reason why there is none, with all that it depended on; the content is not part of it."""
    verdict = run.verdict
    kept = run.provenance
    return {
        "decision": verdict.decision if verdict else None,
        "status": verdict.status if verdict else run.state,
        "status_detail": verdict.status_detail if verdict else "",
        "labels": list(verdict.labels) if verdict else [],
        "rule_ids": list(verdict.rule_ids) if verdict else [],
        "confidence": verdict.confidence if verdict else None,
        "alternatives": dict(verdict.alternatives) if verdict else {},
        "review_reason": verdict.review_reason if verdict else None,
        "rationale": verdict.rationale if verdict else "",
        "reasoning": verdict.reasoning if verdict else "",
        "thinking_cut": run.thinking_cut,
        "raw_output": run.raw_output,
        "policy": {"id": run.policy.id, "version": run.version, "sha256": run.policy.sha256},
        "model": {"name": kept.model_name, "sha256": kept.model_sha256} if kept else None,
        "provenance": {**asdict(kept), "pinned_date": kept.pinned_date.isoformat(), "strict": kept.strict}
        if kept
        else None,
        "timing": asdict(run.timing),
        "run": run.id,
        "session": run.session_id,
        "started_at": run.started_at.isoformat(),
    }


def kept_record(run: Run) -> dict[str, Any]:
    """A kept run whole: :func:`run_record`, its state, and its content in a shape that ``classify --file`` reads."""
    return {**run_record(run), "state": run.state, "title": run.content.title, "content": _content(run.content)}


def _content(content: Content) -> str | dict[str, Any]:
    if content.kind is ContentKind.MESSAGE:
        return content.text
    if content.kind is ContentKind.COMPLETION:
        return {"prompt": content.prompt, "response": content.response}
    return {"messages": [{"role": turn.speaker, "content": turn.text} for turn in content.turns]}
