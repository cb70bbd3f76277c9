"""``explain``: which rule decides."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from studio.cli.classify import (
    ConversationOption,
    DateOption,
    EffortOption,
    FileOption,
    PromptTextOption,
    TextArgument,
    given_content,
)
from studio.cli.common import JsonOption, ModelOption, WorkspaceOption, find_policy
from studio.cli.output import out, pill, printable, show_json, show_verdict
from studio.cli.progress import bar, show
from studio.core.content import Content, user_message
from studio.core.errors import InputError
from studio.core.policy import Policy
from studio.core.run import Run
from studio.core.verdict import Verdict
from studio.services.evaluation import Settings
from studio.services.explain import Effect, Explanation, Part, Removal, Unit, same_as
from studio.services.explain import explain as taken_apart
from studio.services.studio import Studio

_EFFECTS = {
    Effect.FLIPS: Text("flips", "bold"),
    Effect.OTHER_LABEL: Text("other label"),
    Effect.NO_VERDICT: Text("no verdict"),
    Effect.HOLDS: Text("holds", "dim"),
}
_NAME_WIDTH = 48


def explain(
    policy: Annotated[
        str | None, typer.Option("--policy", "-p", help="As in classify; that of the run with --run.")
    ] = None,
    text: TextArgument = None,
    file: FileOption = None,
    user_prompt: PromptTextOption = None,
    json_input: ConversationOption = False,
    run: Annotated[str | None, typer.Option("--run", help="Explain this kept run instead: its id.")] = None,
    content_words: Annotated[
        bool, typer.Option("--content-words", help="Take away the words of the content, not parts of the policy.")
    ] = False,
    content_sentences: Annotated[
        bool, typer.Option("--content-sentences", help="Take away the sentences of the content.")
    ] = False,
    effort: EffortOption = None,
    day: DateOption = None,
    workspace: WorkspaceOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show which rule decides: take away each rule, example or paragraph of the policy in turn, and judge again.

    Every judgement is greedy and is kept as a run of the session "Which rule decides".
    """
    if content_words and content_sentences:
        raise InputError("Both --content-words and --content-sentences were given.", hint="Give one of them.")
    unit = Unit.WORDS if content_words else Unit.SENTENCES if content_sentences else None
    given = (text, file, user_prompt, policy, effort, day)
    if run is not None and (json_input or any(one is not None for one in given)):
        raise InputError("--run names policy, content and effort itself.", hint="Leave the others out.")
    with Studio.open(workspace, model=model) as studio:
        if run is not None:
            kept = studio.sessions.run(run)
            wanted, content, settings = kept.policy, kept.content, same_as(kept)
        else:
            wanted, content = _asked(studio, policy), given_content(text, file, user_prompt, json_input)
            settings = Settings(effort=effort, pinned_date=day.date() if day else None)
        _check(content)
        with bar() as progress:
            found = taken_apart(studio, wanted, content, settings, unit=unit, on_progress=show(progress))
        assert found is not None, "nothing stops it here"
        if as_json:
            show_json(record(found))
        else:
            show_verdict(found.run, demo=studio.models.current().is_demo, reasoning=False)
            _show(found)


def record(found: Explanation) -> dict[str, Any]:
    """An explanation as one JSON object: the verdict with everything in place, and the removals, strongest first."""
    return {
        **_answer(found.run),
        "policy": {"id": found.run.policy.id, "version": found.run.version, "sha256": found.run.policy.sha256},
        "share": found.share,
        "parts": found.total,
        "removals": [_removal(removal) for removal in found.removals],
    }


def _asked(studio: Studio, policy: str | None) -> Policy:
    if policy is None:
        raise InputError("No policy was named.", hint="Name it with --policy, or a kept run with --run.")
    return find_policy(studio, policy)


def _check(content: Content) -> None:
    if not user_message(content).strip():
        raise InputError("There is nothing to judge: the content is empty.", hint="Check what was handed over.")


def _answer(run: Run) -> dict[str, Any]:
    verdict: Verdict | None = run.verdict
    return {
        "run": run.id,
        "decision": verdict.decision if verdict else None,
        "status": verdict.status if verdict else run.state,
        "labels": list(verdict.labels) if verdict else [],
        "confidence": verdict.confidence if verdict else None,
    }


def _removal(removal: Removal) -> dict[str, Any]:
    part = removal.part
    place: dict[str, Any] = {"start": part.start, "end": part.end, "text": part.text}
    if isinstance(part, Part):
        place |= {"kind": part.kind, "name": part.name, "line": part.line}
    else:
        place |= {"kind": "content", "turn": part.turn}
    return {
        "part": place,
        "effect": removal.effect,
        "share": removal.share,
        "change": removal.change,
        **_answer(removal.run),
    }


def _points(change: float) -> str:
    """A change of probability in percentage points; one too small to be shown has no sign."""
    points = round(change * 100, 1)
    return f"{points:+.1f}" if points else "0.0"


def _show(found: Explanation) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("without", overflow="ellipsis", max_width=_NAME_WIDTH)
    table.add_column("place", justify="right")
    for column in ("effect", "verdict"):
        table.add_column(column)
    table.add_column("its probability", justify="right")
    table.add_column("change", justify="right")
    for removal in found.removals:
        part = removal.part
        words, line = (part.name, f"line {part.line}") if isinstance(part, Part) else (part.text, f"at {part.start}")
        labels = ", ".join(removal.run.verdict.labels) if removal.run.verdict else ""
        table.add_row(
            Text(printable(words)),
            line,
            _EFFECTS[removal.effect],
            Text.assemble(pill(removal.run.verdict), f" {printable(labels)}"),
            "" if removal.share is None else f"{removal.share:.1%}",
            "" if removal.change is None else _points(removal.change),
        )
    out.print(table)
    if not found.deciding:
        out.print("No part alone decides: without any one of them the decision stays the same.")
