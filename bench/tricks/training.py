"""What tricks of training and scoring give: the same batches with and without, in turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, Final

from bench.inputs import Inputs
from bench.rounds import race
from diet_core.training import loop, readout
from diet_core.training.first_token import trim_last_layer
from diet_core.training.loop import fine_tune
from diet_core.training.readout import read_out

WITH, WITHOUT = "with", "without"
STEPS: Final = 4  # of a round

Prepared = Callable[[int], Callable[[], object]]


def bench_training_tricks(
    inputs: Inputs, names: Sequence[str], rounds: int, on_step: Callable[[str], None] = print
) -> dict[str, Any]:
    """Return how many times as long a part of the work takes without each trick, by the processor's time.

    Args:
        inputs: Texts and model.
        names: Some of `TRAINING_TRICKS`.
        rounds: Each of some optimizer steps, or of one pass over all texts.
        on_step: Told what comes next.

    Returns:
        By trick: processor (median of the rounds' ratios, low, high) and is_needed, whether that is a tenth.
    """
    found = {}
    for name in names:
        on_step(f"{name}: {rounds} rounds with and without")
        result = race(TRAINING_TRICKS[name](inputs), rounds, clock=time.process_time)
        ratio = result.ratio(WITHOUT, WITH)
        found[name] = {"processor": ratio, "is_needed": ratio["median"] >= 1 / 0.9}
    return found


def _dropout(inputs: Inputs) -> dict[str, Prepared]:
    def without(seed: int) -> Callable[[], object]:
        work = _training(inputs, seed)
        return lambda: _replaced(loop, "_dropout", lambda device: nullcontext(), work)

    return {WITH: lambda seed: _training(inputs, seed), WITHOUT: without}


def _first_token(inputs: Inputs) -> dict[str, Prepared]:
    work = partial(_training, inputs)
    return {WITH: work, WITHOUT: partial(work, is_trimmed=False)}


def _packed(inputs: Inputs) -> dict[str, Prepared]:
    def read() -> object:
        return read_out(model, inputs.train, tokens=inputs.config.scoring_batch_tokens)

    model = inputs.model(seed=0)
    trim_last_layer(model, inputs.train)
    without = partial(_replaced, readout, "packed_linears", nullcontext, read)
    return {WITH: lambda _: read, WITHOUT: lambda _: without}


def _training(inputs: Inputs, seed: int, is_trimmed: bool = True) -> Callable[[], object]:
    """Return some steps of a fresh model."""
    model = inputs.model(seed)
    if is_trimmed:
        trim_last_layer(model, inputs.train)
    return lambda: fine_tune(model, inputs.train, inputs.labels, inputs.config, seed=seed, total_steps=STEPS)


def _replaced(module: Any, name: str, plain: Any, work: Callable[[], object]) -> None:
    """Work with something else in the place of a function."""
    own = getattr(module, name)
    setattr(module, name, plain)
    try:
        work()
    finally:
        setattr(module, name, own)


TRAINING_TRICKS: Final[dict[str, Callable[[Inputs], dict[str, Prepared]]]] = {
    "cheap-dropout": _dropout,
    "first-token": _first_token,
    "packed-weights": _packed,
}
