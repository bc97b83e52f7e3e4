"""Results of the arms and the differences between them: dots, means, intervals."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pandas as pd
import streamlit as st

from diet_core.charts.base import AnyChart
from diet_core.charts.experiments import METRICS, arms_chart, differences_chart
from pages.parts.retrain.data import RetrainResults
from pages.parts.retrain.words import CHOICES
from pages.shared.chart import chart_downloads, headed, show_chart
from pages.shared.widgets import one_of

_METRIC_HELP = (
    "Accuracy: the share of test examples that are predicted correctly. Macro-F1: the mean over the classes "
    "of 2 × correct / (predicted as the class + labelled as it), where rare classes count as much."
)
_DIFFERENCES_HELP = (
    "How many points an arm is above a baseline: repeats are paired by their seed, and both arms are "
    "evaluated on the same test examples. The 95 % interval holds two kinds of chance, that of the seeds "
    "(Student's t over the repeats) and that of the test examples (a paired bootstrap). Filled: it "
    "leaves out zero and there are three repeats or more. A ring: not distinguishable."
)
_OLDER = (
    "This run is of an older version that kept no predictions: its intervals are over the repeats alone and "
    "leave out the choice of test examples."
)
_DIFFERENCES = {
    "Arm": "title",
    "Against": "reference_title",
    "Points": "mean",
    "From": "low",
    "To": "high",
    "Clear": "is_clear",
    "Repeats": "n_repeats",
    "Test examples": "n_test",
}
_DIFFERENCE_COLUMNS = {
    "Points": st.column_config.NumberColumn(
        format="%+.2f", help="Mean over the repeats, in percentage points; above 0 the arm is better."
    ),
    "From": st.column_config.NumberColumn(format="%+.2f", help="Lower end of the 95 % interval."),
    "To": st.column_config.NumberColumn(format="%+.2f", help="Upper end of the 95 % interval."),
    "Clear": st.column_config.CheckboxColumn(
        help="The interval leaves out zero, and there are three repeats or more."
    ),
    "Repeats": st.column_config.NumberColumn(help="That both arms have finished, with the same seeds."),
    "Test examples": st.column_config.NumberColumn(
        format="localized", help="On which both arms are evaluated. 0: a run that kept no predictions."
    ),
}


def draw_chart(
    results: RetrainResults,
    chart: AnyChart,
    rows: pd.DataFrame,
    title: str,
    help: str,
    name: str,
    *,
    key: str = "",
    heading: Any = None,
) -> None:
    """Draw a chart with its title, help and downloads.

    Args:
        results: Of the retraining.
        chart: The chart.
        rows: What is drawn, in full.
        title: Above the chart.
        help: Beside the title.
        name: Of the files.
        key: What tells the chart from others of this name.
        heading: A container above, where the title stands; None = right above the chart.
    """
    with heading or nullcontext(), headed(title, help):
        chart_downloads(chart, rows, f"{results.run_id}-{name}", key=f"download {name} {results.run_id}")
    show_chart(chart, f"{name} {results.run_id} {key}")


def chosen_metric(results: RetrainResults) -> str:
    """Draw what is compared and return it; accuracy where the run knows nothing else."""
    there = {name: title for name, title in METRICS.items() if results.trainings[name].notna().any()}
    if len(there) < 2:
        return "accuracy"
    return one_of("Metric", there, f"metric {results.run_id}", help=_METRIC_HELP)


def trainings_view(results: RetrainResults, metric: str) -> None:
    """Draw every training as a dot, and per arm mean and standard deviation."""
    rows = results.trainings
    if not rows[metric].notna().any():
        st.caption("There is no test split, so no training has an accuracy.")
        return
    name, counts = METRICS[metric], CHOICES[results.plan.choose][1]
    help = (
        f"A dot is one training; the tick is the mean, the line one standard deviation (ddof 1). {name} on "
        f"the test split after {counts}."
    )
    chart = arms_chart(rows, results.colours, metric)
    draw_chart(results, chart, rows, "Trainings", help, "trainings", key=metric)
    columns = {
        "Examples": st.column_config.NumberColumn(format="localized", help="Training examples of the arm."),
        "Mean": st.column_config.NumberColumn(format="%.4f", help=f"Mean {name} on the test split."),
        "Std": st.column_config.NumberColumn(
            format="%.4f", help="Standard deviation over the repeats (ddof 1)."
        ),
        "Each repeat": st.column_config.TextColumn(width="medium"),
    }
    key = f"by arm {results.run_id}"
    st.dataframe(_by_arm(rows, metric), hide_index=True, column_config=columns, key=key)
    st.caption(f"{name} after {counts}.")


def _by_arm(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return a row per arm: examples, mean, std (where an arm has two repeats) and each repeat."""
    by_arm = rows.groupby("title", sort=False)
    each = by_arm[metric].agg(lambda values: ", ".join(f"{100 * v:.1f} %" for v in values.dropna()))
    table = pd.DataFrame(
        {
            "Examples": by_arm["n_train"].first(),
            "Mean": by_arm[metric].mean(),
            "Std": by_arm[metric].std(),
            "Each repeat": each,
        }
    )
    return table.rename_axis("Arm").reset_index().dropna(axis="columns", how="all")


def differences_view(results: RetrainResults, metric: str) -> None:
    """Draw how far each selection lies from its baselines, with intervals."""
    rows = results.differences(metric)
    if rows.empty:
        st.caption("Nothing can be compared yet: it takes a selection and a baseline of the same repeat.")
        return
    title = f"Differences in {METRICS[metric][:1].lower()}{METRICS[metric][1:]}"
    chart = differences_chart(rows)
    draw_chart(results, chart, rows, title, _DIFFERENCES_HELP, "differences", key=metric)
    table = rows[list(_DIFFERENCES.values())].set_axis(list(_DIFFERENCES), axis="columns")
    table[["Points", "From", "To"]] *= 100
    key = f"differences table {results.run_id}"
    st.dataframe(table, hide_index=True, column_config=_DIFFERENCE_COLUMNS, key=key)
    if not rows["n_test"].all():
        st.caption(_OLDER)
