"""Explore, Seeds: how well few seeds stand for many, and how many are worth paying for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from diet_core.charts.groups import seed_curve
from diet_core.scoring.agreement import ENOUGH_RELIABILITY, seeds_for_reliability
from pages.shared.chart import drawn
from pages.shared.chart_downloads import chart_downloads
from pages.shared.explore_parts import headed

if TYPE_CHECKING:
    from diet_core.store.store import Store
    from pages.parts.explore.state import Explored

_HELP = (
    "Spearman's rank correlations of EL2N, 1 at most. Reliability is an estimate: the correlation with the "
    "mean of infinitely many seeds, if all seeds are correlated equally."
)


def seeds_view(shown: Explored) -> Explored:
    """Draw the agreement of the seeds: a sentence, the curve and the numbers behind it."""
    found = shown.counted(_agreement)
    if found is None:
        st.info(
            "One seed was run, so nothing says how much a score depends on the seed. Score with three.",
            icon=":material/info:",
        )
        return shown
    curve = _curve(found)
    chart, tables = st.columns([5, 4], gap="medium")
    with chart:
        with headed("How many seeds", _HELP):
            picture = drawn(seed_curve, curve, ENOUGH_RELIABILITY)
            chart_downloads(picture, curve, f"{shown.run.run_id}-seeds", key="download seeds")
        picture.show(f"seeds {shown.run.run_id}")
        st.caption(
            f"Measured and estimated: their mean with the mean of all {len(found['single'])}. "
            f"Reliability: with that of infinitely many. Dashed: {ENOUGH_RELIABILITY:g}."
        )
    with tables:
        st.markdown(_sentence(found))
        st.table(_measured(found).style.format(precision=4), border="horizontal", hide_index=True)
        st.caption(
            "The examples that depend most on the seed are below: choose Most seed-dependent in the table."
        )
    return shown


def _agreement(store: Store, run_id: str) -> dict[str, Any] | None:
    from diet_core.review.seeds import run_agreement

    return run_agreement(store, run_id)


def _sentence(found: dict[str, Any]) -> str:
    n = len(found["single"])
    one = sum(found["single"]) / n
    return (
        f"One seed ranks like the mean of {n} with correlation {one:.3f}; the mean of {n} has an estimated "
        f"reliability of {found['reliability'][str(n)]:.3f}. {_enough(found)}"
    )


def _enough(found: dict[str, Any]) -> str:
    needed = seeds_for_reliability(found, ENOUGH_RELIABILITY)
    if needed is None:
        return f"The seeds do not agree, so no number of them reaches {ENOUGH_RELIABILITY:g}."
    seeds = "One seed is" if needed == 1 else f"{needed:,} seeds are"
    return f"{seeds} estimated to reach {ENOUGH_RELIABILITY:g}, beyond which a seed more adds little."


def _measured(found: dict[str, Any]) -> pd.DataFrame:
    """Return lowest, mean and highest correlation of each kind that was measured."""
    kinds = {
        "One seed with the mean of all": found["single"],
        "Two seeds with the mean of all": found["pairs"],
        "One seed with the mean of the others": found["leave_one_out"],
        "Hardest tenth in common with the mean's": found.get("top_tenth") or [],
    }
    return pd.DataFrame(
        [
            {"Measured": kind, "Lowest": min(v), "Mean": sum(v) / len(v), "Highest": max(v)}
            for kind, v in kinds.items()
            if v
        ]
    )


def _curve(found: dict[str, Any]) -> pd.DataFrame:
    """Return a row per point: seeds, series, correlation."""
    series = {
        "Measured": found.get("measured") or {},
        "Estimated": found["estimate"],
        "Reliability": found["reliability"],
    }
    points = [
        {"seeds": int(k), "series": name, "correlation": value}
        for name, values in series.items()
        for k, value in values.items()
    ]
    return pd.DataFrame(points)
