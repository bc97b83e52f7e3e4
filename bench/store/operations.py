"""What pages ask of the store, one operation each, with arguments that differ from turn to turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from bench.synthetic.examples import CLASSES, WORDS, made_word
from bench.synthetic.run import STEPS
from diet_core.pruning.outcome import Outcome, Ranked, draw, histogram, kept_of, outcome, ranked
from diet_core.review.seeds import example_seeds
from diet_core.rule import Rule
from diet_core.store.comparison.compare import compare
from diet_core.store.comparison.results import (
    count_percentile_cells,
    count_shared_hardest,
    find_rank_correlation,
    read_compared_page,
)
from diet_core.store.comparison.sides import Compared, Side
from diet_core.store.decisions.batches import preview_batch
from diet_core.store.decisions.history import read_history
from diet_core.store.decisions.queues import (
    Queue,
    QueueDefinition,
    list_next_undecided,
    open_queue,
    read_progress,
)
from diet_core.store.filters import ExampleFilter
from diet_core.store.loading.datasets import list_datasets
from diet_core.store.loading.runs import list_runs, read_run
from diet_core.store.queries.class_stats import count_confusions, read_class_quantiles, read_label_shares
from diet_core.store.queries.data_map import (
    Axis,
    count_grid,
    count_map_regions,
    read_score_axis,
    sample_map_points,
)
from diet_core.store.queries.examples import (
    SPREAD,
    count_examples,
    list_available_scores,
    read_page,
    read_score_correlation,
)
from diet_core.store.queries.histograms import read_histogram
from diet_core.store.queries.one_example import find_example, read_example_scores
from diet_core.store.queries.run_arrays import (
    Decisions,
    RunExamples,
    read_decisions,
    read_run_examples,
    read_shown_texts,
)
from diet_core.store.store import Store

PAGE: Final = 50
SOME_IDS: Final = 100
REMEMBERED: Final = f"{made_word(77)} "  # searched for in every turn; new words are of their turn alone


@dataclass(frozen=True)
class Subject:
    """A loaded run, and what pages keep in memory of it.

    Attributes:
        store: Where.
        run_id: The run.
        dataset_id: Its data set version.
        n: Its scored examples.
        scores: Those that it has.
        ids: Some of its examples.
        labels: Theirs.
        axes: Of its scores.
        examples: As Prune keeps them.
        ranked: By its first score.
        decisions: The effective ones.
        queue: Of its suspects.
    """

    store: Store
    run_id: str
    dataset_id: str
    n: int
    scores: tuple[str, ...]
    ids: tuple[str, ...]
    labels: tuple[str, ...]
    axes: dict[str, Axis]
    examples: RunExamples
    ranked: Ranked
    decisions: Decisions
    queue: Queue

    def score(self, turn: int) -> str:
        """Return another score at each turn."""
        return self.scores[turn % len(self.scores)]

    def id(self, turn: int) -> str:
        """Return another example at each turn."""
        return self.ids[turn % len(self.ids)]

    def filter(self, turn: int) -> ExampleFilter:
        """Return another filter at each turn: by class, prediction, disagreement or range."""
        one = CLASSES[turn % len(CLASSES)]
        some = 0.05 + 0.02 * (turn % 20)
        return (
            ExampleFilter(label=one),
            ExampleFilter(agreement="disagree", score="grand", low=some),
            ExampleFilter(score="el2n", low=some),
            ExampleFilter(predicted_label=one, score="confidence", high=0.9 - some),
            ExampleFilter(ranges=(("variability", some / 2, None), ("confidence", 0.2, 0.8))),
        )[turn % 5]


def subject_of(store: Store, run_id: str) -> Subject:
    """Return a loaded run with what pages keep of it."""
    info, n = read_run(store, run_id).dataset, count_examples(store, run_id)
    scores = tuple(list_available_scores(store, run_id))
    examples = read_run_examples(store, run_id)
    rows = np.random.default_rng(2).integers(0, n, SOME_IDS)
    ids = read_shown_texts(store, info.dataset_id, examples.positions[rows].tolist())["example_id"]
    return Subject(
        store=store,
        run_id=run_id,
        dataset_id=info.dataset_id,
        n=n,
        scores=scores,
        ids=tuple(ids),
        labels=tuple(info.classes[code] for code in examples.codes[rows]),
        axes={score: read_score_axis(store, run_id, score) for score in scores},
        examples=examples,
        ranked=ranked(store, examples, run_id, scores[0]),
        decisions=read_decisions(store, info.dataset_id),
        queue=open_queue(store, QueueDefinition(run_id)),
    )


Operation = Callable[[Subject, int], object]


def _page(
    subject: Subject, turn: int, order: str, filter: ExampleFilter, offset: int, by: str = ""
) -> object:
    return read_page(
        subject.store,
        subject.run_id,
        by=by or subject.score(turn),
        order=order,
        filter=filter,
        limit=PAGE,
        offset=offset,
        text_length=300,
    )


def _grid(subject: Subject, turn: int) -> object:
    x, y = (subject.axes[subject.score(i)] for i in (turn, turn + 1))
    return count_grid(subject.store, subject.run_id, x, y, subject.filter(turn))


def _outcome(subject: Subject, rule: Rule) -> Outcome:
    drawn = draw(subject.examples, rule.seed) if rule.kind == "random" else None
    return outcome(subject.examples, kept_of(subject.ranked, rule, drawn), subject.decisions)


def _shares(turn: int, *, per_class: bool = False) -> Rule:
    return Rule(keep=0.5 + 0.02 * (turn % 20), drop_hardest=0.01 * (turn % 10), per_class=per_class)


def _compared(subject: Subject, turn: int) -> Compared:
    """Return another comparison of two seeds at each turn; its table is there once it was made."""
    other = Side(subject.run_id, step=STEPS[turn // 3 % len(STEPS)], seed=2 + turn % 3)
    return compare(subject.store, Side(subject.run_id, seed=1), other)


def _new_word(turn: int) -> str:
    """Return another word at each turn."""
    return made_word((31 * turn + 5) % WORDS)


EVERYTHING: Final = ExampleFilter()

OPERATIONS: Final[dict[str, Operation]] = {
    "runs and data sets": lambda s, i: (list_runs(s.store), list_datasets(s.store)),
    "scores that a run has": lambda s, i: list_available_scores(s.store, s.run_id),
    "histogram": lambda s, i: read_histogram(s.store, s.run_id, s.score(i)),
    "histogram of a filter": lambda s, i: read_histogram(s.store, s.run_id, s.score(i), s.filter(i)),
    "count of a filter": lambda s, i: count_examples(s.store, s.run_id, s.filter(i)),
    "new search for a word": lambda s, i: count_examples(
        s.store, s.run_id, ExampleFilter(search=_new_word(i))
    ),
    "new search for two words": lambda s, i: count_examples(
        s.store, s.run_id, ExampleFilter(search=f"{_new_word(i)} {_new_word(i + 1)}")
    ),
    "remembered search": lambda s, i: read_histogram(
        s.store, s.run_id, s.score(i), ExampleFilter(search=REMEMBERED)
    ),
    "first page": lambda s, i: _page(s, i, "hardest", EVERYTHING, 0),
    "last page": lambda s, i: _page(s, i, "easiest", EVERYTHING, s.n - PAGE),
    "page of a filter": lambda s, i: _page(s, i, "hardest", s.filter(i), PAGE * (i % 10)),
    "page of a search": lambda s, i: _page(s, i, "hardest", ExampleFilter(search=REMEMBERED), 0),
    "page by spread": lambda s, i: _page(s, i, "spread", EVERYTHING, PAGE * i, list(SPREAD)[i % len(SPREAD)]),
    "labels and predictions": lambda s, i: count_confusions(s.store, s.run_id, s.filter(i)),
    "axis of a score": lambda s, i: read_score_axis(s.store, s.run_id, s.score(i)),
    "grid of two scores": _grid,
    "points of the data map": lambda s, i: sample_map_points(s.store, s.run_id, s.filter(i)),
    "regions of the data map": lambda s, i: count_map_regions(s.store, s.run_id, s.filter(i)),
    "quantiles by class": lambda s, i: read_class_quantiles(s.store, s.run_id, s.score(i), s.filter(i)),
    "correlation of two scores": lambda s, i: read_score_correlation(
        s.store, s.run_id, s.score(i), s.score(i + 1)
    ),
    "labels of the hardest": lambda s, i: read_label_shares(
        s.store, s.run_id, list(SPREAD)[i % 2], 1 + i % 100
    ),
    "one example": lambda s, i: find_example(s.store, s.run_id, s.id(i)),
    "its scores": lambda s, i: read_example_scores(s.store, s.run_id, s.id(i)),
    "its seeds": lambda s, i: example_seeds(s.store, s.run_id, s.id(i), s.labels[i % len(s.labels)]),
    "its decisions": lambda s, i: read_history(s.store, s.dataset_id, s.id(i)),
    "examples to prune": lambda s, i: read_run_examples(s.store, s.run_id),
    "a score to prune by": lambda s, i: ranked(s.store, s.examples, s.run_id, s.score(i)),
    "outcome of shares": lambda s, i: _outcome(s, _shares(i)),
    "outcome per class": lambda s, i: _outcome(s, _shares(i, per_class=True)),
    "outcome of a window": lambda s, i: _outcome(s, Rule(kind="window", low=0.01 * (i % 10), high=1.0)),
    "outcome of a draw": lambda s, i: _outcome(s, Rule(kind="random", keep=0.7, seed=i)),
    "histogram of an outcome": lambda s, i: histogram(s.ranked, kept_of(s.ranked, _shares(i))),
    "effective decisions": lambda s, i: read_decisions(s.store, s.dataset_id),
    "texts at a cut": lambda s, i: read_shown_texts(
        s.store, s.dataset_id, s.examples.positions[s.ranked.order[1000 + 20 * i :][:20]].tolist()
    ),
    "queue of suspects": lambda s, i: open_queue(s.store, QueueDefinition(s.run_id, filter=s.filter(i))),
    "next examples of a queue": lambda s, i: list_next_undecided(
        s.store, s.queue.queue_id, s.dataset_id, position=i
    ),
    "progress of a queue": lambda s, i: read_progress(s.store, s.queue),
    "preview of a batch": lambda s, i: preview_batch(s.store, s.queue, "relabel"),
    "new comparison": _compared,
    "cells of a comparison": lambda s, i: count_percentile_cells(s.store, _compared(s, i)),
    "correlation of a comparison": lambda s, i: find_rank_correlation(s.store, _compared(s, i)),
    "shared hardest": lambda s, i: count_shared_hardest(s.store, _compared(s, i)),
    "page of a comparison": lambda s, i: read_compared_page(
        s.store, _compared(s, i), "harder in b", offset=PAGE * (i % 20)
    ),
}
