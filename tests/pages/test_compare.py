"""The page that compares two runs, as Streamlit runs it."""

from __future__ import annotations

import pytest

from diet_core.store.comparison.compare import compare
from diet_core.store.comparison.results import Among, count_common, read_compared_page
from diet_core.store.comparison.sides import Side
from tests.pages.app_pages import app, shown
from tests.store.compared_runs import N, add_data, add_run, examples

pytestmark = pytest.mark.usefixtures("fresh_caches")


@pytest.fixture
def info(store):
    return add_data(store, examples())


@pytest.fixture
def runs(store, info):
    """The older and the newer of two runs."""
    return [add_run(store, info, examples(), 1), add_run(store, info, examples(), 2, seeds=5)]


@pytest.fixture
def found(store, runs):
    """What the page compares at first: the newer run is A."""
    return compare(store, Side(runs[1].run_id), Side(runs[0].run_id))


def figures(test) -> dict[str, str]:
    return {metric.label: metric.value for metric in test.metric}


def test_the_newest_run_is_compared_with_the_one_before(store, runs, found):
    test = app("compare")
    assert not test.exception
    assert test.selectbox(key="run").value == runs[1].run_id
    assert test.selectbox(key="other").value == runs[0].run_id
    assert figures(test)["Common examples"] == f"{N}"
    assert "Seeds 5 / 3" in shown(test).replace("**", "")
    rows = test.dataframe[0].value
    oracle = read_compared_page(store, found, "harder in b")
    assert rows["change"].tolist() == oracle["change"].tolist()
    assert rows["text"].tolist() == oracle["text"].tolist()


def test_the_address_is_restored(store, runs, found):
    test = app(
        "compare",
        run=runs[0].run_id,
        other=runs[0].run_id,
        step="4",
        seed="1",
        other_seed="2",
        score="grand",
        moved="Hardest of B",
        percentiles="0-50,20-100",
    )
    assert not test.exception
    assert not test.error
    side = Side(runs[0].run_id, seed=2)
    seeds = compare(store, Side(runs[0].run_id, step=4, seed=1), side, "grand")
    among = Among(percentiles_a=(0, 50), percentiles_b=(20, 100))
    oracle = read_compared_page(store, seeds, "hardest of b", among)
    assert test.dataframe[0].value["value_a"].tolist() == oracle["value_a"].tolist()
    assert f"of {count_common(store, seeds, among):,}" in shown(test)
    assert test.query_params["percentiles"] == "0-50,20-100"


def test_a_run_alone_in_its_data_set_is_compared_with_its_first_seed(store, info):
    frame = examples(first=1000, n=30)
    add_run(store, add_data(store, frame, name="others"), frame, 1)
    run = add_run(store, info, examples(), 2)
    test = app("compare")
    assert not test.exception
    assert not test.error
    assert (test.selectbox(key="run").value, test.selectbox(key="other").value) == (run.run_id, run.run_id)
    assert (test.selectbox(key="seed").value, test.selectbox(key="other_seed").value) == ("mean", "0")
    assert test.selectbox(key="score").options == ["EL2N", "GraNd"]
    assert "A / B: Seed mean of all / 0" in shown(test).replace("**", "")


def test_the_same_side_twice_is_told(store, runs):
    test = app("compare", run=runs[0].run_id, other=runs[0].run_id, other_seed="mean")
    assert "Both sides are the same scores. Choose another run, step or seed" in shown(test)
    test.selectbox(key="other_step").set_value("4").run()
    assert not test.error
    assert not test.exception


def test_a_run_that_is_gone_is_told(store, runs):
    test = app("compare", run="gone-20261122-120000-00aa", other=runs[0].run_id)
    assert not test.exception
    assert "was not found" in test.warning[0].value.replace("\\", "")


def test_runs_without_common_examples_are_told(store, runs):
    frame = examples(first=1000, n=30)
    other = add_run(store, add_data(store, frame, name="others"), frame, 3)
    test = app("compare", run=other.run_id, other=runs[0].run_id)
    assert "No example was scored by both" in shown(test)


def test_ids_that_mean_other_texts_are_warned_of(store, runs):
    frame = examples()
    frame["text"] = "something else"
    other = add_run(store, add_data(store, frame, name="others"), frame, 3)
    test = app("compare", run=other.run_id, other=runs[0].run_id)
    assert "200 of the 200 examples with a common id have another text in B" in test.warning[0].value


def test_without_two_runs_the_page_leads_to_score(workspace, store):
    assert "There is no scored run yet" in shown(app("compare"))


def test_swap_exchanges_the_sides(store, runs, found):
    test = app("compare", other_seed="1")
    test.button(key="swap").click().run()
    assert not test.exception
    assert test.selectbox(key="run").value == runs[0].run_id
    assert (test.selectbox(key="seed").value, test.selectbox(key="other_seed").value) == ("1", "mean")
    assert test.query_params["other"] == runs[1].run_id


def test_predictions_show_the_pair_of_the_address(store, runs, found):
    test = app("compare", view="Predictions", predicted="good", other_predicted="bad")
    assert not test.exception
    pair = Among(predicted_a="good", predicted_b="bad")
    rows = test.dataframe[1].value
    assert set(rows["predicted_a"]) == {"good"}
    assert set(rows["predicted_b"]) == {"bad"}
    assert f"of {count_common(store, found, pair):,}, hardest of A first" in shown(test)
    test.button(key="clear pair").click().run()
    assert f"of {count_common(store, found, Among(is_disagreement=True)):,}" in shown(test)
    assert "predicted" not in test.query_params


def test_predictions_count_who_is_right(store, runs, found):
    test = app("compare", view="Predictions", outcome="Only B right")
    table = test.dataframe[0].value.set_index("label")
    assert table.loc["All", "n"] == N
    assert table.loc["All", "only_b"] == count_common(store, found, Among(outcome="only b"))
    assert f"of {table.loc['All', 'only_b']:,}, hardest of A first" in shown(test)
    test.selectbox(key="class").set_value("fine").run()
    n = table.loc["fine", "only_b"]
    assert f"1 to {n} of {n}" in shown(test)


def test_hardest_shows_both_ends_and_their_places(store, runs, found):
    test = app("compare", view="Hardest")
    assert not test.exception
    shared, a, b = (test.dataframe[i].value for i in range(3))
    assert shared["percent"].tolist() == [1, 5, 10, 30]
    assert a["place_a"].tolist() == list(range(1, 51))
    assert b["place_b"].tolist() == list(range(1, 51))
    assert (a["place_b"] <= 2).sum() == (b["place_a"] <= 2).sum() or len(a) == 50


def test_settings_put_what_differs_first(store, runs, found):
    test = app("compare", view="Settings")
    assert not test.exception
    settings, data = (test.dataframe[i].value for i in range(2))
    assert settings.iloc[0].tolist() == ["≠", "Seeds", "5", "3"]
    assert settings["differs"].tolist()[1:] == [""] * (len(settings) - 1)
    assert data["Count"].tolist() == [N, 0, 0, 0, 0]


def test_texts_are_shown_as_they_are(store):
    frame = examples()
    frame["text"] = [f"<b>no</b> **{i}** $x$" for i in range(N)]
    info = add_data(store, frame)
    for number in (1, 2):
        add_run(store, info, frame, number)
    test = app("compare")
    assert any(element.value.startswith("<b>no</b> **") for element in test.text)
    assert not any("<b>no" in element.value for element in test.markdown)
