"""Several items a row: a prompt and its response with a label each, or several responses to one prompt."""

from __future__ import annotations

import re

from studio.core.policy import ContentKind
from studio.exchange.labelled.mapping import Item
from studio.exchange.labelled.names import Role, is_sure_label, normal
from studio.exchange.labelled.profile import Column, Profile

_NUMBER = re.compile(r"(?<![a-z0-9])(?:\d{1,2}|[a-d])(?![a-z0-9])")


def pairs(profile: Profile, prompt: Column, responses: list[Column]) -> tuple[Item, ...]:
    """The items of a row whose labels say which text they are about; none where they do not."""
    return _numbered(profile, prompt, responses) or _prompt_and_response(profile, prompt, responses[0])


def may_label(column: Column) -> bool:
    """Whether the values may be labels: few and short, or lists of them, or scores; more of them by a sure name."""
    few = not column.many or (is_sure_label(column.name) and not column.full)
    return column.is_score or (few and not column.is_prose) or "list" in column.types


def _numbered(profile: Profile, prompt: Column, responses: list[Column]) -> tuple[Item, ...]:
    """Responses such as ``response_0`` and ``response_1``, each with the label that has its number."""
    labels = {_number(c.name): c.name for c in reversed(profile.of(Role.RESPONSE_LABEL)) if may_label(c)}
    found = tuple(
        Item(ContentKind.COMPLETION, prompt=prompt.name, response=response.name, label=labels[number])
        for response in responses
        if (number := _number(response.name)) and number in labels
    )
    return found if len(found) > 1 else ()


def _number(name: str) -> str:
    found = _NUMBER.findall(normal(name).replace("_", " "))
    return found[0] if len(found) == 1 else ""


def _prompt_and_response(profile: Profile, prompt: Column, response: Column) -> tuple[Item, ...]:
    """The prompt with its label, and the response, in the light of the prompt, with its own."""
    of_prompt = next((c.name for c in profile.of(Role.PROMPT_LABEL) if may_label(c)), "")
    of_response = next((c.name for c in profile.of(Role.RESPONSE_LABEL) if may_label(c)), "")
    plain = [c.name for c in profile.of(Role.LABEL) if may_label(c)]
    order = [*profile.columns]
    if not of_prompt and not of_response:
        after_prompt = [
            name for name in plain if order.index(prompt.name) < order.index(name) < order.index(response.name)
        ]
        after_response = [name for name in plain if order.index(name) > order.index(response.name)]
        if not after_prompt or not after_response:
            return ()
        of_prompt, of_response = after_prompt[0], after_response[0]
    elif not of_prompt and plain:
        of_prompt = plain[0]
    elif not of_response and plain:
        of_response = plain[-1]
    found = []
    if of_prompt:
        found.append(Item(text=prompt.name, label=of_prompt))
    if of_response:
        found.append(Item(ContentKind.COMPLETION, prompt=prompt.name, response=response.name, label=of_response))
    return tuple(found)
