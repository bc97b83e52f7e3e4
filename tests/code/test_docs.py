"""What the documentation says is there and works."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

import pytest

from diet_core.cli.parser import parser

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = [README, ROOT / "data" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
VERBS = next(a for a in parser()._actions if isinstance(a, argparse._SubParsersAction)).choices


def text_of(*pages: Path) -> str:
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text_of(page), re.DOTALL | re.MULTILINE)


def spans(*pages: Path) -> list[str]:
    """What stands in backticks in running text."""
    prose = re.sub(r"^```.*?^```", "", text_of(*pages), flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"`([^`\n]+)`", prose)


def shell_lines(*pages: Path) -> list[str]:
    """Commands in shell blocks and in running text, without comments."""
    lines = [line for page in pages for block in blocks(page, "sh") for line in block.splitlines()]
    return [line.split(" #")[0].strip() for line in lines] + spans(*pages)


# A capital word stands for something of the reader's, as in `status RUN`.
COMMANDS = [
    line.removeprefix("python -m diet_core").strip()
    for line in shell_lines(*PAGES)
    if line.startswith("python -m diet_core") and not re.search(r"\b[A-Z]{3,}\b|…", line)
]


def test_the_readme_has_the_two_commands_first():
    assert [line.split()[:2] for line in blocks(README, "sh")[0].splitlines()] == [
        ["make", "demo"],
        ["make", "test"],
    ]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_documented(verb):
    assert any(span.split()[0] == verb for span in spans(*PAGES))


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_of_a_verb_is_documented(verb):
    """In the row of the table that the verb stands in; those of every verb stand above the table."""
    page = ROOT / "docs" / "commands.md"
    row = next(
        line for line in text_of(page).splitlines() if re.match(rf"\| .*`{verb}\b", line.split(" | ")[0])
    )
    options = {o for a in VERBS[verb]._actions for o in a.option_strings if o.startswith("--")}
    rarely_needed = {"--help", "--json", "--workspace", "--allow-other-environment"}
    if verb in ("sample", "demo"):  # meant to be called as they are
        rarely_needed |= {"--name", "--overwrite", "--seeds", "--port"}
    assert {o for o in options - rarely_needed if o not in row} == set()


def test_every_option_in_the_documentation_exists():
    there = {o for verb in VERBS.values() for a in verb._actions for o in a.option_strings}
    there |= {"--no-deps"}  # pip's
    named = {o for span in shell_lines(*PAGES) for o in re.findall(r"(?<![\w-])--[a-z][a-z-]*", span)}
    ours = {o for o in named if o not in there}
    assert ours <= options_of_others(), ours - options_of_others()


def options_of_others() -> set[str]:
    """Options in lines that call other programs (pip, pytest, streamlit)."""
    lines = [line for line in shell_lines(*PAGES) if re.match(r"(pip|pytest|streamlit|ruff)\b", line)]
    return {o for line in lines for o in re.findall(r"--[a-z][a-z-]*", line)}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_can_be_parsed(command):
    parser().parse_args(shlex.split(command))


def test_there_are_commands_to_parse():
    assert {shlex.split(command)[0] for command in COMMANDS} >= {"import", "score", "retrain", "export"}


def test_every_make_target_exists():
    targets = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    named = {m for line in shell_lines(*PAGES) for m in re.findall(r"^make ([a-z-]+)\b", line)}
    assert {"demo", "test"} <= named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_point_to_files(page):
    links = re.findall(r"\]\(([^)#\s]+)", text_of(page))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []


def test_no_number_is_left_to_be_filled_in():
    assert re.findall(r"@@\w+", text_of(*PAGES)) == []


@pytest.mark.slow
def test_the_readmes_python_runs(tmp_path, monkeypatch, workspace):
    """On twenty reviews of each class, with the embedded model."""
    rows = [f"{'Good' if i % 2 else 'Bad'} product number {i},{'pos' if i % 2 else 'neg'}" for i in range(40)]
    (tmp_path / "reviews.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    monkeypatch.chdir(tmp_path)
    (block,) = blocks(README, "python")
    names: dict[str, object] = {}
    exec(compile(block, "README.md", "exec"), names)
    assert names["run"].state == "done"
    assert len(names["kept"]) == 24  # ranks 2 to 25 of 36
