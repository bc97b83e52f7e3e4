"""What a page draws is sent at once: a browser that draws it piece by piece takes time from the app."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from streamlit.runtime.scriptrunner import get_script_run_ctx

SECONDS = 0.3  # longer nothing is held back: a page that computes shows that it does


@contextmanager
def held(seconds: float = SECONDS) -> Iterator[None]:
    """Hold back what the block draws until it ends or some time has passed, whichever comes first.

    Streamlit sends each element as it is made, and the browser draws the whole page anew for each handful of
    them, on the same cores that the script still computes on (docs/decisions.md has the figures).

    Args:
        seconds: After which what was drawn so far is sent, and all that follows at once.
    """
    context: Any = get_script_run_ctx(suppress_warning=True)
    send = getattr(context, "_enqueue", None)
    if send is None:  # no script run, or a Streamlit that sends in another way
        yield
        return
    outbox = _Outbox(send, lambda: "any key" in context.session_state)
    timer = threading.Timer(seconds, outbox.let_go)
    timer.daemon = True
    context._enqueue = outbox.put
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        context._enqueue = send
        # Another thread, for in its own Streamlit sends nothing more once st.stop or st.rerun was called.
        sender = threading.Thread(target=outbox.let_go)
        sender.start()
        sender.join()


class _Outbox:
    """Messages that wait until they are let go, once and for all; their order stays.

    To draw is also where a script run ends that st.stop, st.rerun or the browser has asked to end: Streamlit
    raises what ends it when a message is sent, or when the session's state is read.
    """

    def __init__(self, send: Any, end_if_asked: Callable[[], object]) -> None:
        self._send, self._end_if_asked = send, end_if_asked
        self._lock = threading.Lock()
        self._waiting: list[Any] | None = []

    def put(self, message: Any) -> None:
        self._end_if_asked()
        with self._lock:
            if self._waiting is not None:
                self._waiting.append(message)
                return
        self._send(message)

    def let_go(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting or [], None
            for message in waiting:
                self._send(message)
