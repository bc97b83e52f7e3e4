"""Charts as Vega-Lite with Arrow tables: what a page sends is what altair would draw."""

from __future__ import annotations

import threading

import altair as alt
import pandas as pd
import pyarrow as pa

from diet_core.charts.render import vega_lite

ROWS = pd.DataFrame({"x": [1, 2, 3], "label": ["a", "b", None]}, index=[4, 7, 9])


def table_of(spec: dict, name: str) -> pd.DataFrame:
    with pa.ipc.open_stream(spec["datasets"][name]) as stream:
        return stream.read_pandas()


def test_the_table_of_a_chart_is_all_of_its_rows_without_their_index():
    spec = vega_lite(alt.Chart(ROWS).mark_bar().encode(x="x:Q"))
    found = table_of(spec, spec["data"]["name"])
    assert found["x"].tolist() == [1, 2, 3]
    assert found["label"].isna().tolist() == [False, False, True]
    assert list(found.index) == [0, 1, 2]


def test_each_table_of_a_layered_chart_has_a_name_of_its_own():
    other = pd.DataFrame({"y": [5]})
    layers = [alt.Chart(ROWS).mark_bar().encode(x="x:Q"), alt.Chart(other).mark_rule().encode(y="y:Q")]
    spec = vega_lite(alt.LayerChart(layer=layers))
    names = [layer["data"]["name"] for layer in spec["layer"]]
    assert [list(table_of(spec, name)) for name in names] == [["x", "label"], ["y"]]


def test_more_rows_than_altair_takes_by_itself_are_sent():
    many = pd.DataFrame({"x": range(6000)})
    spec = vega_lite(alt.Chart(many).mark_point().encode(x="x:Q"))
    assert len(table_of(spec, spec["data"]["name"])) == 6000


def test_without_its_tables_the_chart_is_altairs_own():
    chart = alt.Chart(ROWS, width="container").mark_bar().encode(x="x:Q", color="label:N")
    spec, plain = vega_lite(chart), chart.to_dict()
    assert {k: v for k, v in spec.items() if k in ("mark", "encoding", "width")} == {
        k: v for k, v in plain.items() if k in ("mark", "encoding", "width")
    }
    assert "config" not in spec  # the sizes of altair's theme


def test_threads_do_not_mix_their_tables():
    found: dict[int, list[int]] = {}

    def draw(n: int) -> None:
        for _ in range(5):
            spec = vega_lite(alt.Chart(pd.DataFrame({"x": [n]})).mark_bar().encode(x="x:Q"))
            found.setdefault(n, []).append(table_of(spec, spec["data"]["name"])["x"].iloc[0])

    threads = [threading.Thread(target=draw, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {n: [n] * 5 for n in range(4)}


def test_altair_is_left_as_it_was():
    before = alt.data_transformers.active, alt.theme.active
    vega_lite(alt.Chart(ROWS).mark_bar().encode(x="x:Q"))
    assert (alt.data_transformers.active, alt.theme.active) == before
