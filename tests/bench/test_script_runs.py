"""What frames between app and browser come to: times, bytes and marks, worked out by hand."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.VegaLiteChart_pb2 import VegaLiteChart

from bench.pages.controls import above_bars, control_figures
from bench.pages.script_runs import Frame, ScriptRun, chart_marks, is_finished, script_run


def asked(at: float) -> Frame:
    message = BackMsg()
    message.rerun_script.query_string = "run=made"
    return Frame(at, True, message.SerializeToString())


def sent(at: float, message: ForwardMsg) -> Frame:
    return Frame(at, False, message.SerializeToString())


def begun(at: float) -> Frame:
    message = ForwardMsg()
    message.new_session.SetInParent()
    return sent(at, message)


def ended(at: float) -> Frame:
    return sent(at, ForwardMsg(script_finished=ForwardMsg.FINISHED_SUCCESSFULLY))


def drawn(at: float, chart: VegaLiteChart, hash: str = "") -> Frame:
    message = ForwardMsg(hash=hash)
    message.delta.new_element.vega_lite_chart.CopyFrom(chart)
    return sent(at, message)


def rows(n: int) -> bytes:
    """An Arrow stream of so many rows."""
    table = pa.table({"x": list(range(n))})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table, max_chunksize=2)
    return sink.getvalue().to_pybytes()


def chart(spec: dict, **datasets: int) -> VegaLiteChart:
    found = VegaLiteChart(spec=json.dumps(spec))
    for name, n in datasets.items():
        named = found.datasets.add(name=name, has_name=True)
        named.data.data = rows(n)
    return found


def test_a_run_lasts_from_the_asking_to_its_end_and_weighs_what_was_received():
    frames = [asked(10.0), begun(10.1), ended(10.25)]
    found = script_run(frames, {})
    assert found.milliseconds == pytest.approx(250)
    assert found.n_bytes == len(frames[1].payload) + len(frames[2].payload)
    assert (found.marks, found.runs) == ((), 1)


def test_a_run_that_asks_for_another_one_lasts_until_the_end_of_that():
    frames = [asked(1.0), begun(1.1), ended(1.2), begun(1.3), ended(1.5)]
    assert script_run(frames, {}).milliseconds == pytest.approx(500)
    assert script_run(frames, {}).runs == 2


@pytest.mark.parametrize(
    ("frames", "is_over"),
    [
        ([], False),
        ([begun(1.0), ended(2.0)], False),  # nobody asked
        ([asked(1.0)], False),
        ([asked(1.0), begun(1.1)], False),
        ([asked(1.0), begun(1.1), ended(1.2)], True),
        ([asked(1.0), begun(1.1), ended(1.2), begun(1.3)], False),  # another one is under way
        ([asked(1.0), begun(1.1), ended(1.2), asked(1.3)], False),
    ],
)
def test_a_run_is_finished_once_all_that_were_begun_have_ended(frames, is_over):
    assert is_finished(frames) is is_over


def test_marks_are_the_rows_of_each_layer_together():
    layers = {"layer": [{"mark": "bar", "data": {"name": "a"}}, {"mark": "rule", "data": {"name": "b"}}]}
    assert chart_marks(chart(layers, a=5, b=3)) == 8


def test_layers_without_data_draw_what_stands_above_them():
    spec = {"data": {"name": "a"}, "layer": [{"mark": "bar"}, {"mark": {"type": "text"}}, {"params": []}]}
    assert chart_marks(chart(spec, a=5)) == 10


def test_parts_beside_and_below_each_other_count():
    spec = {"data": {"name": "a"}, "vconcat": [{"mark": "bar"}, {"hconcat": [{"mark": "bar"}]}]}
    assert chart_marks(chart(spec, a=4)) == 8


def test_values_within_the_description_count():
    inline = {"mark": "rule", "data": {"values": [{"x": 1}, {"x": 2}]}}
    named = {"mark": "bar", "data": {"name": "c"}}
    assert chart_marks(chart({"layer": [inline, named], "datasets": {"c": [{}, {}, {}]}})) == 5


def test_a_chart_s_own_rows_count_where_nothing_is_named():
    found = chart({"mark": "bar"})
    found.data.data = rows(7)
    assert chart_marks(found) == 7


def test_a_chart_that_the_browser_has_already_counts_but_weighs_nothing():
    known: dict[str, ForwardMsg] = {}
    first = script_run(
        [asked(1), begun(1.1), drawn(1.2, chart({"mark": "bar", "data": {"name": "a"}}, a=6), "h"), ended(2)],
        known,
    )
    again = script_run([asked(3), begun(3.1), sent(3.2, ForwardMsg(ref_hash="h")), ended(4)], known)
    assert first.marks == again.marks == (6,)
    assert again.n_bytes < first.n_bytes


def test_figures_of_a_control_take_the_largest_chart_and_the_heaviest_run():
    runs = [
        ScriptRun(110.0, 100.0, 10, (5, 60), 1),
        ScriptRun(220.0, 200.0, 30, (), 2),
        ScriptRun(330.0, 300.0, 20, (7,), 1),
    ]
    assert control_figures({"score": runs}) == {
        "score": {
            "median": 200.0,
            "p95": 290.0,
            "whole_median": 220.0,
            "whole_p95": 319.0,
            "max_bytes": 30,
            "max_marks": 60,
            "max_runs": 2,
        }
    }


@pytest.mark.parametrize(
    ("p95", "max_bytes", "max_marks", "is_above"),
    [
        (300.0, 1_000_000, 5_000, False),
        (300.1, 0, 0, True),
        (0.0, 1_000_001, 0, True),
        (0.0, 0, 5_001, True),
    ],
)
def test_a_control_is_above_the_bars_with_any_of_them(p95, max_bytes, max_marks, is_above):
    figures = {"score": {"p95": p95, "max_bytes": max_bytes, "max_marks": max_marks}}
    assert above_bars(figures) == (["score"] if is_above else [])
