"""From a source to examples: ids, classes, splits, and what is said about them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from diet_core.data.load import load_dataset
from diet_core.dataset import Dataset, Roles
from diet_core.errors import DataError, SettingError
from diet_core.tables import EXAMPLE_COLUMNS

ROLES = Roles("text", "label")


def _csv(folder: Path, rows: list[tuple[str, ...]], header: str = "text,label", name: str = "a.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n", encoding="utf-8")
    return path


def _many(n: int = 200) -> list[tuple[str, ...]]:
    return [(f"text {i}", "pos" if i % 2 else "neg") for i in range(n)]


def _splits(dataset: Dataset) -> dict[str, str]:
    return dict(zip(dataset.examples["example_id"], dataset.examples["split"], strict=True))


def test_load_dataset_returns_the_columns_of_the_examples_table(tmp_path: Path):
    dataset = load_dataset("a", _csv(tmp_path, _many()), ROLES)
    assert tuple(dataset.examples.columns) == EXAMPLE_COLUMNS
    assert dataset.examples["text_pair"].isna().all()
    assert dataset.examples["source_row"].dtype == "int64"
    assert dataset.info.classes == ("neg", "pos")
    assert dataset.info.source == str((tmp_path / "a.csv").resolve())
    assert dataset.info.sha256 == hashlib.sha256((tmp_path / "a.csv").read_bytes()).hexdigest()
    json.dumps(dataset.info.label_values)


def test_made_ids_are_hashes_of_the_text_and_number_its_repeats(tmp_path: Path):
    rows = [("same", "a"), ("same", "b"), ("other", "b"), ("same", "a"), *_many()]
    ids = load_dataset("a", _csv(tmp_path, rows), ROLES).examples["example_id"].tolist()
    base = hashlib.blake2b(b"same").hexdigest()[:16]
    assert [ids[0], ids[1], ids[3]] == [base, f"{base}-2", f"{base}-3"]
    assert len(set(ids)) == len(ids)


def test_made_ids_of_pairs_have_a_nul_between_the_texts(tmp_path: Path):
    rows = [(f"p{i}", f"h{i}", str(i % 2)) for i in range(100)]
    dataset = load_dataset("a", _csv(tmp_path, rows, "text,pair,label"), Roles("text", "label", "pair"))
    assert dataset.examples["example_id"][0] == hashlib.blake2b(b"p0\0h0").hexdigest()[:16]
    assert dataset.examples["text_pair"][0] == "h0"


def test_given_ids_are_taken_as_text(tmp_path: Path):
    pq.write_table(
        pa.table({"id": range(100), "text": [f"t{i}" for i in range(100)], "label": ["a", "b"] * 50}),
        tmp_path / "a.parquet",
    )
    dataset = load_dataset("a", tmp_path / "a.parquet", Roles("text", "label", id="id"))
    assert dataset.examples["example_id"].tolist() == [str(i) for i in range(100)]


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        ([3, 10], ("10", "3")),
        ([1.0, 2.0], ("1", "2")),
        ([True, False], ("false", "true")),
        (["é", "z"], ("z", "é")),
        (["B", "a"], ("B", "a")),
    ],
)
def test_classes_are_text_by_code_point_and_keep_the_sources_value(tmp_path: Path, values, classes):
    rows = [{"text": f"t{i}", "label": values[i % 2]} for i in range(100)]
    (tmp_path / "a.json").write_text(json.dumps(rows), encoding="utf-8")
    info = load_dataset("a", tmp_path / "a.json", ROLES).info
    assert info.classes == classes
    assert sorted(info.label_values.values()) == sorted(values)


def test_held_out_tenth_is_a_threshold_that_dropping_rows_does_not_move(tmp_path: Path):
    rows = [*_many(2000), ("text 7", "pos")]
    whole = load_dataset("a", _csv(tmp_path, rows), ROLES)
    fewer = load_dataset("a", _csv(tmp_path, rows[::3], name="b.csv"), ROLES)
    sides = _splits(whole)
    assert all(sides[example_id] == split for example_id, split in _splits(fewer).items())
    assert 150 < Counter(sides.values())["test"] < 250
    assert any("Held out" in warning for warning in whole.warnings)


def test_held_out_tenth_keeps_repeats_of_a_text_together(tmp_path: Path):
    dataset = load_dataset("a", _csv(tmp_path, _many(300) * 3), ROLES)
    assert (dataset.examples.groupby("text")["split"].nunique() == 1).all()


def test_held_out_tenth_changes_with_the_seed(tmp_path: Path):
    path = _csv(tmp_path, _many(500))
    assert _splits(load_dataset("a", path, ROLES)) != _splits(load_dataset("a", path, ROLES, split_seed=1))


def test_a_split_column_is_taken_by_its_names(tmp_path: Path):
    names = ["train", "Training", "TEST", "dev", "val", "valid", "validation"]
    rows = [(f"t{i}", str(i // 7 % 2), names[i % 7]) for i in range(140)]
    dataset = load_dataset("a", _csv(tmp_path, rows, "text,label,part"), Roles("text", "label", split="part"))
    assert dataset.examples["split"].tolist()[:7] == ["train", "train", "test", *["validation"] * 4]


def test_validation_is_tested_on_where_there_is_no_test_split(tmp_path: Path):
    rows = [(f"t{i}", str(i % 2), "train" if i < 20 else "dev") for i in range(30)]
    dataset = load_dataset("a", _csv(tmp_path, rows, "text,label,s"), Roles("text", "label", split="s"))
    assert dataset.examples["split"].value_counts().to_dict() == {"train": 20, "test": 10}
    assert any("validation split is tested on" in warning for warning in dataset.warnings)


def test_a_split_column_of_train_only_still_gets_a_test_split(tmp_path: Path):
    rows = [(*row, "train") for row in _many(300)]
    dataset = load_dataset("a", _csv(tmp_path, rows, "text,label,s"), Roles("text", "label", split="s"))
    assert "test" in set(dataset.examples["split"])


def test_a_test_file_is_the_test_split_and_follows_the_source(tmp_path: Path):
    source = _csv(tmp_path, _many(20))
    test = _csv(tmp_path, [("text 3", "pos"), ("new", "neg")], name="test.csv")
    dataset = load_dataset("a", source, ROLES, test=test)
    assert dataset.examples["split"].tolist() == ["train"] * 20 + ["test"] * 2
    assert dataset.examples["source_row"].tolist() == [*range(20), 0, 1]
    assert dataset.examples["example_id"].tolist()[20].endswith("-2")
    assert dataset.source.num_rows == 20
    assert "1 text is in both the train and the test split." in dataset.warnings


def test_limit_is_a_seeded_sample_that_says_which_rows(tmp_path: Path):
    path = _csv(tmp_path, sorted(_many(1000), key=lambda row: row[1]))
    dataset = load_dataset("a", path, ROLES, limit=100)
    rows = dataset.examples["source_row"].tolist()
    assert len(rows) == 100
    assert rows == sorted(rows) == dataset.source.column("__row__").to_pylist()
    assert dataset.source.column("text").to_pylist() == dataset.examples["text"].tolist()
    assert 30 < (dataset.examples["label"] == "pos").sum() < 70
    assert "Took 100 of 1,000 rows of a.csv." in dataset.warnings
    assert load_dataset("a", path, ROLES, limit=1000).source.column_names == ["text", "label"]


def test_warnings_count_repeats_contradictions_and_rare_classes(tmp_path: Path):
    rows = [("same", "pos"), ("same", "neg"), ("same", "neg"), *_many(300), ("odd", "rare")]
    test = _csv(tmp_path, [("new", "neg")], name="test.csv")
    warnings = load_dataset("a", _csv(tmp_path, rows), ROLES, test=test).warnings
    assert warnings == (
        "2 examples repeat an earlier text.",
        "1 text has more than one label.",
        "Class 'rare' has only 1 training example.",
        "The test split has no example of 'pos', 'rare'.",
    )


@pytest.mark.parametrize(
    ("rows", "header", "roles", "message"),
    [
        (
            _many(),
            "text,label",
            Roles("text", "labels"),
            r"Column 'labels' is not in a.csv \(it has: text, label\)",
        ),
        (_many(), "text,label", Roles("text", "label", id="nr"), "with --id"),
        (_many(), "text,label", Roles("text", "label", text_pair="p"), "with --text-pair"),
        (_many(), "text,label", Roles("text", "text"), "both --text and --label"),
        ([("a", "x"), ("b", "x")], "text,label", ROLES, "All 2 examples of a.csv have the one label 'x'"),
        ([("a", "x"), ("b", ""), ("c", " ")], "text,label", ROLES, "missing in 2 rows of a.csv: lines 3, 4"),
        ([("a", "x"), ("  ", "y")], "text,label", ROLES, "The text .* missing in 1 row of a.csv: line 3"),
        (
            [("a", "x", "1"), ("b", "y", "2"), ("c", "y", "2")],
            "text,label,id",
            Roles("text", "label", id="id"),
            "The id '2' comes 2 times in a.csv",
        ),
        (
            [("a", "x", "train"), ("b", "y", "holdout")],
            "text,label,s",
            Roles("text", "label", split="s"),
            "name no split: 'holdout'",
        ),
        (
            [("a", "x", "train"), ("b", "y", "test")],
            "text,label,s",
            Roles("text", "label", split="s"),
            "training examples of a.csv have the one label 'x'",
        ),
        (
            [("a", "x", "test"), ("b", "y", "test")],
            "text,label,s",
            Roles("text", "label", split="s"),
            "no training",
        ),
    ],
)
def test_a_source_that_is_not_what_the_roles_say_is_an_error(tmp_path: Path, rows, header, roles, message):
    with pytest.raises(DataError, match=message):
        load_dataset("a", _csv(tmp_path, rows, header), roles)


def test_a_class_with_test_examples_only_is_told_of_within_one_file(tmp_path: Path):
    rows = [("a", "x", "train"), ("b", "y", "test"), ("c", "z", "train")]
    loaded = load_dataset("a", _csv(tmp_path, rows, "text,label,s"), Roles("text", "label", split="s"))
    assert "Class 'y' has no training example; a model cannot learn it." in loaded.warnings
    assert loaded.info.classes == ("x", "y", "z")


def test_a_test_file_with_an_unknown_label_is_an_error(tmp_path: Path):
    test = _csv(tmp_path, [("new", "odd")], name="test.csv")
    with pytest.raises(DataError, match=r"Class 'odd' of a.csv and test.csv has no training example"):
        load_dataset("a", _csv(tmp_path, _many()), ROLES, test=test)


def test_a_test_file_without_the_columns_is_an_error(tmp_path: Path):
    test = _csv(tmp_path, [("new", "odd")], "body,label", name="test.csv")
    with pytest.raises(DataError, match=r"Column 'text' is not in test.csv"):
        load_dataset("a", _csv(tmp_path, _many()), ROLES, test=test)


def test_a_test_file_without_the_id_column_gets_ids_of_its_texts(tmp_path: Path):
    source = _csv(tmp_path, [("a", "x", "1"), ("b", "y", "2")], "text,label,id")
    test = _csv(tmp_path, [("c", "x"), ("c", "y")], "text,label", name="test.csv")
    examples = load_dataset("a", source, Roles("text", "label", id="id"), test=test).examples
    made = hashlib.blake2b(b"c").hexdigest()[:16]
    assert examples["example_id"].tolist() == ["1", "2", made, f"{made}-2"]
    assert examples["split"].tolist() == ["train", "train", "test", "test"]


def test_ids_must_differ_between_source_and_test_file(tmp_path: Path):
    source = _csv(tmp_path, [("a", "x", "1"), ("b", "y", "2")], "text,label,id")
    test = _csv(tmp_path, [("c", "x", "2")], "text,label,id", name="test.csv")
    with pytest.raises(DataError, match=r"The id '2' comes 2 times in a.csv and test.csv"):
        load_dataset("a", source, Roles("text", "label", id="id"), test=test)


def test_a_split_column_and_a_test_file_together_are_an_error(tmp_path: Path):
    path = _csv(tmp_path, [("a", "x", "train")], "text,label,s")
    with pytest.raises(DataError, match="either the split column or the test file"):
        load_dataset("a", path, Roles("text", "label", split="s"), test=path)


@pytest.mark.parametrize("label", [["a"], {"a": 1}])
def test_a_nested_label_is_an_error(tmp_path: Path, label):
    (tmp_path / "a.json").write_text(json.dumps([{"text": "t", "label": label}]), encoding="utf-8")
    with pytest.raises(DataError, match=r"Column 'label' of a.json has a value of type (list|dict) in row 1"):
        load_dataset("a", tmp_path / "a.json", ROLES)


def test_a_missing_key_of_a_json_row_is_a_missing_value(tmp_path: Path):
    (tmp_path / "a.jsonl").write_text('{"text": "t", "label": 1}\n{"text": "u"}\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"The label .* missing in 1 row of a.jsonl: line 2"):
        load_dataset("a", tmp_path / "a.jsonl", ROLES)


@pytest.mark.parametrize(("name", "limit"), [("Bad name", None), ("a", 0), ("a", -3)])
def test_settings_out_of_range_are_errors(tmp_path: Path, name: str, limit):
    with pytest.raises(SettingError):
        load_dataset(name, _csv(tmp_path, _many()), ROLES, limit=limit)


SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is not there")
@pytest.mark.parametrize(
    ("source", "test", "roles", "limit", "rows", "n_classes"),
    [
        ("trec6/train.csv", "trec6/test.csv", ROLES, None, (5452, 500), 6),
        ("agnews/train.parquet", "agnews/test.parquet", ROLES, 3000, (3000, 7600), 4),
        ("sst2/train.jsonl", "sst2/test.jsonl", ROLES, None, (6920, 1821), 2),
        (
            "snli/train.jsonl",
            "snli/test.jsonl",
            Roles("premise", "label", "hypothesis"),
            3000,
            (3000, 9824),
            3,
        ),
    ],
)
def test_real_files_load(source, test, roles, limit, rows, n_classes):
    dataset = load_dataset("real", SHARED / source, roles, test=SHARED / test, limit=limit)
    counts = dataset.examples["split"].value_counts()
    assert (counts["train"], counts["test"]) == rows
    assert len(dataset.info.classes) == n_classes
