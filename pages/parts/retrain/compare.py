"""What arms came to and how far they lie apart: dots, means, differences with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from diet_core.charts.experiments import METRICS, arms_chart, differences_chart
from pages.parts.retrain.parts import downloads
from pages.parts.retrain.words import COUNTS
from pages.shared.chart import headed, show_chart

if TYPE_CHECKING:
    from pages.parts.retrain.found import Found

_OLDER = (
    "This run is of an older version that kept no predictions: its intervals are over the repeats alone and "
    "leave out the choice of test examples."
)
_DIFFERENCES = {
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
        format="localized", help="That both arms were asked about. 0: a run that kept no predictions."
    ),
}


def chosen_metric(found: Found) -> str:
    """Draw what is compared and return it; accuracy where the run knows nothing else."""
    there = [name for name in METRICS if found.trainings[name].notna().any()]
    if len(there) < 2:
        return "accuracy"
    metric = st.segmented_control(
        "Metric",
        there,
        default="accuracy",
        required=True,
        format_func=METRICS.__getitem__,
        key=f"metric {found.run_id}",
        help="Accuracy: the share of test examples that are predicted right. Macro-F1: the mean over the "
        "classes of 2 × right / (predicted as the class + labelled as it), where rare classes count as much.",
    )
    return metric or "accuracy"


def trainings_view(found: Found, metric: str) -> None:
    """Draw every training as a dot, and per arm mean and standard deviation."""
    rows = found.trainings
    if not rows[metric].notna().any():
        st.caption("There is no test split, so no training has an accuracy.")
        return
    chart = arms_chart(rows, found.colours, metric)
    name = METRICS[metric]
    help = (
        f"A dot is one training; the tick is the mean, the line one standard deviation (ddof 1). {name} on "
        f"the test split after {COUNTS[found.plan.choose]}."
    )
    with headed("Trainings", help):
        downloads(chart, rows, found, "trainings")
    show_chart(chart, f"arms {found.run_id} {metric}")
    columns = {
        "Examples": st.column_config.NumberColumn(format="localized", help="Training examples of the arm."),
        "Mean": st.column_config.NumberColumn(format="%.4f", help=f"Mean {name} on the test split."),
        "Std": st.column_config.NumberColumn(
            format="%.4f", help="Standard deviation over the repeats (ddof 1)."
        ),
        "Each repeat": st.column_config.TextColumn(width="medium"),
    }
    st.dataframe(_by_arm(rows, metric), hide_index=True, column_config=columns, key=f"by arm {found.run_id}")
    st.caption(f"{name} after {COUNTS[found.plan.choose]}.")


def _as_part(name: str) -> str:
    """Return a metric's name within a heading.

    >>> _as_part("Macro-F1")
    'macro-F1'
    """
    return name[:1].lower() + name[1:]


def _by_arm(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return a row per arm: examples, mean, std (where an arm has two repeats) and each repeat."""
    by_arm = rows.groupby("title", sort=False)
    each = by_arm[metric].agg(lambda values: ", ".join(f"{100 * v:.1f} %" for v in values.dropna()))
    table = pd.DataFrame(
        {
            "Arm": each.index,
            "Examples": by_arm["n_train"].first().to_numpy(),
            "Mean": by_arm[metric].mean().to_numpy(),
            "Std": by_arm[metric].std().to_numpy(),
            "Each repeat": each.to_numpy(),
        }
    )
    return table.dropna(axis="columns", how="all")


def differences_view(found: Found, metric: str) -> None:
    """Draw how far each selection lies from its baselines, with intervals."""
    rows = found.differences(metric)
    help = (
        "How many points an arm is above a baseline: repeats are paired by their seed, and both arms are "
        "asked about the same test examples. The 95 % interval holds two kinds of chance, that of the seeds "
        "(Student's t over the repeats) and that of the test examples (a paired bootstrap). Filled: it "
        "leaves out zero and there are three repeats or more. A ring: not distinguishable."
    )
    if rows.empty:
        st.caption("Nothing can be compared yet: it takes a selection and a baseline of the same repeat.")
        return
    chart = differences_chart(rows)
    with headed(f"Differences in {_as_part(METRICS[metric])}", help):
        downloads(chart, rows, found, "differences")
    show_chart(chart, f"differences {found.run_id} {metric}")
    st.dataframe(
        pd.DataFrame(
            {
                "Arm": rows["title"],
                "Against": rows["reference_title"],
                "Points": 100 * rows["mean"],
                "From": 100 * rows["low"],
                "To": 100 * rows["high"],
                "Clear": rows["is_clear"],
                "Repeats": rows["n_repeats"],
                "Test examples": rows["n_test"],
            }
        ),
        hide_index=True,
        column_config=_DIFFERENCES,
        key=f"differences table {found.run_id}",
    )
    if not rows["n_test"].all():
        st.caption(_OLDER)
