"""Evaluations: a policy version over golden examples, each judged once however often it is asked for.

What was judged before, in this workspace and with the same provenance, is read and not judged again: so a run that was
stopped or that crashed goes on where it was, and a second look costs nothing.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from studio import __version__
from studio.core.content import Content, user_message
from studio.core.errors import InputError
from studio.core.evaluation import Cluster, Comparison, Judged, Scores, Stability, Thresholds
from studio.core.golden import GoldenExample
from studio.core.grammar import applied_grammar
from studio.core.policy import Policy
from studio.core.progress import Cancel, Pause, Progress
from studio.core.prompt import LAYOUT_VERSION
from studio.core.run import Provenance, Run, Sampling
from studio.core.targets import By, Check, Target, check_targets
from studio.core.verdict import Status
from studio.services.evaluation import Evaluation, Judgement, Settings, checked, judgement_of, light
from studio.services.judge import JudgeService, sampler_of
from studio.services.many import judge_many
from studio.services.models import ModelEntry, ModelInfo, ModelService
from studio.services.sessions import SessionService
from studio.store.workspace import Workspace

__all__ = ["EvaluateService", "Evaluation", "Judgement", "Settings"]

_AGAIN = {Status.CANCELLED, Status.ENGINE_FAILED}
"""What says something about one attempt and nothing about the content: judged again, not read from the cache."""


@dataclass(slots=True)
class _Pace:
    """The time left, from how long judgements took by the length of their content."""

    left: dict[tuple[str, int], int]
    begun: float = field(default_factory=time.monotonic)
    spent: int = 0
    outputs: list[int] = field(default_factory=list)

    def done(self, key: tuple[str, int], output_tokens: int) -> None:
        self.spent += self.left.pop(key, 0)
        self.outputs.append(output_tokens)

    def eta_s(self) -> float | None:
        """An answer costs by its own length too: the mean of those seen stands for each that is to come."""
        if not self.outputs:
            return None
        answer = round(4 * statistics.fmean(self.outputs))
        done = self.spent + answer * len(self.outputs)
        rest = sum(self.left.values()) + answer * len(self.left)
        return (time.monotonic() - self.begun) * rest / done if done else None


class EvaluateService:
    """Runs evaluations and reckons their figures. The statistics libraries are loaded at the first figure."""

    def __init__(
        self,
        workspace: Workspace,
        judge: JudgeService,
        models: ModelService,
        sessions: SessionService,
        pinned_date: Callable[[], date],
    ) -> None:
        self._runs = workspace.runs
        self._policies = workspace.policies
        self._judge = judge
        self._models = models
        self._sessions = sessions
        self._pinned_date = pinned_date

    def run(
        self,
        policy: Policy,
        examples: Sequence[GoldenExample],
        settings: Settings | None = None,
        *,
        model: ModelEntry | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        cancel: Cancel | None = None,
        pause: Pause | None = None,
    ) -> Evaluation:
        """Judge every example whose decision is known, as many times as ``settings`` say, and keep each at once.

        ``model`` judges instead of the one in use, which is in use again afterwards. A stop gives the evaluation of
        what is complete; asking again goes on from there. Raises InputError when no example has a known decision,
        ModelFileError or EngineError when the model does not load, and StoreError.
        """
        settings = settings or Settings()
        chosen = checked(examples, settings)
        with self._models.lent(model):
            return self._run(policy, chosen, settings, on_progress, cancel or Cancel(), pause)

    def _run(
        self,
        policy: Policy,
        chosen: Sequence[GoldenExample],
        settings: Settings,
        on_progress: Callable[[Progress], None] | None,
        cancel: Cancel,
        pause: Pause | None,
    ) -> Evaluation:
        info = self._models.load(cancel=cancel)
        started = datetime.now(UTC)
        day = settings.pinned_date or self._pinned_date()
        found = self._judged_before(policy, chosen, settings, info, day)
        total = len(chosen) * settings.repeats
        reused, session = len(found), ""
        missing = [(e, r) for e in chosen for r in range(settings.repeats) if (e.content.sha256, r) not in found]
        # The same content twice in a set is one question.
        missing = list({(example.content.sha256, r): (example, r) for example, r in missing}.values())
        total = reused + len(missing)
        if missing:
            session = self._sessions.create(f"Evaluation: {policy.title}").id
            pace = _Pace({(e.content.sha256, r): len(user_message(e.content)) for e, r in missing})

            def one(item: tuple[GoldenExample, int], own: Cancel) -> Run:
                return self._judge.judge(
                    policy,
                    item[0].content,
                    session_id=session,
                    effort=settings.effort,
                    sampling=settings.sampling_of(item[1]),
                    pinned_date=day,
                    batch=True,
                    cancel=own,
                )

            def tell(item: tuple[GoldenExample, int], run: Run) -> None:
                key = item[0].content.sha256, item[1]
                if run.provenance is not None and run.provenance.model_sha256 != info.sha256:
                    # Somebody chose another model meanwhile: what it says is kept, but says nothing here.
                    cancel.request()
                elif run.verdict is not None and run.verdict.status is not Status.CANCELLED:
                    found[key] = light(run, policy)
                pace.done(key, run.timing.output_tokens)
                if on_progress is not None:
                    on_progress(Progress(total - len(pace.left), total, policy.title, pace.eta_s()))

            judge_many(missing, one, width=info.n_seq, on_done=tell, cancel=cancel, pause=pause)
        if on_progress is not None and not missing:
            on_progress(Progress(total, total, policy.title, 0.0))
        return self._put_together(policy, chosen, settings, info, day, found, reused, session, started)

    def judged_at_all(self, policy: Policy) -> bool:
        """Whether anything was ever judged by this text of the policy; quick, so that it can be asked first."""
        return self._runs.any_judged(policy.id, policy.sha256)

    def recall(
        self,
        policy: Policy,
        examples: Sequence[GoldenExample],
        settings: Settings | None = None,
        *,
        model: ModelEntry | None = None,
    ) -> Evaluation | None:
        """What is known without judging or loading anything: None when the model was not loaded yet or judged nothing.

        ``model`` is asked for instead of the one in use.
        """
        settings = settings or Settings()
        known = [example for example in examples if example.expected is not None]
        info = self._models.seen(model)
        if info is None or not known:
            return None
        chosen = checked(known, settings)
        now, day = datetime.now(UTC), settings.pinned_date or self._pinned_date()
        found = self._judged_before(policy, chosen, settings, info, day)
        if not found:
            return None
        return self._put_together(policy, chosen, settings, info, day, found, len(found), "", now)

    def scores(self, evaluation: Evaluation) -> Scores:
        """All figures; of several repeats their majority counts, and a tie asks for a person."""
        from studio.analysis.scores import score  # scipy and scikit-learn: not at the start of window and commands

        return score(self.items(evaluation), evaluation.policy.labels)

    def items(self, evaluation: Evaluation) -> tuple[Judged, ...]:
        """What became of each example, in the examples' order; of several repeats their majority."""
        from studio.analysis.stability import majority  # scipy: not at the start of window and commands

        return tuple(majority([judgement.judged for judgement in group]) for group in evaluation.judgements)

    def stability(self, evaluation: Evaluation) -> Stability:
        """How far the repeats agree."""
        from studio.analysis.stability import stability  # scipy: not at the start of window and commands

        return stability([[judgement.judged for judgement in group] for group in evaluation.judgements])

    def compare(self, before: Evaluation, after: Evaluation) -> Comparison:
        """Two versions, models or efforts on the same examples. Raises InputError when they have none in common."""
        from studio.analysis.comparison import compare  # scipy: not at the start of window and commands

        found = compare(_named_alike(before, self.items(before), after), self.items(after))
        if not found.n:
            raise InputError("The two evaluations have no example in common.", hint="Run both over the same set.")
        return found

    def clusters(self, evaluation: Evaluation) -> tuple[Cluster, ...]:
        """The failures by what was expected and got, largest first."""
        from studio.analysis.clusters import clusters  # scikit-learn: not at the start of window and commands

        return clusters(self.items(evaluation))

    def thresholds(
        self, evaluation: Evaluation, *, miss: float, false_flag: float, conformal: bool = False
    ) -> Thresholds:
        """Where automatic decisions may begin. Only of an evaluation over held-out examples do its promises hold."""
        from studio.analysis.thresholds import choose  # scipy: not at the start of window and commands

        items = self.items(evaluation)
        return choose(items, miss=miss, false_flag=false_flag, rule="conformal" if conformal else "exact")

    def check(self, evaluation: Evaluation, targets: Sequence[Target], *, by: By = By.LOWER) -> tuple[Check, ...]:
        """Hold each target against its figure; see :func:`studio.core.targets.check_targets`."""
        return check_targets(targets, self.scores(evaluation), self.stability(evaluation), by=by)

    def known(self, policy: Policy, content: Content, settings: Settings, info: ModelInfo) -> Run | None:
        """The newest kept run of one content that the same judgement now would repeat, without its texts, or None."""
        day = settings.pinned_date or self._pinned_date()
        wanted = self._wanted(policy, settings, 0, info, day)
        found = None
        for run in self._runs.judged(policy.sha256, [content.sha256]):
            if run.provenance is None or _key(run.provenance) != wanted:
                continue
            if run.verdict is not None and run.verdict.status not in _AGAIN:
                found = light(run, policy)
        return found

    def run_of(self, run_id: str) -> Run | None:
        """The whole run behind a judgement, with reasoning and answer; None when it was deleted meanwhile."""
        return self._runs.get(run_id)

    def _wanted(self, policy: Policy, settings: Settings, repeat: int, info: ModelInfo, day: date) -> Provenance:
        """The key of the runs that a repeat now would repeat."""
        budget = None if info.remote else self._judge.budget(settings.effort or policy.effort)
        expected = _expected(policy, settings.sampling_of(repeat), settings, info, day)
        return _key(replace(expected, thinking_budget=budget))

    def _judged_before(
        self, policy: Policy, examples: Sequence[GoldenExample], settings: Settings, info: ModelInfo, day: date
    ) -> dict[tuple[str, int], Run]:
        """The newest run of the same provenance for each content and repeat."""
        wanted = {self._wanted(policy, settings, repeat, info, day): repeat for repeat in range(settings.repeats)}
        found = {}
        for run in self._runs.judged(policy.sha256, (example.content.sha256 for example in examples)):
            repeat = wanted.get(_key(run.provenance)) if run.provenance else None
            if repeat is not None and run.verdict is not None and run.verdict.status not in _AGAIN:
                found[run.content.sha256, repeat] = light(run, policy)
        return found

    def _put_together(
        self,
        policy: Policy,
        examples: Sequence[GoldenExample],
        settings: Settings,
        info: ModelInfo,
        day: date,
        found: dict[tuple[str, int], Run],
        reused: int,
        session: str,
        started: datetime,
    ) -> Evaluation:
        groups = []
        for example in examples:
            runs = [found.get((example.content.sha256, repeat)) for repeat in range(settings.repeats)]
            whole = [run for run in runs if run is not None]
            if len(whole) == settings.repeats:
                groups.append((example, tuple(judgement_of(policy, example, run) for run in whole)))
        return Evaluation(
            policy=policy,
            version=self._policies.version_number(policy),
            settings=settings,
            pinned_date=day,
            model=info,
            examples=tuple(example for example, _ in groups),
            judgements=tuple(group for _, group in groups),
            unfinished=len(examples) - len(groups),
            reused=reused,
            fresh=len(found) - reused,
            session_id=session,
            started_at=started,
            finished_at=datetime.now(UTC),
        )


def _expected(policy: Policy, sampling: Sampling, settings: Settings, info: ModelInfo, day: date) -> Provenance:
    """The provenance that a run would have now."""
    return Provenance(
        studio_version=__version__,
        model_name=info.name,
        model_sha256=info.sha256,
        llama_build=info.llama_build,
        backend=info.backend,
        device=info.device,
        n_ctx=0,
        prompt_layout=LAYOUT_VERSION,
        pinned_date=day,
        effort=settings.effort or policy.effort,
        sampling=sampling,
        policy_sha256=policy.sha256,
        n_seq=info.n_seq,
        flash_attn=info.flash_attn,
        kv_type=info.kv_type,
        # As it is recorded: a server is not held to a form.
        constrained=applied_grammar(policy)[1] and not info.remote,
        is_demo=info.is_demo,
        sampler=sampler_of(sampling, info),
    )


def _key(provenance: Provenance) -> Provenance:
    """What must be equal for a run to stand for another.

    How many requests were decoded together, and in how long steps, only changes rounding and is chosen anew by the
    memory that is free; but one at a time is exact, and stays apart. The context's size changes nothing that ended.
    """
    return replace(provenance, model_name="", n_ctx=0, n_ubatch=0, n_seq=1 if provenance.strict else 2)


def _named_alike(before: Evaluation, items: Sequence[Judged], after: Evaluation) -> list[Judged]:
    """The items before under the ids that their contents have after: one content is one example wherever it is kept."""
    ids = {example.content.sha256: example.id for example in after.examples}
    same = {example.id: example.content.sha256 for example in after.examples}
    named = []
    for example, item in zip(before.examples, items, strict=True):
        digest = example.content.sha256
        # A set may hold a content twice: then each keeps the id that it has on both sides.
        named.append(item if same.get(item.id) == digest else replace(item, id=ids.get(digest, f"before {item.id}")))
    return named
