"""What the command line prints: JSON for programs, plain tables for people."""

from __future__ import annotations

import json
import math
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

MAX_TEXT = 200
MIN_TEXT = 40


@dataclass(frozen=True)
class Answer:
    """What a verb has to say.

    Attributes:
        content: For `--json`: one object.
        text: For people.
        exit_code: Of the process.
    """

    content: dict[str, Any]
    text: str
    exit_code: int = 0


def show(answer: Answer, *, as_json: bool) -> None:
    """Print an answer on standard output."""
    print(json_text(answer.content) if as_json else answer.text)


def note(message: str) -> None:
    """Print a line for people on standard error."""
    print(message, file=sys.stderr, flush=True)


def json_text(content: dict[str, Any]) -> str:
    """Return an object as JSON; what is no number (NaN) becomes null.

    >>> json_text({"a": float("nan")})
    '{"a": null}'
    """
    return json.dumps(_plain(content), ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> str:
    """Return rows as text in aligned columns; the last column takes what the terminal leaves.

    Args:
        rows: One mapping per line.
        columns: Keys of the rows to their headings, in order.
    """
    cells = [list(columns.values())] + [[cell(row.get(key)) for key in columns] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns) - 1)]
    room = max(MIN_TEXT, shutil.get_terminal_size((MAX_TEXT, 24)).columns - sum(widths) - 2 * len(widths))
    lines = [_line(line, widths, room) for line in cells]
    return "\n".join([lines[0], "-" * min(len(lines[0]) + 8, MAX_TEXT), *lines[1:]])


def _line(line: Sequence[str], widths: Sequence[int], room: int) -> str:
    parts = [part.ljust(width) for part, width in zip(line, widths, strict=False)]
    last = line[-1] if len(line[-1]) <= room else line[-1][: room - 1] + "…"
    return "  ".join([*parts, last]).rstrip()


def cell(value: Any) -> str:
    r"""Return a value as one line of text.

    >>> cell(0.5), cell(None), cell("two\nlines")
    ('0.500000', '–', 'two lines')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if isinstance(value, float):
        return f"{value:.6f}"
    # Control characters in a data set's texts must not steer the terminal.
    return " ".join("".join(" " if _is_control(c) else c for c in str(value)).split())


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs")


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as plain objects; what is missing is null, and a second text that no row has left out."""
    if "text_pair" in frame and frame["text_pair"].isna().all():
        frame = frame.drop(columns="text_pair")
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def meanings(words: Mapping[str, str]) -> str:
    """Return names with their meanings, for a help text.

    >>> meanings({"last": "the last one", "best": "the best one"})
    'last = the last one; best = the best one'
    """
    return "; ".join(f"{name} = {meaning}" for name, meaning in words.items())


def listing(items: Iterable[str]) -> str:
    """Return lines with a dash before each."""
    return "\n".join(f"- {item}" for item in items)
