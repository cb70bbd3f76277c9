"""Linting: policy files and folders for the command line, the open policy for the window."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from studio.core.errors import InputError, StudioError
from studio.core.lint import Finding, Severity, lint
from studio.core.policy import Policy
from studio.exchange.files import read_bytes
from studio.exchange.policy_files import body_start, parse_policy, text_of
from studio.services.studio import Studio

__all__ = ["Finding", "LintedFile", "Severity", "lint_files", "lint_policy", "policy_files"]

_ENDINGS = (".md", ".markdown", ".txt")
_MOST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LintedFile:
    """A policy file with its findings, whose places are those in the file (``text``), front matter included.

    ``error`` says why the file could not be read as a policy; it then has no findings.
    """

    path: Path
    text: str
    findings: tuple[Finding, ...]
    error: StudioError | None = None


def policy_files(given: Iterable[Path]) -> Iterator[Path]:
    """The files themselves and, of folders, all policies in them at any depth, by name. Raises InputError.

    Where a folder keeps its policies as ``policy.md`` each in its own folder, other text files are no policies.
    """
    for path in given:
        if not path.is_dir():
            yield path
            continue
        found = sorted(
            file
            for file in path.rglob("*")
            if file.suffix.casefold() in _ENDINGS
            and file.is_file()
            and not any(part.startswith(".") for part in file.relative_to(path).parts)
        )
        named = [file for file in found if file.name.casefold() == "policy.md"]
        if not found:
            raise InputError(f"{path} holds no policy files.", hint=f"Policies end in {', '.join(_ENDINGS)}.")
        yield from named or found


def lint_files(paths: Iterable[Path]) -> Iterator[LintedFile]:
    """Read and lint files, one after the other. A file that cannot be read is told in its place."""
    for path in paths:
        name = path.parent.name if path.name.casefold() == "policy.md" else path.stem
        try:
            text = text_of(read_bytes(path, limit=_MOST_BYTES), str(path))
            policy = parse_policy(text, name, where=str(path)).policy
        except InputError as error:
            yield LintedFile(path, "", (), error)
            continue
        start = body_start(text)
        found = lint(policy, alone=not start)
        yield LintedFile(path, text, tuple(_moved(finding, text, start) for finding in found))


def lint_policy(studio: Studio, policy: Policy) -> tuple[Finding, ...]:
    """Lint the open policy; its length is counted exactly when a model is loaded."""
    tokens = None
    if studio.models.info is not None:
        try:
            # The whole prompt less the same prompt without the text: the text's own tokens.
            tokens = studio.judge.count_tokens(policy) - studio.judge.count_tokens(replace(policy, text=""))
        except StudioError:
            # A model that fails is told where it is used; the estimate does for advice on length.
            tokens = None
    return lint(policy, tokens=tokens)


def _moved(finding: Finding, text: str, start: int) -> Finding:
    """The finding with its places in the file's text."""
    if not start:
        return finding
    return replace(
        finding,
        start=finding.start + start,
        end=finding.end + start,
        line=finding.line + text.count("\n", 0, start),
        fix=tuple(replace(edit, start=edit.start + start, end=edit.end + start) for edit in finding.fix),
    )
