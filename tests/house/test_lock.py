"""The lock: every library that the project asks for is pinned with its hashes, and nothing says where to get it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from studio import paths

ROOT = Path(paths.__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def entries() -> Iterator[tuple[Requirement, str]]:
    """Each pinned library, and its hashes as they are written."""
    for block in re.split(r"(?m)^(?=[A-Za-z0-9])", LOCK.read_text(encoding="utf-8")):
        if block.strip():
            yield Requirement(block.split("\\")[0].strip()), "".join(re.findall(r"--hash=\S+", block))


def pinned() -> dict[str, list[Requirement]]:
    """The pins by name; a library may have one for each system or version of Python."""
    found: dict[str, list[Requirement]] = {}
    for requirement, _ in entries():
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


PINNED = pinned()
ASKED = [
    *PROJECT["project"]["dependencies"],
    *PROJECT["dependency-groups"]["dev"],
    *PROJECT["build-system"]["requires"],
]


@pytest.mark.parametrize("asked", ASKED)
def test_what_the_project_asks_for_is_pinned_within_its_range(asked: str) -> None:
    wanted = Requirement(asked)
    pins = PINNED.get(canonicalize_name(wanted.name), [])
    assert pins, f"{wanted.name} is not in requirements.lock: run `make lock`"
    for pin in pins:
        (version,) = pin.specifier
        assert version.operator == "=="
        assert wanted.specifier.contains(version.version, prereleases=True), f"{pin} is not {wanted}"


def test_what_the_libraries_ask_for_is_pinned_too() -> None:
    missing = []
    for name, pins in PINNED.items():
        extras = {"", *(extra for pin in pins for extra in pin.extras)}
        try:
            needs = [Requirement(text) for text in requires(name) or ()]
        except PackageNotFoundError:
            assert all(pin.marker is not None for pin in pins), f"{name} is not installed: run `make install`"
            continue
        for need in needs:
            here = need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras)
            if here and canonicalize_name(need.name) not in PINNED:
                missing.append(f"{need.name}, for {name}")
    assert not missing


def test_every_pin_has_its_hashes_and_no_line_names_a_place() -> None:
    for requirement, hashes in entries():
        assert re.fullmatch(r"(?:--hash=sha256:[0-9a-f]{64})+", hashes), requirement
        assert requirement.url is None
    text = LOCK.read_text(encoding="utf-8")
    assert not re.search(r"://|(?m:^-)|--(?:extra-)?index|--find-links|--trusted-host|\bfile:", text)
