"""The files of a chart."""

import pandas as pd
import pytest

from diet_core.charts.base import histogram_bars, label_matrix
from diet_core.charts.render import SCALE
from pages.shared.chart import WIDTH, picture

BINS = pd.DataFrame({"bin_start": [0.0, 0.5], "bin_end": [0.5, 1.0], "count": [3, 4]})
CELLS = pd.DataFrame({"label": ["a"], "predicted_label": ["b"], "count": [2], "share": [1.0]})


def test_a_png_is_sharp_and_as_wide_as_a_page_of_print():
    content = picture(histogram_bars(BINS, "el2n"), "png")
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    width = int.from_bytes(content[16:20], "big")
    assert WIDTH * SCALE <= width <= 1.2 * WIDTH * SCALE


@pytest.mark.parametrize("chart", [histogram_bars(BINS, "el2n"), label_matrix(CELLS, ["a", "b"])])
def test_an_svg_holds_the_axes_words_on_white(chart):
    content = picture(chart, "svg").decode()
    assert content.startswith("<svg")
    assert 'fill="white"' in content
    assert ("EL2N" in content) or ("Prediction" in content)


def test_taking_a_chart_away_leaves_it_as_it_was():
    chart = histogram_bars(BINS, "el2n")
    before = chart.to_dict()
    picture(chart, "svg")
    assert chart.to_dict() == before
