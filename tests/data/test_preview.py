"""A first look at a source and the guessed parts of its columns."""

import json

import pandas as pd
import pytest

from diet_core.data.formats.readers import read_source
from diet_core.data.preview import SHOWN_CHARACTERS, SHOWN_ROWS, GuessedRoles, guessed_roles, preview_of


def source_of(tmp_path, rows: list[dict], ending: str = "csv"):
    file = tmp_path / f"file.{ending}"
    if ending == "csv":
        pd.DataFrame(rows).to_csv(file, index=False)
    elif ending == "parquet":
        pd.DataFrame(rows).to_parquet(file)
    else:
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_source(file)


def rows_of(n: int = 12, **columns) -> list[dict]:
    """n rows; a column is given by a function of the row's number."""
    return [{name: value(i) for name, value in columns.items()} for i in range(n)]


def text(i: int) -> str:
    return f"a rather long text about the thing number {i}"


def test_guessed_roles_by_name(tmp_path):
    rows = rows_of(
        id=str, text=text, label=lambda i: "ab"[i % 2], stars=lambda i: i % 3, split=lambda i: "train"
    )
    assert guessed_roles(source_of(tmp_path, rows)) == GuessedRoles("text", None, "label", "id", "split")


def test_guessed_roles_by_values(tmp_path):
    rows = rows_of(
        x=lambda i: "short", y=text, z=lambda i: "ab"[i % 2], part=lambda i: ["train", "dev", "test"][i % 3]
    )
    assert guessed_roles(source_of(tmp_path, rows)) == GuessedRoles("y", None, "z", None, "part")


@pytest.mark.parametrize(
    ("first", "second"),
    [("premise", "hypothesis"), ("sentence1", "sentence2"), ("question1", "question2")],
)
def test_guessed_roles_know_pairs(tmp_path, first, second):
    rows = rows_of(**{second: text, first: lambda i: "why", "gold_label": lambda i: "ab"[i % 2]})
    guess = guessed_roles(source_of(tmp_path, rows))
    assert (guess.text, guess.text_pair, guess.label) == (first, second, "gold_label")


def test_guessed_roles_prefer_a_text_name_to_a_longer_column(tmp_path):
    rows = rows_of(url=lambda i: text(i) * 3, tweet=text, sentiment=lambda i: i % 2)
    guess = guessed_roles(source_of(tmp_path, rows, "jsonl"))
    assert (guess.text, guess.label) == ("tweet", "sentiment")


def test_guessed_roles_take_no_repeated_column_for_an_id(tmp_path):
    rows = rows_of(user_id=lambda i: i // 2, text=text, label=lambda i: "ab"[i % 2])
    assert guessed_roles(source_of(tmp_path, rows)).id is None


def test_guessed_roles_leave_open_what_is_not_there(tmp_path):
    rows = rows_of(a=lambda i: i, b=lambda i: i)
    assert guessed_roles(source_of(tmp_path, rows, "jsonl")) == GuessedRoles()


def test_guessed_roles_of_typed_columns(tmp_path):
    rows = rows_of(idx=lambda i: i, text=text, target=lambda i: float(i % 2), lists=lambda i: [i])
    guess = guessed_roles(source_of(tmp_path, rows, "parquet"))
    assert (guess.text, guess.label) == ("text", "target")


def test_preview_is_bounded(tmp_path):
    rows = rows_of(40, text=lambda i: "x" * 20_000, label=lambda i: "ab"[i % 2])
    preview = preview_of(source_of(tmp_path, rows))
    assert preview.n_rows == 40
    assert len(preview.rows) == SHOWN_ROWS
    assert preview.rows["text"].str.len().max() <= SHOWN_CHARACTERS + 2


def test_preview_shows_cells_as_text(tmp_path):
    rows = [{"text": "<b>x</b>", "label": 1, "more": {"a": [1, None]}}, {"text": "y", "label": 2}]
    preview = preview_of(source_of(tmp_path, rows, "jsonl"))
    assert preview.rows.to_dict("list") == {
        "text": ["<b>x</b>", "y"],
        "label": ["1", "2"],
        "more": ['{"a": [1, null]}', ""],
    }
