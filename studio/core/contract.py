"""The output contract: what the policy asks the model to answer, compiled into the prompt.

The guidance for safeguard policies asks for the output format near the top and again before the examples. When the
policy's own text carries it (``position: in_text``, or an answer form that the studio recognises in the text), nothing
is inserted: two competing forms in one prompt are a known defect.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from studio.core.labels import Label, LabelDecision, with_decision
from studio.core.policy import OutputForm, OutputPosition, Policy

_HEADING = re.compile(r"^#{1,6}[ \t]+(?P<title>.*?)[ \t#]*$", re.MULTILINE)
_EXAMPLES = re.compile(r"\bexamples?\b", re.IGNORECASE)
_FENCE = re.compile(r"^(```|~~~).*?(^\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)

_RUN = re.compile(r"([^\w\n]|_)\1{3,}")
# Sentences that tell the model what to print, each one rare in prose that only describes rules: "provide one ID" and
# "return one item" are rules, "return exactly one word" and "return: {" are not.
_OWN_OUTPUT = re.compile(
    r"""
      ^[^\w\n]*(output|answer|response)[ \t]+(format|form|instructions?|schema)\b[\W\d]*$
    | ^\#{1,6}[ \t]+(.*\b(output|answer|response)[ \t]+(format|form|instructions?|schema)\b.*
                   |(output|how[ ]to[ ](answer|respond))[ \t:]*$)
    | \b(answer|respond|reply|return|output|print)\b[ ]?(only|with|in|using|as|by|the|a|an|:|[ ])*
      ( ((exactly|only)[ ])?(one|a[ ]single|single)[ ]
        (of\b|word|character|digit|token|label|letter|number|line|json|object)
      | exactly[ ](one|two|["'`]|valid\b|invalid\b|[01]\b|the[ ]following)
      | (valid[ ]?)?json\b
      | ["'`*(]*(valid|invalid)["'`*]*[ ]*(\([^)\n]{0,60}\)[ ]*)?(or|/|,|\|)[ ]*["'`*(]*(valid|invalid|escalate)
      | ["'`*(]*[01]["'`*]*[ ]*(\([^)\n]{0,60}\)[ ]*)?(or|/|,|\||if|when)
      | ((?<=only[ ])|(?<=only[ ]the[ ]))(digit|number|code|word|category|letter|verdict|decision)s?\b(?![ ]of\b)
      | label\b(?![ ]of\b)
      | \s*(```\w*\s*)?\{\s*"
      )
    | \bclassify\b[^\n.]{0,80}\bas\b[ ]?(either[ ])?["'`*]*(valid\b|invalid\b|[01]\b)
    | \b(say|answer|respond|reply|return|output|write)[ ](with[ ])?["'`]+[a-z_]{2,20}["'`]+,?[ ]
      (if|when|otherwise|unless)\b
    | \b(given|expressed|stated|returned|reported|answered|delivered|output)[ ]as[ ](exactly[ ]|only[ ])?one[ ]of\b
    | ^[^\w\n]*[01][ ]*[=:][ ]*[a-z][^\n,;.]{2,60}[,;\n]+[^\w\n]*[01][ ]*[=:][ ]*[a-z]
    | ^[^\w\n]*[a-z ]{3,30}[ ]*[(\[][^)\]\n]{1,80}[)\]][ ]*:[*\s]*\Z
    """,
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the compiled policy; ``ours`` marks what the studio inserted."""

    text: str
    ours: bool


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """The developer message's body: the policy's own text, untouched, with our insertions between."""

    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The whole text as the model reads it."""
        return "".join(part.text for part in self.parts)


def carries_output(policy_text: str) -> bool:
    """Whether the policy's text itself says what to answer."""
    return _OWN_OUTPUT.search(shortened(policy_text.replace("**", ""))) is not None


def shortened(text: str) -> str:
    """The text for reading only: a run of one sign has three at most, so that no pattern walks it again and again."""
    return _RUN.sub(r"\1\1\1", text)


def writes_contract(policy: Policy) -> bool:
    """Whether the studio writes the output contract into the prompt; otherwise the policy's own text does."""
    return policy.position is not OutputPosition.IN_TEXT and not carries_output(policy.text)


def compile_policy(policy: Policy) -> CompiledPolicy:
    """The policy with its output contract put in the two places the guidance names.

    The first goes after the first section (or at the end of a text without sections), the second before the examples
    (or at the end). The policy's own characters are never changed.
    """
    text = policy.text
    if not writes_contract(policy):
        return CompiledPolicy((Part(text, ours=False),))
    top, again = _places(text)
    parts = [Part(text[:top], ours=False), Part(_block(text[:top], instruction(policy)), ours=True)]
    if again > top:
        parts.append(Part(text[top:again], ours=False))
        parts.append(Part(_block(text[:again], reminder(policy)), ours=True))
    parts.append(Part(text[max(top, again) :], ours=False))
    return CompiledPolicy(tuple(part for part in parts if part.text))


def instruction(policy: Policy) -> str:
    """The output contract in full, as it stands near the top of the prompt."""
    return f"# Output format\n{_INSTRUCTIONS[policy.form](policy.labels)}"


def reminder(policy: Policy) -> str:
    """The output contract again, in one line, as it stands before the examples."""
    return f"Output format again: {_short_form(policy.form, policy.labels)}"


def _places(text: str) -> tuple[int, int]:
    """Where the two insertions go; headings inside fenced blocks do not count.

    The first section ends at the second heading that has words before it: a title, alone or with the next heading right
    under it, is not a section.
    """
    fences = [match.span() for match in _FENCE.finditer(text)]
    headings = [
        match for match in _HEADING.finditer(text) if not any(start <= match.start() < end for start, end in fences)
    ]
    top, spoken = len(text), 0
    for match in headings:
        if text[spoken : match.start()].strip():
            top = match.start()
            break
        spoken = match.end()
    examples = [m.start() for m in headings if m.start() >= top and _EXAMPLES.search(m["title"])]
    return top, examples[0] if examples else len(text)


def _block(before: str, block: str) -> str:
    """The inserted block with the blank lines that set it apart, whatever stands before it."""
    if not before or before.endswith("\n\n"):
        lead = ""
    elif before.endswith("\n"):
        lead = "\n"
    else:
        lead = "\n\n"
    return f"{lead}{block}\n\n"


def _ids(labels: tuple[Label, ...], decision: LabelDecision) -> str:
    return ", ".join(label.id for label in with_decision(labels, decision)) or "none"


def _choices(labels: tuple[Label, ...]) -> str:
    """The labels by what they decide, as sentences."""
    line = f"Violating: {_ids(labels, LabelDecision.VIOLATE)}. Allowed: {_ids(labels, LabelDecision.ALLOW)}."
    if with_decision(labels, LabelDecision.REVIEW):
        line += f" For a person to decide: {_ids(labels, LabelDecision.REVIEW)}."
    return line


def _category(labels: tuple[Label, ...]) -> str:
    """The field that names a label; a policy without labels has nothing to name."""
    return ', "policy_category": "label"' if labels else ""


def _fields(labels: tuple[Label, ...]) -> str:
    flag = "violation is 1 when the content violates this policy, otherwise 0."
    return f"{flag} policy_category is one label. {_choices(labels)}" if labels else flag


def _rationale_json(labels: tuple[Label, ...]) -> str:
    return (
        "Answer with one JSON object and nothing else:\n"
        f'{{"violation": 0 or 1{_category(labels)}, "rule_ids": ["rule"], "rationale": "one or two sentences"}}\n'
        f"{_fields(labels)} "
        "rule_ids names the rules of this policy that decided, or is empty.\n"
        "Do not include any explanation outside the JSON object."
    )


def _category_json(labels: tuple[Label, ...]) -> str:
    return (
        "Answer with one JSON object and nothing else:\n"
        f'{{"violation": 0 or 1{_category(labels)}}}\n'
        f"{_fields(labels)}\n"
        "Do not include any explanation outside the JSON object."
    )


def _label(labels: tuple[Label, ...]) -> str:
    return f"Answer with exactly one label. {_choices(labels)}\nDo not include any explanation or punctuation."


def _valid_invalid(labels: tuple[Label, ...]) -> str:
    line = "Answer with exactly one word: INVALID if the content violates this policy, VALID if it does not."
    if with_decision(labels, LabelDecision.REVIEW):
        line = line[:-1] + ", ESCALATE if a person has to decide."
    return line + "\nDo not include any explanation or punctuation."


def _binary(labels: tuple[Label, ...]) -> str:
    return (
        "Answer with exactly one digit: 1 if the content violates this policy, 0 if it does not.\n"
        "Do not include any explanation or punctuation."
    )


_INSTRUCTIONS: dict[OutputForm, Callable[[tuple[Label, ...]], str]] = {
    OutputForm.RATIONALE_JSON: _rationale_json,
    OutputForm.CATEGORY_JSON: _category_json,
    OutputForm.LABEL: _label,
    OutputForm.VALID_INVALID: _valid_invalid,
    OutputForm.BINARY: _binary,
}


def _short_form(form: OutputForm, labels: tuple[Label, ...]) -> str:
    """The form in one line."""
    if form is OutputForm.VALID_INVALID and with_decision(labels, LabelDecision.REVIEW):
        return "exactly one word, VALID, INVALID or ESCALATE, nothing else."
    if not labels and form in _WITHOUT_LABELS:
        return _WITHOUT_LABELS[form]
    return _SHORT_FORMS[form]


_SHORT_FORMS = {
    OutputForm.RATIONALE_JSON: (
        'one JSON object with "violation", "policy_category", "rule_ids" and "rationale", nothing else.'
    ),
    OutputForm.CATEGORY_JSON: 'one JSON object with "violation" and "policy_category", nothing else.',
    OutputForm.LABEL: "exactly one label, nothing else.",
    OutputForm.VALID_INVALID: "exactly one word, VALID or INVALID, nothing else.",
    OutputForm.BINARY: "exactly one digit, 0 or 1, nothing else.",
}
_WITHOUT_LABELS = {
    OutputForm.RATIONALE_JSON: 'one JSON object with "violation", "rule_ids" and "rationale", nothing else.',
    OutputForm.CATEGORY_JSON: 'one JSON object with "violation", nothing else.',
}
