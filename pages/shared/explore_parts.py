"""Small pieces that several views of Explore share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import streamlit as st

from diet_core.tables import SCORES

if TYPE_CHECKING:
    from diet_core.store.queries.data_map import Axis


@contextmanager
def headed(title: str, help: str | None = None) -> Iterator[None]:
    """Draw a chart's title; what the block draws stands to its right."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(title, anchor=False, help=help, width="content")
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            yield


def beyond_caption(*axes: Axis) -> None:
    """Say how many examples lie beyond the ends of the axes; nothing where none does."""
    words = [_beyond(axis) for axis in axes if axis.below or axis.above]
    if words:
        st.caption(f"Counted at the ends of the axis: {'; '.join(words)}.")


def _beyond(axis: Axis) -> str:
    parts = [(axis.below, "below"), (axis.above, "above")]
    counts = " and ".join(f"{n:,} {where} it" for n, where in parts if n)
    return f"{SCORES[axis.score].title}, {counts}"
