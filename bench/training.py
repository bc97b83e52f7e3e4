"""`bench training`: our loop beside the Hugging Face Trainer, on the same tokens for one epoch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from bench.inputs import Inputs
from bench.rounds import check_installed, race
from bench.trainer import trainer_training
from diet_core.runs.summary import mean_and_std
from diet_core.training.batches import Encoded
from diet_core.training.first_token import trim_last_layer
from diet_core.training.loop import fine_tune
from diet_core.training.readout import read_out

OURS, DEFAULT, BEST = "ours", "trainer", "trainer_best"


def bench_training(
    inputs: Inputs, rounds: int, on_round: Callable[[int], None] = lambda done: None
) -> dict[str, Any]:
    """Return how many times faster our loop is than the Trainer, and every way's test accuracy.

    The ways: our loop as a run uses it; `Trainer` with its defaults (float32, random batches); `Trainer` at
    its best settings (bf16 where we train so, batches grouped by length). Batch size, epochs, learning rate,
    schedule and weight decay are the same. Loading the model and tokenising count for none.

    Arguments are those of `bench_scoring`; each round has a seed of its own.

    Raises:
        SettingError: If the Trainer's own needs are not installed.
    """
    check_installed("accelerate", "The Trainer of transformers needs the package accelerate.")
    trained: dict[str, list[nn.Module]] = {way: [] for way in (OURS, DEFAULT, BEST)}
    accuracy: dict[str, list[float]] = {way: [] for way in trained}

    def ours(seed: int) -> Callable[[], object]:
        model = inputs.model(seed)
        trim_last_layer(model, inputs.train)
        trained[OURS].append(model)
        precision = inputs.environment.precision
        return lambda: fine_tune(
            model, inputs.train, inputs.labels, inputs.config, seed=seed, precision=precision
        )

    def trainer(way: str) -> Callable[[int], Callable[[], object]]:
        def prepared(seed: int) -> Callable[[], object]:
            model = inputs.model(seed)
            trained[way].append(model)
            return _trainer(inputs, model, seed, is_best=way == BEST)

        return prepared

    def on_end(done: int) -> None:
        for way, models in trained.items():
            accuracy[way].append(_accuracy(inputs, models.pop()))
        on_round(done)

    result = race({OURS: ours, DEFAULT: trainer(DEFAULT), BEST: trainer(BEST)}, rounds, on_end)
    n = len(inputs.labels) * inputs.config.epochs
    return {
        "faster_than_trainer": result.ratio(DEFAULT, OURS),
        "faster_than_trainer_best": result.ratio(BEST, OURS),
        "examples_per_second": {way: n / result.median(way) for way in trained},
        "accuracy": {way: {"each": values} | mean_and_std(values) for way, values in accuracy.items()},
    }


def _trainer(inputs: Inputs, model: nn.Module, seed: int, *, is_best: bool) -> Callable[[], object]:
    """Return the training by transformers' own loop."""
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    options: dict[str, Any] = {"seed": seed}
    if is_best:
        options |= {
            "bf16": inputs.environment.precision == "bf16",
            "train_sampling_strategy": "group_by_length",
        }
    return trainer_training(
        model,
        _rows(inputs.train, inputs.labels),
        inputs.config,
        inputs.environment.device,
        options,
        processing_class=inputs.tokenizer,
    )


def _rows(encoded: Encoded, labels: Any) -> list[dict[str, Any]]:
    """Return the examples as the Trainer's collator wants them."""
    return [
        {name: values[i].tolist() for name, values in encoded.columns.items()} | {"labels": int(label)}
        for i, label in enumerate(labels)
    ]


def _accuracy(inputs: Inputs, model: nn.Module) -> float:
    plain = inputs.model(seed=0)
    plain.load_state_dict(model.state_dict())  # the Trainer leaves its own forward on the model
    logits = read_out(plain, inputs.test, tokens=inputs.config.scoring_batch_tokens).logits
    return float((logits.argmax(axis=1) == inputs.test_labels).mean())
