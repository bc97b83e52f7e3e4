"""What a page draws goes out at once, in its order, and not later than it must."""

from __future__ import annotations

import time
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared import held as module
from pages.shared.held import held


class Context:
    """As much of a script run's context as sends messages."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self._enqueue: Any = self.sent.append
        self.session_state: dict[str, Any] = {}

    def draw(self, *messages: int) -> None:
        for message in messages:
            self._enqueue(message)


@pytest.fixture
def context(monkeypatch) -> Context:
    """The context of the present script run."""
    made = Context()
    monkeypatch.setattr(module, "get_script_run_ctx", lambda suppress_warning: made)
    return made


def test_all_goes_out_at_the_end_in_its_order(context):
    with held(seconds=60):
        context.draw(1, 2, 3)
        assert context.sent == []
    assert context.sent == [1, 2, 3]
    context.draw(4)
    assert context.sent == [1, 2, 3, 4]


def test_a_page_that_takes_long_shows_what_it_has(context):
    with held(seconds=0.05):
        context.draw(1, 2)
        deadline = time.monotonic() + 10
        while not context.sent and time.monotonic() < deadline:
            time.sleep(0.01)
        assert context.sent == [1, 2]
        context.draw(3)
        assert context.sent == [1, 2, 3]
    assert context.sent == [1, 2, 3]


def test_what_was_drawn_before_an_error_is_shown(context):
    def broken_page() -> None:
        with held(seconds=60):
            context.draw(1)
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        broken_page()
    assert context.sent == [1]


PAGE = """
import streamlit as st
from pages.shared.held import held

with held(seconds=60):
    st.write("before")
    if st.button("stop"):
        st.write("stopped")
        st.stop()
    if st.button("again") and "again" not in st.session_state:
        st.session_state["again"] = True
        st.rerun()
    st.write("after")
"""


def test_what_was_drawn_before_a_stop_is_shown():
    page = AppTest.from_string(PAGE).run()
    assert [m.value for m in page.markdown] == ["before", "after"]
    assert [m.value for m in page.button[0].click().run().markdown] == ["before", "stopped"]


def test_a_rerun_draws_the_page_again():
    page = AppTest.from_string(PAGE).run()
    assert [m.value for m in page.button[1].click().run().markdown] == ["before", "after"]


ENDING = """
from pathlib import Path
import streamlit as st
from pages.shared.held import held

st.button("again", key="again")
with held(seconds={seconds}):
    st.write("before")
    if st.session_state.get("ended") is None:
        st.session_state["ended"] = True
        st.{ending}()
        Path({file!r}).touch()
    st.write("after")
"""


@pytest.mark.parametrize("seconds", [0, 60])
@pytest.mark.parametrize(("ending", "drawn"), [("stop", ["before"]), ("rerun", ["before", "after"])])
def test_what_stands_behind_a_stop_or_a_rerun_is_not_run(tmp_path, ending, drawn, seconds):
    file = tmp_path / "behind"
    page = AppTest.from_string(ENDING.format(ending=ending, file=str(file), seconds=seconds)).run()
    assert not page.exception
    assert [m.value for m in page.markdown] == drawn
    assert not file.exists()
    assert [m.value for m in page.button[0].click().run().markdown] == ["before", "after"]


def test_without_a_script_run_nothing_is_held(monkeypatch):
    monkeypatch.setattr(module, "get_script_run_ctx", lambda suppress_warning: None)
    with held():
        reached = True
    assert reached


def test_messages_of_many_moments_keep_their_order(context):
    with held(seconds=0.02):
        for n in range(400):
            context.draw(n)
            time.sleep(0.0002)
    assert context.sent == list(range(400))
