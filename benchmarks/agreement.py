"""How often a wide batch gives another verdict than one sequence at a time, on the demo golden sets.

    python -m benchmarks.agreement MODEL.gguf

One sequence is strict: bit for bit the answer of a fresh context. Wider batches round differently.
"""

from __future__ import annotations

import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

from studio import paths
from studio.core.content import Content, user_message
from studio.core.harmony import from_messages
from studio.core.policy import Policy
from studio.core.prompt import build_prompt
from studio.core.reply import read_reply
from studio.engine.client import EngineClient
from studio.engine.types import EngineSettings, GenerateRequest, Priority
from studio.services.demo import DEMO_PREFIX
from studio.services.studio import Studio

DAY = date(2026, 1, 1)
Item = tuple[Policy, Content]
Found = tuple[str, tuple[str, ...], str]


def golden_items() -> list[Item]:
    """Every content of the golden sets that the demo model can read, with its policy."""
    with tempfile.TemporaryDirectory() as home:
        os.environ[paths.HOME_VARIABLE] = home
        with Studio.open(Path(home) / "golden.studio") as studio:
            readable = [entry.id for entry in studio.policies.list() if entry.id.startswith(DEMO_PREFIX)]
            policies = [studio.policies.open(policy_id) for policy_id in readable]
            return [(policy, e.content) for policy in policies for e in studio.golden.list(policy.id)]


def verdicts(model: Path, items: list[Item], n_seq: int | None) -> tuple[int, list[Found]]:
    """(sequences at a time, what was found for each item: status and decision, labels, the whole answer)."""
    with EngineClient() as client, ThreadPoolExecutor(16) as pool:
        info = client.load(model, EngineSettings(n_seq=n_seq))

        def judge(item: Item) -> Found:
            policy, content = item
            prompt = build_prompt(policy, content, pinned_date=DAY)
            request = GenerateRequest(prompt.segments, prompt.prefix, priority=Priority.BATCH, max_output_tokens=400)
            made = client.generate(request)
            verdict = read_reply(
                from_messages(made.messages, made.stop), policy, stop=made.stop, content=user_message(content)
            )
            return f"{verdict.status} {verdict.decision}", verdict.labels, made.raw

        return info.n_seq, list(pool.map(judge, items))


def main() -> None:
    model = Path(sys.argv[1])
    items = golden_items()
    _, single = verdicts(model, items, 1)
    width, wide = verdicts(model, items, None)
    other_verdict = sum(a[:2] != b[:2] for a, b in zip(single, wide, strict=True))
    other_answer = sum(a != b for a, b in zip(single, wide, strict=True))
    print(
        f"{len(items)} golden examples, 1 against {width} sequences: "
        f"{other_verdict} other verdicts ({other_verdict / len(items):.2%}), {other_answer} answers with other words"
    )


if __name__ == "__main__":
    main()
