"""Marks every test here; no test here needs a fixture, so that they run without pytest too."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.gpu)
            # Attention on a GPU tells that it does not add up in a fixed order.
            item.add_marker(pytest.mark.filterwarnings("default"))
