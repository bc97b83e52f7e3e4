"""A first look at a source: some rows, and which column most likely plays which part."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from diet_core.data.formats.source import ROW_COLUMN, SPLIT_COLUMN, SourceTable, class_label_names
from diet_core.data.splits import split_name

SHOWN_ROWS: Final = 5
SHOWN_COLUMNS: Final = 30
SHOWN_CHARACTERS: Final = 300
# Enough rows to tell a label from a text; a column of a million cells is not looked through.
_LOOKED_AT: Final = 2_000

_LABEL_NAME: Final = re.compile(
    r"(gold_?)?(label|class|category|sentiment|target|intent|topic)s?(_?name)?$", re.I
)
_ID_NAME: Final = re.compile(r"(id|uid|guid|key|index|\w*[_-]?id)$", re.I)
_TEXT_NAME: Final = re.compile(r"(text|sentence|review|content|body|tweet|document|comment|message)s?$", re.I)
_SPLIT_NAME: Final = re.compile(r"(split|set|subset|partition|fold)$", re.I)
_PAIRS: Final = (
    ("premise", "hypothesis"),
    ("sentence1", "sentence2"),
    ("question1", "question2"),
    ("text1", "text2"),
    ("text_a", "text_b"),
    ("query", "passage"),
)
_MOST_CLASSES: Final = 200


@dataclass(frozen=True)
class GuessedRoles:
    """Which column most likely plays which part; None where none fits."""

    text: str | None = None
    text_pair: str | None = None
    label: str | None = None
    id: str | None = None
    split: str | None = None


@dataclass(frozen=True)
class Preview:
    """A first look at a source.

    Attributes:
        n_rows: Of the whole source.
        columns: The columns that a role can name, in order.
        rows: The first few rows as texts, cut to a bounded length.
        roles: The guess.
        has_own_splits: Whether the source is in parts that have names (a Hugging Face data set).
    """

    n_rows: int
    columns: list[str]
    rows: pd.DataFrame
    roles: GuessedRoles
    has_own_splits: bool


def preview_of(source: SourceTable) -> Preview:
    """Return a first look at a source, bounded in rows, columns and characters."""
    columns = [column for column in source.columns if column != ROW_COLUMN]
    head = {column: _cells(source, column, SHOWN_ROWS) for column in columns[:SHOWN_COLUMNS]}
    return Preview(
        n_rows=source.table.num_rows,
        columns=columns,
        rows=pd.DataFrame(
            {column: [_shown(cell) for cell in cells] for column, cells in head.items()}, dtype="str"
        ),
        roles=guessed_roles(source),
        has_own_splits=SPLIT_COLUMN in columns,
    )


def guessed_roles(source: SourceTable) -> GuessedRoles:
    """Return the likely part of each column, from its name and its first 2,000 cells.

    The text is the longest column on average (of those with a text's name, where there are), the label
    the one with few different values (a label's name first), an id differs in every row and is named so,
    a split holds nothing but names of splits. No column plays two parts.
    """
    columns = [column for column in source.columns if column not in (ROW_COLUMN, SPLIT_COLUMN)]
    cells = {column: _cells(source, column, _LOOKED_AT) for column in columns}
    taken: list[str] = []

    def first(fits: Callable[[str], bool], order: Sequence[str] = columns) -> str | None:
        column = next((name for name in order if name not in taken and fits(name)), None)
        taken.extend([column] if column is not None else [])
        return column

    split = first(lambda c: _is_split(cells[c], c))
    id = first(lambda c: bool(_ID_NAME.match(c)) and _is_unique(cells[c]))
    text, text_pair = _pair(columns, taken)
    taken.extend(filter(None, [text, text_pair]))
    label = first(lambda c: bool(_LABEL_NAME.match(c)) and _is_label(cells[c])) or first(
        lambda c: class_label_names(source.table, c) is not None
    )
    if text is None:
        longest = sorted(columns, key=lambda c: -_mean_length(cells[c]))
        text = first(lambda c: bool(_TEXT_NAME.match(c)) and _mean_length(cells[c]) > 0, longest)
        text = text or first(lambda c: _mean_length(cells[c]) > 0, longest)
    if label is None:
        fewest = sorted(columns, key=lambda c: len(set(map(str, cells[c]))))
        label = first(lambda c: _is_label(cells[c]), fewest)
    return GuessedRoles(text=text, text_pair=text_pair, label=label, id=id, split=split)


def _cells(source: SourceTable, column: str, n: int) -> list[Any]:
    """Return the first cells of a column."""
    if source.records is not None:
        return [record.get(column) for record in source.records[:n]]
    cells: list[Any] = source.table.column(column).slice(0, n).to_pylist()
    return cells


def _shown(cell: Any) -> str:
    as_json = "" if cell is None else json.dumps(cell, ensure_ascii=False, default=str)
    text = cell if isinstance(cell, str) else as_json
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + " …"


def _pair(columns: Sequence[str], taken: Sequence[str]) -> tuple[str | None, str | None]:
    """Return the two columns of a well-known pair."""
    by_name = {column.lower(): column for column in columns if column not in taken}
    for first, second in _PAIRS:
        if first in by_name and second in by_name:
            return by_name[first], by_name[second]
    return None, None


def _is_split(cells: Sequence[Any], column: str) -> bool:
    values = {str(cell) for cell in cells}
    names = {split_name(value, by_prefix=False) for value in values}
    # A file that is sorted by split shows its first one only: then the column's name must say it.
    return None not in names and (len(names) > 1 or bool(_SPLIT_NAME.match(column)))


def _is_unique(cells: Sequence[Any]) -> bool:
    values = [str(cell) for cell in cells if cell is not None and str(cell).strip()]
    return len(values) == len(cells) == len(set(values))


def _is_label(cells: Sequence[Any]) -> bool:
    """Whether the cells take few values, at least two of them, most of these more than once."""
    values = {cell for cell in cells if isinstance(cell, str | int | float) and str(cell).strip()}
    return 2 <= len(values) <= min(_MOST_CLASSES, max(2, len(cells) // 2))


def _mean_length(cells: Sequence[Any]) -> float:
    """Return the mean length of the cells that are texts, 0 if fewer than half are."""
    texts = [cell for cell in cells if isinstance(cell, str)]
    return sum(map(len, texts)) / len(texts) if texts and 2 * len(texts) >= len(cells) else 0.0
