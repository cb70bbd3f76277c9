"""How the command line writes: JSON for scripts, and for people a terminal that hostile text cannot steer."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.text import Text

from studio.core.errors import StudioError
from studio.core.labels import Decision
from studio.core.run import Run
from studio.core.verdict import Verdict
from studio.services.models import DEMO_NOTICE
from studio.services.remotes import FORGE_NOTICE

out = Console(highlight=False, markup=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

_PILLS = {
    Decision.ALLOWED: ("● ALLOWED", "bold cyan"),
    Decision.VIOLATES: ("⬣ VIOLATES", "bold red"),
    Decision.NEEDS_REVIEW: ("▲ NEEDS REVIEW", "bold yellow"),
}


def printable(text: str) -> str:
    """The text with every character that could steer a terminal shown as its code; line ends and tabs stay."""
    return "".join(c if c in "\n\t" or not _steers(c) else f"\\u{ord(c):04x}" for c in text)


def show_json(value: Any) -> None:
    """One JSON value on standard output, on one line of ASCII."""
    sys.stdout.write(json.dumps(value, ensure_ascii=True) + "\n")
    sys.stdout.flush()


def show_error(error: StudioError) -> None:
    """An error on standard error: what happened, why and where, what to do."""
    err.print(Text.assemble((error.title + ". ", "bold red"), printable(error.message)))
    if error.hint:
        err.print(Text(printable(error.hint), "dim"))


def show_notes(notes: Iterable[str]) -> None:
    """What was inferred and wants a person's look, on standard error."""
    for note in notes:
        err.print(Text(f"  {printable(note)}", "yellow"))


def pill(verdict: Verdict | None) -> Text:
    """The decision as shape, word and colour."""
    if verdict is None or verdict.decision is None:
        status = "running" if verdict is None else str(verdict.status).replace("_", " ")
        return Text(f"◌ NO VERDICT ({status})", "bold")
    word, style = _PILLS[verdict.decision]
    return Text(word, style)


def show_verdict(run: Run, *, demo: bool, reasoning: bool = True) -> None:
    """A whole verdict for people: the decision first, then by which rule, how sure, and why."""
    verdict = run.verdict
    if verdict is None:
        return
    line = pill(verdict)
    for label_id in verdict.labels:
        label = run.policy.label(label_id)
        line.append(f"  {printable(label_id)}", "bold")
        if label is not None and label.name:
            line.append(f" {printable(label.name)}")
    if verdict.rule_ids:
        line.append(f"  rule {printable(', '.join(verdict.rule_ids))}")
    if verdict.confidence is not None:
        line.append(f"  {verdict.confidence:.0%}")
    out.print(line)
    for text in (verdict.rationale, verdict.status_detail):
        if text:
            out.print(Text(printable(text)))
    if reasoning and verdict.reasoning:
        out.print(Text("\n".join("  " + row for row in printable(verdict.reasoning).splitlines()), "dim"))
    timing = run.timing
    if timing.output_tokens:
        out.print(
            Text(
                f"{timing.prompt_tokens} tokens read ({timing.cached_tokens} remembered), "
                f"{timing.output_tokens} written, {timing.total_s:.2f} s",
                "dim",
            )
        )
    if run.thinking_cut:
        out.print(Text(f"The reasoning was ended after {timing.thinking_tokens} tokens.", "yellow"))
    if demo:
        out.print(Text(DEMO_NOTICE, "dim italic"))
    if run.provenance is not None and run.provenance.content_may_forge:
        out.print(Text(FORGE_NOTICE, "dim italic"))


def _steers(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
