"""The scoring pass and full GraNd: what they cost, and that slower ways come to the same scores."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import cross_entropy

from bench.gpu.inputs import Inputs, Labels, made_texts
from bench.gpu.product import (
    Encoded,
    el2n,
    grand,
    read_gradients,
    read_out,
    scoring_batches,
    trim_last_layer,
)
from bench.gpu.timing import Way, timed

# Tokens per batch that occupy a large GPU; the default of the settings was measured on a CPU.
MANY_TOKENS = 16_384


def bench_scoring(inputs: Inputs) -> dict[str, Any]:
    """Return what the scoring pass costs in bare forward passes over the same batches, all in float32."""
    encoded, labels = made_texts(inputs.size.score)
    ours = copy.deepcopy(inputs.model)
    is_trimmed = trim_last_layer(ours, encoded)
    ways: dict[str, Way] = {}
    ratios = {}
    for tokens in (inputs.config.scoring_batch_tokens, MANY_TOKENS):
        of = f"{tokens:,} tokens a batch"
        ways[f"ours, {of}"] = _way(partial(_scores, ours, encoded, labels, tokens))
        ways[f"forward, {of}"] = _way(partial(_forward, inputs.model, encoded, tokens))
        ratios[f"scoring pass in bare forward passes, {of}"] = (f"ours, {of}", f"forward, {of}")
    result = timed(ways, ratios, len(labels), inputs.size.rounds, inputs.device)
    return result | {"is_last_layer_trimmed": is_trimmed}


def bench_gradients(inputs: Inputs) -> dict[str, Any]:
    """Return how many times as fast as one backward pass per text full GraNd by hooks is, in float32."""
    encoded, labels = made_texts(inputs.size.gradients)
    model, tokens, loop = inputs.model, inputs.config.scoring_batch_tokens, "a backward pass per text"
    ways = {
        "ours": _way(partial(_grand_by_hooks, model, encoded, labels, tokens)),
        loop: _way(partial(_grand_by_loop, model, encoded, labels)),
    }
    ratios = {f"full GraNd, times as fast as {loop}": (loop, "ours")}
    return timed(ways, ratios, len(labels), inputs.size.rounds, inputs.device)


def differences(inputs: Inputs) -> dict[str, float]:
    """Return the largest differences between ways that must agree to `TOLERANCE`, by what is compared."""
    encoded, labels = made_texts(inputs.size.compare)
    model, tokens = inputs.model, inputs.config.scoring_batch_tokens
    here = _scores(model, encoded, labels, tokens)
    alone = _scores(model, encoded, labels, 1)
    on_cpu = _scores(copy.deepcopy(model).cpu(), encoded, labels, tokens)
    hooks = _grand_by_hooks(model, encoded, labels, tokens)
    loop = _grand_by_loop(model, encoded, labels, torch.float64)
    return {
        "EL2N on this device and on the CPU": float(np.abs(here[0] - on_cpu[0]).max()),
        "EL2N in batches and alone": float(np.abs(here[0] - alone[0]).max()),
        "GraNd on this device and on the CPU": float(np.abs(here[1] / on_cpu[1] - 1).max()),
        "GraNd in batches and alone": float(np.abs(here[1] / alone[1] - 1).max()),
        "full GraNd by hooks and by a backward pass per text": float(np.abs(hooks / loop - 1).max()),
    }


def _way(part: Callable[[], object]) -> Way:
    """Return a way that needs no preparation."""
    return lambda number: part


def _scores(model: nn.Module, encoded: Encoded, labels: Labels, tokens: int) -> tuple[Any, Any]:
    """Return EL2N and the classifier's GraNd of one scoring pass, which begins with TF32 on."""
    torch.set_float32_matmul_precision("high")
    out = read_out(model, encoded, tokens=tokens)
    return el2n(out.logits, labels), grand(out.logits, labels, out.feature_norm, out.has_bias)


def _grand_by_hooks(model: nn.Module, encoded: Encoded, labels: Labels, tokens: int) -> NDArray[Any]:
    torch.set_float32_matmul_precision("high")
    out = read_gradients(model, encoded, labels, scope="full", new_parameters=None, tokens=tokens)
    assert out.loop_reason is None, out.loop_reason
    return out.norms["grad_norm"]


def _grand_by_loop(
    model: nn.Module, encoded: Encoded, labels: Labels, precision: torch.dtype = torch.float32
) -> NDArray[Any]:
    """Return full GraNd; on a CPU the length of millions of numbers is right to 1e-4 only in float64."""
    torch.set_float32_matmul_precision("highest")
    device, parameters = next(model.parameters()).device, list(model.parameters())
    norms = []
    for row in np.arange(len(labels))[:, None]:
        logits = model(**encoded.batch(row, device)).logits
        loss = cross_entropy(logits, torch.from_numpy(labels[row]).to(device))
        gradients = [g.to(precision) for g in torch.autograd.grad(loss, parameters)]
        norms.append(nn.utils.get_total_norm(gradients))
    return torch.stack(norms).cpu().numpy()


def _forward(model: nn.Module, encoded: Encoded, tokens: int) -> None:
    torch.set_float32_matmul_precision("highest")
    device = next(model.parameters()).device
    with torch.inference_mode():
        for rows in scoring_batches(encoded.lengths, tokens):
            model(**encoded.batch(rows, device))
