"""What the Workbench opens with: what was left there last, or the demo policy with a sample on the first start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from studio.core.content import Content
from studio.core.errors import NotFoundError
from studio.core.policy import Policy, PolicyVersion
from studio.core.run import Run
from studio.services.studio import Studio

_DEMO = "demo-"


@dataclass(frozen=True, slots=True)
class Opening:
    """Everything that stands there at the start. ``state`` is empty on the first start."""

    session_id: str
    policy: Policy
    version: PolicyVersion | None
    state: dict[str, Any]
    sample: Content | None
    run: Run | None


def read_opening(studio: Studio) -> Opening:
    """Read it from the workspace; a policy or run that is gone is passed over."""
    session = studio.sessions.current()
    state = studio.sessions.state(session.id)
    kept = state.get("policy_id")
    policy = _policy(studio, kept) if isinstance(kept, str) else None
    if policy is None:
        policy = _first_policy(studio)
    versions = studio.policies.versions(policy.id)
    samples = [] if state else studio.policies.samples(policy.id)
    return Opening(
        session_id=session.id,
        policy=policy,
        version=versions[0] if versions else None,
        state=state,
        sample=samples[0].content if samples else None,
        run=_run(studio, state.get("run_id")),
    )


def _first_policy(studio: Studio) -> Policy:
    """The first demo policy; else the first starter; else a new one, so that there is always a policy open."""
    summaries = studio.policies.list()
    demo = [summary.id for summary in summaries if summary.builtin and summary.id.startswith(_DEMO)]
    starters = [summary.id for summary in summaries if summary.builtin]
    for policy_id in (*sorted(demo), *starters, *(summary.id for summary in summaries)):
        policy = _policy(studio, policy_id)
        if policy is not None:
            return policy
    return studio.policies.create("My first policy")


def _policy(studio: Studio, policy_id: str) -> Policy | None:
    try:
        return studio.policies.open(policy_id)
    except NotFoundError:
        return None


def _run(studio: Studio, run_id: object) -> Run | None:
    if not isinstance(run_id, str):
        return None
    try:
        return studio.sessions.run(run_id)
    except NotFoundError:
        return None
