"""`bench tricks`: when a trick is needed, and that each one has a switch."""

from __future__ import annotations

from argparse import Namespace

import pytest

from bench.pages.script_runs import ScriptRun
from bench.tricks.pages import WITH, WITHOUT, gain
from bench.tricks.switches import PAGE_TRICKS
from bench.tricks.training import TRAINING_TRICKS
from bench.verbs.tricks import OF_PAGES, OF_TRAINING, bench_tricks
from diet_core.errors import SettingError


def runs(milliseconds: float, processor: float) -> list[ScriptRun]:
    return [ScriptRun(0.0, milliseconds, 0, (), 1, processor)] * 3


@pytest.mark.parametrize(
    ("own", "plain", "is_needed"), [(200, 320, True), (310, 320, False), (100, 299, False)]
)
def test_a_trick_is_needed_where_a_control_would_be_over_its_bar_and_a_tenth_slower(own, plain, is_needed):
    found = gain({WITH: runs(own, 10.0), WITHOUT: runs(plain, 30.0)})
    assert found["with"] == {"median": own, "p95": own}
    assert found["without"] == {"median": plain, "p95": plain}
    assert found["processor"] == {"median": 3.0, "low": 3.0, "high": 3.0}
    assert found["is_needed"] is is_needed


def test_every_trick_that_the_command_knows_can_be_switched_off():
    assert tuple(PAGE_TRICKS) == OF_PAGES
    assert tuple(TRAINING_TRICKS) == OF_TRAINING


def test_an_unknown_trick_is_refused_with_the_known_ones():
    with pytest.raises(SettingError, match=r"'piles'.*run-cache"):
        bench_tricks(Namespace(only="run-cache,piles", rounds=None, rows=None))
