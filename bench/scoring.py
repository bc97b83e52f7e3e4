"""`bench scoring`: what EL2N, GraNd and the facts cost beyond the forward pass that they come from."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from bench.inputs import Inputs, gradient_length
from bench.rounds import race
from diet_core.runs.facts import dynamics_table
from diet_core.runs.folder import write_table
from diet_core.scoring.el2n import el2n, grand
from diet_core.training.batches import scoring_batches
from diet_core.training.first_token import trim_last_layer
from diet_core.training.readout import read_out

# One backward pass per example is so slow that a part of the texts must stand for all.
LOOP_EXAMPLES = 64


def bench_scoring(
    inputs: Inputs, rounds: int, on_round: Callable[[int], None] = lambda done: None
) -> dict[str, Any]:
    """Return how long our scoring pass takes beside the bare forward pass and one backward per example.

    The ways, all in float32 on the same batches (but for the last one, which has none): our pass with
    logits, feature norms, EL2N and GraNd of every text and the facts written to disk; the model's forward
    pass alone; GraNd of the whole network by one forward and backward pass per text, of 64 texts.

    Args:
        inputs: Texts and model.
        rounds: How many.
        on_round: Told after each round.
    """
    plain, model = inputs.model(seed=0).eval(), inputs.model(seed=0)
    trim_last_layer(model, inputs.train)
    n = len(inputs.labels)
    part = range(min(LOOP_EXAMPLES, n))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "facts.parquet"
        result = race(
            {
                "ours": lambda _: lambda: _score(inputs, model, file),
                "forward": lambda _: lambda: _forward(inputs, plain),
                "backward_per_example": lambda _: lambda: [_backward(inputs, plain, i) for i in part],
            },
            rounds,
            on_round,
        )
    result.seconds["backward_per_example"] = [
        seconds * n / len(part) for seconds in result.seconds["backward_per_example"]
    ]
    return {
        "ours_in_forward_passes": result.ratio("ours", "forward"),
        "faster_than_backward_per_example": result.ratio("backward_per_example", "ours"),
        "examples_per_second": {way: n / result.median(way) for way in result.seconds},
    }


def _score(inputs: Inputs, model: nn.Module, file: Path) -> None:
    out = read_out(model, inputs.train, tokens=inputs.config.scoring_batch_tokens)
    el2n(out.logits, inputs.labels)
    grand(out.logits, inputs.labels, out.feature_norm, out.has_bias)
    ids = [str(i) for i in range(len(inputs.labels))]
    write_table(file, dynamics_table(ids, out.logits, out.feature_norm))


def _forward(inputs: Inputs, model: nn.Module) -> None:
    torch.set_float32_matmul_precision("highest")
    with torch.inference_mode():
        for rows in scoring_batches(inputs.train.lengths, inputs.config.scoring_batch_tokens):
            model(**inputs.train.batch(rows, inputs.device))


def _backward(inputs: Inputs, model: nn.Module, example: int) -> float:
    row = np.array([example])
    label = torch.from_numpy(inputs.labels[row]).to(inputs.device)
    return gradient_length(model, inputs.train.batch(row, inputs.device), label)
