"""What comes out is what came in, less what was dropped."""

from __future__ import annotations

import csv
import datetime
import hashlib
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from diet_core.data.export import ExportReport, write_export
from diet_core.data.formats.files import write_manifest
from diet_core.data.formats.readers import read_source
from diet_core.data.load import load_dataset
from diet_core.dataset import Dataset, Roles
from diet_core.errors import DataError, NotFoundError

ROLES = Roles("text", "label")
OUTPUTS = ["o.csv", "o.tsv", "o.jsonl", "o.json", "o.parquet", "o.csv.gz", "o.parquet.gz", "o.jsonl.zst", "o"]


def _rows(n: int = 60) -> list[dict[str, str]]:
    return [{"text": f"t, {i}", "label": "pos" if i % 2 else "neg", "other": "=1+1"} for i in range(n)]


def _train(dataset: Dataset) -> list[str]:
    return dataset.examples.loc[dataset.examples["split"] == "train", "example_id"].tolist()


def _export(dataset: Dataset, out: Path, kept=None, relabelled=None, **options) -> ExportReport:
    kept = _train(dataset) if kept is None else kept
    return write_export(
        dataset.info, dataset.source, dataset.examples, kept, relabelled or {}, out, **options
    )


def _csv(folder: Path, rows: list[dict[str, str]], name: str = "a.csv") -> Path:
    path = folder / name
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), delimiter="\t" if name.endswith("tsv") else ",")
        writer.writeheader()
        writer.writerows(rows)
    return path


def _json(folder: Path, rows: list[dict[str, object]], name: str = "a.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("origin", ["a.csv", "a.tsv", "a.jsonl", "a.parquet"])
def test_every_format_to_every_format_keeps_ids_splits_and_labels(tmp_path: Path, origin: str, name: str):
    path = tmp_path / origin
    if origin.endswith("jsonl"):
        _json(tmp_path, _rows())
    elif origin.endswith("parquet"):
        pq.write_table(pa.Table.from_pylist(_rows()), path)
    else:
        _csv(tmp_path, _rows(), origin)
    dataset = load_dataset("a", path, ROLES)
    kept = _train(dataset)[::2]
    report = _export(dataset, tmp_path / name, kept)
    again = load_dataset("b", tmp_path / name, ROLES)
    expected = dataset.examples[
        dataset.examples["example_id"].isin(kept) | (dataset.examples["split"] == "test")
    ]
    columns = ["example_id", "text", "label", "split"]
    assert again.examples[columns].to_dict("list") == expected[columns].to_dict("list")
    assert report.rows == len(expected)
    assert report.dropped == len(_train(dataset)) - len(kept)
    assert report.test_rows == (dataset.examples["split"] == "test").sum()
    assert report.sha256 == again.info.sha256


def test_csv_cells_are_written_unchanged(tmp_path: Path):
    rows = [{"text": f"{sign}SUM(1) {i}", "label": str(i % 2)} for i in range(20) for sign in "=+-@"]
    dataset = load_dataset("a", _csv(tmp_path, rows), ROLES)
    _export(dataset, tmp_path / "o.csv")
    with (tmp_path / "o.csv").open(encoding="utf-8", newline="") as stream:
        assert list(csv.DictReader(stream)) == rows


def test_json_lines_that_stay_are_the_very_same_bytes(tmp_path: Path):
    lines = [f'{{"text":  "caf\\u00e9 {i}", "n": 1.50, "label": {i % 2}}}\n' for i in range(40)]
    (tmp_path / "a.jsonl").write_text("".join(lines), encoding="utf-8")
    dataset = load_dataset("a", tmp_path / "a.jsonl", ROLES)
    _export(dataset, tmp_path / "o.jsonl")
    assert (tmp_path / "o.jsonl").read_text(encoding="utf-8") == "".join(lines)


def test_json_rows_keep_missing_keys_and_types_when_relabelled(tmp_path: Path):
    rows = [{"label": i % 2, "text": f"t{i}", **({"x": [None]} if i % 3 else {})} for i in range(40)]
    dataset = load_dataset("a", _json(tmp_path, rows), ROLES)
    first = _train(dataset)[0]
    position = dataset.examples["example_id"].tolist().index(first)
    report = _export(dataset, tmp_path / "o.jsonl", relabelled={first: str(1 - position % 2)})
    written = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text(encoding="utf-8").splitlines()]
    rows[position]["label"] = 1 - position % 2
    assert written == rows
    assert [list(row) for row in written] == [list(row) for row in rows]
    assert report.relabelled == 1


@pytest.mark.parametrize(
    "label_type",
    [pa.int8(), pa.float32(), pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())],
)
def test_parquet_keeps_types_and_metadata_when_relabelled(tmp_path: Path, label_type: pa.DataType):
    is_text = label_type not in (pa.int8(), pa.float32())
    labels = pa.array(["0", "1"] * 30 if is_text else [0, 1] * 30, label_type)
    days = pa.array([datetime.date(2026, 1, 1)] * 60)
    table = pa.table(
        {"label": labels, "text": [f"t{i}" for i in range(60)], "day": days, "x": [[1, None]] * 60}
    )
    pq.write_table(table.replace_schema_metadata({"k": "v"}), tmp_path / "a.parquet")
    dataset = load_dataset("a", tmp_path / "a.parquet", ROLES)
    first = _train(dataset)[0]
    row = dataset.examples["example_id"].tolist().index(first)
    _export(dataset, tmp_path / "o.parquet", relabelled={first: str(1 - row % 2)})
    written = pq.read_table(tmp_path / "o.parquet")
    before = pq.read_table(tmp_path / "a.parquet")
    assert written.schema.equals(before.schema, check_metadata=True)
    expected = table.to_pylist()
    expected[row]["label"] = type(expected[row]["label"])(1 - row % 2)
    assert written.to_pylist() == expected


def test_pandas_reads_an_exported_file_that_pandas_wrote(tmp_path: Path):
    pd.DataFrame(_rows()).to_parquet(tmp_path / "a.parquet")
    dataset = load_dataset("a", tmp_path / "a.parquet", ROLES)
    _export(dataset, tmp_path / "o.parquet", _train(dataset)[:10])
    frame = pd.read_parquet(tmp_path / "o.parquet")
    assert list(frame.columns) == ["text", "label", "other"]
    assert frame.index.tolist() == list(range(len(frame)))


def test_typed_values_have_a_plain_form_in_csv_and_json(tmp_path: Path):
    rows = 40
    table = pa.table(
        {
            "text": [f"t{i}" for i in range(rows)],
            "label": [i % 2 == 0 for i in range(rows)],
            "x": [float("nan")] * rows,
            "day": [datetime.date(2026, 1, 2)] * rows,
            "list": [[1]] * rows,
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    dataset = load_dataset("a", tmp_path / "a.parquet", ROLES)
    _export(dataset, tmp_path / "o.csv")
    _export(dataset, tmp_path / "o.jsonl")
    assert (tmp_path / "o.csv").read_text().splitlines()[1] == "t0,true,,2026-01-02,[1]"
    first = json.loads((tmp_path / "o.jsonl").read_text().splitlines()[0])
    assert first == {"text": "t0", "label": True, "x": None, "day": "2026-01-02", "list": [1]}


def test_bytes_cannot_be_written_as_csv_and_leave_no_file(tmp_path: Path):
    table = pa.Table.from_pylist(_rows()).append_column("b", pa.array([b"\xff"] * 60))
    pq.write_table(table, tmp_path / "a.parquet")
    dataset = load_dataset("a", tmp_path / "a.parquet", ROLES)
    with pytest.raises(DataError, match=r"cannot be written as csv .a value of type bytes"):
        _export(dataset, tmp_path / "o.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]


def test_tsv_with_bare_quotation_marks_is_written_so(tmp_path: Path):
    rows = "".join(f'"Hi" he said {i}\t{i % 2}\n' for i in range(40))
    (tmp_path / "a.tsv").write_text("text\tlabel\n" + rows, encoding="utf-8")
    dataset = load_dataset("a", tmp_path / "a.tsv", ROLES)
    _export(dataset, tmp_path / "o.tsv")
    assert (tmp_path / "o.tsv").read_bytes() == (tmp_path / "a.tsv").read_bytes()


def test_rows_of_a_separate_test_file_are_not_written(tmp_path: Path):
    test = _csv(tmp_path, [{"text": "new", "label": "pos"}, {"text": "more", "label": "neg"}], "test.csv")
    dataset = load_dataset("a", _csv(tmp_path, _rows()), ROLES, test=test)
    report = _export(dataset, tmp_path / "o.csv", _train(dataset)[:50])
    assert report == ExportReport(50, 10, 0, 0, report.sha256)
    assert report.sha256 == hashlib.sha256((tmp_path / "o.csv").read_bytes()).hexdigest()


def test_a_limited_data_set_exports_its_own_rows_only(tmp_path: Path):
    dataset = load_dataset("a", _csv(tmp_path, _rows(300)), ROLES, limit=100)
    gone = _train(dataset)[3]
    _export(dataset, tmp_path / "o.csv", [i for i in _train(dataset) if i != gone])
    written = read_source(tmp_path / "o.csv").table
    expected = dataset.examples[dataset.examples["example_id"] != gone]
    assert written.column_names == ["text", "label", "other"]
    assert written.column("text").to_pylist() == expected["text"].tolist()


@pytest.mark.parametrize("name", OUTPUTS)
def test_with_split_adds_a_column_that_imports_to_the_same_splits(tmp_path: Path, name: str):
    dataset = load_dataset("a", _json(tmp_path, _rows(200)), ROLES)
    _export(dataset, tmp_path / name, with_split=True)
    again = load_dataset("b", tmp_path / name, Roles("text", "label", split="split"))
    assert again.examples["split"].tolist() == dataset.examples["split"].tolist()


def test_with_split_leaves_the_sources_own_split_column_alone(tmp_path: Path):
    rows = [row | {"split": "dev" if i % 5 == 0 else "training"} for i, row in enumerate(_rows())]
    path = _csv(tmp_path, rows)
    dataset = load_dataset("a", path, Roles("text", "label", split="split"))
    _export(dataset, tmp_path / "o.csv", with_split=True)
    assert read_source(tmp_path / "o.csv").table.equals(read_source(path).table)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_with_split_refuses_a_split_column_that_is_something_else(tmp_path: Path, name: str):
    rows = [row | {"split": "banana"} for row in _rows()]
    path = _csv(tmp_path, rows) if name == "a.csv" else _json(tmp_path, rows)
    with pytest.raises(DataError, match="already that is not its split column"):
        _export(load_dataset("a", path, ROLES), tmp_path / "o.csv", with_split=True)


def _hugging_face(folder: Path, is_dict: bool) -> Dataset:
    import datasets

    names = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["z", "a"])}
    )
    parts = {
        split: datasets.Dataset.from_dict(
            {"text": [f"{split} {i}" for i in range(40)], "label": [i % 2 for i in range(40)]}, features=names
        )
        for split in ("train", "test")
    }
    (datasets.DatasetDict(parts) if is_dict else parts["train"]).save_to_disk(str(folder))
    return load_dataset("a", folder, ROLES)


@pytest.mark.parametrize("is_dict", [True, False])
def test_a_hugging_face_folder_keeps_splits_and_class_labels(tmp_path: Path, is_dict: bool):
    import datasets

    dataset = _hugging_face(tmp_path / "a", is_dict)
    kept = _train(dataset)[1:]
    (tmp_path / "o").mkdir()
    report = _export(dataset, tmp_path / "o", kept, {kept[0]: "a"})
    before, after = (datasets.load_from_disk(str(tmp_path / name)) for name in "ao")
    assert isinstance(after, datasets.DatasetDict) is is_dict
    assert (after["train"] if is_dict else after).features == (
        before["train"] if is_dict else before
    ).features
    again = load_dataset("b", tmp_path / "o", ROLES)
    assert again.info.classes == ("z", "a")
    assert again.examples.set_index("example_id")["label"][kept[0]] == "a"
    assert _train(again) == kept
    assert report.rows == len(again.examples)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "o"]


def test_a_hugging_face_data_set_as_csv_has_no_column_of_ours(tmp_path: Path):
    dataset = _hugging_face(tmp_path / "a", is_dict=True)
    _export(dataset, tmp_path / "o.csv")
    _export(dataset, tmp_path / "p.csv", with_split=True)
    assert read_source(tmp_path / "o.csv").columns == ["text", "label"]
    assert read_source(tmp_path / "p.csv").columns == ["text", "label", "split"]


def test_the_same_export_has_the_same_bytes(tmp_path: Path):
    dataset = _hugging_face(tmp_path / "a", is_dict=True)
    for name in OUTPUTS:
        other = tmp_path / f"x{name}"
        assert _export(dataset, tmp_path / name).sha256 == _export(dataset, other).sha256


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("a.csv", "is .in. the source of a itself"),
        ("test.csv", "is .in. the source of a itself"),
        ("there.csv", "exists already"),
        ("full", "other things in it"),
        ("no/folder/o.csv", "does not exist"),
        ("o.xlsx", "ending that cannot be written"),
        ("o.gz", "ending that cannot be written"),
    ],
)
def test_an_export_refuses_targets_that_it_would_spoil(tmp_path: Path, out: str, message: str):
    test = _csv(tmp_path, [{"text": "new", "label": "pos"}], "test.csv")
    dataset = load_dataset("a", _csv(tmp_path, _rows()), ROLES, test=test)
    (tmp_path / "there.csv").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DataError, match=message):
        _export(dataset, tmp_path / out)
    assert sorted(tmp_path.rglob("*")) == before


def test_overwrite_replaces_files_and_data_sets_but_no_other_folder_and_no_source(tmp_path: Path):
    dataset = load_dataset("a", _csv(tmp_path, _rows()), ROLES)
    (tmp_path / "o.csv").write_text("old")
    _export(dataset, tmp_path / "o.csv", overwrite=True)
    _export(dataset, tmp_path / "o")
    _export(dataset, tmp_path / "o", _train(dataset)[:40], overwrite=True)
    assert len(_train(load_dataset("b", tmp_path / "o", ROLES))) == 40
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine")
    for name in ("full", "a.csv"):
        with pytest.raises(DataError):
            _export(dataset, tmp_path / name, overwrite=True)


def test_ids_and_classes_must_be_the_data_sets(tmp_path: Path):
    dataset = load_dataset("a", _csv(tmp_path, _rows()), ROLES)
    tested = dataset.examples.loc[dataset.examples["split"] == "test", "example_id"].iloc[0]
    first = _train(dataset)[0]
    for kept, relabelled in (
        [["nope"], {}],
        [[tested], {}],
        [None, {tested: "pos"}],
        [None, {first: "great"}],
    ):
        with pytest.raises(NotFoundError):
            _export(dataset, tmp_path / "o.csv", kept, relabelled)
    assert not (tmp_path / "o.csv").exists()


def test_relabelling_a_dropped_example_does_nothing(tmp_path: Path):
    dataset = load_dataset("a", _csv(tmp_path, _rows()), ROLES)
    first, *others = _train(dataset)
    assert _export(dataset, tmp_path / "o.csv", others, {first: "pos"}).relabelled == 0


def test_a_manifest_is_json_and_replaces_the_old_one(tmp_path: Path):
    path = tmp_path / "o.csv.manifest.json"
    write_manifest(path, {"rows": 1})
    write_manifest(path, {"b": "é", "a": [1]})
    assert path.read_text(encoding="utf-8") == '{\n  "b": "é",\n  "a": [\n    1\n  ]\n}\n'
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(DataError, match="cannot be written"):
        write_manifest(tmp_path / "no" / "m.json", {})
