"""Makes a bundle: wheels, models, policies, licences, the installer, and a manifest with the sha256 of all of it."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from studio.core.progress import Cancel, Progress
from studio.exchange.bundle import installer, wheels
from studio.exchange.bundle.sink import BundleError, Writer, opened
from studio.exchange.bundle.wheels import Package

NAME = "moderation-studio"
OWN_WHEEL = "moderation_studio"
_SPARE = 256 * 1024 * 1024
_CPU = ("avx", "avx2", "avx512", "avx_", "amx", "fma", "f16c", "bmi2", "sve", "i8mm", "asimddp", "bf16")
"""Beginnings of the instruction sets that llama.cpp uses where the machine that builds it has them."""

_SHELL = """\
#!/bin/sh
# Verifies this bundle and installs Moderation Studio from it. Options: --to FOLDER, --verify-only, --no-proof.
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
for python in python{python} python3; do
    if "$python" -c 'import sys; sys.exit(sys.version_info[:2] != ({comma}))' 2>/dev/null; then
        exec "$python" -I -B "$here/install.py" "$@"
    fi
done
echo "Python {python} is needed and was not found." >&2
exit 1
"""
_BATCH = """\
@echo off
rem Verifies this bundle and installs Moderation Studio from it. Options: --to FOLDER, --verify-only, --no-proof.
py -{python} -I -B "%~dp0install.py" %*
"""
_README = """\
Moderation Studio {version}, for machines without a network

Needed there: {system} on {machine}, with Python {python}.

Install:   ./install.sh            (Windows: install.cmd)
           Every file is verified before anything is installed. A first judgement is made at the end.
Elsewhere: ./install.sh --to FOLDER
Verify:    ./install.sh --verify-only

The manifest lists the sha256 of every file. It cannot vouch for itself: whoever made this bundle was shown the
sha256 of manifest.json and can tell it to you by another way.

Models: {models}
Policies: {policies}
The licences of all parts are in the folder licences.
"""


@dataclass(frozen=True, slots=True)
class BundleModel:
    """A model to bring: its name, its files in order, and their sha256."""

    name: str
    files: tuple[Path, ...]
    sha256: tuple[str, ...]
    licence: str = ""


@dataclass(frozen=True, slots=True)
class BundlePolicy:
    """A policy to bring, as the text of its file. ``starter``: the studio brings the very same one itself."""

    id: str
    title: str
    text: str
    starter: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """A bundle as it was made. ``size`` of all its files in bytes; ``manifest_sha256`` is to be told on another way."""

    path: Path
    size: int
    files: int
    packages: tuple[Package, ...]
    manifest_sha256: str
    notes: tuple[str, ...] = field(default=())


def create(
    out: Path,
    *,
    models: Sequence[BundleModel] = (),
    policies: Sequence[BundlePolicy] = (),
    wheel_folder: Path | None = None,
    archive: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    cancel: Cancel | None = None,
) -> Made:
    """Make the bundle ``out``, a folder or a tar archive. Raises InputError, NotFoundError or BundleError."""
    with tempfile.TemporaryDirectory() as made:
        return _create(out, Path(made), models, policies, wheel_folder, archive, on_progress, cancel)


def _create(
    out: Path,
    made: Path,
    models: Sequence[BundleModel],
    policies: Sequence[BundlePolicy],
    wheel_folder: Path | None,
    archive: bool,
    on_progress: Callable[[Progress], None] | None,
    cancel: Cancel | None,
) -> Made:
    own = _own(made)
    needed_here, pip = wheels.closure(NAME, lambda name: own if name == NAME else distribution(name)), _pip()
    size = sum(file.stat().st_size for model in models for file in model.files)
    size += sum(path.stat().st_size for path in wheel_folder.glob("*.whl")) if wheel_folder else 0
    size += 0 if wheel_folder else sum(_installed_bytes(dist) for dist in needed_here)
    with opened(out, archive=archive, needed=size + _SPARE) as sink:
        told = _Telling(size, on_progress)
        writer = Writer(sink, told.more, cancel)
        packages = _bring_wheels(writer, [*needed_here, *pip], wheel_folder, made, told, cancel)
        listed_models = _bring_models(writer, models)
        for policy in policies:
            writer.text(f"policies/{policy.id}.md", policy.text)
        licences = _bring_licences(writer, [*needed_here, *pip], models)
        requires = _requires(packages, own=wheel_folder is None)
        _bring_installer(writer, requires, models, policies)
        manifest = {
            "format": installer.FORMAT,
            "studio": distribution(NAME).version,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "requires": requires,
            "models": listed_models,
            "policies": [
                {"id": p.id, "title": p.title, "files": [f"policies/{p.id}.md"], "starter": p.starter} for p in policies
            ],
            "packages": [
                {**asdict(package), "licence": licences.get(canonicalize_name(package.name), "")}
                for package in packages
            ],
            "files": sorted(writer.entries, key=lambda entry: str(entry["path"])),
        }
        data = (json.dumps(manifest, indent=1, ensure_ascii=True) + "\n").encode("ascii")
        # What could not be read back must not be handed out.
        installer.read_manifest(data)
        writer.manifest(data)
    total = sum(int(entry["size"]) for entry in writer.entries) + len(data)
    notes = _notes(packages, requires, pip)
    return Made(out, total, len(writer.entries) + 1, tuple(packages), installer.sha256(data), notes)


def _bring_wheels(
    writer: Writer,
    needed: Sequence[Distribution],
    wheel_folder: Path | None,
    made: Path,
    told: _Telling,
    cancel: Cancel | None,
) -> list[Package]:
    if wheel_folder is not None:
        names = [str(dist.metadata["Name"]) for dist in needed if _is_wanted(dist, wheel_folder)]
        found = wheels.given(wheel_folder, names)
    else:
        found = []
        for dist in needed:
            told.say(f"Making the wheel of {dist.metadata['Name']}")
            built = sorted(made.glob(f"{OWN_WHEEL}-*.whl")) if dist.metadata["Name"] == NAME else []
            package = wheels.named(built[0]) if built else wheels.rebuild(dist, made)
            found.append((made / package.wheel, package))
            if cancel is not None and cancel.requested:
                raise BundleError("Making the bundle was stopped.", hint="Start it again at any time.")
    for path, package in found:
        writer.copy(f"wheels/{package.wheel}", path)
        if wheel_folder is None:
            path.unlink()
    return [package for _path, package in found]


def _is_wanted(dist: Distribution, wheel_folder: Path) -> bool:
    """Of a folder of wheels only pip may be missing: then the other machine's own Python brings it."""
    return dist.metadata["Name"] != "pip" or any(wheel_folder.glob("pip-*.whl"))


def _own(made: Path) -> Distribution:
    """The studio as it is installed; of a source tree that is used in place the wheel is built first, by hatchling.

    What such a tree needs is what its wheel says: its notes among what is installed may be older.
    """
    installed = distribution(NAME)
    if not wheels.is_editable(installed):
        return installed
    source = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(made)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    built = sorted(made.glob(f"{OWN_WHEEL}-*.whl"))
    if done.returncode or len(built) != 1:
        raise BundleError(
            f"The wheel of the studio could not be built from {source}: {(done.stderr or done.stdout)[-500:].strip()}",
            hint="Install hatchling, or install the studio from a wheel and make the bundle there.",
        )
    return wheels.opened(built[0])


def _bring_models(writer: Writer, models: Sequence[BundleModel]) -> list[dict[str, Any]]:
    listed = []
    for number, model in enumerate(models, 1):
        files = [f"models/{number}/{file.name}" for file in model.files]
        for path, file, sha256 in zip(files, model.files, model.sha256, strict=True):
            writer.copy(path, file, sha256=sha256)
        listed.append({"name": model.name, "files": files, "sha256": list(model.sha256), "licence": model.licence})
    return listed


def _bring_licences(writer: Writer, needed: Sequence[Distribution], models: Sequence[BundleModel]) -> dict[str, str]:
    """Every licence's text, and one list of who has which."""
    summary: dict[str, str] = {}
    for dist in needed:
        name = canonicalize_name(dist.metadata["Name"])
        summary[name] = wheels.licence_of(dist) or "see the texts"
        taken: set[str] = set()
        for place, text in wheels.licence_texts(dist):
            target = f"licences/{name}-{dist.version}/{place}"
            if installer.is_safe(target) and target.casefold() not in taken:
                taken.add(target.casefold())
                writer.data(target, text)
    lines = [f"{name}: {words}" for name, words in sorted(summary.items())]
    lines += [f"{model.name} (model): {model.licence or 'not known to the studio'}" for model in models]
    writer.text("licences/LICENCES.txt", "\n".join(lines) + "\n")
    return summary


def _bring_installer(
    writer: Writer, requires: dict[str, Any], models: Sequence[BundleModel], policies: Sequence[BundlePolicy]
) -> None:
    writer.data("install.py", Path(installer.__file__).read_bytes())
    python = str(requires["python"])
    writer.text("install.sh", _SHELL.format(python=python, comma=python.replace(".", ", ")), program=True)
    writer.data("install.cmd", _BATCH.format(python=python).replace("\n", "\r\n").encode("ascii"))
    readme = _README.format(
        version=distribution(NAME).version,
        system=requires["system"],
        machine=requires["machine"],
        python=python,
        models=", ".join(model.name for model in models) or "the demo model only, which is not for moderation",
        policies=", ".join(policy.title for policy in policies) or "those that come with the studio",
    )
    writer.text("READ-ME.txt", readme)


def _requires(packages: Sequence[Package], *, own: bool) -> dict[str, Any]:
    """What the other machine must be like. What was built here may use all that this machine's processor has."""
    native = own and any(package.native for package in packages)
    return {
        "python": f"{sys.version_info[0]}.{sys.version_info[1]}",
        "implementation": sys.implementation.name,
        "system": platform.system(),
        "machine": platform.machine(),
        "glibc": platform.libc_ver()[1] if native else "",
        "cpu": sorted(flag for flag in installer.cpu_flags() if flag.startswith(_CPU)) if native else [],
    }


def _notes(packages: Sequence[Package], requires: dict[str, Any], pip: Sequence[Distribution]) -> tuple[str, ...]:
    native = [package.name for package in packages if package.native]
    notes = []
    if native:
        needs = f"glibc {requires['glibc']} or newer" if requires["glibc"] else "a system like this one"
        notes.append(
            f"{', '.join(native)} was built on this machine: the other needs {needs} and the same instruction sets. "
            "The installer checks that. For other machines, name a folder of wheels built for them with --wheels."
        )
    if not pip:
        notes.append("pip is not installed here: the other machine's Python must bring it (ensurepip).")
    return tuple(notes)


def _pip() -> list[Distribution]:
    try:
        return [distribution("pip")]
    except PackageNotFoundError:
        return []


def _installed_bytes(dist: Distribution) -> int:
    return sum(file.size or 0 for file in dist.files or ())


class _Telling:
    """Progress in bytes. What wheels take is only known when they are made: they are told of by name."""

    def __init__(self, total: int, on_progress: Callable[[Progress], None] | None) -> None:
        self._total, self._done, self._on_progress = total, 0, on_progress

    def more(self, path: str, count: int) -> None:
        self._done += count
        self.say(f"Writing {path.rsplit('/', 1)[-1]}")

    def say(self, words: str) -> None:
        if self._on_progress is not None:
            self._on_progress(Progress(min(self._done, self._total), self._total, words))
