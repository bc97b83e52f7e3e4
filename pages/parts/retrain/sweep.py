"""Sweeps: accuracy over the share that is kept, or dropped from the top (the paper's Figures 3 and 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import streamlit as st

from diet_core.charts.paper import fig3, fig4
from pages.shared.chart import chart_downloads, headed, show_chart

if TYPE_CHECKING:
    from diet_core.experiments.arms import Arm

AXES: Final = {"keep": "Share kept", "drop_hardest": "Hardest dropped"}
_HELP = (
    "Lines: mean accuracy on the test split over the repeats, shaded one standard deviation to either side; "
    "small dots are single trainings. Dashed: training on all examples. Random has as many examples as the "
    "selections at the same place."
)
_CHARTS: Final = {"keep": fig3, "drop_hardest": fig4}


def is_sweep(arms: Sequence[Arm]) -> bool:
    """Return whether selections differ in their shares, and but for the score in nothing else."""
    ours = _selections(arms)
    terms = {(arm.rule.per_class, arm.step) for arm in ours if arm.rule is not None}
    return len({_point(arm) for arm in ours}) > 1 and len(terms) == 1


def sweep_rows(arms: Sequence[Arm], trainings: pd.DataFrame) -> pd.DataFrame:
    """Return a row per training and point: series, keep, drop_hardest, repeat, accuracy.

    Series are scores, random and full. A random arm stands at every point whose selections are as large as
    it; full has no point.

    Args:
        arms: Of the plan.
        trainings: Columns arm, repeat, accuracy.
    """
    from diet_core.experiments.arms import share_kept

    by_name = {arm.name: arm for arm in arms}
    points = {_point(arm): share_kept(arm.rule) for arm in _selections(arms) if arm.rule}
    places: list[dict[str, Any]] = []
    for arm in arms:
        if arm.kind == "full":
            places.append({"arm": arm.name, "series": "full", "keep": None, "drop_hardest": None})
        elif arm.kind == "random" and arm.like is not None:
            like = by_name[arm.like].rule
            at = [point for point, share in points.items() if like and share == share_kept(like)]
            places += [{"arm": arm.name, "series": "random", "keep": k, "drop_hardest": m} for k, m in at]
    places += [
        {"arm": arm.name, "series": arm.rule.by, "keep": arm.rule.keep, "drop_hardest": arm.rule.drop_hardest}
        for arm in _selections(arms)
        if arm.rule
    ]
    rows = pd.DataFrame(places).merge(trainings[["arm", "repeat", "accuracy"]], on="arm")
    return rows.dropna(subset=["accuracy"])


def sweep_chart(rows: pd.DataFrame, run_id: str) -> None:
    """Draw accuracy over one share, the other one fixed to one of its values."""
    shares = {axis: sorted(rows[axis].dropna().unique()) for axis in AXES}
    several = [axis for axis in AXES if len(shares[axis]) > 1]
    if not several:
        st.caption("The figure appears here when two shares have a finished training.")
        return
    heading = st.container()
    axis, shown = _cut(rows, shares, several, run_id)
    chart = _CHARTS[axis](shown)
    with heading, headed(f"Accuracy over the {AXES[axis].lower()}", _HELP):
        chart_downloads(chart, shown, f"{run_id}-sweep", key=f"download sweep {run_id}")
    show_chart(chart, f"sweep {run_id} {axis}")


def _cut(
    rows: pd.DataFrame, shares: dict[str, list[float]], several: list[str], run_id: str
) -> tuple[str, pd.DataFrame]:
    """Return the axis that was chosen and the rows where the other share has the chosen value."""
    if len(several) < len(AXES):
        return several[0], rows
    with st.container(horizontal=True, vertical_alignment="bottom"):
        axis: str = st.segmented_control(
            "Across",
            several,
            default="keep",
            required=True,
            format_func=AXES.__getitem__,
            key=f"axis {run_id}",
        )
        other = next(name for name in AXES if name != axis)
        fixed = st.segmented_control(
            f"At {AXES[other].lower()}",
            shares[other],
            default=shares[other][0 if other == "drop_hardest" else -1],
            required=True,
            format_func=lambda share: f"{100 * share:.4g} %",
            key=f"at {other} {run_id}",
        )
    return axis, rows[(rows[other] == fixed) | rows[other].isna()]


def _selections(arms: Sequence[Arm]) -> list[Arm]:
    return [arm for arm in arms if arm.rule is not None and arm.rule.kind == "shares" and not arm.is_dynamic]


def _point(arm: Arm) -> tuple[float, float]:
    assert arm.rule is not None
    return arm.rule.keep, arm.rule.drop_hardest
