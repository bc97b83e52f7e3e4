"""Our training loop beside the Trainer of transformers at its best settings."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import nullcontext
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader
from transformers.trainer_pt_utils import LengthGroupedSampler

from bench.gpu.inputs import Inputs, made_texts
from bench.gpu.product import devices, fine_tune, rate_factor, trim_last_layer
from bench.gpu.timing import timed
from bench.trainer import trainer_training, warmup_steps

PLAIN = "plain loop"
NO_ACCELERATE = (
    "accelerate is not installed: a plain loop with the Trainer's settings stands for the Trainer."
)


def bench_training(inputs: Inputs) -> dict[str, Any]:
    """Return how many times as fast as the Trainer our loop is, over one epoch of the same texts.

    Both in bf16 where the device is fast in it, else in float32, with fused AdamW, batches grouped by length
    and the same rates. The Trainer neither logs nor starts processes for the data, which would take longer
    than they save.
    """
    encoded, labels = made_texts(inputs.size.train)
    columns: dict[str, Any] = {**encoded.columns, "labels": labels}
    rows = [{name: torch.as_tensor(of[i]) for name, of in columns.items()} for i in range(len(labels))]
    other, theirs = ("Trainer", _trainer) if find_spec("accelerate") else (PLAIN, _plain)

    def prepare_ours(_: int) -> Callable[[], object]:
        devices.apply(inputs.environment)
        model, precision = copy.deepcopy(inputs.model), inputs.environment.precision
        trim_last_layer(model, encoded)
        return lambda: fine_tune(model, encoded, labels, inputs.config, seed=0, precision=precision)

    def prepare_theirs(_: int) -> Callable[[], object]:
        torch.use_deterministic_algorithms(False)
        torch.set_float32_matmul_precision("high" if inputs.device.type == "cuda" else "highest")
        return theirs(inputs, copy.deepcopy(inputs.model), rows)

    ways = {"ours": prepare_ours, other: prepare_theirs}
    ratios = {f"training, times as fast as the {other}": (other, "ours")}
    note = NO_ACCELERATE if other == PLAIN else ""
    result = timed(ways, ratios, len(rows), inputs.size.rounds, inputs.device)
    return result | {"precision": inputs.environment.precision, "note": note}


def _trainer(inputs: Inputs, model: nn.Module, rows: Any) -> Callable[[], object]:
    options = {
        "bf16": inputs.environment.precision == "bf16",
        "optim": "adamw_torch_fused",
        "train_sampling_strategy": "group_by_length",
        "logging_strategy": "no",
        "logging_nan_inf_filter": False,  # it waits for the GPU at every step
    }
    return trainer_training(model, rows, inputs.config, inputs.device.type, options, data_collator=_padded)


def _plain(inputs: Inputs, model: nn.Module, rows: Any) -> Callable[[], object]:
    """Return the training by a loop that does what the Trainer does."""
    config, device, warmup = inputs.config, inputs.device, warmup_steps(inputs.config, rows)
    assert config.lr is not None
    sampler, pins = LengthGroupedSampler(config.batch_size, rows), device.type == "cuda"
    loader: DataLoader[Any] = DataLoader(
        rows, config.batch_size, sampler=sampler, collate_fn=_padded, pin_memory=pins
    )
    optimizer = torch.optim.AdamW(model.parameters(), config.lr, weight_decay=config.weight_decay, fused=True)
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_factor(step, warmup, len(loader)))
    bf16 = torch.autocast(device.type, dtype=torch.bfloat16)

    def train() -> None:
        model.train()
        for batch in loader:
            with bf16 if inputs.environment.precision == "bf16" else nullcontext():
                loss = model(**{k: values.to(device, non_blocking=True) for k, values in batch.items()}).loss
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), config.max_grad_norm)
            optimizer.step()
            rate.step()
            optimizer.zero_grad(set_to_none=True)

    return train


def _padded(rows: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Return rows as a batch, padded to the longest; labels are single numbers."""
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return {
        name: pad_sequence(values, batch_first=True) if values[0].ndim else torch.stack(values)
        for name, values in columns.items()
    }
