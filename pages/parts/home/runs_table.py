"""All runs of the workspace: those in the store, and those still under way or failed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from diet_core.encoders import with_tag
from diet_core.runs.folder import all_runs
from diet_core.runs.summary import run_line
from diet_core.store.loading.runs import has_run, list_runs, read_accuracies

if TYPE_CHECKING:
    from diet_core.store.store import Store

_COLUMNS = {
    "Progress": st.column_config.ProgressColumn(format="percent", width="small"),
    "Test accuracy": st.column_config.NumberColumn(
        format="%.3f", help="After the last epoch, the mean over the seeds of a scoring run."
    ),
    "Started": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm", timezone="UTC", help="UTC."),
}


def runs_table(store: Store) -> None:
    """Draw the runs, the newest first."""
    rows = _unfinished(store) + _finished(store)
    if not rows:
        st.caption("No run has started yet.")
        return
    table = pd.DataFrame(rows).astype({"Started": "datetime64[us, UTC]", "Progress": float})
    st.dataframe(
        table.sort_values("Started", ascending=False),
        hide_index=True,
        column_config=_COLUMNS,
        placeholder="–",
    )


def _finished(store: Store) -> list[dict[str, Any]]:
    results = read_accuracies(store).drop_duplicates("run_id").set_index("run_id")["accuracy"]
    return [
        {
            "Run": run.run_id,
            "Data set": run.dataset.dataset_id,
            "Kind": with_tag(run.kind, run.encoder),
            "State": run.state,
            "Progress": 1.0,
            "Test accuracy": results.get(run.run_id) if run.kind == "score" else None,
            "Started": run.created_at,
        }
        for run in list_runs(store)
    ]


def _unfinished(store: Store) -> list[dict[str, Any]]:
    """Return the runs that only have a folder: queued, running, stopped or failed."""
    lines = [run_line(folder) for folder in all_runs(store.workspace) if not has_run(store, folder.run_id)]
    return [
        {
            "Run": line["run_id"],
            "Data set": line.get("dataset"),
            "Kind": with_tag(line.get("kind"), line.get("encoder")) or None,
            "State": line["state"],
            "Progress": (line.get("step") or 0) / (line.get("total") or 1),
            "Test accuracy": None,
            "Started": datetime.fromisoformat(line["created_at"]) if "created_at" in line else None,
        }
        for line in lines
    ]
