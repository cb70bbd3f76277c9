"""``policies history|restore|branch|release|bisect``."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from studio.cli.classify import ConversationOption, FileOption, PromptTextOption, TextArgument, given_content
from studio.cli.common import JsonOption, ModelOption, WorkspaceOption, version_number
from studio.cli.output import out, pill, printable, show_json
from studio.cli.policy_tools import hunk_row, show_hunk
from studio.cli.progress import bar, show
from studio.core.content import Content, user_message
from studio.core.diff import Hunk
from studio.core.errors import InputError
from studio.core.policy import PolicyVersion
from studio.services.bisect import Bisection
from studio.services.bisect import bisect as halve
from studio.services.studio import Studio

PolicyArgument = Annotated[str, typer.Argument(help="The policy's id.")]
VersionArgument = Annotated[str, typer.Argument(help="The number of a version, or the name of a release.")]


def history(policy: PolicyArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """List a policy's versions, the newest first, with message, author, date and release name."""
    with Studio.open(workspace) as studio:
        studio.policies.get(policy)
        versions = studio.policies.versions(policy)
    if as_json:
        show_json([_row(version) for version in versions])
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("version", justify="right")
    for column in ("date", "release", "message", "author"):
        table.add_column(column, overflow="fold")
    for one in versions:
        when = f"{one.created_at.astimezone():%Y-%m-%d %H:%M}"
        cells = [Text(printable(words)) for words in (one.release, one.message, one.author)]
        table.add_row(Text(str(one.number), "bold"), when, *cells)
    out.print(table)


def restore(policy: PolicyArgument, version: VersionArgument, workspace: WorkspaceOption = None) -> None:
    """Save an older version as the newest one; nothing between them is lost."""
    with Studio.open(workspace) as studio:
        _tell(studio.policies.restore(policy, version_number(studio, policy, version)))


def branch(
    policy: PolicyArgument,
    version: VersionArgument,
    title: Annotated[str, typer.Option("--title", help="The title of the variant.")],
    workspace: WorkspaceOption = None,
) -> None:
    """Begin a variant: a new policy from one version, with a copy of the golden set."""
    with Studio.open(workspace) as studio:
        _tell(studio.policies.branch(policy, version_number(studio, policy, version), title))


def release(
    policy: PolicyArgument,
    version: VersionArgument,
    name: Annotated[str, typer.Argument(help='The name; "" takes it away.')],
    workspace: WorkspaceOption = None,
) -> None:
    """Name a version as a release; commands then take POLICY@NAME for it."""
    with Studio.open(workspace) as studio:
        _tell(studio.policies.name_release(policy, version_number(studio, policy, version), name))


def bisect(
    policy: PolicyArgument,
    text: TextArgument = None,
    file: FileOption = None,
    user_prompt: PromptTextOption = None,
    json_input: ConversationOption = False,
    example: Annotated[str | None, typer.Option("--example", help="Instead of a text: a golden example's id.")] = None,
    first: Annotated[str, typer.Option("--from", help="The older version, by number or release name.")] = "1",
    last: Annotated[str | None, typer.Option("--to", help="The newer version; the newest if not given.")] = None,
    workspace: WorkspaceOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the version, and the change in it, that made the model decide otherwise about a content."""
    if example is not None and any(one is not None for one in (text, file, user_prompt)):
        raise InputError("Both --example and a content were given.", hint="Give one of them.")
    with Studio.open(workspace, model=model) as studio:
        content = _golden(studio, policy, example) if example else given_content(text, file, user_prompt, json_input)
        if not user_message(content).strip():
            raise InputError("There is nothing to judge: the content is empty.", hint="Check what was handed over.")
        begin = version_number(studio, policy, first)
        end = version_number(studio, policy, last) if last else studio.policies.get(policy).number
        with bar() as progress:
            found = halve(studio, policy, content, begin, end, on_progress=show(progress))
        assert found is not None, "nothing stops it here"
    if as_json:
        show_json(_record(found))
    else:
        _show(found)


def _golden(studio: Studio, policy: str, example: str) -> Content:
    found = next((one for one in studio.golden.list(policy, limit=1_000_000) if one.id == example), None)
    if found is None:
        raise InputError(f"The policy {policy!r} has no golden example {example!r}.", hint="See `golden list`.")
    return found.content


def _row(version: PolicyVersion) -> dict[str, Any]:
    return {
        "version": version.number,
        "release": version.release,
        "message": version.message,
        "author": version.author,
        "created_at": version.created_at.isoformat(),
        "sha256": version.policy.sha256,
    }


def _tell(version: PolicyVersion) -> None:
    name = f", release {printable(version.release)}" if version.release else ""
    title = printable(version.policy.title)
    out.print(Text.assemble((version.policy.id, "bold"), f" version {version.number}{name}: {title}"))


def _record(found: Bisection) -> dict[str, Any]:
    return {
        "before": _row(found.before),
        "after": _row(found.after),
        "unclear": list(found.unclear),
        "tried": [
            {"version": number, "run": run.id, "decision": run.verdict.decision if run.verdict else None}
            for number, run in found.tried
        ],
        "culprits": [_change(hunk) for hunk in found.culprits],
        "changes": [{**_change(one.hunk), "flips_alone": one.flips, "run": one.run.id} for one in found.suspects],
    }


def _change(hunk: Hunk | None) -> dict[str, object]:
    return {"change": "labels_or_answer"} if hunk is None else hunk_row(hunk)


def _show(found: Bisection) -> None:
    for number, run in found.tried:
        out.print(Text.assemble(f"version {number}  ", pill(run.verdict)))
    out.print(
        Text(f"Version {found.after.number} flipped it: {printable(found.after.message) or 'no message'}", "bold")
    )
    if found.unclear:
        numbers = ", ".join(map(str, found.unclear))
        out.print(f"Between {found.before.number} and {found.after.number} these give no verdict: {numbers}")
    out.print("By this change:" if len(found.culprits) == 1 else "By these changes together or each alone:")
    for hunk in found.culprits:
        if hunk is None:
            out.print("  labels, form of answer, effort or threshold")
        else:
            show_hunk(hunk)
