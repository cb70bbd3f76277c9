"""Verify this bundle, then install the studio from it. Needs Python and nothing else, and no network.

A copy of this file stands in every bundle and is run there by ``install.sh`` or ``install.cmd``. So it uses the
standard library only, and the studio itself verifies bundles with the same code.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Any

Manifest = Mapping[str, Any]
Found = Mapping[str, "tuple[int, str]"]

FORMAT = 1
MANIFEST = "manifest.json"
MOST_FILES = 20_000
MOST_MANIFEST_BYTES = 16 * 1024 * 1024
_CHUNK = 8 * 1024 * 1024
_SPARE = 512 * 1024 * 1024
_UNPACKED = 4  # wheels are at most about so many times larger when they are unpacked
_SHA256 = re.compile(r"[0-9a-f]{64}")
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+!]{0,60}")
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


class BundleProblem(Exception):
    """The bundle cannot be used as it is; the text says why and what to do."""


def read_manifest(data: bytes) -> Manifest:
    """The manifest, checked in full before any of it is used. Raises BundleProblem."""
    if len(data) > MOST_MANIFEST_BYTES:
        raise BundleProblem(f"{MANIFEST} is larger than any manifest is.")
    try:
        manifest = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BundleProblem(f"{MANIFEST} is damaged: {error}.") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BundleProblem(f"{MANIFEST} is not a manifest that this version reads.")
    files = manifest.get("files")
    if not isinstance(files, list) or len(files) > MOST_FILES:
        raise BundleProblem(f"{MANIFEST} lists no files, or too many.")
    seen = {MANIFEST}
    for entry in files:
        good = isinstance(entry, dict) and isinstance(entry.get("size"), int) and entry["size"] >= 0
        if not good or not _SHA256.fullmatch(str(entry.get("sha256"))) or not is_safe(entry.get("path")):
            raise BundleProblem(f"{MANIFEST} has an entry that cannot be used: {str(entry)[:200]!r}.")
        if entry["path"].casefold() in seen:
            raise BundleProblem(f"{MANIFEST} names {entry['path']} twice.")
        seen.add(entry["path"].casefold())
    known = {entry["path"] for entry in files}
    for kind in ("models", "policies"):
        things = manifest.get(kind)
        if not isinstance(things, list) or not all(_names_files(thing, known) for thing in things):
            raise BundleProblem(f"{MANIFEST} does not say which files its {kind} are.")
    if not isinstance(manifest.get("requires"), dict) or not _VERSION.fullmatch(str(manifest.get("studio"))):
        raise BundleProblem(f"{MANIFEST} does not say what it is for.")
    return manifest


def is_safe(path: object) -> bool:
    """Whether it is a relative path that stays below its folder on every system."""
    if not isinstance(path, str) or not path or len(path) > 400 or re.search(r'[\x00-\x1f\\:*?"<>|]', path):
        return False
    parts = path.split("/")
    return all(p not in ("", ".", "..") and p[-1] not in ". " and not _DEVICES.fullmatch(p) for p in parts)


def _names_files(thing: Any, known: set[str]) -> bool:
    files = thing.get("files") if isinstance(thing, dict) else None
    return isinstance(files, list) and bool(files) and all(isinstance(name, str) and name in known for name in files)


def compare(manifest: Manifest, found: Found, odd: Iterable[str] = ()) -> list[str]:
    """What is wrong, one line each; ``found`` maps each path to size and sha256, ``odd`` are not plain files."""
    problems = [f"not a plain file: {path}" for path in sorted(odd)]
    listed = {entry["path"]: (entry["size"], entry["sha256"]) for entry in manifest["files"]}
    for path, wanted in sorted(listed.items()):
        if path not in found:
            problems.append(f"missing: {path}")
        elif found[path] != wanted:
            problems.append(f"wrong: {path} (sha256 {found[path][1]}, listed {wanted[1]})")
    problems += [f"not listed: {path}" for path in sorted(set(found) - set(listed) - {MANIFEST})]
    return problems


def digest(stream: IO[bytes], copy_to: IO[bytes] | None = None) -> tuple[int, str]:
    """Size and sha256 of what is left in a stream, copied to another on the way when one is given."""
    reader = hashlib.sha256()
    size = 0
    while True:
        piece = stream.read(_CHUNK)
        if not piece:
            return size, reader.hexdigest()
        reader.update(piece)
        size += len(piece)
        if copy_to is not None:
            copy_to.write(piece)


def sha256(data: bytes) -> str:
    """The sha256 of some bytes."""
    return hashlib.sha256(data).hexdigest()


def look_at_folder(folder: Path, told: Callable[[str], None] | None = None) -> tuple[Found, list[str]]:
    """Every file below the folder with size and sha256, and what is no plain file. Raises OSError, BundleProblem."""
    found: dict[str, tuple[int, str]] = {}
    odd: list[str] = []
    for place, folders, files in os.walk(str(folder)):
        for name in sorted(folders + files):
            path = Path(place, name)
            relative = path.relative_to(folder).as_posix()
            if path.is_symlink() or not (path.is_dir() or path.is_file()):
                odd.append(relative)
            elif path.is_file():
                if len(found) > MOST_FILES:
                    raise BundleProblem(f"{folder} holds more files than a bundle has.")
                with path.open("rb") as file:
                    found[relative] = digest(file)
                if told is not None:
                    told(relative)
    return found, odd


def check_folder(folder: Path, told: Callable[[str], None] | None = None) -> tuple[Manifest, list[str]]:
    """The manifest of a bundle that is a folder, and all that is wrong with it. Raises OSError or BundleProblem."""
    path = folder / MANIFEST
    if not path.is_file() or path.is_symlink():
        raise BundleProblem(f"{folder} has no {MANIFEST}: it is not a bundle, or not all of it.")
    with path.open("rb") as file:
        manifest = read_manifest(file.read(MOST_MANIFEST_BYTES + 1))
    found, odd = look_at_folder(folder, told)
    return manifest, compare(manifest, found, odd)


def cpu_flags() -> set[str]:
    """The instruction sets of this processor by Linux's names; empty where they cannot be read."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return set()
    match = re.search(r"^(?:flags|Features)\s*:\s*(.*)$", text, re.MULTILINE)
    return set(match.group(1).split()) if match else set()


def misfits(requires: Mapping[str, Any]) -> list[str]:
    """Why this machine or this Python is not what the bundle was made for; empty when it is."""
    here = {
        "python": f"{sys.version_info[0]}.{sys.version_info[1]}",
        "implementation": sys.implementation.name,
        "system": platform.system(),
        "machine": platform.machine(),
    }
    found = [
        f"It was made for {name} {requires[name]}; here it is {value}."
        for name, value in here.items()
        if requires.get(name) not in (None, "", value)
    ]
    libc, wanted = platform.libc_ver()[1], str(requires.get("glibc") or "")
    if wanted and libc and _numbers(libc) < _numbers(wanted):
        found.append(f"It needs glibc {wanted} or newer; here it is {libc}.")
    flags = requires.get("cpu")
    missing = sorted(set(map(str, flags)) - cpu_flags()) if isinstance(flags, list) and cpu_flags() else []
    if missing:
        found.append(f"Its llama.cpp was built for a processor that has {', '.join(missing)}; this one has not.")
    return found


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def install(bundle: Path, manifest: Manifest, target: Path, *, prove: bool = True) -> Path:
    """Install into a folder that is made for it; on failure it is taken away again. Returns the command."""
    if target.exists() and any(target.iterdir()):
        raise BundleProblem(f"{target} is not empty. Name another folder with --to.")
    sizes = {entry["path"]: entry["size"] for entry in manifest["files"]}
    wheels = sum(size for path, size in sizes.items() if path.startswith("wheels/"))
    needed = wheels * _UNPACKED + sum(size for path, size in sizes.items() if path.startswith("models/")) + _SPARE
    target.mkdir(parents=True, exist_ok=True)
    try:
        free = shutil.disk_usage(str(target)).free
        if free < needed:
            raise BundleProblem(f"{target} has {free / 1e9:.1f} GB free; {needed / 1e9:.1f} GB are needed.")
        command = _install_program(bundle, str(manifest["studio"]), target)
        _bring_models(bundle, manifest, target, command)
        for policy in manifest["policies"]:
            # A starter policy comes with the program: imported it would be there twice.
            for name in [] if policy.get("starter") is True else policy["files"]:
                _run([str(command), "policies", "import", str(bundle / name)])
        if prove:
            _say("A first judgement, with proof that nothing is connected:")
            _run([str(command), "doctor", "--prove-offline"])
    except BaseException:
        shutil.rmtree(str(target), ignore_errors=True)
        raise
    return command


def _install_program(bundle: Path, version: str, target: Path) -> Path:
    _say(f"Making an environment in {target}")
    wheels = bundle / "wheels"
    pip = next(iter(sorted(wheels.glob("pip-*.whl"))), None)
    # A system without ensurepip has venv all the same: then pip runs from its own wheel.
    _run([sys.executable, "-m", "venv", *(["--without-pip"] if pip else []), str(target / "program")])
    inside = target / "program" / ("Scripts" if os.name == "nt" else "bin")
    python = inside / ("python.exe" if os.name == "nt" else "python")
    how = [str(python), str(pip / "pip")] if pip else [str(python), "-m", "pip"]
    _say("Installing")
    options = ["--no-index", "--find-links", str(wheels), "--only-binary", ":all:", "--no-cache-dir", "--quiet"]
    # With pip among them, the studio there can make a bundle of its own.
    wanted = [f"moderation-studio=={version}", *(["pip"] if pip else [])]
    _run([*how, "--isolated", "--disable-pip-version-check", "--no-input", "install", *options, *wanted])
    return inside / ("moderation-studio.exe" if os.name == "nt" else "moderation-studio")


def _bring_models(bundle: Path, manifest: Manifest, target: Path, command: Path) -> None:
    listed = {entry["path"]: (entry["size"], entry["sha256"]) for entry in manifest["files"]}
    for number, model in enumerate(manifest["models"]):
        places = []
        for name in model["files"]:
            place = target / name
            _say(f"Copying {Path(name).name}")
            place.parent.mkdir(parents=True, exist_ok=True)
            with (bundle / name).open("rb") as source, place.open("xb") as copy:
                if digest(source, copy) != listed[name]:
                    raise BundleProblem(f"{name} changed while it was copied.")
            places.append(str(place))
        # The first is the one that judges from now on.
        _run([str(command), "models", "import", places[0], "--use" if number == 0 else "--no-use"])


def _run(command: list[str]) -> None:
    # What this shell says to Python and to pip is not meant for the new environment.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_"))}
    done = subprocess.run(command, env={**kept, "PIP_CONFIG_FILE": os.devnull}, check=False)
    if done.returncode:
        raise BundleProblem(f"This step ended with code {done.returncode}: {' '.join(command)}")


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def _usual_place() -> Path:
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home())), "Moderation Studio")
    if sys.platform == "darwin":
        return Path.home() / "Applications" / "moderation-studio"
    return Path.home() / ".local" / "share" / "moderation-studio-program"


def main(arguments: list[str] | None = None) -> int:
    """Verify and install; the exit code is 0 when all went well."""
    parser = argparse.ArgumentParser(description="Install Moderation Studio from this bundle, without a network.")
    parser.add_argument("--to", type=Path, default=None, help="the folder to install into; it must be new or empty")
    parser.add_argument("--verify-only", action="store_true", help="compare every file with the manifest and stop")
    parser.add_argument("--no-proof", action="store_true", help="do not make a first judgement")
    chosen = parser.parse_args(arguments)
    bundle = Path(__file__).resolve().parent
    target = (chosen.to or _usual_place()).expanduser().absolute()
    try:
        _say(f"Verifying every file of {bundle}")
        manifest, problems = check_folder(bundle)
        if problems:
            raise BundleProblem("\n".join(["The bundle is not as it was made. Nothing was installed.", *problems]))
        _say(f"All {len(manifest['files'])} files are as the manifest says.")
        if chosen.verify_only:
            return 0
        wrong = misfits(manifest["requires"])
        if wrong:
            raise BundleProblem("\n".join(["This bundle does not fit here. Nothing was installed.", *wrong]))
        command = install(bundle, manifest, target, prove=not chosen.no_proof)
    except (BundleProblem, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    _say(f"Installed. Start it with:\n  {command}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
