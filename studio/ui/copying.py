"""A run as text and as JSON, for the clipboard."""

from __future__ import annotations

import json
from dataclasses import asdict

from studio.core.run import Run
from studio.ui.words import content_text, decision_word, headline, reason


def run_as_text(run: Run) -> str:
    """A few lines for a mail or a ticket."""
    verdict, why = run.verdict, reason(run)
    lines = [" · ".join(part for part in (decision_word(verdict.decision if verdict else None), headline(run)) if part)]
    if why is not None:
        lines.append(f"{why.why} {why.do}")
    elif verdict is not None and verdict.rationale:
        lines.append(verdict.rationale)
    version = f"version {run.version}" if run.version else "unsaved draft"
    lines.append(f"Policy: {run.policy.title}, {version}")
    if run.provenance is not None:
        lines.append(f"Model: {run.provenance.model_name}")
    lines += ["", content_text(run.content)]
    return "\n".join(lines)


def run_as_json(run: Run) -> str:
    """One JSON object with the verdict and all that it depended on."""
    verdict, kept = run.verdict, run.provenance
    value = {
        "decision": verdict.decision if verdict else None,
        "status": verdict.status if verdict else run.state,
        "labels": list(verdict.labels) if verdict else [],
        "rule_ids": list(verdict.rule_ids) if verdict else [],
        "confidence": verdict.confidence if verdict else None,
        "rationale": verdict.rationale if verdict else "",
        "reasoning": verdict.reasoning if verdict else "",
        "content": asdict(run.content),
        "policy": {"id": run.policy.id, "version": run.version, "sha256": run.policy.sha256},
        "model": {"name": kept.model_name, "sha256": kept.model_sha256} if kept else None,
        "provenance": {**asdict(kept), "pinned_date": kept.pinned_date.isoformat()} if kept else None,
        "timing": asdict(run.timing),
        "run": run.id,
        "started_at": run.started_at.isoformat(),
    }
    return json.dumps(value, ensure_ascii=False, indent=2)
