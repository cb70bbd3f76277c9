"""Contents of the demo world: mentions of things and deeds in posts, conversations and completions, and noise."""

from __future__ import annotations

import random
import re
import zlib
from dataclasses import dataclass

from resources.demo_model import world
from resources.demo_model.world import ANY, BARE, DEEDS, THINGS, Deed, Thing
from studio.core.content import Content, Turn
from studio.core.policy import ContentKind

TRAIN, TEST = "train", "test"

THING = {thing.name: thing for thing in THINGS}
DEED = {deed.name: deed for deed in DEEDS}

_MARK = re.compile("\x01(.*?)\x02")
_DETERMINERS = ("a", "my", "our", "this", "the", "one", "her")
_MANY = ("", "", "", "my", "our", "these", "two", "some", "the", "his", "seven", "many")
_QUALITIES = ("old", "small", "red", "big", "blue", "young", "heavy", "very nice", "grey", "tiny", "three-year-old")


@dataclass(frozen=True, slots=True)
class Mention:
    """One thing that a content is about: the canonical words, and the words of the content that say so."""

    thing: str
    deed: str
    words: str
    phrase: str

    @property
    def line(self) -> str:
        """The mention as the reasoning writes it: the words as found, and what they mean."""
        quoted = f"{self.words}, {self.phrase}" if self.phrase else self.words
        return f"{quoted} = {self.thing}: {self.deed}"


def held_out(*parts: str) -> bool:
    """Whether this combination is kept for testing (about one in eight), by a hash that never changes."""
    return zlib.crc32("|".join(parts).encode()) % 8 == 0


def pick_pair(rng: random.Random, split: str) -> tuple[str, str]:
    """A thing and a deed of the split: pairs kept for testing never occur in training."""
    while True:
        thing, deed = rng.choice(THINGS).name, rng.choice(DEEDS).name
        if split == TEST or not held_out(thing, deed):
            return thing, deed


def clause(rng: random.Random, thing: str, deed: str, split: str) -> tuple[str, Mention]:
    """A clause about the pair, and the mention to be read from it."""
    while True:
        templates = world.BARE_CONTENTS if deed == BARE else DEED[deed].contents
        template = rng.choice(templates)
        words, noun = _noun(rng, THING[thing])
        unseen = held_out(words, template) or held_out(thing, deed)
        if split == TRAIN and not unseen:
            break
        if split == TEST and (unseen or rng.random() < 0.1):
            break
    marked = template.replace("[", "\x01p").replace("]", "\x02").replace("{o}", noun)
    if rng.random() < 0.65:
        marked = _capital(marked)
    found = {m[:1].lower(): m[1:] for m in _MARK.findall(marked)}
    text = re.sub("\x01[pow]|\x02", "", marked)
    return text, Mention(thing, deed, found["w"], found.get("p", ""))


def _noun(rng: random.Random, thing: Thing) -> tuple[str, str]:
    """A word for the thing, and the marked noun phrase that holds it."""
    single = bool(thing.singulars) and rng.random() < 0.45
    word = rng.choice(thing.singulars if single else thing.plurals)
    before = rng.choice(_DETERMINERS) if single else rng.choice(_MANY)
    quality = rng.choice(_QUALITIES) if rng.random() < 0.25 else ""
    return word, " ".join(part for part in (before, quality, f"\x01w{word}\x02") if part)


def _capital(marked: str) -> str:
    at = 2 if marked.startswith("\x01") else 0
    return marked[:at] + marked[at : at + 1].upper() + marked[at + 1 :]


def _seen(rng: random.Random, items: tuple[str, ...], split: str) -> str:
    """An item of the list; every sixth is kept for testing."""
    while True:
        at = rng.randrange(len(items))
        if split == TEST or at % 6 != 5:
            return items[at]


def pseudo_words(rng: random.Random, count: int) -> str:
    """Words that do not exist, so that unknown words mean nothing to the model."""
    made = []
    for _ in range(count):
        syllables = [rng.choice("bcdfghklmnprstvwz") + rng.choice("aeiou") for _ in range(rng.randint(1, 3))]
        made.append("".join(syllables) + rng.choice(("", "n", "r", "s", "ng", "st", "ed", "ing")))
    return " ".join(made)


def _gibberish(rng: random.Random) -> str:
    alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,;:!?-_/()[]{}<>|@#%&*+=\"'\n\té漢😀ß"
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(1, 60)))


def noise(rng: random.Random, split: str) -> str:
    """A text that is about nothing in the world."""
    roll = rng.random()
    if roll < 0.50:
        return " ".join(_seen(rng, world.CHATTER, split) for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5))))
    if roll < 0.60:
        return _seen(rng, world.FOREIGN, split)
    if roll < 0.72:
        return _seen(rng, world.STRANGE, split)
    if roll < 0.86:
        return pseudo_words(rng, rng.choice((1, 3, 6, 12, 25))).capitalize() + rng.choice((".", "!", "?", ""))
    if roll < 0.95:
        return _gibberish(rng)
    return f"{_seen(rng, world.STRANGE, split)}\n{_seen(rng, world.CHATTER, split)}"


def _filler(rng: random.Random, split: str) -> str:
    roll = rng.random()
    if roll < 0.72:
        return _seen(rng, world.CHATTER, split)
    if roll < 0.92:
        return pseudo_words(rng, rng.randint(1, 6)) + "."
    return noise(rng, split)


def _post(rng: random.Random, clauses: list[str], split: str) -> str:
    """One text that holds the clauses in order, between small talk."""
    parts: list[str] = []
    if rng.random() < 0.35:
        parts.append(_seen(rng, world.OPENERS, split))
    for n, text in enumerate(clauses):
        if n and rng.random() < 0.4:
            parts[-1] = parts[-1].rstrip(".!? \n") + rng.choice((" and", ", and", " but", ","))
        elif rng.random() < 0.12:
            parts.append(_filler(rng, split))
        parts.append(text + rng.choice((".", ".", "!", "", "?", "...", ".")))
    if rng.random() < 0.3:
        parts.append(_seen(rng, world.CLOSERS, split))
    if rng.random() < 0.1:
        parts.append(_filler(rng, split))
    text = parts[0]
    for part in parts[1:]:
        text += rng.choice((" ", " ", " ", " ", "\n")) + part
    return text


def make_content(
    rng: random.Random, pairs: list[tuple[str, str]], kind: ContentKind, split: str
) -> tuple[Content, tuple[Mention, ...]]:
    """A content of the kind that is about the pairs, in order; about nothing when there are none."""
    made = [clause(rng, thing, deed, split) for thing, deed in pairs]
    mentions = tuple(mention for _, mention in made)
    texts = [text for text, _ in made]
    if kind is ContentKind.MESSAGE:
        return Content.message(_post(rng, texts, split) if texts else noise(rng, split)), mentions
    count = 2 if kind is ContentKind.COMPLETION else rng.randint(2, 4)
    homes = sorted(rng.randrange(count) for _ in texts)
    turns = []
    for n in range(count):
        mine = [text for text, home in zip(texts, homes, strict=True) if home == n]
        turns.append(_post(rng, mine, split) if mine else _short_talk(rng, split))
    if kind is ContentKind.COMPLETION:
        return Content.completion(turns[0], turns[1]), mentions
    names = rng.sample(world.SPEAKERS, 2)
    speakers = [names[n % 2] for n in range(count)]
    return Content.conversation(tuple(Turn(s, t) for s, t in zip(speakers, turns, strict=True))), mentions


def _short_talk(rng: random.Random, split: str) -> str:
    return _seen(rng, world.CHATTER, split) if rng.random() < 0.8 else noise(rng, split)


def rule_text(rng: random.Random, thing: str, deed: str, split: str) -> str:
    """A rule about the pair, in one of its wordings; either half may be left open."""
    for attempt in range(200):
        template = rng.choice(world.ANY_DEED_RULES if deed == ANY else DEED[deed].rules)
        word = rng.choice(world.ANY_THING_WORDS if thing == ANY else THING[thing].plurals)
        unseen = held_out(word, template) or (ANY not in (thing, deed) and held_out(thing, deed))
        if not (split == TRAIN and unseen) and not (split == TEST and not unseen and rng.random() < 0.8):
            break
        if attempt > 100 and split == TRAIN and ANY in (thing, deed):
            break
    return template.replace("{o}", word)


__all__ = ["ANY", "BARE", "DEED", "THING", "Deed", "Mention", "make_content", "noise", "pick_pair", "rule_text"]
