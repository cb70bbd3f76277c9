"""Several requests in one context: whoever comes, ends, waits or is stopped, each gets its own answer."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from studio.core.run import Sampling
from studio.engine import protocol
from studio.engine.llama import memory
from studio.engine.llama.model import Model
from studio.engine.types import Priority
from tests.engine.conftest import plain, prompt
from tests.engine.in_process import Desk, opened

OpenDesk = Callable[..., Desk]


@pytest.fixture(scope="module")
def model(random_gguf: Path) -> Iterator[Model]:
    found = opened(random_gguf)
    yield found
    found.close()


@pytest.fixture(scope="module")
def chain(chain_gguf: Path) -> Iterator[Model]:
    found = opened(chain_gguf)
    yield found
    found.close()


@pytest.fixture
def desk() -> Iterator[OpenDesk]:
    made: list[Desk] = []

    def call(model: Model, n_seq: int = 4, cache_bytes: int | None = None) -> Desk:
        made.append(Desk(model, n_seq, cache_bytes))
        return made[-1]

    yield call
    for each in made:
        each.close()


def test_ragged_requests_each_get_the_answer_they_get_alone(model: Model, desk: OpenDesk) -> None:
    draw = random.Random(1)
    policies = [plain("rule " * 40), plain("other rule " * 25)]
    asked = [((policies[number % 2], plain("x" * draw.randint(1, 90))), draw.randint(1, 60)) for number in range(24)]
    together, alone = desk(model), desk(model, 1)

    numbers = [together.ask(segments, 1, answer=answer) for segments, answer in asked]
    together.run()
    same = 0
    for number, (segments, answer) in zip(numbers, asked, strict=True):
        single = alone.ask(segments, 1, answer=answer)
        alone.run()
        mine, other = together.answer(number), alone.answer(single)
        assert (mine.prompt_tokens, mine.output_tokens) == (other.prompt_tokens, other.output_tokens)
        same += mine.raw == other.raw

    # Wider batches round differently, which now and then turns a close choice of random weights.
    assert same >= 22


def test_a_step_moves_every_running_request(chain: Model, desk: OpenDesk) -> None:
    made = desk(chain)
    for _ in range(4):
        made.ask(prompt("l"), answer=10)

    made.run(11)

    assert made.order(protocol.Finished) == [1, 2, 3, 4]


def test_a_finished_request_makes_room_at_once(chain: Model, desk: OpenDesk) -> None:
    made = desk(chain, 2)
    for answer in (50, 3, 50):
        made.ask(prompt("l"), answer=answer)

    made.run(6)

    assert made.order(protocol.Finished) == [2]
    assert made.order(protocol.Began) == [1, 2, 3]


def test_an_interactive_request_begins_in_the_next_step_and_ends_first(chain: Model, desk: OpenDesk) -> None:
    made = desk(chain)
    for _ in range(9):
        made.ask(prompt("l"), answer=60)
    made.run(3)
    assert made.order(protocol.Began) == [1, 2, 3, 4]

    urgent = made.ask(prompt("start"), answer=20, priority=Priority.INTERACTIVE, stream=True)
    made.run(1)
    assert made.order(protocol.Began)[-1] == urgent

    made.run()
    assert made.order(protocol.Finished)[0] == urgent
    assert made.answer(urgent).final == "éVALID"
    assert sorted(made.order(protocol.Finished)) == list(range(1, 11))


def test_more_interactive_requests_than_places_wait_for_each_other_only(chain: Model, desk: OpenDesk) -> None:
    made = desk(chain, 2)
    batch = [made.ask(prompt("l"), answer=40) for _ in range(3)]
    made.run(2)
    urgent = [made.ask(prompt("start"), answer=20, priority=Priority.INTERACTIVE) for _ in range(8)]

    made.run()

    finished = made.order(protocol.Finished)
    assert finished[: len(urgent)] == urgent
    assert sorted(finished[len(urgent) :]) == batch


def test_a_cancel_of_one_of_many_frees_its_cells_and_leaves_the_others(chain: Model, desk: OpenDesk) -> None:
    made = desk(chain)
    numbers = [made.ask(prompt("l" * size), answer=50) for size in (1, 40, 20)]
    made.run(6)
    place = made.scheduler._place
    seq = next(job.seq for job in made.scheduler._running if job.id == numbers[1])
    assert place.context.span(seq) != (-1, -1)

    made.scheduler.cancel(numbers[1])
    made.run(1)

    assert made.order(protocol.Finished) == [numbers[1]]
    assert made.answer(numbers[1]).stop == "cancelled"
    assert place.context.span(seq) == (-1, -1)
    made.run()
    assert [made.answer(number).output_tokens for number in (numbers[0], numbers[2])] == [50, 50]


def test_nobody_watching_is_told_nothing_and_gets_the_same_answer(chain: Model, desk: OpenDesk) -> None:
    made = desk(chain)
    watched, unwatched = (made.ask(prompt("start"), answer=20, stream=stream) for stream in (True, False))

    made.run()

    assert set(made.order(protocol.Chunk)) == {watched}
    mine, other = made.answer(unwatched), made.answer(watched)
    assert (mine.messages, mine.raw, mine.stop) == (other.messages, other.raw, other.stop)
    assert (mine.output_tokens, mine.thinking_tokens) == (other.output_tokens, other.thinking_tokens)


def test_seeds_are_kept_apart(model: Model, desk: OpenDesk) -> None:
    made, alone = desk(model), desk(model, 1)
    numbers = [made.ask(prompt("go"), answer=12, sampling=Sampling(1.0, 1.0, seed)) for seed in range(6)]
    made.run()
    singles = []
    for seed in range(6):
        singles.append(alone.ask(prompt("go"), answer=12, sampling=Sampling(1.0, 1.0, seed)))
    alone.run()

    mine = [made.answer(number).raw for number in numbers]
    assert len(set(mine)) == 6
    assert sum(a == alone.answer(b).raw for a, b in zip(mine, singles, strict=True)) >= 5


@pytest.fixture
def small_contexts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "SMALLEST_CONTEXT", 256)
    monkeypatch.setattr(memory, "FIRST_CONTEXT", 512)
    monkeypatch.setattr(memory, "SHARE", 32)


@pytest.mark.usefixtures("small_contexts")
def test_requests_that_outgrow_the_memory_pause_and_lose_nothing(chain: Model, desk: OpenDesk) -> None:
    made = desk(chain, 6)
    numbers = [made.ask(prompt("l"), answer=250) for _ in range(6)]
    assert made.scheduler._place.n_cells < 6 * 250

    made.run()

    assert all(made.answer(number).raw == "l" * 250 for number in numbers)
    assert made.order(protocol.Began) == numbers


@pytest.mark.parametrize("priority", [Priority.BATCH, Priority.INTERACTIVE])
@pytest.mark.usefixtures("small_contexts")
def test_a_prompt_beyond_the_context_makes_a_larger_one(chain: Model, desk: OpenDesk, priority: Priority) -> None:
    made = desk(chain, 2)
    short = made.ask(prompt("l"), answer=100)
    made.run(5)
    long = made.ask(prompt("x" * 2000 + "l"), answer=30, priority=priority)

    made.run()

    assert made.answer(short).raw == "l" * 100
    assert made.answer(long).raw == "l" * 30
    assert made.scheduler._place.n_cells >= 2000


def test_requests_with_a_fault_of_their_own_leave_the_others_alone(chain: Model, desk: OpenDesk) -> None:
    made = desk(chain)
    good = [made.ask(prompt("start"), answer=20) for _ in range(2)]
    empty, long = made.ask((), answer=4), made.ask(prompt("x" * 9000), answer=4)
    good.append(made.ask(prompt("start"), answer=20))

    made.run()

    failed = {event.id: event.code for event in made.events if isinstance(event, protocol.Failed)}
    assert failed == {empty: "empty_prompt", long: "too_long"}
    assert [made.answer(number).final for number in good] == ["éVALID"] * 3


def test_the_memory_is_as_empty_after_hundreds_of_requests_as_before(chain: Model, desk: OpenDesk) -> None:
    made = desk(chain, cache_bytes=0)
    place = made.scheduler._place
    draw = random.Random(2)
    free = sorted(place._free_seqs)
    for number in range(300):
        policy = plain(f"policy {draw.randint(0, 20)} " * draw.randint(1, 20))
        priority = draw.choice([Priority.BATCH, Priority.BATCH, Priority.INTERACTIVE])
        made.ask((policy, *prompt(draw.choice("tlc"))), 1, answer=draw.randint(1, 8), priority=priority)
        made.run(draw.randint(0, 6))
        if draw.random() < 0.1:
            made.scheduler.cancel(number)
    made.run()

    assert len(made.order(protocol.Finished)) == 300
    assert sorted(place._free_seqs) == free
    assert all(place.context.span(seq) == (-1, -1) for seq in free)
    while place.prefixes.make_room():
        pass
    assert (place.prefixes.cells, place.prefixes.saved_bytes) == (0, 0)
