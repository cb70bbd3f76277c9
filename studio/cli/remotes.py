"""``models add-remote``: a model on servers of the user's own network, and how it is listed and forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from studio.cli.common import JsonOption, WorkspaceOption
from studio.cli.output import out, printable, show_json, show_notes
from studio.services.studio import Studio


def register(app: typer.Typer) -> None:
    """Add the command to ``models``."""
    app.command("add-remote")(add_remote)


def add_remote(
    urls: Annotated[
        list[str], typer.Argument(metavar="URL...", help="http(s)://name:port; several serve the same model.")
    ],
    model: Annotated[str, typer.Option("--model", help="The model's name there, if the server has several.")] = "",
    key_env: Annotated[
        str, typer.Option("--key-env", help="The environment variable that holds the key. The key is not stored.")
    ] = "",
    ca: Annotated[Path | None, typer.Option("--ca", help="A file of certificates to trust, in PEM form.")] = None,
    name: Annotated[str, typer.Option("--name", help="What to call it here.")] = "",
    use: Annotated[bool, typer.Option("--use/--no-use", help="Judge with it from now on.")] = True,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a model on llama-server or vLLM in your own network. Policy and content go there when you judge with it."""
    with Studio.open(workspace) as studio:
        met = studio.remotes.add(urls, model=model, key_env=key_env, ca=ca, name=name)
        if use:
            studio.models.use(studio.models.named(met.remote.id))
    if as_json:
        record = {"id": met.remote.id, "name": met.remote.name, "urls": list(met.remote.urls), "server": met.server}
        more = {"model": met.model, "context": met.context, "width": met.width, "token_ids": met.takes_ids}
        show_json({**record, **more, "warnings": list(met.warnings), "in_use": use})
        return
    out.print(Text.assemble((printable(met.remote.name), "bold"), f"  {met.remote.id}  {printable(met.server)}"))
    out.print(Text(f"{met.context:,} tokens of context, {met.width} requests at a time."))
    how = "Prompts go as token ids: content cannot forge turns." if met.takes_ids else "Prompts go as text."
    out.print(Text(how))
    show_notes(met.warnings)


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
