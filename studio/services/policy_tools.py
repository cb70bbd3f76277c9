"""Comparing, merging, splitting and laying out policies of the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from studio.core import compose
from studio.core.compose import Composed
from studio.core.diff import Change, Hunk, Piece, diff
from studio.core.errors import InputError
from studio.core.policy import Policy, PolicyVersion
from studio.exchange.files import read_bytes
from studio.exchange.policy_files import slug, text_of
from studio.services.studio import Studio

__all__ = ["Change", "Hunk", "Made", "Piece", "compare", "from_guideline", "from_guideline_text", "merge", "split"]

DRAFT = "draft"
"""Names the unsaved draft where a version is asked for."""


@dataclass(frozen=True, slots=True)
class Made:
    """A policy that was made and saved, with what a person should know of it."""

    version: PolicyVersion
    notes: tuple[str, ...]


def compare(studio: Studio, policy_id: str, one: str, other: str) -> tuple[Hunk, ...]:
    """The changes of the text from one version (its number, or ``draft``) to another. Raises NotFoundError."""
    return diff(_text(studio, policy_id, one), _text(studio, policy_id, other))


def merge(studio: Studio, policies: Sequence[Policy], title: str) -> Made:
    """Merge policies into a new one. Raises PolicyError."""
    made = compose.merge(policies, policy_id=studio.policies.free_id(slug(title)), title=title)
    return _save(studio, made, f"Merged from {', '.join(policy.id for policy in policies)}")


def split(studio: Studio, policy: Policy) -> tuple[Made, ...]:
    """Split a policy into one new policy for each violating label. Raises PolicyError."""
    return tuple(_save(studio, made, f"Split from {policy.id}") for made in compose.split_by_label(policy))


def from_guideline(studio: Studio, path: Path, title: str = "") -> Made:
    """Lay a community guideline out as a new policy. Raises InputError or PolicyError."""
    name = title or path.stem.replace("-", " ").replace("_", " ").strip().capitalize() or "Guideline"
    return from_guideline_text(studio, text_of(read_bytes(path), str(path)), name, f"Laid out from {path.name}")


def from_guideline_text(studio: Studio, text: str, title: str, message: str = "Laid out from a guideline") -> Made:
    """Lay the text of a community guideline out as a new policy. Raises PolicyError."""
    made = compose.from_guideline(text, policy_id=studio.policies.free_id(slug(title)), title=title)
    return _save(studio, made, message)


def _save(studio: Studio, made: Composed, message: str) -> Made:
    policy = replace(made.policy, id=studio.policies.free_id(made.policy.id))
    return Made(studio.policies.save(policy, message=message), made.notes)


def _text(studio: Studio, policy_id: str, wanted: str) -> str:
    """The text of a version or of the draft; without a draft that of the newest version."""
    if wanted == DRAFT:
        return studio.policies.open(policy_id).text
    if not wanted.isdecimal():
        raise InputError(f"{wanted!r} names no version.", hint='Write the number of a version, or "draft".')
    return studio.policies.get(policy_id, int(wanted)).policy.text
