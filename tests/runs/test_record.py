"""What config.json and status.json hold: what is written comes back, and older ones can be read."""

import json

import pytest

from diet_core.errors import RunStateError
from diet_core.rule import DynamicPruning
from diet_core.run_config import PlannedTraining, config_from_json, config_to_json
from diet_core.runs.folder import RunFolder, write_json
from diet_core.runs.record import RunStatus, status_from_json, status_to_json
from tests.runs.made_configs import made_config, seed_trainings

ARMS = (
    PlannedTraining("full-10000", "full", 10_000),
    PlannedTraining("dynamic-10000", "dynamic", 10_000, DynamicPruning(keep=0.5), total_steps=7),
)
SCORING = made_config(
    trainings=seed_trainings(2), seeds="auto", folds=3, score_steps=(0, 7), epoch_steps=4, grand="full"
)
RETRAINING = made_config(
    kind="retrain",
    trainings=ARMS,
    scored_run="made-20261121-142530-1a2b",
    plan={"arms": [], "decisions": 4},
    curve=4,
    changed=("torch was 1.0, is 2.0",),
)


def as_read(content):
    return json.loads(json.dumps(content))


@pytest.mark.parametrize("config", [SCORING, RETRAINING], ids=["score", "retrain"])
def test_a_configuration_comes_back_whole(config):
    assert config_from_json(as_read(config_to_json(config))) == config


def test_a_configuration_has_the_keys_of_its_kind():
    always = [
        "format",
        "run_id",
        "kind",
        "created_at",
        "dataset",
        "training",
        "model",
        "environment",
        "units",
    ]
    assert list(config_to_json(SCORING)) == [
        *always,
        *("seeds", "folds", "unseen_classes", "keep_models", "grand", "score_steps", "epoch_steps"),
    ]
    assert list(config_to_json(RETRAINING)) == [
        *always,
        *("scored_run", "plan", "choose", "curve", "total_steps", "reuse", "changed"),
    ]


def test_what_an_older_configuration_lacks_has_a_default():
    content = as_read(config_to_json(SCORING))
    for name in ("seeds", "folds", "unseen_classes", "keep_models", "grand", "score_steps", "epoch_steps"):
        del content[name]
    del content["training"]["encoder"]
    assert config_from_json(content) == made_config(trainings=seed_trainings(2))


def test_unknown_keys_are_ignored():
    content = as_read(config_to_json(SCORING)) | {"colour": "blue"}
    content["training"]["colour"] = "blue"
    assert config_from_json(content) == SCORING


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ({"kind": "dance"}, "kind is 'dance'"),
        ({"dataset": {"name": "a"}}, "it lacks 'roles'"),
        ({"units": [{"name": "seed-0"}]}, "missing 2 required"),
        ({"units": None}, "not iterable"),
        ({"training": {"epochs": 0}}, "epochs is 0"),
    ],
)
def test_a_damaged_configuration_is_told(tmp_path, damage, reason):
    folder = RunFolder(tmp_path / "made-20261121-142530-1a2b")
    folder.path.mkdir()
    write_json(folder.config_file, config_to_json(SCORING) | damage)
    with pytest.raises(RunStateError, match=f"config.json of run .* cannot be read .*{reason}"):
        folder.config()


def test_a_status_comes_back_whole():
    status = RunStatus(
        "done", step=4, total=4, training="seed-0", seed=0, phase="score", seconds={"train": 1.0}
    )
    content = as_read(status_to_json(status))
    assert content["unit"] == "seed-0"
    assert status_from_json(content) == status
    assert status_from_json({"state": "queued", "colour": "blue"}) == RunStatus("queued")


@pytest.mark.parametrize("content", [{}, {"state": "dancing"}])
def test_a_status_without_a_known_state_is_told(tmp_path, content):
    folder = RunFolder(tmp_path / "made-20261121-142530-1a2b")
    folder.path.mkdir()
    write_json(folder.status_file, content)
    with pytest.raises(RunStateError, match=r"status\.json of run .* cannot be read"):
        folder.status()
