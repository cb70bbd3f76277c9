"""promptfoo's tests, in YAML, JSON or CSV: variables, and assertions about the answer.

The trap: most assertions say nothing about which label is right (a script, a rubric, a similarity). Only those that
name the answer itself count; for all others the label is unknown.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from studio.exchange.labelled.records import Record, Skipped, is_blank
from studio.exchange.labelled.shapes.label_studio import DISAGREE

SHAPE = "promptfoo"
EXPECTED, CHECKS = "expected", "assertions"

_NAMING = {"equals", "iequals", "contains", "icontains", "starts-with", "istarts-with"}
_TYPED = re.compile(r"^(?P<type>not-[a-z-]+|[a-z][a-z-]*)(?:\([^)]*\))?:\s*(?P<value>.*)$", re.DOTALL)
_TYPES = _NAMING | {
    "javascript", "fn", "eval", "python", "llm-rubric", "grade", "similar", "is-json", "contains-json", "contains-any",
    "contains-all", "regex", "factuality", "model-graded-closedqa", "answer-relevance", "cost", "latency",
    "levenshtein", "rouge-n", "webhook", "moderation", "guardrails", "classifier", "file", "g-eval", "perplexity",
    "icontains-any", "icontains-all", "is-valid-json",
}  # fmt: skip
_VARIABLE = re.compile(r"^\{\{\s*([\w.]+)\s*\}\}$")
_MOST_PER_TEST = 1000


def matches(first: Sequence[Record]) -> bool:
    """Whether the records are tests: with variables, or with a column of expectations."""
    return bool(first) and all(
        any(name.startswith(("vars.", "__expected")) or name == "vars" for name in record.values) for record in first
    )


def view(records: Iterable[Record | Skipped]) -> Iterator[Record | Skipped]:
    """Each test with its variables as columns, the answer it names, and the assertions that name none."""
    for item in records:
        yield item if isinstance(item, Skipped) else Record(item.row, _values(item.values), item.raw)


def tests_of(document: Any) -> list[Any] | None:
    """The tests of a configuration or of a list of tests, defaults and scenarios written out; else None."""
    if isinstance(document, list):
        found = document if any(isinstance(test, dict) and "vars" in test for test in document) else None
        return None if found is None else [one for test in found for one in _expanded(test)]
    if not isinstance(document, dict) or not ("tests" in document or "scenarios" in document):
        return None
    default = document.get("defaultTest") if isinstance(document.get("defaultTest"), dict) else {}
    tests = document.get("tests")
    found = list(tests) if isinstance(tests, list) else [tests] if tests is not None else []
    scenarios = document.get("scenarios")
    for scenario in scenarios if isinstance(scenarios, list) else []:
        found += _of_scenario(scenario)
    return [one for test in found for one in _expanded(_with(default, test))]


def _of_scenario(scenario: Any) -> list[Any]:
    if not isinstance(scenario, dict):
        return [scenario]
    configs = scenario.get("config") if isinstance(scenario.get("config"), list) else []
    tests = scenario.get("tests") if isinstance(scenario.get("tests"), list) else []
    return [_with(config, test) for config in configs or [{}] for test in tests or [{}]]


def _with(default: Any, test: Any) -> Any:
    """A test with what holds for all tests."""
    if not isinstance(test, dict) or not isinstance(default, dict):
        return test
    own, shared = test.get("vars"), default.get("vars")
    merged = {**default, **test}
    if isinstance(own, dict) or isinstance(shared, dict):
        merged["vars"] = {**(shared if isinstance(shared, dict) else {}), **(own if isinstance(own, dict) else {})}
    merged["assert"] = [*_list(default.get("assert")), *_list(test.get("assert"))]
    return merged


def _expanded(test: Any) -> list[Any]:
    """A test with a list as a variable stands for one test per entry."""
    if not isinstance(test, dict) or not isinstance(test.get("vars"), dict):
        return [test]
    variables = test["vars"]
    lists = {name: value for name, value in variables.items() if isinstance(value, list) and value and _plain(value)}
    combinations = itertools.islice(itertools.product(*lists.values()), _MOST_PER_TEST)
    return [{**test, "vars": {**variables, **dict(zip(lists, one, strict=True))}} for one in combinations]


def _values(values: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    named: list[str] = []
    checks: list[str] = []
    for name, value in values.items():
        if name.startswith("vars."):
            found[name.removeprefix("vars.")] = value
        elif name.startswith("__expected"):
            if not is_blank(value):
                _sort(_from_text(str(value)), named, checks)
        elif name == "assert":
            for one in _list(value):
                _sort(_from_object(one), named, checks)
        elif name.startswith(("__", "metadata.", "options.")) or name in ("description", "threshold"):
            found[name.strip("_")] = value
        else:
            found[name] = value
    answers = list(dict.fromkeys(_resolved(name, found) for name in named))
    answers = [answer for answer in answers if answer]
    if answers:
        found[EXPECTED] = answers[0] if len(answers) == 1 else DISAGREE.join(answers)
    if checks:
        found[CHECKS] = ", ".join(dict.fromkeys(checks))
    return found


def _sort(assertion: tuple[str, str], named: list[str], checks: list[str]) -> None:
    kind, value = assertion
    if kind in _NAMING and value.strip():
        named.append(value.strip())
    else:
        checks.append(kind)


def _from_text(text: str) -> tuple[str, str]:
    """An expectation of a CSV cell: a type before a colon, or the answer itself."""
    match = _TYPED.match(text.strip())
    if match and (match["type"] in _TYPES or match["type"].startswith("not-")):
        return match["type"], match["value"]
    if text.strip() in _TYPES - _NAMING:
        return text.strip(), ""
    return "equals", text


def _from_object(assertion: Any) -> tuple[str, str]:
    if not isinstance(assertion, dict):
        return "equals" if isinstance(assertion, str) else "unreadable", str(assertion)
    value = assertion.get("value")
    plain = isinstance(value, str | int | float | bool)
    return str(assertion.get("type", "equals")), str(value) if plain else ""


def _resolved(answer: str, variables: dict[str, Any]) -> str:
    """An answer that only names a variable is what that variable says."""
    match = _VARIABLE.match(answer)
    if match is None:
        return answer
    value = variables.get(match[1])
    return "" if is_blank(value) else str(value).strip()


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _plain(values: list[Any]) -> bool:
    return all(isinstance(value, str | int | float) for value in values)
