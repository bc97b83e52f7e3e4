"""Properties: whatever the texts, import, export and import again give the same examples."""

from __future__ import annotations

import csv
import json
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diet_core.data.export import write_export
from diet_core.data.formats.readers import read_source
from diet_core.data.load import load_dataset
from diet_core.dataset import Dataset, Roles

ROLES = Roles("text", "label")


def _export(dataset: Dataset, kept: list[str], out: Path) -> None:
    write_export(dataset.info, dataset.source, dataset.examples, kept, {}, out)


def _csv(path: Path, rows: list[dict[str, str]], delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL, delimiter=delimiter)
        writer.writerows([list(rows[0]), *(list(row.values()) for row in rows)])
    return path


NASTY = st.text(
    st.one_of(
        st.sampled_from("\",;\t\n\r'\\={}|é\u2028\ufeff 😀x"), st.characters(exclude_categories=["Cs"])
    ),
    max_size=12,
)


def _is_usable(text: str) -> bool:
    return bool(text.strip()) and "\0" not in text


@st.composite
def _tables(draw):
    texts = draw(st.lists(NASTY.filter(_is_usable), min_size=20, max_size=40, unique=True))
    others = draw(
        st.lists(NASTY.filter(lambda text: "\0" not in text), min_size=len(texts), max_size=len(texts))
    )
    rows = [{"text": text, "label": "b" if i % 2 else "a"} for i, text in enumerate(texts)]
    rows = [row | {"other": other} for row, other in zip(rows, others, strict=True)]
    return rows, draw(st.sets(st.integers(0, len(texts) - 1), max_size=8))


def _written(folder: Path, rows: list[dict[str, str]], ending: str) -> Path:
    path = folder / f"a.{ending}"
    if ending == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return path
    if ending == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
        return path
    return _csv(path, rows, "\t" if ending == "tsv" else ",")


def _values(path: Path) -> list[dict[str, str]]:
    source = read_source(path)
    return source.records if source.records is not None else source.table.to_pylist()


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
@settings(max_examples=20, deadline=None)
@given(table=_tables())
def test_any_text_survives_export_and_import_again(ending: str, table):
    rows, dropped = table
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = _written(folder, rows, ending)
        test = _csv(
            folder / "test.csv", [{"text": "one more", "label": "a"}, {"text": "and more", "label": "b"}]
        )
        dataset = load_dataset("a", path, ROLES, test=test)
        assert _values(path) == rows
        ids = dataset.examples["example_id"].tolist()[: len(rows)]
        gone = {ids[row] for row in dropped}
        for out in {ending, "csv", "jsonl", "parquet"}:
            _export(dataset, [i for i in ids if i not in gone], folder / f"o.{out}")
            assert _values(folder / f"o.{out}") == [row for i, row in enumerate(rows) if i not in dropped]
            again = load_dataset("b", folder / f"o.{out}", ROLES, test=test)
            assert again.examples["example_id"].tolist()[:-2] == [i for i in ids if i not in gone]


@settings(max_examples=20, deadline=None)
@given(
    repeats=st.lists(st.integers(1, 3), min_size=60, max_size=80),
    seed=st.integers(0, 5),
    step=st.integers(2, 5),
)
def test_no_test_example_becomes_a_training_example(repeats: list[int], seed: int, step: int):
    with tempfile.TemporaryDirectory() as name:
        rows = [
            {"text": f"t{i}", "label": "b" if i % 2 else "a"} for i, n in enumerate(repeats) for _ in range(n)
        ]
        dataset = load_dataset("a", _csv(Path(name, "a.csv"), rows), ROLES, split_seed=seed)
        train = dataset.examples.loc[dataset.examples["split"] == "train", "example_id"].tolist()
        kept = [example_id for position, example_id in enumerate(train) if position % step or position < 4]
        _export(dataset, kept, Path(name, "o.csv"))
        again = load_dataset("b", Path(name, "o.csv"), ROLES, split_seed=seed).examples
    tested = dataset.examples[dataset.examples["split"] == "test"]
    assert again.loc[again["split"] == "test", "example_id"].tolist() == tested["example_id"].tolist()
    assert not set(again.loc[again["split"] == "train", "text"]) & set(tested["text"])
