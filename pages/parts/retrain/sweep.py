"""Sweeps: accuracy over the share that is kept, or dropped from the top (the paper's Figures 3 and 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd
import streamlit as st

from diet_core.charts.paper import fig3, fig4
from diet_core.experiments.arms import Arm, share_kept
from diet_core.rule import Rule
from pages.shared.chart import chart_downloads, headed, show_chart
from pages.shared.widgets import one_of

AXES: Final = {"keep": "Share kept", "drop_hardest": "Hardest dropped"}
_HELP = (
    "Lines: mean accuracy on the test split over the repeats, shaded one standard deviation to either side; "
    "small dots are single trainings. Dashed: training on all examples. Random has as many examples as the "
    "selections at the same place."
)
_CHARTS: Final = {"keep": fig3, "drop_hardest": fig4}


def is_sweep(arms: Sequence[Arm]) -> bool:
    """Return whether selections differ in their shares, and but for the score in nothing else."""
    rules = _rules(arms)
    terms = {(rule.per_class, arm.step) for arm, rule in rules}
    return len({(rule.keep, rule.drop_hardest) for _, rule in rules}) > 1 and len(terms) == 1


def sweep_rows(arms: Sequence[Arm], trainings: pd.DataFrame) -> pd.DataFrame:
    """Return a row per training and point: series, keep, drop_hardest, repeat, accuracy.

    Series are scores, random and full. A random arm stands at every point whose selections are as large as
    it; full has no point.

    Args:
        arms: Of the plan.
        trainings: Columns arm, repeat, accuracy.
    """
    by_name = {arm.name: arm for arm in arms}
    points = {(rule.keep, rule.drop_hardest): share_kept(rule) for _, rule in _rules(arms)}
    places: list[tuple[Any, ...]] = []
    for arm in arms:
        if arm.kind == "full":
            places.append((arm.name, "full", None, None))
        elif arm.kind == "random" and arm.like is not None and (like := by_name[arm.like].rule):
            size = share_kept(like)
            places += [(arm.name, "random", *point) for point, share in points.items() if share == size]
    places += [(arm.name, rule.by, rule.keep, rule.drop_hardest) for arm, rule in _rules(arms)]
    at = pd.DataFrame(places, columns=["arm", "series", *AXES])
    return at.merge(trainings[["arm", "repeat", "accuracy"]], on="arm").dropna(subset=["accuracy"])


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
        axis = one_of("Across", AXES, f"axis {run_id}")
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


def _rules(arms: Sequence[Arm]) -> list[tuple[Arm, Rule]]:
    """Return the static selections by shares, with their rules."""
    rules = [(arm, arm.rule) for arm in arms if arm.rule is not None and not arm.is_dynamic]
    return [(arm, rule) for arm, rule in rules if rule.kind == "shares"]
