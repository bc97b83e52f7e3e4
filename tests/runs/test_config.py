"""Settings: what they refuse, and the steps that a text names."""

from __future__ import annotations

import numpy as np
import pytest

from diet_core.config import TrainingConfig, resolved_steps
from diet_core.errors import SettingError
from tests.conftest import n_sentences


def steps(text) -> tuple[int, ...]:
    """The steps of a training of three epochs of 100."""
    return resolved_steps(text, epoch_steps=100, epochs=3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("last", (300,)),
        ("", (300,)),
        ("  ", (300,)),
        ([], (300,)),
        ("0", (0, 300)),
        ("0,100,200", (0, 100, 200, 300)),
        (" 200 , 0,200", (0, 200, 300)),
        ("300", (300,)),
        ("every:100", (100, 200, 300)),
        ("every:120", (120, 240, 300)),
        ("every:1000", (300,)),
        ("epochs", (100, 200, 300)),
        ("0,epochs,every:150", (0, 100, 150, 200, 300)),
        ([200, 0], (0, 200, 300)),
        (range(0, 300, 100), (0, 100, 200, 300)),
        (np.array([7, 9]), (7, 9, 300)),
        (50, (50, 300)),
        ("007", (7, 300)),
    ],
)
def test_resolved_steps_are_ascending_unique_and_end_with_the_last(text, expected):
    assert steps(text) == expected
    assert all(type(step) is int for step in steps(text))


def test_resolved_steps_of_every_step():
    assert steps("every:1") == tuple(range(1, 301))


@pytest.mark.parametrize("text", ["301", "0,5000", [100, 301], "epochs,400"])
def test_a_step_beyond_the_last_is_refused_with_both(text):
    with pytest.raises(
        SettingError, match=r"beyond the last step, 300 \(3 epoch\(s\) of 100 steps\)"
    ) as error:
        steps(text)
    assert str(max(int(n) for n in str(text).strip("[]").split(",") if n.strip().isdigit())) in str(
        error.value
    )
    assert n_sentences(str(error.value)) == 2


@pytest.mark.parametrize(
    "text",
    [
        "-1",
        "1.5",
        "1e2",
        "every:0",
        "every:-5",
        "every:",
        "every",
        "epoch",
        "0,,5",
        "all",
        "²",
        "٣",
        [True],
        [2.0],
    ],
)
def test_what_names_no_step_is_refused(text):
    with pytest.raises(SettingError, match="names no score step") as error:
        steps(text)
    assert n_sentences(str(error.value)) == 2


def test_epoch_steps_count_the_short_batch_at_the_end():
    config = TrainingConfig(batch_size=32)
    assert [config.epoch_steps(n) for n in (1, 32, 33, 64)] == [1, 1, 2, 2]
