"""One judgement, from policy and content to a stored verdict: the road of DESIGN 1, built once.

    policy + content -> core.prompt -> engine -> core.reply -> store

Whatever happens on the way is recorded: the run is stored as running before the engine starts, and finished, with its
verdict or with the reason why there is none, in one transaction.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from uuid import uuid4

from studio import __version__
from studio.core.confidence import confidence, rated
from studio.core.content import Content, user_message
from studio.core.errors import StudioError, TooLongError
from studio.core.grammar import Grammar, applied_grammar, contract_grammar
from studio.core.harmony import from_messages
from studio.core.policy import Effort, Policy
from studio.core.progress import Cancel, Progress
from studio.core.prompt import LAYOUT_VERSION, Control, Origin, Plain, Prompt, Segment, build_prompt
from studio.core.reply import read_reply
from studio.core.run import GREEDY, Provenance, Run, RunState, Sampling, Timing
from studio.core.verdict import Status, Verdict, no_verdict
from studio.engine.client import EngineClient
from studio.engine.types import (
    DEFAULT_CANDIDATES,
    FINAL_CHANNEL,
    SAMPLER,
    GenerateEvent,
    GenerateRequest,
    Generation,
    ModelInfo,
    Priority,
    TokenInfo,
)
from studio.engine.types import Started as EngineStarted
from studio.services.models import ModelService
from studio.services.warming import warm
from studio.store.heads import KeptHeads
from studio.store.workspace import Workspace

__all__ = ["Answering", "JudgeEvent", "JudgeService", "Loading", "OnEvent", "Started", "Thinking", "TokenInfo"]

_NOTHING = Content.message("")
_CLOSE_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class Loading:
    """The model is being loaded."""

    progress: Progress


@dataclass(frozen=True, slots=True)
class Started:
    """The prompt is ready; ``cached_tokens`` of ``prompt_tokens`` did not have to be read again."""

    prompt_tokens: int
    cached_tokens: int


@dataclass(frozen=True, slots=True)
class Thinking:
    """More text of the reasoning."""

    text: str


@dataclass(frozen=True, slots=True)
class Answering:
    """More text of the final answer."""

    text: str


JudgeEvent = Loading | Started | Thinking | Answering
OnEvent = Callable[[JudgeEvent], None]


class JudgeService:
    """Judges contents under policies. Safe to call from several threads."""

    def __init__(
        self,
        workspace: Workspace,
        engine: EngineClient,
        models: ModelService,
        pinned_date: Callable[[], date],
        heads: KeptHeads,
    ) -> None:
        self._policies = workspace.policies
        self._runs = workspace.runs
        self._engine = engine
        self._models = models
        self._pinned_date = pinned_date
        self._heads = heads
        self._budgets: Mapping[Effort, int] = {}
        self._changed = threading.Condition()
        self._running: set[Cancel] = set()
        self._closing = False

    def judge(
        self,
        policy: Policy,
        content: Content,
        *,
        session_id: str,
        effort: Effort | None = None,
        sampling: Sampling = GREEDY,
        pinned_date: date | None = None,
        constrain: bool | None = None,
        thinking_budget: int | None = None,
        batch: bool = False,
        keep_stopped: bool = True,
        on_event: OnEvent | None = None,
        cancel: Cancel | None = None,
    ) -> Run:
        """Judge ``content`` under ``policy`` and return the stored run.

        ``batch`` lets judgements that somebody waits for go first; several at a time, from as many threads, are decoded
        together (see :meth:`width`). ``constrain`` holds the final answer to the contract's grammar; None: where the
        studio writes the contract into the prompt. After ``thinking_budget`` tokens of reasoning the answer is asked
        for; None: what :meth:`budget` says. Unless ``keep_stopped`` a run that is cancelled leaves no record: it was
        overtaken by the next one before anybody saw a verdict. Trouble with the model or the engine is not raised: it
        is the run's non-verdict. Raises StoreError, and PolicyError when ``constrain`` is asked for and the policy's
        labels do not allow it.
        """
        grammar, held = applied_grammar(policy, constrain)
        prompt = build_prompt(policy, content, pinned_date=pinned_date or self._pinned_date(), effort=effort)
        request = GenerateRequest(
            segments=prompt.segments,
            prefix=prompt.prefix,
            sampling=sampling,
            priority=Priority.BATCH if batch else Priority.INTERACTIVE,
            # In a held form the answers' own probabilities are always there.
            top_candidates=0 if held else DEFAULT_CANDIDATES,
            grammar=grammar.gbnf if grammar and held else "",
            answers=_answers(grammar) if grammar else (),
            thinking_budget=self.budget(prompt.effort) if thinking_budget is None else thinking_budget,
        )
        run = self._begin(policy, content, session_id, prompt, request)
        with self._registered(cancel or Cancel()) as stop:
            attempt = _Attempt(on_event or _ignore, watched=on_event is not None or not batch)
            try:
                done = self._through_engine(run, prompt, request, attempt, stop)
            except StudioError as error:
                stopped = self._stopped_words() if stop.requested else None
                done = self._unfinished(run, _failure(error, attempt, stopped), attempt, prompt, request)
            except BaseException as error:
                self._finish(self._unfinished(run, _broken_off(error, attempt), attempt, prompt, request))
                raise
            return self._finish(done, keep_stopped)

    def _begin(
        self, policy: Policy, content: Content, session_id: str, prompt: Prompt, request: GenerateRequest
    ) -> Run:
        """Keep that a judgement begins, and what it will run on where that is known already."""
        run = Run(
            id=uuid4().hex,
            session_id=session_id,
            policy=policy,
            version=self._policies.version_number(policy),
            content=content,
            state=RunState.RUNNING,
            started_at=datetime.now(UTC),
        )
        loaded = self._models.info if self._models.loaded else None
        kept = None if loaded is None else _provenance(loaded, prompt, request, policy)
        self._runs.begin(replace(run, provenance=kept))
        return run

    def prompt(self, policy: Policy, content: Content, *, effort: Effort | None = None) -> Prompt:
        """The compiled prompt exactly as it would be sent."""
        return build_prompt(policy, content, pinned_date=self._pinned_date(), effort=effort)

    def tokens(self, prompt: Prompt) -> list[TokenInfo]:
        """The prompt's tokens by the model's own vocabulary. Loads the model. Raises ModelFileError or EngineError."""
        self._models.load()
        return self._engine.tokenize(prompt.segments)

    def count_tokens(self, policy: Policy) -> int:
        """Tokens of the compiled prompt without content. Loads the model. Raises ModelFileError or EngineError."""
        self._models.load()
        return self._engine.count_tokens(self.prompt(policy, _NOTHING).segments)

    def width(self, cancel: Cancel | None = None) -> int:
        """How many judgements at a time are worth asking for. Loads the model; 1 when it does not load."""
        try:
            return self._models.load(cancel=cancel).n_seq
        except StudioError:
            # The judgements themselves will say why.
            return 1

    def set_budgets(self, budgets: Mapping[Effort, int]) -> None:
        """End the reasoning of judgements that begin from now on after so many tokens, by their effort."""
        self._budgets = dict(budgets)

    def budget(self, effort: Effort) -> int | None:
        """Tokens of reasoning, after which the answer is asked for under this effort; None for no limit."""
        return self._budgets.get(effort)

    def warm(self, policy: Policy, *, effort: Effort | None = None, cancel: Cancel | None = None) -> None:
        """Decode the policy ahead, so that the first verdict comes sooner. Raises ModelFileError or EngineError."""
        info = self._models.load(cancel=cancel)
        prompt = self.prompt(policy, _NOTHING, effort=effort)
        warm(self._engine, self._heads, info, prompt.segments[: prompt.prefix], cancel)

    def close(self) -> None:
        """Stop all that runs and wait until it is recorded."""
        with self._changed:
            self._closing = True
            running = list(self._running)
        for stop in running:
            stop.request()
        with self._changed:
            self._changed.wait_for(lambda: not self._running, timeout=_CLOSE_WAIT_S)

    def _through_engine(
        self, run: Run, prompt: Prompt, request: GenerateRequest, attempt: _Attempt, stop: Cancel
    ) -> Run:
        info = attempt.info = self._models.load(attempt.loading, stop)
        generation = self._engine.generate(request, on_event=attempt.heard if attempt.watched else None, cancel=stop)
        return replace(
            run,
            verdict=self._verdict(run.policy, run.content, generation, bool(request.answers)),
            provenance=_provenance(info, prompt, request, run.policy, generation),
            timing=Timing(
                prompt_tokens=generation.prompt_tokens,
                cached_tokens=generation.cached_tokens,
                thinking_tokens=generation.thinking_tokens,
                output_tokens=generation.output_tokens,
                first_token_s=generation.first_token_s,
                total_s=generation.total_s,
                thinking_cut=generation.thinking_cut,
            ),
            raw_output=generation.raw,
        )

    def _unfinished(
        self, run: Run, verdict: Verdict, attempt: _Attempt, prompt: Prompt, request: GenerateRequest
    ) -> Run:
        """The run without an answer: what it ran on is known once the model was loaded."""
        info = attempt.info
        kept = None if info is None else _provenance(info, prompt, request, run.policy)
        return replace(run, verdict=verdict, provenance=kept)

    def _verdict(self, policy: Policy, content: Content, generation: Generation, has_answers: bool) -> Verdict:
        channels = from_messages(generation.messages, generation.stop)
        if generation.stop == "cancelled":
            return no_verdict(
                Status.CANCELLED, self._stopped_words(), reasoning=channels.analysis, raw_final=channels.final or ""
            )
        verdict = read_reply(channels, policy, stop=generation.stop, content=user_message(content))
        if not verdict.is_verdict:
            return verdict
        answers = contract_grammar(policy).answers if has_answers else ()
        sure, alternatives = rated(answers, generation.answer_logprobs, verdict)
        if sure is None:
            tokens = [(token.text, token.candidates) for token in generation.final_tokens]
            sure, alternatives = confidence(tokens, policy, verdict)
        return verdict.with_confidence(sure, alternatives, policy.review_below)

    def _stopped_words(self) -> str:
        return "The studio was closed while it ran." if self._closing else "Stopped by you."

    def _finish(self, run: Run, keep_stopped: bool = True) -> Run:
        done = replace(run, state=RunState.DONE, finished_at=datetime.now(UTC))
        if keep_stopped or done.verdict is None or done.verdict.status is not Status.CANCELLED:
            self._runs.finish(done)
        else:
            self._runs.drop(done.id)
        return done

    @contextmanager
    def _registered(self, stop: Cancel) -> Iterator[Cancel]:
        with self._changed:
            self._running.add(stop)
            closing = self._closing
        if closing:
            stop.request()
        try:
            yield stop
        finally:
            with self._changed:
                self._running.discard(stop)
                self._changed.notify_all()


class _Attempt:
    """What one attempt has heard from the engine so far, so that nothing shown is lost when the engine dies.

    Of an attempt that is not ``watched`` nothing is heard before its end: the engine need not spell it out.
    """

    def __init__(self, on_event: OnEvent, *, watched: bool) -> None:
        self._on_event = on_event
        self.watched = watched
        self.info: ModelInfo | None = None
        self._thinking: list[str] = []
        self._answering: list[str] = []

    @property
    def reasoning(self) -> str:
        return "".join(self._thinking)

    @property
    def answer(self) -> str:
        return "".join(self._answering)

    def loading(self, progress: Progress) -> None:
        self._on_event(Loading(progress))

    def heard(self, event: GenerateEvent) -> None:
        if isinstance(event, EngineStarted):
            self._on_event(Started(event.prompt_tokens, event.cached_tokens))
        elif event.channel == FINAL_CHANNEL:
            self._answering.append(event.text)
            self._on_event(Answering(event.text))
        else:
            self._thinking.append(event.text)
            self._on_event(Thinking(event.text))


def _ignore(event: JudgeEvent) -> None:
    """Nobody is watching."""


def _failure(error: StudioError, attempt: _Attempt, stopped: str | None) -> Verdict:
    if stopped is not None:
        status, words = Status.CANCELLED, stopped
    elif isinstance(error, TooLongError):
        status, words = Status.TOO_LONG, str(error)
    else:
        status, words = Status.ENGINE_FAILED, f"{error.title}. {error}"
    return no_verdict(status, words, reasoning=attempt.reasoning, raw_final=attempt.answer)


def _broken_off(error: BaseException, attempt: _Attempt) -> Verdict:
    """The non-verdict of a run that an error of the studio itself, or Ctrl+C, has broken off."""
    if isinstance(error, KeyboardInterrupt):
        status, words = Status.CANCELLED, "Stopped by you."
    else:
        status, words = Status.ENGINE_FAILED, f"The studio met an error of its own ({type(error).__name__})."
    return no_verdict(status, words, reasoning=attempt.reasoning, raw_final=attempt.answer)


def _answers(grammar: Grammar) -> tuple[tuple[Segment, ...], ...]:
    """The beginnings of the final whose probabilities the confidence is made of."""
    end = (Control("<|return|>"),) if grammar.whole else ()
    return tuple((Plain(((Origin.CONTRACT, answer.text),)), *end) for answer in grammar.answers)


def sampler_of(sampling: Sampling, info: ModelInfo) -> str:
    """The sampler as a run's record tells it: "" for greedy answers, and for a server's own."""
    return "" if sampling.greedy or info.remote else SAMPLER


def _provenance(
    info: ModelInfo, prompt: Prompt, request: GenerateRequest, policy: Policy, generation: Generation | None = None
) -> Provenance:
    """What a judgement depends on; without an answer, as it was asked for."""
    return Provenance(
        studio_version=__version__,
        model_name=info.name,
        model_sha256=info.sha256,
        llama_build=info.llama_build,
        backend=info.backend,
        device=info.device,
        n_ctx=info.n_ctx_limit if generation is None else generation.n_ctx,
        prompt_layout=LAYOUT_VERSION,
        pinned_date=prompt.pinned_date,
        effort=prompt.effort,
        sampling=request.sampling if generation is None else replace(request.sampling, seed=generation.seed),
        policy_sha256=policy.sha256,
        n_seq=info.n_seq,
        n_ubatch=info.n_ubatch,
        flash_attn=info.flash_attn,
        kv_type=info.kv_type,
        is_demo=info.is_demo,
        # A server is not held to either.
        constrained=bool(request.grammar) and not info.remote,
        thinking_budget=None if info.remote else request.thinking_budget,
        sampler=sampler_of(request.sampling, info),
    )
