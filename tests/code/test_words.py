"""Wordings that users stumbled over, and the plain words instead: none of the old ones may come back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(
    file
    for pattern in ("app.py", "pages/**/*.py", "pages/**/*.js", "diet_core/**/*.py", "bench/**/*.py")
    for file in ROOT.glob(pattern)
)
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "docs" / "reproduction" / "README.md",
]
# A sentence may be cut into lines and, in code, into strings.
GAP = r'(?:\s|["\'`+]|//|#)+'

# The old wording, with what stands for it now.
OLD = {
    r"rows (that )?leave\b": "exported rows",
    r"\bleave \(\{": "Exported",
    r"\bleave with\b": "exported with",
    r"\bwhat the ranking assumes\b": "estimated label confusions",
    r"\bwritten for\b": "estimated label confusions",
    r"\bre-?selected every some\b": "re-selects every N steps",
    r"\bgoes on with those that the rule keeps\b": "re-selects every N steps",
    r"\bthe same gives the same\b": "identical trainings are reused",
    r"\bequal trainings\b": "identical trainings",
    r"\btrainings (that .{0,60} )?(is|are) taken over\b": "identical trainings are reused",
    r"\btime of one reading\b": "one forward pass",
    r"\bright too (often|seldom)\b": "always / never predicted correctly",
    r"""["']of the label["']""": "P(label)",
    r"\bopen anew\b": "Refresh queue",
    r"\bmeans nothing here\b": "is not valid",
    r"\bretraining (\(or sweep\) )?has come to\b": "results of a retraining",
    r"(?<![\w-])--unit\b": "--training",
}


def pattern_of(wording: str) -> re.Pattern[str]:
    """The wording where its words may be parted by a line's end."""
    return re.compile(wording.replace(" ", GAP), re.IGNORECASE)


def places(wording: str) -> list[str]:
    """Where a wording stands, as path:line."""
    found = []
    for file in [*FILES, *PAGES]:
        text = file.read_text(encoding="utf-8")
        lines = [text.count("\n", 0, match.start()) + 1 for match in pattern_of(wording).finditer(text)]
        found += [f"{file.relative_to(ROOT).as_posix()}:{line}" for line in lines]
    return found


@pytest.mark.parametrize("wording", OLD, ids=OLD.values())
def test_an_old_wording_is_gone(wording):
    assert places(wording) == [], f"Write instead: {OLD[wording]}"


def test_a_wording_is_found_across_lines_and_strings():
    pattern = pattern_of(r"\bthe same gives the same\b")
    assert pattern.search('"are taken over: the same "\n    "gives the same. Off: everything"')
    assert not pattern.search("The same call gives the same examples.")
