"""What a benchmark runs on: texts of a data set as tokens, and the embedded model."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import cross_entropy

from diet_core.config import TrainingConfig
from diet_core.encoders import FROZEN
from diet_core.errors import DataError
from diet_core.run_config import Environment, ModelSource
from diet_core.runs.facts import class_numbers
from diet_core.training import devices, models
from diet_core.training.batches import Encoded, encode
from diet_core.training.frozen import LR_HEAD

MOST_TEST_EXAMPLES = 1_000
LEAST_ROWS = 64


@dataclass(frozen=True)
class Inputs:
    """A sample of a data set's training and test split, tokenised.

    Attributes:
        config: The settings, with the model's own learning rate.
        source: The model.
        tokenizer: The model's.
        environment: What was resolved for this machine.
        n_classes: Of the data set.
        example_ids: Of the texts to train on.
        train: These texts.
        labels: Their class numbers.
        test: The texts to test on.
        test_labels: Their class numbers.
    """

    config: TrainingConfig
    source: ModelSource
    tokenizer: Any
    environment: Environment
    n_classes: int
    example_ids: tuple[str, ...]
    train: Encoded
    labels: NDArray[np.int64]
    test: Encoded
    test_labels: NDArray[np.int64]

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return torch.device(self.environment.device)

    def model(self, seed: int) -> nn.Module:
        """Return a fresh classifier on the device."""
        model = models.load_classifier(self.source, self.n_classes, seed)
        return model.to(self.environment.device)


def prepare(examples: pd.DataFrame, classes: tuple[str, ...], rows: int, config: TrainingConfig) -> Inputs:
    """Return a seeded sample of `rows` training examples and at most a thousand test examples.

    Args:
        examples: Columns as `tables.EXAMPLE_COLUMNS`.
        classes: The class names in order.
        rows: Training examples; fewer where there are fewer.
        config: The settings.

    Raises:
        DataError: If there are fewer than 64 training examples, or none to test on.
        ModelError: If the model cannot be loaded.
    """
    environment = devices.resolve(config)
    devices.apply(environment)
    source = models.find_model(config.model)
    tokenizer = models.load_tokenizer(source)
    train, test = (
        _sample(examples, split, n) for split, n in (("train", rows), ("test", MOST_TEST_EXAMPLES))
    )
    if len(train) < LEAST_ROWS or test.empty:
        raise DataError(
            f"There are {len(train)} training and {len(test)} test examples, too few to measure. "
            f"Choose a data set or --rows with at least {LEAST_ROWS} to train on and some to test on."
        )

    def tokens(frame: pd.DataFrame) -> Encoded:
        pairs = frame["text_pair"].tolist() if examples["text_pair"].notna().any() else None
        return encode(tokenizer, frame["text"].tolist(), pairs, config.max_length)

    lr = config.lr or (LR_HEAD if config.encoder == FROZEN else source.lr)
    return Inputs(
        config=dataclasses.replace(config, lr=lr),
        source=source,
        tokenizer=tokenizer,
        environment=environment,
        n_classes=len(classes),
        example_ids=tuple(train["example_id"]),
        train=tokens(train),
        labels=class_numbers(train["label"], classes),
        test=tokens(test),
        test_labels=class_numbers(test["label"], classes),
    )


def gradient_length(model: nn.Module, batch: dict[str, torch.Tensor], labels: torch.Tensor) -> float:
    """Return the length of the summed loss's gradient with respect to all parameters."""
    loss = cross_entropy(model(**batch).logits, labels, reduction="sum")
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    return float(torch.stack([(g.double() ** 2).sum() for g in gradients]).sum().sqrt())


def _sample(examples: pd.DataFrame, split: str, n: int) -> pd.DataFrame:
    there = examples[examples["split"] == split]
    return there.sample(min(n, len(there)), random_state=0)
