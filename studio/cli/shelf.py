"""``models list|inspect|download|verify|import|discover|remove|folder``: the model shelf."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from studio.cli import remotes
from studio.cli.common import JsonOption, WorkspaceOption
from studio.cli.exit_codes import Exit
from studio.cli.output import err, out, printable, show_json
from studio.cli.progress import bar, show
from studio.core.errors import InputError, ModelFileError
from studio.core.progress import Cancel
from studio.services import download as downloads
from studio.services import model_folder
from studio.services.shelf import ModelFacts, QuarantinedError, Shelf, ShelfEntry, State
from studio.services.studio import Studio

YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
IdArgument = Annotated[str, typer.Argument(help="The model's id, as `models list` shows it.")]
TOKEN_VARIABLE = "HF_TOKEN"

_STATES = {
    State.GET: "to be had",
    State.PARTIAL: "fetched in part",
    State.VERIFYING: "being checked",
    State.READY: "ready",
    State.QUARANTINED: "set aside",
    State.MISSING: "missing",
}


def register(app: typer.Typer) -> None:
    """Add the commands of the shelf to ``models``."""
    app.command("list")(list_models)
    app.command("inspect")(inspect)
    app.command("download")(download)
    app.command("verify")(verify)
    app.command("import")(import_model)
    app.command("discover")(discover)
    app.command("remove")(remove)
    app.command("folder")(folder)


def folder(
    path: Annotated[
        Path | None, typer.Argument(help="The folder to choose; without it the one in use is shown.")
    ] = None,
    own: Annotated[bool, typer.Option("--own", help="Back to the studio's own folder.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show or choose the folder that downloaded models are put into. Nothing is moved."""
    if path is not None and own:
        raise InputError("Name a folder or give --own, not both.")
    with Studio.open(workspace) as studio:
        chosen = model_folder.choose(studio.shelf, path) if path is not None or own else None
        now = model_folder.current(studio.shelf)
    if as_json:
        record: dict[str, Any] = {"path": str(now.path), "free": now.free, "own": now.own}
        if chosen is not None:
            record |= {"found": chosen.found, "staying": chosen.staying, "unfinished": chosen.unfinished}
        show_json(record)
        return
    free = "its disk is not there" if now.free is None else f"{_bytes(now.free)} free"
    out.print(Text(f"{printable(str(now.path))}  {free}"))
    if chosen is not None:
        told = {"lie there": chosen.found, "stay where they are": chosen.staying}
        told["were begun and stay unfinished in the old folder"] = chosen.unfinished
        for words, titles in told.items():
            if titles:
                out.print(Text(f"{len(titles)} {words}: {printable(', '.join(titles))}"))


def list_models(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """List the models: those here and those to be had; the one in use is marked."""
    with Studio.open(workspace) as studio:
        entries = studio.shelf.list()
        current = studio.models.current().path
        servers = remotes.records(studio)
    if as_json:
        show_json([*(_record(entry, current) for entry in entries), *servers])
        return
    table = Table(box=None, pad_edge=False)
    for column in ("", "id", "model", "size", "state", "file"):
        # An id is there to be copied: it stays in one piece.
        table.add_column(
            column, overflow="fold", no_wrap=column == "id", justify="right" if column == "size" else "left"
        )
    for entry in entries:
        mark = "▸" if _in_use(entry, current) else ""
        title = printable(entry.title) + (f", {entry.quant}" if entry.quant else "")
        state = _STATES[entry.state]
        if entry.state is State.PARTIAL and entry.size:
            state = f"{entry.done / entry.size:.0%} fetched"
        here = entry.state not in (State.GET, State.PARTIAL)
        where = printable(str(entry.files[0])) if here else printable(entry.repo)
        table.add_row(mark, Text(entry.id, "bold"), Text(title), _bytes(entry.size), state, Text(where))
    for server in servers:
        mark, where = "▸" if server["in_use"] else "", printable(", ".join(server["urls"]))
        table.add_row(mark, Text(server["id"], "bold"), Text(printable(server["name"])), "", "on a server", Text(where))
    out.print(table)


def inspect(
    file: Annotated[Path, typer.Argument(help="A GGUF file; of a split model any part.")], as_json: JsonOption = False
) -> None:
    """Show what a model file is, read from its head without loading it."""
    facts = Shelf().inspect(file)
    if as_json:
        record = asdict(facts)
        record["files"] = [str(path) for path in facts.files]
        show_json(record)
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in _lines(facts):
        table.add_row(Text(name, "dim"), Text(printable(value)))
    out.print(table)
    out.print(Text(printable(facts.assessment.words), "bold" if facts.assessment.usable else "bold yellow"))


def download(
    model: IdArgument,
    endpoint: Annotated[str | None, typer.Option("--endpoint", help="A mirror of the Hub; else HF_ENDPOINT.")] = None,
    storage: Annotated[
        list[str] | None, typer.Option("--storage", help="A server from which the mirror sends files.")
    ] = None,
    with_token: Annotated[bool, typer.Option("--with-token", help=f"Send the token in {TOKEN_VARIABLE}.")] = False,
    into_hub_cache: Annotated[
        bool,
        typer.Option("--into-hub-cache", help="Keep it in the cache of the Hub's library, for other programs too."),
    ] = False,
    yes: YesOption = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Download a model, or go on with it. Ctrl+C pauses; what was fetched is kept."""
    token = os.environ.get(TOKEN_VARIABLE) if with_token else None
    if with_token and not token:
        raise InputError(f"There is no token in {TOKEN_VARIABLE}.", hint="Set it, or download without --with-token.")
    with Studio.open(workspace) as studio:
        plan = downloads.plan(studio.shelf, model, endpoint=endpoint, storage=storage or ())
        if not yes:
            _show_plan(plan)
            if not typer.confirm("Connect and download?", err=True):
                raise typer.Exit(Exit.FAILED)
        with bar() as progress, _interruptible() as cancel:
            entry = downloads.download(
                studio.shelf,
                model,
                endpoint=endpoint,
                storage=storage or (),
                token=token,
                into_hub_cache=into_hub_cache,
                on_progress=show(progress),
                cancel=cancel,
            )
    _tell(entry, as_json)


def verify(model: IdArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Read a model's files again and compare their sha256. Exit code 1 when one is wrong."""
    with Studio.open(workspace) as studio, bar() as progress, _interruptible() as cancel:
        try:
            entry = studio.shelf.verify(model, on_progress=show(progress), cancel=cancel)
        except QuarantinedError as error:
            if not as_json:
                raise
            show_json({"id": model, "right": False, "why": error.message})
            raise typer.Exit(Exit.FAILED) from error
    if as_json:
        show_json({"id": entry.id, "right": True, "sha256": entry.sha256})
    else:
        out.print(Text(f"{printable(entry.title)}: every byte is as it was."))


def import_model(
    path: Annotated[Path, typer.Argument(help="A GGUF file, or a folder with some. They stay where they are.")],
    use: Annotated[bool, typer.Option("--use/--no-use", help="Judge with it from now on.")] = True,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add model files that are on this machine, after reading their checksums."""
    with Studio.open(workspace) as studio:
        refused: list[ModelFileError] = []
        with bar() as progress, _interruptible() as cancel:
            entries = studio.shelf.import_path(
                path, on_progress=show(progress), cancel=cancel, on_refused=lambda _file, why: refused.append(why)
            )
        if use and len(entries) == 1 and entries[0].model is not None:
            studio.models.use(entries[0].model)
    for why in refused:
        err.print(Text(printable(why.message), "yellow"))
    if as_json:
        show_json([_record(entry, None) for entry in entries])
        return
    for entry in entries:
        _tell(entry, as_json=False)


def discover(
    use: Annotated[Path | None, typer.Option("--add", help="Put this one on the shelf, where it lies.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show model files that LM Studio, Ollama or the Hub's library keep on this disk; add one without copying it."""
    with Studio.open(workspace) as studio:
        found = studio.shelf.discover()
        if use is not None:
            wanted = next((item for item in found if item.path == use), None)
            if wanted is None:
                raise InputError(f"{use} is not among the files found.", hint="`models discover` shows them.")
            with bar() as progress, _interruptible() as cancel:
                entry = studio.shelf.adopt(wanted, on_progress=show(progress), cancel=cancel)
            _tell(entry, as_json)
            return
    if as_json:
        show_json([{**asdict(item), "path": str(item.path)} for item in found])
        return
    table = Table(box=None, pad_edge=False)
    for column in ("whose", "name", "size", "kind", "file"):
        table.add_column(column, overflow="fold", justify="right" if column == "size" else "left")
    for item in found:
        kind = Text(printable(item.architecture or "not said"), "" if item.fitting else "dim")
        table.add_row(item.owner, Text(printable(item.name)), _bytes(item.size), kind, Text(printable(str(item.path))))
    out.print(table if found else "No model files of other programs were found.")


def remove(
    model: IdArgument, yes: YesOption = False, workspace: WorkspaceOption = None, as_json: JsonOption = False
) -> None:
    """Give a model up. What was downloaded is deleted, after asking; any other file stays where it is."""
    with Studio.open(workspace) as studio:
        if remotes.forget(studio, model):
            if as_json:
                show_json({"id": model, "deleted": False})
            else:
                out.print(Text(f"{printable(model)} is forgotten."))
            return
        entry = studio.shelf.get(model)
        if entry.ours and not yes:
            err.print(Text(f"This deletes {printable(', '.join(map(str, entry.files)))}."))
            if not typer.confirm("Delete?", err=True):
                raise typer.Exit(Exit.FAILED)
        in_use = _in_use(entry, studio.models.current().path)
        studio.shelf.remove(entry.id)
        if in_use:
            studio.models.use(studio.models.named("demo"))
    if as_json:
        show_json({"id": entry.id, "deleted": entry.ours, "demo_in_use": in_use})
        return
    did = "is deleted" if entry.ours else "is forgotten; its file stays"
    out.print(Text(f"{printable(entry.title)} {did}." + (" Judging with the demo model now." if in_use else "")))


@contextmanager
def _interruptible() -> Iterator[Cancel]:
    """Ctrl+C asks the task to stop, so that it can leave things in order."""
    cancel = Cancel()
    before = signal.signal(signal.SIGINT, lambda *_: cancel.request())
    try:
        yield cancel
    finally:
        signal.signal(signal.SIGINT, before)


def _record(entry: ShelfEntry, current: Path | None) -> dict[str, Any]:
    return {
        "id": entry.id,
        "name": entry.model.name if entry.model is not None else entry.title,
        "quant": entry.quant,
        "state": entry.state,
        "size": entry.size,
        "done": entry.done,
        "path": str(entry.files[0]),
        "files": [str(file) for file in entry.files],
        "sha256": entry.sha256,
        "recognised": entry.recognised,
        "downloaded_here": entry.ours,
        "why": entry.why,
        "demo": entry.id == "demo",
        "present": entry.state is State.READY,
        "in_use": _in_use(entry, current),
    }


def _in_use(entry: ShelfEntry, current: Path | None) -> bool:
    return entry.model is not None and entry.model.path == current


def _tell(entry: ShelfEntry, as_json: bool) -> None:
    if as_json:
        show_json(_record(entry, None))
        return
    name = entry.model.name if entry.model is not None else entry.title
    out.print(Text.assemble((printable(name), "bold"), f"  {entry.id}  sha256 {', '.join(entry.sha256)}"))
    if entry.why:
        out.print(Text(printable(entry.why), "yellow"))


def _show_plan(plan: downloads.DownloadPlan) -> None:
    size = "as much as the Hub says" if plan.to_fetch is None else _bytes(plan.to_fetch)
    err.print(Text(f"{plan.title} from {printable(plan.source)}"))
    err.print(Text(f"To fetch: {size}. Free: {_bytes(plan.free)} at {printable(str(plan.folder))}"))
    err.print(Text(f"The network shield opens for {printable(', '.join(plan.servers))} until it is done."))
    for found in plan.already:
        err.print(Text(f"{found.owner} may have it already: models discover --add {printable(str(found.path))}"))


def _bytes(size: int | None) -> str:
    if size is None:
        return "?"
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def _lines(facts: ModelFacts) -> Iterator[tuple[str, str]]:
    def number(value: int | None) -> str:
        return "not said" if value is None else f"{value:,}"

    yield "calls itself", facts.name_claim or "nothing"
    yield "architecture", facts.architecture or "not said"
    yield "size", f"{_bytes(facts.size_bytes)} in {len(facts.files)} file{'s' if len(facts.files) > 1 else ''}"
    yield "weights", f"{facts.weights:,} in {facts.tensors:,} tensors"
    yield "stored as", facts.quant
    for share in facts.shares:
        yield "", f"{share.type}: {share.tensors:,} tensors, {_bytes(share.bytes)}"
    yield "layers", number(facts.layers)
    yield "experts", f"{number(facts.experts)}, of which {number(facts.experts_used)} at a time"
    yield "context", f"{number(facts.context)} tokens"
    yield "heads", f"{number(facts.heads)}, {number(facts.kv_heads)} for keys and values"
    yield "sliding window", number(facts.sliding_window)
    tokenizer = facts.tokenizer
    yield "tokenizer", f"{tokenizer.model or 'not said'} / {tokenizer.pre or 'not said'}, {tokenizer.size:,} tokens"
    yield "harmony tokens", f"{', '.join(facts.missing_harmony)} missing" if facts.missing_harmony else "present"
    yield "chat template", "present" if facts.chat_template else "not present"
    yield "GGUF", f"version {facts.gguf_version}{', big-endian' if facts.big_endian else ''}"
