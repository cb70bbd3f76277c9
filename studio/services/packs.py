"""Policy packs out of the workspace and into it, and a folder of policies brought in in one go."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from uuid import uuid4

from studio import __version__
from studio.core.errors import InputError
from studio.core.golden import GoldenExample
from studio.core.policy import PolicyVersion
from studio.exchange.content_files import read_golden
from studio.exchange.policy_pack import SUFFIX, Pack, read_pack, write_pack
from studio.services.policies import PolicyService
from studio.store.workspace import Workspace

__all__ = ["SUFFIX", "Imported", "Pack", "PackService", "Unpacked"]

MOST_FILES = 1000
"""Policy files of one folder at most: a folder with more was hardly meant."""
_ENDINGS = (".md", ".txt")
_NOT_POLICIES = frozenset({"readme", "license", "licence", "changelog", "contributing", "notice"})


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What came of a pack. ``added`` examples are new; ``differing`` were here with another decision and stay so."""

    version: PolicyVersion
    note: str
    added: int
    known: int
    differing: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Imported:
    """One file of a folder: the version that it became, or why it could not be used."""

    path: Path
    version: PolicyVersion | None
    notes: tuple[str, ...] = ()
    added: int = 0
    problem: InputError | None = None


class PackService:
    """Packs and unpacks policies."""

    def __init__(self, workspace: Workspace, policies: PolicyService) -> None:
        self._golden = workspace.golden
        self._policies = policies

    def pack(self, version: PolicyVersion, path: Path, *, note: str = "") -> Pack:
        """Write a saved version with its policy's golden set as one file. Raises InputError."""
        made = Pack(
            policy=version.policy,
            examples=tuple(self._golden.each(version.policy.id)),
            note=note or version.message,
            number=version.number,
            release=version.release,
            created_at=datetime.now(UTC),
        )
        write_pack(made, path, studio_version=__version__)
        return made

    def unpack(self, path: Path) -> Unpacked:
        """Save the policy of a pack as :meth:`PolicyService.import_path` does, and add the examples that are not here.

        The version takes the release's name where it is free. Raises InputError or PolicyError; nothing is kept then.
        """
        read = read_pack(path)
        version = self._policies.save_imported(read.policy, f"Unpacked from {path.name}")
        if read.release and not any(one.release for one in self._policies.versions(version.policy.id)):
            version = self._policies.name_release(version.policy.id, version.number, read.release)
        added, known, differing = self._add(version.policy.id, read.examples)
        return Unpacked(version, read.note, added, known, differing, read.notes)

    def import_folder(self, folder: Path, message: str = "") -> tuple[Imported, ...]:
        """Every policy of a folder: its .md and .txt files, and policy.md of the folders in it with its golden.jsonl.

        One file that cannot be used stops no other. Raises InputError when there is none, or too many.
        """
        found = _policy_files(folder)
        if not found:
            raise InputError(f"There is no policy in {folder}.", hint="Name a folder with .md or .txt files.")
        if len(found) > MOST_FILES:
            raise InputError(
                f"{folder} has {len(found):,} policy files; at most {MOST_FILES:,} are read at once.",
                hint="Name a folder in it.",
            )
        return tuple(self._import(path, message) for path in found)

    def _import(self, path: Path, message: str) -> Imported:
        try:
            golden = path.with_name("golden.jsonl")
            examples: tuple[GoldenExample, ...] = ()
            if path.name.casefold() == "policy.md" and golden.is_file():
                examples = read_golden(golden, "")
            version, notes = self._policies.import_path(path, message)
        except InputError as error:
            return Imported(path, None, problem=error)
        return Imported(path, version, notes, self._add(version.policy.id, examples)[0])

    def _add(self, policy_id: str, examples: tuple[GoldenExample, ...]) -> tuple[int, int, int]:
        """Add the examples whose content is not there: how many were added, were known, and are decided otherwise."""
        here = {digest: expected for _, digest, expected, _ in self._golden.digests(policy_id)}
        new: list[GoldenExample] = []
        known = differing = 0
        for example in examples:
            digest = example.content.sha256
            if digest in here:
                known += 1
                differing += here[digest] is not example.expected
            else:
                here[digest] = example.expected
                new.append(replace(example, policy_id=policy_id))
        rest = iter(new)
        while part := list(islice(rest, 5000)):
            taken = {one.id for one in self._golden.many([one.id for one in part])}
            self._golden.add_new(
                [replace(one, id=uuid4().hex) if not one.id or one.id in taken else one for one in part]
            )
        return len(new), known, differing


def _policy_files(folder: Path) -> list[Path]:
    try:
        children = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"{folder} could not be read: {error.strerror or error}.", hint="Check the name.") from error
    files = [child for child in children if child.suffix.casefold() in _ENDINGS and child.is_file()]
    nested = [child / "policy.md" for child in children if (child / "policy.md").is_file()]
    kept = [one for one in files if one.stem.casefold() not in _NOT_POLICIES and not one.name.startswith(".")]
    return kept + nested
