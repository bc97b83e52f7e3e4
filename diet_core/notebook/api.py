"""The notebook's verbs: load, score, retrain, open, show. No database and no app are needed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diet_core.config import Rule, TrainingConfig, Workspace, default_workspace
from diet_core.dataset import Dataset, Roles
from diet_core.encoders import with_tag
from diet_core.errors import NotFoundError, SettingError
from diet_core.experiments.results import retrain_summary
from diet_core.runs.folder import RunFolder, open_folder
from diet_core.runs.summary import score_summary

if TYPE_CHECKING:
    import pandas as pd

    from diet_core.runs.facts import Facts


@dataclass(frozen=True)
class Run:
    """A run folder, read on demand.

    Attributes:
        folder: Where it lies.
    """

    folder: RunFolder

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.folder.run_id

    @property
    def path(self) -> Path:
        """The run's folder; `open_run` takes it."""
        return self.folder.path

    @property
    def state(self) -> str:
        """One of queued, running, done, failed, cancelled, interrupted."""
        return self.folder.status().state

    @property
    def scores(self) -> pd.DataFrame:
        """The scores of the training examples: `tables.SCORE_COLUMNS`, with folds `OOF_COLUMNS` too.

        Raises:
            RunStateError: If it is no scoring run or no seed is finished.
        """
        return self.scores_at()

    def scores_at(self, step: int | None = None) -> pd.DataFrame:
        """Return the scores at a recorded step (None = the last); `steps` says which are reliable.

        Raises:
            RunStateError: If it is no scoring run or no seed is finished.
            NotFoundError: If the step was not recorded.
        """
        from diet_core.runs.scores import scores_table

        return scores_table(self._facts(), step)

    @property
    def steps(self) -> pd.DataFrame:
        """The score steps: step, epoch (epochs done), is_reliable; how EL2N and GraNd stand at each.

        Columns el2n and grand are means over seeds and examples, el2n_correlation and grand_correlation
        Spearman's with the last step. Steps before the end of the first epoch are not reliable.

        Raises:
            RunStateError: If it is no scoring run or no seed is finished.
        """
        from diet_core.runs.steps import steps_table

        return steps_table(self._facts())

    @property
    def seed_scores(self) -> pd.DataFrame:
        """EL2N and GraNd of each seed at each step: seed, step, is_reliable, example_id, el2n, grand.

        Raises:
            RunStateError: If it is no scoring run or no seed is finished.
        """
        from diet_core.runs.scores import seed_scores_table
        from diet_core.scoring.steps import is_reliable

        facts = self._facts()
        table = seed_scores_table(facts)[["seed", "step", "example_id", "el2n", "grand"]]
        reliable = {step: is_reliable(step, facts.epoch_steps) for step in facts.steps}
        table.insert(2, "is_reliable", table["step"].map(reliable))
        return table

    def label_shares(self, by: str = "el2n", top: float = 0.1) -> pd.DataFrame:
        """Return which share of the hardest examples each class holds, at each score step.

        Args:
            by: The score that ranks: el2n, grand, loss or label_error.
            top: The share of the training examples that counts as the hardest, in (0, 1].

        Returns:
            A row per step and class: step, epoch, is_reliable, label, share, share_of_all.

        Raises:
            SettingError: If `by` is none of these scores, or `top` no share or no example.
            RunStateError: If it is no scoring run or no seed is finished.
        """
        from diet_core.runs.steps import label_shares_table

        return label_shares_table(self._facts(), by, top)

    @property
    def summary(self) -> dict[str, Any]:
        """What came of it: times, agreement of the seeds and accuracy, or the arms of a retraining."""
        is_scoring = self.folder.config().kind == "score"
        return score_summary(self.folder) if is_scoring else retrain_summary(self.folder)

    def _facts(self) -> Facts:
        from diet_core.runs.facts import read_facts

        return read_facts(self.folder)

    def __repr__(self) -> str:
        """Return id and state, and whether the encoder stayed frozen."""
        return f"<Run {with_tag(f'{self.run_id}: {self.state}', self.folder.config().settings.encoder)}>"


def load(
    source: str | Path,
    *,
    text: str,
    label: str,
    text_pair: str | None = None,
    id: str | None = None,
    split: str | None = None,
    test: str | Path | None = None,
    name: str | None = None,
    limit: int | None = None,
) -> Dataset:
    """Return a labelled data set read from a file, a Hugging Face folder or the hub.

    Args:
        source: CSV, TSV, JSONL, JSON or Parquet (also .gz, .zst), a data set folder or a hub name.
        text: The text's column.
        label: The class's column.
        text_pair: The second text's column, for pairs.
        id: The column of example ids; without one they are made from the texts.
        split: The column that says train or test; without one, and without `test`, a tenth is held out.
        test: A separate test file.
        name: What runs are called after; None = after the file.
        limit: Take a seeded sample of so many rows.

    Raises:
        DataError: If the source cannot be read as labelled examples.
    """
    from diet_core.data.load import load_dataset

    roles = Roles(text=text, label=label, text_pair=text_pair, id=id, split=split)
    return load_dataset(name or _name_of(source), source, roles, test=test, limit=limit)


def _name_of(source: str | Path) -> str:
    stem = Path(source).name.split(".")[0].lower()
    return "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "-" for c in stem)[:64] or "data"


def score(
    dataset: Dataset,
    *,
    seeds: int | str = 5,
    score_steps: str | int | Iterable[int] = "last",
    grand: str = "classifier",
    keep_models: bool = False,
    folds: int = 0,
    workspace: str | Path | None = None,
    progress: bool = True,
    **training: Any,
) -> Run:
    """Return a finished scoring run: one fine-tuning per seed, then logits of every training example.

    Interrupting the cell stops the run; `score --resume RUN` on the command line goes on.

    Args:
        dataset: From `load`.
        seeds: How many; the paper averages over 5. "auto": from 2 to 10, until the scores are reliable.
        score_steps: The optimizer steps at which the examples are scored, like [0, 100, 200], "every:100",
            "epochs" or "last"; the last one always. Each costs a pass over the examples.
        grand: Of which parameters GraNd takes the gradient: classifier, new, head or full.
        keep_models: Keep each seed's weights.
        folds: Deal the examples into so many parts, from 2 to 20, and score each also by models that trained
            on the others: columns like `label_error_oof`. So many more trainings per seed; 0 = none.
        workspace: The folder for `runs/`; None = `$DIET_WORKSPACE`, else the default one.
        progress: Show a progress bar, and before it what further passes cost.
        training: Fields of `config.TrainingConfig`: model, epochs, batch_size, lr, max_length, …. With
            encoder="frozen" the texts are embedded once and only heads are trained: a quick look.

    Raises:
        SettingError: If a setting is unknown or out of range.
        ModelError: If the model cannot be loaded.
        RunFailedError: If the run ends in an error.
    """
    from diet_core.runs.estimate import notes_before
    from diet_core.runs.score_run import lay_out_scoring

    folder = lay_out_scoring(
        _workspace(workspace),
        dataset.info,
        dataset.examples,
        seeds=seeds,
        training=_training(training),
        score_steps=score_steps,
        grand=grand,
        keep_models=keep_models,
        folds=folds,
    )
    for note in notes_before(folder, dataset.examples) if progress else []:
        sys.stderr.write(f"{note}\n")
    return _done(folder, progress)


def retrain(
    run: Run,
    *,
    by: str = "el2n",
    keep: float = 0.7,
    drop_hardest: float = 0.04,
    per_class: bool = False,
    kind: str = "shares",
    low: float | None = None,
    high: float | None = None,
    seed: int = 0,
    workspace: str | Path | None = None,
    progress: bool = True,
    **plan: Any,
) -> Run:
    """Return a finished retraining: the selection beside full and random.

    Args:
        run: A scoring run.
        by: The score that ranks, hardest first.
        keep: Share of all examples kept from the hard end.
        drop_hardest: Share of all then removed from the very top.
        per_class: Apply the shares within each class.
        kind: shares, window, random or auto, as in `select`.
        low: The smallest value that stays, of a window or of the share of right predictions.
        high: The largest value that stays.
        seed: Of a random rule's draw; the trainings have their own.
        workspace: The folder for `runs/`; None = where the scoring run lies.
        progress: Show a progress bar.
        plan: As in `experiments.plan.retraining_plan`: baselines, prune (static, dynamic or both), and of
            `Plan` repeats, epochs, budget, choose, curve and max_steps.

    Raises:
        SettingError: If a setting is unknown or out of range.
        RunFailedError: If the run ends in an error.
    """
    from diet_core.experiments.plan import lay_out_plan, retraining_plan

    retraining = retraining_plan(Rule(by, keep, drop_hardest, per_class, kind, low, high, seed), **plan)
    place = run.folder.workspace if workspace is None else _workspace(workspace)
    return _done(lay_out_plan(place, run.folder, retraining), progress)


def open_run(path: str | Path) -> Run:
    """Return the run whose folder lies at `path`, whoever made it and wherever it was copied to.

    Raises:
        NotFoundError: If no run lies there.
    """
    return Run(open_folder(Path(path)))


def show(run: Run, *, port: int = 8501) -> subprocess.Popen[bytes]:
    """Open the app on a run, in a process of its own, and return that process.

    Raises:
        NotFoundError: If the app's files are not installed.
    """
    environment = os.environ | {"DIET_WORKSPACE": str(run.folder.workspace.root)}
    app = app_file()
    command = [sys.executable, "-m", "streamlit", "run", app.name, "--server.port", str(port)]
    process = subprocess.Popen(command, cwd=app.parent, env=environment, stdin=subprocess.DEVNULL)
    sys.stderr.write(f"Data Diet serves {run.run_id} on http://127.0.0.1:{port}/explore?run={run.run_id}\n")
    return process


def app_file() -> Path:
    """Return the path of `app.py`: in a checkout beside the package, else inside it.

    Raises:
        NotFoundError: If it is in neither place.
    """
    package = Path(__file__).resolve().parents[1]
    for file in (package.parent / "app.py", package / "_app" / "app.py"):
        if file.exists():
            return file
    raise NotFoundError("The app's files are not installed with diet_core. Install it again from its source.")


def _done(folder: RunFolder, progress: bool) -> Run:
    from diet_core.runs import executor
    from diet_core.runs.executor import show_progress

    executor.start(folder)
    show_progress(folder, progress)
    return Run(folder)


def _training(settings: dict[str, Any]) -> TrainingConfig:
    try:
        return TrainingConfig(**settings)
    except TypeError as error:
        raise SettingError(f"{error}. See help(diet_core.config.TrainingConfig) for the settings.") from error


def _workspace(folder: str | Path | None) -> Workspace:
    return default_workspace() if folder is None else Workspace(Path(folder).expanduser().resolve())
