"""Hugging Face folders and names: splits, ClassLabels, and nothing left behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diet_core.data.formats.readers import read_source
from diet_core.data.load import load_dataset
from diet_core.dataset import Roles
from diet_core.errors import DataError

datasets = pytest.importorskip("datasets")

ROLES = Roles("text", "label")


def _split(n: int, start: int = 0, label: int | None = None):
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["sad", "glad", "bored"])}
    )
    labels = [i % 2 if label is None else label for i in range(n)]
    return datasets.Dataset.from_dict(
        {"text": [f"t{start + i}" for i in range(n)], "label": labels}, features=features
    )


def _saved(folder: Path, **splits) -> Path:
    datasets.DatasetDict(splits).save_to_disk(str(folder))
    return folder


def test_class_labels_are_names_in_their_own_order(tmp_path: Path):
    _split(60).save_to_disk(str(tmp_path / "d"))
    info = load_dataset("d", tmp_path / "d", ROLES).info
    assert info.classes == ("sad", "glad")
    assert info.label_values == {"sad": 0, "glad": 1}
    assert info.source_format == "hf"


def test_parquet_that_datasets_wrote_has_class_names_too(tmp_path: Path):
    _split(60).to_parquet(str(tmp_path / "d.parquet"))
    assert load_dataset("d", tmp_path / "d.parquet", ROLES).info.classes == ("sad", "glad")


def test_a_dataset_dicts_splits_are_the_split_column(tmp_path: Path):
    folder = _saved(tmp_path / "d", train=_split(20), test=_split(10, 100), validation=_split(4, 200))
    dataset = load_dataset("d", folder, ROLES)
    assert dataset.info.roles.split == "__split__"
    assert dataset.examples["split"].tolist() == ["train"] * 20 + ["test"] * 10 + ["validation"] * 4
    assert dataset.source.column_names == ["text", "label", "__split__"]


def test_splits_without_labels_are_set_aside_and_said(tmp_path: Path):
    folder = _saved(
        tmp_path / "d", train=_split(20), validation_matched=_split(6, 100), test_matched=_split(8, 200, -1)
    )
    dataset = load_dataset("d", folder, ROLES)
    assert dataset.examples["split"].value_counts().to_dict() == {"train": 20, "test": 6}
    assert dataset.source.num_rows == 34
    assert any("'test_matched' has no labels; its 8 rows" in warning for warning in dataset.warnings)


def test_some_missing_class_labels_are_an_error(tmp_path: Path):
    mixed = datasets.concatenate_datasets([_split(20), _split(1, 90, -1)])
    with pytest.raises(DataError, match=r"The label .* missing in 1 row of d: row 21"):
        load_dataset("d", _saved(tmp_path / "d", train=mixed), ROLES)


def test_an_unknown_split_name_is_an_error(tmp_path: Path):
    with pytest.raises(DataError, match="name no split: 'extra'"):
        load_dataset("d", _saved(tmp_path / "d", train=_split(20), extra=_split(4, 90)), ROLES)


def test_a_shuffled_selection_is_read_in_its_order(tmp_path: Path):
    _split(20).select([3, 1, 2, 0]).save_to_disk(str(tmp_path / "d"))
    assert read_source(tmp_path / "d").table.column("text").to_pylist() == ["t3", "t1", "t2", "t0"]


def test_a_test_folder_with_splits_is_an_error(tmp_path: Path):
    _split(20).save_to_disk(str(tmp_path / "a"))
    with pytest.raises(DataError, match="has splits of its own"):
        load_dataset("d", tmp_path / "a", ROLES, test=_saved(tmp_path / "b", train=_split(5)))


def test_a_folder_of_data_files_is_read_and_nothing_is_left(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    (tmp_path / "d").mkdir()
    for name, start in (("train", 0), ("test", 100)):
        rows = [{"text": f"t{start + i}", "label": f"c{i % 2}"} for i in range(20)]
        lines = "\n".join(json.dumps(row) for row in rows)
        (tmp_path / "d" / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    dataset = load_dataset("d", tmp_path / "d", ROLES)
    assert dataset.examples["split"].value_counts().to_dict() == {"train": 20, "test": 20}
    assert list((tmp_path / "tmp").iterdir()) == []
    assert sorted(path.name for path in (tmp_path / "d").iterdir()) == ["test.jsonl", "train.jsonl"]


@pytest.mark.parametrize("files", [{}, {"README.md": "hello"}, {"state.json": "{}"}, {"a.parquet": "x"}])
def test_a_folder_that_is_no_data_set_is_an_error(tmp_path: Path, files: dict[str, str]):
    (tmp_path / "d").mkdir()
    for name, content in files.items():
        (tmp_path / "d" / name).write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=r"holds no data set|cannot be read as a Hugging Face data set"):
        read_source(tmp_path / "d")
    assert len(list((tmp_path / "d").iterdir())) == len(files)


@pytest.mark.parametrize("name", ["nobody-here/no-such-set", "no-such-set:config"])
def test_a_hub_that_does_not_answer_is_an_error_at_once(tmp_path: Path, monkeypatch, name: str):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(
        DataError, match="is no file or folder here, and the Hugging Face hub cannot be asked"
    ):
        read_source(name)
