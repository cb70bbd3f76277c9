"""Many judgements, as many at a time as the engine decodes together, with a stop and a pause."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

from studio.core.progress import Cancel, Pause
from studio.core.run import Run

Item = TypeVar("Item")


def judge_many(
    items: Sequence[Item],
    judge: Callable[[Item, Cancel], Run],
    *,
    width: int,
    on_done: Callable[[Item, Run], None] | None = None,
    cancel: Cancel | None = None,
    pause: Pause | None = None,
) -> list[Run | None]:
    """Judge each item and return the runs in the items' order; None for those that a stop left out.

    ``judge`` gets a cancel of its own for each item. ``on_done`` is called in this thread as each ends, in any order.
    """
    stop = Cancel()
    if cancel is not None:
        cancel.on_request(stop.request)

    def judged(item: Item) -> Run | None:
        if pause is not None:
            pause.wait(stop)
        # Each has a cancel of its own: a judgement that has ended no longer stands for the others.
        own = Cancel()
        stop.on_request(own.request)
        return None if stop.requested else judge(item, own)

    pool = ThreadPoolExecutor(max(1, min(width, len(items))), "many")
    try:
        futures = {pool.submit(judged, item): item for item in items}
        for future in as_completed(futures):
            run = future.result()
            if run is not None and on_done is not None:
                on_done(futures[future], run)
    finally:
        # After an error too: nobody waits for the rest any more.
        stop.request()
        pool.shutdown(cancel_futures=True)
    return [future.result() for future in futures]
