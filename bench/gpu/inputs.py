"""Made-up inputs: encoders of random weights, and random texts as long as real ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import BertConfig, BertForSequenceClassification

from bench.gpu.product import Encoded, Environment, TrainingConfig, devices

Labels = NDArray[np.int64]
# How far two ways to a score may differ, norms relatively: float32 stays below it, TF32 would not.
TOLERANCE: Final = 1e-4
# Tokens of the bundled tweets by the tokenizer of BERT and MiniLM: every 5th percentile.
LENGTHS: Final = (3, 8, 10, 12, 14, 15, 16, 18, 19, 21, 22, 24, 25, 27, 29, 30, 32, 34, 36, 39, 80)
VOCABULARY, FIRST_WORD, CLS, SEP, N_CLASSES = 30_522, 1_000, 101, 102, 3
# New classifiers give all texts nearly the same logits; at four times the weights texts differ.
CLASSIFIER_SCALE: Final = 4.0
# Width, layers, heads, width of the feed-forward part.
MODELS: Final = {"BERT-base": (768, 12, 12, 3072), "MiniLM": (384, 6, 12, 1536)}
TINY: Final = (64, 2, 2, 128)


@dataclass(frozen=True)
class Size:
    """How many texts each part takes, and how many timed rounds."""

    train: int
    score: int
    gradients: int
    compare: int
    rounds: int


SIZES: Final = {
    "full": Size(train=4096, score=8192, gradients=128, compare=128, rounds=5),
    "quick": Size(train=16, score=24, gradients=4, compare=4, rounds=1),
    "tiny": Size(train=32, score=32, gradients=4, compare=8, rounds=1),
}


@dataclass(frozen=True)
class Inputs:
    """A classifier in eval mode on its device, which no benchmark changes, and what it is measured with."""

    model: nn.Module
    config: TrainingConfig
    environment: Environment
    size: Size

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device


def models_of(size: str) -> dict[str, tuple[int, int, int, int]]:
    """Return the models to measure, by name."""
    return {"tiny": TINY} if size == "tiny" else MODELS


def prepare(model: str, size: str, device: str) -> Inputs:
    """Return what to measure one of `models_of(size)` with, on `cuda` or `cpu`."""
    config = TrainingConfig(device=device, lr=3e-5)
    environment = devices.resolve(config)
    return Inputs(made_model(*models_of(size)[model]).to(device), config, environment, SIZES[size])


def made_model(width: int, layers: int, heads: int, inner: int) -> nn.Module:
    """Return a BERT classifier of random weights in eval mode, always the same; on the CPU."""
    torch.manual_seed(0)
    config: Any = BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=inner,
    )
    config.num_labels = N_CLASSES
    model: nn.Module = BertForSequenceClassification(config)
    with torch.no_grad():
        model.get_parameter("classifier.weight").mul_(CLASSIFIER_SCALE)
    return model.eval()


def made_texts(n: int) -> tuple[Encoded, Labels]:
    """Return `n` texts of random words, always the same, and a random class number each."""
    rng = np.random.default_rng(0)
    lengths = np.interp(rng.random(n), np.linspace(0, 1, len(LENGTHS)), LENGTHS).astype(np.int64)
    ids = [np.array([CLS, *rng.integers(FIRST_WORD, VOCABULARY, length - 2), SEP]) for length in lengths]
    columns = {
        "input_ids": ids,
        "token_type_ids": [np.zeros_like(text) for text in ids],
        "attention_mask": [np.ones_like(text) for text in ids],
    }
    return Encoded(columns, lengths, dict.fromkeys(columns, 0)), rng.integers(0, N_CLASSES, n)
