"""Home's first box: what to do next, with the click that does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from diet_core.config import TrainingConfig
from diet_core.data import sample
from diet_core.dataset import DatasetInfo
from diet_core.runs import executor
from diet_core.runs.score_run import lay_out_scoring
from diet_core.store.loading.datasets import add_dataset, read_examples
from diet_core.store.loading.runs import RunRecord
from pages.shared.errors import error_box

if TYPE_CHECKING:
    from diet_core.store.store import Store

_AFTER_SCORING = (
    ("pages/review.py", "Review the likely label errors", ":material/rate_review:"),
    ("pages/explore.py", "Explore the newest run: the hardest examples first", ":material/bar_chart:"),
    ("pages/prune.py", "Prune: choose what to train on, and compare", ":material/content_cut:"),
    ("pages/export_data.py", "Export the cleaned data set", ":material/download:"),
)
SAMPLE_SEEDS = 3  # as `make demo`: nearly as reliable as five, in three fifths of the time


def empty_workspace(store: Store) -> None:
    """Draw what this software does, and the two ways to begin."""
    st.write(
        "Find the training examples that teach nothing and those that are labelled wrong: "
        "score them, look, decide, and take a cleaner data set home."
    )
    ready_made, own = st.columns(2, gap="medium")
    with ready_made, st.container(border=True, height="stretch"):
        st.subheader("Try the sample", anchor=False)
        st.write("4,200 tweets, each labelled by one person, some of them wrongly. It is fetched once.")
        if st.button("Load the sample", type="primary", icon=":material/download:"):
            with error_box(), st.spinner("Fetching and building the sample …"):
                add_dataset(store, sample.build_sample(store.workspace.cache))
                st.rerun()
    with own, st.container(border=True, height="stretch"):
        st.subheader("Bring your own", anchor=False)
        st.write("A CSV, TSV, JSON or Parquet file with one example a row: a text and its label.")
        if st.button("Import a file", icon=":material/upload_file:"):
            st.switch_page("pages/import_data.py")
    st.caption("This workspace is empty. Everything stays on this computer, in the folder below.")
    st.code(str(store.workspace.root), language=None)


def offer_scoring(store: Store, info: DatasetInfo) -> None:
    """Draw the click that scores a data set with the defaults, and the way to the settings."""
    st.write("Score it: fine-tune a small encoder on it and see which examples it finds hard.")
    address = {"dataset": info.dataset_id}
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(f"Score {info.name}", type="primary", icon=":material/play_arrow:"):
            with error_box():
                _score(store, info)
                st.switch_page("pages/score.py", query_params=address)
        label = "Choose the settings first"
        st.page_link("pages/score.py", label=label, icon=":material/tune:", query_params=address)


def _score(store: Store, info: DatasetInfo) -> None:
    with st.spinner("Checking the model and copying the examples …"):
        examples, training = read_examples(store, info.dataset_id), TrainingConfig()
        planned = lay_out_scoring(store.workspace, info, examples, seeds=SAMPLE_SEEDS, training=training)
        executor.start(planned)


def after_scoring(run: RunRecord, n_decisions: int) -> None:
    """Draw the links that make sense once there are scores; the export only with decisions."""
    for page, label, icon in _AFTER_SCORING if n_decisions else _AFTER_SCORING[:-1]:
        st.page_link(page, label=label, icon=icon, query_params={"run": run.run_id})
