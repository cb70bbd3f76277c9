"""``demo``: the main job on the built-in model, told in the terminal."""

from __future__ import annotations

import typer
from rich.text import Text

from studio.cli.common import WorkspaceOption
from studio.cli.exit_codes import Exit
from studio.cli.output import out, pill, printable, show_verdict
from studio.cli.progress import bar, show
from studio.core.run import Run
from studio.services.demo import Edited, Judged, Scored, Step, tell
from studio.services.models import DEMO_NOTICE
from studio.services.studio import Studio


def demo(workspace: WorkspaceOption = None) -> None:
    """Judge contents under demo policies, edit a rule and see the verdict flip, and score a golden set.

    Exit code 1 when a verdict does not follow from its policy.
    """
    with Studio.open(workspace) as studio:
        studio.models.use_demo()
        out.print(Text("Moderation Studio", "bold"))
        out.print(Text(f"{DEMO_NOTICE} Everything runs on this machine; nothing is sent anywhere.\n", "dim"))
        with bar() as progress:
            steps = tell(studio, on_step=_tell, on_progress=show(progress))
        where = studio.workspace_path
    out.print(Text(f"\nAll of this is kept in {where}", "dim"))
    out.print(Text("See it again: moderation-studio sessions list    The window: moderation-studio", "dim"))
    raise typer.Exit(Exit.OK if all(_follows(step) for step in steps) else Exit.FAILED)


def _tell(step: Step) -> None:
    if isinstance(step, Judged):
        _content(step.run)
        show_verdict(step.run, demo=False)
    elif isinstance(step, Edited):
        out.rule(Text("The policy is edited", "bold"), align="left")
        out.print(Text(f"Rule {step.rule} is moved to “{printable(step.heading)}”. The same content again:\n"))
        _content(step.after)
        show_verdict(step.after, demo=False)
        line = Text("before ")
        line.append_text(pill(step.before.verdict)).append("   after ").append_text(pill(step.after.verdict))
        out.print(line)
    else:
        _score(step)
    out.print()


def _content(run: Run) -> None:
    out.rule(Text(printable(run.policy.title), "bold"), align="left")
    out.print(Text(f"“{printable(run.content.title)}”"))


def _score(step: Scored) -> None:
    score = step.score
    out.rule(Text(f"Golden run: {printable(step.policy.title)}", "bold"), align="left")
    out.print(f"{score.right} of {score.total} right, {score.wrong} wrong, {score.no_verdict} without a verdict")
    for example, run in score.items:
        if run.verdict is None or run.verdict.decision is not example.expected:
            line = pill(run.verdict)
            line.append(f"  expected {example.expected}: {printable(example.content.title)}")
            out.print(line)


def _follows(step: Step) -> bool:
    if isinstance(step, Edited):
        return step.flipped
    if isinstance(step, Scored):
        return step.score.no_verdict == 0
    return step.run.verdict is not None and step.run.verdict.is_verdict
