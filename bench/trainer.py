"""The Trainer of transformers, on the same examples and settings as our loop."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from math import ceil
from typing import Any

from torch import nn

from diet_core.config import TrainingConfig


def trainer_training(
    model: nn.Module, rows: Any, config: TrainingConfig, device: str, options: dict[str, Any], **parts: Any
) -> Callable[[], object]:
    """Return the training by transformers' own loop.

    Args:
        model: On its device.
        rows: The examples, each a dict with its labels.
        config: The settings; `lr` is not None.
        device: cpu, cuda or cuda:N.
        options: Further arguments of `TrainingArguments`.
        parts: Further arguments of `Trainer`: what makes batches of rows.
    """
    from transformers import Trainer, TrainingArguments
    from transformers.trainer_callback import PrinterCallback

    assert config.lr is not None
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=config.batch_size,
            num_train_epochs=config.epochs,
            learning_rate=config.lr,
            weight_decay=config.weight_decay,
            warmup_steps=warmup_steps(config, rows),
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            use_cpu=device == "cpu",
            dataloader_pin_memory=device.startswith("cuda"),
            **options,
        )
    trainer = Trainer(model=model, args=arguments, train_dataset=rows, **parts)
    trainer.remove_callback(PrinterCallback)

    def train() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trainer.train()

    return train


def warmup_steps(config: TrainingConfig, rows: Any) -> int:
    """Return the steps of a rising learning rate, as our loop counts them."""
    return ceil(config.warmup * config.epochs * config.epoch_steps(len(rows)))
