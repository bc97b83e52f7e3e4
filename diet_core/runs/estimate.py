"""How long a run will take on this machine: a short measurement by a process of its own.

`python -m diet_core.runs.estimate FOLDER` trains and reads out a few batches of a sample of the texts and
writes the speeds to its folder in the workspace's cache, where they stay for the next time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
from filelock import FileLock, Timeout

from diet_core.config import TrainingConfig, Workspace, to_json
from diet_core.encoders import FROZEN, QUICK_LOOK
from diet_core.errors import DietError, RunStateError
from diet_core.runs.auto_seeds import AUTO_IN_WORDS, most_seeds
from diet_core.runs.cost import Speed, Work, extra_cost_in_words
from diet_core.runs.executor import spawn
from diet_core.runs.folder import RunFolder, all_runs, device_lock, is_held, write_json
from diet_core.runs.summary import run_line
from diet_core.scoring.folds import unseen_in_words
from diet_core.scoring.steps import unreliable_in_words

if TYPE_CHECKING:
    import numpy as np

    from diet_core.dataset import DatasetInfo
    from diet_core.training.batches import Encoded

# One chunk of the training's batches: texts are sorted by length within so many, which decides the padding.
SAMPLE_EXAMPLES: Final = 1_600
WARM_UP_STEPS: Final = 2
LEAST_STEPS: Final = 3
MOST_STEPS: Final = 60
# Long enough for a stable mean, short enough to wait for.
TRAINING_SECONDS: Final = 8.0
SCORING_SECONDS: Final = 4.0
SECONDS_UNTIL_LOCKED: Final = 30
# What changes the speed; epochs and seeds only multiply it.
_SETTINGS: Final = ("model", "batch_size", "max_length", "device", "precision", "scoring_batch_tokens")


@dataclass(frozen=True)
class Measurement:
    """A measurement that was made, is being made or could be.

    Attributes:
        folder: Its folder in the workspace's cache, named after all that it depends on.
        runs: The workspace's runs: while one of them works, nothing is measured.
    """

    folder: Path
    runs: Path

    @property
    def _result(self) -> Path:
        return self.folder / "result.json"

    def is_running(self) -> bool:
        """Return whether its process lives."""
        return self.folder.is_dir() and is_held(self.folder / "lock")

    def speed(self) -> Speed | None:
        """Return what was measured, None if nothing was yet."""
        content = self._read()
        return Speed(**content["speed"]) if "speed" in content else None

    def error(self) -> str | None:
        """Return why the last try failed, None if there was none or it did not."""
        return self._read().get("error")

    def _read(self) -> dict[str, Any]:
        try:
            content: dict[str, Any] = json.loads(self._result.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content


def measurement(workspace: Workspace, dataset_id: str, training: TrainingConfig) -> Measurement:
    """Return the measurement of these settings on this data set and machine, made or not."""
    settings = to_json(training)
    depends_on = {
        "dataset": dataset_id,
        "machine": [platform.node(), platform.machine(), os.cpu_count()],
        "torch": version("torch"),
        **{name: settings[name] for name in _SETTINGS},
    }
    key = hashlib.sha256(json.dumps(depends_on, sort_keys=True).encode()).hexdigest()[:16]
    return Measurement(workspace.cache / "speeds" / key, workspace.runs)


def notes_before(folder: RunFolder, examples: pd.DataFrame) -> list[str]:
    """Return what is to be told before a scoring run starts: its price, unreliable steps, unseen classes.

    Args:
        folder: A run that was planned.
        examples: Its rows, columns as `tables.EXAMPLE_COLUMNS`.
    """
    config = folder.config()
    training = config.settings
    speed = measurement(folder.workspace, config.dataset.dataset_id, training).speed()
    splits = examples["split"].value_counts()
    work = Work(
        n_train=int(splits["train"]),
        n_test=int(splits.get("test", 0)),
        seeds=most_seeds(config.seeds),
        epochs=training.epochs,
        n_steps=len(config.score_steps),
        grand=config.grand,
        folds=config.folds,
        encoder=training.encoder,
    )
    notes = (
        QUICK_LOOK if training.encoder == FROZEN else None,
        extra_cost_in_words(work, speed),
        AUTO_IN_WORDS if config.is_auto else None,
        unreliable_in_words(config.score_steps, config.epoch_steps),
        unseen_in_words(config.unseen_classes),
    )
    return [note for note in notes if note is not None]


def begin(measured: Measurement, info: DatasetInfo, examples: pd.DataFrame, training: TrainingConfig) -> None:
    """Start measuring in a process of its own and return once it lives.

    Args:
        measured: From `measurement`.
        info: The data set.
        examples: Its rows, columns as `tables.EXAMPLE_COLUMNS`.
        training: The settings.

    Raises:
        RunStateError: If it is being measured already.
    """
    if measured.is_running():
        raise RunStateError("The time is being measured already. Wait a few seconds.")
    measured.folder.mkdir(parents=True, exist_ok=True)
    train = examples[examples["split"] == "train"]
    sample = train.sample(min(len(train), SAMPLE_EXAMPLES), random_state=0)
    request = {
        "training": to_json(training),
        "n_classes": len(info.classes),
        "texts": sample["text"].tolist(),
        "text_pairs": sample["text_pair"].tolist() if sample["text_pair"].notna().all() else None,
        "runs": str(measured.runs.resolve()),
    }
    (measured.folder / "result.json").unlink(missing_ok=True)
    write_json(measured.folder / "request.json", request)
    log = measured.folder / "log.txt"
    log.unlink(missing_ok=True)
    spawn("diet_core.runs.estimate", measured.folder, log, measured.is_running)


class _Enough(Exception):
    """The time for measuring is over."""


def measure(request: dict[str, Any], seconds_since_start: Callable[[], float]) -> Speed:
    """Return the speeds of a few training steps and of a read-out.

    Args:
        request: Sample and settings, as `begin` writes them.
        seconds_since_start: Of this process.

    Raises:
        ModelError: If the model cannot be loaded.
        SettingError: If the device is not there.
        RunStateError: If a run of the workspace uses the device, or begins to wait for it.
    """
    import numpy as np

    from diet_core.training import devices, models
    from diet_core.training.batches import encode
    from diet_core.training.first_token import trim_last_layer

    training = TrainingConfig(**request["training"])
    environment = devices.resolve(training)
    device = devices.apply(environment)
    runs = Path(request["runs"])
    runs.mkdir(parents=True, exist_ok=True)
    try:
        lock = device_lock(runs, environment.device)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise RunStateError(
            "A run is using this device, so that nothing can be measured now. Try again when it has ended."
        ) from error
    with lock:
        starting = seconds_since_start()
        source = models.find_model(training.model)
        training = dataclasses.replace(training, lr=training.lr or source.lr)
        at = time.monotonic()
        tokenizer = models.load_tokenizer(source)
        encoded = encode(tokenizer, request["texts"], request["text_pairs"], training.max_length)
        encoding = len(request["texts"]) / (time.monotonic() - at)
        at = time.monotonic()
        model = models.load_classifier(source, request["n_classes"], seed=0).to(device)
        trim_last_layer(model, encoded)
        loading = time.monotonic() - at
        labels = np.arange(len(request["texts"])) % request["n_classes"]
        speed = _training_speed(model, encoded, labels, training, environment.precision, runs)
        scoring = _scoring_speed(model, encoded, training, speed, runs)
    speeds = (speed, scoring, encoding, starting, loading)
    return Speed(*(round(value, 2) for value in speeds))


def _training_speed(
    model: Any,
    encoded: Encoded,
    labels: np.ndarray[Any, Any],
    training: TrainingConfig,
    precision: str,
    runs: Path,
) -> float:
    """Return examples per second, the first steps left out."""
    from diet_core.training.loop import Hooks, fine_tune

    ends: list[float] = []
    sizes: list[int] = []

    def on_step(_training: Any, n_examples: int) -> None:
        _give_way(runs)
        ends.append(time.monotonic())
        sizes.append(n_examples)
        steps = len(ends) - WARM_UP_STEPS
        if steps >= LEAST_STEPS and ends[-1] - ends[WARM_UP_STEPS - 1] > TRAINING_SECONDS:
            raise _Enough

    with contextlib.suppress(_Enough):
        fine_tune(
            model,
            encoded,
            labels,
            training,
            seed=0,
            precision=precision,
            total_steps=MOST_STEPS,
            hooks=Hooks(on_step=on_step),
        )
    return sum(sizes[WARM_UP_STEPS:]) / (ends[-1] - ends[WARM_UP_STEPS - 1])


def _scoring_speed(
    model: Any, encoded: Encoded, training: TrainingConfig, training_speed: float, runs: Path
) -> float:
    """Return examples per second over so many texts as should take a few seconds."""
    import numpy as np

    from diet_core.training.readout import read_out

    n = int(min(len(encoded.lengths), max(32, 4 * training_speed * SCORING_SECONDS)))
    sample = encoded.take(np.arange(n))  # the sample is in random order
    read_out(model, sample.take(np.arange(min(n, 8))), tokens=training.scoring_batch_tokens)
    at = time.monotonic()
    read_out(model, sample, tokens=training.scoring_batch_tokens, on_batch=lambda _n: _give_way(runs))
    return n / (time.monotonic() - at)


def _give_way(runs: Path) -> None:
    """Stop if a run waits for the device."""
    if any(run_line(folder)["state"] == "queued" for folder in all_runs(Workspace(runs.parent))):
        raise RunStateError("A run was started meanwhile, which goes first. Its panel shows the time left.")


def main(path: str) -> int:
    """Measure what the folder `path` asks for; return the exit status."""
    folder = Path(path)
    started = time.monotonic()
    with FileLock(folder / "lock", timeout=SECONDS_UNTIL_LOCKED):
        request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
        try:
            speed = measure(request, lambda: time.monotonic() - started)
        except Exception as error:
            traceback.print_exc()
            message = str(error) if isinstance(error, DietError) else f"{type(error).__name__}: {error}"
            write_json(folder / "result.json", {"error": message})
            return 1
        write_json(folder / "result.json", {"speed": dataclasses.asdict(speed)})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
