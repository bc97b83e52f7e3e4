"""Percentiles of a score as a range of its values."""

import pytest

from diet_core.errors import NotFoundError, SettingError
from diet_core.selection.ranking import ranking
from diet_core.selection.shares import share_of
from diet_core.store.filters import ExampleFilter
from diet_core.store.queries.examples import read_page
from diet_core.store.queries.histograms import find_percentile_range


@pytest.mark.parametrize("score", ["el2n", "aum"])
@pytest.mark.parametrize(("low", "high"), [(0, 20), (80, 100), (12.5, 40), (0, 100), (99, 100)])
def test_percentile_range_holds_the_examples_of_those_ranks(
    store, scored, synthetic_scores, score, low, high
):
    """Beside them only what is tied with one of them."""
    smallest, largest = find_percentile_range(store, scored.run_id, score, low, high)
    chosen = ExampleFilter(score=score, low=smallest, high=largest)
    n = len(synthetic_scores)
    found = read_page(store, scored.run_id, filter=chosen, limit=n)
    order = ranking(synthetic_scores["example_id"].tolist(), synthetic_scores[score], score)
    easy_first = order[::-1]
    meant = synthetic_scores.iloc[easy_first[share_of(low / 100, n) : share_of(high / 100, n)]]
    assert set(meant["example_id"]) <= set(found["example_id"])
    assert set(found[score]) == set(meant[score])


def test_percentile_range_is_open_at_the_ends(store, scored):
    assert find_percentile_range(store, scored.run_id, "el2n", 0, 100) == (None, None)
    assert find_percentile_range(store, scored.run_id, "el2n", 0, 50)[0] is None
    assert find_percentile_range(store, scored.run_id, "aum", 0, 50)[1] is None  # a high one is easy


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        (50, 20, "50 and 20"),
        (-1, 20, "-1 and 20"),
        (0, 101, "0 and 101"),
        (float("nan"), 20, "nan and 20"),
        (20, 20, "No example lies between"),
        (20, 20.1, "of 216"),
    ],
)
def test_percentile_range_refuses(store, scored, low, high, message):
    with pytest.raises(SettingError, match=message):
        find_percentile_range(store, scored.run_id, "el2n", low, high)


def test_percentile_range_of_a_score_with_gaps_is_refused(store, scored):
    with pytest.raises(SettingError, match="216 of 216 examples have no forgetting"):
        find_percentile_range(store, scored.run_id, "forgetting", 0, 20)
    with pytest.raises(SettingError, match="is not a score"):
        find_percentile_range(store, scored.run_id, "1; --", 0, 20)


def test_percentile_range_of_an_unknown_run_is_refused(store):
    with pytest.raises(NotFoundError):
        find_percentile_range(store, "nobody-20261121-142530-1a2b", "el2n", 0, 20)
