"""The report of an evaluation: what was tested, the figures, the failures, and the comparison, as plain JSON values.

Contents and reasoning are left out unless asked for: a report travels further than a workspace.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio import __version__
from studio.core.content import clean, user_message
from studio.core.errors import InputError
from studio.core.evaluation import Comparison, Figure, Flip, Judged, Scores, Stability, Thresholds
from studio.core.figure_words import FIGURES, figure_name
from studio.core.golden import GoldenExample
from studio.core.targets import By, Check
from studio.services.evaluate import EvaluateService
from studio.services.evaluation import Evaluation
from studio.services.evaluation_pdf import report_pdf
from studio.services.evaluation_words import NOT_HELD_OUT, thresholds_words
from studio.services.models import DEMO_NOTICE

if TYPE_CHECKING:
    from studio.analysis.plots import Chart

_WITHOUT = "Contents and reasoning are left out."
_WITH = "With contents and reasoning: handle it as you handle the contents themselves."


@dataclass(frozen=True, slots=True)
class Report:
    """A report in all its forms; each is made when it is asked for."""

    data: dict[str, Any]
    _scores: Scores
    _comparison: Comparison | None = None

    def html(self) -> str:
        """One self-contained HTML page; it opens offline and asks for nothing."""
        # matplotlib and jinja2: not at the start of window and commands
        from studio.analysis import plots
        from studio.exchange.report import report_html

        drawn = {name: chart.svg() for name, chart in self._charts().items()}
        return report_html(
            self.data, drawn, {colour: name for name, colour in asdict(plots.LIGHT).items()}, figure_name
        )

    def pdf(self) -> bytes:
        """The same as a PDF, for paper and for keeping."""
        return report_pdf(self.data, self._charts())

    def _charts(self) -> dict[str, Chart]:
        """The charts that can be drawn, by their place in the report."""
        from studio.analysis import plots  # matplotlib: not at the start of window and commands

        scores = self._scores
        charts = {
            "intervals": plots.intervals(scores.binary.figures),
            "decisions": plots.confusion(scores.decisions),
        }
        if scores.label_pairs.cells:
            charts["label_pairs"] = plots.confusion(scores.label_pairs)
        calibration = scores.calibration
        if calibration.bins:
            charts["reliability"] = plots.reliability(calibration)
        if calibration.roc is not None and calibration.pr is not None:
            charts |= {"roc": plots.roc(calibration.roc), "pr": plots.precision_recall(calibration.pr)}
        if self._comparison is not None:
            found = self._comparison
            charts["differences"] = plots.differences([found.accuracy, found.over_verdicts, *found.others])
        return charts

    def json(self) -> str:
        """The same figures as JSON."""
        from studio.exchange.report import report_json  # jinja2 comes with it: not at the start

        return report_json(self.data)

    def csv(self) -> str:
        """The same figures as CSV."""
        from studio.exchange.report import report_csv  # jinja2 comes with it: not at the start

        return report_csv(self.data)

    def junit(self) -> str:
        """The targets, and the comparison where there is one, as JUnit XML."""
        from studio.exchange.report import junit_xml  # jinja2 comes with it: not at the start

        checks = [(check["name"], check["words"], check["met"]) for check in self.data["targets"]]
        comparison = self.data["comparison"]
        if comparison:
            checks.append(
                (f"not worse than {comparison['with']}", comparison["words"], comparison["change"] != "worse")
            )
        return junit_xml(self.data["title"], checks or [("evaluated", "", True)])


def write_report(path: Path, made: str | bytes) -> None:
    """Write one of a report's forms into the file that somebody named. Raises InputError when it cannot be written."""
    try:
        path.write_bytes(made.encode("utf-8") if isinstance(made, str) else made)
    except OSError as error:
        raise InputError(
            f"{path} could not be written: {error.strerror or error}.", hint="Check the folder and who may write there."
        ) from error


def make_report(
    service: EvaluateService,
    evaluation: Evaluation,
    *,
    before: Evaluation | None = None,
    checks: Sequence[Check] = (),
    by: By = By.LOWER,
    with_content: bool = False,
    thresholds: Thresholds | None = None,
) -> Report:
    """The report of ``evaluation``, compared with ``before`` where that is given."""
    scores = service.scores(evaluation)
    stability = service.stability(evaluation) if evaluation.settings.repeats > 1 else None
    comparison = service.compare(before, evaluation) if before is not None else None
    texts = _Texts(service, evaluation, before) if with_content else None
    origins = {example.id: _origin(example) for example in evaluation.examples}
    items = service.items(evaluation)
    data = {
        "title": f"Evaluation: {evaluation.title}",
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "studio_version": __version__,
        "note": _WITH if with_content else _WITHOUT,
        "summary": _summary(evaluation, scores, comparison, before),
        "met": all(check.met for check in checks) if checks else None,
        "targets_by": str(by),
        "targets": [
            {"name": str(c.target), "key": c.target.key, "bound": c.target.bound, "used": c.used, "met": c.met,
             "words": c.words} for c in checks
        ],
        "provenance": _provenance(evaluation),
        "figures": {key: {"name": name, "meaning": meaning} for key, (name, meaning) in FIGURES.items()},
        "labelled": _labelled(evaluation),
        "scores": asdict(scores),
        "thresholds": _thresholds(thresholds, evaluation),
        "stability": _stability(stability),
        "comparison": _comparison(comparison, before, texts, origins),
        "clusters": [
            {**asdict(cluster), "examples": [_example(item_id, texts, origins) for item_id in cluster.ids]}
            for cluster in service.clusters(evaluation)
        ],
        "examples": [_judged(item) for item in items],
    }  # fmt: skip
    return Report(_plain(data), scores, comparison)


class _Texts:
    """Contents and reasoning by example, read one run at a time."""

    def __init__(self, service: EvaluateService, after: Evaluation, before: Evaluation | None) -> None:
        self._service = service
        self.contents = {example.id: user_message(example.content) for example in after.examples}
        self._after = _run_ids(after, {})
        same = {example.content.sha256: example.id for example in after.examples}
        self._before = _run_ids(before, same) if before is not None else {}

    def reasoning(self, example_id: str, *, before: bool = False) -> str:
        """What the model thought in the first judgement of the example; empty when the run is gone."""
        run_id = (self._before if before else self._after).get(example_id)
        run = self._service.run_of(run_id) if run_id else None
        return run.verdict.reasoning if run is not None and run.verdict is not None else ""


def _run_ids(evaluation: Evaluation, names: dict[str, str]) -> dict[str, str]:
    pairs = zip(evaluation.examples, evaluation.judgements, strict=True)
    return {names.get(example.content.sha256, example.id): group[0].run_id for example, group in pairs}


def _summary(
    evaluation: Evaluation, scores: Scores, comparison: Comparison | None, before: Evaluation | None
) -> list[str]:
    lines = [f"{len(evaluation.examples)} examples were judged by {evaluation.model.name}."]
    if evaluation.unfinished:
        lines.append(f"The run was stopped: {evaluation.unfinished} examples are not in these figures.")
    if evaluation.model.is_demo:
        lines.append(DEMO_NOTICE)
    right = scores.three_way.get("decision_accuracy")
    if right is not None:
        lines.append(f"The right decision: {_said(right)}.")
    missed, false = scores.binary.get("fnr"), scores.binary.get("fpr")
    if missed is not None and false is not None:
        lines.append(f"Of what violates, missed: {_said(missed)}. Of the rest, wrongly flagged: {_said(false)}.")
    lines.append(f"No verdict: {_said(scores.no_verdict)}.")
    if not _labelled(evaluation):
        lines.append("The examples name decisions and no labels, so no figures about labels are shown.")
    if comparison is not None and before is not None:
        lines.append(f"Compared with {before.title}: {comparison.words}")
    return lines


def _labelled(evaluation: Evaluation) -> bool:
    """Whether any example names its labels: without, figures about labels would say nothing."""
    return any(example.labels for example in evaluation.examples)


def _said(figure: Figure) -> str:
    if figure.value is None or figure.interval is None:
        return f"cannot be told, {figure.reason}"
    low, high = 100 * figure.interval.low, 100 * figure.interval.high
    return f"{figure.k} of {figure.n} ({100 * figure.value:.1f} %, between {low:.1f} and {high:.1f})"


def _provenance(evaluation: Evaluation) -> dict[str, Any]:
    policy, model, settings = evaluation.policy, evaluation.model, evaluation.settings
    digest = hashlib.sha256()
    for line in sorted(f"{e.content.sha256} {e.expected} {sorted(e.labels)}" for e in evaluation.examples):
        digest.update(line.encode("utf-8", "replace") + b"\n")
    sampling = settings.sampling_of(0)
    decisions = Counter(str(example.expected) for example in evaluation.examples)
    return {
        "policy": f"{policy.title} ({policy.id})",
        "policy_version": evaluation.version,
        "policy_sha256": policy.sha256,
        "model": model.name,
        "model_sha256": model.sha256,
        "engine": f"{model.llama_build}, {model.backend}, {model.device}",
        "requests_at_a_time": model.n_seq,
        "effort": str(settings.effort or policy.effort),
        "sampling": "greedy" if sampling.greedy else f"temperature {sampling.temperature:g}, top p {sampling.top_p:g}",
        "repeats": settings.repeats,
        "first_seed": None if sampling.greedy else settings.seed,
        "date_in_the_prompt": evaluation.pinned_date.isoformat(),
        "examples": len(evaluation.examples),
        "held_out_examples": sum(example.held_out for example in evaluation.examples),
        "examples_by_decision": ", ".join(f"{n} {name}" for name, n in decisions.most_common()),
        "examples_sha256": digest.hexdigest(),
        "judged_before_and_reused": evaluation.reused,
        "judged_now": evaluation.fresh,
        "started": evaluation.started_at.isoformat(timespec="seconds"),
        "finished": evaluation.finished_at.isoformat(timespec="seconds"),
    }  # fmt: skip


def _thresholds(found: Thresholds | None, evaluation: Evaluation) -> dict[str, Any] | None:
    if found is None:
        return None
    held_out = all(example.held_out for example in evaluation.examples)
    words = thresholds_words(found) if held_out else (*thresholds_words(found), NOT_HELD_OUT)
    return {**asdict(found), "held_out": held_out, "words": words}


def _stability(found: Stability | None) -> dict[str, Any] | None:
    if found is None:
        return None
    unsteady = [
        {"id": item.id, "outcomes": item.outcomes, "flip_rate": item.flip_rate, "tie": item.tie}
        for item in found.items
        if item.changed
    ]
    return {
        "repeats": found.repeats,
        "changed": asdict(found.changed),
        "flip_rate": asdict(found.flip_rate),
        "ties": found.ties,
        "unsteady": unsteady,
    }


def _comparison(
    found: Comparison | None, before: Evaluation | None, texts: _Texts | None, origins: Mapping[str, str]
) -> dict[str, Any] | None:
    if found is None or before is None:
        return None
    return {
        "with": f"{before.title}, {before.model.name}",
        "n": found.n,
        "change": str(found.change),
        "words": found.words,
        "p": found.p,
        "only_before": found.only_before,
        "only_after": found.only_after,
        "differences": [asdict(item) for item in (found.accuracy, found.over_verdicts, *found.others)],
        "got_better": [_flip(flip, texts, origins) for flip in found.got_better],
        "got_worse": [_flip(flip, texts, origins) for flip in found.got_worse],
        "both_wrong": [_flip(flip, texts, origins) for flip in found.both_wrong],
    }


def _flip(flip: Flip, texts: _Texts | None, origins: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": flip.id,
        "origin": origins.get(flip.id, ""),
        "expected": str(flip.expected),
        "before": _outcome(flip.before),
        "after": _outcome(flip.after),
        "content": texts.contents.get(flip.id, "") if texts else "",
        "before_reasoning": texts.reasoning(flip.id, before=True) if texts else "",
        "after_reasoning": texts.reasoning(flip.id) if texts else "",
    }


def _outcome(item: Judged) -> str:
    if item.decision is None:
        return f"no verdict ({item.status})"
    return f"{item.decision} ({', '.join(item.labels)})" if item.labels else str(item.decision)


def _origin(example: GoldenExample) -> str:
    """Where an example came from, without the name that its file gave it, which may tell of its content."""
    return example.source.partition(" (")[0]


def _example(item_id: str, texts: _Texts | None, origins: Mapping[str, str]) -> dict[str, Any]:
    named = {"id": item_id, "origin": origins.get(item_id, "")}
    if texts is None:
        return named
    return {**named, "content": texts.contents.get(item_id, ""), "reasoning": texts.reasoning(item_id)}


def _judged(item: Judged) -> dict[str, Any]:
    return {**asdict(item), "right": item.right}


def _plain(value: Any) -> Any:
    """The value as JSON and UTF-8 can hold it: tuples as lists, enumerations as their text."""
    if isinstance(value, dict):
        return {clean(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return clean(str(value)) if isinstance(value, str) else value
