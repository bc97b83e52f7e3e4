"""Scoring runs from beginning to end: facts, scores, and what survives a killed worker.

Two runs with the same settings are made once: one undisturbed, one that waits, is killed, is cancelled and
moves to another machine, each at a point of its own. Both must end in the same bytes.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from diet_core.config import TrainingConfig, Workspace
from diet_core.errors import NotFoundError, RunCancelledError, RunFailedError, RunStateError
from diet_core.runs import executor
from diet_core.runs.facts import read_facts
from diet_core.runs.folder import RunFolder
from diet_core.runs.score_run import lay_out_scoring
from diet_core.runs.scores import scores_table
from diet_core.runs.summary import score_summary
from diet_core.tables import SCORE_COLUMNS
from tests.runs.made_configs import change_config
from tests.worker.disturbed_worker import PATIENCE, start_disturbed, until, work_until_killed

SEEDS = 3
EPOCHS = 10


def plan(workspace: Workspace, data, model: Path, **more) -> RunFolder:
    settings = {"model": str(model), "epochs": more.pop("epochs", EPOCHS), "lr": 1e-3}
    return lay_out_scoring(
        workspace,
        data.info,
        data.examples,
        seeds=more.pop("seeds", SEEDS),
        training=TrainingConfig(**settings),
        **more,
    )


def state(folder: RunFolder) -> str:
    return str(folder.status().state)


def facts_of(folder: RunFolder) -> dict[str, bytes]:
    """The bytes of everything that equal commands must make equal."""
    files = [*folder.path.glob("seed-*/*.parquet"), folder.scores_file, folder.metrics_file]
    return {str(file.relative_to(folder.path)): file.read_bytes() for file in files}


@dataclass
class Story:
    """The runs, and what was seen on the way."""

    undisturbed: RunFolder
    disturbed: RunFolder
    states_while_waiting: set[str] = field(default_factory=set)
    state_after_kill: str = ""
    finished_after_kill: list[str] = field(default_factory=list)
    state_after_cancel: str = ""
    exit_status_after_cancel: int = 0
    ended_by: BaseException | None = None
    refused_by: BaseException | None = None


@pytest.fixture(scope="module")
def story(tmp_path_factory, sentence_data, tiny_model, do_work) -> Story:
    workspace = Workspace(tmp_path_factory.mktemp("story"))
    story = Story(*(plan(workspace, sentence_data, tiny_model) for _ in range(2)))
    assert do_work(story.undisturbed) == 0
    _start_while_the_device_is_in_use(story)
    _kill_in_second_seed(story)
    _resume_and_cancel_in_third_seed(story)
    _resume_in_another_environment(story)
    executor.follow(story.disturbed)
    return story


def _start_while_the_device_is_in_use(story: Story) -> None:
    run = story.disturbed
    with FileLock(run.path.parent / f".{run.config().environment.device}.lock"):
        executor.start(run)
        for _ in range(100):
            story.states_while_waiting.add(state(run))
            time.sleep(0.01)
        os.kill(run.status().pid, signal.SIGKILL)
        until(lambda: not run.is_locked())


def _kill_in_second_seed(story: Story) -> None:
    run = story.disturbed
    work_until_killed(run, "advance", "seed-1")
    story.state_after_kill = state(run)
    story.finished_after_kill = [f"seed-{i}" for i in range(SEEDS) if run.result_file(f"seed-{i}").exists()]


def _resume_and_cancel_in_third_seed(story: Story) -> None:
    run = story.disturbed
    process = start_disturbed(run, "hold", "advance", "seed-2")
    until(run.result_file("seed-1").exists)
    executor.cancel(run)
    try:
        executor.follow(run)
    except RunCancelledError as error:
        story.ended_by = error
    story.state_after_cancel = state(run)
    story.exit_status_after_cancel = process.wait(PATIENCE)


def _resume_in_another_environment(story: Story) -> None:
    """Pretend that the run was planned elsewhere; once allowed, it goes on in the environment of here."""
    run, environment = story.disturbed, story.disturbed.config().environment
    versions = environment.versions | {"torch": "1.0"}
    change_config(run, environment=dataclasses.replace(environment, versions=versions))
    try:
        executor.resume(run)
    except RunStateError as error:
        story.refused_by = error
    executor.resume(run, allow_other_environment=True)


def test_a_run_ends_done(story):
    status = story.undisturbed.status()
    assert status.state == "done"
    assert status.step == status.total == SEEDS * EPOCHS * 4
    assert status.eta_seconds is None
    assert set(status.seconds) == {"train", "score", "total"}
    assert status.seconds["train"] > 0


def test_a_run_waits_until_the_device_is_free(story):
    assert story.states_while_waiting == {"queued"}


def test_a_killed_run_is_interrupted_and_keeps_its_finished_seeds(story):
    assert story.state_after_kill == "interrupted"
    assert story.finished_after_kill == ["seed-0"]


def test_a_cancelled_run_stops_after_its_present_batch(story):
    assert story.state_after_cancel == "cancelled"
    assert story.exit_status_after_cancel == 130
    assert f"Go on with: score --resume {story.disturbed.run_id}" in str(story.ended_by)


def test_resume_refuses_another_environment_unless_allowed(story):
    assert "torch was 1.0, is " in str(story.refused_by)
    assert "--allow-other-environment" in str(story.refused_by)
    config = story.disturbed.config()
    assert config.environment == story.undisturbed.config().environment
    assert [line.split(",")[0] for line in config.changed] == ["torch was 1.0"]


def test_a_killed_and_cancelled_run_ends_in_the_bytes_of_an_undisturbed_one(story):
    expected, found = facts_of(story.undisturbed), facts_of(story.disturbed)
    assert sorted(expected) == sorted(found)
    assert len(expected) == SEEDS + 3  # the features of the first seed, scores and metrics
    assert [name for name in expected if expected[name] != found[name]] == []


def test_a_resumed_run_reports_as_an_undisturbed_one(story):
    expected, found = score_summary(story.undisturbed), score_summary(story.disturbed)
    assert found["state"] == "done"
    for key in ("accuracy", "seed_agreement"):
        assert found[key] == expected[key]


def test_a_worker_leaves_no_temporary_files(story):
    for folder in (story.undisturbed, story.disturbed):
        assert [path for path in folder.path.rglob("*.tmp")] == []


def test_a_done_run_can_be_neither_started_nor_resumed_nor_cancelled(story):
    for verb in (executor.start, executor.resume, executor.cancel):
        with pytest.raises(RunStateError, match=f"Run {story.undisturbed.run_id} is done"):
            verb(story.undisturbed)


def test_steps_that_were_not_recorded_are_named(story):
    with pytest.raises(NotFoundError, match=r"Step 7 was not recorded \(there is: 40\)"):
        scores_table(read_facts(story.undisturbed), 7)


# What differs from run to run.


def test_one_seed_has_no_agreement_and_no_spread(tmp_path, sentence_data, tiny_model, do_work):
    folder = plan(Workspace(tmp_path), sentence_data, tiny_model, seeds=1, epochs=1)
    assert do_work(folder) == 0
    assert score_summary(folder)["seed_agreement"] is None
    assert score_summary(folder)["accuracy"]["std"] is None
    scores = scores_table(read_facts(folder))
    assert scores["el2n_std"].isna().all()
    assert scores["grand_std"].isna().all()


def test_a_data_set_without_test_split_can_be_scored(tmp_path, sentence_data, tiny_model, do_work):
    examples = sentence_data.examples[sentence_data.examples["split"] == "train"]
    training = TrainingConfig(model=str(tiny_model))
    folder = lay_out_scoring(Workspace(tmp_path), sentence_data.info, examples, seeds=1, training=training)
    assert do_work(folder) == 0, folder.status()
    assert score_summary(folder)["accuracy"] == {"mean": None, "std": None}


def test_pairs_have_both_texts_in_the_scores(tmp_path, sentence_data, tiny_model, do_work):
    examples = sentence_data.examples.assign(text_pair=sentence_data.examples["text"].tolist()[::-1])
    training = TrainingConfig(model=str(tiny_model))
    folder = lay_out_scoring(Workspace(tmp_path), sentence_data.info, examples, seeds=1, training=training)
    assert do_work(folder) == 0, folder.status()
    scores = scores_table(read_facts(folder))
    assert list(scores) == list(SCORE_COLUMNS)
    assert scores["text_pair"].tolist() == examples.loc[examples["split"] == "train", "text_pair"].tolist()


def test_models_are_not_kept_unless_asked_for(story):
    assert list(story.undisturbed.path.rglob("*.safetensors")) == []


# What a run does when something is wrong.


def test_a_run_without_a_finished_seed_has_no_scores(tmp_path, sentence_data, tiny_model):
    folder = plan(Workspace(tmp_path), sentence_data, tiny_model)
    with pytest.raises(RunStateError, match=r"No seed of .* is finished yet"):
        read_facts(folder)


@pytest.fixture
def broken_model(tmp_path, tiny_model) -> Path:
    """A model whose weights are no numbers: the loss cannot be finite."""
    from safetensors.numpy import load_file, save_file

    folder = Path(shutil.copytree(tiny_model, tmp_path / "broken_model"))
    weights = load_file(folder / "model.safetensors")
    save_file(
        {name: np.full_like(values, np.nan) for name, values in weights.items()},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    return folder


def test_a_loss_that_is_not_finite_fails_the_run(tmp_path, sentence_data, broken_model, do_work):
    folder = plan(Workspace(tmp_path), sentence_data, broken_model)
    assert do_work(folder) == 1
    assert folder.status().state == "failed"
    assert "The loss is nan at step 1 with lr 0.001" in folder.status().error
    with pytest.raises(RunFailedError, match="The loss is nan"):
        executor.follow(folder)


def test_a_failed_run_can_be_resumed_once_its_cause_is_gone(
    tmp_path, sentence_data, tiny_model, broken_model, do_work
):
    folder = plan(Workspace(tmp_path), sentence_data, broken_model, seeds=1, epochs=1)
    assert do_work(folder) == 1
    shutil.copy(tiny_model / "model.safetensors", broken_model)
    assert do_work(folder) == 0
    assert folder.status().state == "done"
    assert folder.status().error is None


def test_a_run_that_was_asked_to_stop_while_it_waited_never_trains(
    tmp_path, sentence_data, tiny_model, do_work
):
    folder = plan(Workspace(tmp_path), sentence_data, tiny_model)
    folder.cancel_file.touch()
    assert do_work(folder) == 130
    assert folder.status().state == "cancelled"
    assert folder.status().step == 0


def test_an_interrupted_start_leaves_no_worker_behind(tmp_path, sentence_data, tiny_model):
    folder = plan(Workspace(tmp_path), sentence_data, tiny_model)
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        executor.start(folder)
    until(lambda: folder.status().pid and not folder.is_locked())
    assert state(folder) == "cancelled"
    assert folder.status().step == 0


def test_sigterm_cancels_a_run(tmp_path, sentence_data, tiny_model, do_work):
    from diet_core.worker import __main__ as worker

    folder = plan(Workspace(tmp_path), sentence_data, tiny_model)
    at_sigterm = signal.getsignal(signal.SIGTERM)
    try:
        stop = worker.StopRequest(folder)
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(worker.Stopped):
            stop.check()
    finally:
        signal.signal(signal.SIGTERM, at_sigterm)


def test_the_worker_never_imports_the_database_or_the_app(tmp_path, sentence_data, tiny_model):
    folder = plan(Workspace(tmp_path), sentence_data, tiny_model, seeds=1, epochs=1)
    program = (
        "import sys; from diet_core.worker import __main__ as worker; code = worker.main(sys.argv[1]); "
        "assert code == 0, code; "
        "print(*({m.split('.')[0] for m in sys.modules} & {'duckdb', 'streamlit', 'altair', 'datasets'}))"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder.path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(root)},
        check=True,
    )
    assert done.stdout.splitlines()[-1] == ""
    assert "diet_core.store" not in done.stdout
