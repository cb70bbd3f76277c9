"""Ready-made benchmarks: a public set that the user has, under a policy of ours that fits its labels.

The published figures can so be measured again on the model at hand. The policies are written for the labels of the
sets; they are not the authors' own guidelines, and say so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from studio import paths
from studio.core.errors import InputError, NotFoundError
from studio.core.policy import Policy
from studio.core.progress import Cancel, Progress
from studio.exchange.policy_files import read_policy
from studio.services.golden_import import GoldenFiles, Mapping, Preview, Stored
from studio.services.policies import PolicyService


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A public set: its name for commands, what it is, the shape its files have, and what is settled about it.

    ``answers`` are those that the published figures imply, such as keeping the labels that ToxicChat's own machine set.
    """

    name: str
    title: str
    shape: str
    answers: tuple[tuple[str, str], ...] = ()


BENCHMARKS = (
    Benchmark("openai-moderation", "OpenAI moderation 2022 (samples-1680.jsonl.gz)", "openai_moderation_2022"),
    Benchmark("toxicchat", "ToxicChat", "toxic_chat", (("machine_labels", "keep"),)),
    Benchmark("xstest", "XSTest", "xstest"),
    Benchmark("harmbench", "HarmBench behaviours", "harmbench"),
    Benchmark("spam", "the spam pack for gpt-oss-safeguard (golden_dataset.csv)", "spam_sections"),
    Benchmark("teen-safety", "the teen-safety packs for gpt-oss-safeguard", "two_items_a_row"),
)


class BenchmarkService:
    """The benchmarks, and bringing their files into the workspace."""

    def __init__(self, policies: PolicyService, files: GoldenFiles) -> None:
        self._policies = policies
        self._files = files

    def named(self, name: str) -> Benchmark:
        """The benchmark of that name. Raises NotFoundError."""
        found = next((one for one in BENCHMARKS if one.name == name.casefold()), None)
        if found is None:
            names = ", ".join(one.name for one in BENCHMARKS)
            raise NotFoundError(f"There is no benchmark {name!r}.", hint=f"There are {names}.")
        return found

    def policy(self, benchmark: Benchmark) -> Policy:
        """The policy that fits the set, as shipped."""
        if benchmark.name == "spam":
            # The starter's labels are those of the pack; its own golden set stays apart.
            own = read_policy(paths.resource("policies") / "spam" / "policy.md").policy
            return replace(own, id="bench-spam", title="Benchmark, spam")
        return read_policy(paths.resource("benchmarks") / f"bench-{benchmark.name}.md").policy

    def preview(self, benchmark: Benchmark, path: Path, mapping: Mapping | None = None) -> Preview:
        """What the import of the set's file would do. Raises InputError when it is another kind of file."""
        policy = self.policy(benchmark)
        seen = self._files.preview(path, policy, mapping)
        if seen.mapping.shape != benchmark.shape:
            raise InputError(
                f"{path.name} does not look like {benchmark.title}.",
                hint="`moderation-studio golden import` takes any other file.",
            )
        settled = {name: answer for name, answer in benchmark.answers if name in seen.mapping.confirm}
        if mapping is None and settled:
            answered = replace(seen.mapping, confirm={**seen.mapping.confirm, **settled})
            seen = self._files.preview(path, policy, answered)
        return seen

    def store(
        self,
        benchmark: Benchmark,
        preview: Preview,
        *,
        on_progress: Callable[[Progress], None] | None = None,
        cancel: Cancel | None = None,
    ) -> Stored:
        """Store the items under the benchmark's policy, which is saved first where it is not there yet."""
        policy = self.policy(benchmark)
        if not preview.questions and policy.id not in {known.id for known in self._policies.list()}:
            self._policies.save(policy, message=f"Policy for {benchmark.title}", author="Moderation Studio")
        return self._files.store(preview, policy, on_progress=on_progress, cancel=cancel)
