"""Charts on a page: each is made once, for altair takes as long to make one as the store to count for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    import pandas as pd

    from diet_core.charts import AnyChart

# Altair's themes and transformers are set for all threads at once.
_ALTAIR = threading.Lock()
_ARROW = "arrow for the page"


@dataclass(frozen=True)
class Drawn:
    """A chart that is made when somebody looks at it.

    Attributes:
        make: The function that makes it, of `diet_core.charts` and its kin.
        arguments: Of the function.
        settings: Of the function, by name.
    """

    make: Callable[..., AnyChart]
    arguments: tuple[Any, ...]
    settings: dict[str, Any]

    @property
    def chart(self) -> AnyChart:
        """The chart itself, made anew."""
        return self.make(*self.arguments, **self.settings)

    def show(self, key: str, on_select: Any = "ignore") -> Any:
        """Draw it as wide as there is room, and return its selections.

        Args:
            key: Of the widget.
            on_select: What a selection does, as Streamlit's charts take it.
        """
        name = f"{self.make.__module__}.{self.make.__qualname__}"
        spec = _spec(name, self.arguments, self.settings, self.make)
        return st.vega_lite_chart(None, spec, key=key, on_select=on_select, width="stretch")


def drawn(make: Callable[..., AnyChart], *arguments: Any, **settings: Any) -> Drawn:
    """Return the chart that `make` makes of small tables; the same ones are drawn as they were."""
    return Drawn(make, arguments, settings)


@st.cache_resource(show_spinner=False, max_entries=200)
def _spec(
    name: str, arguments: tuple[Any, ...], settings: dict[str, Any], _make: Callable[..., AnyChart]
) -> dict[str, Any]:
    return vega_lite(_make(*arguments, **settings))


def vega_lite(chart: AnyChart) -> dict[str, Any]:
    """Return a chart as Vega-Lite; its tables stand under `datasets` as Arrow streams, which travel well."""
    import altair as alt

    tables: dict[str, bytes] = {}

    def as_arrow(data: pd.DataFrame) -> dict[str, str]:
        name = f"table-{len(tables)}"
        tables[name] = _arrow(data)
        return {"name": name}

    with _ALTAIR:
        alt.data_transformers.register(_ARROW, as_arrow)  # type: ignore[arg-type]
        # Altair's own theme sets sizes that a page has no use for.
        plain = alt.theme.enable("none") if alt.theme.active == "default" else nullcontext()
        with plain, alt.data_transformers.enable(_ARROW):
            spec: dict[str, Any] = chart.to_dict(validate=False)  # that is for the tests
    return spec | {"datasets": spec.get("datasets", {}) | tables}


def _arrow(data: pd.DataFrame) -> bytes:
    """Return a table as an Arrow stream."""
    import pyarrow as pa

    table = pa.Table.from_pandas(data, preserve_index=False)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())
