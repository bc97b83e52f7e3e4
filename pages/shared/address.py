"""State in the URL: the one way in which all pages read and write it.

- A widget whose value stands in the URL as it is shown is bound by Streamlit (`bind="query-params"`), like
  `segments` here.
- Everything else, like ids with titles, brushes and clicks on charts, is read by `read_url` and written by
  `write_url`. Nothing but this file touches `st.query_params`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import streamlit as st

from pages.shared.errors import plain

T = TypeVar("T")
_GENERATION = "generation of the rule's controls"


def read_url(key: str, parse: Callable[[str], T], default: T, *, warns: bool = True) -> T:
    """Return what the URL says, the default where it says nothing or something that is not valid.

    Args:
        key: The parameter.
        parse: Makes a value of its text; raises ValueError or KeyError for one that is not valid.
        default: Without a valid one.
        warns: Whether a text that is not valid is reported on the page.
    """
    text = st.query_params.get(key)
    try:
        return default if text is None else parse(text)
    except (ValueError, KeyError):
        if warns:
            st.warning(f"{key}={plain(str(text))} in the URL is not valid.", icon=":material/link_off:")
        return default


def write_url(key: str, value: str, default: str = "") -> None:
    """Keep a value in the URL; the default is left out of it."""
    if value == default:
        clear_url(key)
    elif st.query_params.get(key) != value:
        st.query_params[key] = value


def update_url(values: Mapping[str, str]) -> None:
    """Write several parameters as one step for the browser's Back button."""
    st.query_params.update(values)


def clear_url(*keys: str) -> None:
    """Remove parameters from the URL."""
    for key in keys:
        if key in st.query_params:
            del st.query_params[key]


def initial_value(key: str, widget: str, parse: Callable[[str], T], default: T) -> T:
    """Return what a widget shows when it is drawn: its state, else what the URL says, else the default.

    It is given to the widget as its first value, not set in the session: a run that is cut short (the
    browser asks for another one) would leave a state behind that the browser has never heard of.
    """
    return st.session_state[widget] if widget in st.session_state else read_url(key, parse, default)


def widget_key(page: str, name: str) -> str:
    """Return the key of a page's widget; another one after `reset_widgets`."""
    generation = st.session_state.get(_GENERATION, 0)
    return f"{page} {name}" + (f" {generation}" if generation else "")


def reset_widgets() -> None:
    """Let all widgets of `widget_key` begin again with what the URL says."""
    st.session_state[_GENERATION] = st.session_state.get(_GENERATION, 0) + 1


def switch(label: str, page: str, key: str, default: bool, *, help: str) -> bool:
    """Draw a switch whose state is kept in the URL, and return it."""
    widget = widget_key(page, key)
    shown = initial_value(key, widget, {"1": True, "0": False}.__getitem__, default)
    is_on = st.toggle(label, shown, key=widget, help=help)
    write_url(key, str(int(is_on)), str(int(default)))
    return is_on


def segments(label: str, options: Mapping[str, T], key: str, **settings: Any) -> T:
    """Draw a row of options, the first one chosen at first, and return what the chosen one stands for.

    Args:
        label: Of the widget; hidden unless `settings` say otherwise.
        options: What each title stands for. The URL has the title.
        key: Of the widget and in the URL.
        settings: Of `st.segmented_control`.
    """
    titles = list(options)
    chosen = st.segmented_control(
        label,
        titles,
        default=titles[0],
        required=True,
        key=key,
        bind="query-params",
        **{"label_visibility": "collapsed"} | settings,
    )
    return options[chosen or titles[0]]
