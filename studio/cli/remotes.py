"""``models add-remote|check-remote``: models on servers of the user's own network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from studio.cli.common import JsonOption, WorkspaceOption
from studio.cli.exit_codes import Exit
from studio.cli.output import out, printable, show_json, show_notes
from studio.core.errors import ModelFileError
from studio.services import keys
from studio.services.remotes import Draft
from studio.services.studio import Studio


def register(app: typer.Typer) -> None:
    """Add the commands to ``models``."""
    app.command("add-remote")(add_remote)
    app.command("check-remote")(check_remote)


def add_remote(
    urls: Annotated[
        list[str], typer.Argument(metavar="URL...", help="http(s)://name:port; several serve the same model.")
    ],
    model: Annotated[str, typer.Option("--model", help="The model's name there, if the server has several.")] = "",
    key_env: Annotated[
        str, typer.Option("--key-env", help="The environment variable that holds the key. The key is not stored.")
    ] = "",
    keep_key: Annotated[
        bool, typer.Option("--keep-key", help="Ask for the key and keep it in the system's keyring.")
    ] = False,
    ca: Annotated[Path | None, typer.Option("--ca", help="A file of certificates to trust, in PEM form.")] = None,
    name: Annotated[str, typer.Option("--name", help="What to call it here.")] = "",
    use: Annotated[bool, typer.Option("--use/--no-use", help="Judge with it from now on.")] = True,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a model on llama-server, vLLM or Ollama in your own network. Policy and content go there when you judge."""
    if keep_key:
        # Nobody types a key that cannot be kept.
        keys.needed()
    key = typer.prompt("Key of the server", hide_input=True, err=True) if keep_key else ""
    with Studio.open(workspace) as studio:
        before = _in_use(studio)
        met = studio.remotes.add(Draft(urls, model=model, key=key, key_env=key_env, ca=ca, name=name))
        # Added again it has another id: where its older self judged, it goes on judging.
        in_use = use or (before != "" and studio.remotes.find(before) is None)
        if in_use:
            studio.models.use(studio.models.named(met.remote.id))
    facts = met.facts
    if as_json:
        record = {"id": met.remote.id, "name": met.remote.name, "urls": list(met.remote.urls), "server": facts.server}
        more = {"model": facts.model, "context": facts.context, "width": facts.width, "token_ids": facts.takes_ids}
        show_json({**record, **more, "warnings": list(met.warnings), "in_use": in_use})
        return
    out.print(Text.assemble((printable(met.remote.name), "bold"), f"  {met.remote.id}  {printable(facts.server)}"))
    out.print(Text(f"{facts.context:,} tokens of context, {facts.width} requests at a time."))
    how = "Prompts go as token ids: content cannot forge turns." if facts.takes_ids else "Prompts go as text."
    out.print(Text(how))
    show_notes(met.warnings)


def check_remote(
    remote_id: Annotated[str, typer.Argument(metavar="ID", help="As `models list` shows it.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask each server of a remote model how it stands; nothing is judged. Fails when one cannot be judged with."""
    with Studio.open(workspace) as studio:
        found = studio.remotes.check(remote_id)
    if as_json:
        show_json([{"url": h.url, "good": h.good, "words": h.words, "seconds": round(h.seconds, 3)} for h in found])
    else:
        for health in found:
            state = "answers" if health.good else "cannot be used"
            out.print(Text(f"{printable(health.url)}  {state}  {printable(health.words)}  {health.seconds:.2f} s"))
    if not all(health.good for health in found):
        raise typer.Exit(Exit.FAILED)


def _in_use(studio: Studio) -> str:
    """The id of the remote model that judges; empty when a model of this machine does, or one that is gone."""
    try:
        current = str(studio.models.current().path)
    except ModelFileError:
        return ""
    return current if studio.remotes.find(current) is not None else ""


def records(studio: Studio) -> list[dict[str, Any]]:
    """The remote models for ``models list --json``."""
    current = str(studio.models.current().path)
    return [
        {
            "id": remote.id,
            "name": remote.name,
            "state": "remote",
            "urls": list(remote.urls),
            "path": remote.id,
            "demo": False,
            "in_use": remote.id == current,
        }
        for remote in studio.remotes.list()
    ]


def forget(studio: Studio, remote_id: str) -> bool:
    """Forget a remote model; False when there is none of that id. The demo model judges on if it was in use."""
    if studio.remotes.find(remote_id) is None:
        return False
    if str(studio.models.current().path) == remote_id:
        studio.models.use(studio.models.named("demo"))
    studio.remotes.remove(remote_id)
    return True
