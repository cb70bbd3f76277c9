"""The proof that a judgement needs no network: one is made, and what was seen meanwhile is told, with what was not.

The judgement is a real one, on the demo model that ships with the studio, in a workspace that is thrown away. Every
line says how it is known. What this system cannot show is said as plainly as what it can.
"""

from __future__ import annotations

import socket
import sys
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from studio import paths
from studio.core.content import Content
from studio.core.run import Run
from studio.engine.client import EngineClient
from studio.services import shield, sockets
from studio.services.judge import JudgeEvent
from studio.services.studio import Studio

# A name that exists nowhere (RFC 2606). The hook must refuse even to ask for it.
_PLANTED = "planted-by-the-proof.invalid"
_POLICY = "demo-animals"
_CONTENT = "I want to sell my old dog."
_TRACE = "strace -f -e trace=network moderation-studio doctor --prove-offline"


class Proof(StrEnum):
    """How a line of evidence is to be read. ``broken`` speaks against the claim."""

    PROVEN = "proven"
    NOT_PROVEN = "not proven"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One line: what was looked at, what was seen, and what that shows."""

    what: str
    seen: str
    proof: Proof = Proof.PROVEN


@dataclass(frozen=True, slots=True)
class OfflineProof:
    """All lines. ``attempts``: connections that were asked for meanwhile, the planted one among them."""

    lines: tuple[Evidence, ...]
    attempts: tuple[shield.Attempt, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing that was seen speaks against the claim."""
        return all(line.proof is not Proof.BROKEN for line in self.lines)


class _Watch:
    """Looks at both processes whenever the judgement gets on, and keeps the most that was seen."""

    def __init__(self, engine: EngineClient) -> None:
        self._engine = engine
        self.looks = {"studio": 0, "worker": 0}
        self.most = {"studio": sockets.Sockets(0, 0, 0), "worker": sockets.Sockets(0, 0, 0)}
        self.confined: sockets.Confinement | None = None

    def look(self, _event: JudgeEvent | None = None) -> None:
        self._note("studio", sockets.of_process())
        worker = self._engine.worker_pid
        if worker is not None:
            self._note("worker", sockets.of_process(worker))
            self.confined = sockets.confinement(worker) or self.confined

    def _note(self, who: str, seen: sockets.Sockets | None) -> None:
        if seen is not None:
            self.looks[who] += 1
            self.most[who] = max(self.most[who], seen, key=lambda s: (s.internet, s.unknown, s.local))


def prove(engine: EngineClient | None = None) -> OfflineProof:
    """Make the judgement and gather the evidence. Raises ModelFileError or EngineError when there is no judgement.

    ``engine`` is for tests.
    """
    shield.install()
    opened, refused = shield.opened(), shield.refused()
    planted = _plant()
    engine = engine or EngineClient()
    watch = _Watch(engine)
    with (
        tempfile.TemporaryDirectory(prefix="moderation-studio-proof-") as folder,
        Studio.open(Path(folder) / f"proof{paths.WORKSPACE_SUFFIX}", engine=engine, strict=True) as studio,
    ):
        studio.models.use_demo()
        said = studio.models.load().network
        watch.look()
        session = studio.sessions.create("Proof").id
        policy = studio.policies.get(_POLICY).policy
        run = studio.judge.judge(policy, Content.message(_CONTENT), session_id=session, on_event=watch.look)
        watch.look()
    more = shield.refused() - refused - 1
    lines = (
        _judgement(run),
        planted,
        _hook(shield.opened() - opened, more),
        _held("Sockets of the studio", watch.most["studio"], watch.looks["studio"]),
        _held("Sockets of the worker", watch.most["worker"], watch.looks["worker"]),
        *_confined(said, watch.confined),
        *_limits(),
    )
    return OfflineProof(lines, shield.last_refused()[-(more + 1) :])


def _plant() -> Evidence:
    """Ask for a connection on purpose: a hook that does not refuse this one proves nothing about others."""
    try:
        socket.getaddrinfo(_PLANTED, 443)
    except PermissionError:
        return Evidence("The shield works", f"a look-up of {_PLANTED}, asked for on purpose, was refused and counted")
    except OSError:
        pass
    return Evidence("The shield works", f"a look-up of {_PLANTED} was not refused", Proof.BROKEN)


def _judgement(run: Run) -> Evidence:
    verdict, kept = run.verdict, run.provenance
    if verdict is None or verdict.decision is None or kept is None:
        why = "" if verdict is None else f" ({verdict.status_detail})"
        return Evidence("A judgement was made", f"there was no verdict{why}", Proof.BROKEN)
    labels = f" by {', '.join(verdict.labels)}" if verdict.labels else ""
    return Evidence(
        "A judgement was made",
        f"{_CONTENT!r} {verdict.decision.replace('_', ' ')}{labels} under {run.policy.title!r}, "
        f"{run.timing.output_tokens} tokens in {run.timing.total_s:.1f} s by {kept.model_name}",
    )


def _hook(opened: int, refused: int) -> Evidence:
    words = f"{opened} opened and {refused} refused beside the planted one, as the hook on Python's sockets counts"
    return Evidence("Connections meanwhile", words, Proof.BROKEN if opened or refused else Proof.PROVEN)


def _held(what: str, most: sockets.Sockets, looks: int) -> Evidence:
    if not looks:
        return Evidence(what, "this system does not show the sockets of a process", Proof.NOT_PROVEN)
    words = f"{most.internet} to a network at most, {most.local} within this machine, in {looks} looks at /proc"
    if most.unknown:
        words += f"; {most.unknown} not connected to anything"
    return Evidence(what, words, Proof.BROKEN if most.internet else Proof.PROVEN)


def _confined(said: str, seen: sockets.Confinement | None) -> tuple[Evidence, ...]:
    """What the system itself shows of the worker; what the worker says of itself is no proof."""
    if seen is None:
        words = f"the worker says {said!r}; this system does not show it from outside"
        return (Evidence("The worker is cut off", words, Proof.NOT_PROVEN),)
    alone = seen.own_network and set(seen.interfaces) <= {"lo"} and not seen.routes
    interfaces = ", ".join(seen.interfaces) or "none"
    network = Evidence(
        "Network of the worker",
        f"a namespace of its own with the interfaces {interfaces} and {seen.routes} routes"
        if seen.own_network
        else "the same as ours: this system lets no process make one of its own",
        Proof.PROVEN if alone else Proof.NOT_PROVEN,
    )
    rights = "it can gain no new rights" if seen.no_new_rights else "it may gain new rights"
    calls = Evidence(
        "System calls of the worker",
        f"a filter in the kernel refuses network sockets, to native code too; {rights}"
        if seen.filtered
        else f"no filter in the kernel; {rights}",
        Proof.PROVEN if seen.filtered else Proof.NOT_PROVEN,
    )
    if not alone and not seen.filtered:
        hook = Evidence(
            "The worker is cut off", "only by a hook on Python's sockets, which native code passes", Proof.NOT_PROVEN
        )
        return network, calls, hook
    return network, calls


def _limits() -> tuple[Evidence, ...]:
    """What no look from inside can show."""
    between = "a socket that a native library of the studio's own process opened and closed between two looks"
    how = f". To see every system call: {_TRACE}" if sys.platform == "linux" else ""
    return (Evidence("Not seen", between + how, Proof.NOT_PROVEN),)
