"""Two sides of a comparison against pandas and scipy."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from diet_core.config import Workspace
from diet_core.errors import NotFoundError, RunStateError, SettingError
from diet_core.selection.ranking import ranking
from diet_core.selection.shares import share_of
from diet_core.store.comparison.compare import compare, query_comparison
from diet_core.store.comparison.results import (
    ORDERS,
    Among,
    count_agreeing,
    count_changed_data,
    count_common,
    count_percentile_cells,
    count_prediction_pairs,
    count_shared_hardest,
    count_who_is_right,
    find_rank_correlation,
    read_compared_page,
)
from diet_core.store.comparison.sides import Side
from diet_core.store.comparison.table import MAX_TABLES
from diet_core.store.loading.datasets import read_examples
from diet_core.store.loading.runs import ingest_run, read_scores
from diet_core.store.queries.one_example import list_steps_and_seeds
from diet_core.store.store import open_store
from tests.store.compared_runs import CLASSES, N, add_data, add_run, examples


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One store for all: nothing here changes a run."""
    with open_store(Workspace(tmp_path_factory.mktemp("compared"))) as opened:
        yield opened


@pytest.fixture(scope="module")
def info(store):
    return add_data(store, examples())


@pytest.fixture(scope="module")
def runs(store, info):
    """Two runs of one data set version."""
    return [add_run(store, info, examples(), number) for number in (1, 2)]


@pytest.fixture(scope="module")
def other_version(store, info):
    """A run of a newer version: other rows at both ends, another order, changed labels, a changed text, and
    one class more."""
    frame = examples(first=50, n=N)
    frame.loc[[3, 40, 41], "label"] = "odd"
    frame.loc[7, "text"] = "another text"
    frame = frame.sample(frac=1, random_state=1).reset_index(drop=True)
    classes = ("bad", "fine", "good", "odd")
    return add_run(store, add_data(store, frame, classes=classes), frame, 3)


def values_of(store, run, score="el2n") -> pd.Series:
    return read_scores(store, run.run_id).set_index("example_id")[score]


def percentiles(values: pd.Series, high_is_hard=True) -> pd.Series:
    """By mean ranks: 0 = easiest, 100 = hardest."""
    ranks = values.rank(ascending=high_is_hard)
    return 100 * (ranks - 0.5) / len(values)


def places(values: pd.Series, score="el2n") -> pd.Series:
    order = ranking(values.index.tolist(), values.to_numpy(), score)
    found = np.empty(len(values), int)
    found[order] = np.arange(1, len(values) + 1)
    return pd.Series(found, values.index)


def test_rank_correlation_is_scipys_under_ties(store, runs):
    for score in ("el2n", "grand", "confidence"):
        found = compare(store, Side(runs[0].run_id), Side(runs[1].run_id), score)
        a, b = (values_of(store, run, score) for run in runs)
        assert find_rank_correlation(store, found) == pytest.approx(spearmanr(a, b).statistic, abs=1e-14)


def test_rank_correlation_of_a_constant_is_no_number(store, info):
    run = add_run(store, info, examples(), 5)
    scores = read_scores(store, run.run_id).assign(el2n=0.5)
    other = add_run(store, info, examples(), 6)
    ingest_run(store, other, scores, pd.DataFrame(columns=["seed"]), pd.DataFrame(columns=["arm"]))
    found = compare(store, Side(run.run_id), Side(other.run_id))
    assert np.isnan(find_rank_correlation(store, found))


@pytest.mark.parametrize("score", ["el2n", "confidence"])
def test_versions_are_joined_by_id_and_ranked_among_the_common(store, runs, other_version, score):
    found = compare(store, Side(runs[0].run_id), Side(other_version.run_id), score)
    assert (found.n_a, found.n_b, found.n_common) == (N, N, N - 50)
    assert found.classes == (*CLASSES, "odd")
    a, b = (values_of(store, run, score) for run in (runs[0], other_version))
    common = sorted(set(a.index) & set(b.index))
    a, b = a[common], b[common]
    rows = read_compared_page(store, found, "hardest of a", limit=1000).set_index("example_id").loc[common]
    high_is_hard = score == "el2n"
    for side, values in (("a", a), ("b", b)):
        assert rows[f"value_{side}"].tolist() == values.tolist()
        assert rows[f"place_{side}"].tolist() == places(values, score).tolist()
        assert rows[f"percentile_{side}"].to_numpy() == pytest.approx(percentiles(values, high_is_hard))
    assert rows["change"].to_numpy() == pytest.approx(rows["percentile_b"] - rows["percentile_a"])
    assert find_rank_correlation(store, found) == pytest.approx(spearmanr(a, b).statistic, abs=1e-14)


def test_changed_labels_and_texts_are_counted_among_the_common(store, runs, other_version):
    found = compare(store, Side(runs[0].run_id), Side(other_version.run_id))
    assert count_changed_data(store, found) == (3, 1)
    same = compare(store, Side(runs[0].run_id), Side(runs[1].run_id))
    assert count_changed_data(store, same) == (0, 0)


def test_texts_and_labels_of_a_page_are_those_of_their_examples(store, runs, other_version):
    found = compare(store, Side(runs[0].run_id), Side(other_version.run_id))
    rows = read_compared_page(store, found, "hardest of b", limit=1000).set_index("example_id")
    a, b = (
        read_scores(store, run.run_id).set_index("example_id").loc[rows.index]
        for run in (runs[0], other_version)
    )
    assert rows["text"].tolist() == a["text"].tolist()
    for column, of_run in (("label", "label"), ("predicted", "predicted_label")):
        assert rows[f"{column}_a"].tolist() == a[of_run].tolist()
        assert rows[f"{column}_b"].tolist() == b[of_run].tolist()
    assert read_compared_page(store, found, "hardest of b", text_length=4)["text"].unique().tolist() == [
        "text…"
    ]


def test_a_seed_has_its_own_values_and_predictions(store, info, runs):
    run = runs[0].run_id
    found = compare(store, Side(run, seed=0), Side(run, step=4, seed=2), "grand")
    assert (found.a.step, found.b.step) == (8, 4)
    rows = read_compared_page(store, found, "hardest of a", limit=1000).set_index("example_id")
    ids = read_examples(store, info.dataset_id)["example_id"]
    for side in ("a", "b"):
        one = getattr(found, side)
        facts = store.frame(
            "SELECT * FROM seed_scores WHERE run_id = ? AND step = ? AND seed = ? ORDER BY position",
            [run, one.step, one.seed],
        ).set_index(ids)
        facts = facts.loc[rows.index]
        assert rows[f"value_{side}"].tolist() == facts["grand"].tolist()
        assert rows[f"predicted_{side}"].tolist() == [CLASSES[k] for k in facts["predicted"]]
        assert rows[f"place_{side}"].tolist() == places(facts["grand"], "grand").tolist()


def test_a_step_is_the_mean_of_its_seeds_and_what_most_of_them_predict(store, info, runs):
    run = runs[0].run_id
    found = compare(store, Side(run), Side(run, step=4))
    rows = read_compared_page(store, found, "hardest of a", limit=1000).set_index("example_id")
    facts = store.frame("SELECT * FROM seed_scores WHERE run_id = ? AND step = 4 ORDER BY seed", [run])
    ids = read_examples(store, info.dataset_id)["example_id"]
    facts.index = ids[facts["position"]]
    assert rows["value_b"].to_numpy() == pytest.approx(facts.groupby(level=0)["el2n"].mean()[rows.index])

    def voted(votes: pd.Series) -> str:
        counts = votes.value_counts()
        return CLASSES[next(v for v in votes if counts[v] == counts.max())]

    votes = facts.groupby(level=0)["predicted"].agg(voted)
    assert rows["predicted_b"].tolist() == votes[rows.index].tolist()


def test_steps_and_seeds_of_a_run(store, runs):
    found = list_steps_and_seeds(store, runs[0].run_id)
    assert list(found.itertuples(index=False, name=None)) == [(s, k) for s in (4, 8) for k in (0, 1, 2)]


def test_shared_hardest_counts_the_same_examples_at_every_share(store, runs, other_version):
    found = compare(store, Side(runs[0].run_id), Side(other_version.run_id))
    table = count_shared_hardest(store, found).set_index("percent")
    rows = read_compared_page(store, found, "hardest of a", limit=1000)
    for percent in (1, 3, 5, 10, 30, 50, 99, 100):
        n = share_of(percent / 100, found.n_common)
        both = ((rows["place_a"] <= n) & (rows["place_b"] <= n)).sum()
        assert (table.loc[percent, "n"], table.loc[percent, "n_shared"]) == (n, both)
        assert table.loc[percent, "share"] == both / n


def test_percentile_cells_count_every_example_once(store, runs):
    found = compare(store, Side(runs[0].run_id), Side(runs[1].run_id))
    cells = count_percentile_cells(store, found)
    a, b = (percentiles(values_of(store, run)) for run in runs)
    oracle = pd.DataFrame({"a_start": a // 2 * 2, "b_start": b // 2 * 2}).astype(int).value_counts()
    counted = cells.set_index(["a_start", "b_start"])["count"]
    assert counted.to_dict() == oracle.to_dict()
    assert counted.sum() == N
    assert (cells["a_end"] - cells["a_start"] == 2).all()


@pytest.mark.parametrize("seed", range(8))
def test_filters_count_what_pandas_counts(store, runs, other_version, seed):
    found = compare(store, Side(runs[0].run_id), Side(other_version.run_id))
    rows = read_compared_page(store, found, "hardest of a", limit=1000)
    rng = np.random.default_rng(seed)
    mask, conditions = pd.Series(True, rows.index), {}
    for side in "ab":
        low, high = sorted(rng.choice(51, 2, replace=False) * 2)
        conditions[f"percentiles_{side}"] = (low, high)
        mask &= (rows[f"percentile_{side}"] >= low) & (rows[f"percentile_{side}"] < high)
    if seed % 2:
        conditions["predicted_a"] = "fine"
        mask &= rows["predicted_a"] == "fine"
    if seed % 3:
        conditions["label"] = "good"
        mask &= rows["label_a"] == "good"
    if seed % 4 == 3:
        conditions |= {"outcome": "only b", "is_disagreement": True}
        mask &= (rows["predicted_b"] == rows["label_a"]) & (rows["predicted_a"] != rows["label_a"])
        mask &= rows["label_a"] == rows["label_b"]
    among = Among(**conditions)
    assert count_common(store, found, among) == mask.sum()
    page = read_compared_page(store, found, "hardest of a", among, limit=1000)
    assert page["example_id"].tolist() == rows["example_id"][mask].tolist()


def test_pages_of_the_moved_go_on_without_a_gap(store, runs):
    found = compare(store, Side(runs[0].run_id), Side(runs[1].run_id))
    pages = [read_compared_page(store, found, "harder in b", limit=50, offset=k) for k in range(0, N, 50)]
    whole = pd.concat(pages)
    assert whole["change"].is_monotonic_decreasing
    assert whole["example_id"].nunique() == N
    down = read_compared_page(store, found, "easier in b", limit=N)
    assert down["change"].is_monotonic_increasing
    for order in ORDERS:
        assert len(read_compared_page(store, found, order, limit=3, offset=N - 1)) == 1


def test_pages_out_of_range_are_refused(store, runs):
    found = compare(store, Side(runs[0].run_id), Side(runs[1].run_id))
    with pytest.raises(SettingError, match="were asked for"):
        read_compared_page(store, found, "hardest of a", offset=5_001)
    with pytest.raises(SettingError, match="'text'"):
        read_compared_page(store, found, "text")
    with pytest.raises(SettingError, match="outcome is 'right'"):
        Among(outcome="right")


def test_prediction_pairs_and_who_is_right_are_pandas_counts(store, runs, other_version):
    found = compare(store, Side(runs[0].run_id), Side(other_version.run_id))
    rows = read_compared_page(store, found, "hardest of a", limit=1000)
    pairs = count_prediction_pairs(store, found)
    oracle = rows.value_counts(["predicted_a", "predicted_b"])
    assert pairs.set_index(["predicted_a", "predicted_b"])["count"].to_dict() == oracle.to_dict()
    assert pairs.groupby("predicted_a")["share"].sum().to_numpy() == pytest.approx(1)
    assert count_agreeing(store, found) == ((rows["predicted_a"] == rows["predicted_b"]).sum(), len(rows))

    same = rows[rows["label_a"] == rows["label_b"]]
    a, b = (same[f"predicted_{side}"] == same["label_a"] for side in "ab")
    kinds = {"both": a & b, "only_a": a & ~b, "only_b": ~a & b, "neither": ~a & ~b}
    right = count_who_is_right(store, found).set_index("label")
    for name, mask in kinds.items():
        counts = same[mask].groupby("label_a").size().reindex(right.index, fill_value=0)
        assert right[name].tolist() == counts.tolist()
    assert right["n"].sum() == len(same)


def test_the_oldest_tables_make_place_and_come_back_when_they_are_asked(store, info, runs):
    run = runs[0].run_id
    first = compare(store, Side(run), Side(runs[1].run_id))
    before = find_rank_correlation(store, first)
    for seed in range(MAX_TABLES):
        compare(store, Side(run), Side(run, seed=seed))
    tables = store.rows("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'compared'")
    assert tables == [(MAX_TABLES,)]
    assert find_rank_correlation(store, first) == before
    assert query_comparison(store, first, "SELECT count(*) AS n FROM {table}")["n"].tolist() == [N]


def test_the_mean_of_the_last_step_is_the_run(store, runs):
    run = runs[0].run_id
    with pytest.raises(SettingError, match="Both sides are the same scores"):
        compare(store, Side(run), Side(run, step=8))
    with pytest.raises(SettingError, match="Both sides are the same scores"):
        compare(store, Side(run, seed=1), Side(run, step=8, seed=1))


def test_the_only_seed_is_the_mean(store, info):
    run = add_run(store, info, examples(), 7, n_seeds=1).run_id
    with pytest.raises(SettingError, match="Both sides are the same scores"):
        compare(store, Side(run), Side(run, seed=0))
    assert compare(store, Side(run), Side(run, step=4, seed=0)).b == Side(run, step=4)


def test_what_is_not_there_is_told(store, runs):
    run = runs[0].run_id
    with pytest.raises(NotFoundError, match="no finished run 'gone"):
        compare(store, Side("gone-20261122-120000-00aa"), Side(run))
    with pytest.raises(NotFoundError, match=r"no scores of seed 7 \(its steps are 4, 8; its seeds 0, 1, 2\)"):
        compare(store, Side(run), Side(run, seed=7))
    with pytest.raises(NotFoundError, match="no scores of step 5 and seed 1"):
        compare(store, Side(run, step=5, seed=1), Side(run))
    with pytest.raises(SettingError, match="EL2N and GraNd only, not confidence"):
        compare(store, Side(run), Side(run, seed=1), "confidence")
    with pytest.raises(SettingError, match="have no forgetting"):
        compare(store, Side(run), Side(runs[1].run_id), "forgetting")
    with pytest.raises(SettingError, match="not a score"):
        compare(store, Side(run), Side(runs[1].run_id), "label")


def test_runs_without_a_common_example_are_refused_every_time(store, runs):
    frame = examples(first=1000, n=30)
    other = add_run(store, add_data(store, frame, name="others"), frame, 4)
    for _ in range(2):
        with pytest.raises(SettingError, match="No example was scored by both"):
            compare(store, Side(runs[0].run_id), Side(other.run_id))


def test_retrain_runs_are_not_compared(store, info, runs):
    retrained = dataclasses.replace(runs[1], run_id="made-20261122-130000-00bb", kind="retrain")
    ingest_run(
        store,
        retrained,
        pd.DataFrame({"example_id": []}, dtype="str"),
        pd.DataFrame(columns=["seed"]),
        pd.DataFrame(columns=["arm"]),
    )
    with pytest.raises(RunStateError, match="is a retrain run"):
        compare(store, Side(runs[0].run_id), Side(retrained.run_id))
