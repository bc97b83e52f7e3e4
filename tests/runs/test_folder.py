"""A run is a folder: what lies in it, how it is written, and what its state is."""

from __future__ import annotations

import json
import os

import pyarrow as pa
import pytest
from filelock import FileLock

from diet_core.config import Workspace
from diet_core.errors import NotFoundError, RunStateError
from diet_core.runs.folder import (
    RunFolder,
    all_runs,
    find_run_folder,
    open_folder,
    write_atomically,
    write_json,
    write_table,
)
from diet_core.runs.record import RunStatus
from diet_core.runs.summary import run_line
from tests.runs.made_configs import made_config

OLD = "a-20260101-000000-0001"
NEW = "a-20260101-000001-0001"


@pytest.fixture
def runs(tmp_path) -> Workspace:
    return Workspace(tmp_path)


def make(workspace: Workspace, run_id: str, state: str = "done", kind: str = "score") -> RunFolder:
    """A run folder with no more than its two JSON files."""
    folder = RunFolder(workspace.runs / run_id)
    folder.path.mkdir(parents=True)
    folder.write_config(made_config(kind=kind))
    write_json(folder.status_file, {"state": state})
    return folder


@pytest.mark.parametrize("state", ["queued", "running"])
def test_status_is_interrupted_when_nobody_holds_the_lock(runs, state):
    assert make(runs, OLD, state).status().state == "interrupted"


@pytest.mark.parametrize("state", ["queued", "running"])
def test_status_is_cancelled_when_nobody_holds_the_lock_and_it_was_asked_to_stop(runs, state):
    folder = make(runs, OLD, state)
    folder.cancel_file.touch()
    assert folder.status().state == "cancelled"


@pytest.mark.parametrize("state", ["queued", "running"])
def test_status_is_as_written_while_the_lock_is_held(runs, state):
    folder = make(runs, OLD, state)
    with FileLock(folder.lock_file):
        folder.cancel_file.touch()
        assert folder.is_locked()
        assert folder.status().state == state


@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
def test_status_of_an_ended_run_does_not_depend_on_the_lock(runs, state):
    folder = make(runs, OLD, state)
    folder.cancel_file.touch()
    assert folder.status().state == state
    assert not folder.lock_file.exists()


def test_write_status_adds_a_heartbeat_and_the_process(runs):
    folder = make(runs, OLD)
    folder.write_status(RunStatus("done", step=4))
    status = folder.status()
    assert status.step == 4
    assert status.pid == os.getpid()
    assert status.heartbeat.endswith("+00:00")


@pytest.mark.parametrize("damage", ["", "{", "[1, 2]", '"text"', "\x00\x01", '{"state": 3'])
@pytest.mark.parametrize("file", ["config.json", "status.json"])
def test_a_damaged_json_file_is_named(runs, file, damage):
    folder = make(runs, OLD)
    (folder.path / file).write_text(damage)
    with pytest.raises(RunStateError, match=f"{file} of run {OLD} cannot be read"):
        _ = folder.config(), folder.status()


def test_a_missing_status_is_named(runs):
    folder = make(runs, OLD)
    folder.status_file.unlink()
    with pytest.raises(RunStateError, match=r"status\.json"):
        folder.status()


def test_a_damaged_run_is_still_listed(runs):
    folder = make(runs, OLD)
    folder.config_file.write_text("{")
    line = run_line(folder)
    assert (line["run_id"], line["state"]) == (OLD, "failed")
    assert "config.json" in line["error"]


def test_all_runs_are_newest_first_whatever_their_data_set(runs):
    ids = ["b-20260101-000000-ffff", "a-20260102-000000-0000", "z-20251231-235959-0000"]
    for run_id in ids:
        make(runs, run_id)
    assert [folder.run_id for folder in all_runs(runs)] == [ids[1], ids[0], ids[2]]


def test_all_runs_leaves_out_drafts_and_strangers(runs):
    make(runs, OLD)
    make(runs, f".{NEW}")
    make(runs, "notes")
    (runs.runs / NEW).mkdir()
    (runs.runs / ".cpu.lock").touch()
    assert [folder.run_id for folder in all_runs(runs)] == [OLD]


def test_all_runs_of_a_new_workspace_is_empty(tmp_path):
    assert all_runs(Workspace(tmp_path / "none")) == []
    assert not (tmp_path / "none").exists()


def test_latest_is_the_newest_run_of_the_kind(runs):
    make(runs, OLD)
    make(runs, NEW, kind="retrain")
    assert find_run_folder(runs, "latest").run_id == NEW
    assert find_run_folder(runs, "latest", "score").run_id == OLD


def test_latest_of_no_runs_is_an_error(runs):
    with pytest.raises(NotFoundError, match="There is no score run in"):
        find_run_folder(runs, "latest", "score")


def test_find_run_refuses_another_kind(runs):
    make(runs, OLD)
    with pytest.raises(RunStateError, match="is a score run"):
        find_run_folder(runs, OLD, "retrain")


def test_find_run_does_not_find_what_is_not_there(runs):
    with pytest.raises(NotFoundError, match=OLD):
        find_run_folder(runs, OLD)


@pytest.mark.parametrize(
    "run", ["", ".", "..", "../a", f"../runs/{OLD}", f"/{OLD}", f"{OLD}/..", f"{OLD}\n", "A" + OLD, "lates"]
)
def test_find_run_refuses_what_is_no_run_id(runs, run):
    make(runs, OLD)
    with pytest.raises(NotFoundError, match="is not a run id"):
        find_run_folder(runs, run)


def test_open_folder_finds_a_run_by_its_path(runs):
    folder = make(runs, OLD)
    assert open_folder(folder.path).run_id == OLD


def test_open_folder_refuses_a_folder_without_a_run(tmp_path):
    with pytest.raises(NotFoundError, match="There is no run in"):
        open_folder(tmp_path)


def test_write_atomically_leaves_the_old_file_when_writing_fails(tmp_path):
    file = tmp_path / "a.json"
    file.write_text("old")

    def write(path):
        path.write_text("half")
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk is full"):
        write_atomically(file, write)
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert file.read_text() == "old"


def test_write_atomically_leaves_no_half_folder(tmp_path):
    def write(path):
        path.mkdir()
        (path / "weights").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "model", write)
    assert list(tmp_path.iterdir()) == []


def test_write_json_keeps_every_character(tmp_path):
    write_json(tmp_path / "a.json", {"text": "naïve\u2028 😀"})
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"text": "naïve\u2028 😀"}


def test_write_table_gives_equal_bytes_for_equal_tables(tmp_path):
    for name in "ab":
        write_table(tmp_path / name, pa.table({"x": [1.5, 2.5], "y": ["a", None]}))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_remove_leftovers_deletes_what_a_killed_worker_began(runs):
    folder = make(runs, OLD)
    seed = folder.training_folder("seed-0")
    (seed / ".model.77.tmp").mkdir(parents=True)
    for path in (seed / ".step-000004.parquet.77.tmp", folder.path / ".status.json.77.tmp"):
        path.touch()
    (seed / "step-000004.parquet").touch()
    folder.remove_leftovers()
    assert [path.name for path in seed.iterdir()] == ["step-000004.parquet"]
    assert sorted(path.name for path in folder.path.iterdir()) == ["config.json", "seed-0", "status.json"]


def test_a_worker_that_ends_between_two_looks_is_not_interrupted(runs):
    class EndsNow(RunFolder):
        def is_locked(self) -> bool:
            write_json(self.status_file, {"state": "done"})
            return False

    assert EndsNow(make(runs, OLD, "running").path).status().state == "done"
