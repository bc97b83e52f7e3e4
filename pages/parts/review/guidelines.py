"""How a data set is to be labelled, beside the card: read by all, edited by anybody."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from diet_core.errors import DietError
from diet_core.store.decisions.guidelines import read_guidelines, save_guidelines
from pages.shared.errors import plain

if TYPE_CHECKING:
    from diet_core.store.store import Store

HEIGHT = 320  # pixels; a longer text scrolls
LONG = 900  # characters
LONGEST = 50_000  # characters


@st.fragment
def guidelines_panel(store: Store, dataset_name: str, reviewer: str) -> None:
    """Draw the guidelines of a data set with their editor.

    Args:
        store: Where.
        dataset_name: All versions of a data set have the same guidelines.
        reviewer: Whose edits.
    """
    with st.container(border=True, key="guidelines panel"):
        st.markdown("**Guidelines**")
        if _draft(dataset_name) in st.session_state:
            _editor(store, dataset_name, reviewer)
        else:
            _reader(store, dataset_name)


def _reader(store: Store, dataset_name: str) -> None:
    text = read_guidelines(store, dataset_name)
    if text.strip():
        with st.container(
            height=HEIGHT if len(text) > LONG else "content", border=False, key="guidelines text"
        ):
            st.markdown(without_images(text))
    else:
        st.caption("No guidelines are written yet for this data set.")
    title = "Edit" if text.strip() else "Write guidelines"
    begin = partial(_begin, dataset_name, text)
    st.button(title, icon=":material/edit:", key="guidelines edit", on_click=begin)


def _editor(store: Store, dataset_name: str, reviewer: str) -> None:
    if (problem := st.session_state.pop(_problem(dataset_name), None)) is not None:
        st.warning(plain(problem), icon=":material/info:")
    # The draft is no widget's state, which goes with its page: it is there again whenever the editor is.
    key = _text(dataset_name)
    if key not in st.session_state:
        st.session_state[key] = st.session_state[_draft(dataset_name)]["text"]
    st.text_area(
        "Guidelines in Markdown",
        key=key,
        height=HEIGHT,
        max_chars=LONGEST,
        placeholder="What each class means, and what to do in doubt.",
        on_change=_keep,
        args=(dataset_name,),
        help="HTML and images are not shown. All earlier texts are kept.",
    )
    with st.container(horizontal=True, gap="small"):
        save = partial(_save, store, dataset_name, reviewer)
        st.button("Save", type="primary", key="guidelines save", on_click=save)
        st.button("Cancel", key="guidelines cancel", on_click=_end, args=(dataset_name,))


def without_images(text: str) -> str:
    """Return Markdown whose images are links: a picture from elsewhere would tell who reads when.

    >>> without_images("see ![a cat](https://example.com/cat.png)")
    'see ! [a cat](https://example.com/cat.png)'
    """
    return text.replace("![", "! [")


def _draft(dataset_name: str) -> str:
    return f"guidelines draft of {dataset_name}"


def _text(dataset_name: str) -> str:
    return f"guidelines of {dataset_name}"


def _problem(dataset_name: str) -> str:
    return f"guidelines problem of {dataset_name}"


def _begin(dataset_name: str, text: str) -> None:
    st.session_state[_draft(dataset_name)] = {"text": text, "from": text}


def _keep(dataset_name: str) -> None:
    st.session_state[_draft(dataset_name)]["text"] = st.session_state[_text(dataset_name)]


def _end(dataset_name: str) -> None:
    st.session_state.pop(_draft(dataset_name), None)
    st.session_state.pop(_text(dataset_name), None)


def _save(store: Store, dataset_name: str, reviewer: str) -> None:
    """Store the text, unless somebody has stored another one meanwhile: then it takes a second press."""
    draft = st.session_state.get(_draft(dataset_name))
    if draft is None:
        return  # the second click of two
    now, text = read_guidelines(store, dataset_name), draft["text"]
    if now not in (draft["from"], text):
        draft["from"] = now
        st.session_state[_problem(dataset_name)] = (
            "Somebody has saved other guidelines since you began. Save again to replace theirs with yours, "
            "or Cancel to read theirs first."
        )
        return
    try:
        if text != now:
            save_guidelines(store, dataset_name, text, reviewer)
        _end(dataset_name)
    except DietError as error:
        st.session_state[_problem(dataset_name)] = str(error)
