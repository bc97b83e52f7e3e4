"""Errors as boxes: what to do for the user's own, a copyable detail for bugs."""

import logging
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from diet_core.errors import DietError


def plain(text: str) -> str:
    """Return text that Markdown shows as it is: every sign that could mean something is escaped."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


@contextmanager
def error_box() -> Iterator[None]:
    """Show whatever the block raises; the page ends there, the app goes on."""
    try:
        yield
    except DietError as error:
        st.error(plain(str(error)), icon=":material/error:")
    except Exception as error:
        logging.getLogger(__name__).exception("A page failed")
        st.error(
            f"This page failed because of a bug: {plain(type(error).__name__)}. "
            "Reload it; if it comes back, report it with the detail below.",
            icon=":material/bug_report:",
        )
        with st.expander("Detail to copy"):
            st.code(traceback.format_exc(), language=None, wrap_lines=True)
