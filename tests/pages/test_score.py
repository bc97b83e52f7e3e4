"""Score: settings, estimate, start, and the panel of a run in each state."""

import json
import shutil
import time

import pytest
from filelock import FileLock

from diet_core.runs import executor
from diet_core.runs.cost import Speed
from diet_core.runs.estimate import measurement
from diet_core.runs.folder import RunFolder, all_runs, write_json
from diet_core.store.loading.datasets import add_dataset
from diet_core.training.frozen import LR_HEAD
from pages.shared.job_panel import LOG_TAIL_BYTES, log_tail
from tests.pages.app_pages import app, shown
from tests.runs.made_configs import change_config, config_json
from tests.runs.stepped_runs import add_steps

pytestmark = pytest.mark.usefixtures("fresh_caches")

QUICK = "quick look sentences-v1"
TAG = "frozen encoder (quick look)"


@pytest.fixture
def kept(store, sentence_data):
    """The sentences in the store."""
    return add_dataset(store, sentence_data)


@pytest.fixture
def run(workspace, kept, sentence_run) -> RunFolder:
    """A finished run of theirs, in a folder of its own."""
    folder = RunFolder(workspace.runs / sentence_run.run_id)
    shutil.copytree(sentence_run.path, folder.path)
    config = config_json(folder)
    config["dataset"]["version"] = 1
    write_json(folder.config_file, config)
    return folder


def set_status(run: RunFolder, **status) -> None:
    content = json.loads(run.status_file.read_text())
    write_json(run.status_file, content | status)


def button(test, label: str):
    return next(button for button in test.button if button.label == label)


def labels(test) -> list[str]:
    return [button.label for button in test.button]


def test_score_without_a_data_set_says_where_to_get_one(workspace):
    test = app("score")
    assert not test.exception
    assert "There is no data set yet" in shown(test)


def test_score_of_a_data_set_without_runs(store, kept):
    test = app("score")
    assert not test.exception
    assert test.selectbox(key="dataset").value == "sentences-v1"
    assert "This data set has not been scored yet." in shown(test)
    assert "3 classes" in shown(test)
    assert "Estimate the time" in labels(test)


def test_score_opens_the_data_set_of_the_address(store, kept, reviews):
    add_dataset(store, reviews)
    test = app("score", dataset="sentences-v1")
    assert test.selectbox(key="dataset").value == "sentences-v1"


def test_a_finished_run_shows_its_result(run):
    test = app("score")
    assert not test.exception
    assert run.run_id in shown(test)
    assert ":green-badge[" in shown(test)
    assert "The seeds agree" in shown(test)
    assert "±" in test.metric[0].value
    assert "Cancel" not in labels(test)


def test_a_finished_run_lists_its_score_steps(run):
    assert not app("score").dataframe
    add_steps(run, (0, 2, 8, 12), grand="head")
    test = app("score")
    assert not test.exception
    assert "GraNd is the gradient of everything above the encoder" in shown(test)
    (steps,) = test.dataframe
    assert steps.value["step"].tolist() == [0, 2, 8, 12]
    assert steps.value["reliable"].tolist() == ["no, within the first epoch"] * 2 + ["yes"] * 2


def test_a_living_run_shows_how_far_it_is(run):
    set_status(run, state="running", unit="seed-1", phase="train", step=7, total=28, eta_seconds=125.0)
    with FileLock(run.lock_file):
        test = app("score")
        assert not test.exception
        assert "Running" in shown(test)
        assert "Cancel" in labels(test)
        text = panel_progress(test)
        assert text.replace("\\", "").startswith("Training 2 of 2, training · Step 7 of 28")
        assert text.replace("\\", "").endswith("2 min left")
        button(test, "Cancel").click().run()
        assert not test.exception
        assert run.cancel_file.exists()
        assert "Stopping" in shown(test)
        assert button(test, "Cancel").disabled


def panel_progress(test) -> str:
    return str(test.get("progress")[0].proto.text)


def test_a_queued_run_says_so(run):
    set_status(run, state="queued", step=0, total=0)
    with FileLock(run.lock_file):
        test = app("score")
    assert "Queued" in shown(test)
    assert "It starts when the runs before it have finished." in shown(test)


def test_a_failed_run_shows_its_error_and_log(run):
    set_status(run, state="failed", error="The loss is nan at step 3. <b>Train</b> with a *lower* --lr.")
    run.log_file.write_text("\x1b[1mTraceback\x1b[0m line\n")
    test = app("score")
    assert not test.exception
    assert "The loss is nan at step 3. <b>Train</b> with a *lower* --lr." in shown(test)
    assert "Traceback line" in test.code[0].value
    assert "Resume" in labels(test)
    assert not test.metric


def test_an_interrupted_run_can_be_resumed(run):
    set_status(run, state="running", step=3, total=28)
    test = app("score")
    assert "Interrupted" in shown(test)
    assert "Resume" in labels(test)


def test_resume_of_another_environment_asks_first(run):
    set_status(run, state="cancelled")
    config = config_json(run)
    config["environment"]["threads"] = 77
    write_json(run.config_file, config)
    test = app("score")
    button(test, "Resume").click().run()
    assert not test.exception
    assert "threads was 77" in shown(test)
    assert "Resume anyway" in labels(test)


def test_a_run_with_a_damaged_status_is_told_of(run):
    run.status_file.write_text("{")
    test = app("score")
    assert not test.exception
    assert "status.json of run" in shown(test)


def test_start_begins_a_run_that_ends_with_scores(store, kept, tiny_model):
    test = app("score")
    test.text_input(key="model").set_value(str(tiny_model))
    test.checkbox(key=QUICK).uncheck()
    test.number_input(key="seeds").set_value(2)
    test.number_input(key="batch size").set_value(8)
    button(test, "Start scoring").click().run()
    assert not test.exception
    assert not test.error
    (run,) = all_runs(store.workspace)
    assert run.config().settings.batch_size == 8
    executor.follow(run)
    until_free(run)
    test.run()
    assert not test.exception
    assert "The seeds agree" in shown(test)


@pytest.mark.usefixtures("busy_device")
@pytest.mark.parametrize(
    ("choice", "steps"),
    [("Last step only", "last"), ("After each epoch", "epochs"), ("Every N steps", "every:3")],
)
def test_chosen_score_steps_and_scope_are_planned(store, kept, tiny_model, choice, steps):
    test = app("score")
    test.text_input(key="model").set_value(str(tiny_model))
    test.checkbox(key=QUICK).uncheck()
    test.number_input(key="epochs").set_value(2)
    test.selectbox(key="score at").set_value(choice)
    test.selectbox(key="grand").set_value("full")
    test.run()
    if choice == "Every N steps":
        test.number_input(key="score every").set_value(3)
    button(test, "Start scoring").click().run()
    assert not test.exception
    assert not test.error
    (run,) = all_runs(store.workspace)
    executor.cancel(run)
    executor.stop_and_wait(run)
    config = run.config()
    assert config.grand == "full"
    expected = {"last": [8], "epochs": [4, 8], "every:3": [3, 6, 8]}[steps]
    assert (list(config.score_steps), config.epoch_steps) == (expected, 4)


def test_price_and_unreliable_steps_are_told_before_the_start(store, kept):
    test = app("score")
    assert "passes over" not in shown(test)
    test.selectbox(key="score at").set_value("At these steps").run()
    test.text_input(key="score steps").set_value("0, 1, 4").run()
    assert not test.exception
    assert "Scores at 3 steps: 3 passes over" in shown(test)
    assert "Scores at steps 0 and 1 are unreliable: the first epoch ends at step 4." in shown(test)


def test_a_score_step_beyond_the_last_is_told_before_the_start(store, kept):
    test = app("score")
    test.selectbox(key="score at").set_value("At these steps").run()
    test.text_input(key="score steps").set_value("0, 400").run()
    assert not test.exception
    assert "Score step 400 is beyond the last step, 4" in shown(test)


def until_free(run: RunFolder) -> None:
    while run.is_locked():
        time.sleep(0.05)


def test_start_with_an_unknown_model_leaves_no_run(store, kept, tmp_path):
    test = app("score")
    test.text_input(key="model").set_value(str(tmp_path / "none"))
    button(test, "Start scoring").click().run()
    assert not test.exception
    assert "is no folder with a model" in shown(test)
    assert all_runs(store.workspace) == []


def test_estimate_is_drawn_from_the_measurement(store, kept):
    from diet_core.config import TrainingConfig

    measured = measurement(store.workspace, "sentences-v1", TrainingConfig())
    measured.folder.mkdir(parents=True)
    speed = Speed(training=2, scoring=8, encoding=1000, starting=4, loading=1)
    write_json(measured.folder / "result.json", {"speed": vars(speed)})
    test = app("score")
    assert not test.exception
    assert "(measured here: 2 examples/s training, 8 examples/s scoring)" in shown(test)
    before = shown(test)
    test.number_input(key="seeds").set_value(50).run()
    assert shown(test) != before
    before = shown(test)
    test.selectbox(key="grand").set_value("full").run()
    assert shown(test) != before
    assert "by what was measured on this machine" in shown(test)


def test_estimate_says_why_it_failed(store, kept):
    from diet_core.config import TrainingConfig

    measured = measurement(store.workspace, "sentences-v1", TrainingConfig())
    measured.folder.mkdir(parents=True)
    write_json(measured.folder / "result.json", {"error": "A run is using this device. Try again."})
    assert "A run is using this device. Try again." in shown(app("score"))


def test_log_tail_is_bounded_and_whole(tmp_path):
    run = RunFolder(tmp_path)
    assert log_tail(run) == ""
    run.log_file.write_text("".join(f"line {i}\n" for i in range(5000)))
    tail = log_tail(run)
    assert len(tail) <= LOG_TAIL_BYTES
    assert tail.startswith("line ")
    assert tail.endswith("line 4999\n")


def made_frozen(run: RunFolder) -> RunFolder:
    """Let a run say that its encoder stayed frozen."""
    config = config_json(run)
    write_json(run.config_file, config | {"training": config["training"] | {"encoder": "frozen"}})
    return run


def test_quick_look_is_offered_first_where_there_is_no_run(store, kept):
    assert app("score").checkbox(key=QUICK).value


def test_quick_look_is_off_where_there_is_a_run(run):
    assert not app("score").checkbox(key=QUICK).value


def test_quick_look_is_not_offered_before_a_frozen_run(store, kept):
    test = app("score")
    test.selectbox(key="encoder").set_value("frozen").run()
    assert not test.exception
    assert test.checkbox(key=QUICK).disabled


@pytest.mark.usefixtures("busy_device")
def test_start_lays_out_the_quick_look_before_the_fine_tuning(store, kept, tiny_model):
    test = app("score")
    test.text_input(key="model").set_value(str(tiny_model))
    test.number_input(key="seeds").set_value(2)
    test.number_input(key="lr").set_value(0.5)
    test.selectbox(key="grand").set_value("full")
    button(test, "Start scoring").click().run()
    assert not test.exception
    assert not test.error
    tuned, quick = all_runs(store.workspace)
    for run in (tuned, quick):
        executor.cancel(run)
        executor.stop_and_wait(run)
    assert quick.run_id[-20:-5] < tuned.run_id[-20:-5]
    settings = [run.config().settings for run in (quick, tuned)]
    assert [(s.encoder, s.lr) for s in settings] == [("frozen", LR_HEAD), ("tuned", 0.5)]
    assert [run.config().grand for run in (quick, tuned)] == ["classifier", "full"]


@pytest.mark.usefixtures("busy_device")
def test_start_of_a_frozen_run_alone_lays_out_one_run(store, kept, tiny_model):
    test = app("score")
    test.text_input(key="model").set_value(str(tiny_model))
    test.selectbox(key="encoder").set_value("frozen").run()
    button(test, "Start scoring").click().run()
    assert not test.exception
    (run,) = all_runs(store.workspace)
    executor.cancel(run)
    executor.stop_and_wait(run)
    assert run.config().settings.encoder == "frozen"


def test_a_done_quick_look_can_be_explored_while_the_fine_tuning_waits(workspace, run):
    waiting = RunFolder(workspace.runs / "sentences-20991231-235959-ffff")
    shutil.copytree(run.path, waiting.path)
    change_config(waiting, run_id=waiting.run_id)
    made_frozen(run)
    set_status(waiting, state="queued", step=0)
    with FileLock(waiting.lock_file):
        test = app("score")
        assert not test.exception
        assert "can be explored while the fine-tuning is under way" in shown(test)
    set_status(waiting, state="done")
    assert "can be explored while the fine-tuning is under way" not in shown(app("score"))


def test_a_frozen_run_is_told_as_such(run):
    assert TAG not in shown(app("score"))
    made_frozen(run)
    test = app("score")
    assert not test.exception
    assert TAG in shown(test)
    assert "A quick look: the encoder stayed frozen" in shown(test)


@pytest.mark.parametrize("page", ["explore", "review", "prune"])
def test_pages_of_a_frozen_run_say_so(store, run, page):
    from diet_core.workspace.ingest import reconcile

    made_frozen(run)
    reconcile(store)
    test = app(page, run=run.run_id)
    assert not test.exception
    assert "A quick look: the encoder stayed frozen" in shown(test)
    assert test.selectbox(key="run").options == [f"{run.run_id}, {TAG}"]


def test_home_lists_a_frozen_run_as_such(store, run):
    made_frozen(run)
    test = app()
    assert not test.exception
    assert any(TAG in table.value.to_csv() for table in test.dataframe)
