"""The verb reproduce: what it says before, what it refuses, what it answers."""

from __future__ import annotations

import json

import pytest

from diet_core.cli.verbs.data import opened
from diet_core.paper.reproduce import reproduce
from diet_core.paper.request import Request
from diet_core.runs.estimate import measurement
from diet_core.runs.folder import all_runs, write_json
from diet_core.store.loading.datasets import find_dataset, read_examples

SMOKE = ("--dataset", "sentences", "--scale", "smoke")


@pytest.fixture
def with_model(tiny_model) -> tuple[str, ...]:
    return ("--model", str(tiny_model))


def stored(workspace):
    with opened(workspace) as store:
        info = find_dataset(store, "sentences")
        return info, read_examples(store, info.dataset_id)


@pytest.fixture
def measured(imported, workspace, tiny_model):
    """A machine whose speed on the sentences at the scale full is known: ten texts a second."""
    training = Request("fig3", "sentences", "full", model=str(tiny_model)).training
    folder = measurement(workspace, stored(workspace)[0].dataset_id, training).folder
    folder.mkdir(parents=True)
    speed = {"training": 10.0, "scoring": 40.0, "encoding": 1e4, "starting": 5.0, "loading": 1.0}
    write_json(folder / "result.json", {"speed": speed})


def test_reproduce_answers_with_rows_and_files(imported, workspace, tmp_path, run_verb, with_model):
    status, out, err = run_verb("--json", "reproduce", "tab1", *SMOKE, *with_model, "--out", tmp_path / "x")
    assert status == 0, err
    answer = json.loads(out)
    assert answer["rows"] == 20
    assert {"tab1.csv", "tab1-light.png", "tab1-dark.png", "tab1.svg", "settings.json", "report.md"} == {
        file.rsplit("/", 1)[1] for file in answer["files"]
    }
    assert "tab1 of sentences: an unknown time" in err
    assert [folder.run_id for folder in all_runs(workspace)] == answer["runs"]


def test_what_is_done_is_not_done_again(
    imported, workspace, tmp_path, said, run_verb, with_model, do_work, tiny_model
):
    request = Request("fig3", "sentences", "smoke", model=str(tiny_model))
    reproduce(workspace, *stored(workspace), request, tmp_path / "x", lambda folder: do_work(folder))
    runs = [folder.run_id for folder in all_runs(workspace)]
    answer = said("reproduce", "fig3", *SMOKE, *with_model, "--out", tmp_path / "x")
    assert sorted(answer["runs"]) == sorted(runs)
    assert answer["rows"] == 10
    assert {trend["verdict"] for trend in answer["trends"]} == {"not decided here"}
    _, out, _ = run_verb("reproduce", "fig3", *SMOKE, *with_model, "--out", tmp_path / "x")
    assert "fig3 of sentences, scale smoke: 10 rows" in out
    assert all(sentence in out for sentence in answer["sentences"])
    assert [folder.run_id for folder in all_runs(workspace)] == runs


def test_full_says_the_hours_and_needs_a_yes_without_a_gpu(
    measured, workspace, tmp_path, refused, with_model
):
    message = refused(
        "reproduce", "fig3", "--dataset", "sentences", "--scale", "full", *with_model, "--out", tmp_path / "x"
    )
    # 22 arms x 5 repeats x 3 epochs of 111 texts at 10/s are 61 minutes; reading and loading are the rest.
    assert "fig3 at the scale full takes about 1 h 6 min (by what was measured on this machine)" in message
    assert "Add --yes" in message
    assert not all_runs(workspace)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("fig9", "--dataset", "sentences"), "fig9"),
        (("fig1", "--dataset", "nobodys"), "nobodys"),
        (("fig1", "--dataset", "sentences", "--scale", "huge"), "huge"),
        (("fig1", "--dataset", "sentences", "--limit", "1"), "limit is 1"),
        (("fig1", "--dataset", "sentences", "--limit", "5000"), "limit is 5,000, but sentences has"),
        (("fig1", "--dataset", "sentences", "--model", "/nowhere/model"), "/nowhere/model"),
        (("fig1",), "--dataset"),
    ],
)
def test_what_cannot_be_reproduced_is_refused(imported, workspace, tmp_path, refused, words, message):
    assert message in refused("reproduce", *words, "--out", tmp_path / "x")
    assert not all_runs(workspace)


def test_another_figure_in_the_same_folder_is_refused(imported, workspace, tmp_path, refused, with_model):
    write_json(tmp_path / "reproduce.json", {"request": {"figure": "fig2", "dataset": "sentences"}})
    message = refused("reproduce", "fig1", *SMOKE, *with_model, "--out", tmp_path)
    assert "holds fig2 of sentences" in message
    assert not all_runs(workspace)
