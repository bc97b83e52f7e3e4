"""`bench store`: what its figures count, the run that it makes, and what it refuses."""

from __future__ import annotations

import itertools
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from bench.store import store as bench
from bench.store.ingest import peak_mb
from bench.store.operations import OPERATIONS, subject_of
from bench.synthetic.examples import CLASSES, SHARES, made_examples, made_ids, made_texts
from bench.synthetic.multiply import multiply_run
from bench.synthetic.run import RUN_ID, SEEDS, STEPS, made_logits
from bench.synthetic.workspace import make_run_folder
from diet_core.errors import SettingError
from diet_core.review.seeds import run_agreement
from diet_core.runs.facts import read_facts
from diet_core.runs.scores import scores_table
from diet_core.scoring.agreement import seed_agreement
from diet_core.scoring.el2n import error_norms
from diet_core.store.loading.runs import read_metrics
from diet_core.store.queries.class_stats import read_label_shares
from diet_core.workspace.ingest import ingest


@pytest.fixture
def subject(store):
    ingest(store, make_run_folder(store.workspace, 2_000, with_features=False))
    return subject_of(store, RUN_ID)


def sizes_of(**seconds: tuple[float, float]) -> dict[str, dict]:
    """Figures of sizes n100, n1000, …: seconds of loading, and milliseconds of a count."""
    return {
        name.removeprefix("n"): {
            "ingest": {"seconds": s},
            "operations": {"count": {"median": ms, "p95": 9.0}},
        }
        for name, (s, ms) in seconds.items()
    }


def test_growth_is_that_from_a_tenth_to_the_largest_size():
    found = bench.growth(sizes_of(n10=(0.1, 1.0), n100=(0.5, 2.0), n1000=(4.0, 10.0)))
    assert found == {"rows": 100, "to": 1000, "ingest": 8.0, "operations": {"count": 5.0}}


def test_growth_is_unknown_without_a_tenth_of_the_largest_size():
    assert bench.growth(sizes_of(n10=(0.1, 1.0), n300=(0.5, 2.0))) is None


def test_growth_of_the_loading_is_unknown_where_a_run_was_not_loaded():
    sizes = sizes_of(n100=(0.5, 2.0), n1000=(0.0, 10.0))
    sizes["1000"]["ingest"] = None
    assert bench.growth(sizes)["ingest"] is None


def test_times_are_median_and_p95_and_the_first_call_does_not_count():
    clock = iter([0.0, 9.0, 10.0, 10.001, 20.0, 20.002, 30.0, 30.003])
    found = bench.time_operations(None, 3, {"count": lambda subject, turn: None}, lambda: next(clock))
    assert found == {"count": {"median": pytest.approx(2), "p95": pytest.approx(2.9)}}


def test_every_operation_finds_something(subject):
    for number, (name, operation) in enumerate(OPERATIONS.items()):
        assert operation(subject, number) is not None, name


def test_arguments_differ_from_turn_to_turn(subject):
    assert len({subject.filter(turn) for turn in range(20)}) == 20
    assert len({subject.score(turn) for turn in range(len(subject.scores))}) == len(subject.scores)


def test_too_few_rows_are_refused(refused):
    assert "Give at least 2,000" in refused("bench", "store", "--rows", "500")
    assert "Give a multiple of 1,000,000" in refused("bench", "store", "--rows", "1500000")
    assert "not to bench store" in refused("bench", "store", "--dataset", "tweets")
    assert "not to bench store" in refused("bench", "store", "--pages", "desk")


def test_a_full_disk_is_refused_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=2e9))
    bench.check_disk(1_000_000, tmp_path)
    with pytest.raises(
        SettingError, match=r"10,000,000 examples need about 20.0 GB .* has 2.0 GB\. Give fewer"
    ):
        bench.check_disk(10_000_000, tmp_path)


def test_peak_of_memory_is_more_than_python_alone_takes():
    peak = peak_mb()
    assert peak is None or 20 < peak < 100_000


def test_made_examples_have_unequal_classes_and_known_errors():
    made = made_examples(np.random.default_rng(0), 20_000)
    shares = np.bincount(made.truth, minlength=len(CLASSES)) / 20_000
    assert shares == pytest.approx(SHARES, abs=0.01)
    assert np.mean(made.labels != made.truth) == pytest.approx(0.04, abs=0.005)
    assert made.table.column("label").to_pylist() == [CLASSES[k] for k in made.labels]


def test_made_ids_are_sixteen_hex_digits_and_differ():
    ids = made_ids(np.random.default_rng(0), 1_000).to_pylist()
    assert len(set(ids)) == 1_000
    assert {len(i) for i in ids} == {16}
    assert set("".join(ids)) <= set("0123456789abcdef")


def test_made_texts_have_eight_words_or_more_and_some_repeat_the_one_before():
    texts = made_texts(np.random.default_rng(0), 5_000).to_pylist()
    lengths = [len(text.split()) for text in texts]
    assert min(lengths) >= 8
    assert max(lengths) <= 60
    same = sum(a == b for a, b in itertools.pairwise(texts))
    longer = sum(f"{a} again" == b for a, b in itertools.pairwise(texts))
    assert 20 < same < 90
    assert 20 < longer < 90


def test_no_examples_have_no_texts():
    assert made_texts(np.random.default_rng(0), 0).to_pylist() == []


def test_a_made_seed_ranks_like_the_mean_of_all_as_in_the_paper():
    """Fayyaz et al. 2022, §4: 0.9311 ± 0.0042."""
    made = made_examples(np.random.default_rng(0), 20_000)
    logits = made_logits(np.random.default_rng(1), made.truth)
    found = seed_agreement(error_norms(logits[:, -1], made.labels))
    assert np.mean(found["single"]) == pytest.approx(0.93, abs=0.01)


def test_most_made_examples_are_easy_and_some_are_hard(workspace):
    scores = scores_table(read_facts(make_run_folder(workspace, 5_000, with_features=False)))
    assert scores["el2n"].median() < 0.1
    assert 0.05 < np.mean(scores["label"] != scores["predicted_label"]) < 0.12
    assert scores["variability"].notna().all()
    assert scores["el2n"].quantile(0.99) > 1.2


def test_a_made_run_s_folder_holds_what_a_worker_leaves(workspace, store):
    folder = make_run_folder(workspace, 2_000)
    status, results = folder.status(), [folder.result(f"seed-{seed}") for seed in range(SEEDS)]
    assert (status.state, len(status.seed_agreement["single"])) == ("done", SEEDS)
    assert status.flows[0].keys() == {"given", "true", "share"}
    assert all((r["steps"], r["n_train"]) == (list(STEPS), 2_000) for r in results)
    ingest(store, folder)
    assert run_agreement(store, RUN_ID) == status.seed_agreement
    assert len(read_metrics(store, RUN_ID)) == SEEDS


def test_a_multiplied_run_has_each_score_so_many_times_and_every_rank_once(store):
    ingest(store, make_run_folder(store.workspace, 2_000, with_features=False))
    multiply_run(store, RUN_ID, 3, bench.MULTIPLIED)
    subject, one = subject_of(store, bench.MULTIPLIED), subject_of(store, RUN_ID)
    assert subject.n == 6_000
    assert subject.examples.positions.tolist() == list(range(6_000))
    assert sorted(subject.ranked.ranks) == list(range(1, 6_001))
    assert np.array_equal(subject.ranked.values, np.tile(one.ranked.values, 3))
    by_rank = subject.ranked.values[subject.ranked.order]
    assert np.array_equal(by_rank, np.repeat(one.ranked.values[one.ranked.order], 3))
    shares = (read_label_shares(store, run_id, "el2n", 10)["share"] for run_id in (RUN_ID, bench.MULTIPLIED))
    assert np.allclose(*shares)


def test_beyond_a_million_the_loading_is_left_out(workspace, monkeypatch):
    monkeypatch.setattr(bench, "MOST_LOADED", 2_000)
    found = bench.at_size(workspace, 4_000, 1, lambda step: None)
    assert found["ingest"] is None
    assert found["operations"].keys() == OPERATIONS.keys()
    assert found["database_mb"] > 1
