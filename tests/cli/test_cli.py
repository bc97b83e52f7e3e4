"""The command line: every verb, its JSON, its exit status and what it leaves behind."""

from __future__ import annotations

import argparse
import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from diet_core.cli import main as entry
from diet_core.cli.parser import parser
from diet_core.config import Workspace
from diet_core.runs.record import RunStatus
from diet_core.store.decisions.decisions import list_effective_decisions
from diet_core.store.loading.datasets import list_datasets
from diet_core.store.store import open_store

ROOT = Path(__file__).resolve().parents[2]
IMPORT = ("--text", "text", "--label", "label")
VERBS = next(a for a in parser()._actions if isinstance(a, argparse._SubParsersAction)).choices


def left_behind(workspace: Workspace) -> list[str]:
    """Runs, drafts, sources and temporary files that lie in a workspace, and its data sets."""
    files = [
        str(path.relative_to(workspace.root))
        for path in workspace.root.rglob("*")
        if path.is_file() and not path.name.endswith(".lock") and "diet.duckdb" not in path.name
    ]
    if not workspace.database.exists():
        return files
    with open_store(workspace) as store:
        return files + [line.info.dataset_id for line in list_datasets(store)]


# Arguments.


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_help_of_every_verb_works(verb, capsys):
    with pytest.raises(SystemExit) as end:
        entry.main([*filter(None, [verb]), "--help"])
    assert end.value.code == 0
    assert f"usage: python -m diet_core {verb}".rstrip() in capsys.readouterr().out


def test_every_verb_of_the_contract_is_there():
    wanted = "sample import datasets runs score status cancel scores top suspects retrain decide undo export"
    assert set(wanted.split()) <= set(VERBS)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["import"],
        ["import", "a", "b.csv"],
        ["runs", "--jsn"],
        ["score", "x", "--seeds", "many"],
        ["score", "x", "--seeds", "0"],
        ["score", "x", "--epochs", "0"],
        ["score", "x", "--lr", "2"],
        ["score", "x", "--device", "gpu"],
        ["score", "x", "--precision", "fp8"],
        ["score", "x", "--batch-size", "0"],
        ["retrain"],
        ["retrain", "latest", "--keep", "1.5"],
        ["retrain", "latest", "--keep", "0.3", "--drop-hardest", "0.3"],
        ["retrain", "latest", "--by", "beauty"],
        ["retrain", "latest", "--repeats", "0"],
        ["retrain", "latest", "--baselines", "full,none"],
        ["retrain", "latest", "--budget", "money"],
        ["decide", "x", "y", "burn"],
        ["sample", "--name", "songs"],
        ["export", "x", "--out", "y.csv", "--keep", "0.5"],
        ["export", "x", "--out", "y.csv", "--run", "latest"],
        ["import", "Bad Name", "x.csv", *IMPORT],
        ["import", "../x", "x.csv", *IMPORT],
    ],
    ids=" ".join,
)
def test_wrong_arguments_are_refused(refused, workspace, arguments):
    assert refused(*arguments)
    assert left_behind(workspace) == []


@pytest.mark.parametrize("arguments", [["--json", "runs"], ["runs", "--json"]])
def test_json_may_come_before_or_after_the_verb(run_verb, arguments):
    assert run_verb(*arguments) == (0, '{"runs": []}\n', "")


@pytest.mark.parametrize("is_first", [True, False])
def test_workspace_may_come_before_or_after_the_verb(run_verb, copied, tmp_path, is_first):
    option = ["--workspace", str(tmp_path / "other")]
    arguments = [*option, "runs"] if is_first else ["runs", *option]
    assert json.loads(run_verb(*arguments, "--json")[1]) == {"runs": []}


def test_a_workspace_that_is_a_file_is_refused(refused, tmp_path):
    (tmp_path / "file").touch()
    assert str(tmp_path / "file") in refused("datasets", "--workspace", tmp_path / "file")


def test_ctrl_c_ends_with_130(run_verb, copied):
    copied.write_status(RunStatus("running"))
    with FileLock(copied.lock_file):  # `cancel` waits for the worker to end, and this one never does
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        status, out, err = run_verb("cancel", "latest")
    assert (status, out) == (130, "")
    assert err.startswith("Interrupted.")


# Data sets.


def test_import_says_what_it_read(imported, sentence_data):
    counts = sentence_data.examples["split"].value_counts()
    assert imported["dataset"] == "sentences"
    assert imported["rows"] == {"train": counts["train"], "test": counts["test"]}
    assert imported["classes"] == ["neg", "neu", "pos"]
    assert imported["warnings"] == list(sentence_data.warnings)


def test_import_of_a_known_name_needs_overwrite(imported, refused, said, sentences_csv):
    assert "There is a data set 'sentences' already" in refused("import", "sentences", sentences_csv, *IMPORT)
    assert said("import", "sentences", sentences_csv, *IMPORT, "--overwrite")["version"] == 2


def test_import_of_a_sample_says_so(said, sentences_csv):
    assert sum(said("import", "few", sentences_csv, *IMPORT, "--limit", 50)["rows"].values()) == 50


def test_datasets_lists_them(imported, said):
    (line,) = said("datasets")["datasets"]
    assert line["dataset"] == "sentences"
    assert line["train"] + line["test"] == 120


def _csv(text: str) -> Callable[[Path], Path]:
    return lambda folder: _written(folder / "bad.csv", text.encode())


def _written(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    return file


def _lying_parquet(folder: Path) -> Path:
    """A file whose footer claims a row more than its pages hold."""
    file = folder / "bad.parquet"
    table = pa.table({"text": [f"t{i}" for i in range(77)], "label": ["a", "b"] * 38 + ["a"]})
    pq.write_table(table, file, compression="none", use_dictionary=False)
    content = file.read_bytes()
    length = int.from_bytes(content[-8:-4], "little")
    start = len(content) - 8 - length
    footer = content[start:-8].replace(b"\x16\x9a\x01", b"\x16\x9c\x01")  # 77 as zigzag varint, now 78
    assert footer != content[start:-8]
    return _written(file, content[:start] + footer + content[-8:])


def _folder(folder: Path) -> Path:
    (folder / "bad").mkdir()
    (folder / "bad" / "notes.txt").write_text("no data set")
    return folder / "bad"


LINES = "".join(f'{{"text": "t{i}", "label": "{"ab"[i % 2]}"}}\n' for i in range(40))
BAD_SOURCES = {
    "wrong column": (_csv("words,label\na,x\nb,y\n"), "'text'"),
    "empty file": (_csv(""), "is empty"),
    "header only": (_csv("text,label\n"), "has no rows"),
    "one class": (_csv("text,label\n" + "".join(f"t{i},x\n" for i in range(40))), "one label 'x'"),
    "label missing": (_csv("text,label\na,x\nb,\nc,y\nd,\n"), "lines 3, 5"),
    "text missing": (_csv("text,label\na,x\n,y\n"), "line 3"),
    "binary": (lambda folder: _written(folder / "bad.csv", bytes(range(256)) * 9), "not a text file"),
    "truncated": (lambda folder: _written(folder / "bad.jsonl", LINES[:-9].encode()), "Line 40 of"),
    "lying footer": (_lying_parquet, "bad.parquet"),
    "no data set": (_folder, "bad"),
    "nothing": (lambda folder: folder / "bad.csv", "There is no file or folder"),
    "unknown ending": (lambda folder: _written(folder / "bad.docx", b"PK"), "ending"),
}


@pytest.mark.parametrize("kind", BAD_SOURCES)
def test_a_bad_source_is_refused_and_leaves_nothing_behind(refused, workspace, tmp_path, kind):
    make, words = BAD_SOURCES[kind]
    source = make(tmp_path)
    message = refused("import", "bad", source, *IMPORT)
    assert words in message
    assert source.name in message
    assert left_behind(workspace) == []


def test_duplicate_ids_are_refused(refused, workspace, tmp_path):
    source = _csv("text,label,id\na,x,1\nb,y,1\n")(tmp_path)
    assert "'1' comes 2 times" in refused("import", "bad", source, *IMPORT, "--id", "id")
    assert left_behind(workspace) == []


def test_a_failed_new_version_leaves_the_old_one(imported, refused, said, tmp_path):
    source = _csv("text,label\na,x\n")(tmp_path)
    refused("import", "sentences", source, *IMPORT, "--overwrite")
    assert [line["version"] for line in said("datasets")["datasets"]] == [1]


# Decisions.


def test_decide_and_undo_give_ids(imported, said, workspace, sentence_data):
    example = sentence_data.examples.query("split == 'train'")["example_id"].iloc[0]
    first = said("decide", "sentences", example, "drop", "--reviewer", "ann", "--note", "spam")
    second = said("decide", "sentences", example, "relabel", "--label", "neu", "--reviewer", "ann")
    undone = said("undo", "sentences", "--reviewer", "ann")
    assert first["decision_id"] < second["decision_id"] < undone["decision_id"]
    with open_store(workspace) as store:
        decisions = list_effective_decisions(store, "sentences-v1")
    assert decisions[["example_id", "action", "note"]].to_numpy().tolist() == [[example, "drop", "spam"]]


def test_decisions_that_make_no_sense_are_refused(imported, refused, sentence_data):
    train = sentence_data.examples.query("split == 'train'")["example_id"].iloc[0]
    test = sentence_data.examples.query("split == 'test'")["example_id"].iloc[0]
    assert "nope" in refused("decide", "sentences", "nope", "drop")
    assert "nope" in refused("decide", "nope", train, "drop")
    assert "'angry' is not a class" in refused("decide", "sentences", train, "relabel", "--label", "angry")
    assert "--label" in refused("decide", "sentences", train, "relabel")
    assert "test split" in refused("decide", "sentences", test, "drop")
    assert "'me' has no decision" in refused("undo", "sentences")
