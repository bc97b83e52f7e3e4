"""Settings: frozen, checked when made, saved as JSON beside what they produced."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from diet_core.encoders import ENCODERS, TUNED
from diet_core.errors import NotFoundError, SettingError
from diet_core.rule import DynamicPruning as DynamicPruning
from diet_core.rule import Rule as Rule

DATASET_NAME: Final = re.compile(r"^[a-z0-9_-]{1,64}\Z")
RUN_ID: Final = re.compile(r"^[a-z0-9_-]+-\d{8}-\d{6}-[0-9a-f]{4}\Z")
DEFAULT_MODEL: Final = "minilm"


def checked_dataset_name(name: str, what: str = "a data set") -> str:
    """Return `name` if it can name a data set, or a rule, which is named alike.

    Raises:
        SettingError: If it has other characters than a-z, 0-9, `_` and `-`, or more than 64.
    """
    if not DATASET_NAME.match(name):
        raise SettingError(f"{name!r} cannot name {what}. Use up to 64 of the characters a-z, 0-9, _ and -.")
    return name


@dataclass(frozen=True)
class Workspace:
    """The folder that holds the database, the imported sources and the runs.

    Attributes:
        root: The folder itself; it is made when something is first written to it.
    """

    root: Path

    @property
    def database(self) -> Path:
        """The DuckDB file."""
        return self.root / "diet.duckdb"

    @property
    def sources(self) -> Path:
        """One Parquet file per imported data set version: the source's own rows."""
        return self.root / "sources"

    @property
    def runs(self) -> Path:
        """One folder per run."""
        return self.root / "runs"

    @property
    def rules(self) -> Path:
        """One JSON file per saved rule."""
        return self.root / "rules"

    @property
    def cache(self) -> Path:
        """Files that can be made or fetched again."""
        return self.root / "cache"

    def run_folder(self, run_id: str) -> Path:
        """Return the folder of a run whose id has the right form (it need not exist).

        Raises:
            NotFoundError: If `run_id` is not of the form that this software gives to runs.
        """
        if not RUN_ID.match(run_id):
            raise NotFoundError(
                f"{run_id!r} is not a run id (like tweets-20261121-142530-1a2b). "
                "List the runs with: python -m diet_core runs"
            )
        return self.runs / run_id


def default_workspace() -> Workspace:
    """Return `$DIET_WORKSPACE`, else `data/` beside `app.py`, else `data_diet/` in the working directory."""
    if folder := os.environ.get("DIET_WORKSPACE"):
        return Workspace(Path(folder).expanduser().resolve())
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "app.py").exists():
        return Workspace(checkout / "data")
    return Workspace(Path.cwd() / "data_diet")


_AT_LEAST_ONE: Final = ("epochs", "batch_size", "max_length", "scoring_batch_tokens")


@dataclass(frozen=True)
class TrainingConfig:
    """How one encoder is fine-tuned and read out.

    Attributes:
        encoder: `tuned`, or `frozen` for a head on the encoder's features alone, one of `encoders.ENCODERS`.
        model: A name (`minilm` is the embedded default), a hub name or a folder.
        epochs: Passes over the training examples. The paper's scores are taken after about one.
        batch_size: Examples per optimizer step; 32 as in the paper.
        lr: Peak learning rate of AdamW; None lets the model's width decide.
        max_length: Tokens per text (pair); longer ones are cut. 128 as in most work on these sets.
        weight_decay: Of AdamW on matrices, not on biases and norms; 0.01 is BERT's own.
        warmup: Share of the steps with a rising rate; the paper states none, 0.06 is RoBERTa's.
        max_grad_norm: Gradients are clipped to this length; 1.0 is BERT's own.
        device: `auto`, `cpu`, `mps`, `cuda` or `cuda:N`.
        precision: `auto`, `float32` or `bf16`; of training only, scoring is always float32.
        scoring_batch_tokens: Tokens (padding included) per forward pass when nothing is trained; on two cores
            2048 were 1.13 times as fast as 4096 and 1.3 times as fast as 8192 (they stay in the cache).
    """

    model: str = DEFAULT_MODEL
    encoder: str = TUNED
    epochs: int = 1
    batch_size: int = 32
    lr: float | None = None
    max_length: int = 128
    weight_decay: float = 0.01
    warmup: float = 0.06
    max_grad_norm: float = 1.0
    device: str = "auto"
    precision: str = "auto"
    scoring_batch_tokens: int = 2048

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in _AT_LEAST_ONE:
            if getattr(self, name) < 1:
                raise SettingError(f"{name} is {getattr(self, name)}. Give a whole number of at least 1.")
        if self.encoder not in ENCODERS:
            raise SettingError(f"encoder is {self.encoder!r}. Choose one of: {', '.join(ENCODERS)}.")
        if self.lr is not None and not 0 < self.lr < 1:
            raise SettingError(f"lr is {self.lr:g}. Give a learning rate between 0 and 1, like 3e-5.")
        if not 0 <= self.warmup < 1:
            raise SettingError(f"warmup is {self.warmup:g}. Give a share from 0 to below 1.")
        if self.precision not in ("auto", "float32", "bf16"):
            raise SettingError(f"precision is {self.precision!r}. Choose auto, float32 or bf16.")
        if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", self.device):
            raise SettingError(f"device is {self.device!r}. Choose auto, cpu, mps, cuda or cuda:N.")

    def epoch_steps(self, n_examples: int) -> int:
        """Return the optimizer steps of one epoch over `n_examples`, at least 1.

        >>> TrainingConfig(batch_size=32).epoch_steps(65)
        3
        """
        return max(1, -(-n_examples // self.batch_size))


def resolved_steps(
    score_steps: str | int | Iterable[int], *, epoch_steps: int, epochs: int
) -> tuple[int, ...]:
    """Return the optimizer steps at which a training is read out, ascending; the last step always.

    Args:
        score_steps: Numbers of steps (0 = before training), or a text: parts separated by commas, each a
            number, `every:N` (N, 2N, …), `epochs` (the end of each) or `last`.
        epoch_steps: Optimizer steps of one epoch.
        epochs: How many epochs are trained.

    Raises:
        SettingError: If a part is none of these, or a step lies beyond the last one.

    >>> resolved_steps("0,every:40", epoch_steps=50, epochs=2)
    (0, 40, 80, 100)
    >>> resolved_steps("epochs", epoch_steps=50, epochs=2), resolved_steps([7], epoch_steps=50, epochs=2)
    ((50, 100), (7, 100))
    """
    last = epoch_steps * epochs
    steps = {last}
    for part in _parts(score_steps):
        steps.update(_steps_of_part(part, last, epoch_steps))
    if (highest := max(steps)) > last:
        raise SettingError(
            f"Score step {highest} is beyond the last step, {last} ({epochs} epoch(s) of {epoch_steps} "
            f"steps). Give steps from 0 to {last}, or train for more epochs."
        )
    return tuple(sorted(steps))


def curve_steps(total: int, epoch_steps: int, curve: int = 0) -> tuple[int, ...]:
    """Return the optimizer steps after which a training is evaluated, ascending; the last step always.

    Args:
        total: Optimizer steps of the training.
        epoch_steps: Optimizer steps of one pass over its examples.
        curve: How many evaluations, equally spaced; 0 = at the end of each epoch.

    >>> curve_steps(10, 4), curve_steps(10, 4, curve=4), curve_steps(2, 4, curve=4)
    ((4, 8, 10), (3, 5, 8, 10), (1, 2))
    """
    if not curve:
        return tuple(sorted({*range(epoch_steps, total + 1, epoch_steps), total}))
    return tuple(sorted({-(-total * i // curve) for i in range(1, curve + 1)}))


def _parts(score_steps: str | int | Iterable[int]) -> list[str]:
    if isinstance(score_steps, str):
        return [part.strip() for part in score_steps.split(",")] if score_steps.strip() else []
    steps = score_steps if isinstance(score_steps, Iterable) else [score_steps]
    return [str(step) for step in steps]


def _steps_of_part(part: str, last: int, epoch_steps: int) -> Iterable[int]:
    if part == "last":
        return ()
    if part == "epochs":
        return range(epoch_steps, last + 1, epoch_steps)
    every = re.fullmatch(r"(every:)?(\d{1,12})", part, re.ASCII)
    if every is None or (every[1] and int(every[2]) < 1):
        raise SettingError(
            f"{part!r} names no score step. "
            "Give steps from 0 on like 0,100,200, or every:N with N of at least 1, epochs or last."
        )
    number = int(every[2])
    return range(number, last + 1, number) if every[1] else (number,)


def to_json(config: Any) -> dict[str, Any]:
    """Return a dataclass of settings as a dict that JSON can hold."""
    return dataclasses.asdict(config)
