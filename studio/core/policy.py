"""A policy: the text a person wrote, the labels it defines and the form of answer it asks for."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from studio.core.errors import PolicyError
from studio.core.labels import Label


class OutputForm(StrEnum):
    """The shapes of answer that a policy can ask for (FACTS: "output formats in use")."""

    RATIONALE_JSON = "rationale_json"
    CATEGORY_JSON = "category_json"
    LABEL = "label"
    VALID_INVALID = "valid_invalid"
    BINARY = "binary"


class OutputPosition(StrEnum):
    """Who writes the output instruction: the studio (``auto``) or the policy's own text (``in_text``)."""

    AUTO = "auto"
    IN_TEXT = "in_text"


class Effort(StrEnum):
    """How long the model may think; it goes into the system message."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class ContentKind(StrEnum):
    """What kind of thing is judged."""

    MESSAGE = "message"
    CONVERSATION = "conversation"
    COMPLETION = "completion"


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as it is judged by: immutable, and identified by :attr:`sha256`.

    ``text`` is the body in Markdown, without front matter. ``review_below`` is the confidence (0 to 1) under which a
    verdict is sent to a person; None means never. ``targets`` are the figures that its scores on golden examples must
    reach, by name (:mod:`studio.core.targets`); they change no judgement. ``encoding`` is the one that the byte order
    mark of its file told, empty for plain UTF-8, and ``front`` that file's front matter as written where the studio
    would write it otherwise: with them a file that was opened goes back to the same bytes.
    """

    id: str
    title: str
    text: str
    labels: tuple[Label, ...]
    form: OutputForm = OutputForm.RATIONALE_JSON
    position: OutputPosition = OutputPosition.AUTO
    effort: Effort = Effort.LOW
    review_below: float | None = None
    summary: str = ""
    tags: tuple[str, ...] = ()
    jurisdictions: tuple[str, ...] = ()
    content_kinds: tuple[ContentKind, ...] = (ContentKind.MESSAGE,)
    language: str = "en"
    license: str = ""
    source: str = ""
    targets: tuple[tuple[str, float], ...] = ()
    encoding: str = ""
    front: str = ""

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for label in self.labels:
            if label.id in seen:
                raise PolicyError(
                    f"The label {label.id!r} is defined twice in the policy {self.title!r}.",
                    hint="Give each label its own id.",
                )
            seen.add(label.id)

    @property
    def sha256(self) -> str:
        """Hex digest over all that can change a judgement; titles, tags and the like do not count."""
        judged = {
            "text": self.text,
            "labels": [asdict(label) for label in self.labels],
            "form": self.form,
            "position": self.position,
            "effort": self.effort,
            "review_below": self.review_below,
        }
        canonical = json.dumps(judged, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(canonical.encode("ascii")).hexdigest()

    def label(self, label_id: str) -> Label | None:
        """The label of that id, matched without regard to case, or None."""
        folded = label_id.casefold()
        return next((label for label in self.labels if label.id.casefold() == folded), None)


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A saved, numbered, immutable version of a policy. ``number`` counts from 1 for each policy.

    ``release`` is the name it was given as a release, empty for most.
    """

    policy: Policy
    number: int
    message: str
    author: str
    created_at: datetime
    release: str = ""


@dataclass(frozen=True, slots=True)
class PolicySummary:
    """What a list of policies shows. ``latest`` is the newest version's number, 0 when only a draft exists."""

    id: str
    title: str
    summary: str
    tags: tuple[str, ...]
    latest: int
    updated_at: datetime
    has_draft: bool = False
    archived: bool = False
    builtin: bool = False
    jurisdictions: tuple[str, ...] = ()
