"""``golden import|benchmark|list|hold-out|export``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from studio.cli.common import JsonOption, PolicyOption, WorkspaceOption, find_policy
from studio.cli.output import err, out, printable, show_json
from studio.cli.progress import bar, show
from studio.core.progress import Progress
from studio.services.golden_import import Mapping, Preview, Stored
from studio.services.studio import Studio

app = typer.Typer(help="The golden sets: labelled examples in and out.", no_args_is_help=True)

_SHOWN = 20
FileArgument = Annotated[Path, typer.Argument(help="CSV, TSV, JSON, JSONL, YAML, Parquet or Excel; .gz as well.")]
MappingOption = Annotated[Path | None, typer.Option("--mapping", help="A mapping saved before, with your answers.")]
PreviewOption = Annotated[bool, typer.Option("--preview", help="Show what would be stored, and store nothing.")]
SaveOption = Annotated[Path | None, typer.Option("--save-mapping", help="Write the mapping here, to edit and reuse.")]


@app.command("import")
def import_file(
    file: FileArgument,
    policy: PolicyOption,
    mapping: MappingOption = None,
    preview: PreviewOption = False,
    save_mapping: SaveOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring a labelled file into a policy's golden set. No label is ever guessed: what is not certain is asked."""
    with Studio.open(workspace) as studio:
        wanted = find_policy(studio, policy)
        files = studio.golden_files
        with bar() as progress:
            seen = files.preview(file, wanted, _mapping(studio, mapping), on_progress=show(progress))

        def store(on_progress: Callable[[Progress], None]) -> Stored:
            studio.policies.get(wanted.id)
            return files.store(seen, wanted, on_progress=on_progress)

        _finish(studio, seen, preview, save_mapping, as_json, store)


@app.command("benchmark")
def benchmark(
    name: Annotated[str, typer.Argument(help="openai-moderation, toxicchat, xstest, harmbench, spam or teen-safety.")],
    files: Annotated[list[Path], typer.Argument(help="The set's files, as you have them.")],
    mapping: MappingOption = None,
    preview: PreviewOption = False,
    save_mapping: SaveOption = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Turn a public set that you have into a golden set under a policy that fits its labels."""
    with Studio.open(workspace) as studio:
        chosen = studio.benchmarks.named(name)
        given = _mapping(studio, mapping)
        # All files are looked at before the first is stored.
        for seen in [studio.benchmarks.preview(chosen, file, given) for file in files]:

            def store(on_progress: Callable[[Progress], None], seen: Preview = seen) -> Stored:
                return studio.benchmarks.store(chosen, seen, on_progress=on_progress)

            _finish(studio, seen, preview, save_mapping, as_json, store)


@app.command("list")
def list_examples(
    policy: PolicyOption,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 100,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the golden examples of a policy, oldest first."""
    with Studio.open(workspace) as studio:
        wanted = find_policy(studio, policy)
        examples = studio.golden.list(wanted.id, limit=limit)
        count = studio.golden.count(wanted.id)
        if as_json:
            show_json([studio.golden_files.record(example) for example in examples])
            return
    table = Table(box=None, pad_edge=False)
    for column in ("expected", "labels", "original", "content", "source"):
        table.add_column(column, overflow="fold")
    for example in examples:
        expected = "unknown" if example.expected is None else str(example.expected).replace("_", " ")
        cells = (expected, ", ".join(example.labels), example.original, example.content.title, example.source)
        table.add_row(*(Text(printable(cell)) for cell in cells))
    out.print(table)
    if count > len(examples):
        out.print(Text(f"{len(examples)} of {count:,} shown; --limit shows more.", "dim"))


@app.command("hold-out")
def hold_out(
    policy: PolicyOption,
    share: Annotated[float, typer.Option("--share", help="How much of the set, from 0 (nothing) to 0.9.")] = 0.3,
    seed: Annotated[int, typer.Option("--seed", help="The same seed holds out the same examples again.")] = 0,
    workspace: WorkspaceOption = None,
) -> None:
    """Hold out a part of a golden set, the same share of each label: what the policy is tested on, not written with."""
    with Studio.open(workspace) as studio:
        wanted = find_policy(studio, policy)
        held = studio.golden_care.hold_out(wanted.id, share, seed)
        total = studio.golden.count(wanted.id)
    out.print(Text(f"{held:,} of {total:,} examples are held out."))


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="Where to write; .jsonl or .csv.")],
    policy: PolicyOption,
    workspace: WorkspaceOption = None,
) -> None:
    """Write a policy's golden set to a file, with all fields; `golden import` reads it back without a loss."""
    with Studio.open(workspace) as studio:
        count = studio.golden_files.export(find_policy(studio, policy).id, file)
    out.print(Text(f"{count:,} examples written to {printable(str(file))}."))


def _mapping(studio: Studio, path: Path | None) -> Mapping | None:
    return None if path is None else studio.golden_files.read_mapping(path)


def _finish(
    studio: Studio,
    seen: Preview,
    only_preview: bool,
    save_mapping: Path | None,
    as_json: bool,
    store: Callable[[Callable[[Progress], None]], Stored],
) -> None:
    """Show or store what was previewed, and save its mapping where that is wanted."""
    if save_mapping is not None:
        studio.golden_files.save_mapping(seen.mapping, save_mapping)
    if only_preview:
        show_json(seen.to_json()) if as_json else _show(seen)
        return
    if seen.questions:
        _show_questions(seen)
    with bar() as progress:
        stored = store(show(progress))
    if as_json:
        show_json({"added": stored.added, "already": stored.already, "preview": seen.to_json()})
        return
    already = f", {stored.already:,} were there already" if stored.already else ""
    out.print(Text(f"{printable(seen.path.name)}: {_count(stored.added, 'example')} added{already}."))
    unknown = seen.decisions.get("unknown", 0)
    if unknown:
        have = "has" if unknown == 1 else "have"
        out.print(Text(f"{unknown:,} of the file's items {have} no known decision and stay unknown."))
    _show_skipped(seen)


def _show(seen: Preview) -> None:
    """The preview for people: items, labels with their meaning, questions, what is left out and why."""
    mapping = seen.mapping
    out.print(Text(f"{printable(seen.path.name)}: {seen.items:,} items, read as {mapping.shape.replace('_', ' ')}."))
    table = Table(box=None, pad_edge=False)
    for column in ("label in the file", "items", "means"):
        table.add_column(column, overflow="fold", justify="right" if column == "items" else "left")
    for label, count in seen.by_label.items():
        meaning = mapping.meaning(label)
        word = "?" if meaning is None else "skip" if meaning.skip else str(meaning.decision or "unknown")
        labels = f" {', '.join(meaning.labels)}" if meaning is not None and meaning.labels else ""
        table.add_row(Text(printable(label)), f"{count:,}", Text(printable(word.replace("_", " ") + labels)))
    if seen.unlabelled:
        table.add_row(Text("(no label)", "dim"), f"{seen.unlabelled:,}", "unknown")
    out.print(table)
    for note in mapping.notes:
        out.print(Text(printable(note)))
    for column, why in mapping.unmapped.items():
        out.print(Text(f"Not used: {printable(column)}: {printable(why)}.", "dim"))
    _show_skipped(seen)
    _show_questions(seen)


def _show_questions(seen: Preview) -> None:
    for question in seen.questions:
        hint = f" (likely {question.suggested})" if question.suggested else ""
        rows = f" {_count(question.rows, 'item')}." if question.rows else ""
        err.print(Text.assemble(("? ", "bold yellow"), printable(question.ask), rows, hint))
        if question.options:
            err.print(Text(f"  One of: {printable(', '.join(question.options))}", "dim"))
    if seen.questions:
        how = "To answer: write the mapping with --preview --save-mapping M.json, put in the answers, words in quotes, "
        err.print(Text(f"{how}and give it with --mapping M.json.", "dim"))


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _show_skipped(seen: Preview) -> None:
    for item in seen.skipped[:_SHOWN]:
        out.print(Text(f"Row {item.row}: {printable(item.why)}.", "dim"))
    if seen.skipped_count > _SHOWN:
        out.print(Text(f"{seen.skipped_count - _SHOWN:,} more rows were skipped; --preview --json lists them.", "dim"))
