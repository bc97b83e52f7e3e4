"""A run that asks for it takes over the trainings that other runs have done, if they are the same."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest

from diet_core.config import Rule, Workspace
from diet_core.experiments.arms import Arm
from diet_core.experiments.plan import Plan, lay_out_plan
from diet_core.runs.fact_files import finished_trainings, predictions_file
from diet_core.runs.fact_files import test_predictions as predictions_of
from diet_core.runs.folder import RunFolder, write_json
from diet_core.worker.reuse import reuse_trainings
from tests.runs.made_configs import config_json

RULE = Rule(keep=0.6, drop_hardest=0.1)
FIRST = (Arm("hard", rule=RULE), Arm("full", kind="full"), Arm("random", kind="random", like="hard"))
SECOND = (
    Arm("same", rule=RULE),
    Arm("easier", rule=Rule(keep=0.5, drop_hardest=0.2)),
    Arm("all", kind="full"),
    Arm("chance", kind="random", like="same"),
)
TAKEN = {"same-10000": "hard-10000", "all-10000": "full-10000", "chance-10000": "random-10000"}


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Workspace:
    return Workspace(tmp_path_factory.mktemp("reuse"))


@pytest.fixture(scope="module")
def done(place, sentence_run, do_work) -> RunFolder:
    """A finished run of three trainings, of two epochs each."""
    folder = lay_out_plan(place, sentence_run, Plan(FIRST, repeats=1, epochs=2))
    assert do_work(folder) == 0
    return folder


@pytest.fixture
def laid_out(place, done, sentence_run):
    """A function that lays out a run beside the finished one."""

    def laid_out(*arms: Arm, reuse: bool = True, **terms) -> RunFolder:
        plan = Plan(arms or SECOND, **{"repeats": 1, "epochs": 2} | terms)
        return lay_out_plan(place, sentence_run, plan, reuse=reuse)

    return laid_out


def taken(folder: RunFolder) -> dict[str, str]:
    """What a run takes over, by the names in both runs."""
    reuse_trainings(folder, lambda line: None)
    return {name: result["taken_from"]["unit"] for name, result in finished_trainings(folder).items()}


def test_what_is_taken_over_is_what_training_it_gives(laid_out, done, do_work):
    trained, reused = laid_out(reuse=False), laid_out()
    for folder in (trained, reused):
        assert do_work(folder) == 0
    there, here = finished_trainings(trained), finished_trainings(reused)
    assert list(here) == list(there)
    for name, result in there.items():
        source = here[name].pop("taken_from")
        assert source in (
            {"run": done.run_id, "unit": TAKEN.get(name)},
            {"run": trained.run_id, "unit": name},
        )
        assert here[name] | {"seconds": 0} == result | {"seconds": 0}
        pd.testing.assert_frame_equal(predictions_of(reused, name), predictions_of(trained, name))
    assert not any("taken_from" in result for result in finished_trainings(trained).values())
    assert reused.metrics_file.read_bytes() == trained.metrics_file.read_bytes()
    assert reused.status().step == reused.status().total


def test_a_run_trains_what_no_other_has_done(laid_out, do_work):
    arm = Arm("own", rule=Rule(keep=0.45, drop_hardest=0.15))
    folder = laid_out(arm, FIRST[1])
    assert do_work(folder) == 0
    assert "taken_from" not in finished_trainings(folder)["own-10000"]
    assert finished_trainings(folder)["full-10000"]["taken_from"]["unit"] in ("full-10000", "all-10000")


def test_only_who_asks_for_it_gets_it(laid_out):
    assert set(taken(laid_out(*FIRST))) == {f"{arm.name}-10000" for arm in FIRST}
    assert taken(laid_out(*FIRST, reuse=False)) == {}


def test_what_an_interrupted_training_left_goes_when_it_is_taken_over(laid_out):
    folder = laid_out(*FIRST)
    left = [
        folder.training_folder(f"{FIRST[0].name}-10000") / name for name in ("checkpoint.pt", "reading.npz")
    ]
    for file in left:
        file.write_bytes(b"half a training")
    assert f"{FIRST[0].name}-10000" in taken(folder)
    assert [file.name for file in left if file.exists()] == []


@pytest.mark.parametrize(
    "terms", [{"epochs": 1}, {"budget": "steps", "max_steps": 5}, {"choose": "best"}, {"curve": 2}]
)
def test_other_terms_are_other_trainings(laid_out, terms):
    assert taken(laid_out(*FIRST, **terms)) == {}


def test_another_repeat_is_another_training(laid_out):
    folder = laid_out(*FIRST, repeats=2)
    assert set(taken(folder)) == {f"{arm.name}-10000" for arm in FIRST}


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [
        ("environment", "threads", 64),
        ("environment", "precision", "fp8"),
        ("training", "lr", 1e-9),
        ("model", "revision", "other"),
    ],
)
def test_another_machine_or_setting_is_another_training(laid_out, where, name, value):
    folder = laid_out(*FIRST)
    config = config_json(folder)
    config[where][name] = value
    write_json(folder.config_file, config)
    assert taken(folder) == {}


def test_another_test_split_or_label_is_another_training(laid_out):
    folder = laid_out(*FIRST)
    examples = pd.read_parquet(folder.examples_file)
    examples.loc[0, "text"] += "!"
    examples.to_parquet(folder.examples_file)
    assert taken(folder) == {}
    folder = laid_out(*FIRST)
    train = pd.read_parquet(folder.training_folder("full-10000") / "train.parquet")
    train.loc[0, "label"] = next(name for name in train["label"] if name != train["label"][0])
    train.to_parquet(folder.training_folder("full-10000") / "train.parquet")
    assert set(taken(folder)) == {"hard-10000", "random-10000"}


def test_a_run_that_went_on_in_another_environment_gives_nothing(tmp_path, sentence_run, do_work):
    place = Workspace(tmp_path)
    first = lay_out_plan(place, sentence_run, Plan(FIRST[:1], repeats=1, epochs=1))
    assert do_work(first) == 0
    config = config_json(first)
    for changed, expected in (({}, ["hard-10000"]), ({"changed": ["threads was 2, is 1"]}, [])):
        write_json(first.config_file, config | changed)
        folder = lay_out_plan(place, sentence_run, Plan(FIRST[:1], repeats=1, epochs=1), reuse=True)
        assert list(taken(folder)) == expected
        shutil.rmtree(folder.path)


def test_a_damaged_run_and_one_without_predictions_give_nothing(tmp_path, sentence_run, do_work):
    place = Workspace(tmp_path)
    first = lay_out_plan(place, sentence_run, Plan(FIRST[:1], repeats=1, epochs=1))
    assert do_work(first) == 0
    predictions_file(first, "hard-10000").unlink()
    assert taken(lay_out_plan(place, sentence_run, Plan(FIRST[:1], repeats=1, epochs=1), reuse=True)) == {}
    first.result_file("hard-10000").write_text("{")
    assert taken(lay_out_plan(place, sentence_run, Plan(FIRST[:1], repeats=1, epochs=1), reuse=True)) == {}
