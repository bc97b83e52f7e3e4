"""Reproducing figures from end to end, on sentences and a tiny model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from diet_core.config import Workspace
from diet_core.errors import RunCancelledError, SettingError
from diet_core.experiments.results import plan_results
from diet_core.paper.reproduce import MEMORY, Reproduction, reproduce
from diet_core.paper.request import FIGURES, Request
from diet_core.runs.folder import RunFolder, all_runs

SERIES = {"el2n", "grand", "random", "full"}


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """The workspace that all figures share, so that they share its scores."""
    return tmp_path_factory.mktemp("reproductions")


@pytest.fixture(scope="module")
def finish(do_work) -> Callable[[RunFolder], None]:
    def finish(folder: RunFolder) -> None:
        assert do_work(folder) == 0, folder.status()

    return finish


@pytest.fixture(scope="module")
def made(place, sentence_data, tiny_model, finish) -> Callable[..., Reproduction]:
    """A function that reproduces a figure at the scale smoke; the plain ones once only."""

    def reproduced(figure: str, out: str, finish=finish, with_texts=True, **more) -> Reproduction:
        request = Request(figure, "sentences", "smoke", model=str(tiny_model), **more)
        data = sentence_data
        return reproduce(
            Workspace(place), data.info, data.examples, request, place / out, finish, with_texts=with_texts
        )

    plain = cache(lambda figure: reproduced(figure, figure))
    return lambda figure, **more: reproduced(figure, **{"out": figure} | more) if more else plain(figure)


def started(place: Path) -> set[str]:
    return {folder.run_id for folder in all_runs(Workspace(place))}


def no_run(folder: RunFolder) -> None:
    raise AssertionError(f"{folder.run_id} was finished already")


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_leaves_data_pictures_settings_and_report(made, place, figure):
    found = made(figure)
    names = {f"{figure}.csv", f"{figure}-light.png", f"{figure}-dark.png", f"{figure}.svg"}
    names |= {"settings.json", "report.md"}
    assert names <= {file.name for file in found.files}
    assert all(file.parent == place / figure and file.stat().st_size > 100 for file in found.files)
    assert len(pd.read_csv(place / figure / f"{figure}.csv")) == len(found.figure.rows) > 0
    report = (place / figure / "report.md").read_text()
    assert "## What the paper did and found" in report
    assert "Its numbers say nothing" in report
    settings = json.loads((place / figure / "settings.json").read_text())
    assert settings["scoring"]["run"] == found.runs[0]
    for part in ("batch_size", "lr", "weight_decay", "warmup", "max_length", "optimizer"):
        assert part in settings["scoring"]
    assert settings["cores"] >= 1


def test_a_second_call_repeats_nothing(made, place):
    first = made("fig3")
    before = started(place)
    second = made("fig3", finish=no_run)
    assert second.runs == first.runs
    assert started(place) == before
    pd.testing.assert_frame_equal(second.figure.rows, first.figure.rows)


def test_figures_of_equal_settings_share_their_scores(made):
    scored = {made(figure).runs[0] for figure in ("fig1", "fig2")}
    assert len(scored) == 1
    assert made("tab1", out="again", finish=no_run).runs[0] in {made("tab2").runs[0], *scored}


def test_fig1_holds_every_training_with_the_step_of_its_scores(made):
    rows = made("fig1").figure.rows
    assert set(rows["series"]) == SERIES
    of_scores = rows[rows["series"].isin(["el2n", "grand"])]
    assert sorted(set(of_scores["epoch"])) == [0.25, 1.0]
    assert len(rows) == 2 * 2 + 2  # one repeat
    assert rows.loc[rows["series"] == "random", "epoch"].isna().all()


def test_fig3_compares_equal_sizes(made):
    rows = made("fig3").figure.rows
    assert set(rows["series"]) == SERIES
    sizes = rows.dropna(subset="keep").groupby("keep")["n_train"].unique()
    assert all(len(size) == 1 for size in sizes)
    assert list(sizes.index) == [0.5, 0.7, 0.9]


def test_fig4_drops_from_the_top_of_what_is_kept(made):
    rows = made("fig4").figure.rows
    n_full = rows.loc[rows["series"] == "full", "n_train"].item()
    of_drop = rows[rows["series"] == "el2n"].set_index("drop_hardest")["n_train"]
    assert dict(of_drop) == {0.0: round(0.7 * n_full), 0.04: round(0.7 * n_full) - round(0.04 * n_full)}


def test_every_arm_takes_equal_steps_and_the_report_says_so(made, place):
    found = made("fig3")
    assert found.figure.rows["steps"].nunique() == 1
    report = (place / "fig3" / "report.md").read_text()
    assert "Budget: steps: every arm takes the same number of optimizer steps" in report
    assert "Choice: last: the last evaluation of a training counts" in report
    assert found.settings["retraining"]["budget"] == "steps"
    assert found.settings["retraining"]["steps"] == found.figure.rows["steps"].iloc[0]


def test_the_report_has_the_plans_own_numbers_and_sentences(made, place):
    found = made("fig3")
    results = plan_results(RunFolder(place / "runs" / found.runs[1]))
    assert found.figure.sentences == results.sentences()
    report = (place / "fig3" / "report.md").read_text()
    for arm in results.arms:
        assert f"| {arm.title} | {arm.n_train} | {arm.steps} | {100 * arm.mean:.2f} % |" in report
    assert list(pd.read_csv(place / "fig3" / "fig3-differences.csv")["arm"]) == list(
        results.differences()["arm"]
    )


def test_one_repeat_or_seed_claims_no_trend(made):
    for figure in ("fig1", "fig2", "fig3", "fig4", "seeds"):
        trends = made(figure).figure.trends
        assert {trend.verdict for trend in trends} == {"not decided here"}, figure


def test_fig2_shares_add_up_to_one_at_every_step(made):
    totals = made("fig2").figure.rows.groupby(["score", "step"])["share"].sum()
    assert totals.to_numpy() == pytest.approx(1)
    assert len(totals) == 4


def test_the_tables_have_both_ends_of_the_ranking(made):
    rows = made("tab1").figure.rows
    highest, lowest = (rows.loc[rows["end"] == end, "el2n"].tolist() for end in ("highest", "lowest"))
    assert highest == sorted(highest, reverse=True)
    assert lowest == sorted(lowest, reverse=True)
    assert min(highest) >= max(lowest)
    n = made("tab1").settings["rows"]["train"]["used"]
    assert rows["rank"].tolist() == [*range(1, 11), *range(n - 9, n + 1)]


def test_seeds_has_every_choice_of_one_and_two(made):
    rows = made("seeds").figure.rows
    assert rows[rows["series"] == "Measured"]["seeds"].tolist() == [1, 1, 1, 2, 2, 2]


def test_a_stopped_reproduction_goes_on_with_the_same_runs(made, place, finish):
    """It is stopped after its scores, then within its trainings, which the worker hears at its first step."""
    began = []

    def stop_second(folder: RunFolder) -> None:
        began.append(folder.run_id)
        if len(began) == 2:
            folder.cancel_file.touch()
            with pytest.raises(AssertionError):  # the worker ends with another status
                finish(folder)
            raise RunCancelledError("stopped")
        finish(folder)

    with pytest.raises(RunCancelledError):
        made("fig4", out="stopped", finish=stop_second, limit=64)
    assert not (place / "stopped" / "report.md").exists()
    memory = json.loads((place / "stopped" / MEMORY).read_text())
    assert [memory["scored_run"], memory["retrain_run"]] == began

    def go_on(folder: RunFolder) -> None:
        assert folder.run_id == began[1]
        folder.cancel_file.unlink()
        finish(folder)

    before = started(place)
    assert made("fig4", out="stopped", finish=go_on, limit=64).runs == began
    assert started(place) == before


def test_scoring_at_more_steps_leaves_the_last_scores_as_they_are(
    made, sentence_data, tiny_model, finish, tmp_path
):
    assert made("fig1").runs[0] == made("tab1").runs[0]
    request = Request("tab1", "sentences", "smoke", model=str(tiny_model))
    data = sentence_data
    alone = reproduce(Workspace(tmp_path), data.info, data.examples, request, tmp_path / "out", finish)
    assert len(alone.settings["scoring"]["score_steps"]) == 1
    pd.testing.assert_frame_equal(alone.figure.rows, made("tab1").figure.rows, check_exact=True)


def test_a_part_has_scores_of_its_own_and_a_run_that_is_gone_is_made_again(made, place):
    of_part = made("tab1", out="part", limit=50).runs[0]
    assert of_part != made("tab1").runs[0]
    shutil.rmtree(place / "runs" / of_part)
    assert made("tab1", out="part", limit=50).runs[0] != of_part


def test_a_folder_of_another_reproduction_is_refused(made):
    made("tab1")
    with pytest.raises(SettingError, match=r"holds tab1 of sentences, scale smoke.*another --out"):
        made("fig2", out="tab1")
    with pytest.raises(SettingError, match="other settings"):
        made("tab1", limit=40)


def test_without_texts_no_file_holds_one(made, place, sentence_data):
    texts = sentence_data.examples["text"].tolist()
    shown = made("tab1").figure.rows
    assert set(shown["text"]) <= set(texts)
    files = made("tab1", with_texts=False).files
    rows = pd.read_csv(place / "tab1" / "tab1.csv")
    assert rows["example_id"].tolist() == shown["example_id"].tolist()
    for file in files:
        if file.suffix != ".png":
            assert not any(text in file.read_text() for text in texts), file
    source = sentence_data.examples.set_index("example_id")["source_row"]
    report = (place / "tab1" / "report.md").read_text()
    assert all(f"row {source[example_id] + 1} of the source" in report for example_id in rows["example_id"])
    made("tab1", out="tab1")


def test_texts_are_data_in_every_report(sentence_data, tiny_model, finish, tmp_path):
    tricky = "<b>bold</b> **more** | `code` $x$ [a](b)"
    examples = sentence_data.examples.copy()
    examples.loc[examples["split"] == "train", "text"] = tricky
    request = Request("tab1", "sentences", "smoke", model=str(tiny_model))
    reproduce(Workspace(tmp_path), sentence_data.info, examples, request, tmp_path / "out", finish)
    report = (tmp_path / "out" / "report.md").read_text()
    assert "<b>" not in report.replace("\\<b", "")
    assert r"\<b\>bold\</b\> \*\*more\*\* \| \`code\` \$x\$ \[a\](b)" in report
    assert "&lt;b&gt;bold&lt;/b&gt;" in (tmp_path / "out" / "tab1.svg").read_text()
