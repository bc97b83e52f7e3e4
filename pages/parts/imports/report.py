"""What an import would add: rows, classes and warnings."""

from __future__ import annotations

import re

import pandas as pd
import streamlit as st

from diet_core.dataset import Dataset
from pages.shared.errors import plain
from pages.shared.widgets import figures

MOST_CLASSES_SHOWN = 500
_SPLITS = {"train": "Training", "test": "Test", "validation": "Validation"}
_OPTIONS = {
    "test": "“Test file”",
    "text": "“Text”",
    "label": "“Label”",
    "text-pair": "“Second text”",
    "id": "“Id”",
    "split": "“Split”",
    "overwrite": "“New version”",
}


def in_app(message: str) -> str:
    """Return a message of the core with the command line's options by their names on the page.

    >>> in_app("Choose the label column with --label.")
    'Choose the label column with “Label”.'
    """
    return re.sub(r"--([a-z-]+)", lambda match: _OPTIONS.get(match[1], match[0]), message)


def import_report(dataset: Dataset) -> None:
    """Draw rows per split, examples per class and the warnings."""
    counts = dataset.examples["split"].value_counts()
    of_splits = [(f"{title} examples", counts.get(split, 0), None) for split, title in _SPLITS.items()]
    figures([*of_splits, ("Classes", len(dataset.info.classes), None)])
    table, notes = st.columns([1, 1], gap="medium")
    with table:
        _classes(dataset)
    with notes:
        st.caption("Warnings")
        if not dataset.warnings:
            st.success("Nothing unusual.", icon=":material/check_circle:")
        for warning in dataset.warnings:
            st.info(plain(in_app(warning)), icon=":material/info:")


def _classes(dataset: Dataset) -> None:
    """Draw how many examples each class has in each split."""
    classes = dataset.info.classes
    counts = pd.crosstab(dataset.examples["label"], dataset.examples["split"])
    counts = counts.reindex(index=list(classes), columns=[s for s in _SPLITS if s in counts], fill_value=0)
    shown = counts.head(MOST_CLASSES_SHOWN).rename(columns=_SPLITS)
    st.caption(
        "Examples per class"
        + (f", the first {len(shown):,} of {len(classes):,}" if len(shown) < len(classes) else "")
    )
    shown.insert(0, "Class", shown.index.astype("str"))
    st.dataframe(shown, hide_index=True)
