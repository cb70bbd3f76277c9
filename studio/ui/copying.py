"""A run as text and as JSON, for the clipboard."""

from __future__ import annotations

import json

from studio.core.run import Run
from studio.services.records import kept_record
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
    """One JSON object with the verdict, all that it depended on, and the content."""
    return json.dumps(kept_record(run), ensure_ascii=False, indent=2)
