"""What the views of Explore count, against the slow and obvious way with pandas."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats

from diet_core.config import Workspace
from diet_core.errors import NotFoundError, SettingError
from diet_core.store.filters import ExampleFilter
from diet_core.store.loading.datasets import add_dataset
from diet_core.store.loading.runs import ingest_run
from diet_core.store.queries.class_stats import count_confusions, read_class_quantiles
from diet_core.store.queries.data_map import (
    Axis,
    Regions,
    count_grid,
    count_map_regions,
    read_score_axis,
    sample_map_points,
)
from diet_core.store.queries.examples import count_examples, read_score_correlation
from diet_core.store.queries.histograms import read_histogram
from diet_core.store.store import open_store
from tests.runs.made_configs import made_config

NOTHING = pd.DataFrame()
CLASSES = ("negative", "positive")
# What a person may type, and what would be SQL, a pattern or another case of the same letters.
WORDS = [
    "",
    "review",
    "REVIEW 1",
    "%",
    "_",
    "'",
    "' OR 1=1 --",
    '"',
    "ünï",
    "ÜNÏ",
    "日本",
    "\\",
    "100 %",
    "no such",
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A store with a run of 700 examples, many values tied, and its scores with the texts."""
    from datetime import UTC, datetime

    from diet_core.dataset import Dataset, DatasetInfo, Roles
    from diet_core.store.loading.runs import RunRecord

    rng = np.random.default_rng(11)
    n = 700
    pieces = np.array(
        ["review", "Review 1", "100 %", "a_b", "it's", 'say "no"', "Ünï", "日本", "back\\slash"]
    )
    labels = np.array(CLASSES)[rng.integers(0, 2, n)]
    examples = pd.DataFrame(
        {
            "example_id": [f"x{i}" for i in range(n)],
            "source_row": np.arange(n, dtype=np.int64),
            "text": [" ".join(rng.choice(pieces, 2)) for _ in range(n)],
            "text_pair": pd.Series([None] * n, dtype="str"),
            "label": labels,
            "split": "train",
        }
    )
    el2n = rng.beta(1, 3, n).round(2)
    scores = pd.DataFrame(
        {
            "example_id": examples["example_id"],
            "label": labels,
            "predicted_label": np.array(CLASSES)[rng.integers(0, 2, n)],
            "el2n": el2n,
            "el2n_std": el2n / 10,
            "grand": np.where(np.arange(n) % 300 == 7, 900.0, el2n * rng.random(n)),
            "confidence": rng.random(n).round(2),
            "variability": (rng.beta(1, 3, n) / 2).round(2),
            "correctness": rng.integers(0, 5, n) / 4,
            "forgetting": 0.0,
        }
    )
    info = DatasetInfo(
        name="made",
        source="made.csv",
        source_format="csv",
        sha256="0" * 64,
        roles=Roles(text="text", label="label"),
        classes=CLASSES,
        label_values={name: name for name in CLASSES},
    )
    with open_store(Workspace(tmp_path_factory.mktemp("views") / "workspace")) as store:
        info = add_dataset(
            store, Dataset(info=info, examples=examples, source=pa.table({"text": examples["text"].tolist()}))
        )
        now = datetime(2026, 11, 21, 14, 25, 30, tzinfo=UTC)
        run = RunRecord(
            "made-20261121-142530-1a2b", info, "score", made_config(info, seeds=2), "done", now, now
        )
        ingest_run(store, run, scores, NOTHING, NOTHING)
        yield store, run.run_id, scores.assign(text=examples["text"])


def passing(scores: pd.DataFrame, chosen: ExampleFilter) -> pd.DataFrame:
    """The slow, obvious meaning of a filter."""
    passes = scores["text"].str.lower().str.contains(chosen.search.lower(), regex=False)
    for column, value in (("label", chosen.label), ("predicted_label", chosen.predicted_label)):
        if value is not None:
            passes &= scores[column] == value
    if chosen.agreement != "all":
        passes &= (scores["label"] == scores["predicted_label"]) == (chosen.agreement == "agree")
    for score, low, high in ((chosen.score, chosen.low, chosen.high), *chosen.ranges):
        passes &= scores[score].between(-np.inf if low is None else low, np.inf if high is None else high)
    return scores[passes]


def random_filter(rng: np.random.Generator) -> ExampleFilter:
    """Any of the page's conditions, each present about every second time; classes may not exist."""

    def maybe(values):
        return values[rng.integers(len(values))] if rng.random() < 0.5 else None

    def ends():
        low, high = np.sort(rng.random(2).round(2)).tolist()
        return maybe([low]), maybe([high])

    score, *box = rng.choice(["el2n", "grand", "confidence", "variability", "correctness"], 3).tolist()
    low, high = ends()
    return ExampleFilter(
        label=maybe([*CLASSES, "no such class", ""]),
        predicted_label=maybe([*CLASSES, "'; DROP TABLE scores; --"]),
        agreement=maybe(["agree", "disagree"]) or "all",
        search=maybe(WORDS) or "",
        score=score,
        low=low,
        high=high,
        ranges=tuple((name, *ends()) for name in box) if rng.random() < 0.5 else (),
    )


def test_every_view_counts_what_passes_the_filter(made):
    store, run_id, scores = made
    rng = np.random.default_rng(5)
    x, y = read_score_axis(store, run_id, "variability"), read_score_axis(store, run_id, "confidence")
    n_found = 0
    for i, chosen in enumerate(random_filter(rng) for _ in range(100)):
        wanted = passing(scores, chosen)
        n_found += bool(len(wanted))
        assert count_examples(store, run_id, chosen) == len(wanted), chosen
        bins = read_histogram(store, run_id, "el2n", chosen)
        assert (bins["count"].sum(), bins["count_filtered"].sum()) == (len(scores), len(wanted)), chosen
        assert count_grid(store, run_id, x, y, chosen)["count"].sum() == len(wanted), chosen
        matrix = count_confusions(store, run_id, chosen).set_index(["label", "predicted_label"])["count"]
        assert matrix.to_dict() == wanted.groupby(["label", "predicted_label"]).size().to_dict(), chosen
        if i % 4 == 0:
            assert count_map_regions(store, run_id, chosen).total == len(wanted), chosen
            assert set(sample_map_points(store, run_id, chosen)["example_id"]) == set(wanted["example_id"]), (
                chosen
            )
            classes = read_class_quantiles(store, run_id, "el2n", chosen).set_index("label")["count"]
            assert classes.to_dict() == wanted.groupby("label").size().to_dict(), chosen
    assert n_found > 30


def test_score_grid_puts_every_value_into_its_cell(made):
    store, run_id, scores = made
    x, y = Axis("el2n", 0.0, 1.0, 0, 0), Axis("confidence", 0.0, 1.0, 0, 0)
    found = count_grid(store, run_id, x, y, cells=(8, 4))
    column, row = (
        (scores["el2n"] * 8).astype(int).clip(0, 7),
        (scores["confidence"] * 4).astype(int).clip(0, 3),
    )
    wanted = scores.groupby([column / 8, row / 4])["correctness"].agg(["size", "mean"])
    cells = found.set_index(["x_start", "y_start"])
    assert cells["count"].to_dict() == wanted["size"].to_dict()
    assert np.allclose(cells["correctness"], wanted["mean"])
    assert np.allclose(found["x_end"] - found["x_start"], 1 / 8)


@pytest.mark.parametrize("cells", [(0, 5), (5, 0), (101, 50)])
def test_score_grid_is_bounded(made, cells):
    store, run_id, _ = made
    axis = read_score_axis(store, run_id, "el2n")
    with pytest.raises(SettingError, match="5,000 together"):
        count_grid(store, run_id, axis, axis, cells=cells)


def test_score_axis_counts_what_lies_beyond_it(made):
    store, run_id, scores = made
    axis = read_score_axis(store, run_id, "grand")
    assert axis.end < 900
    assert axis.above == (scores["grand"] > axis.end).sum() > 0
    assert axis.below == 0
    assert read_score_axis(store, run_id, "confidence") == Axis("confidence", 0.0, 1.0, 0, 0)


def test_score_axis_of_what_the_run_lacks_says_so(made):
    store, run_id, _ = made
    with pytest.raises(SettingError, match="no values of aum"):
        read_score_axis(store, run_id, "aum")
    with pytest.raises(SettingError, match="is not a score"):
        read_score_axis(store, run_id, "label")
    with pytest.raises(NotFoundError):
        read_score_axis(store, "no-20261121-142530-1a2b", "el2n")


def test_map_points_are_always_the_same_and_a_narrower_filter_keeps_them(made):
    store, run_id, _ = made
    few = sample_map_points(store, run_id, limit=60)
    assert few.equals(sample_map_points(store, run_id, limit=60))
    assert (
        few["example_id"].tolist() == sample_map_points(store, run_id, limit=200)["example_id"].tolist()[:60]
    )
    narrow = sample_map_points(store, run_id, ExampleFilter(label="positive"), limit=60)
    assert set(few.loc[few["label"] == "positive", "example_id"]) <= set(narrow["example_id"])
    assert "text" not in few


def test_map_points_are_no_matter_of_the_scores(made):
    store, run_id, scores = made
    sample = sample_map_points(store, run_id, limit=350)["confidence"]
    assert abs(sample.mean() - scores["confidence"].mean()) < 0.05


def test_map_regions_meet_at_their_limits(made):
    store, run_id, scores = made
    ambiguous = scores["variability"] >= 0.2
    easy = ~ambiguous & (scores["confidence"] >= 0.5)
    assert (scores["variability"] == 0.2).any()
    hard = len(scores) - ambiguous.sum() - easy.sum()
    assert count_map_regions(store, run_id) == Regions(easy.sum(), ambiguous.sum(), hard)


def test_class_quantiles_are_numpys(made):
    store, run_id, scores = made
    for _, row in read_class_quantiles(store, run_id, "grand").iterrows():
        values = scores.loc[scores["label"] == row["label"], "grand"]
        found = row[["q05", "q25", "median", "q75", "q95"]].astype(float)
        assert np.allclose(found, np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95]))


def test_confusions_shares_are_of_the_label(made):
    store, run_id, _ = made
    found = count_confusions(store, run_id)
    assert np.allclose(found.groupby("label")["share"].sum(), 1)
    assert found["count"].is_monotonic_decreasing
    assert len(count_confusions(store, run_id, limit=1)) == 1


@pytest.mark.parametrize(
    ("x", "y"), [("el2n", "grand"), ("el2n", "confidence"), ("correctness", "variability"), ("el2n", "el2n")]
)
def test_score_correlation_is_scipys_with_its_ties(made, x, y):
    store, run_id, scores = made
    wanted = stats.spearmanr(scores[x], scores[y]).statistic
    assert read_score_correlation(store, run_id, x, y) == pytest.approx(wanted, abs=1e-12)


def test_score_correlation_with_a_constant_is_not_a_number(made):
    store, run_id, _ = made
    assert np.isnan(read_score_correlation(store, run_id, "el2n", "forgetting"))


def test_score_correlation_needs_both_scores(made):
    store, run_id, _ = made
    with pytest.raises(SettingError, match="700 of 700 examples have no aum"):
        read_score_correlation(store, run_id, "el2n", "aum")


@pytest.mark.parametrize("n", [1, 2])
def test_views_take_one_and_two_examples(store, reviews, synthetic_scores, scored, n):
    run = dataclasses.replace(scored, run_id=f"few-20261121-142530-000{n}")
    scores = synthetic_scores.head(n).assign(variability=0.1)
    ingest_run(store, run, scores, NOTHING, NOTHING)
    x, y = read_score_axis(store, run.run_id, "variability"), read_score_axis(store, run.run_id, "confidence")
    assert count_grid(store, run.run_id, x, y)["count"].sum() == n
    assert count_map_regions(store, run.run_id).total == n
    assert read_class_quantiles(store, run.run_id, "el2n")["count"].sum() == n
    assert np.isnan(read_score_correlation(store, run.run_id, "el2n", "variability"))
