"""What travels between the app and a browser: how long a script run takes, and how much it sends.

Two times of each action: what the script ran, by the server's clock, and what passed by that of the browser's
network layer from the frame of the websocket that asks for a run to the one that says that it is finished.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
    from streamlit.proto.VegaLiteChart_pb2 import VegaLiteChart

_BINARY: Final = 2  # opcode of a frame
_ASKING: Final = (
    10_000  # milliseconds until the browser has asked for a run; a page's first one takes longest
)
_QUIET: Final = 250  # milliseconds without a frame after which nothing follows: a run may ask for another one


@dataclass(frozen=True)
class Frame:
    """A frame of the websocket.

    Attributes:
        at: Seconds by the browser's clock.
        is_sent: From the browser to the app.
        payload: What it says.
    """

    at: float
    is_sent: bool
    payload: bytes


@dataclass(frozen=True)
class ScriptRun:
    """What an action in the browser brought about.

    Attributes:
        milliseconds: From the first asking for a run to the end of the last one.
        script_milliseconds: Of them, what the script ran by the server's clock.
        n_bytes: Received by the browser meanwhile, before compression.
        marks: Rows that each received chart draws, all its layers together.
        runs: Script runs that were begun.
        processor_milliseconds: What they took of the server's processors.
    """

    milliseconds: float
    script_milliseconds: float
    n_bytes: int
    marks: tuple[int, ...]
    runs: int
    processor_milliseconds: float = 0.0


class Wire:
    """Listens to the websockets of a page."""

    def __init__(self, page: Page, times: Path) -> None:
        """Listen from now on; `times` is where the server notes how long each run took."""
        self.frames: list[Frame] = []
        self._times, self._n_told = times, 0
        self._page = page
        self._known: dict[str, ForwardMsg] = {}
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.webSocketFrameSent", lambda event: self._note(event, is_sent=True))
        session.on("Network.webSocketFrameReceived", lambda event: self._note(event, is_sent=False))

    def _note(self, event: dict[str, Any], *, is_sent: bool) -> None:
        response = event["response"]
        if response["opcode"] == _BINARY:
            payload = base64.b64decode(response["payloadData"])
            self.frames.append(Frame(event["timestamp"], is_sent, payload))

    def script_run(self, timeout: float) -> ScriptRun | None:
        """Return what has travelled since the last call, once all is quiet; None if no run was asked for.

        Args:
            timeout: Milliseconds until it must be finished.

        Raises:
            TimeoutError: If it is not.
        """
        for waited in range(0, math.ceil(timeout), _QUIET):
            before = len(self.frames)
            self._page.wait_for_timeout(_QUIET)
            if waited > _ASKING and not _asks(self.frames):
                return None
            if len(self.frames) == before and is_finished(self.frames):
                frames, self.frames = self.frames, []
                return script_run(frames, self._known, *self._new_times())
        raise TimeoutError(f"A script run was not finished after {timeout / 1000:.0f} seconds.")

    def _new_times(self) -> tuple[float, float]:
        """Return the milliseconds of the script runs that ended since the last call, and the processor's."""
        lines = self._times.read_text(encoding="utf-8").splitlines() if self._times.exists() else []
        told, self._n_told = lines[self._n_told :], len(lines)
        spent = [[float(ms) for ms in line.split()] for line in told]
        return sum(ms for ms, _ in spent), sum(ms for _, ms in spent)


def is_finished(frames: Sequence[Frame]) -> bool:
    """Return whether runs were asked for, and every one of them has ended."""
    kinds = [message.WhichOneof("type") for _, message in _received(frames)]
    ends = [frame.at for frame, message in _received(frames) if message.HasField("script_finished")]
    asks = _asks(frames)
    return bool(asks and ends) and ends[-1] > asks[-1] and len(ends) >= kinds.count("new_session")


def script_run(
    frames: Sequence[Frame],
    known: dict[str, ForwardMsg],
    script_milliseconds: float = 0.0,
    processor_milliseconds: float = 0.0,
) -> ScriptRun:
    """Return what the frames of a finished action come to.

    Args:
        frames: In the order of time.
        known: Messages that were received before, by their hash: what the browser has is not sent again.
            Those of this action are added.
        script_milliseconds: What the server says of it.
        processor_milliseconds: And of the processor's time.
    """
    received = list(_received(frames))
    ends = [frame.at for frame, message in received if message.HasField("script_finished")]
    whole = [known.get(message.ref_hash, message) for _, message in received]
    known.update((message.hash, message) for message in whole if message.hash and _has_chart(message))
    return ScriptRun(
        milliseconds=1000 * (ends[-1] - _asks(frames)[0]),
        script_milliseconds=script_milliseconds,
        processor_milliseconds=processor_milliseconds,
        n_bytes=sum(len(frame.payload) for frame, _ in received),
        marks=tuple(chart_marks(m.delta.new_element.vega_lite_chart) for m in whole if _has_chart(m)),
        runs=sum(message.HasField("new_session") for message in whole),
    )


def _received(frames: Sequence[Frame]) -> Iterator[tuple[Frame, ForwardMsg]]:
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    for frame in frames:
        if not frame.is_sent:
            yield frame, ForwardMsg.FromString(frame.payload)


def _asks(frames: Sequence[Frame]) -> list[float]:
    """Return when runs were asked for."""
    from streamlit.proto.BackMsg_pb2 import BackMsg

    return [f.at for f in frames if f.is_sent and BackMsg.FromString(f.payload).HasField("rerun_script")]


def _has_chart(message: ForwardMsg) -> bool:
    return message.HasField("delta") and message.delta.new_element.HasField("vega_lite_chart")


def chart_marks(chart: VegaLiteChart) -> int:
    """Return how many rows the layers of a chart draw together (a line of n rows counts as n)."""
    spec = json.loads(chart.spec)
    rows = {named.name: _n_rows(named.data.data) for named in chart.datasets if named.has_name}
    rows |= {name: len(values) for name, values in spec.get("datasets", {}).items()}
    own = _n_rows(chart.data.data) if chart.HasField("data") else 0
    return sum(_rows_of(data, rows, own) for data in _drawn(spec, None))


def _drawn(spec: dict[str, Any], above: Any) -> Iterator[Any]:
    """Yield the data of each layer that draws; its own or what stands above it."""
    data = spec.get("data", above)
    if "mark" in spec:
        yield data
    inner = [spec["spec"]] if isinstance(spec.get("spec"), dict) else []
    layers = [part for key in ("layer", "hconcat", "vconcat", "concat") for part in spec.get(key, [])]
    for part in (*inner, *layers):
        yield from _drawn(part, data)


def _rows_of(data: Any, rows: dict[str, int], own: int) -> int:
    if data and "values" in data:
        return len(data["values"]) if isinstance(data["values"], list) else 1
    return rows.get((data or {}).get("name", ""), own)


def _n_rows(arrow: bytes) -> int:
    """Return the number of rows of an Arrow stream."""
    with pa.ipc.open_stream(arrow) as batches:
        return sum(batch.num_rows for batch in batches)
