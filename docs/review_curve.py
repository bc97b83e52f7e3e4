"""Draws review-curve.svg from what `bench review` found, which lies beside it as review-curve.json.

Two commands draw it anew:

    python -m diet_core --json bench review --dataset tweets --truth crowd_label > docs/review-curve.json
    python docs/review_curve.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import altair as alt
import pandas as pd

HERE: Final = Path(__file__).resolve().parent
WIDTH, HEIGHT = 640, 300  # pixels
BLUE: Final = "#1e5bb8"
GREY: Final = "#64748b"
INK: Final = "#1f2933"
COLORS: Final = {"share": BLUE, "running_share": GREY, "base_rate": GREY}


def curve(found: dict[str, Any]) -> alt.LayerChart:
    """Return the share of contradicted labels along the suspects, beside that among all examples.

    Args:
        found: The JSON of `bench review`, of at least one suspect.
    """
    blocks = pd.DataFrame(found["blocks"]).assign(base_rate=found["base_rate"])
    points = blocks.melt("to_rank", list(COLORS), "line", "value")
    chart = alt.Chart(points).encode(x=_ranks(blocks["to_rank"].tolist()), y=_shares(), color=_colors())
    curves, base = (
        chart.transform_filter(f"datum.line {sign} 'base_rate'").mark_line(strokeDash=dash)
        for sign, dash in (("!=", [1, 0]), ("==", [5, 4]))
    )
    dots = chart.transform_filter("datum.line == 'share'").mark_point(filled=True, size=55, opacity=1)
    layers = alt.layer(curves, base, dots, _names(blocks))
    return layers.properties(width=WIDTH, height=HEIGHT, background="white", padding=12).configure_axis(
        labelColor=INK, titleColor=INK, labelFontSize=12, titleFontSize=12, titleFontWeight="normal"
    )


def _ranks(ends: list[int]) -> alt.X:
    return alt.X(
        "to_rank:Q",
        title="suspects reviewed, the most suspicious first",
        scale=alt.Scale(domain=[0, ends[-1]], nice=False),
        axis=alt.Axis(values=[0, *ends], grid=False),
    )


def _shares() -> alt.Y:
    return alt.Y(
        "value:Q",
        title="labels that the truth contradicts",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format=".0%", tickCount=5),
    )


def _colors() -> alt.Color:
    scale = alt.Scale(domain=list(COLORS), range=list(COLORS.values()))
    return alt.Color("line:N", scale=scale, legend=None)


def _names(blocks: pd.DataFrame) -> alt.Chart:
    """Return the name of each line at its end, which spares the legend."""
    last = blocks.iloc[-1]
    words = {
        "share": f"of each {blocks['to_rank'].iloc[0]} suspects",
        "running_share": "of all so far",
        "base_rate": "of all examples",
    }
    ends = [{"to_rank": last["to_rank"], "value": last[name], "text": text} for name, text in words.items()]
    chart = alt.Chart(pd.DataFrame(ends)).mark_text(align="left", dx=9, fontSize=12, color=INK)
    return chart.encode(x="to_rank:Q", y="value:Q", text="text:N")


if __name__ == "__main__":
    content = json.loads((HERE / "review-curve.json").read_text(encoding="utf-8"))
    curve(content).save(HERE / "review-curve.svg")
