"""Charts as Vega-Lite with their tables as Arrow, and as pictures."""

from __future__ import annotations

import io
import threading
from contextlib import nullcontext
from typing import Any, Final

import altair as alt
import pandas as pd
import pyarrow as pa

from diet_core.charts.base import AnyChart

# Altair's themes and transformers are set for all threads at once.
_ALTAIR: Final = threading.Lock()
_ARROW: Final = "arrow for a page"
SCALE: Final = 2  # of a PNG


def vega_lite(chart: AnyChart) -> dict[str, Any]:
    """Return a chart as Vega-Lite; its tables stand under `datasets` as Arrow streams, which travel well."""
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
    table = pa.Table.from_pandas(data, preserve_index=False)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


def rendered(chart: Any, form: str) -> bytes:
    """Return a chart as a picture, by vl-convert.

    Args:
        chart: Any Altair chart, with its size and ground.
        form: png (twice as sharp as a screen, for print) or svg.
    """
    if form == "svg":
        text = io.StringIO()
        chart.save(text, format="svg")
        return text.getvalue().encode()
    content = io.BytesIO()
    chart.save(content, format="png", scale_factor=SCALE)
    return content.getvalue()
