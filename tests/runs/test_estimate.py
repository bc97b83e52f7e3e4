"""How long a run will take: measured by a process of its own, kept for the next time."""

import time

import pytest
from filelock import FileLock

from diet_core.config import TrainingConfig, Workspace
from diet_core.errors import RunStateError
from diet_core.runs.cost import Speed
from diet_core.runs.estimate import Measurement, begin, main, measurement, notes_before
from diet_core.runs.folder import all_runs, write_json
from diet_core.runs.score_run import lay_out_scoring


def wait(measured: Measurement) -> None:
    deadline = time.monotonic() + 180
    while measured.is_running():
        assert time.monotonic() < deadline, "it never ended"
        time.sleep(0.1)


@pytest.fixture
def settings(tiny_model) -> TrainingConfig:
    return TrainingConfig(model=str(tiny_model), batch_size=8, device="cpu")


def test_measurement_is_known_by_what_the_speed_depends_on(tmp_path):
    workspace = Workspace(tmp_path)
    one = measurement(workspace, "reviews-v1", TrainingConfig())
    assert one == measurement(workspace, "reviews-v1", TrainingConfig(epochs=9))
    assert one != measurement(workspace, "reviews-v2", TrainingConfig())
    assert one != measurement(workspace, "reviews-v1", TrainingConfig(max_length=64))


def test_measurement_that_was_never_made_says_nothing(tmp_path):
    measured = measurement(Workspace(tmp_path), "reviews-v1", TrainingConfig())
    assert not measured.is_running()
    assert measured.speed() is None
    assert measured.error() is None
    assert not measured.folder.exists()


def test_begin_measures_in_a_process_of_its_own(tmp_path, sentence_data, settings):
    measured = measurement(Workspace(tmp_path), "sentences-v1", settings)
    begin(measured, sentence_data.info, sentence_data.examples, settings)
    assert measured.is_running()
    with pytest.raises(RunStateError, match="measured already"):
        begin(measured, sentence_data.info, sentence_data.examples, settings)
    wait(measured)
    speed = measured.speed()
    assert speed is not None, (measured.folder / "log.txt").read_text()
    assert speed.training > 1
    assert speed.scoring > 1
    assert all_runs(Workspace(tmp_path)) == []


def request(measured: Measurement, settings: TrainingConfig) -> None:
    measured.folder.mkdir(parents=True)
    content = {"training": vars(settings), "n_classes": 2, "texts": ["a", "b"], "text_pairs": None}
    write_json(measured.folder / "request.json", content | {"runs": str(measured.runs)})


def test_measurement_gives_way_to_a_run(tmp_path, settings):
    workspace = Workspace(tmp_path)
    measured = measurement(workspace, "sentences-v1", settings)
    request(measured, settings)
    workspace.runs.mkdir()
    with FileLock(workspace.runs / ".cpu.lock"):
        assert main(str(measured.folder)) == 1
    assert "A run is using this device" in str(measured.error())
    assert measured.speed() is None


def test_measurement_of_an_unknown_model_says_so(tmp_path):
    settings = TrainingConfig(model=str(tmp_path / "no/such/model"), device="cpu")
    measured = measurement(Workspace(tmp_path), "sentences-v1", settings)
    request(measured, settings)
    assert main(str(measured.folder)) == 1
    assert "is no folder with a model" in str(measured.error())


@pytest.fixture
def plan(tmp_path, sentence_data, tiny_model):
    """A function that plans a run of the sentences."""

    def plan(**more):
        return lay_out_scoring(
            Workspace(tmp_path),
            sentence_data.info,
            sentence_data.examples,
            seeds=2,
            training=TrainingConfig(model=str(tiny_model), epochs=3),
            **more,
        )

    return plan


def test_nothing_is_told_before_a_plain_run(plan, sentence_data):
    assert notes_before(plan(), sentence_data.examples) == []


def test_price_and_unreliable_steps_are_told_before_a_run(plan, sentence_data):
    n_train = (sentence_data.examples["split"] == "train").sum()
    price, warning = notes_before(plan(score_steps="0,2,epochs"), sentence_data.examples)
    assert price.startswith(f"Scores at 5 steps: 5 passes over {n_train} examples per seed instead of 1, ")
    assert price.endswith("% of the time (a guess).")
    assert warning == "Scores at steps 0 and 2 are unreliable: the first epoch ends at step 4."


def test_price_goes_by_what_was_measured(plan, sentence_data):
    folder = plan(score_steps="epochs")
    training = folder.config().settings
    measured = measurement(Workspace(folder.path.parent.parent), sentence_data.info.dataset_id, training)
    measured.folder.mkdir(parents=True)
    speed = Speed(training=10, scoring=1000, encoding=1e6, starting=0, loading=0)
    write_json(measured.folder / "result.json", {"speed": vars(speed)})
    (price,) = notes_before(folder, sentence_data.examples)
    assert price.endswith("about +1 % of the time (by what was measured on this machine).")


def test_wider_grand_is_told_before_a_run(plan, sentence_data):
    (price,) = notes_before(plan(grand="full"), sentence_data.examples)
    assert price.startswith("GraNd in the scope full: a pass takes about 5 × as long, about +")
