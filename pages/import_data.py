"""Import: a file or hub data set in, looked at and checked before it is stored."""

import dataclasses

import streamlit as st

from diet_core.config import checked_dataset_name
from diet_core.data.load import load_dataset
from diet_core.data.uploads import proposed_name
from diet_core.dataset import Dataset, Roles
from diet_core.errors import DataError
from diet_core.store.loading.datasets import add_dataset, list_datasets
from pages.parts.imports.report import import_report, in_app
from pages.parts.imports.roles import confirmed_roles
from pages.parts.imports.source import chosen_source, first_look, uploaded
from pages.shared.errors import error_box, plain
from pages.shared.workspace import opened_store


@st.cache_resource(show_spinner="Checking the rows …", max_entries=2)
def read_dataset(source: str, roles: Roles, test: str | None) -> Dataset:
    return load_dataset("import", source, roles, test=test)


store = opened_store()
generation = st.session_state.setdefault("imports", 0)

if done := st.session_state.get("imported"):
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.badge("Imported", icon=":material/check_circle:", color="green")
        st.text(done["text"], width="stretch")
        st.page_link(
            "pages/score.py",
            label="Score it",
            icon=":material/speed:",
            query_params={"dataset": done["dataset_id"]},
        )

try:
    source = chosen_source(store.workspace, generation)
    if source is None:
        st.caption("One example a row: a text and its label, and whatever else the file has.")
        st.stop()
    preview = first_look(source)

    st.subheader("Columns", anchor=False, help="Guessed from names and values. Change what is wrong.")
    roles = confirmed_roles(preview, f"{source.location} {generation}")
    st.dataframe(preview.rows, hide_index=True)
    st.caption(f"The first {len(preview.rows)} of {preview.n_rows:,} rows.")
    if roles is None:
        st.info("Choose the columns of text and label to go on.", icon=":material/info:")
        st.stop()
    test = None
    if not preview.has_own_splits and roles.split is None:
        with st.expander("Separate test file", icon=":material/science:"):
            test = uploaded(
                "Test file",
                f"test file {generation}",
                store.workspace,
                help="The same columns; all of its rows are test examples.",
            )

    dataset = read_dataset(source.location, roles, test.location if test else None)
except DataError as error:
    st.error(plain(in_app(str(error))), icon=":material/error:")
    st.stop()

st.subheader("Report", anchor=False)
import_report(dataset)

with st.container(border=True):
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    name = left.text_input(
        "Name", proposed_name(source.title), max_chars=64, key=f"name {source.location} {generation}"
    )
    versions = [line.info.version for line in list_datasets(store) if line.info.name == name]
    is_new_version = bool(versions) and st.checkbox(
        f"New version: keep version {max(versions)} with its runs and decisions, and add version "
        f"{max(versions) + 1}",
        key=f"new version {name} {generation}",
    )
    if right.button(
        "Import",
        type="primary",
        icon=":material/download_done:",
        width="stretch",
        disabled=bool(versions) and not is_new_version,
        help=f"There is a data set {name} already." if versions and not is_new_version else None,
    ):
        with error_box(), st.spinner("Importing …"):
            info = dataclasses.replace(
                dataset.info,
                name=checked_dataset_name(name),
                source=source.title,
                test_source=test.title if test else None,
            )
            kept = add_dataset(store, dataclasses.replace(dataset, info=info), overwrite=is_new_version)
            for used in filter(None, (source, test)):
                used.forget()
            read_dataset.clear()
            st.session_state["imports"] = generation + 1
            st.session_state["imported"] = {
                "dataset_id": kept.dataset_id,
                "text": f"{kept.name}, version {kept.version}: {len(dataset.examples):,} examples",
            }
            st.rerun()
