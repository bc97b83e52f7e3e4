"""What was resolved before a run started: `config.json` of its folder, and the copy of it in the store."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from diet_core.config import TrainingConfig, to_json
from diet_core.dataset import DatasetInfo, Roles
from diet_core.errors import SettingError
from diet_core.rule import DynamicPruning
from diet_core.tables import GRAND_SCOPES

FORMAT: Final = 1
AUTO: Final = "auto"  # seeds are trained until their scores are reliable
# The arm of a training on all folds but one, which reads out that one.
FOLD: Final = "fold"
# At most so much work is lost. MiniLM's state takes 0.3 s to write, a base-sized encoder's 2 s.
SECONDS_BETWEEN_CHECKPOINTS: Final = 45.0
# The keys of config.json that runs of one kind have, in their order there.
_KEYS_OF_KIND: Final = {
    "score": ("seeds", "folds", "unseen_classes", "keep_models", "grand", "score_steps", "epoch_steps"),
    "retrain": ("scored_run", "plan", "choose", "curve", "total_steps", "reuse"),
}
_Record = TypeVar("_Record")


@dataclass(frozen=True)
class ModelSource:
    """A model that is known to load.

    Attributes:
        name: As the user gave it.
        location: What transformers loads: a folder or a hub name.
        revision: The hub's commit, where the hub was asked; a resumed run loads the same weights.
        is_local: Whether nothing is asked of the network: a folder, or the hub's files on this disk.
        lr: The default peak learning rate for its width.
        max_length: The most tokens that it takes.
    """

    name: str
    location: str
    revision: str | None
    is_local: bool
    lr: float
    max_length: int


@dataclass(frozen=True)
class Environment:
    """Where and how exactly a run computes; a resumed run needs the same to end in the same bytes.

    Attributes:
        device: cpu, mps, cuda or cuda:N; never auto.
        device_name: The processor's or the card's name.
        precision: float32 or bf16, of training.
        threads: Of torch on the CPU.
        cpu_capability: The instruction set that torch uses.
        versions: Of Python and the packages that compute.
    """

    device: str
    device_name: str
    precision: str
    threads: int
    cpu_capability: str
    versions: Mapping[str, str]


@dataclass(frozen=True)
class PlannedTraining:
    """One training of a run.

    Attributes:
        name: Its folder's name.
        arm: `score`, `fold`, or the arm of a retraining (selected, full, random).
        seed: Of the classifier's weights, the order of the data and dropout.
        dynamic: How it prunes its examples while it trains; None = it trains on all of them.
        total_steps: Its optimizer steps; None = as the run says.
    """

    name: str
    arm: str
    seed: int
    dynamic: DynamicPruning | None = None
    total_steps: int | None = None

    @property
    def is_fold(self) -> bool:
        """Whether it leaves a fold out, to read out that one."""
        return self.arm == FOLD

    def to_json(self) -> dict[str, Any]:
        """Return what config.json and result.json say of it; what is not set is left out."""
        return {name: value for name, value in dataclasses.asdict(self).items() if value is not None}


@dataclass(frozen=True)
class RunConfig:
    """All that a run was told, with nothing left open.

    Attributes:
        run_id: The run's id.
        kind: score or retrain.
        created_at: UTC, in ISO form.
        dataset: What it trains on.
        settings: Of every training.
        model: The encoder.
        environment: Where and how it computes.
        trainings: In their order.
        seeds: How many, or `auto`.
        folds: Trainings per seed that each leave a part out; 0 = none.
        unseen_classes: Classes of one text, which the model that scores it out of fold does not know.
        keep_models: Whether each seed's weights are kept.
        grand: The scope of GraNd, one of `tables.GRAND_SCOPES`.
        score_steps: The optimizer steps at which facts are recorded; none = the last step only.
        epoch_steps: Optimizer steps of one pass over all training examples; 0 = not stated.
        scored_run: Of a retraining: the id of the scoring run whose scores select.
        plan: Of a retraining: `experiments.plan.Plan` as JSON holds it, and the number of decisions.
        retraining: The same of runs from before there were plans: a rule and its baselines.
        choose: Which evaluation of a training counts.
        curve: Evaluations per training; 0 = one after each epoch.
        total_steps: Optimizer steps of every training; None = those of its epochs.
        reuse: Whether identical trainings of other runs are reused.
        changed: How the environment differs from the one that the run began in.
        checkpoint_seconds: Seconds between two checkpoints of a training.
    """

    run_id: str
    kind: str
    created_at: str
    dataset: DatasetInfo
    settings: TrainingConfig
    model: ModelSource
    environment: Environment
    trainings: tuple[PlannedTraining, ...]
    seeds: int | str = 1
    folds: int = 0
    unseen_classes: tuple[str, ...] = ()
    keep_models: bool = False
    grand: str = "classifier"
    score_steps: tuple[int, ...] = ()
    epoch_steps: int = 0
    scored_run: str | None = None
    plan: Mapping[str, Any] | None = None
    retraining: Mapping[str, Any] | None = None
    choose: str = "last"
    curve: int = 0
    total_steps: int | None = None
    reuse: bool = False
    changed: tuple[str, ...] = ()
    checkpoint_seconds: float = SECONDS_BETWEEN_CHECKPOINTS

    def __post_init__(self) -> None:
        """Check what has only a few values."""
        for name, value, known in (("kind", self.kind, _KEYS_OF_KIND), ("grand", self.grand, GRAND_SCOPES)):
            if value not in known:
                raise SettingError(f"{name} is {value!r}. Choose one of: {', '.join(known)}.")

    @property
    def is_auto(self) -> bool:
        """Whether the number of seeds was left open."""
        return self.seeds == AUTO

    @property
    def n_decisions(self) -> int:
        """How many decisions a retraining took into account."""
        return int((self.plan or self.retraining or {}).get("decisions") or 0)


def config_to_json(config: RunConfig) -> dict[str, Any]:
    """Return what config.json holds."""
    of_kind = {name: getattr(config, name) for name in _KEYS_OF_KIND[config.kind]}
    rare = {"retraining": None, "changed": (), "checkpoint_seconds": SECONDS_BETWEEN_CHECKPOINTS}
    return {
        "format": FORMAT,
        "run_id": config.run_id,
        "kind": config.kind,
        "created_at": config.created_at,
        "dataset": to_json(config.dataset),
        "training": to_json(config.settings),
        "model": to_json(config.model),
        "environment": to_json(config.environment),
        "units": [training.to_json() for training in config.trainings],
        **of_kind,
        **{name: value for name, usual in rare.items() if (value := getattr(config, name)) != usual},
    }


def config_from_json(content: Mapping[str, Any]) -> RunConfig:
    """Return what `config_to_json` wrote, of this version or an older one; unknown keys are ignored.

    Raises:
        ValueError: If something is missing or of another type.
        SettingError: If a value is out of range.
    """
    try:
        return _from_json(
            RunConfig,
            content,
            dataset=_dataset_from_json(content["dataset"]),
            settings=_from_json(TrainingConfig, content["training"]),
            model=_from_json(ModelSource, content["model"]),
            environment=_from_json(Environment, content["environment"]),
            trainings=tuple(map(_training_from_json, content["units"])),
            **{name: tuple(content.get(name) or ()) for name in ("unseen_classes", "score_steps", "changed")},
        )
    except KeyError as error:
        raise ValueError(f"it lacks {error}") from error
    except (TypeError, AttributeError) as error:
        raise ValueError(str(error)) from error


def _from_json(record: type[_Record], content: Mapping[str, Any], **read: Any) -> _Record:
    """Return a record of what it knows of `content`; what was `read` already goes before that."""
    names = {field.name for field in dataclasses.fields(record)}  # type: ignore[arg-type]  # a dataclass
    return record(**{name: value for name, value in content.items() if name in names} | read)


def _dataset_from_json(content: Mapping[str, Any]) -> DatasetInfo:
    return _from_json(
        DatasetInfo, content, roles=_from_json(Roles, content["roles"]), classes=tuple(content["classes"])
    )


def _training_from_json(content: Mapping[str, Any]) -> PlannedTraining:
    dynamic = content.get("dynamic")
    return _from_json(
        PlannedTraining, content, dynamic=None if dynamic is None else _from_json(DynamicPruning, dynamic)
    )
