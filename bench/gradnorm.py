"""`bench gradnorm`: GraNd of the whole network by one backward pass per batch, beside the usual ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from bench.inputs import Inputs, gradient_length
from bench.rounds import race
from diet_core.training.gradients.norms import gradient_norms

BATCH_SIZE = 32
TOKENS = 64


def bench_gradnorm(
    inputs: Inputs, rounds: int, on_round: Callable[[int], None] = lambda done: None
) -> dict[str, Any]:
    """Return how long the gradient norms of a batch of 32 × 64 tokens take beside the usual passes.

    The ways, all in float32: `gradient_norms(scope="full")`; one forward and backward pass of the batch;
    one forward and backward pass per example.

    Arguments are those of `bench_scoring`.
    """
    torch.set_float32_matmul_precision("highest")
    model = inputs.model(seed=0).eval()
    batch, labels = _batch(inputs), torch.from_numpy(inputs.labels[:BATCH_SIZE]).to(inputs.device)
    rows = [
        ({name: values[i : i + 1] for name, values in batch.items()}, labels[i : i + 1])
        for i in range(BATCH_SIZE)
    ]
    result = race(
        {
            "ours": lambda _: lambda: gradient_norms(model, batch, labels.cpu().numpy(), "full"),
            "forward_backward": lambda _: lambda: gradient_length(model, batch, labels),
            "backward_per_example": lambda _: lambda: [gradient_length(model, *row) for row in rows],
        },
        rounds,
        on_round,
    )
    ours = gradient_norms(model, batch, labels.cpu().numpy(), "full")
    loop = np.array([gradient_length(model, *row) for row in rows])
    return {
        "ours_in_forward_backward_passes": result.ratio("ours", "forward_backward"),
        "faster_than_backward_per_example": result.ratio("backward_per_example", "ours"),
        "largest_relative_error": float(np.abs(ours / loop - 1).max()),
        "milliseconds": {way: 1000 * result.median(way) for way in result.seconds},
    }


def _batch(inputs: Inputs) -> dict[str, torch.Tensor]:
    """Return 32 texts of exactly 64 tokens, each repeated or cut to that length."""
    columns = {
        name: np.stack([np.resize(values[i], TOKENS) for i in range(BATCH_SIZE)])
        for name, values in inputs.train.columns.items()
    }
    return {name: torch.from_numpy(values).to(inputs.device) for name, values in columns.items()}
