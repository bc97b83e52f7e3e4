import dataclasses

import numpy as np
import pandas as pd
import pytest

from diet_core.errors import NotFoundError, SettingError
from diet_core.selection.ranking import ranking
from diet_core.store.filters import ExampleFilter
from diet_core.store.loading.datasets import add_dataset
from diet_core.store.loading.runs import ingest_run
from diet_core.store.queries.class_stats import count_confusions
from diet_core.store.queries.examples import count_examples, list_available_scores, read_page
from diet_core.store.queries.histograms import read_histogram
from diet_core.store.queries.one_example import find_example, read_example_scores
from diet_core.tables import SCORES

NOTHING = pd.DataFrame()


def passing(scores: pd.DataFrame, examples: pd.DataFrame, chosen: ExampleFilter) -> pd.Series:
    """The slow, obvious meaning of a filter, on the scores table."""
    text = scores["example_id"].map(examples.set_index("example_id")["text"])
    passes = text.str.lower().str.contains(chosen.search.lower(), regex=False)
    if chosen.label is not None:
        passes &= scores["label"] == chosen.label
    if chosen.predicted_label is not None:
        passes &= scores["predicted_label"] == chosen.predicted_label
    if chosen.agreement != "all":
        passes &= (scores["label"] == scores["predicted_label"]) == (chosen.agreement == "agree")
    if chosen.low is not None:
        passes &= scores[chosen.score] >= chosen.low
    if chosen.high is not None:
        passes &= scores[chosen.score] <= chosen.high
    return passes


FILTERS = [
    ExampleFilter(),
    ExampleFilter(label="positive"),
    ExampleFilter(predicted_label="negative", agreement="disagree"),
    ExampleFilter(agreement="agree", search="REVIEW 2"),
    ExampleFilter(score="grand", low=1.0, high=2.0, label="negative"),
    ExampleFilter(search="100 %"),
    ExampleFilter(search="' OR 1=1 --"),
]


@pytest.mark.parametrize("chosen", FILTERS)
def test_filter_means_the_same_everywhere(store, scored, reviews, synthetic_scores, chosen):
    wanted = synthetic_scores[passing(synthetic_scores, reviews.examples, chosen)]
    assert count_examples(store, scored.run_id, chosen) == len(wanted)
    assert read_histogram(store, scored.run_id, "el2n", chosen)["count_filtered"].sum() == len(wanted)
    page = read_page(store, scored.run_id, filter=chosen, limit=1000)
    assert sorted(page["example_id"]) == sorted(wanted["example_id"])


@pytest.mark.parametrize("by", ["el2n", "confidence", "correctness", "aum"])
def test_pages_follow_the_ranking_with_its_ties(store, scored, synthetic_scores, by):
    ids = synthetic_scores["example_id"].to_numpy()
    order = ids[ranking(ids.tolist(), synthetic_scores[by], by)].tolist()
    pages = [
        read_page(store, scored.run_id, by=by, offset=offset)["example_id"] for offset in range(0, 216, 50)
    ]
    assert [len(page) for page in pages] == [50, 50, 50, 50, 16]
    assert [example_id for page in pages for example_id in page] == order
    easiest = read_page(store, scored.run_id, by=by, order="easiest", limit=1000)
    assert easiest["example_id"].tolist() == order[::-1]


def test_a_page_has_texts_labels_and_scores(store, scored, reviews):
    row = read_page(store, scored.run_id, limit=1).iloc[0]
    assert row["example_id"] == "r1"
    assert row["text"] == reviews.examples["text"][1]
    assert (row["label"], row["predicted_label"], row["suggested_label"]) == (
        "positive",
        "negative",
        "negative",
    )
    assert row["grand"] == pytest.approx(11.2)
    assert set(SCORES) <= set(row.index)


def test_a_page_beyond_the_end_is_empty(store, scored):
    assert len(read_page(store, scored.run_id, offset=10_000)) == 0


def test_texts_of_another_version_do_not_mix_in(store, scored, reviews):
    examples = reviews.examples.assign(text="other")
    add_dataset(store, dataclasses.replace(reviews, examples=examples), overwrite=True)
    assert len(read_page(store, scored.run_id, limit=1000)) == 216
    assert count_examples(store, scored.run_id, ExampleFilter(search="other")) == 0


def test_a_score_with_missing_values_is_not_ranked(store, scored):
    with pytest.raises(SettingError, match="216 of 216 examples have no forgetting"):
        read_page(store, scored.run_id, by="forgetting")
    with pytest.raises(SettingError, match="no values of forgetting"):
        read_histogram(store, scored.run_id, "forgetting")
    assert list_available_scores(store, scored.run_id) == [
        name for name in SCORES if name not in ("variability", "forgetting") and not name.endswith("_oof")
    ]


@pytest.mark.parametrize("name", ["el2n; DROP TABLE runs", "label", "el2n_std", ""])
def test_only_scores_become_columns(store, scored, name):
    for call in (
        lambda: read_histogram(store, scored.run_id, name),
        lambda: read_page(store, scored.run_id, by=name),
        lambda: ExampleFilter(score=name),
    ):
        with pytest.raises(SettingError, match="is not a score"):
            call()


@pytest.mark.parametrize(("limit", "offset"), [(0, 0), (1001, 0), (50, -1)])
def test_a_page_is_bounded(store, scored, limit, offset):
    with pytest.raises(SettingError, match="1 to 1000 rows"):
        read_page(store, scored.run_id, limit=limit, offset=offset)


@pytest.mark.parametrize("bins", [0, 1001])
def test_a_histogram_is_bounded(store, scored, bins):
    with pytest.raises(SettingError, match="bins is"):
        read_histogram(store, scored.run_id, "el2n", bins=bins)


def test_an_unknown_agreement_is_refused():
    with pytest.raises(SettingError, match="agreement is 'maybe'"):
        ExampleFilter(agreement="maybe")


def test_histogram_counts_every_value_once(store, scored, synthetic_scores):
    found = read_histogram(store, scored.run_id, "el2n", bins=7)
    counts, edges = np.histogram(synthetic_scores["el2n"], bins=7)
    assert found["count"].tolist() == counts.tolist()
    np.testing.assert_allclose(found["bin_start"], edges[:-1])
    np.testing.assert_allclose(found["bin_end"], edges[1:])


def test_one_outlier_does_not_flatten_the_histogram(store, scored, synthetic_scores):
    grand = synthetic_scores["grand"].where(synthetic_scores["example_id"] != "r1", 1e6)
    ingest_run(store, scored, synthetic_scores.assign(grand=grand), NOTHING, NOTHING)
    found = read_histogram(store, scored.run_id, "grand")
    assert found["bin_end"].max() < 20
    assert found["count"].sum() == 216
    assert found["highest"].max() == 1e6


def test_a_histogram_of_equal_values_has_one_bar(store, scored, synthetic_scores):
    ingest_run(store, scored, synthetic_scores.assign(grand=2.0), NOTHING, NOTHING)
    found = read_histogram(store, scored.run_id, "grand", bins=5)
    assert found["count"].tolist() == [0, 0, 216, 0, 0]


def test_example_scores_rank_as_the_ranking(store, scored, synthetic_scores):
    ids = synthetic_scores["example_id"].tolist()
    for example_id in ("r1", "r55", "r239"):
        found = read_example_scores(store, scored.run_id, example_id).set_index("score")
        assert set(found["n"]) == {216}
        for by in found.index:
            order = [ids[row] for row in ranking(ids, synthetic_scores[by], by)]
            assert found["rank"][by] == order.index(example_id) + 1


def test_example_gives_none_where_there_is_nothing(store, scored):
    found = find_example(store, scored.run_id, "r1")
    assert found["text_pair"] is None
    assert found["suggested_label"] == "negative"


def test_unknown_runs_and_examples_are_clear_errors(store, scored):
    for call in (read_histogram, read_example_scores, find_example):
        with pytest.raises(NotFoundError, match="no finished run 'nowhere'"):
            call(store, "nowhere", "el2n")
    for call in (count_examples, list_available_scores, read_page):
        with pytest.raises(NotFoundError, match="no finished run 'nowhere'"):
            call(store, "nowhere")
    for call in (read_example_scores, find_example):
        with pytest.raises(NotFoundError, match="did not score an example 'r0'"):
            call(store, scored.run_id, "r0")


def test_example_scores_rank_within_the_class_too(store, scored, synthetic_scores):
    found = read_example_scores(store, scored.run_id, "r55", ["el2n", "aum"]).set_index("score")
    of_class = synthetic_scores[synthetic_scores["label"] == "positive"]
    ids = of_class["example_id"].tolist()
    assert found.index.tolist() == ["el2n", "aum"]
    assert set(found["n_in_class"]) == {len(ids)}
    for by in found.index:
        order = [ids[row] for row in ranking(ids, of_class[by], by)]
        assert found["rank_in_class"][by] == order.index("r55") + 1


def test_example_scores_takes_scores_only(store, scored):
    with pytest.raises(SettingError, match="is not a score"):
        read_example_scores(store, scored.run_id, "r1", ["label"])


def test_a_page_of_long_texts_can_be_cut(store, scored, reviews):
    whole = read_page(store, scored.run_id)["text"].tolist()
    cut = read_page(store, scored.run_id, text_length=12)["text"].tolist()
    assert cut == [text if len(text) <= 12 else text[:12] + "…" for text in whole]


def test_label_matrix_counts_each_pair(store, scored, synthetic_scores):
    found = count_confusions(store, scored.run_id)
    counts = found.set_index(["label", "predicted_label"])["count"].to_dict()
    expected = synthetic_scores.value_counts(["label", "predicted_label"]).to_dict()
    assert counts == expected
    assert found.groupby("label")["share"].sum().tolist() == pytest.approx([1, 1])
    assert found["count"].is_monotonic_decreasing
    assert len(count_confusions(store, scored.run_id, limit=1)) == 1


def test_label_matrix_of_an_unknown_run_is_a_clear_error(store):
    with pytest.raises(NotFoundError, match="no finished run 'nowhere'"):
        count_confusions(store, "nowhere")
