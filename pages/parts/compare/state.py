"""The comparison that all parts of the page show, and what is counted of it once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from diet_core.errors import DietError
from pages.shared.errors import plain

if TYPE_CHECKING:
    from diet_core.store.comparison.compare import Compared, Side
    from diet_core.store.loading.runs import RunRecord
    from diet_core.store.store import Store
    from pages.parts.compare.sides import Sides

T = TypeVar("T")


@dataclass(frozen=True)
class Shown:
    """A comparison on the screen."""

    store: Store
    runs: tuple[RunRecord, RunRecord]
    compared: Compared

    @property
    def key(self) -> str:
        """What tells its widgets from those of other comparisons."""
        one = self.compared
        return f"{one.a} {one.b} {one.score}"

    @property
    def file_name(self) -> str:
        """What its downloads are called."""
        return f"{self.compared.a.run_id}-and-{self.compared.b.run_id}-{self.compared.score}"

    def counted(self, function: Callable[..., T], *arguments: Any) -> T:
        """Return what a function says of the comparison, counted once: nothing changes in a run."""
        found: T = _counted(
            str(self.store.workspace.root),
            self.key,
            function.__name__,
            repr(arguments),
            function,
            self.store,
            self.compared,
            arguments,
        )
        return found


def compared_sides(store: Store, sides: Sides, score: str) -> Shown:
    """Return the comparison of two sides by a score; one that cannot be is told, and the page ends."""
    named = (str(sides.a), str(sides.b), score)
    try:
        compared = _compared(str(store.workspace.root), *named, store, sides.a, sides.b)
    except DietError as error:
        st.error(plain(str(error)), icon=":material/error:")
        st.stop()
    return Shown(store, sides.runs, compared)


@st.cache_data(show_spinner="Matching the examples of both …", max_entries=16)
def _compared(root: str, a: str, b: str, score: str, _store: Store, _a: Side, _b: Side) -> Compared:
    from diet_core.store.comparison.compare import compare

    return compare(_store, _a, _b, score)


@st.cache_data(show_spinner=False, max_entries=200)
def _counted(
    root: str,
    key: str,
    name: str,
    arguments: str,
    _function: Any,
    _store: Store,
    _compared: Any,
    _arguments: Any,
) -> Any:
    return _function(_store, _compared, *_arguments)
