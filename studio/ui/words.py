"""The words for everything that has a code: decisions, statuses, efforts, forms. One table, so that pages agree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from unicodedata import bidirectional

from studio.core.content import Content
from studio.core.labels import Decision, LabelDecision
from studio.core.policy import ContentKind, Effort, OutputForm, OutputPosition, Policy
from studio.core.run import Run, RunState
from studio.core.verdict import ReviewReason, Status, Verdict

DECISION = {
    Decision.ALLOWED: "Allowed",
    Decision.VIOLATES: "Violates",
    Decision.NEEDS_REVIEW: "Needs review",
}
NO_VERDICT = "No verdict"
UNKNOWN = "Unknown"

LABEL_DECISION = {
    LabelDecision.ALLOW: "Allowed",
    LabelDecision.VIOLATE: "Violates",
    LabelDecision.REVIEW: "Needs review",
}

SEVERITY: dict[int | None, str] = {None: "not graded", 0: "0, none", 1: "1, low", 2: "2", 3: "3, high", 4: "4, worst"}
POSITION = {OutputPosition.AUTO: "by the studio", OutputPosition.IN_TEXT: "in the text"}

EFFORT = {Effort.LOW: "Low", Effort.MEDIUM: "Medium", Effort.HIGH: "High"}

FORM = {
    OutputForm.RATIONALE_JSON: "JSON with rationale",
    OutputForm.CATEGORY_JSON: "JSON, label only",
    OutputForm.LABEL: "One label",
    OutputForm.VALID_INVALID: "VALID or INVALID",
    OutputForm.BINARY: "0 or 1",
}

KIND = {
    ContentKind.MESSAGE: "Message",
    ContentKind.CONVERSATION: "Conversation",
    ContentKind.COMPLETION: "Completion",
}

REVIEW_REASON = {
    ReviewReason.LABEL: "The policy gives this to a person.",
    ReviewReason.LOW_CONFIDENCE: "The model was not sure enough for this policy.",
    ReviewReason.DISAGREEMENT: "Repeated runs did not agree.",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why there is no verdict: a few words, a sentence, and what to do."""

    short: str
    why: str
    do: str


STATUS = {
    Status.UNPARSED: Reason(
        "Answer not understood",
        "The model answered, but not in the form that this policy asks for.",
        "Look at the raw answer. A stricter output form or more effort often helps.",
    ),
    Status.CONFLICTING: Reason(
        "Answer contradicts itself",
        "The answer says two different things, for example a violation under an allowed label.",
        "Run again, or make the labels in the policy easier to tell apart.",
    ),
    Status.REFUSED: Reason(
        "The model refused",
        "The model declined to judge this content.",
        "Say in the policy that the task is to classify, not to help. Then run again.",
    ),
    Status.OFF_TASK: Reason(
        "The model did something else",
        "The model followed the content or talked about it instead of judging it.",
        "Run again with more effort, and check that the policy's instruction comes first.",
    ),
    Status.EMPTY: Reason(
        "Empty answer",
        "The model ended without writing an answer.",
        "Run again. If it stays empty, try another effort.",
    ),
    Status.TRUNCATED: Reason(
        "Answer cut off",
        "The answer reached its length limit before it was complete.",
        "Run again with less effort, or shorten the policy.",
    ),
    Status.NO_FINAL: Reason(
        "Only reasoning, no answer",
        "The model thought about the content but never gave its answer.",
        "Run again with less effort. Reasoning alone is never read as a verdict.",
    ),
    Status.UNKNOWN_LABEL: Reason(
        "Label not in the policy",
        "The model answered with a label that this policy does not define.",
        "Check the labels under the editor, or add the missing one.",
    ),
    Status.TOO_LONG: Reason(
        "Too long for this model",
        "Policy, content and answer do not fit the model together.",
        "Shorten the content or the policy.",
    ),
    Status.CANCELLED: Reason(
        "Stopped",
        "The run was stopped before the model gave its answer.",
        "Run it again whenever you like.",
    ),
    Status.ENGINE_FAILED: Reason(
        "The engine stopped",
        "The process that runs the model ended. Your texts and this run are kept.",
        "Run again. The engine starts anew by itself.",
    ),
}

INTERRUPTED = Reason(
    "Interrupted",
    "The studio ended while this run was under way.",
    "Open it in the Workbench and run it again.",
)
RUNNING = Reason("Running", "This run has not ended yet.", "Wait for it, or look again later.")


def decision_word(decision: Decision | None) -> str:
    """The word of a decision, or "No verdict"."""
    return NO_VERDICT if decision is None else DECISION[decision]


def reason(run: Run) -> Reason | None:
    """Why a run has no verdict; None when it has one."""
    if run.state is RunState.INTERRUPTED:
        return INTERRUPTED
    if run.verdict is None:
        return RUNNING
    return None if run.verdict.is_verdict else STATUS[run.verdict.status]


def label_line(policy: Policy, verdict: Verdict) -> str:
    """Labels with their names: ``SP4 Malicious``, more than one parted by commas."""
    parts = []
    for label_id in verdict.labels:
        label = policy.label(label_id)
        parts.append(f"{label_id} {label.name}".strip() if label else label_id)
    return ", ".join(parts)


def rule_line(run: Run) -> str:
    """The rules that decided, as far as they say more than the labels: ``rule SP4.b``."""
    verdict = run.verdict
    if verdict is None or not verdict.is_verdict:
        return ""
    known = {label.casefold() for label in verdict.labels}
    rules = [rule for rule in verdict.rule_ids if rule.casefold() not in known]
    if not rules:
        return ""
    return f"{'rule' if len(rules) == 1 else 'rules'} {', '.join(rules)}"


def label_words(run: Run) -> str:
    """What stands beside the pill: the labels with their names, or in a few words why there is no verdict."""
    why = reason(run)
    if why is not None:
        return why.short
    return label_line(run.policy, run.verdict) if run.verdict else ""


def headline(run: Run) -> str:
    """Labels and rule in one line, or why there is no verdict."""
    return " · ".join(part for part in (label_words(run), rule_line(run)) if part)


def confidence_words(value: float) -> str:
    """A confidence in [0, 1] for people: ``94 % sure``; never rounded up to certainty or down to none."""
    if value > 0.99:
        return "> 99 % sure"
    if value < 0.01:
        return "< 1 % sure"
    return f"{value * 100:.0f} % sure"


def left_words(value: float) -> str:
    """The time that is left, rounded so that it does not flicker: ``less than 10 s left``, ``about 4 min left``."""
    if value < 10:
        return "less than 10 s left"
    if value < 60:
        return f"about {10 * round(value / 10)} s left"
    if value < 5400:
        return f"about {round(value / 60)} min left"
    return f"about {value / 3600:.1f} h left"


def reasoning_note(tokens: int, *, cut: bool) -> str:
    """How long the reasoning was, and whether its budget ended it; nothing where there was none."""
    if not tokens:
        return ""
    return f"{count(tokens, 'token')}, ended at its budget" if cut else count(tokens, "token")


def seconds(value: float) -> str:
    """A time for people: ``< 0.1 s``, ``0.4 s``, ``12 s``, ``2 min 5 s``."""
    if value < 0.05:
        return "< 0.1 s"
    if value < 10:
        return f"{value:.1f} s"
    if value < 60:
        return f"{value:.0f} s"
    return f"{int(value // 60)} min {int(value % 60)} s"


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: ``1 run``, ``2,400 runs``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def size(number: int) -> str:
    """A file size: ``6.2 MB``."""
    value = float(number)
    for unit in ("bytes", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "bytes" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def path_words(path: Path) -> str:
    """A path as people write it: with ``~`` for their own folder."""
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except (ValueError, RuntimeError):
        return str(path)


def when(moment: datetime, now: datetime | None = None) -> str:
    """A moment in local time: the hour today, else the date and hour."""
    local = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone()
    today = (now or datetime.now(UTC)).astimezone().date()
    if local.date() == today:
        return f"{local:%H:%M}"
    if local.year == today.year:
        return f"{local.day} {local:%b %H:%M}"
    return f"{local.day} {local:%b %Y}"


def content_text(content: Content) -> str:
    """The whole content as plain text for reading and copying."""
    if content.kind is ContentKind.MESSAGE:
        return content.text
    if content.kind is ContentKind.COMPLETION:
        return f"Prompt:\n{content.prompt}\n\nResponse:\n{content.response}"
    return "\n".join(f"{turn.speaker}: {turn.text}" for turn in content.turns)


def direction_is_rtl(text: str) -> bool:
    """Whether the first strong character of the text reads from right to left."""
    for char in text:
        kind = bidirectional(char)
        if kind in ("R", "AL"):
            return True
        if kind == "L":
            return False
    return False


def provenance_lines(run: Run) -> str:
    """All that a judgement depended on, one fact a line; empty when it is not known."""
    kept = run.provenance
    if kept is None:
        return ""
    sampling = kept.sampling
    how = "greedy" if sampling.greedy else f"sampled, temperature {sampling.temperature}, top p {sampling.top_p}"
    facts = {
        "Model": kept.model_name,
        "Model sha256": kept.model_sha256,
        "Engine": f"{kept.llama_build if kept.remote else f'llama.cpp {kept.llama_build}'}, "
        f"{kept.backend} on {kept.device}",
        "Context": f"{kept.n_ctx:,} tokens",
        "Repeats": "bit for bit" if kept.strict else f"up to rounding, {kept.n_seq} requests at a time",
        "Effort": EFFORT[kept.effort].lower(),
        "Sampling": f"{how}, seed {sampling.seed}",
        "Date in the prompt": kept.pinned_date.isoformat(),
        "Prompt layout": str(kept.prompt_layout),
        "Policy sha256": kept.policy_sha256,
        "Studio": kept.studio_version,
        "Run": run.id,
        "Started": f"{run.started_at.astimezone():%Y-%m-%d %H:%M:%S %z}",
    }
    return "\n".join(f"{name}: {value}" for name, value in facts.items())
