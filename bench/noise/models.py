"""The models behind `bench noise`: what they say of the examples that they were trained on, kept on disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from bench.inputs import Inputs
from diet_core.config import to_json
from diet_core.encoders import FROZEN
from diet_core.runs.folder import write_atomically
from diet_core.training.first_token import trim_last_layer
from diet_core.training.frozen import embed, fit_head, head_logits
from diet_core.training.loop import fine_tune
from diet_core.training.readout import read_out

Labels = NDArray[np.int64]
Floats32 = NDArray[np.float32]


@dataclass(frozen=True)
class Models:
    """Models of one data set, each trained once for a set of labels and a seed.

    Attributes:
        inputs: Texts and model; `inputs.config.encoder` says whether the encoder is trained.
        cache: The folder that keeps the logits; what is there is not trained again.
        on_training: Told of each training before it begins.
    """

    inputs: Inputs
    cache: Path
    on_training: Callable[[str], None] = lambda words: None

    def logits(self, labels: Labels, seeds: int, about: str) -> Floats32:
        """Return what models trained on `labels` say of the same examples: (seeds, n_examples, n_classes).

        Args:
            labels: Class numbers, shape (n_examples,).
            seeds: How many models.
            about: What the labels are, for `on_training`.
        """
        return np.stack([self._logits(labels, seed, f"{about}, seed {seed}") for seed in range(seeds)])

    def _logits(self, labels: Labels, seed: int, about: str) -> Floats32:
        train = self._head if self.inputs.config.encoder == FROZEN else self._tuned
        return self._kept([seed, labels.tolist()], about, lambda: train(labels, seed))

    def _tuned(self, labels: Labels, seed: int) -> Floats32:
        inputs = self.inputs
        model = inputs.model(seed)
        trim_last_layer(model, inputs.train)
        precision = inputs.environment.precision
        fine_tune(model, inputs.train, labels, inputs.config, seed=seed, precision=precision)
        return read_out(model, inputs.train, tokens=inputs.config.scoring_batch_tokens).logits

    def _head(self, labels: Labels, seed: int) -> Floats32:
        inputs = self.inputs
        features = self._kept(["features"], "embedding the texts", self._features)
        head = fit_head(
            features, labels, inputs.n_classes, config=inputs.config, seed=seed, device=inputs.device
        )
        return head_logits(head, features)[0]

    def _features(self) -> Floats32:
        inputs = self.inputs
        return embed(inputs.model(seed=0), inputs.train, tokens=inputs.config.scoring_batch_tokens)

    def _kept(self, what: list[object], about: str, make: Callable[[], Floats32]) -> Floats32:
        """Return an array that was made before with the same texts and settings, else make and keep it."""
        file = self.cache / f"{self._digest(what)}.npy"
        if not file.exists():
            self.on_training(about)
            made = make()
            self.cache.mkdir(parents=True, exist_ok=True)
            write_atomically(file, lambda path: _save(path, made))
        kept: Floats32 = np.load(file, allow_pickle=False)
        return kept

    def _digest(self, what: list[object]) -> str:
        """Return a name for all that an array follows from."""
        inputs = self.inputs
        about = [to_json(inputs.config), to_json(inputs.source), to_json(inputs.environment)]
        digest = hashlib.blake2b(digest_size=12)
        digest.update(json.dumps([about, torch.__version__, what], sort_keys=True).encode())
        for column in inputs.train.columns.values():
            for values in column:
                digest.update(values.tobytes())
        return digest.hexdigest()


def _save(path: Path, array: Floats32) -> None:
    with path.open("wb") as file:
        np.save(file, array, allow_pickle=False)
