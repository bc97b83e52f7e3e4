"""How long a run will take: measured by a process of its own, kept for the next time."""

import time

import pytest
from filelock import FileLock

from diet_core.config import TrainingConfig, Workspace
from diet_core.errors import RunStateError
from diet_core.jobs.estimate import Measurement, Speed, begin, main, measurement
from diet_core.jobs.folder import all_runs, write_json


def wait(measured: Measurement) -> None:
    deadline = time.monotonic() + 180
    while measured.is_running():
        assert time.monotonic() < deadline, "it never ended"
        time.sleep(0.1)


@pytest.fixture
def settings(tiny_model) -> TrainingConfig:
    return TrainingConfig(model=str(tiny_model), batch_size=8, device="cpu")


def test_seconds_follow_from_the_speeds():
    speed = Speed(training=10, scoring=50, encoding=1000, starting=3, loading=2)
    # 3 + 600/1000 + 2 seeds · (2 + 3 · 500/10 + (3 · 100 + 500)/50)
    assert speed.seconds(n_train=500, n_test=100, seeds=2, epochs=3) == pytest.approx(339.6)


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
