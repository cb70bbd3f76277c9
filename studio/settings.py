"""The user's settings: one JSON file, read at start and written at every change.

A damaged file never stops the studio and is never overwritten: it is set aside, the settings that could be read are
kept, and :func:`load` says what happened.
"""

from __future__ import annotations

import json
import math
import threading
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from studio import paths
from studio.core.errors import StudioError
from studio.core.policy import Effort
from studio.core.run import GREEDY, Sampling

SMALLEST_FONT, LARGEST_FONT = 8, 32
HIGHEST_TEMPERATURE = 5.0
LONGEST_NAME = 80
_NOT_IN_A_LINE = ("Cc", "Cs", "Zl", "Zp")
HIGHEST_SEED = 2**32 - 1
MOST_THINKING = 100_000
"""Tokens of reasoning that a budget can allow: more than any context has room for is no budget."""

_changing = threading.Lock()


class Theme(StrEnum):
    """The colours of the window."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user chose; every field has a default that needs no choice.

    ``workspace``: the file opened last; None for the default one. ``model``: the model file in use; None for the demo
    model. ``effort``: None for what each policy asks. ``font_size`` in points; None for the system's. ``layout``:
    splitters, columns and window geometry by name, in whatever text the window wrote. ``strict``: one request at a
    time, so that the same request gives the same answer bit for bit, at the cost of speed. ``models_folder``: where
    downloaded models are put; None for the studio's own folder. ``thinking_budgets``: tokens of reasoning, by effort,
    after which the answer is asked for; none for an effort that is not there. ``author``: the name on versions that are
    saved; empty for that of the account. ``unknown``: keys that
    this version does not know, kept for the version that does.
    """

    theme: Theme = Theme.SYSTEM
    workspace: Path | None = None
    model: Path | None = None
    effort: Effort | None = None
    sampling: Sampling = GREEDY
    font_size: int | None = None
    layout: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    models_folder: Path | None = None
    thinking_budgets: Mapping[Effort, int] = field(default_factory=dict)
    author: str = ""
    unknown: Mapping[str, Any] = field(default_factory=dict)


class SettingsError(StudioError):
    """The settings file could not be read whole, or could not be written."""

    title = "The settings could not be used"
    code = "settings"


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, and what was wrong with their file, to be shown once; None when nothing was."""

    settings: Settings
    problem: SettingsError | None = None


def load(path: Path | None = None) -> Loaded:
    """Read the settings. A file that is not there means defaults; a damaged one is set aside and reported."""
    path = paths.settings_file() if path is None else path
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Loaded(Settings())
    except (OSError, UnicodeDecodeError) as error:
        return _set_aside(path, Settings(), f"it cannot be read ({error})")
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        return _set_aside(path, Settings(), f"it is not JSON ({error})")
    if not isinstance(entries, dict):
        return _set_aside(path, Settings(), "it is not a JSON object")
    settings, wrong = _read(entries)
    if wrong:
        return _set_aside(path, settings, f"these values cannot be used: {', '.join(wrong)}")
    return Loaded(settings)


def save(settings: Settings, path: Path | None = None) -> None:
    """Write the settings; a crash leaves the old file or the new one. Raises :class:`SettingsError`."""
    path = paths.settings_file() if path is None else path
    data = json.dumps(_entries(settings), indent=2, ensure_ascii=True) + "\n"
    try:
        paths.write_atomically(path, data.encode("ascii"))
    except OSError as error:
        raise SettingsError(
            f"The settings file {path} could not be written: {error.strerror or error}.",
            hint="Check that its disk is writable and has room. The settings hold until the studio is closed.",
        ) from error


def change(path: Path | None = None, **fields: Any) -> Settings:
    """Change some settings and leave the others as the file has them. Returns all. Raises :class:`SettingsError`."""
    with _changing:
        changed = replace(load(path).settings, **fields)
        save(changed, path)
        return changed


def _set_aside(path: Path, settings: Settings, reason: str) -> Loaded:
    """Move the bad file away under a name of its own, write what could be kept, and say so."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    backup = path.with_name(f"{path.stem}.damaged-{stamp}{path.suffix}")
    try:
        path.rename(backup)
        save(settings, path)
    except (OSError, SettingsError) as error:
        hint = f"It could not be set aside either: {error}"
    else:
        hint = f"The file was kept as {backup}. What could not be read has its default again."
    return Loaded(settings, SettingsError(f"The settings file {path} is damaged: {reason}.", hint=hint))


def _entries(settings: Settings) -> dict[str, Any]:
    sampling = settings.sampling
    return {
        **settings.unknown,
        "theme": settings.theme.value,
        "workspace": None if settings.workspace is None else str(settings.workspace),
        "model": None if settings.model is None else str(settings.model),
        "effort": None if settings.effort is None else settings.effort.value,
        "sampling": {"temperature": sampling.temperature, "top_p": sampling.top_p, "seed": sampling.seed},
        "font_size": settings.font_size,
        "layout": dict(settings.layout),
        "strict": settings.strict,
        "models_folder": None if settings.models_folder is None else str(settings.models_folder),
        "thinking_budgets": {effort.value: tokens for effort, tokens in settings.thinking_budgets.items()},
        "author": settings.author,
    }


def _read(entries: dict[str, Any]) -> tuple[Settings, list[str]]:
    """Settings from a JSON object, and the names of the values that had to be left at their defaults."""
    good: dict[str, Any] = {}
    wrong: list[str] = []
    for name, reader in _READERS.items():
        if name in entries:
            try:
                good[name] = reader(entries[name])
            except ValueError:
                wrong.append(name)
    unknown = {key: value for key, value in entries.items() if key not in _READERS}
    return Settings(**good, unknown=unknown), wrong


def _path(value: object) -> Path | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError(value)
    return Path(value)


def _effort(value: Any) -> Effort | None:
    return None if value is None else Effort(value)


def _font_size(value: object) -> int | None:
    return None if value is None else _whole(value, SMALLEST_FONT, LARGEST_FONT)


def _sampling(value: object) -> Sampling:
    if not isinstance(value, dict) or set(value) - {"temperature", "top_p", "seed"}:
        raise ValueError(value)
    top_p = _number(value.get("top_p", GREEDY.top_p), 1.0)
    if top_p == 0.0:
        raise ValueError(top_p)
    return Sampling(
        temperature=_number(value.get("temperature", GREEDY.temperature), HIGHEST_TEMPERATURE),
        top_p=top_p,
        seed=_whole(value.get("seed", GREEDY.seed), 0, HIGHEST_SEED),
    )


def _layout(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise ValueError(value)
    return dict(value)


def _budgets(value: object) -> dict[Effort, int]:
    if not isinstance(value, dict):
        raise ValueError(value)
    return {Effort(effort): _whole(tokens, 1, MOST_THINKING) for effort, tokens in value.items()}


def _line(value: object) -> str:
    """A name on one line. Joiners within a word are letters to some languages, though Python prints none."""
    if not isinstance(value, str) or len(value) > LONGEST_NAME:
        raise ValueError(value)
    if any(unicodedata.category(character) in _NOT_IN_A_LINE for character in value):
        raise ValueError(value)
    return value


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(value)
    return value


def _whole(value: object, lowest: int, highest: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise ValueError(value)
    return value


def _number(value: object, highest: float) -> float:
    """A finite number from 0 to ``highest``; JSON as Python reads it has NaN and truth values among its numbers."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise ValueError(value)
    if not math.isfinite(value) or not 0.0 <= value <= highest:
        raise ValueError(value)
    return float(value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "theme": Theme,
    "workspace": _path,
    "model": _path,
    "effort": _effort,
    "sampling": _sampling,
    "font_size": _font_size,
    "layout": _layout,
    "strict": _switch,
    "models_folder": _path,
    "thinking_budgets": _budgets,
    "author": _line,
}
