"""One answer of a server while it is written: its channels, its tokens of the final, and why it ended.

With token ids channels are cut at the ids of control tokens, as on this machine. Without, the text is all there is, and
its channels are read at the end by the rules for stored answers.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from studio.core.harmony import from_text
from studio.engine.channels import ChannelReader, Reading
from studio.engine.remote.failures import BrokenStreamError, RemoteKindError
from studio.engine.types import FINAL_CHANNEL, Delta, Generation, Stop, TokenChoice

MOST_TOKENS = 200_000


class RemoteAnswer:
    """Takes events as they come. ``controls``: the names of control tokens by id; None for a server of text only."""

    def __init__(self, where: str, controls: Mapping[int, str] | None) -> None:
        self._where, self._controls = where, controls
        self._began = time.monotonic()
        self._first_s = 0.0
        self._reader = ChannelReader()
        self._text: list[str] = []
        self._final: list[TokenChoice] = []
        self._finish = ""
        self._last_control = ""
        self._ids = 0
        self._with_ids = controls is not None
        self._usage: Mapping[str, Any] = {}
        self._closed = False

    @property
    def complete(self) -> bool:
        """Whether the model began another message after its final: nothing more is wanted."""
        return self._closed

    def take(self, event: Mapping[str, Any]) -> Iterator[Delta]:
        """What one event adds. Raises RemoteKindError when it is not what the protocol says."""
        usage = event.get("usage")
        if isinstance(usage, dict):
            self._usage = usage
        choices = event.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            return
        choice = choices[0]
        text = choice.get("text")
        if not isinstance(text, str):
            raise RemoteKindError(f"{self._where} answers without text.", hint="Update the server.")
        self._finish = str(choice.get("finish_reason") or self._finish)
        tokens = _tokens(choice)
        if (text or tokens) and not self._first_s:
            self._first_s = time.monotonic() - self._began
        self._ids += len(tokens)
        self._text.append(text)
        if self._ids > MOST_TOKENS:
            raise RemoteKindError(f"{self._where} writes on without an end.", hint="Look at the server.")
        if text and not tokens:
            # A server that takes ids and tells none: its whole text is read at the end.
            self._with_ids = False
        if self._with_ids:
            yield from self._cut(text, tokens)
        elif text:
            yield Delta("", text)

    def generation(self, *, prompt_tokens: int, seed: int, n_ctx: int, cancelled: bool = False) -> Generation:
        """The whole answer. Raises BrokenStreamError when the server did not say that it was finished."""
        if not self._finish and not cancelled and not self._closed:
            raise BrokenStreamError(f"{self._where} ended its answer in the middle.", hint="Judge again.", again=True)
        self._reader.finish()
        raw = self._reader.raw if self._with_ids else "".join(self._text)
        messages = self._reader.messages if self._with_ids else _messages(raw)
        written = _count(self._usage, "completion_tokens") or self._ids
        thinking = self._reader.thinking_tokens if self._with_ids else 0
        details = self._usage.get("prompt_tokens_details")
        return Generation(
            messages=messages,
            raw=raw,
            stop="cancelled" if cancelled else self._stop(messages),
            prompt_tokens=_count(self._usage, "prompt_tokens") or prompt_tokens,
            cached_tokens=_count(details, "cached_tokens") if isinstance(details, dict) else 0,
            thinking_tokens=thinking,
            output_tokens=written,
            first_token_s=self._first_s,
            total_s=time.monotonic() - self._began,
            final_tokens=tuple(self._final),
            seed=seed,
            n_ctx=n_ctx,
        )

    def _cut(self, text: str, tokens: list[tuple[int, str, tuple[tuple[str, float], ...]]]) -> Iterator[Delta]:
        """Cut the text of some tokens at those that are control tokens by their ids."""
        names = self._controls or {}
        for number, shown, candidates in tokens:
            name = names.get(number)
            if name is None:
                if self._reader.in_final and candidates:
                    self._final.append(TokenChoice(shown, candidates))
                continue
            before, found, after = text.partition(name)
            if found:
                yield from self._feed(before)
                text = after
            self._last_control = name
            reading = self._reader.feed_control(name)
            self._closed = self._closed or reading.ends
            yield from _delta(reading)
        count = sum(1 for number, _shown, _candidates in tokens if number not in names)
        yield from self._feed(text, count)

    def _feed(self, text: str, count: int = 0) -> Iterator[Delta]:
        if (text or count) and not self._closed:
            yield from _delta(self._reader.feed_text(text.encode("utf-8", "replace"), count))

    def _stop(self, messages: tuple[tuple[str, str], ...]) -> Stop:
        if self._closed:
            return "end"
        if self._finish == "length":
            return "limit"
        if self._last_control == "<|call|>":
            return "call"
        return "return" if any(channel == FINAL_CHANNEL for channel, _ in messages) else "eog"


def _delta(reading: Reading) -> Iterator[Delta]:
    if reading.text:
        yield Delta(reading.channel, reading.text)


def _tokens(choice: Mapping[str, Any]) -> list[tuple[int, str, tuple[tuple[str, float], ...]]]:
    """Id, text and candidates of the tokens of one event, as llama-server (``content``) and vLLM (rows) say them."""
    told = choice.get("logprobs")
    told = told if isinstance(told, dict) else {}
    content = told.get("content")
    if isinstance(content, list):
        return [
            (entry["id"], str(entry.get("token", "")), _candidates(entry.get("top_logprobs")))
            for entry in content
            if isinstance(entry, dict) and isinstance(entry.get("id"), int)
        ]
    ids = choice.get("token_ids")
    if not isinstance(ids, list) or not all(isinstance(number, int) for number in ids):
        return []
    shown, rows = told.get("tokens"), told.get("top_logprobs")
    shown = shown if isinstance(shown, list) and len(shown) == len(ids) else [""] * len(ids)
    rows = rows if isinstance(rows, list) and len(rows) == len(ids) else [None] * len(ids)
    return [(number, str(text), _candidates(row)) for number, text, row in zip(ids, shown, rows, strict=True)]


def _candidates(row: Any) -> tuple[tuple[str, float], ...]:
    """Candidates best first: a list of objects, or an object of logarithms by text."""
    if isinstance(row, dict):
        pairs = list(row.items())
    else:
        entries = [entry for entry in row if isinstance(entry, dict)] if isinstance(row, list) else []
        pairs = [(str(entry.get("token", "")), entry.get("logprob")) for entry in entries]
    good = [(text, float(value)) for text, value in pairs if isinstance(value, int | float) and -1e30 < value <= 0]
    return tuple(sorted(good, key=lambda pair: -pair[1]))


def _messages(raw: str) -> tuple[tuple[str, str], ...]:
    read = from_text(raw)
    pairs = [("analysis", read.analysis), ("commentary", read.commentary)]
    finals = [*read.earlier_finals, *([] if read.final is None else [read.final])]
    return tuple((channel, text) for channel, text in pairs if text) + tuple((FINAL_CHANNEL, text) for text in finals)


def _count(value: Mapping[str, Any], key: str) -> int:
    found = value.get(key)
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else 0
