"""What modules brought is taken out of the collector's sight once, garbage is not."""

import gc
import subprocess
import sys
import types
import weakref

import pytest

from pages.shared import lasting


@pytest.fixture(autouse=True)
def first(monkeypatch):
    monkeypatch.setitem(lasting._last, "modules", 0)
    yield
    gc.unfreeze()


class Node:
    """Something that can refer to itself."""


def ring() -> weakref.ref:
    node = Node()
    node.self = node
    return weakref.ref(node)


def test_what_lives_is_frozen_when_modules_have_come(monkeypatch):
    lasting.keep_modules()
    gc.unfreeze()
    lasting.keep_modules()
    assert gc.get_freeze_count() == 0
    monkeypatch.setitem(sys.modules, "a_new_module", types.ModuleType("a_new_module"))
    lasting.keep_modules()
    assert gc.get_freeze_count() > 1000


def test_garbage_is_collected_before_and_after(monkeypatch):
    gc.disable()
    try:
        before = ring()
        monkeypatch.setitem(sys.modules, "another_module", types.ModuleType("another_module"))
        lasting.keep_modules()
        assert before() is None
        after = ring()
        gc.collect()
        assert after() is None
    finally:
        gc.enable()


def test_nothing_is_frozen_at_the_end_of_the_process():
    code = "from pages.shared import lasting; import duckdb; duckdb.connect(); lasting.keep_modules()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
