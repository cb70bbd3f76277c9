"""What the documents tell people to type is there to be typed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from studio import paths
from studio.cli.app import app

ROOT = Path(paths.__file__).resolve().parents[1]
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "packaging/README.md", "studio/README.md"]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_make_target_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), re.MULTILINE))
    told = set(re.findall(r"(?:^    |`|=on )make ([a-z]+)", text(name), re.MULTILINE))

    assert told - targets == set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_to_a_file(name: str) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", text(name))
    inside = [link for link in links if not link.startswith("https://")]

    assert [link for link in inside if not (ROOT / name).parent.joinpath(link).exists()] == []


def test_every_command_exists() -> None:
    told = {
        tuple(word for word in words.split() if not word.startswith("-"))
        for words in re.findall(
            r"moderation-studio ((?:policies |sessions |models |golden |bundle )?[a-z-]+)", text("README.md")
        )
    }

    assert len(told) > 8
    for words in sorted(told):
        command: object = typer.main.get_command(app)
        for word in words:
            command = getattr(command, "commands", {}).get(word)
        assert command is not None, words


def test_the_top_of_the_readme_names_both_commands() -> None:
    top = "\n".join(text("README.md").splitlines()[:25])

    assert "make demo" in top
    assert "make test" in top


def test_every_file_under_policies_is_a_policy_with_its_golden_set() -> None:
    for folder in sorted(path for path in (ROOT / "policies").iterdir() if path.is_dir()):
        assert {path.name for path in folder.iterdir()} == {"policy.md", "golden.jsonl"}, folder.name
