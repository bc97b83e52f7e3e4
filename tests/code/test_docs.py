"""What the documentation says is there and works."""

from __future__ import annotations

import argparse
import importlib.util
import re
import shlex
from pathlib import Path

import pytest

from diet_core.cli.parser import parser
from diet_core.glossary import TERMS

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
COMMANDS_PAGE = DOCS / "commands.md"
ARCHITECTURE = DOCS / "architecture.md"
PAGES = [README, ROOT / "data" / "README.md", DOCS / "reproduction" / "README.md", *sorted(DOCS.glob("*.md"))]
ALL_PAGES = [*PAGES, ROOT / "CHANGELOG.md"]
MOST_CHARACTERS = 400  # in a line of prose or of a table
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


def sections(page: Path, level: str = "##") -> dict[str, str]:
    """The text below each heading of a level, by heading."""
    parts = re.split(rf"^{level} (.+)\n", text_of(page), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def section_of(verb: str) -> str:
    """The section of a verb: the verb stands in backticks in its heading."""
    (section,) = [text for head, text in sections(COMMANDS_PAGE).items() if f"`{verb}`" in head]
    return section


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_documented(verb):
    """In a section of its own, or of a few verbs that belong together."""
    assert section_of(verb).strip()


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_of_a_verb_is_documented(verb):
    """In its section; the options of every verb stand above the sections."""
    options = {o for a in VERBS[verb]._actions for o in a.option_strings if o.startswith("--")}
    rarely_needed = {"--help", "--json", "--workspace", "--allow-other-environment"}
    if verb in ("sample", "demo"):  # meant to be called as they are
        rarely_needed |= {"--name", "--overwrite", "--seeds", "--port"}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", section_of(verb)))
    assert options - rarely_needed - named == set()


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


def shown(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", ALL_PAGES, ids=shown)
def test_relative_links_point_to_files(page):
    links = re.findall(r"(?:\]\(|src=\"|srcset=\")([^)#\s\"]+)", text_of(page))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", ALL_PAGES, ids=shown)
def test_links_to_headings_point_to_headings(page):
    links = re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", text_of(page))
    links = [(file, anchor) for file, anchor in links if "://" not in file]
    assert [
        link for link in links if link[1] not in anchors(page.parent / link[0] if link[0] else page)
    ] == []


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    heads = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text_of(page), flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", ALL_PAGES, ids=shown)
def test_no_line_is_long(page):
    """Outside of code, a row of a table included."""
    prose = re.sub(r"^```.*?^```", "", text_of(page), flags=re.DOTALL | re.MULTILINE)
    assert [line[:60] for line in prose.splitlines() if len(line) > MOST_CHARACTERS] == []


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_files_that_are_named_exist(page):
    """Paths in backticks that begin with a folder of the code."""
    named = [s for s in spans(page) if re.fullmatch(r"(diet_core|pages|bench|tests|docs)/[\w./-]*", s)]
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_functions_that_the_architecture_places_are_there():
    """As in: `start`, `cancel` and `resume` in `diet_core/runs/executor.py`."""
    placed = re.findall(r"((?:`\w+`(?:, | and )?)+) (?:in )?\(?`([\w./]+/[\w./]*)`", text_of(ARCHITECTURE))
    pairs = [(name, path) for names, path in placed for name in re.findall(r"`(\w+)`", names)]
    assert [(name, path) for name, path in pairs if not defines(path, name)] == []
    assert len(pairs) > 20


def defines(path: str, name: str) -> bool:
    """Whether a file, or one of a folder, defines a name."""
    files = [ROOT / path] if (ROOT / path).is_file() else list((ROOT / path).rglob("*.py"))
    defined = rf"^\s*(def|class|const|async) {name}\b|^\s*{name}(: .+)? =|^\s*{name}\(.*\) {{$"
    return any(re.search(defined, file.read_text(encoding="utf-8"), re.MULTILINE) for file in files)


def test_the_map_of_rooms_is_that_of_the_code():
    """After a change of imports or docstrings: python docs/map_of_rooms.py."""
    spec = importlib.util.spec_from_file_location("map_of_rooms", DOCS / "map_of_rooms.py")
    assert spec is not None
    assert spec.loader is not None
    rooms = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rooms)
    assert rooms.written(text_of(ARCHITECTURE)) == text_of(ARCHITECTURE)
    assert rooms.picture() in text_of(ARCHITECTURE)


def test_the_glossary_has_every_term_in_the_words_of_the_tooltips():
    rows = [f"| **{term}** | {meaning} |" for term, meaning in TERMS.items()]
    assert [row for row in rows if row not in text_of(DOCS / "glossary.md").splitlines()] == []


def test_the_index_of_decisions_has_every_topic():
    page = DOCS / "decisions.md"
    index = re.findall(r"^- \[(.+)\]\(#", text_of(page), re.MULTILINE)
    assert index == list(sections(page))


def test_every_decision_has_a_heading_and_is_short():
    page = DOCS / "decisions.md"
    assert [topic for topic, text in sections(page).items() if "\n### " not in text] == []
    long = [head for head, text in sections(page, "###").items() if len(text.split()) > 250]
    assert long == []


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
