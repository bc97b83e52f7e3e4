"""Ranks, positions and the tops of each step: what is worked out once, when a run is loaded."""

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from diet_core.errors import SettingError
from diet_core.runs.facts import read_facts
from diet_core.runs.folder import RunFolder
from diet_core.runs.steps import label_shares_table, step_tops_table
from diet_core.selection.ranking import ranking
from diet_core.store.filters import ExampleFilter
from diet_core.store.loading.ranks import RANKS, with_ranks
from diet_core.store.loading.runs import ingest_run, list_outdated_runs, read_scores
from diet_core.store.migrate import known_migrations, migrate
from diet_core.store.queries.class_stats import read_label_shares
from diet_core.store.queries.examples import count_examples
from diet_core.store.queries.one_example import read_example_scores, read_seed_matrix
from diet_core.store.store import open_store
from diet_core.tables import SCORES
from diet_core.workspace.ingest import reconcile
from tests.runs.stepped_runs import add_steps

NOTHING = pd.DataFrame()


def ranked_by(store, run_id: str, score: str) -> list[str]:
    found = store.rows(f"SELECT example_id FROM scores WHERE run_id = ? ORDER BY {RANKS[score]}", [run_id])
    return [row[0] for row in found]


@pytest.mark.parametrize("score", ["el2n", "aum", "correctness", "label_error"])
def test_ranks_are_those_of_the_ranking_whatever_the_order_of_the_rows(
    store, scored, synthetic_scores, score
):
    tied = synthetic_scores.assign(correctness=np.arange(216) % 3 / 2)
    expected = tied["example_id"].to_numpy()[ranking(tied["example_id"].tolist(), tied[score], score)]
    for rows in (tied, tied.sample(frac=1, random_state=3)):
        ingest_run(store, scored, rows, NOTHING, NOTHING)
        assert ranked_by(store, scored.run_id, score) == expected.tolist()
        ranks = store.rows(f"SELECT {RANKS[score]} FROM scores ORDER BY 1")
        assert [rank for (rank,) in ranks] == list(range(1, 217))
        in_class = store.frame(f"SELECT example_id, label, {RANKS[score]} AS r FROM scores")
        expected_in_class = in_class.groupby("label")["r"].rank()
        for row in range(0, 216, 25):
            said = read_example_scores(store, scored.run_id, in_class["example_id"][row], [score])
            assert said["rank_in_class"].tolist() == [expected_in_class[row]]


def test_a_score_that_one_example_lacks_has_no_ranks(store, scored, synthetic_scores):
    gap = synthetic_scores.assign(el2n=synthetic_scores["el2n"].where(synthetic_scores["example_id"] != "r7"))
    ingest_run(store, scored, gap, NOTHING, NOTHING)
    counted = store.rows("SELECT count(rank_el2n), count(rank_grand), count(rank_forgetting) FROM scores")
    assert counted == [(0, 216, 0)]


def test_equal_hashes_are_ordered_by_the_ids():
    table = pa.table(
        {"example_id": ["c", "a", "b"], "tie": pa.array([7, 7, 1], pa.uint64())}
        | {name: pa.array([0.5, 0.5, 0.5]) for name in SCORES}
    )
    assert with_ranks(table)["rank_el2n"].to_pylist() == [3, 2, 1]


def test_ranks_of_one_example_and_of_none():
    none = pa.table(
        {"example_id": pa.array([], pa.string()), "tie": pa.array([], pa.uint64())}
        | {name: pa.array([], pa.float64()) for name in SCORES}
    )
    assert len(with_ranks(none)) == 0
    one = pa.table({"example_id": ["a"], "tie": pa.array([7], pa.uint64())} | {n: [0.5] for n in SCORES})
    assert with_ranks(one)["rank_aum"].to_pylist() == [1]


def test_scores_lie_in_the_order_of_the_data_set(store, scored, synthetic_scores):
    ingest_run(store, scored, synthetic_scores.sample(frac=1, random_state=3), NOTHING, NOTHING)
    positions = store.rows("SELECT s.position, e.position FROM scores s JOIN examples e USING (example_id)")
    assert all(ours == theirs for ours, theirs in positions)
    stored = [row[0] for row in store.rows("SELECT position FROM scores")]
    assert stored == sorted(stored)


def test_step_tops_say_what_label_shares_say(copied, workspace):
    add_steps(copied, (0, 2, 4, 8))
    facts = read_facts(copied)
    tops = step_tops_table(facts)
    with open_store(workspace) as store:
        reconcile(store)
        for score, percent in (("el2n", 10), ("grand", 1), ("el2n", 100), ("grand", 37)):
            found = read_label_shares(store, copied.run_id, score, percent)
            expected = label_shares_table(facts, score, percent / 100)
            columns = ["step", "epoch", "is_reliable", "label", "share", "share_of_all"]
            pd.testing.assert_frame_equal(found[columns], expected[columns], check_dtype=False)
            counted = tops[(tops["score"] == score) & (tops["percent"] == percent)]
            assert found["count"].tolist() == counted["count"].tolist()
        with pytest.raises(SettingError, match="'loss' is not kept for every step"):
            read_label_shares(store, copied.run_id, "loss")
        with pytest.raises(SettingError, match="0 % were asked for"):
            read_label_shares(store, copied.run_id, percent=0)


@pytest.fixture
def old_database(workspace, store, copied):
    """A workspace as the version before ranks left it, with a loaded run of two seeds."""
    reconcile(store)
    run_id = copied.run_id
    rows = {
        name: store.frame(f"SELECT * FROM {name}") for name in ("datasets", "examples", "runs", "metrics")
    }
    scores = store.frame(f"SELECT * EXCLUDE (position, {', '.join(RANKS.values())}) FROM scores")
    seeds = store.frame(
        "SELECT s.run_id, seed, step, example_id, s.el2n, s.grand "
        "FROM seed_scores s JOIN scores USING (position)"
    )
    store.close()
    workspace.database.unlink()
    with duckdb.connect(workspace.database) as connection:
        migrate(connection, known_migrations()[:4])
        tables = rows | {"runs": rows["runs"].drop(columns="layout"), "scores": scores, "seed_scores": seeds}
        for name, table in tables.items():
            connection.register("incoming", table)
            connection.execute(f"INSERT INTO {name} BY NAME SELECT * FROM incoming")
            connection.unregister("incoming")
    return run_id


@pytest.mark.parametrize("has_folder", [True, False])
def test_a_run_of_an_older_version_gets_ranks_and_positions(workspace, old_database, has_folder):
    folder = RunFolder(workspace.runs / old_database)
    expected = read_facts(folder).examples["example_id"].tolist()
    if not has_folder:
        folder.config_file.unlink()
    with open_store(workspace) as store:
        assert list_outdated_runs(store) == [old_database]
        reconcile(store)
        assert list_outdated_runs(store) == []
        scores = read_scores(store, old_database)
        assert scores["example_id"].tolist() == expected
        by_rank = [expected[i] for i in ranking(expected, scores["el2n"], "el2n")]
        assert ranked_by(store, old_database, "el2n") == by_rank
        assert read_seed_matrix(store, old_database).shape == (2, len(expected))
        assert bool(len(read_label_shares(store, old_database))) == has_folder
        assert reconcile(store) == []


def test_ranges_of_several_scores_hold_together(store, scored, synthetic_scores):
    chosen = ExampleFilter(low=0.3, ranges=(("aum", None, 2.0), ("confidence", 0.2, 0.8)))
    expected = synthetic_scores[
        (synthetic_scores["el2n"] >= 0.3)
        & (synthetic_scores["aum"] <= 2.0)
        & synthetic_scores["confidence"].between(0.2, 0.8)
    ]
    assert count_examples(store, scored.run_id, chosen) == len(expected)
    with pytest.raises(SettingError, match="'text' is not a score"):
        ExampleFilter(ranges=(("text", 0, 1),))
