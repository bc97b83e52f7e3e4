"""The command line: every verb, its JSON, its exit status and what it leaves behind."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from diet_core.cli import main as entry
from diet_core.cli.parser import parser
from diet_core.config import Workspace
from diet_core.jobs.folder import RunFolder, all_runs
from diet_core.store import open_store
from diet_core.tables import SCORE_COLUMNS

ROOT = Path(__file__).resolve().parent.parent
IMPORT = ("--text", "text", "--label", "label")
VERBS = next(a for a in parser()._actions if isinstance(a, argparse._SubParsersAction)).choices


@pytest.fixture
def run_verb(workspace, capsys) -> Callable[..., tuple[int, str, str]]:
    """A function that runs a verb in this process: exit status, standard output, standard error."""

    def run_verb(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        status = entry.main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return run_verb


@pytest.fixture
def said(run_verb) -> Callable[..., dict]:
    """A function that runs a verb with --json and returns the object that it printed."""

    def said(*arguments: object) -> dict:
        status, out, err = run_verb("--json", *arguments)
        assert status == 0, err
        assert out.endswith("}\n")
        assert out.count("\n") == 1
        return json.loads(out)

    return said


@pytest.fixture
def refused(run_verb) -> Callable[..., str]:
    """A function that runs a verb that must be refused and returns the message."""

    def refused(*arguments: object) -> str:
        for as_json in ([], ["--json"]):
            status, out, err = run_verb(*arguments, *as_json)
            assert status == 2, (out, err)
            assert out == ""
            assert "Traceback" not in err
            assert err.count("\n") == 1, err
            assert n_sentences(err) <= 2, err
        return err

    return refused


def n_sentences(message: str) -> int:
    """How many sentences a message has; dots inside of names, numbers and brackets end none."""
    plain = re.sub(r"\([^()]*\)|'[^']*'|\"[^\"]*\"", "x", message.strip())
    return len(re.findall(r"[.!?](?=\s+[A-Z]|$)", plain + ("" if plain[-1] in ".!?" else ".")))


@pytest.fixture
def imported(said, sentences_csv) -> dict:
    return said("import", "sentences", sentences_csv, *IMPORT)


@pytest.fixture
def scored(workspace: Workspace, sentence_run) -> RunFolder:
    """The sentences' finished run, in this workspace; the database does not know it yet."""
    return RunFolder(Path(shutil.copytree(sentence_run.path, workspace.runs / sentence_run.run_id)))


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
        return files + [line.info.dataset_id for line in store.datasets()]


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
def test_workspace_may_come_before_or_after_the_verb(run_verb, scored, tmp_path, is_first):
    option = ["--workspace", str(tmp_path / "other")]
    arguments = [*option, "runs"] if is_first else ["runs", *option]
    assert json.loads(run_verb(*arguments, "--json")[1]) == {"runs": []}


def test_a_workspace_that_is_a_file_is_refused(refused, tmp_path):
    (tmp_path / "file").touch()
    assert str(tmp_path / "file") in refused("datasets", "--workspace", tmp_path / "file")


def test_ctrl_c_ends_with_130(run_verb, scored):
    scored.write_status({"state": "running"})
    with FileLock(scored.lock_file):  # `cancel` waits for the worker to end, and this one never does
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
        decisions = store.effective_decisions("sentences-v1")
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


# Runs that are there.


def test_runs_and_status_read_the_folders_only(scored, said, workspace):
    (line,) = said("runs")["runs"]
    assert {"run_id": scored.run_id, "state": "done", "kind": "score"}.items() <= line.items()
    status = said("status", scored.run_id)
    assert {"state", "step", "total", "eta_seconds"} <= set(status)
    assert said("status", "latest") == status
    assert not workspace.database.exists()


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_scores_writes_the_table(scored, said, tmp_path, ending):
    out = tmp_path / f"scores.{ending}"
    content = said("scores", "latest", "--out", out)
    read = {"parquet": pd.read_parquet, "csv": pd.read_csv, "jsonl": lambda f: pd.read_json(f, lines=True)}
    frame = read[ending](out)
    assert content["rows"] == len(frame)
    assert content["columns"] == [c for c in SCORE_COLUMNS if c != "text_pair"]
    if ending != "jsonl":
        assert list(frame) == content["columns"]
    stored = pd.read_parquet(scored.scores_file)
    np.testing.assert_allclose(frame["el2n"], stored["el2n"], rtol=0, atol=1e-14)


def test_scores_of_a_step_that_is_not_there_are_refused(scored, refused, tmp_path):
    assert "Step 3 was not recorded" in refused("scores", "latest", "--out", tmp_path / "s.csv", "--step", 3)
    assert "no known ending" in refused("scores", "latest", "--out", tmp_path / "s.xlsx")
    assert "cannot be written" in refused("scores", "latest", "--out", tmp_path / "none" / "s.csv")
    assert not list(tmp_path.glob("*s.*"))


def test_top_ranks_hardest_first_and_bottom_easiest_first(scored, said):
    scores = pd.read_parquet(scored.scores_file)
    top = said("top", "latest", "-n", 5)["examples"]
    assert [e["el2n"] for e in top] == scores["el2n"].nlargest(5).tolist()
    assert [e["rank"] for e in top] == [1, 2, 3, 4, 5]
    assert {"example_id", "text", "label", "predicted_label"} <= set(top[0])
    bottom = said("top", "latest", "-n", 5, "--bottom")["examples"]
    assert [e["el2n"] for e in bottom] == scores["el2n"].nsmallest(5).tolist()
    assert bottom[0]["rank"] == len(scores)
    by_aum = said("top", "latest", "-n", 1, "--by", "aum")["examples"]
    assert by_aum[0]["aum"] == scores["aum"].min()


def test_top_refuses_a_score_without_values(scored, refused):
    n = len(pd.read_parquet(scored.scores_file))
    assert f"{n} of {n} examples have no forgetting" in refused("top", "latest", "--by", "forgetting")
    assert "-n is 0" in refused("top", "latest", "-n", 0)


def test_suspects_come_with_a_suggested_label(scored, said):
    scores = pd.read_parquet(scored.scores_file)
    suspects = said("suspects", "latest", "-n", 7)["examples"]
    assert [e["label_error"] for e in suspects] == scores["label_error"].nlargest(7).tolist()
    assert all(e["suggested_label"] != e["label"] for e in suspects)
    assert len(said("suspects", "latest")["examples"]) == min(100, len(scores))


def test_people_get_a_table(scored, run_verb):
    status, out, err = run_verb("top", "latest", "-n", 3)
    assert (status, err) == (0, "")
    assert out.splitlines()[0].split() == ["rank", "el2n", "label", "predicted", "text"]
    assert len(out.splitlines()) == 5


@pytest.mark.parametrize("verb", ["status", "cancel", "top", "suspects", "retrain"])
@pytest.mark.parametrize("run", ["x-20260101-000000-0000", "../../etc", "nothing", "latest"])
def test_an_unknown_run_is_refused(refused, workspace, verb, run):
    assert refused(verb, run)
    assert left_behind(workspace) == []


def test_a_done_run_can_be_neither_cancelled_nor_resumed(scored, refused):
    assert "is done" in refused("cancel", "latest")
    assert "is done" in refused("score", "--resume", "latest")
    assert "score run" in refused("retrain", "--resume", scored.run_id)


def test_export_writes_file_and_manifest(imported, scored, said, tmp_path):
    out = tmp_path / "clean.csv"
    content = said(
        "export", "sentences", "--out", out, "--run", "latest", "--keep", 0.7, "--drop-hardest", 0.04
    )
    assert {"rows", "dropped", "relabelled", "test_rows", "manifest"} <= set(content)
    assert content["rows"] == len(pd.read_csv(out)) == 120 - content["dropped"]
    assert Path(content["manifest"]).exists()


def test_exports_that_cannot_be_are_refused(imported, scored, refused, tmp_path):
    out = tmp_path / "clean.csv"
    assert "nope" in refused("export", "nope", "--out", out)
    assert "nope" in refused("export", "sentences", "--out", out, "--run", "nope", "--keep", 0.5)
    assert "Nothing" in refused("export", "sentences", "--out", out, "--run", "latest", "--keep", 0.001)
    assert "keep is 0" in refused("export", "sentences", "--out", out, "--run", "latest", "--keep", 0)
    assert "does not exist" in refused("export", "sentences", "--out", tmp_path / "none" / "x.csv")
    assert "ending" in refused("export", "sentences", "--out", tmp_path / "x.docx")
    assert "the source" in refused("export", "sentences", "--out", tmp_path / "sentences.csv")
    assert not list(tmp_path.glob("clean*"))


def test_a_damaged_run_does_not_shut_the_database(imported, scored, said, refused):
    (scored.unit("seed-0") / "step-000012.parquet").write_bytes(b"cut off")
    assert len(said("datasets")["datasets"]) == 1
    assert "step-000012.parquet" in refused("top", scored.run_id)


# The database is open elsewhere.


@pytest.fixture
def holder(imported, workspace: Workspace):
    """Another process that has the database open; its PID."""
    program = (
        "import sys, time; from pathlib import Path; from diet_core.config import Workspace; "
        "from diet_core.store import open_store; store = open_store(Workspace(Path(sys.argv[1]))); "
        "print('open', flush=True); time.sleep(600)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(workspace.root)], stdout=subprocess.PIPE, cwd=ROOT, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    yield process.pid
    process.kill()
    process.wait()
    process.stdout.close()


def test_while_the_database_is_open_elsewhere_folders_can_be_read(
    holder, scored, said, refused, sentences_csv, tmp_path
):
    for verb in (
        ["import", "more", sentences_csv, *IMPORT],
        ["datasets"],
        ["decide", "sentences", "x", "drop"],
        ["undo", "sentences"],
        ["score", "sentences"],
        ["export", "sentences", "--out", tmp_path / "out.csv"],
    ):
        assert f"PID {holder}" in refused(*verb)
    for verb in (["runs"], ["status", "latest"], ["top", "latest"], ["suspects", "latest"]):
        assert said(*verb)
    assert said("scores", "latest", "--out", tmp_path / "s.csv")["rows"] > 0


# Runs that are made.


def score(model: Path, *more: object) -> list[object]:
    return ["score", "sentences", "--model", model, "--seeds", 2, "--epochs", 2, "--lr", "0.005", *more]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["score", "nope"], "nope"),
        (["score", "sentences", "--model", "./nowhere"], "nowhere"),
        (["score", "sentences", "--max-length", "100000"], "max-length is 100000"),
        (["score", "sentences", "--device", "cuda:77"], "no device 'cuda:77'"),
    ],
)
def test_a_run_that_cannot_be_planned_leaves_nothing_behind(imported, refused, workspace, arguments, words):
    assert words in refused(*arguments)
    assert all_runs(workspace) == []
    assert not workspace.runs.exists() or not list(workspace.runs.iterdir())


def test_score_without_a_data_set_asks_which(refused):
    assert "none yet" in refused("score")


def test_score_detached_can_be_watched_cancelled_and_resumed(imported, said, tiny_model, workspace):
    started = said(*score(tiny_model, "--epochs", 3000, "--detach"))
    run_id = started["run_id"]
    assert started["state"] in ("queued", "running")
    assert said("status", run_id)["state"] in ("queued", "running")
    assert said("runs")["runs"][0]["run_id"] == run_id
    assert said("cancel", run_id)["state"] == "cancelled"
    folder = all_runs(workspace)[0]
    config = folder.config()
    config["training"]["epochs"] = 2  # nothing is finished yet; three thousand epochs take too long
    folder.config_file.write_text(json.dumps(config))
    content = said("score", "--resume", run_id)
    assert {"run_id", "state", "seconds", "seed_agreement", "accuracy"} <= set(content)
    assert content["state"] == "done"
    assert set(content["seconds"]) == {"train", "score", "total"}
    assert set(content["accuracy"]) == {"mean", "std"}
    agreement = {"single", "pairs", "leave_one_out", "estimate", "reliability"}
    assert agreement <= set(content["seed_agreement"])
    with open_store(workspace) as store:
        assert store.has_run(run_id)


def test_retrain_reports_its_arms(imported, scored, said):
    """The scoring run's snapshot and model are used; the database is told in the end."""
    content = said("retrain", scored.run_id, "--repeats", 1, "--epochs", 1, "--baselines", "full")
    assert content["state"] == "done"
    assert [arm["name"] for arm in content["arms"]] == ["selected", "full"]
    for arm in content["arms"]:
        assert {"name", "n_train", "accuracy", "mean", "std"} <= set(arm)
        assert arm["std"] is None


def test_a_failed_run_exits_with_1_and_its_log_has_the_traceback(
    imported, run_verb, workspace, tiny_model, tmp_path
):
    broken = Path(shutil.copytree(tiny_model, tmp_path / "broken"))
    (broken / "model.safetensors").write_bytes(b"cut off")
    status, out, err = run_verb("--json", *score(broken))
    (folder,) = all_runs(workspace)
    assert (status, out) == (1, "")
    assert f"Run {folder.run_id} failed" in err.splitlines()[-1]
    assert "Traceback" not in err
    assert folder.status()["state"] == "failed"
    assert "Traceback (most recent call last)" in folder.log_file.read_text()


def test_ctrl_c_cancels_the_run(imported, workspace, tiny_model):
    process = subprocess.Popen(
        [sys.executable, "-m", "diet_core", "--json", *map(str, score(tiny_model, "--epochs", 3000))],
        cwd=ROOT,
        env=os.environ | {"DIET_WORKSPACE": str(workspace.root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not (runs := all_runs(workspace)) or runs[0].status()["state"] != "running":
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert f"score --resume {runs[0].run_id}" in err
    assert "Traceback" not in err
    assert runs[0].status()["state"] == "cancelled"
    assert not runs[0].is_locked()
