"""Explore, Seeds: how far the seeds agree, and how many are enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from diet_core.charts.groups import seed_curve
from diet_core.review.seeds import run_agreement
from diet_core.scoring.agreement import ENOUGH_RELIABILITY, seeds_for_reliability
from pages.shared.chart import chart_downloads, headed, show_chart

if TYPE_CHECKING:
    from pages.parts.explore.state import Explored

_HELP = (
    "Spearman's rank correlations of EL2N, 1 at most. Reliability is an estimate: the correlation with the "
    "mean of infinitely many seeds, if all seeds are correlated equally."
)


def seeds_view(shown: Explored) -> Explored:
    """Draw the agreement of the seeds: a sentence, the curve and the numbers behind it."""
    agreement = shown.counted(run_agreement)
    if agreement is None:
        st.info(
            "One seed was run, so it is not known how much a score depends on the seed. Score with three.",
            icon=":material/info:",
        )
        return shown
    curve = _curve(agreement)
    chart, tables = st.columns([5, 4], gap="medium")
    with chart:
        with headed("How many seeds", _HELP):
            picture = seed_curve(curve, ENOUGH_RELIABILITY)
            chart_downloads(picture, curve, f"{shown.run.run_id}-seeds", key="download seeds")
        show_chart(picture, f"seeds {shown.run.run_id}")
        st.caption(
            f"Measured and estimated: correlation with the mean of all {len(agreement['single'])} seeds. "
            f"Reliability: with the mean of infinitely many. Dashed: {ENOUGH_RELIABILITY:g}."
        )
    with tables:
        st.markdown(_sentence(agreement))
        st.table(_measured(agreement).style.format(precision=4), border="horizontal", hide_index=True)
        st.caption(
            "For the examples that depend most on the seed choose Most seed-dependent in the table below."
        )
    return shown


def _sentence(agreement: dict[str, Any]) -> str:
    n = len(agreement["single"])
    one = sum(agreement["single"]) / n
    return (
        f"One seed ranks like the mean of {n} with correlation {one:.3f}; the mean of {n} has an estimated "
        f"reliability of {agreement['reliability'][str(n)]:.3f}. {_enough(agreement)}"
    )


def _enough(agreement: dict[str, Any]) -> str:
    needed = seeds_for_reliability(agreement, ENOUGH_RELIABILITY)
    if needed is None:
        return f"The seeds do not agree, so no number of them reaches {ENOUGH_RELIABILITY:g}."
    seeds = "One seed is" if needed == 1 else f"{needed:,} seeds are"
    return f"{seeds} estimated to reach {ENOUGH_RELIABILITY:g}, beyond which another seed adds little."


def _measured(agreement: dict[str, Any]) -> pd.DataFrame:
    """Return lowest, mean and highest correlation of each kind that was measured."""
    kinds = {
        "One seed with the mean of all": agreement["single"],
        "Two seeds with the mean of all": agreement["pairs"],
        "One seed with the mean of the others": agreement["leave_one_out"],
        "Overlap of the hardest 10 % with those of the mean": agreement.get("top_tenth") or [],
    }
    return pd.DataFrame(
        [
            {"Measured": kind, "Lowest": min(v), "Mean": sum(v) / len(v), "Highest": max(v)}
            for kind, v in kinds.items()
            if v
        ]
    )


def _curve(agreement: dict[str, Any]) -> pd.DataFrame:
    """Return a row per point: seeds, series, correlation."""
    series = {
        "Measured": agreement.get("measured") or {},
        "Estimated": agreement["estimate"],
        "Reliability": agreement["reliability"],
    }
    points = [
        {"seeds": int(k), "series": name, "correlation": value}
        for name, values in series.items()
        for k, value in values.items()
    ]
    return pd.DataFrame(points)
