"""``classify`` judges one content; ``prompt`` shows what would be sent."""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from studio.cli.common import JsonOption, ModelOption, PolicyOption, WorkspaceOption, find_policy
from studio.cli.exit_codes import of_verdict
from studio.cli.output import err, out, printable, show_json, show_verdict
from studio.core.content import Content, user_message
from studio.core.errors import InputError
from studio.core.policy import Effort
from studio.core.progress import Cancel
from studio.core.prompt import Control, Prompt, build_prompt
from studio.core.run import GREEDY, SAMPLED, Sampling
from studio.services.contents import read_content, read_content_file
from studio.services.judge import Answering, JudgeEvent, Loading, Thinking
from studio.services.records import run_record
from studio.services.studio import Studio
from studio.settings import HIGHEST_SEED

TextArgument = Annotated[
    str | None, typer.Argument(help="The text to judge. Without it, and without --file, standard input is read.")
]
FileOption = Annotated[
    Path | None, typer.Option("--file", "-f", help="A text file, or a .json file with a conversation or a completion.")
]
PromptTextOption = Annotated[
    str | None, typer.Option("--user-prompt", help="Judge a completion: the prompt that the text answers.")
]
ConversationOption = Annotated[
    bool, typer.Option("--json-input", help="Standard input is JSON: a conversation or a completion.")
]
EffortOption = Annotated[Effort | None, typer.Option(help="How long to think; the policy's own if not given.")]
DateOption = Annotated[
    datetime | None,
    typer.Option(
        "--date", formats=["%Y-%m-%d"], help="The date in the prompt; the workspace's pinned date if not given."
    ),
]

ConstrainOption = Annotated[
    bool | None,
    typer.Option(
        "--constrain/--no-constrain",
        help="Hold the answer to the policy's output form; only where the studio writes that form, if not given.",
    ),
]
BudgetOption = Annotated[
    int | None, typer.Option(min=1, help="End the reasoning after so many tokens and ask for the answer.")
]


def classify(
    policy: PolicyOption,
    text: TextArgument = None,
    file: FileOption = None,
    user_prompt: PromptTextOption = None,
    json_input: ConversationOption = False,
    effort: EffortOption = None,
    day: DateOption = None,
    sampled: Annotated[bool, typer.Option("--sampled", help="Sample at temperature 1.0 instead of greedily.")] = False,
    seed: Annotated[int, typer.Option(min=0, max=HIGHEST_SEED, help="The seed of a sampled run.")] = 0,
    strict: Annotated[
        bool | None,
        typer.Option(
            "--strict/--no-strict", help="One request at a time: the same answer bit for bit; as the settings say."
        ),
    ] = None,
    constrain: ConstrainOption = None,
    thinking_budget: BudgetOption = None,
    workspace: WorkspaceOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge one text, file, conversation or completion by a policy.

    Exit code: 0 allowed, 10 violates, 11 needs review, 12 no verdict, 2 usage or bad input, 3 engine.
    """
    content = given_content(text, file, user_prompt, json_input)
    if not user_message(content).strip():
        raise InputError("There is nothing to judge: the content is empty.", hint="Check what was handed over.")
    sampling = Sampling(SAMPLED.temperature, SAMPLED.top_p, seed) if sampled else GREEDY
    with Studio.open(workspace, model=model, strict=strict) as studio:
        chosen = find_policy(studio, policy)
        session = studio.sessions.named("Command line")
        cancel = Cancel()
        watch = None if as_json or not out.is_terminal else _Watch()
        run = studio.judge.judge(
            chosen,
            content,
            session_id=session.id,
            effort=effort,
            sampling=sampling,
            pinned_date=day.date() if day else None,
            constrain=constrain,
            thinking_budget=thinking_budget,
            on_event=watch,
            cancel=cancel,
        )
        if as_json:
            show_json(run_record(run))
        else:
            if watch is not None:
                watch.end()
            show_verdict(run, demo=studio.models.current().is_demo, reasoning=watch is None)
    raise typer.Exit(of_verdict(run.verdict))


def prompt(
    policy: PolicyOption,
    text: TextArgument = None,
    file: FileOption = None,
    user_prompt: PromptTextOption = None,
    json_input: ConversationOption = False,
    effort: EffortOption = None,
    day: DateOption = None,
    workspace: WorkspaceOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the compiled prompt exactly as it is sent; control tokens stand between ⟦ and ⟧."""
    content = given_content(text, file, user_prompt, json_input)
    with Studio.open(workspace, model=model) as studio:
        chosen = find_policy(studio, policy)
        pinned: date = day.date() if day else studio.pinned_date()
        compiled = build_prompt(chosen, content, pinned_date=pinned, effort=effort)
        if not as_json:
            out.print(_marked(compiled))
            return
        tokens = studio.judge.tokens(compiled)
    show_json(
        {
            "text": compiled.text,
            "effort": compiled.effort,
            "pinned_date": compiled.pinned_date.isoformat(),
            "segments": [
                {"control": True, "text": segment.name}
                if isinstance(segment, Control)
                else {
                    "control": False,
                    "text": segment.text,
                    "spans": [{"origin": origin, "text": span} for origin, span in segment.spans],
                }
                for segment in compiled.segments
            ],
            "prefix_segments": compiled.prefix,
            "token_ids": [token.id for token in tokens],
            "tokens": [
                {
                    "id": token.id,
                    "text": token.text.decode("utf-8", "replace"),
                    "control": token.control,
                    "segment": token.segment,
                }
                for token in tokens
            ],
        }
    )


class _Watch:
    """Writes the reasoning and the answer to the terminal while they come."""

    def __init__(self) -> None:
        self._wrote = False
        self._answering = False

    def __call__(self, event: JudgeEvent) -> None:
        if isinstance(event, Loading):
            return
        if isinstance(event, Thinking | Answering):
            if isinstance(event, Answering) and not self._answering:
                self._answering = True
                out.print()
            self._wrote = True
            out.print(Text(printable(event.text), "dim"), end="")

    def end(self) -> None:
        """Leave the line on which the text ended."""
        if self._wrote:
            out.print("\n")


def given_content(text: str | None, file: Path | None, user_prompt: str | None, json_input: bool) -> Content:
    """The content that the arguments name. Raises InputError when they name none, two, or one that cannot be read."""
    given = [name for name, value in (("a text", text), ("--file", file)) if value is not None]
    if len(given) > 1:
        raise InputError("Both a text and --file were given.", hint="Give one of them.")
    if file is not None:
        content = read_content_file(file)
    elif text is not None and text != "-":
        content = Content.message(text)
    elif sys.stdin is None:
        raise InputError("There is no content: standard input is closed.", hint="Give a text, or a file with --file.")
    else:
        if sys.stdin.isatty():
            err.print("Reading the content from the keyboard; end with Ctrl+D.")
        content = read_content(sys.stdin.buffer, "standard input", as_json=json_input)
    if user_prompt is None:
        return content
    if not content.text:
        raise InputError("--user-prompt goes with a text.", hint="Give the response as text, file or standard input.")
    return Content.completion(user_prompt, content.text)


def _marked(compiled: Prompt) -> Text:
    shown = Text()
    for segment in compiled.segments:
        if isinstance(segment, Control):
            shown.append(f"⟦{segment.name.strip('<|>')}⟧", "bold magenta")
            continue
        for origin, span in segment.spans:
            # Our brackets, when somebody else writes them, would look like control tokens.
            theirs = printable(span).replace("⟦", "\\u27e6").replace("⟧", "\\u27e7")
            shown.append(theirs, {"contract": "green", "content": "bold", "policy": ""}.get(origin, "dim"))
    return shown
