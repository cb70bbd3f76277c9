"""Ollama's own protocol: its ``/api/generate`` takes our whole prompt as it is (``raw``), where its others rewrite it.

Looked up in its documentation and source of 2026. It takes text only, so that the prompt is escaped and content may
forge turns all the same. What it would do silently is switched off or refused: cutting a prompt that is too long,
moving the context while it writes, reading the answer's channels itself, and handing the request on to a cloud.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio.core.run import Sampling
from studio.engine.remote.failures import RemoteError, RemoteKindError
from studio.engine.remote.http import Server

GENERATE = "/api/generate"
LEAST_VERSION = (0, 12, 11)
"""From here on ``truncate`` and ``shift`` are known to be heeded; earlier ones cut a long prompt without a word."""

LARGEST_CONTEXT = 32_768
"""Tokens of context that are asked for, where the model has as many: 0.6 GB more than 8,192 for the 20b."""

WIDTH = 2
"""It answers one request at a time unless its owner changed that; a second one waits there and not here."""

_ARCHITECTURES = ("gptoss", "gpt-oss")


@dataclass(frozen=True, slots=True)
class OllamaModel:
    """What Ollama says of one model. ``digest`` is that of its manifest; a tag may be given to another model later."""

    version: str
    n_ctx: int
    n_params: int
    size: int
    digest: str


def describe(server: Server, model: str) -> OllamaModel | None:
    """What the model is; None when the server is no Ollama. Raises RemoteKindError when it cannot be judged with."""
    told, tags = server.get("/api/version"), server.get("/api/tags")
    if told is None or tags is None:
        return None
    version = str(_object(told).get("version", ""))[:100]
    if _numbers(version) < LEAST_VERSION:
        raise RemoteKindError(
            f"{server.where} is Ollama {version or 'of an unknown version'}: it cuts prompts that are too long without "
            "saying so.",
            hint=f"Update it to {'.'.join(map(str, LEAST_VERSION))} or later.",
        )
    listed = _object(tags).get("models")
    rows = [_object(row) for row in listed] if isinstance(listed, list) else []
    tag: Mapping[str, Any] = next((row for row in rows if row.get("name") == model), {})
    shown = _object(server.post("/api/show", {"model": model}))
    if any(found.get(key) for found in (tag, shown) for key in ("remote_host", "remote_model")):
        raise RemoteKindError(
            f"{model} at {server.where} runs in a cloud: Ollama would hand policy and content on.",
            hint="Choose a model that runs on that machine.",
        )
    info = _object(shown.get("model_info"))
    architecture = str(info.get("general.architecture", ""))
    if architecture not in _ARCHITECTURES:
        raise RemoteKindError(
            f"{model} at {server.where} is another kind of model ({architecture or 'it does not say which'}).",
            hint="Choose a gpt-oss-safeguard model there.",
        )
    most = _whole(info.get(f"{architecture}.context_length")) or LARGEST_CONTEXT
    return OllamaModel(
        version=version,
        n_ctx=min(most, LARGEST_CONTEXT),
        n_params=_whole(info.get("general.parameter_count")),
        size=_whole(tag.get("size")),
        digest=str(tag.get("digest", ""))[:71],
    )


def question(model: str, n_ctx: int, prompt: str, most: int, sampling: Sampling) -> dict[str, Any]:
    """What is asked of ``/api/generate``. Options that a model's own file sets otherwise are set by name."""
    return {
        "model": model,
        "prompt": prompt,
        "raw": True,
        "stream": True,
        "think": False,  # the answer's channels are read here, and not taken apart there
        "truncate": False,
        "shift": False,
        "options": {
            "num_ctx": n_ctx,
            "num_predict": most,
            "temperature": max(sampling.temperature, 0.0),
            "top_p": sampling.top_p,
            "seed": sampling.seed,
            "top_k": 0,
            "min_p": 0.0,
            "repeat_penalty": 1.0,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
            "stop": ["<|return|>", "<|call|>"],
        },
    }


def read(where: str, event: Mapping[str, Any]) -> dict[str, Any]:
    """One line of its answer as an event of the OpenAI protocol. Raises RemoteKindError when it took it apart."""
    if event.get("thinking"):
        raise RemoteKindError(
            f"{where} takes the answer apart by itself although it was asked not to.",
            hint="Update Ollama, or import its file here: the studio finds Ollama's files itself.",
        )
    finish = str(event.get("done_reason") or "stop") if event.get("done") is True else None
    if finish not in (None, "stop", "length"):
        raise RemoteError(f"{where} ended without an answer ({finish}).", hint="Judge again.", again=True)
    usage = {"prompt_tokens": event.get("prompt_eval_count"), "completion_tokens": event.get("eval_count")}
    return {"choices": [{"text": event.get("response"), "finish_reason": finish}], "usage": usage if finish else None}


def _numbers(version: str) -> tuple[int, ...]:
    match = re.match(r"v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})", version)
    return tuple(int(part) for part in match.groups()) if match else ()


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53 else 0
