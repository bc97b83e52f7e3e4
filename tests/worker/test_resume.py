"""A run with score steps that is killed again and again, within its seeds, ends in the bytes of another."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from diet_core.config import TrainingConfig, Workspace
from diet_core.runs import executor
from diet_core.runs.folder import RunFolder
from diet_core.runs.score_run import lay_out_scoring
from diet_core.worker.__main__ import Stopped
from diet_core.worker.checkpoint import Checkpoint, infer_in_chunks
from diet_core.worker.trainings import run_all
from tests.runs.made_configs import change_config
from tests.worker.disturbed_worker import work_until_killed

# Where the worker is killed: the function, the training, and after how many calls.
KILLS = (
    ("write_state", "seed-0", 6),  # while it trains
    ("write_partial", "seed-0", 3),  # while it reads the training split out
    ("write_state", "seed-1", 14),
)
STOPS = (11, 64, 3, 79, 30, 47, 5, 68)  # after so many batches
EPOCHS = 5  # of four steps each
SCORE_STEPS = "0,5,13,20"


@pytest.fixture(scope="module")
def runs(tmp_path_factory, sentence_data, tiny_model, do_work) -> tuple[RunFolder, RunFolder]:
    """The same run twice: undisturbed, and killed at three points."""
    workspace = Workspace(tmp_path_factory.mktemp("killed"))
    undisturbed, killed = (
        lay_out_scoring(
            workspace,
            sentence_data.info,
            sentence_data.examples,
            seeds=2,
            training=TrainingConfig(model=str(tiny_model), epochs=EPOCHS, lr=1e-3, scoring_batch_tokens=64),
            score_steps=SCORE_STEPS,
            grand="full",
        )
        for _ in range(2)
    )
    assert do_work(undisturbed) == 0
    change_config(killed, checkpoint_seconds=0)
    for point in KILLS:
        work_until_killed(killed, *point)
        assert killed.status().state == "interrupted"
    executor.resume(killed)
    executor.follow(killed)
    return undisturbed, killed


@pytest.fixture(scope="module")
def stopped(runs, tmp_path_factory) -> RunFolder:
    """The same run, told to stop at eight moments, most of them while it reads."""
    torch.manual_seed(7)
    run = _fresh_copy(runs[0], tmp_path_factory.mktemp("stopped"))
    try:
        for n in STOPS:
            with contextlib.suppress(Stopped):
                run_all(run, _stop_at(n), lambda line: None)
        run_all(run, lambda: None, lambda line: None)
    finally:
        torch.use_deterministic_algorithms(False)
    return run


def _fresh_copy(run: RunFolder, to: Path) -> RunFolder:
    """The run as it was before its first step."""
    copy = RunFolder(to / run.run_id)
    copy.path.mkdir()
    shutil.copy(run.examples_file, copy.path)
    copy.write_config(dataclasses.replace(run.config(), checkpoint_seconds=0))
    for unit in run.config().trainings:
        copy.training_folder(unit.name).mkdir()
    return copy


def _stop_at(n: int) -> Callable[[], None]:
    calls = iter(range(int(n)))

    def check() -> None:
        if next(calls, None) is None:
            raise Stopped

    return check


def _bytes_of(folder: RunFolder) -> dict[str, bytes]:
    files = [*folder.path.glob("seed-*/*.parquet"), folder.scores_file, folder.metrics_file]
    return {str(file.relative_to(folder.path)): file.read_bytes() for file in files}


def test_a_run_killed_three_times_ends_in_the_bytes_of_an_undisturbed_one(runs):
    expected, found = map(_bytes_of, runs)
    assert sorted(expected) == sorted(found)
    assert len(expected) == 2 * 4 + 3  # the features of the first seed, scores and metrics
    assert [name for name in expected if expected[name] != found[name]] == []


def test_a_run_stopped_eight_times_ends_in_the_bytes_of_an_undisturbed_one(runs, stopped):
    expected, found = _bytes_of(runs[0]), _bytes_of(stopped)
    assert [name for name in expected if expected[name] != found.get(name)] == []
    assert stopped.status().step == stopped.status().total == runs[0].status().total


def test_a_killed_run_goes_on_within_its_seeds(runs):
    _, killed = runs
    log = killed.log_file.read_text(encoding="utf-8").splitlines()
    steps = [line.partition(" ")[2] for line in log if "goes on after step" in line]
    assert steps == [f"seed-0 goes on after step {step}" for step in (6, 13)] + [
        "seed-1 goes on after step 14"
    ]


def test_a_resumed_run_counts_all_its_time_and_steps(runs):
    undisturbed, killed = runs
    assert killed.status().step == killed.status().total == undisturbed.status().total
    for run in runs:
        assert 0 < run.result("seed-1")["seconds"]["train"] < run.result("seed-1")["seconds"]["total"]


def test_a_finished_unit_leaves_no_checkpoint(runs):
    for run in runs:
        assert [p.name for p in run.path.rglob("*") if p.suffix in (".pt", ".npz", ".tmp")] == []


LENGTHS = np.array([3, 9, 1, 7, 5, 5, 2])
ROWS = np.array([10, 11, 12, 13, 14, 15, 16])


@pytest.fixture
def checkpoint(tmp_path) -> Checkpoint:
    (tmp_path / "seed-0").mkdir()
    return Checkpoint(RunFolder(tmp_path), "seed-0", pause=0)


def _squares(rows: np.ndarray) -> dict[str, np.ndarray]:
    return {"square": rows.astype(np.float32) ** 2, "pair": np.stack([rows, -rows], axis=1)}


def _read_two_chunks(checkpoint: Checkpoint) -> list[int]:
    """Be told to stop in the third chunk, each a row; return the rows that were read."""
    read: list[int] = []

    def stop_in_third_chunk(rows: np.ndarray) -> dict[str, np.ndarray]:
        if len(read) >= 2:
            raise KeyboardInterrupt
        read.extend(rows)
        return _squares(rows)

    with pytest.raises(KeyboardInterrupt):
        infer_in_chunks(ROWS, LENGTHS, 1, stop_in_third_chunk, checkpoint, "a")
    return read


@pytest.mark.parametrize("tokens", [1, 8, 12, 1_000])
def test_a_reading_in_chunks_keeps_the_order_of_the_rows(checkpoint, tokens):
    out = infer_in_chunks(ROWS, LENGTHS, tokens, _squares, checkpoint, "a")
    assert out["square"].tolist() == [float(row**2) for row in ROWS]
    assert out["pair"].tolist() == [[row, -row] for row in ROWS]
    assert out["square"].dtype == np.float32


def test_a_broken_reading_repeats_at_most_the_chunk_it_was_in(checkpoint):
    read = _read_two_chunks(checkpoint)
    again: list[int] = []
    out = infer_in_chunks(
        ROWS, LENGTHS, 1, lambda rows: again.extend(rows) or _squares(rows), checkpoint, "a"
    )
    assert sorted(read + again) == ROWS.tolist()
    assert out["square"].tolist() == [float(row**2) for row in ROWS]


def test_a_reading_of_another_step_starts_anew(checkpoint):
    infer_in_chunks(ROWS, LENGTHS, 1, _squares, checkpoint, "step 1")
    out = infer_in_chunks(ROWS, LENGTHS, 1, lambda rows: {"square": rows * 0.0}, checkpoint, "step 2")
    assert sorted(out) == ["square"]
    assert out["square"].tolist() == [0.0] * 7


def test_a_reading_that_is_told_to_stop_keeps_what_it_has_read(checkpoint):
    """However short it was: nothing else would have been written for a minute."""
    checkpoint.pause = 60
    _read_two_chunks(checkpoint)
    done, arrays = checkpoint.partial("a")
    assert done == 2
    assert sorted(arrays) == ["pair", "square"]
