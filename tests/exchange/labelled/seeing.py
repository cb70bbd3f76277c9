"""What the tests of labelled sets share: a policy, and a preview of text written to a file."""

from __future__ import annotations

from pathlib import Path

from studio.core.labels import Label, LabelDecision
from studio.core.policy import Policy
from studio.exchange.labelled.mapping import Mapping
from studio.exchange.labelled.preview import Preview, preview

POLICY = Policy(
    id="office",
    title="Office mail",
    text="# Instruction\nDecide.\n",
    labels=(
        Label("SP0", LabelDecision.ALLOW, "Fine"),
        Label("SP2", LabelDecision.VIOLATE, "Promotion"),
        Label("SP3", LabelDecision.VIOLATE, "Manipulation"),
        Label("SP9", LabelDecision.REVIEW, "Needs review"),
    ),
)


def see(folder: Path, name: str, data: str | bytes, mapping: Mapping | None = None, policy: Policy = POLICY) -> Preview:
    """The preview of a file of that name and content."""
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8"))
    return preview(path, policy, mapping)


def asked(seen: Preview) -> list[str]:
    """Where the open questions stand in the mapping."""
    return [".".join(question.where) for question in seen.questions]


def skipped(seen: Preview) -> dict[int, str]:
    """Why rows were left out, by number."""
    return {item.row: item.why for item in seen.skipped}
