"""Golden sets from files and to files: what an import would do, doing it, and writing a set out again."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from studio import paths
from studio.core.errors import InputError
from studio.core.golden import GoldenExample
from studio.core.policy import Policy
from studio.core.progress import Cancel, Progress
from studio.exchange.content_files import parse_json, read_golden
from studio.exchange.files import read_text
from studio.exchange.golden_export import write
from studio.exchange.labelled import own
from studio.exchange.labelled.mapping import Mapping, from_json, to_json
from studio.exchange.labelled.preview import Preview, Stopped, examples, revalued
from studio.exchange.labelled.preview import preview as preview_file
from studio.exchange.labelled.questions import Question
from studio.store.workspace import Workspace

__all__ = ["GoldenFiles", "Mapping", "Preview", "Question", "Stopped", "Stored"]

_PART = 500
"""Examples in one transaction: others wait for it, and a stop waits for no more than this."""

_SHORT = ("text", "note")
"""Fields of hand-written examples beside those that an export has."""

_MAPPING_BYTES = 4 * 1024 * 1024
_BROKEN_MAPPING = 'Each answer stands in quotes, such as "violates", and a comma follows all but the last.'


@dataclass(frozen=True, slots=True)
class Stored:
    """What an import did: examples added, and those that were there from the same rows of the same file."""

    added: int
    already: int


class GoldenFiles:
    """Files in and out of the golden sets of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._golden = workspace.golden

    def preview(
        self,
        path: Path,
        policy: Policy,
        mapping: Mapping | None = None,
        *,
        on_progress: Callable[[Progress], None] | None = None,
        cancel: Cancel | None = None,
    ) -> Preview:
        """What the import of a file would do. Nothing is stored. Raises InputError, and Stopped after a cancel."""
        seen = preview_file(path, policy, mapping, on_progress=on_progress, cancel=cancel)
        _refuse_unknown_labels(seen.mapping, policy)
        return seen

    def meaning(self, seen: Preview, mapping: Mapping, policy: Policy) -> Preview:
        """The preview under a mapping that differs in the meaning of labels alone; the file is not read again."""
        _refuse_unknown_labels(mapping, policy)
        return revalued(seen, mapping, policy)

    def read(self, path: Path, policy: Policy, mapping: Mapping | None = None) -> tuple[GoldenExample, ...]:
        """The golden examples of a file, not stored: the studio's own JSONL, or a labelled file that is certain.

        Raises InputError, also while a question about the file is open.
        """
        if mapping is None and _is_own(path):
            found = read_golden(path, policy.id)
        else:
            found = tuple(examples(self.preview(path, policy, mapping), policy, datetime.now(UTC)))
        twice = next((item for item, times in Counter(example.id for example in found).items() if times > 1), None)
        if twice is not None:
            raise InputError(f"{path} has the id {twice!r} twice.", hint="Give each example an id of its own.")
        return found

    def store(
        self,
        preview: Preview,
        policy: Policy,
        *,
        on_progress: Callable[[Progress], None] | None = None,
        cancel: Cancel | None = None,
    ) -> Stored:
        """Store the items of a preview as golden examples of the policy, source row and original label included.

        Raises InputError while a question is open or when the file has changed, and Stopped after a cancel. Whatever
        ends it early, nothing of it stays. The same file again adds only what is not there.
        """
        _refuse_unknown_labels(preview.mapping, policy)
        found = examples(preview, policy, datetime.now(UTC))
        added: list[str] = []
        seen = 0
        try:
            while part := list(itertools.islice(found, _PART)):
                if cancel is not None and cancel.requested:
                    raise Stopped
                added += self._golden.add_new(part)
                seen += len(part)
                if on_progress is not None:
                    on_progress(Progress(seen, preview.items, preview.path.name))
        except BaseException:
            self._golden.delete_many(added)
            raise
        return Stored(len(added), seen - len(added))

    def read_mapping(self, path: Path) -> Mapping:
        """A mapping that was saved and perhaps edited. Raises InputError naming what is wrong in it."""
        text = read_text(path, limit=_MAPPING_BYTES)
        return from_json(parse_json(text, str(path), hint=_BROKEN_MAPPING), str(path))

    def save_mapping(self, mapping: Mapping, path: Path) -> None:
        """Write a mapping for people to edit. Raises InputError when the place cannot be written."""
        text = json.dumps(to_json(mapping), indent=2, ensure_ascii=False) + "\n"
        try:
            paths.write_atomically(path, text.encode("utf-8", "replace"))
        except OSError as error:
            raise InputError(
                f"{path} could not be written: {error.strerror or error}.", hint="Choose another place."
            ) from error

    def record(self, example: GoldenExample) -> dict[str, Any]:
        """All fields of an example as :meth:`export` writes them, for JSON."""
        return own.fields(example)

    def export(self, policy_id: str, path: Path) -> int:
        """Write the policy's golden set to a .jsonl or .csv file; how many examples it has. Raises InputError."""
        return write(self._golden.each(policy_id), path)


def _is_own(path: Path) -> bool:
    """Whether it is JSONL whose first row has no field but those of a golden example, or is broken."""
    if not path.name.casefold().endswith(".jsonl"):
        return False
    try:
        with path.open("rb") as file:
            row = json.loads(next((line for line in file if line.strip()), b""))
    except UnicodeDecodeError:
        return False  # of another encoding, which the reader of labelled files finds out
    except (OSError, ValueError, RecursionError):
        return True
    return not isinstance(row, dict) or row.keys() <= {*own.COLUMNS, *_SHORT}


def _refuse_unknown_labels(mapping: Mapping, policy: Policy) -> None:
    """A label that a person wrote into a mapping must be one of the policy's."""
    for original, meaning in mapping.values.items():
        for label in meaning.labels if meaning is not None else ():
            if policy.label(label) is None:
                raise InputError(
                    f"The mapping gives {original!r} the label {label!r}, which is none of {policy.title!r}.",
                    hint=f"Its labels are {', '.join(item.id for item in policy.labels) or 'none'}.",
                )
