"""Retrainings of a run: the one that is open with every training as a dot, and the earlier ones."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from diet_core.charts_prune import ARMS, arms_chart
from diet_core.encoders import encoder_of, encoder_tag
from diet_core.rule import rule_from_json
from diet_core.tables import SCORES
from pages.shared.errors import plain
from pages.shared.job_panel import job_panel

if TYPE_CHECKING:
    from diet_core.jobs.folder import RunFolder
    from diet_core.store import RunRecord, Store

_COLUMNS = {
    "Examples": st.column_config.NumberColumn(format="localized", help="Training examples of the arm."),
    "Mean": st.column_config.NumberColumn(format="%.4f", help="Mean accuracy on the test split."),
    "Std": st.column_config.NumberColumn(format="%.4f", help="Standard deviation over the repeats (ddof 1)."),
    "Each repeat": st.column_config.TextColumn(width="medium"),
}


def retrain_results(store: Store, run: RunRecord) -> None:
    """Draw the retraining that the address names, else the newest; nothing where there is none."""
    from diet_core.jobs.comparison import retrainings

    folders = {folder.run_id: folder for folder in retrainings(store.workspace, run.run_id)}
    if not folders:
        return
    folder = folders[_picked(folders)]
    job_panel(folder)
    _result(folder)


def _picked(folders: dict[str, RunFolder]) -> str:
    """Return the chosen retraining; the address names it."""
    named = st.query_params.get("retrain")
    if st.session_state.get("retrain") not in folders:
        st.session_state.pop("retrain", None)
    run_ids = list(folders)
    shown = st.session_state.get("retrain", named if named in folders else run_ids[0])
    chosen: str = st.selectbox(
        "Retrainings of this run",
        run_ids,
        run_ids.index(shown),
        key="retrain",
        format_func=lambda run_id: _title(folders[run_id]),
        help="The newest first.",
    )
    if named != chosen:
        st.query_params["retrain"] = chosen
    return chosen


def _title(folder: RunFolder) -> str:
    """Return when a retraining was started and with what."""
    config = folder.config()
    plan = config["retraining"]
    rule = rule_from_json(plan["rule"], str(folder.config_file))
    parts = [
        f"{datetime.fromisoformat(config['created_at']):%Y-%m-%d %H:%M} UTC",
        f"{SCORES[rule.by].title}: {rule.in_words}" if rule.kind == "shares" else rule.in_words,
        *([f"{plan['decisions']} decisions"] if plan.get("decisions") else []),
        _counted(plan["repeats"], "repeat"),
        f"{_counted(config['training']['epochs'], 'epoch')}, equal {plan['budget']}",
        *filter(None, [encoder_tag(encoder_of(config))]),
    ]
    return " · ".join(parts)


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _result(folder: RunFolder) -> None:
    """Draw what is finished of a retraining."""
    from diet_core.jobs.comparison import runs_table, verdicts
    from diet_core.jobs.summary import retrain_summary

    summary = retrain_summary(folder)
    runs = runs_table(summary["arms"])
    if runs.empty:
        st.caption("The first result appears here when the first training is finished.")
        return
    for sentence in verdicts(summary["arms"]):
        st.write(plain(sentence))
    chart, table = st.columns(2, gap="medium")
    chart.altair_chart(arms_chart(runs), key=f"arms {folder.run_id}")
    with table:
        st.dataframe(_table(summary["arms"]), hide_index=True, column_config=_COLUMNS)
        st.caption(_note(folder))


def _table(arms: list[dict[str, Any]]) -> pd.DataFrame:
    order = {name: position for position, name in enumerate(ARMS)}
    return pd.DataFrame(
        [
            {
                "Arm": ARMS[arm["name"]],
                "Examples": arm["n_train"],
                "Mean": arm["mean"],
                "Std": arm["std"],
                "Each repeat": ", ".join(
                    f"{100 * value:.1f} %" for value in arm["accuracy"] if value is not None
                ),
            }
            for arm in sorted(arms, key=lambda arm: order[arm["name"]])
        ]
    )


def _note(folder: RunFolder) -> str:
    """Return what the numbers stand for."""
    choose = folder.config().get("choose", "last")
    epoch = "the last epoch" if choose == "last" else "the epoch that did best on held-out training examples"
    return (
        f"A dot is one training; the tick is the mean, the line one standard deviation. "
        f"Accuracy after {epoch}. "
        "The intervals cover the randomness of training, not that of the choice of test examples."
    )
