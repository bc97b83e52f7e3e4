"""Benchmarks: how ratios come about, and that each one runs its ways and names its figures."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bench.rounds import Rounds, median_interval, race

SETTINGS = ("--rows", "90", "--rounds", "2")


def test_a_ratio_is_the_median_of_the_rounds_ratios():
    """Not the ratio of the medians, which would be 4 / 2."""
    rounds = Rounds({"a": [1.0, 4.0, 10.0], "b": [1.0, 2.0, 4.0]})
    assert rounds.ratio("a", "b") == {"median": 2.0, "low": 1.0, "high": 2.5}
    assert rounds.median("a") == 4.0


@pytest.mark.parametrize(
    ("n", "low", "high"), [(1, 0, 0), (5, 0, 4), (6, 0, 5), (8, 0, 7), (9, 1, 7), (15, 3, 11)]
)
def test_the_median_s_interval_holds_it_in_95_of_100_cases(n, low, high):
    """The ranks are those of the sign test, as tables of order statistics give them."""
    values = list(np.random.default_rng(0).permutation(n).astype(float))
    assert median_interval(values) == (low, high)


def test_the_order_of_the_ways_turns_around_from_round_to_round():
    seen: list[tuple[str, int]] = []

    def way(name: str):
        return lambda number: lambda: seen.append((name, number))

    done: list[int] = []
    rounds = race({"a": way("a"), "b": way("b")}, 3, done.append)
    assert seen == [("a", 0), ("b", 0), ("b", 1), ("a", 1), ("a", 2), ("b", 2)]
    assert done == [1, 2, 3]
    assert [len(seconds) for seconds in rounds.seconds.values()] == [3, 3]
    assert all(second >= 0 for seconds in rounds.seconds.values() for second in seconds)


def test_what_prepares_a_round_is_not_timed():
    import time

    def slow_to_prepare(_: int):
        time.sleep(0.2)
        return lambda: None

    assert max(race({"a": slow_to_prepare}, 2).seconds["a"]) < 0.1


@pytest.fixture
def timed(said, imported, tiny_model, monkeypatch):
    """A function that runs a benchmark on the tiny model and leaves torch as it was."""
    monkeypatch.setenv("GOMP_SPINCOUNT", "1")

    def timed(name: str) -> dict:
        try:
            return said("bench", name, "--dataset", "sentences", "--model", tiny_model, *SETTINGS)
        finally:
            torch.use_deterministic_algorithms(False)

    return timed


def is_ratio(figure: dict) -> bool:
    return 0 < figure["low"] <= figure["median"] <= figure["high"]


def test_bench_scoring_compares_three_ways(timed):
    found = timed("scoring")
    assert {"bench": "scoring", "dataset": "sentences", "rows": 90, "rounds": 2}.items() <= found.items()
    assert set(found["examples_per_second"]) == {"ours", "forward", "backward_per_example"}
    assert is_ratio(found["ours_in_forward_passes"])
    assert is_ratio(found["faster_than_backward_per_example"])


def test_bench_gradnorm_compares_three_ways_and_tells_the_error(timed):
    found = timed("gradnorm")
    assert is_ratio(found["ours_in_forward_backward_passes"])
    assert is_ratio(found["faster_than_backward_per_example"])
    assert found["largest_relative_error"] < 1e-4


def test_bench_training_compares_with_the_trainer_at_equal_terms(timed):
    found = timed("training")
    assert is_ratio(found["faster_than_trainer"])
    assert is_ratio(found["faster_than_trainer_best"])
    assert set(found["accuracy"]) == {"ours", "trainer", "trainer_best"}
    for accuracy in found["accuracy"].values():
        assert len(accuracy["each"]) == 2
        assert 0 <= accuracy["mean"] <= 1


def test_bench_prints_a_line_per_figure(run_verb, imported, tiny_model):
    status, out, err = run_verb("bench", "scoring", "--model", tiny_model, "--rows", "70", "--rounds", "1")
    torch.use_deterministic_algorithms(False)
    assert status == 0
    assert "ours in forward passes: " in out
    assert "round 1 of 1" in err


def test_bench_refuses_what_it_cannot_measure(refused, imported, tiny_model):
    assert "--rows is 0" in refused("bench", "scoring", "--rows", "0")
    assert "--rounds is -1" in refused("bench", "scoring", "--rounds", "-1")
    assert "too few to measure" in refused("bench", "scoring", "--model", tiny_model, "--rows", "10")
    assert "Choose a data set" in refused("bench", "scoring", "--model", tiny_model, "--rows", "10")
