"""Measures a demo model through llama.cpp, greedily, on cases that training never saw.

python -m resources.demo_model.evaluate MODEL.gguf --cases 400 [--show 5]
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import llama_cpp
import numpy as np

from resources.demo_model.cases import TEST, DemoCase, decide, flip, make_case
from resources.demo_model.write_check import SEED
from studio.core.labels import Decision, LabelDecision
from studio.core.policy import OutputForm
from studio.core.prompt import CONTROL_TOKENS, Control, build_prompt, safe_pieces

_WORDS = {
    "VALID": Decision.ALLOWED, "INVALID": Decision.VIOLATES, "ESCALATE": Decision.NEEDS_REVIEW,
    "0": Decision.ALLOWED, "1": Decision.VIOLATES,
}  # fmt: skip


@dataclass
class Answer:
    """What the model wrote, and what it means; ``decision`` is None when it is not well formed."""

    text: str
    analysis: str
    final: str
    decision: Decision | None
    labels: tuple[str, ...]
    tokens: int


class Runner:
    """Greedy generation with the plain Llama class."""

    def __init__(self, path: Path, threads: int = 2) -> None:
        self.llama = llama_cpp.Llama(
            str(path), n_ctx=4096, n_batch=512, verbose=False, swa_full=True, n_threads=threads, n_threads_batch=threads
        )
        names = ("<|endoftext|>", *CONTROL_TOKENS)
        self.ids = {name: self.llama.tokenize(name.encode(), add_bos=False, special=True)[0] for name in names}
        self.stop = {self.ids["<|return|>"], self.ids["<|endoftext|>"], self.ids["<|call|>"]}

    def prompt(self, case: DemoCase) -> list[int]:
        """The ids of the case's prompt."""
        made: list[int] = []
        for part in build_prompt(
            case.policy, case.content, pinned_date=date(2026, 11, 21), effort=case.effort
        ).segments:
            if isinstance(part, Control):
                made.append(self.ids[part.name])
                continue
            for piece in safe_pieces(part.text, self.ids):
                made += self.llama.tokenize(piece.encode(), add_bos=False, special=False)
        return made

    def answer(self, case: DemoCase, most: int = 700) -> Answer:
        """What the model writes for the case."""
        self.llama.reset()  # type: ignore[no-untyped-call]
        self.llama.eval(self.prompt(case))
        made: list[int] = []
        while len(made) < most:
            scores = llama_cpp.llama_get_logits_ith(self.llama.ctx, -1)
            token = int(np.argmax(np.ctypeslib.as_array(scores, shape=(self.llama.n_vocab(),))))
            made.append(token)
            if token in self.stop:
                break
            self.llama.eval([token])
        return self._read(made, case)

    def _read(self, ids: list[int], case: DemoCase) -> Answer:
        text = self.llama.detokenize(ids, special=True).decode("utf-8", "replace")
        head, _, rest = text.partition("<|end|><|start|>assistant<|channel|>final<|message|>")
        final = rest.removesuffix("<|return|>")
        analysis = head.removeprefix("<|channel|>analysis<|message|>")
        ended = rest.endswith("<|return|>") and head != analysis
        decision, labels = read_final(final, case) if ended else (None, ())
        return Answer(text, analysis, final, decision, labels, len(ids))


def read_final(final: str, case: DemoCase) -> tuple[Decision | None, tuple[str, ...]]:
    """The decision and the labels of a final answer, read strictly."""
    policy = case.policy
    if policy.form in (OutputForm.VALID_INVALID, OutputForm.BINARY):
        return (_WORDS.get(final), ()) if final.isalpha() == (policy.form is OutputForm.VALID_INVALID) else (None, ())
    if policy.form is OutputForm.LABEL:
        label = policy.label(final)
        return (label.decision.decision, (label.id,)) if label else (None, ())
    try:
        answer = json.loads(final)
        label = policy.label(answer["policy_category"])
        keys = {"violation", "policy_category"}
        if policy.form is OutputForm.RATIONALE_JSON:
            keys |= {"rule_ids", "rationale"}
        if label is None or set(answer) != keys or answer["violation"] != (label.decision is LabelDecision.VIOLATE):
            return None, ()
    except (ValueError, KeyError, TypeError, AttributeError):
        return None, ()
    return label.decision.decision, (label.id,)


def slices(case: DemoCase) -> list[str]:
    """What the case is an example of."""
    kind = decide(case.plan, case.mentions)[0] if case.plan.readable else "not of this world"
    return [
        "all", f"form {case.policy.form}", f"effort {case.effort}", f"kind {case.content.kind}",
        f"topics {len(case.mentions)}", f"rules {(len(case.plan.rules) + 2) // 3 * 3 - 2}+", f"decided by {kind}",
    ]  # fmt: skip


def measure(runner: Runner, cases: list[DemoCase], show: int) -> dict[str, dict[str, float]]:
    """Counts per slice; prints the first ``show`` failures."""
    counts: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for case in cases:
        answer = runner.answer(case)
        right = answer.decision is case.expected_decision
        flipped = flip(case)
        both, shown = None, (case, answer)
        if flipped and flipped.expected_decision is not case.expected_decision:
            turned = runner.answer(flipped)
            both = right and turned.decision is flipped.expected_decision
            shown = (flipped, turned) if right else shown
        for name in slices(case):
            at = counts[name]
            at["n"] += 1
            at["formed"] += answer.decision is not None
            at["right"] += right
            at["labels"] += right and answer.labels == case.expected_labels
            at["thought"] += answer.analysis == case.analysis
            at["tokens"] += answer.tokens
            if both is not None:
                at["flips"] += 1
                at["flipped"] += both
        if (not right or both is False) and show > 0:
            show -= 1
            wanted, got = shown
            print(
                f"\n--- {'flip' if right else 'verdict'} wrong: {wanted.content}\n{got.text}\n"
                f"... wanted:\n{wanted.analysis}\n{wanted.final}"
            )
    return counts


def report(counts: dict[str, dict[str, float]]) -> str:
    """The counts as a Markdown table."""
    rows = [
        "| slice | cases | well formed | verdict | and label | flips | reasoning exact | tokens |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in sorted(counts):
        at = counts[name]
        n = at["n"]
        flips = f"{at['flipped']:.0f} of {at['flips']:.0f}" if at["flips"] else "–"
        rows.append(
            f"| {name} | {n:.0f} | {100 * at['formed'] / n:.1f} % | {100 * at['right'] / n:.1f} % | "
            f"{100 * at['labels'] / n:.1f} % | {flips} | {100 * at['thought'] / n:.1f} % | {at['tokens'] / n:.0f} |"
        )
    return "\n".join(rows)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--cases", type=int, default=400)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    cases = [make_case(rng, TEST) for _ in range(args.cases)]
    print(report(measure(Runner(args.model, args.threads), cases, args.show)))


if __name__ == "__main__":
    main()
