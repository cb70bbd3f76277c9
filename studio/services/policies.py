"""Policies: the starters, the user's own, their drafts and their immutable versions."""

from __future__ import annotations

import builtins
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from studio import paths
from studio.core.contract import writes_contract
from studio.core.errors import InputError, NotFoundError, PolicyError
from studio.core.golden import GoldenExample
from studio.core.labels import Label, LabelDecision
from studio.core.policy import OutputForm, Policy, PolicySummary, PolicyVersion
from studio.exchange.content_files import read_golden
from studio.exchange.policy_files import (
    ReadPolicy,
    parse_policy,
    plain_file,
    policy_file,
    policy_text,
    read_policy,
    slug,
)
from studio.services.author import author_name
from studio.store.workspace import Workspace

__all__ = ["PolicyService", "PolicySummary", "ReadPolicy"]

_STARTERS_INSTALLED = "starters_installed"
_AUTHOR = "Moderation Studio"
_BLANK = """\
# Instruction
Decide whether the content breaks this policy. A violating rule beats one that allows.

# Definitions
-

# Criteria
## Violates
- V1.a:

## Allowed
- V0.a:

# Examples
-
"""


class PolicyService:
    """Opening, drafting, saving and importing policies."""

    def __init__(self, workspace: Workspace) -> None:
        self._store = workspace.policies
        self._golden = workspace.golden
        self._settings = workspace.settings

    def install_starters(self) -> None:
        """Put the shipped policies with their golden examples into a workspace that has not had them yet.

        A starter that the user changed or deleted stays as the user left it.
        """
        had = self._settings.get(_STARTERS_INSTALLED)
        installed = [str(item) for item in had] if isinstance(had, list) else []
        shipped = sorted(folder for folder in paths.resource("policies").iterdir() if (folder / "policy.md").is_file())
        missing = [folder for folder in shipped if folder.name not in installed]
        if not missing:
            return
        now = datetime.now(UTC)
        for folder in missing:
            policy = read_policy(folder / "policy.md").policy
            if self._store.latest(policy.id) is None:
                # The examples go first: however the first start ended, a starter that is there has its examples.
                if not self._golden.count(policy.id):
                    source = f"starter {folder.name}"
                    found = read_golden(folder / "golden.jsonl", policy.id)
                    # Only those that are not there: another process may start in the same new workspace.
                    self._golden.add_new(
                        [replace(e, source=source, decided_by=_AUTHOR, created_at=now) for e in found],
                    )
                self._store.save_version(policy, message="Starter policy", author=_AUTHOR, now=now, builtin=True)
            installed.append(folder.name)
        self._settings.set(_STARTERS_INSTALLED, installed)

    def list(self, *, tag: str = "", jurisdiction: str = "") -> builtins.list[PolicySummary]:
        """All policies that are not archived, by title; of one tag or jurisdiction where given, in any case."""
        return [
            one
            for one in self._store.list()
            if (not tag or tag.casefold() in (other.casefold() for other in one.tags))
            and (not jurisdiction or jurisdiction.casefold() in (other.casefold() for other in one.jurisdictions))
        ]

    def get(self, policy_id: str, number: int | None = None) -> PolicyVersion:
        """A saved version, the newest unless ``number`` is given. Raises NotFoundError."""
        found = self._store.latest(policy_id) if number is None else self._store.version(policy_id, number)
        if found is not None:
            return found
        if number is not None and self._store.latest(policy_id) is not None:
            raise NotFoundError(f"The policy {policy_id!r} has no version {number}.", hint="See its versions.")
        raise NotFoundError(
            f"There is no policy {policy_id!r} in this workspace.",
            hint="`moderation-studio policies list` shows those that are there; `policies import FILE` adds one.",
        )

    def versions(self, policy_id: str) -> builtins.list[PolicyVersion]:
        """All saved versions, newest first."""
        return self._store.versions(policy_id)

    def release(self, policy_id: str, name: str) -> PolicyVersion:
        """The version that was named as that release, in any case. Raises NotFoundError."""
        for version in self.versions(policy_id):
            if name and version.release.casefold() == name.casefold():
                return version
        raise NotFoundError(f"The policy {policy_id!r} has no release {name!r}.", hint="See its versions.")

    def name_release(self, policy_id: str, number: int, name: str) -> PolicyVersion:
        """Name a version as a release; an empty name takes it away. Raises NotFoundError or InputError."""
        if name.isdecimal():
            raise InputError(f"{name!r} looks like the number of a version.", hint="Choose a name with a letter.")
        return self._store.name_release(policy_id, number, name.strip())

    def restore(self, policy_id: str, number: int) -> PolicyVersion:
        """Save an older version as the newest one; the versions between stay. Raises NotFoundError."""
        policy = self.get(policy_id, number).policy
        return self.save(policy, message=f"Version {number} restored")

    def branch(self, policy_id: str, number: int, title: str) -> PolicyVersion:
        """Begin a variant: a new policy from one version, with a copy of the golden set. Raises NotFoundError."""
        policy = self.get(policy_id, number).policy
        own = replace(policy, id=self.free_id(slug(title)), title=title)
        message = f"Variant of {policy_id}, version {number}"
        self._golden.add_many(
            replace(example, id=uuid4().hex, policy_id=own.id) for example in self._golden.each(policy_id)
        )
        return self._store.save_version(own, message=message, author=author_name(), now=datetime.now(UTC))

    def open(self, policy_id: str) -> Policy:
        """The policy as it was last left: its draft if there is one, else its newest version. Raises NotFoundError."""
        return self._store.draft(policy_id) or self.get(policy_id).policy

    def save(self, policy: Policy, *, message: str = "", author: str = "") -> PolicyVersion:
        """Save an immutable version; the draft is then done with. An unchanged policy gives its newest version.

        Without an ``author`` it is the one of the settings.
        """
        name = author or author_name()
        saved = self._store.save_version(policy, message=message, author=name, now=datetime.now(UTC))
        self._store.discard_draft(policy.id)
        return saved

    def save_draft(self, policy: Policy) -> None:
        """Keep what was typed so far, without making a version."""
        self._store.save_draft(policy, datetime.now(UTC))

    def draft(self, policy_id: str) -> Policy | None:
        """The unsaved draft, or None."""
        return self._store.draft(policy_id)

    def discard_draft(self, policy_id: str) -> None:
        """Forget the unsaved draft."""
        self._store.discard_draft(policy_id)

    def read(self, path: Path) -> ReadPolicy:
        """A policy file, read but not stored. Raises PolicyError or InputError."""
        return read_policy(path)

    def read_text(self, text: str, name: str) -> ReadPolicy:
        """A policy from text, read but not stored. Raises PolicyError."""
        return parse_policy(text, name)

    def import_path(self, path: Path, message: str = "") -> tuple[PolicyVersion, tuple[str, ...]]:
        """Read a policy file and save it, and what was inferred and wants a person's confirmation.

        It becomes a new version of the policy of its id, whose unsaved draft stays; of a starter's id it becomes a copy
        under a free id. Raises PolicyError or InputError.
        """
        read = read_policy(path)
        return self.save_imported(read.policy, message or f"Imported from {path.name}"), read.notes

    def save_imported(self, policy: Policy, message: str) -> PolicyVersion:
        """Save a policy that came from outside, as :meth:`import_path` says. Raises PolicyError."""
        if not policy.labels and policy.form is OutputForm.LABEL and writes_contract(policy):
            raise PolicyError(
                f"The policy {policy.title!r} defines no labels, so no answer can be asked for.",
                hint="Give it labels in its front matter or open it in the window and confirm them there.",
            )
        if policy.id in {summary.id for summary in self.list() if summary.builtin}:
            own = replace(policy, id=self.free_id(policy.id))
            # The same file again is the copy that it became the first time.
            latest = [self._store.latest(s.id) for s in self.list() if s.id.startswith(f"{policy.id}-")]
            known = next((v for v in latest if v is not None and replace(v.policy, id=own.id) == own), None)
            if known is not None:
                return known
            policy = own
        return self._store.save_version(policy, message=message, author=author_name(), now=datetime.now(UTC))

    def create(self, title: str) -> Policy:
        """A new draft, laid out in the four sections that the guidance recommends."""
        policy = Policy(
            id=self.free_id(slug(title)),
            title=title,
            text=_BLANK,
            labels=(
                Label("V0", LabelDecision.ALLOW, "No violation", 0),
                Label("V1", LabelDecision.VIOLATE, "Violation", 2),
            ),
        )
        self.save_draft(policy)
        return policy

    def export_text(self, policy: Policy) -> str:
        """The policy as the text of a file."""
        return policy_text(policy)

    def export(self, policy: Policy, path: Path, *, plain: bool = False) -> None:
        """Write the policy as a file, whole or not at all; ``plain``: its text alone, exactly. Raises InputError.

        A file that was opened and not changed gets the same bytes again; a changed one keeps its encoding.
        """
        try:
            paths.write_atomically(path, plain_file(policy) if plain else policy_file(policy))
        except OSError as error:
            raise InputError(
                f"{path} could not be written: {error.strerror or error}.", hint="Choose another place for the file."
            ) from error

    def samples(self, policy_id: str) -> builtins.list[GoldenExample]:
        """Contents to try a policy on: its golden examples, those near the boundary first."""
        return sorted(self._golden.list(policy_id, limit=50), key=lambda example: "boundary" not in example.tags)

    def free_id(self, wanted: str) -> str:
        """``wanted``, or that with a number behind it when another policy has it."""
        taken = {summary.id for summary in self.list()}
        number, free = 2, wanted
        while free in taken or self._store.latest(free) is not None:
            free, number = f"{wanted}-{number}", number + 1
        return free
