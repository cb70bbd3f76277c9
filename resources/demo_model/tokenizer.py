"""The demo model's tokenizer: byte-level BPE (pre-tokenizer of GPT-2) trained on the demo world's own text.

Control tokens of harmony are single ids; everything else is ordinary text, cut as the studio cuts it.
"""

from __future__ import annotations

import json
import random
import re
from datetime import date
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # type: ignore[import-not-found, unused-ignore]

from resources.demo_model import world
from resources.demo_model.cases import DemoCase, make_case
from resources.demo_model.contents import TRAIN
from studio.core.prompt import Control, build_prompt, safe_pieces

CONTROLS = (
    "<|endoftext|>", "<|return|>", "<|constrain|>", "<|channel|>", "<|start|>", "<|end|>", "<|message|>", "<|call|>",
)  # fmt: skip
VOCABULARY = 4096
_PAIR = re.compile("[A-Z]{2}")


def _words() -> list[str]:
    """Every word of the world, which should be one token: with a space before it or not, capitalised or not.

    A word in pieces is one that the model fails to copy.
    """
    words: list[str] = []
    for thing in world.THINGS:
        words += [*thing.plurals, *thing.singulars]
    for deed in world.DEEDS:
        words.append(deed.name)
        for text in (*deed.contents, *deed.rules):
            words += text.replace("[", "").replace("]", "").replace("{o}", "").replace(":", "").split()
    words = [word for word in dict.fromkeys(words) if word.isalpha()]
    words += [word.capitalize() for word in words]
    return [*words, *(f" {word}" for word in words)]


def _corpus(rng: random.Random, count: int) -> list[str]:
    texts = []
    for _ in range(count):
        case = make_case(rng, TRAIN)
        prompt = build_prompt(case.policy, case.content, pinned_date=some_date(rng), effort=case.effort)
        texts += [segment.text for segment in prompt.segments if not isinstance(segment, Control)]
        texts += [case.analysis, case.final]
    return texts


def some_date(rng: random.Random) -> date:
    """A pinned date between 2024 and 2030."""
    return date(rng.randint(2024, 2030), rng.randint(1, 12), rng.randint(1, 28))


def train_tokenizer(path: Path) -> Tokenizer:
    """Trains the tokenizer and saves it."""
    rng = random.Random(1)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(CONTROLS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
        min_frequency=3,
    )
    words = [word for word in _words() for _ in range(200)]
    numbers = [f"{lead}{n}" for lead in ("", " ") for n in range(100) for _ in range(60)]
    tokenizer.train_from_iterator([*_corpus(rng, 4000), *words, *numbers], trainer)
    path.write_text(json.dumps(without_capital_pairs(json.loads(tokenizer.to_str())), ensure_ascii=False))
    return Tokenizer.from_file(str(path))


def without_capital_pairs(made: dict[str, Any]) -> dict[str, Any]:
    """The tokenizer without tokens of two capitals in a row, ids closed up.

    Rule ids open with one to three capitals. As one token each, most pairs would be too rare to be copied reliably;
    letter by letter, every id is made of tokens that are seen all the time.
    """
    model = made["model"]
    kept = [token for token, _ in sorted(model["vocab"].items(), key=lambda item: item[1]) if not _PAIR.search(token)]
    vocabulary = {token: n for n, token in enumerate(kept)}
    pairs = [merge if isinstance(merge, list) else merge.split(" ") for merge in model["merges"]]
    merges = [[a, b] for a, b in pairs if {a, b, a + b} <= vocabulary.keys()]
    return {**made, "model": {**model, "vocab": vocabulary, "merges": merges}}


class Codec:
    """Text to ids and back, with the control tokens after the ordinary ones."""

    def __init__(self, path: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(path))
        self.base: int = self._tokenizer.get_vocab_size()
        self.control = {name: self.base + n for n, name in enumerate(CONTROLS)}

    @property
    def size(self) -> int:
        """How many ids there are."""
        return int(self.base) + len(CONTROLS)

    def tokens(self) -> list[str]:
        """All tokens as they are stored in a GGUF, by id."""
        table = self._tokenizer.get_vocab()
        return [*sorted(table, key=lambda token: table[token]), *CONTROLS]

    def plain(self, text: str) -> list[int]:
        """Ids of a text in which nothing becomes a control token."""
        pieces = safe_pieces(text, CONTROLS)
        return [i for piece in pieces for i in self._tokenizer.encode(piece, add_special_tokens=False).ids]

    def text(self, ids: list[int]) -> str:
        """The ids as text, control tokens by name."""
        names = {number: name for name, number in self.control.items()}
        made = ""
        run: list[int] = []
        for i in ids:
            if i in names:
                made += self._tokenizer.decode(run, skip_special_tokens=False) + names[i]
                run = []
            else:
                run.append(i)
        return made + str(self._tokenizer.decode(run, skip_special_tokens=False))

    def prompt(self, case: DemoCase, pinned: date) -> tuple[list[int], list[int]]:
        """The ids of a case's prompt: the head that all contents share, and the rest."""
        prompt = build_prompt(case.policy, case.content, pinned_date=pinned, effort=case.effort)
        parts = [
            [self.control[segment.name]] if isinstance(segment, Control) else self.plain(segment.text)
            for segment in prompt.segments
        ]
        head = [i for part in parts[: prompt.prefix] for i in part]
        return head, [i for part in parts[prompt.prefix :] for i in part]

    def answer(self, case: DemoCase) -> list[int]:
        """The ids of what the model should write, to the end."""
        return [
            self.control["<|channel|>"], *self.plain("analysis"), self.control["<|message|>"],
            *self.plain(case.analysis),
            self.control["<|end|>"], self.control["<|start|>"], *self.plain("assistant"), self.control["<|channel|>"],
            *self.plain("final"), self.control["<|message|>"], *self.plain(case.final), self.control["<|return|>"],
        ]  # fmt: skip
