"""The verbs about runs: those that read run folders, those that start, stop and resume runs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from diet_core.cli.verbs import score as score_verbs
from diet_core.config import Workspace
from diet_core.errors import RunStateError
from diet_core.runs.folder import RunFolder, all_runs
from diet_core.runs.record import RunStatus
from diet_core.store.loading.runs import has_run
from diet_core.store.store import open_store
from diet_core.tables import SCORE_COLUMNS
from tests.runs.made_configs import config_json

ROOT = Path(__file__).resolve().parents[2]
IMPORT = ("--text", "text", "--label", "label")


# Runs that are there.


def test_runs_and_status_read_the_folders_only(copied, said, workspace):
    (line,) = said("runs")["runs"]
    assert {"run_id": copied.run_id, "state": "done", "kind": "score"}.items() <= line.items()
    status = said("status", copied.run_id)
    assert {"state", "step", "total", "eta_seconds"} <= set(status)
    assert said("status", "latest") == status
    assert not workspace.database.exists()


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_scores_writes_the_table(copied, said, tmp_path, ending):
    out = tmp_path / f"scores.{ending}"
    content = said("scores", "latest", "--out", out)
    read = {"parquet": pd.read_parquet, "csv": pd.read_csv, "jsonl": lambda f: pd.read_json(f, lines=True)}
    frame = read[ending](out)
    assert content["rows"] == len(frame)
    assert content["columns"] == [c for c in SCORE_COLUMNS if c != "text_pair"]
    if ending != "jsonl":
        assert list(frame) == content["columns"]
    stored = pd.read_parquet(copied.scores_file)
    np.testing.assert_allclose(frame["el2n"], stored["el2n"], rtol=0, atol=1e-14)


def test_scores_of_a_step_that_is_not_there_are_refused(copied, refused, tmp_path):
    assert "Step 3 was not recorded" in refused("scores", "latest", "--out", tmp_path / "s.csv", "--step", 3)
    assert "no known ending" in refused("scores", "latest", "--out", tmp_path / "s.xlsx")
    assert "cannot be written" in refused("scores", "latest", "--out", tmp_path / "none" / "s.csv")
    assert not list(tmp_path.glob("*s.*"))


def test_top_ranks_hardest_first_and_bottom_easiest_first(copied, said):
    scores = pd.read_parquet(copied.scores_file)
    top = said("top", "latest", "-n", 5)["examples"]
    assert [e["el2n"] for e in top] == scores["el2n"].nlargest(5).tolist()
    assert [e["rank"] for e in top] == [1, 2, 3, 4, 5]
    assert {"example_id", "text", "label", "predicted_label"} <= set(top[0])
    bottom = said("top", "latest", "-n", 5, "--bottom")["examples"]
    assert [e["el2n"] for e in bottom] == scores["el2n"].nsmallest(5).tolist()
    assert bottom[0]["rank"] == len(scores)
    by_aum = said("top", "latest", "-n", 1, "--by", "aum")["examples"]
    assert by_aum[0]["aum"] == scores["aum"].min()


def test_top_refuses_a_score_without_values(copied, refused):
    n = len(pd.read_parquet(copied.scores_file))
    assert f"{n} of {n} examples have no forgetting" in refused("top", "latest", "--by", "forgetting")
    assert "-n is 0" in refused("top", "latest", "-n", 0)


def test_suspects_come_with_a_suggested_label(copied, said):
    scores = pd.read_parquet(copied.scores_file)
    suspects = said("suspects", "latest", "-n", 7)["examples"]
    assert [e["label_error"] for e in suspects] == scores["label_error"].nlargest(7).tolist()
    assert all(e["suggested_label"] != e["label"] for e in suspects)
    assert len(said("suspects", "latest")["examples"]) == min(100, len(scores))


def test_people_get_a_table(copied, run_verb):
    status, out, err = run_verb("top", "latest", "-n", 3)
    assert (status, err) == (0, "")
    assert out.splitlines()[0].split() == ["rank", "el2n", "label", "predicted", "text"]
    assert len(out.splitlines()) == 5


@pytest.mark.parametrize("verb", ["status", "cancel", "top", "suspects", "retrain"])
@pytest.mark.parametrize("run", ["x-20260101-000000-0000", "../../etc", "nothing", "latest"])
def test_an_unknown_run_is_refused(refused, workspace, verb, run):
    assert refused(verb, run)
    assert all_runs(workspace) == []


def test_a_done_run_can_be_neither_cancelled_nor_resumed(copied, refused):
    assert "is done" in refused("cancel", "latest")
    assert "is done" in refused("score", "--resume", "latest")
    assert "score run" in refused("retrain", "--resume", copied.run_id)


def test_export_writes_file_and_manifest(imported, copied, said, tmp_path):
    out = tmp_path / "clean.csv"
    content = said(
        "export", "sentences", "--out", out, "--run", "latest", "--keep", 0.7, "--drop-hardest", 0.04
    )
    assert {"rows", "dropped", "relabelled", "test_rows", "manifest"} <= set(content)
    assert content["rows"] == len(pd.read_csv(out)) == 120 - content["dropped"]
    assert Path(content["manifest"]).exists()


def test_exports_that_cannot_be_are_refused(imported, copied, refused, tmp_path):
    out = tmp_path / "clean.csv"
    assert "nope" in refused("export", "nope", "--out", out)
    assert "nope" in refused("export", "sentences", "--out", out, "--run", "nope", "--keep", 0.5)
    assert "Nothing" in refused("export", "sentences", "--out", out, "--run", "latest", "--keep", 0.001)
    assert "keep is 0" in refused("export", "sentences", "--out", out, "--run", "latest", "--keep", 0)
    assert "does not exist" in refused("export", "sentences", "--out", tmp_path / "none" / "x.csv")
    assert "ending" in refused("export", "sentences", "--out", tmp_path / "x.docx")
    assert "the source" in refused("export", "sentences", "--out", tmp_path / "sentences.csv")
    assert not list(tmp_path.glob("clean*"))


def test_a_damaged_run_does_not_shut_the_database(imported, copied, said, refused):
    (copied.training_folder("seed-0") / "step-000012.parquet").write_bytes(b"cut off")
    assert len(said("datasets")["datasets"]) == 1
    assert "step-000012.parquet" in refused("top", copied.run_id)


# The database is open elsewhere.


@pytest.fixture
def holder(imported, workspace: Workspace):
    """Another process that has the database open; its PID."""
    program = (
        "import sys, time; from pathlib import Path; from diet_core.config import Workspace; "
        "from diet_core.store.store import open_store; store = open_store(Workspace(Path(sys.argv[1]))); "
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
    holder, copied, said, refused, sentences_csv, tmp_path
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
    config = config_json(folder)
    config["training"]["epochs"] = 2  # nothing is finished yet; three thousand epochs take too long
    config["score_steps"] = [2 * config["epoch_steps"]]
    folder.config_file.write_text(json.dumps(config))
    content = said("score", "--resume", run_id)
    assert {"run_id", "state", "seconds", "seed_agreement", "accuracy"} <= set(content)
    assert content["state"] == "done"
    assert set(content["seconds"]) == {"train", "score", "total"}
    assert set(content["accuracy"]) == {"mean", "std"}
    agreement = {"single", "pairs", "leave_one_out", "estimate", "reliability"}
    assert agreement <= set(content["seed_agreement"])
    with open_store(workspace) as store:
        assert has_run(store, run_id)


def test_retrain_reports_its_arms(imported, copied, said):
    """The scoring run's snapshot and model are used; the database is told in the end."""
    content = said("retrain", copied.run_id, "--repeats", 1, "--epochs", 1, "--baselines", "full")
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
    assert folder.status().state == "failed"
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
    while not (runs := all_runs(workspace)) or runs[0].status().state != "running":
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert f"score --resume {runs[0].run_id}" in err
    assert "Traceback" not in err
    assert runs[0].status().state == "cancelled"
    assert not runs[0].is_locked()


# The demo called once more.


@pytest.fixture
def called(workspace, copied, monkeypatch):
    """A function that finds the demo's run after the last one was left in a state, and what it did."""

    def called(state: str, resume=lambda folder: None) -> tuple[str, list[str]]:
        did: list[str] = []
        monkeypatch.setattr(score_verbs.executor, "resume", lambda f: (resume(f), did.append("resumed")))
        monkeypatch.setattr(score_verbs, "followed", lambda args, f: did.append(f"followed {f.run_id}"))
        monkeypatch.setattr(
            score_verbs, "_started_demo", lambda args, name: RunFolder(workspace.runs / "new")
        )
        monkeypatch.setattr(RunFolder, "status", lambda folder: RunStatus(state, step=1, total=2))
        folder = score_verbs._demo_run(Namespace(workspace=workspace), "sentences")
        return folder.run_id, did

    return called


def refuses(folder: RunFolder) -> None:
    raise RunStateError("another environment")


def test_a_demo_takes_what_is_done_and_goes_on_with_what_was_stopped(called, copied):
    run_id = copied.run_id
    assert called("done") == (run_id, [])
    assert called("running") == (run_id, [f"followed {run_id}"])
    for state in ("interrupted", "cancelled"):
        assert called(state) == (run_id, ["resumed", f"followed {run_id}"])


def test_a_demo_starts_anew_after_a_failure_or_in_another_environment(called):
    assert called("failed") == ("new", ["followed new"])
    assert called("interrupted", refuses) == ("new", ["followed new"])
