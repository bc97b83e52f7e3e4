"""The file or hub name that a person gives, as a path that the readers take."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from diet_core.config import Workspace
from diet_core.data.formats.files import KNOWN_ENDINGS
from diet_core.data.formats.readers import read_source
from diet_core.data.preview import Preview, preview_of
from diet_core.data.uploads import forget_upload, keep_upload
from diet_core.errors import DataError
from pages.shared.widgets import one_of

_ENDINGS = ["csv", "tsv", "jsonl", "ndjson", "json", "parquet", "gz", "zst"]


@dataclass(frozen=True)
class Source:
    """What is imported.

    Attributes:
        title: The file's own name or the hub name: what people see.
        location: What the readers take: our copy's path or the hub name.
        is_upload: Whether `location` is our copy.
    """

    title: str
    location: str
    is_upload: bool

    def forget(self) -> None:
        """Delete our copy."""
        if self.is_upload:
            forget_upload(Path(self.location))


def chosen_source(workspace: Workspace, generation: int) -> Source | None:
    """Draw the two ways in and return what was given, None while there is nothing.

    Args:
        workspace: Its cache keeps uploads until they are imported.
        generation: Counts imports: another one empties the widgets.
    """
    ways = ("A file", "The Hugging Face hub")
    way = one_of("From", ways, "import way", label_visibility="collapsed")
    if way == "A file":
        return uploaded("File", f"file {generation}", workspace, help=f"{KNOWN_ENDINGS}. Up to 200 MB.")
    with st.form("hub", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            "Data set on the hub",
            placeholder="owner/name or owner/name:configuration",
            key=f"hub {generation}",
            help="Needs a network. No code of the data set is ever run.",
        )
        st.form_submit_button("Fetch", icon=":material/cloud_download:")
    hub_name = (name or "").strip()
    # A name is never taken for a path on the server: pages take uploads only.
    if hub_name and Path(hub_name).expanduser().exists():
        raise DataError(f"{hub_name[:80]!r} is not a name on the hub. Upload the file instead.")
    return Source(hub_name, hub_name, is_upload=False) if hub_name else None


def uploaded(label: str, key: str, workspace: Workspace, help: str) -> Source | None:
    """Draw an upload field and return our copy of the file, None while there is none."""
    file = st.file_uploader(label, type=_ENDINGS, key=key, help=help)
    if file is None:
        return None
    return Source(file.name, str(_kept(file, workspace)), is_upload=True)


def first_look(source: Source) -> Preview:
    """Return the preview of a source; a source that cannot be read leaves nothing behind.

    Raises:
        DataError: If it cannot be read.
    """
    try:
        return _preview(source.location)
    except DataError:
        source.forget()
        raise


def _kept(file: Any, workspace: Workspace) -> Path:
    """Return our copy of an uploaded file; the session remembers it, so that it is written once."""
    places = st.session_state.setdefault("uploads", {})
    known = places.get(file.file_id)
    if known is None or not Path(known).exists():
        places[file.file_id] = str(keep_upload(workspace.cache, file.name, file.getvalue()))
    return Path(places[file.file_id])


# The path of a copy names its content's hash, so that an entry never is of another file.
@st.cache_data(show_spinner="Reading …", max_entries=8)
def _preview(location: str) -> Preview:
    return preview_of(read_source(location))
