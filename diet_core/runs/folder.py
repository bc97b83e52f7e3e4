"""A run is a folder; this is what lies in it, how it is written and how its state is read."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from diet_core.config import RUN_ID, Workspace
from diet_core.errors import NotFoundError, RunStateError, SettingError
from diet_core.run_config import RunConfig, config_from_json, config_to_json
from diet_core.runs.record import RunStatus, status_from_json, status_to_json

_Record = TypeVar("_Record")


class _File:
    """A file of a run, by its name in the run's folder."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, folder: RunFolder, _owner: type[RunFolder]) -> Path:
        return folder.path / self.name


@dataclass(frozen=True)
class RunFolder:
    """The files of one run.

    Attributes:
        path: The folder; its name is the run id.
        config_file: What was resolved before the start, as JSON.
        examples_file: The snapshot of the examples.
        heldout_file: Training examples that choose the epoch; not every run has them.
        scores_file: The derived scores of a finished scoring run.
        metrics_file: One JSON line per training and epoch.
        status_file: State, progress and heartbeat, as JSON.
        log_file: What the worker printed.
        lock_file: Held by the worker for its life.
        cancel_file: Its presence asks the worker to stop.
    """

    path: Path
    config_file: ClassVar = _File("config.json")
    examples_file: ClassVar = _File("examples.parquet")
    heldout_file: ClassVar = _File("heldout.parquet")
    scores_file: ClassVar = _File("scores.parquet")
    metrics_file: ClassVar = _File("metrics.jsonl")
    status_file: ClassVar = _File("status.json")
    log_file: ClassVar = _File("log.txt")
    lock_file: ClassVar = _File("lock")
    cancel_file: ClassVar = _File("cancel")

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.path.name

    @property
    def workspace(self) -> Workspace:
        """Where the run lies, in `runs/`."""
        return Workspace(self.path.parent.parent)

    def training_folder(self, training: str) -> Path:
        """The folder of one training (a seed, or an arm's repeat), by its name."""
        return self.path / training

    def training_examples_file(self, training: str) -> Path:
        """What one training trains on; without this file, on the whole training split."""
        return self.training_folder(training) / "train.parquet"

    def result_file(self, training: str) -> Path:
        """Written last: its presence says that a training is finished."""
        return self.training_folder(training) / "result.json"

    def result(self, training: str) -> dict[str, Any]:
        """Return the result of a finished training.

        Raises:
            RunStateError: If it cannot be read.
        """
        return self._read(self.result_file(training), dict)

    def config(self) -> RunConfig:
        """Return the run's configuration.

        Raises:
            RunStateError: If it cannot be read.
        """
        return self._read(self.config_file, config_from_json)

    def write_config(self, config: RunConfig) -> None:
        """Replace the configuration in one step."""
        write_json(self.config_file, config_to_json(config))

    def status(self) -> RunStatus:
        """Return the last written status, its `state` corrected by what the lock says.

        Raises:
            RunStateError: If it cannot be read.
        """
        status = self._read(self.status_file, status_from_json)
        if not status.is_living or self.is_locked():
            return status
        # The worker may have written its last word and gone between the two looks.
        status = self._read(self.status_file, status_from_json)
        if status.is_living:
            state = "cancelled" if self.cancel_file.exists() else "interrupted"
            return dataclasses.replace(status, state=state)
        return status

    def is_locked(self) -> bool:
        """Return whether a worker lives."""
        return is_held(self.lock_file)

    def write_status(self, status: RunStatus) -> None:
        """Replace the status in one step, with a heartbeat of now."""
        stamped = dataclasses.replace(status, heartbeat=now(), pid=os.getpid())
        write_json(self.status_file, status_to_json(stamped))

    def change_status(self, state: str, **more: Any) -> None:
        """Write another state, and the rest of the status as it was but for what stands in `more`."""
        self.write_status(dataclasses.replace(self.status(), state=state, **more))

    def _read(self, path: Path, reader: Callable[[dict[str, Any]], _Record]) -> _Record:
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(content, dict):
                raise ValueError("it holds no JSON object")
            return reader(content)
        except (OSError, ValueError, SettingError) as error:
            raise unreadable(path, self, error) from error

    def remove_leftovers(self) -> None:
        """Delete what a killed worker had begun to write."""
        for path in [*self.path.glob(".*.tmp"), *self.path.glob("*/.*.tmp")]:
            _discard(path)


def device_lock(runs: Path, device: str) -> FileLock:
    """Return the lock that a folder's runs take turns with on a device."""
    return FileLock(runs / f".{device.replace(':', '-')}.lock")


def is_held(lock_file: Path) -> bool:
    """Return whether another process holds a lock."""
    try:
        # Others who look hold it for microseconds, so a look that fails is repeated.
        with FileLock(lock_file, timeout=0.03, poll_interval=0.01):
            return False
    except Timeout:
        return True


def now() -> str:
    """Return the time in UTC, to the second, in ISO form."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file or folder beside `path`, then move it there in one step."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        _discard(temporary)


def _discard(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a dict as JSON in one step."""
    text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_table(path: Path, table: pa.Table) -> None:
    """Write a table as Parquet in one step; equal tables give equal bytes."""
    write_atomically(path, lambda temporary: pq.write_table(table, temporary, compression="zstd"))


def open_folder(path: Path) -> RunFolder:
    """Return the run folder at `path`.

    Raises:
        NotFoundError: If no run lies there.
    """
    folder = RunFolder(path.resolve())
    if not folder.config_file.exists():
        raise NotFoundError(
            f"There is no run in {path}. "
            "Give the folder of a run (it holds config.json) or list them with: runs"
        )
    return folder


def all_runs(workspace: Workspace) -> list[RunFolder]:
    """Return all runs of a workspace, newest first."""
    if not workspace.runs.is_dir():
        return []
    folders = [
        RunFolder(path)
        for path in workspace.runs.iterdir()
        if RUN_ID.match(path.name) and (path / "config.json").exists()
    ]
    return sorted(folders, key=lambda folder: (folder.run_id[-20:], folder.run_id), reverse=True)


def find_run_folder(workspace: Workspace, run: str, kind: str | None = None) -> RunFolder:
    """Return a run by its id, or the newest one for `latest`.

    Args:
        workspace: Where to look.
        run: A run id or `latest`.
        kind: `score` or `retrain`, where only such a run will do.

    Raises:
        NotFoundError: If there is none.
        RunStateError: If the run is of another kind.
    """
    if run == "latest":
        fitting = (f for f in all_runs(workspace) if kind in (None, f.config().kind))
        if (folder := next(fitting, None)) is None:
            raise NotFoundError(
                f"There is no {kind or ''} run in {workspace.root}. Start one with: score".replace("  ", " ")
            )
        return folder
    folder = RunFolder(workspace.run_folder(run))
    if not folder.config_file.exists():
        raise NotFoundError(f"There is no run {run!r} in {workspace.root}. List the runs with: runs")
    if kind and (found := folder.config().kind) != kind:
        raise RunStateError(f"{run} is a {found} run. Give a {kind} run: see runs.")
    return folder


def unreadable(path: Path, folder: RunFolder, error: Exception) -> RunStateError:
    """Return the message for a file of a run that is missing or damaged."""
    reason = str(error).strip().splitlines()[0].rstrip(".")
    return RunStateError(
        f"{path.relative_to(folder.path)} of run {folder.run_id} cannot be read ({reason}). "
        f"Delete {folder.path} and run it again."
    )
