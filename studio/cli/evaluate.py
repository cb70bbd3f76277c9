"""``evaluate`` judges golden examples and says whether targets are met; ``report`` writes the same as files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from studio.cli.common import JsonOption, ModelOption, PolicyOption, WorkspaceOption, find_policy
from studio.cli.exit_codes import Exit
from studio.cli.output import err, out, printable, show_json
from studio.cli.progress import bar, show
from studio.core.errors import InputError
from studio.core.evaluation import Figure, Thresholds
from studio.core.figure_words import figure_name
from studio.core.policy import Effort, Policy
from studio.core.targets import By, Check, Target, parse_targets, targets_from
from studio.services.evaluate import Evaluation, Settings
from studio.services.evaluation_report import Report, make_report, write_report
from studio.services.models import DEMO_NOTICE
from studio.services.studio import Studio

_MOST = 10_000_000
_USUAL_RATE = 0.05


class Part(StrEnum):
    """Which examples of a set are judged."""

    ALL = "all"
    DRAFTING = "drafting"
    HELD_OUT = "held-out"


FailUnderOption = Annotated[
    str, typer.Option("--fail-under", help="Targets, such as f1=0.9,recall[SP4]=0.95; over those of the policy.")
]
ByOption = Annotated[
    By,
    typer.Option(
        help="Hold targets against the worse end of the 95 % interval (lower), so that luck with few examples does "
        "not pass, or against the figure itself (point)."
    ),
]
JunitOption = Annotated[Path | None, typer.Option("--junit", help="Write targets and comparison as JUnit XML.")]
GoldenOption = Annotated[
    Path | None,
    typer.Option("--golden", "-g", help="Any labelled file that `golden import` takes; else the policy's own set."),
]
MappingOption = Annotated[
    Path | None, typer.Option("--mapping", help="A mapping saved before, with your answers about the --golden file.")
]
CompareOption = Annotated[
    str | None,
    typer.Option("--compare", help="Judge by this too and compare: a version's number, a policy, spam@3, or a file."),
]
CompareEffortOption = Annotated[
    Effort | None, typer.Option("--compare-effort", help="Compare with the same policy at this effort.")
]
EffortOption = Annotated[Effort | None, typer.Option(help="How long to think; the policy's own if not given.")]
RepeatsOption = Annotated[int, typer.Option("--repeats", help="Sample each example so often and score the majority.")]
SeedOption = Annotated[int, typer.Option("--seed", help="The seed of the first repeat.")]
HtmlOption = Annotated[Path | None, typer.Option("--html", help="Write the report as one HTML file.")]
PdfOption = Annotated[Path | None, typer.Option("--pdf", help="Write the report as a PDF.")]
CsvOption = Annotated[Path | None, typer.Option("--csv", help="Write all figures as CSV.")]
ContentOption = Annotated[
    bool, typer.Option("--with-content", help="Put contents and reasoning of failures and flips into the report.")
]

PartOption = Annotated[
    Part, typer.Option("--part", help="All examples, those for drafting, or those that are held out.")
]
MissOption = Annotated[
    float | None,
    typer.Option("--miss-rate", min=0.001, max=0.5, help="Find thresholds: of what violates, so much may be allowed."),
]
FalseFlagOption = Annotated[
    float | None,
    typer.Option("--false-flag-rate", min=0.001, max=0.5, help="Of the rest, so much may be flagged by itself."),
]


@dataclass(frozen=True, slots=True)
class _Ask:
    """What is to be evaluated, as it was written on the command line."""

    policy: str
    golden: Path | None
    mapping: Path | None
    compare: str | None
    compare_effort: Effort | None
    part: Part
    settings: Settings


def evaluate(
    policy: PolicyOption,
    golden: GoldenOption = None,
    mapping: MappingOption = None,
    part: PartOption = Part.ALL,
    compare: CompareOption = None,
    compare_effort: CompareEffortOption = None,
    fail_under: FailUnderOption = "",
    by: ByOption = By.LOWER,
    repeats: RepeatsOption = 1,
    seed: SeedOption = 0,
    effort: EffortOption = None,
    html: HtmlOption = None,
    pdf: PdfOption = None,
    csv: CsvOption = None,
    junit: JunitOption = None,
    with_content: ContentOption = False,
    miss_rate: MissOption = None,
    false_flag_rate: FalseFlagOption = None,
    workspace: WorkspaceOption = None,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge golden examples by a policy, score the verdicts, and fail when a target is not met or it got worse.

    What was judged before is not judged again. Exit code: 0 all met, 13 a target not met or worse than --compare,
    2 usage or bad input, 3 engine.
    """
    wanted = parse_targets(fail_under)
    ask = _Ask(
        policy, golden, mapping, compare, compare_effort, part, Settings(effort=effort, repeats=repeats, seed=seed)
    )
    with Studio.open(workspace, model=model) as studio:
        evaluation, before = _judged(studio, ask, quiet=as_json)
        checks = studio.evaluate.check(evaluation, _targets(evaluation.policy, wanted), by=by)
        found = _thresholds(studio, evaluation, miss_rate, false_flag_rate)
        report = make_report(
            studio.evaluate,
            evaluation,
            before=before,
            checks=checks,
            by=by,
            with_content=with_content,
            thresholds=found,
        )
        _write(html, report.html)
        _write(pdf, report.pdf)
        _write(csv, report.csv)
        _write(junit, report.junit)
        if as_json:
            show_json(report.data)
        else:
            _tell(studio, evaluation, report, checks)
    comparison = report.data["comparison"]
    worse = comparison is not None and comparison["change"] == "worse"
    raise typer.Exit(Exit.GATE_NOT_MET if worse or not all(check.met for check in checks) else Exit.OK)


def report(
    policy: PolicyOption,
    html: HtmlOption = None,
    pdf: PdfOption = None,
    csv: CsvOption = None,
    json_file: Annotated[Path | None, typer.Option("--json-file", help="Write the report as JSON.")] = None,
    golden: GoldenOption = None,
    mapping: MappingOption = None,
    part: PartOption = Part.ALL,
    compare: CompareOption = None,
    compare_effort: CompareEffortOption = None,
    repeats: RepeatsOption = 1,
    seed: SeedOption = 0,
    effort: EffortOption = None,
    with_content: ContentOption = False,
    miss_rate: MissOption = None,
    false_flag_rate: FalseFlagOption = None,
    workspace: WorkspaceOption = None,
    model: ModelOption = None,
) -> None:
    """Write the report of an evaluation. Only what was not judged before is judged now."""
    if not (html or pdf or csv or json_file):
        raise InputError("No file was named to write the report to.", hint="Give --html, --pdf, --csv or --json-file.")
    ask = _Ask(
        policy, golden, mapping, compare, compare_effort, part, Settings(effort=effort, repeats=repeats, seed=seed)
    )
    with Studio.open(workspace, model=model) as studio:
        evaluation, before = _judged(studio, ask, quiet=False)
        checks = studio.evaluate.check(evaluation, _targets(evaluation.policy, ()))
        found = _thresholds(studio, evaluation, miss_rate, false_flag_rate)
        made = make_report(
            studio.evaluate, evaluation, before=before, checks=checks, with_content=with_content, thresholds=found
        )
        _write(html, made.html)
        _write(pdf, made.pdf)
        _write(csv, made.csv)
        _write(json_file, made.json)
    for path in (html, pdf, csv, json_file):
        if path is not None:
            out.print(Text(f"Written: {printable(str(path))}"))


def _judged(studio: Studio, ask: _Ask, *, quiet: bool) -> tuple[Evaluation, Evaluation | None]:
    """The evaluation, and the one to compare it with."""
    chosen = find_policy(studio, ask.policy)
    other = _other(studio, ask, chosen)
    if ask.golden is not None:
        mapping = studio.golden_files.read_mapping(ask.mapping) if ask.mapping is not None else None
        examples = studio.golden_files.read(ask.golden, chosen, mapping)
    else:
        examples = tuple(studio.golden.list(chosen.id, limit=_MOST))
    if ask.part is not Part.ALL:
        examples = tuple(item for item in examples if item.held_out is (ask.part is Part.HELD_OUT))
    if not examples and ask.part is not Part.ALL:
        raise InputError(
            f"The set has no examples in the {ask.part} part.", hint="Hold out a part with `golden hold-out`."
        )
    if not examples:
        raise InputError(
            f"The policy {chosen.title!r} has no golden examples.", hint="Name a file with --golden FILE, or add some."
        )
    settings = replace(ask.settings, effort=ask.compare_effort or ask.settings.effort)
    with bar() as progress:
        tell = None if quiet else show(progress)
        before = None if other is None else studio.evaluate.run(other, examples, settings, on_progress=tell)
        evaluation = studio.evaluate.run(chosen, examples, ask.settings, on_progress=tell)
    unknown = sum(example.expected is None for example in examples)
    if unknown:
        have = "1 example has" if unknown == 1 else f"{unknown:,} examples have"
        err.print(Text(f"{have} no decision yet, and what nobody has decided is left out.", "dim"))
    return evaluation, before


def _thresholds(
    studio: Studio, evaluation: Evaluation, miss: float | None, false_flag: float | None
) -> Thresholds | None:
    if miss is None and false_flag is None:
        return None
    miss, false_flag = (_USUAL_RATE if rate is None else rate for rate in (miss, false_flag))
    return studio.evaluate.thresholds(evaluation, miss=miss, false_flag=false_flag)


def _other(studio: Studio, ask: _Ask, chosen: Policy) -> Policy | None:
    if ask.compare is None:
        return chosen if ask.compare_effort else None
    return find_policy(studio, f"{chosen.id}@{ask.compare}" if ask.compare.isdigit() else ask.compare)


def _targets(policy: Policy, wanted: tuple[Target, ...]) -> tuple[Target, ...]:
    """The policy's own targets, less those that the command line sets otherwise, and these."""
    own = targets_from(dict(policy.targets))
    keys = {target.key.casefold() for target in wanted}
    return (*(target for target in own if target.key.casefold() not in keys), *wanted)


def _tell(studio: Studio, evaluation: Evaluation, made: Report, checks: tuple[Check, ...]) -> None:
    out.print(Text(printable(evaluation.title), "bold"))
    for line in made.data["summary"]:
        out.print(Text(printable(line)))
    scores = studio.evaluate.scores(evaluation)
    table = Table(box=None, pad_edge=False)
    for column in ("Figure (violates)", "Value", "95 % interval", "A non-verdict as wrong", "Items"):
        first = column.startswith("Figure")
        table.add_column(column, justify="left" if first else "right", no_wrap=first)
    for figure in scores.binary.figures:
        strict = scores.binary_strict.get(figure.name)
        table.add_row(_called(figure), _number(figure), _interval(figure), _number(strict), str(figure.n))
    out.print(table)
    for label in scores.labels if made.data["labelled"] else ():
        f1 = label.get("f1")
        if f1 is not None and label.tp + label.fp + label.fn:
            counts = f"{label.tp} found, {label.fn} missed, {label.fp} false"
            out.print(Text(f"{printable(label.label):>12}  F1 {_number(f1)} ({_interval(f1)}), {counts}"))
    for line in (made.data["thresholds"] or {}).get("words", ()):
        out.print(Text(printable(line)))
    for check in checks:
        mark, style = ("✓", "green") if check.met else ("✗", "bold red")
        out.print(Text.assemble((f"{mark} ", style), printable(check.words)))
    if evaluation.model.is_demo:
        out.print(Text(DEMO_NOTICE, "dim italic"))


def _called(figure: Figure) -> Text:
    """A figure's name, and what targets call it where that is another word."""
    name = figure_name(figure.name)
    key = "" if name.casefold().replace(" ", "_") == figure.name else f"  {figure.name}"
    return Text.assemble(name, (key, "dim"))


def _number(figure: Figure | None) -> str:
    return "–" if figure is None or figure.value is None else f"{figure.value:.3f}"


def _interval(figure: Figure) -> str:
    return "–" if figure.interval is None else f"{figure.interval.low:.3f} to {figure.interval.high:.3f}"


def _write(path: Path | None, make: Callable[[], str | bytes]) -> None:
    """Write what ``make`` gives into the file, where one was named. Raises InputError when it cannot be written."""
    if path is not None:
        write_report(path, make())
