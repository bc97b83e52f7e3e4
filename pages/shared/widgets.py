"""Pieces that several pages draw in the same way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st


def one_of(
    label: str,
    options: Mapping[str, str] | Sequence[str],
    key: str,
    first: str | None = None,
    **settings: Any,
) -> str:
    """Draw a row of options of which one is chosen, and return its name.

    Args:
        label: Of the widget.
        options: Titles by name, or titles that are names.
        key: Of the widget; the URL does not have it.
        first: The name that is chosen at first; None = the first one.
        settings: Of `st.segmented_control`.
    """
    names = list(options)
    titles = options if isinstance(options, Mapping) else dict(zip(names, names, strict=True))
    chosen = st.segmented_control(
        label,
        names,
        default=first or names[0],
        required=True,
        format_func=titles.__getitem__,
        key=key,
        **settings,
    )
    return chosen or first or names[0]


def figures(rows: Sequence[tuple[str, int, str | None]]) -> None:
    """Draw numbers in a row of boxes; each has a title, a number and a help text."""
    for column, (title, number, help) in zip(st.columns(len(rows)), rows, strict=True):
        column.metric(title, f"{number:,}", border=True, help=help)
