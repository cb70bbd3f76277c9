"""What crosses the engine's border: settings, requests and answers, as plain dataclasses.

Services use these; the wire (``protocol.py``) carries them to and from the worker process.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

from studio.core.prompt import Segment
from studio.core.run import GREEDY, Sampling

FINAL_CHANNEL = "final"
"""The harmony channel that carries the answer; every other channel is thinking."""

DEFAULT_ANSWER_TOKENS = 4096
"""Room for an answer when nobody says otherwise; logged answers of the real model end before 3,200 tokens."""

DEFAULT_CANDIDATES = 20
"""Candidates per token of the final channel that come back when nobody says otherwise."""

SAMPLER = "inverse_cdf"
"""What a run's record calls the way in which the engine draws tokens (``llama/sampling.py``). Another way gives other
answers from the same seed, so it needs another name."""

LEAST_ANSWER_TOKENS = 64
"""A prompt that leaves less room than this for the answer is too long: no useful answer fits."""

Stop = Literal["return", "call", "end", "eog", "limit", "cancelled"]
"""Why an answer ended: ``<|return|>``, ``<|call|>``, ``<|start|>`` after a closed final message, another end-of-text
token, no room left, or a cancel that we sent."""


KvType = Literal["f16", "q8_0"]


class Priority(IntEnum):
    """Who goes first when several requests wait; smaller goes first."""

    INTERACTIVE = 0
    WARM = 1
    BATCH = 2


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How the worker runs a model. None means: chosen by the engine, as told here.

    ``n_ctx`` in tokens (None: grows with what requests need, up to the model's own context). ``n_threads`` (None:
    physical cores minus one, at least one, so that the desktop stays usable). ``n_batch`` in tokens: the size of one
    prefill step, and with that how soon a cancel works. ``n_gpu_layers``: -1 is all (None: all where the build can).
    ``use_extra_bufts``: repacked weights, faster, but they crash on some virtual machines with AMX (None: on, unless
    this is one, and off after such a crash). ``flash_attn`` "auto" is on with a GPU, off on a CPU, where it costs 1.4x.
    ``hang_after_s``: seconds without a sign of life, while work is due, until the worker counts as hung. ``n_seq``:
    sequences decoded together at most (None: by memory and device). 1 is strict: one request at a time, and the same
    request gives bit for bit the same answer whatever came before; wider batches differ by rounding. ``cache_bytes``:
    memory for policies that were decoded and are not in use (None: by what is free; 0: none). ``kv_type``: how numbers
    in the context's memory are kept; "q8_0" takes about half, turns flash attention on, and changed 4 of 6 greedy
    answers when it was measured, so it is never chosen by itself. ``cpu_experts``: so many layers, the first ones, keep
    their experts on the CPU though the rest of them is on the GPU (None: as many as the GPU has no room for).
    ``device``: the GPU by the name that the library gives it (None: the one with most free memory). ``gpu_shares``: the
    share of a GPU's free memory that may be used, by :attr:`Placement.key`; 0 is not at all. ``memory_limit``: bytes
    that model and contexts may take (None: what is free).
    """

    n_ctx: int | None = None
    n_threads: int | None = None
    n_batch: int | None = None
    n_gpu_layers: int | None = None
    use_extra_bufts: bool | None = None
    flash_attn: Literal["auto", "off", "on"] = "auto"
    hang_after_s: float = 120.0
    n_seq: int | None = None
    cache_bytes: int | None = None
    kv_type: KvType = "f16"
    cpu_experts: int | None = None
    device: str | None = None
    gpu_shares: dict[str, float] = field(default_factory=dict)
    memory_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the parts of a model are. ``device`` is "" when all of it is on the CPU, else the library's name of a GPU.

    ``n_gpu_layers`` counts as llama.cpp does: the layers that are on the GPU, from the last one, and one more for the
    output; 0 is none, -1 all that there are. Of the first ``cpu_experts`` layers the experts stay on the CPU. A layer's
    part of the context's memory is where the layer is. ``device_name`` is what the GPU calls itself. ``words``: all of
    this for people.
    """

    device: str = ""
    device_name: str = ""
    n_gpu_layers: int = 0
    cpu_experts: int = 0
    words: str = ""

    @property
    def key(self) -> str:
        """The GPU as it is remembered: its place and its make, so that another card in its place is another GPU."""
        return f"{self.device} ({self.device_name})" if self.device else ""


@dataclass(frozen=True, slots=True)
class Device:
    """Something that computes. ``free`` and ``total`` in bytes; ``integrated`` shares the system's memory.

    ``handle`` is the library's own and means something in the worker only; None elsewhere.
    """

    name: str
    description: str
    free: int
    total: int
    gpu: bool
    integrated: bool = False
    handle: int | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """What the library can compute on here: its devices, GPUs only where this build can use them.

    ``features`` is what the library says of its build and the processor, as it says it; ``n_threads`` are those that a
    model would get.
    """

    devices: tuple[Device, ...]
    features: str
    n_threads: int
    llama_build: str


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What is known of a loaded model and of the worker that runs it.

    ``path`` as given; ``sha256`` of the whole file (of the first part, when a model is split). ``n_ctx_limit`` is the
    longest context that requests may use. ``network`` and ``writes`` say what the worker gave up before it opened the
    file: ``"no interfaces" | "refused by the system" | "blocked in process"`` and ``"limited" | "not limited"``.
    ``n_seq`` sequences are decoded together at most; it is below ``n_seq_wanted`` where memory did not suffice.
    ``n_ubatch``: tokens of one decode at most. ``kv_type``: how numbers in the context's memory are kept.
    ``memory_bytes``: weights, context and buffers at worst, when the model was loaded, on the device that computes.
    ``placement``: what is where. ``remote``: it is on a server; then many of these are not known and 0.
    """

    path: str
    name: str
    architecture: str
    description: str
    sha256: str
    size_bytes: int
    n_params: int
    n_ctx_train: int
    n_ctx_limit: int
    n_vocab: int
    llama_build: str
    backend: str
    device: str
    n_threads: int
    n_batch: int
    n_gpu_layers: int
    flash_attn: bool
    extra_bufts: bool
    is_demo: bool
    network: str
    writes: str
    n_seq: int = 1
    n_seq_wanted: int = 1
    n_ubatch: int = 0
    kv_type: KvType = "f16"
    memory_bytes: int = 0
    placement: Placement = Placement()
    remote: bool = False


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """One token of a prompt: its id, its bytes, whether it is a control token, and the segment that it came from."""

    id: int
    text: bytes
    control: bool
    segment: int


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """One question to the model.

    ``segments[:prefix]`` are those that the next request is likely to share (policy and scaffolding): their end is a
    place where decoded work can be reused exactly. ``max_output_tokens`` None means :data:`DEFAULT_ANSWER_TOKENS` or
    what is left; a number must fit whole. ``top_candidates`` per token of the final channel. ``grammar`` (GBNF with the
    root ``root``, "" for none) holds the final channel, and nothing else, to a form. ``answers`` are beginnings of the
    final whose probabilities are asked for. After ``thinking_budget`` tokens of thinking the final is asked for.
    """

    segments: tuple[Segment, ...]
    prefix: int = 0
    sampling: Sampling = GREEDY
    max_output_tokens: int | None = None
    priority: Priority = Priority.INTERACTIVE
    top_candidates: int = DEFAULT_CANDIDATES
    grammar: str = ""
    answers: tuple[tuple[Segment, ...], ...] = ()
    thinking_budget: int | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """The request's turn has come. ``cached_tokens`` of ``prompt_tokens`` need no decoding again."""

    prompt_tokens: int
    cached_tokens: int


@dataclass(frozen=True, slots=True)
class Delta:
    """More text of the answer, whole characters only. ``channel`` is "" for text outside any channel."""

    channel: str
    text: str


GenerateEvent = Started | Delta


@dataclass(frozen=True, slots=True)
class TokenChoice:
    """One token of the final channel as chosen, and the most probable candidates there, best first.

    ``candidates`` are (text, natural log of the probability under the model's own distribution, temperature 1). Text
    that is not whole UTF-8 by itself shows replacement characters.
    """

    text: str
    candidates: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Generation:
    """One finished answer.

    ``messages`` are (channel, text) in order. ``raw`` is the whole answer with control tokens spelled out.
    ``output_tokens`` counts every token that the model wrote, ``thinking_tokens`` those of texts outside the final
    channel. Times in seconds from the moment the request was sent; ``first_token_s`` is 0 when there was none.
    ``seed`` is the one that the sampler used (0 when greedy); ``n_ctx`` the context that the answer was made in.
    ``answer_logprobs``: for each answer that was asked for, the natural log of the probability, under the model's own
    distribution, that the final begins with its tokens; () when there was no whole final. ``thinking_cut``: the
    thinking reached its budget and was closed; the control tokens for that are in ``raw`` and not counted.
    """

    messages: tuple[tuple[str, str], ...]
    raw: str
    stop: Stop
    prompt_tokens: int
    cached_tokens: int
    thinking_tokens: int
    output_tokens: int
    first_token_s: float
    total_s: float
    final_tokens: tuple[TokenChoice, ...] = field(default=())
    seed: int = 0
    n_ctx: int = 0
    answer_logprobs: tuple[float, ...] = ()
    thinking_cut: bool = False

    @property
    def final(self) -> str:
        """The texts of the final channel, joined."""
        return "".join(text for channel, text in self.messages if channel == FINAL_CHANNEL)

    @property
    def thinking(self) -> str:
        """The texts of all other channels, one paragraph each."""
        return "\n\n".join(text for channel, text in self.messages if channel != FINAL_CHANNEL)
