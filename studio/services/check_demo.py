"""Whether the demo model still reads policies: its verdicts on held-out cases, and on the same with one rule moved."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from studio import paths
from studio.core.content import Content, Turn
from studio.core.errors import InputError
from studio.core.grammar import applied_grammar
from studio.core.harmony import from_messages
from studio.core.labels import Decision, Label, LabelDecision
from studio.core.policy import ContentKind, Effort, OutputForm, OutputPosition, Policy
from studio.core.progress import Cancel, Progress
from studio.core.prompt import build_prompt
from studio.core.reply import read_reply
from studio.engine.client import EngineClient
from studio.engine.types import EngineSettings, GenerateRequest

_DAY = date(2026, 11, 1)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """``n`` cases and ``flip_n`` flips; a flip is right when the case and its counterpart both are.

    The rates are fractions in [0, 1]. ``well_formed`` is the share of all answers that are a verdict by the contract.
    """

    n: int
    accuracy: float
    flip_n: int
    flip_accuracy: float
    well_formed: float
    sha256: str
    wrong: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Case:
    policy: Policy
    content: Content
    effort: Effort
    expected: Decision
    labels: frozenset[str]
    flip_of: int | None  # the line, counted from 1, of the case that this is the flip of


def check_demo(
    *,
    model: Path | None = None,
    most: int | None = None,
    free: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    cancel: Cancel | None = None,
) -> CheckResult:
    """Judge the shipped held-out cases greedily, on the demo model unless ``model`` names another file.

    As in any judgement, an answer is held to the contract where the studio writes it; ``free`` never holds it, and so
    measures the model alone. ``most`` judges only so many, from the first on (a flip stands right behind its case).

    Raises ModelFileError or EngineError; a stop raises EngineError too.
    """
    cases = list(_cases(paths.resource("check.jsonl")))[:most]
    engine = EngineClient()
    right: list[bool] = []
    formed = 0
    try:
        info = engine.load(model or paths.resource("demo.gguf"), EngineSettings(), cancel=cancel)
        for case in cases:
            good, is_verdict = _judge(engine, case, free, cancel)
            right.append(good)
            formed += is_verdict
            if on_progress is not None:
                on_progress(Progress(len(right), len(cases), "Held-out cases"))
    finally:
        engine.close()
    flips = [(n, case.flip_of) for n, case in enumerate(cases) if case.flip_of is not None]
    plain = [n for n, case in enumerate(cases) if case.flip_of is None]
    return CheckResult(
        n=len(plain),
        accuracy=_share([right[n] for n in plain]),
        flip_n=len(flips),
        flip_accuracy=_share([right[n] and right[of - 1] for n, of in flips]),
        well_formed=formed / len(cases),
        sha256=info.sha256,
        wrong=tuple(n for n, good in enumerate(right) if not good),
    )


def _judge(engine: EngineClient, case: _Case, free: bool, cancel: Cancel | None) -> tuple[bool, bool]:
    prompt = build_prompt(case.policy, case.content, pinned_date=_DAY, effort=case.effort)
    grammar, held = applied_grammar(case.policy, False if free else None)
    request = GenerateRequest(
        segments=prompt.segments, max_output_tokens=1500, grammar=grammar.gbnf if grammar and held else ""
    )
    generation = engine.generate(request, cancel=cancel)
    verdict = read_reply(from_messages(generation.messages, generation.stop), case.policy, stop=generation.stop)
    good = verdict.decision is case.expected
    return good and case.labels.issuperset(verdict.labels), verdict.is_verdict


def _share(values: list[bool]) -> float:
    return sum(values) / len(values) if values else 0.0


def _cases(path: Path) -> Iterator[_Case]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            yield _Case(
                policy=_policy(row["policy"]),
                content=_content(row["content"]),
                effort=Effort(row["effort"]),
                expected=Decision(row["expected"]),
                labels=frozenset(row["labels"]),
                flip_of=row["flip_of"],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path}, line {number} is damaged: {error!r}.", hint="Install the studio again."
            ) from error


def _policy(row: dict[str, Any]) -> Policy:
    labels = tuple(Label(**{**label, "decision": LabelDecision(label["decision"])}) for label in row["labels"])
    return Policy(
        id=row["id"],
        title=row["title"],
        text=row["text"],
        labels=labels,
        form=OutputForm(row["form"]),
        position=OutputPosition(row["position"]),
        effort=Effort(row["effort"]),
    )


def _content(row: dict[str, Any]) -> Content:
    turns = tuple(Turn(**turn) for turn in row["turns"])
    return Content(ContentKind(row["kind"]), row["text"], turns, row["prompt"], row["response"])
