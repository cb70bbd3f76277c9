"""Failures in clusters: by what was expected and what was got, each with the tags that its examples share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from studio.analysis.scores import NO_VERDICT
from studio.core.evaluation import Cluster, Judged

_MOST_TAGS = 8


def clusters(items: Sequence[Judged]) -> tuple[Cluster, ...]:
    """The failures, largest cluster first; an example without an expected decision is no failure.

    A label stands in for its decision where both sides name labels; a wrong label under the right decision counts too.
    """
    found: dict[tuple[str, str], list[Judged]] = {}
    for item in items:
        wrong_label = bool(item.expected_labels) and set(item.labels) != set(item.expected_labels)
        if item.expected is not None and (not item.right or wrong_label):
            found.setdefault((_expected(item), _got(item)), []).append(item)
    ranked = sorted(found.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    return tuple(
        Cluster(expected, got, tuple(item.id for item in group), _tags(group)) for (expected, got), group in ranked
    )


def _tags(group: Sequence[Judged]) -> tuple[tuple[str, int], ...]:
    counts = Counter(tag for item in group for tag in set(item.tags))
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST_TAGS])


def _expected(item: Judged) -> str:
    labels = " + ".join(sorted(item.expected_labels))
    return f"{item.expected} ({labels})" if labels else str(item.expected)


def _got(item: Judged) -> str:
    if item.decision is None:
        return f"{NO_VERDICT} ({item.status})"
    labels = " + ".join(sorted(item.labels))
    return f"{item.decision} ({labels})" if labels else str(item.decision)
