"""Embeddings to start from: words that mean the same start near each other, as do the spellings of one word.

A model of this size cannot find out in minutes that a hamper is a basket and that ``Hamper`` is ``hamper``; the start
tells it, and training does the rest.
"""

from __future__ import annotations

from collections import Counter

import torch  # type: ignore[import-not-found, unused-ignore]
from torch import Tensor  # type: ignore[import-not-found, unused-ignore]

from resources.demo_model import world
from resources.demo_model.tokenizer import Codec


def _concepts() -> dict[str, str]:
    """Which word means which canonical word of the world; words that several deeds use mean none."""
    found: dict[str, str] = {}
    for thing in world.THINGS:
        for word in (*thing.plurals, *thing.singulars):
            found[word] = thing.name
    uses: Counter[str] = Counter()
    owner: dict[str, str] = {}
    for deed in world.DEEDS:
        words = {deed.name}
        for text in (*deed.contents, *deed.rules):
            plain = text.replace("[", " ").replace("]", " ").replace("{o}", " ").replace(":", " ")
            words |= {word for word in plain.lower().split() if len(word) > 2}
        uses.update(words)
        owner.update(dict.fromkeys(words, deed.name))
    for word, count in uses.items():
        if count == 1 and word not in found:
            found[word] = owner[word]
    return found


def set_embedding(embedding: Tensor, codec: Codec, places: int) -> dict[str, Tensor]:
    """Sets the first ``places`` columns; all tokens keep a part of their own. Gives the shared directions."""
    concepts = _concepts()
    deeds = {deed.name for deed in world.DEEDS}
    canonical = {f" {name}" for name in (*deeds, *(thing.name for thing in world.THINGS), world.ANY, world.BARE)}
    made: dict[str, Tensor] = {}

    def direction(name: str) -> Tensor:
        if name not in made:
            made[name] = torch.nn.functional.normalize(torch.randn(places), dim=0)
        return made[name]

    for token in range(codec.base):
        text = codec.text([token])
        word = text.strip().lower()
        vector = 0.55 * direction(f"token {token}")
        if word:
            vector += 0.6 * direction(f"word {word}")
        if text.startswith(" "):
            vector += 0.15 * direction("space")
        if text.strip()[:1].isupper():
            vector += 0.15 * direction("capital")
        if word in concepts:
            meaning = concepts[word]
            vector += 0.6 * direction(f"concept {meaning}")
            vector += 0.5 * direction("deed" if meaning in deeds else "thing")
        if text in canonical:
            vector += 0.3 * direction("canonical")
        if text in ("user", "assistant", "developer", "system"):
            vector += 1.5 * direction("role")
        embedding.data[token, :places] = torch.nn.functional.normalize(vector, dim=0)
    user, other = (codec.plain(role) for role in ("user", "assistant"))
    assert len(user) == len(other) == 1, "the roles have to be single tokens"
    made["user"] = embedding.data[user[0], :places] - embedding.data[other[0], :places]
    return made
