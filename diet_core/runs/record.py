"""Where a run stands: `status.json` of its folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from diet_core.errors import SettingError
from diet_core.tables import RUN_STATES

# States in which a worker waits or works.
LIVING: Final = ("queued", "running")


@dataclass(frozen=True)
class RunStatus:
    """What a run's worker wrote last; its `state` is corrected by the run's lock.

    Attributes:
        state: One of `tables.RUN_STATES`.
        step: Optimizer steps done, over all trainings.
        total: Optimizer steps of all trainings.
        training: The name of the present training.
        seed: Of the present training.
        phase: train, score or gradients.
        at_most: Whether the run may end with fewer steps.
        examples_per_second: Of the present phase.
        eta_seconds: Estimated time until the end.
        error: Why the run failed.
        seconds: Of a finished run: train, score and total.
        seed_agreement: Of a finished scoring run: `scoring.agreement.seed_agreement`; None with one seed.
        flows: Of a finished scoring run: `runs.scores.flows`; None if its worker did not count them.
        heartbeat: When it was written: UTC, in ISO form.
        pid: Of the process that wrote it.
    """

    state: str
    step: int = 0
    total: int = 0
    training: str | None = None
    seed: int | None = None
    phase: str | None = None
    at_most: bool = False
    examples_per_second: float | None = None
    eta_seconds: float | None = None
    error: str | None = None
    seconds: Mapping[str, float] | None = None
    seed_agreement: dict[str, Any] | None = None
    flows: Sequence[dict[str, Any]] | None = None
    heartbeat: str | None = None
    pid: int | None = None

    def __post_init__(self) -> None:
        """Check the state."""
        if self.state not in RUN_STATES:
            raise SettingError(f"state is {self.state!r}. Choose one of: {', '.join(RUN_STATES)}.")

    @property
    def is_living(self) -> bool:
        """Whether a worker waits or works."""
        return self.state in LIVING

    @property
    def is_done(self) -> bool:
        """Whether the run has come to its end."""
        return self.state == "done"


def status_to_json(status: RunStatus) -> dict[str, Any]:
    """Return what status.json holds."""
    return {_KEYS.get(name, name): value for name, value in dataclasses.asdict(status).items()}


def status_from_json(content: Mapping[str, Any]) -> RunStatus:
    """Return what `status_to_json` wrote, of this version or an older one; unknown keys are ignored.

    Raises:
        ValueError: If it has no state.
        SettingError: If the state is unknown.
    """
    if "state" not in content:
        raise ValueError("it lacks 'state'")
    keys = {_KEYS.get(field.name, field.name): field.name for field in dataclasses.fields(RunStatus)}
    return RunStatus(**{name: content[key] for key, name in keys.items() if key in content})


# What a field is called on disk.
_KEYS: Final = {"training": "unit"}
