"""What the tests of the store keep: small things of every kind, and strategies for strange ones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from uuid import uuid4

from hypothesis import strategies as st

from studio.core.content import Content, Turn
from studio.core.golden import GoldenExample
from studio.core.labels import Decision, Label, LabelDecision
from studio.core.policy import ContentKind, Effort, OutputForm, OutputPosition, Policy
from studio.core.run import Provenance, Run, RunState, Sampling, Timing
from studio.core.verdict import ReviewReason, Status, Verdict

NOW = datetime(2026, 3, 4, 5, 6, 7, 8, tzinfo=UTC)
LABELS = (Label("SP1", LabelDecision.VIOLATE, "Spam", 2, "Unwanted"), Label("SP0", LabelDecision.ALLOW))


def a_policy(policy_id: str = "spam", text: str = "# Spam\nNo spam.", title: str = "Spam") -> Policy:
    return Policy(policy_id, title, text, LABELS, tags=("demo",), summary="Unwanted messages")


def a_run(session_id: str, text: str = "Buy cheap pills", policy: Policy | None = None, at: datetime = NOW) -> Run:
    return Run(uuid4().hex, session_id, policy or a_policy(), None, Content.message(text), RunState.RUNNING, at)


def ended(run: Run, rationale: str = "It sells.", reasoning: str = "The rule says so.") -> Run:
    return Run(
        run.id,
        run.session_id,
        run.policy,
        run.version,
        run.content,
        RunState.DONE,
        run.started_at,
        provenance=PROVENANCE,
        verdict=Verdict(
            Status.OK,
            Decision.VIOLATES,
            labels=("SP1",),
            rule_ids=("1.2",),
            rationale=rationale,
            confidence=0.1 + 0.2,
            alternatives=(("1", 0.75), ("0", 0.25)),
            review_reason=ReviewReason.LABEL,
            reasoning=reasoning,
            raw_final='{"violation": 1}',
        ),
        timing=Timing(100, 90, 20, 30, 0.1, 1 / 3),
        raw_output="<|channel|>final<|message|>…",
        finished_at=run.started_at + timedelta(seconds=2),
    )


def an_example(text: str = "Buy now", policy_id: str = "spam", example_id: str = "") -> GoldenExample:
    return GoldenExample(
        example_id or uuid4().hex, policy_id, Content.message(text), Decision.VIOLATES, ("SP1",), created_at=NOW
    )


PROVENANCE = Provenance(
    studio_version="0.1",
    model_name="demo",
    model_sha256="ab" * 32,
    llama_build="b1",
    backend="CPU",
    device="cpu",
    n_ctx=4096,
    prompt_layout=1,
    pinned_date=date(2026, 1, 2),
    effort=Effort.HIGH,
    sampling=Sampling(1.0, 0.9, 2**63),
    policy_sha256="cd" * 32,
)

odd_texts = ("", "\0", "a\0b", "\x02\x03\x1f", "\ufeff", "\u202eabc", "\U0001f469\u200d\U0001f467", "e\u0301")
texts = st.text(max_size=30) | st.sampled_from(odd_texts)
# Bytes that were no UTF-8 come as these when a caller reads leniently.
broken = st.builds(lambda left, right: left + "\udc80" + right, texts, texts)
any_texts = texts | broken
moments = st.builds(
    lambda seconds, hours: NOW.astimezone(timezone(timedelta(hours=hours))) + timedelta(seconds=seconds),
    st.floats(-1e9, 5e9),
    st.sampled_from([0, -5, 14]),
)
counts = st.integers(0, 10**12)
shares = st.floats(0, 1)
labels = st.lists(
    st.builds(Label, any_texts, st.sampled_from(LabelDecision), any_texts, st.none() | st.integers(0, 4), any_texts),
    max_size=4,
    unique_by=lambda label: label.id,
).map(tuple)
policies = st.builds(
    Policy,
    st.builds(lambda: uuid4().hex),
    any_texts,
    any_texts,
    labels,
    st.sampled_from(OutputForm),
    st.sampled_from(OutputPosition),
    st.sampled_from(Effort),
    st.none() | shares,
    any_texts,
    st.lists(any_texts, max_size=3).map(tuple),
    st.lists(any_texts, max_size=3).map(tuple),
    st.lists(st.sampled_from(ContentKind), max_size=3).map(tuple),
    any_texts,
    any_texts,
    any_texts,
)
contents = (
    st.builds(Content, st.just(ContentKind.MESSAGE), any_texts)
    | st.builds(Content.completion, texts, texts)
    | st.builds(Content.conversation, st.lists(st.builds(Turn, texts, texts), min_size=1, max_size=3).map(tuple))
)
provenances = st.builds(
    Provenance,
    any_texts,
    texts,
    texts,
    any_texts,
    any_texts,
    any_texts,
    counts,
    counts,
    st.dates(),
    st.sampled_from(Effort),
    st.builds(Sampling, shares, shares, st.integers()),
    texts,
)
_said = {
    "labels": st.lists(any_texts, max_size=3).map(tuple),
    "rule_ids": st.lists(any_texts, max_size=3).map(tuple),
    "rationale": texts,
    "confidence": st.none() | shares,
    "alternatives": st.lists(st.tuples(any_texts, shares), max_size=3).map(tuple),
    "review_reason": st.none() | st.sampled_from(ReviewReason),
    "reasoning": texts,
    "raw_final": texts,
    "status_detail": texts,
}
verdicts = st.builds(Verdict, st.just(Status.OK), st.sampled_from(Decision), **_said) | st.builds(
    Verdict, st.sampled_from([status for status in Status if status is not Status.OK]), st.none(), **_said
)
timings = st.builds(Timing, counts, counts, counts, counts, st.floats(0, 1e6), st.floats(0, 1e6))
examples = st.builds(
    GoldenExample,
    st.builds(lambda: uuid4().hex),
    texts,
    contents,
    st.none() | st.sampled_from(Decision),
    st.lists(any_texts, max_size=3).map(tuple),
    texts,
    texts,
    st.lists(any_texts, max_size=3).map(tuple),
    texts,
    texts,
    original=texts,
    source_sha256=texts,
    created_at=st.none() | moments,
    held_out=st.booleans(),
)
