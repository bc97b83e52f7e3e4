"""What a reproduction asks for: rows, steps, arms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from diet_core.errors import DataError, SettingError
from diet_core.paper.request import FIGURES, SCALES, Request, mean_words, part_of, plan_for
from diet_core.paper.runs import guessed_speed, seconds_of


def examples(n_train: int, n_test: int = 50, words: int = 3) -> pd.DataFrame:
    n = n_train + n_test
    return pd.DataFrame(
        {
            "example_id": [f"e{i}" for i in range(n)],
            "source_row": np.arange(n),
            "text": ["w " * words] * n,
            "text_pair": None,
            "label": [f"c{i % 3}" for i in range(n)],
            "split": ["train"] * n_train + ["test"] * n_test,
        }
    )


def ids_of(part: pd.DataFrame, split: str = "train") -> set[str]:
    return set(part.loc[part["split"] == split, "example_id"])


def test_a_part_is_the_same_in_every_order_of_the_rows():
    whole = examples(300)
    part = part_of(whole, Request("fig3", "x", limit=100))
    assert ids_of(part) == ids_of(part_of(whole[::-1], Request("fig3", "x", limit=100)))
    assert len(ids_of(part)) == 100


def test_a_larger_part_holds_the_smaller():
    whole = examples(300)
    small, large = (ids_of(part_of(whole, Request("fig3", "x", limit=n))) for n in (50, 200))
    assert small < large


def test_a_part_keeps_the_order_of_the_rows_and_no_validation_split():
    whole = examples(300)
    whole.loc[5:9, "split"] = "validation"
    part = part_of(whole, Request("fig3", "x", limit=100))
    assert part["source_row"].is_monotonic_increasing
    assert set(part["split"]) == {"train", "test"}


@pytest.mark.parametrize(
    ("scale", "n", "words", "rows"),
    [
        ("smoke", 5_000, 40, 600),
        ("smoke", 100, 40, 100),
        ("small", 9_000, 10, 5_500),  # short texts
        ("small", 9_000, 50, 2_000),  # 100,000 words in all
        ("small", 1_000, 50, 1_000),
        ("full", 9_000, 50, 9_000),
    ],
)
def test_a_scale_takes_so_many_training_rows(scale, n, words, rows):
    assert len(ids_of(part_of(examples(n, words=words), Request("fig3", "x", scale)))) == rows


def test_a_scale_takes_so_many_test_rows():
    whole = examples(20, n_test=1_200)
    n = {scale: len(ids_of(part_of(whole, Request("fig3", "x", scale)), "test")) for scale in SCALES}
    assert n == {"smoke": 500, "small": 1_000, "full": 1_200}


def test_the_words_of_both_texts_of_a_pair_count():
    pairs = examples(10, words=4).assign(text_pair="a b c")
    assert mean_words(pairs) == 7


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"figure": "fig5"}, "'fig5' is no figure of the paper"),
        ({"scale": "tiny"}, "scale is 'tiny'"),
        ({"limit": 1}, "limit is 1"),
    ],
)
def test_a_request_out_of_range_is_refused(asked, message):
    with pytest.raises(SettingError, match=message):
        Request(**{"figure": "fig1", "dataset": "x"} | asked)


def test_a_limit_beyond_the_data_is_refused():
    with pytest.raises(SettingError, match="limit is 400, but x has 300 training rows"):
        part_of(examples(300), Request("fig3", "x", limit=400))


@pytest.mark.parametrize("figure", ["fig1", "fig3", "fig4"])
def test_accuracies_need_test_rows(figure):
    with pytest.raises(DataError, match=r"but x has no test rows. Import it again with --test or --split"):
        part_of(examples(300, n_test=0), Request(figure, "x"))
    assert len(part_of(examples(300, n_test=0), Request("tab1", "x"))) == 300


@pytest.mark.parametrize("figure", FIGURES)
def test_the_last_step_of_the_epoch_is_always_scored(figure):
    for scale in SCALES:
        assert Request(figure, "x", scale).score_steps(640)[-1] == 20


def test_tiny_data_has_no_score_step_twice_and_none_before_the_training():
    assert Request("fig2", "x", "full").score_steps(40) == (1, 2)


def test_fig1_trains_on_the_scores_of_every_step_beside_one_random_choice():
    request = Request("fig1", "x")
    plan = plan_for(request, examples(5_400))
    names = [arm.name for arm in plan.arms]
    assert names[:3] == ["el2n-step17", "el2n-step42", "el2n-step84"]
    assert names[-2:] == ["random", "full"]
    assert len(names) == 12
    assert {arm.rule.keep for arm in plan.arms if arm.rule} == {0.7}
    assert {arm.rule.drop_hardest for arm in plan.arms if arm.rule} == {0.0}


def test_fig3_has_an_arm_per_score_and_share_and_random_ones_of_the_same_sizes():
    names = [arm.name for arm in plan_for(Request("fig3", "x"), examples(900)).arms]
    for share in ("0.3", "0.5", "0.7", "0.9"):
        assert {f"el2n-keep{share}", f"grand-keep{share}", f"random-keep{share}"} <= set(names)
    assert len(names) == 13


def test_fig4_has_the_papers_points():
    names = {arm.name for arm in plan_for(Request("fig4", "x"), examples(900)).arms}
    assert {"el2n-keep0.7", "el2n-keep0.7-drop0.03", "el2n-keep0.7-drop0.04", "random-keep0.66"} <= names


@pytest.mark.parametrize("scale", SCALES)
def test_every_arm_has_equal_steps(scale):
    for figure in ("fig1", "fig3", "fig4"):
        assert plan_for(Request(figure, "x", scale), examples(900)).budget == "steps"


def test_full_is_the_papers_settings_and_names_the_papers_choice():
    request = Request("fig3", "x", "full")
    training = request.training
    assert (training.model, training.batch_size, training.lr) == ("bert-base-uncased", 32, 3e-5)
    assert (training.epochs, request.seeds) == (1, 5)
    assert plan_for(request, examples(900)).choose == "best"


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize(("n", "words"), [(5_452, 10), (26_620, 36), (20_000, 20)])
def test_small_is_priced_under_an_hour_and_smoke_at_minutes(figure, n, words):
    whole = examples(n, n_test=7_600, words=words)
    for scale, seconds in (("small", 3_600), ("smoke", 300)):
        request = Request(figure, "x", scale)
        part = part_of(whole, request)
        speed = guessed_speed(request, part)
        assert seconds_of(request, part, speed) < seconds
