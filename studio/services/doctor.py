"""What runs where, what is missing, and that nothing is connected: the facts to read first when something is wrong."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import sys
from dataclasses import dataclass
from enum import StrEnum

from studio import __version__, paths
from studio.core.errors import StudioError
from studio.services import shield
from studio.services.models import ModelInfo
from studio.services.studio import Studio


class Health(StrEnum):
    """How a fact is to be read."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the report."""

    name: str
    value: str
    health: Health = Health.GOOD
    hint: str = ""


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """All facts. ``connections`` is the number of network connections that the studio opened."""

    facts: tuple[Fact, ...]
    connections: int

    @property
    def healthy(self) -> bool:
        """Whether nothing is broken."""
        return all(fact.health is not Health.BAD for fact in self.facts)


def report(studio: Studio) -> DoctorReport:
    """Look at everything once, loading the model to see that it answers. Never raises for what it finds."""
    facts = [
        Fact("Studio", __version__),
        Fact("Python", f"{platform.python_version()} ({sys.executable})"),
        Fact("System", f"{platform.system()} {platform.release()}, {platform.machine()}, {os.cpu_count()} cores"),
        Fact("Workspace", f"{studio.workspace_path} (SQLite {sqlite3.sqlite_version})"),
        _disk(),
        Fact("Policies", str(len(studio.policies.list()))),
        *_model(studio),
        _network(studio.connections),
    ]
    return DoctorReport(tuple(facts), studio.connections)


def _network(connections: int) -> Fact:
    counted = (
        f"{connections} open" if shield.open_now() is not None else "none opened (this system does not count them)"
    )
    words = f"{counted}, {shield.opened()} opened on request and {shield.refused()} refused since the start"
    tried = "; ".join(f"{attempt.call} to {attempt.address}" for attempt in shield.last_refused()[-3:])
    hint = f"Refused last: {tried}. Some library of the studio asked for it; please report it." if tried else ""
    return Fact("Network connections", words, Health.BAD if connections else Health.GOOD, hint)


def _disk() -> Fact:
    free = shutil.disk_usage(paths.data_dir()).free
    words = f"{free / 1e9:.1f} GB free at {paths.data_dir()}"
    if free < 500_000_000:
        return Fact("Disk", words, Health.WARN, "Make room: the workspace may soon not be writable.")
    return Fact("Disk", words)


def _memory(info: ModelInfo) -> str:
    together = "1 request at a time" if info.n_seq == 1 else f"{info.n_seq} requests at a time"
    short = f", as {info.n_seq_wanted} do not fit" if info.n_seq < info.n_seq_wanted else ""
    return f"{info.memory_bytes / 1e6:,.0f} MB at most, for {together}{short}; {info.kv_type} context"


def _notes(studio: Studio) -> list[Fact]:
    """What is remembered of GPUs that could not load the model in use."""
    found = studio.models.notes(studio.models.current())
    hint = "After a new driver or with more free memory: `moderation-studio doctor --retry-gpu`."
    facts = [Fact("GPU", note.words, Health.WARN, hint) for note in found]
    if studio.models.notes_problem:
        facts.append(Fact("GPU", studio.models.notes_problem, Health.WARN))
    return facts


def _model(studio: Studio) -> list[Fact]:
    try:
        entry = studio.models.current()
        info = studio.models.load()
    except StudioError as error:
        return [Fact("Model", error.message, Health.BAD, error.hint)]
    facts = [
        Fact("Model", f"{info.name} ({entry.path})"),
        Fact("Model sha256", info.sha256),
        Fact("Context", f"{info.n_ctx_train:,} tokens"),
        Fact("Engine", f"{'' if info.remote else 'llama.cpp '}{info.llama_build}, {info.backend} on {info.device}"),
        Fact("Placement", info.placement.words),
        *([] if info.remote else [Fact("Memory", _memory(info))]),
        *_notes(studio),
        Fact("Worker network", info.network),
        Fact("Worker file writes", info.writes),
    ]
    if entry.is_demo:
        hint = "Add a gpt-oss-safeguard GGUF with `moderation-studio models import FILE`."
        facts.append(Fact("Model in use", "the demo model: not for moderation", Health.WARN, hint))
    return facts
