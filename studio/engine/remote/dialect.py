"""What kind of server it is, what it serves, and how it is asked: llama-server, vLLM, Ollama, or another.

Looked up in their documentation of 2026 and tried with llama-server: both take token ids as the prompt of
``/v1/completions`` and have ``/tokenize``; they differ in its fields and in how they tell the ids of an answer. Ollama
and all others get the prompt as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from studio.core.run import Sampling
from studio.engine.remote import ollama
from studio.engine.remote.failures import RemoteKindError, UnknownModelError
from studio.engine.remote.http import Server
from studio.engine.remote.prompts import IdPrompts, Piece, harmony_ids

_WIDTH = 8
"""Requests at a time to a server that does not say how many it takes."""


class Kind(StrEnum):
    """The servers that we know apart."""

    LLAMA_SERVER = "llama-server"
    VLLM = "vLLM"
    OLLAMA = "Ollama"
    OTHER = "OpenAI-compatible server"


@dataclass(frozen=True, slots=True)
class Served:
    """What a server says of itself. ``n_ctx`` 0 where it does not; ``width``: requests that it answers at a time.

    ``prompts`` is None where it takes text only; then content may forge turns. ``digest`` names the model's very bytes,
    where the server says it.
    """

    kind: Kind
    version: str
    model: str
    n_ctx: int
    n_vocab: int
    n_params: int
    size: int
    width: int
    prompts: IdPrompts | None
    digest: str = ""

    @property
    def path(self) -> str:
        """Where on the server it is asked."""
        return ollama.GENERATE if self.kind is Kind.OLLAMA else "/v1/completions"


def describe(server: Server, wanted: str = "") -> Served:
    """Ask a server what it is. Raises RemoteKindError, UnknownModelError or another RemoteError."""
    card = _model_card(server, wanted)
    model = str(card["id"])
    meta: Mapping[str, Any] = card["meta"] if isinstance(card.get("meta"), dict) else {}
    kind = {"llamacpp": Kind.LLAMA_SERVER, "vllm": Kind.VLLM}.get(str(card.get("owned_by")), Kind.OTHER)
    version, width, n_ctx = "", _WIDTH, _whole(card.get("max_model_len"))
    if kind is Kind.LLAMA_SERVER:
        props = server.get("/props")
        props = props if isinstance(props, dict) else {}
        version, width = str(props.get("build_info", "")), _whole(props.get("total_slots")) or 1
        n_ctx = _whole(_inner(props, "default_generation_settings").get("n_ctx")) or _whole(meta.get("n_ctx"))
    elif kind is Kind.VLLM:
        version = str(_as_object(server.get("/version")).get("version", ""))
    elif (local := ollama.describe(server, model)) is not None:
        return _of_ollama(model, local)
    return Served(
        kind=kind,
        version=version[:100],
        model=model,
        n_ctx=n_ctx,
        n_vocab=_whole(meta.get("n_vocab")),
        n_params=_whole(meta.get("n_params")),
        size=_whole(meta.get("size")),
        width=min(max(width, 1), 64),
        prompts=_id_prompts(server, kind, model),
    )


def question(served: Served, prompt: list[int] | str, most: int, sampling: Sampling, candidates: int) -> dict[str, Any]:
    """What is asked at ``served.path``. Samplers that the studio does not use are switched off by name."""
    if served.kind is Kind.OLLAMA:
        return ollama.question(served.model, served.n_ctx, str(prompt), most, sampling)
    asked: dict[str, Any] = {
        "model": served.model,
        "prompt": prompt,
        "max_tokens": most,
        "temperature": max(sampling.temperature, 0.0),
        "top_p": sampling.top_p,
        "seed": sampling.seed,
        "stream": True,
    }
    if served.kind is Kind.OTHER:
        # Nothing beyond the protocol's core: some servers refuse even to tell probabilities.
        return asked
    # Both stop at these two by themselves where the model's file says so; a file may fail to.
    ends = (
        {} if served.prompts is None else {name: served.prompts.controls[name] for name in ("<|return|>", "<|call|>")}
    )
    asked |= {"logprobs": candidates, "top_k": 0, "min_p": 0.0, "stream_options": {"include_usage": True}}
    if served.kind is Kind.VLLM:
        asked |= {
            "stop_token_ids": sorted(ends.values()),
            "skip_special_tokens": False,
            "spaces_between_special_tokens": False,
            "return_token_ids": True,
            "repetition_penalty": 1.0,
            "add_special_tokens": False,
        }
    else:
        asked |= {"repeat_penalty": 1.0, "cache_prompt": True}
    return asked


def read(served: Served, where: str, event: dict[str, Any]) -> dict[str, Any]:
    """An event of the server's answer as one of the OpenAI protocol. Raises RemoteError."""
    return ollama.read(where, event) if served.kind is Kind.OLLAMA else event


def _of_ollama(model: str, found: ollama.OllamaModel) -> Served:
    return Served(
        kind=Kind.OLLAMA,
        version=found.version,
        model=model,
        n_ctx=found.n_ctx,
        n_vocab=0,
        n_params=found.n_params,
        size=found.size,
        width=ollama.WIDTH,
        prompts=None,
        digest=found.digest,
    )


def _model_card(server: Server, wanted: str) -> dict[str, Any]:
    listed = server.get("/v1/models")
    data = listed.get("data") if isinstance(listed, dict) else None
    rows: list[Any] = data if isinstance(data, list) else []
    cards: list[dict[str, Any]] = [row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)]
    if not isinstance(listed, dict) or not cards:
        raise RemoteKindError(
            f"{server.url} does not list models at /v1/models as OpenAI-compatible servers do.",
            hint="Check the address. llama-server, vLLM and Ollama are known to work.",
        )
    names = [str(card["id"]) for card in cards]
    if wanted:
        found = next((card for card in cards if wanted in (card["id"], *_aliases(card))), None)
        if found is None:
            raise UnknownModelError(
                f"{server.where} does not serve {wanted!r}. It serves: {', '.join(names)[:500]}.",
                hint="Name one of them as its model.",
                offered=names,
            )
        return found
    if len(cards) > 1:
        raise UnknownModelError(
            f"{server.where} serves several models: {', '.join(names)[:500]}.",
            hint="Name one of them as its model.",
            offered=names,
        )
    return cards[0]


def _id_prompts(server: Server, kind: Kind, model: str) -> IdPrompts | None:
    """How prompts become ids there; None where ids are not taken. Raises RemoteKindError when it is no gpt-oss."""
    if kind is Kind.OTHER:
        return None
    ask = partial(_tokenize, server, kind, model)
    probe = ask("<|start|>", special=True)
    if probe is None:
        return None
    controls = harmony_ids(lambda name: ask(name, special=True) or [])
    if controls is None:
        raise RemoteKindError(
            f"{model} at {server.where} does not know the control tokens of gpt-oss: it is another kind of model.",
            hint="Serve a gpt-oss-safeguard model.",
        )
    return IdPrompts(lambda text: ask(text) or [], controls)


def _tokenize(server: Server, kind: Kind, model: str, text: str, *, special: bool = False) -> list[Piece] | None:
    if kind is Kind.VLLM:
        asked = {"model": model, "prompt": text, "add_special_tokens": False, "return_token_strs": True}
    else:
        asked = {"content": text, "add_special": False, "parse_special": special, "with_pieces": True}
    answer = server.post("/tokenize", asked)
    if answer is None:
        return None
    tokens = _as_object(answer).get("tokens")
    strings = _as_object(answer).get("token_strs")
    if not isinstance(tokens, list):
        raise RemoteKindError(
            f"{server.where} answers /tokenize in a way that is not known.", hint="Update the server."
        )
    named = strings if isinstance(strings, list) and len(strings) == len(tokens) else [""] * len(tokens)
    return [_piece(server, token, text) for token, text in zip(tokens, named, strict=True)]


def _piece(server: Server, token: Any, text: Any) -> Piece:
    """One token: a number, or an object with its number and its text, which is a list of bytes when it is no text."""
    if isinstance(token, dict):
        token, text = token.get("id"), token.get("piece")
    if not isinstance(token, int) or isinstance(token, bool) or token < 0:
        raise RemoteKindError(
            f"{server.where} answers /tokenize in a way that is not known.", hint="Update the server."
        )
    if isinstance(text, list) and all(isinstance(byte, int) and 0 <= byte < 256 for byte in text):
        return Piece(token, bytes(text))
    # How byte-level vocabularies write a space and a line end.
    return Piece(token, str(text or "").replace("Ġ", " ").replace("Ċ", "\n").encode("utf-8", "replace"))


def _aliases(card: Mapping[str, Any]) -> list[str]:
    aliases = card.get("aliases")
    return [alias for alias in aliases if isinstance(alias, str)] if isinstance(aliases, list) else []


def _inner(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return _as_object(value.get(key))


def _as_object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53 else 0
