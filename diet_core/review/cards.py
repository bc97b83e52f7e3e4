"""The cards of the review desk: what is known of an example and does not change while people decide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from diet_core.errors import NotFoundError
from diet_core.review.card_data import CardData, Neighbourhood
from diet_core.review.card_data import load_card_data as load_card_data
from diet_core.scoring.neighbours import Vectors, most_similar, unit_vectors
from diet_core.store.queries.cards import card_scores
from diet_core.store.queries.texts import read_texts
from diet_core.store.store import Store
from diet_core.tables import SCORES

MOST_CLASSES: Final = 200
N_NEIGHBOURS: Final = 5
SNIPPET: Final = 300  # characters of a neighbour's text

Texts = dict[int, tuple[str, str | None]]  # by position
Found = tuple[int, float, bool]  # row, similarity, whether the text is the same


def card_facts(store: Store, run_id: str, example_ids: Sequence[str], data: CardData) -> list[dict[str, Any]]:
    """Return the cards of some examples of a run, in that order, as JSON can hold them (no NaN: None).

    Args:
        store: Where the texts are.
        run_id: The run.
        example_ids: Of scored examples.
        data: Of that run, from `load_card_data`.

    Returns:
        Dicts of example_id, text, text_pair, label, predicted_label, suggested_label, suggested_probability;
        classes: pairs of name and probability of being the right one by the ranking's posterior, the most
        likely first, at most 200, label and suggestion always among them (where the run's folder is gone only
        these two);
        scores: dicts of name, title, value, rank (1 = hardest), n, percentile_in_class (the share of its
        class that is at most as hard, in percent), for the suspicion and EL2N;
        votes: dict of agree, n (seeds) and predicted; None with one seed or without the run's folder;
        sparkline and steps: EL2N at each recorded step, the mean over seeds; empty with fewer than three;
        neighbours: at most 5 dicts of example_id, text and text_pair (the first 300 characters), label,
        similarity (cosine of the features), is_same_text: first those of the same text with another label,
        then of the same text, then by similarity; empty without features.

    Raises:
        NotFoundError: If the run is not loaded or did not score one of the examples.
    """
    rows = _rows_of(data, example_ids)
    neighbours = _neighbours(data, rows)
    shown = {row for found in neighbours for row, _, _ in found} | set(rows.tolist())
    found = read_texts(store, data.dataset_id, data.positions[sorted(shown)].tolist())
    texts = {position: (text, pair) for position, (_, text, pair) in found.items()}
    records = data.examples.iloc[rows].astype(object).to_dict("records")
    return [
        _card({str(k): _plain(v) for k, v in record.items()}, int(row), data, texts)
        | {"neighbours": [_neighbour(data, texts, *one) for one in found]}
        for record, row, found in zip(records, rows, neighbours, strict=True)
    ]


def _rows_of(data: CardData, example_ids: Sequence[str]) -> NDArray[np.int64]:
    unknown = next((i for i in example_ids if i not in data.rows), None)
    if unknown is not None:
        raise NotFoundError(
            f"Run {data.run_id} did not score an example {unknown!r}. Take an id of its training examples."
        )
    return np.array([data.rows[i] for i in example_ids], np.int64)


def _plain(value: Any) -> Any:
    """Return a value of a table as JSON can hold it."""
    return None if pd.isna(value) else value


def _card(record: dict[str, Any], row: int, data: CardData, texts: Texts) -> dict[str, Any]:
    text, pair = texts[record["position"]]
    named = ("label", "predicted_label", "suggested_label", "suggested_probability")
    return {
        "example_id": record["example_id"],
        "text": text,
        "text_pair": pair,
        **{name: record[name] for name in named},
        "classes": _classes(record, row, data),
        "scores": [
            _score(record, score, len(data.examples))
            for score in card_scores(has_folds=data.has_folds)
            if record[score] is not None
        ],
        "votes": _votes(record, row, data),
        "sparkline": [_rounded(value) for value in data.el2n[row]],
        "steps": list(data.steps),
    }


def _rounded(value: float) -> float | None:
    return round(float(value), 6) if np.isfinite(value) else None


def _classes(record: dict[str, Any], row: int, data: CardData) -> list[list[Any]]:
    """Return names and probabilities, the most likely first."""
    if data.ensemble is None:
        return _stored_classes(record, data)
    probs = data.ensemble.probs[row]
    order = np.argsort(-probs, kind="stable")
    asked = [data.classes.index(n) for n in (record["label"], record["suggested_label"]) if n is not None]
    further = [k for k in dict.fromkeys(asked) if k not in order[:MOST_CLASSES]]
    chosen = [*order[: MOST_CLASSES - len(further)], *sorted(further, key=lambda k: -probs[k])]
    return [[data.classes[k], _rounded(probs[k])] for k in chosen]


def _stored_classes(record: dict[str, Any], data: CardData) -> list[list[Any]]:
    """Return label and suggestion with their probabilities of being the truth, by the ranking's posterior."""
    suspicion = record[card_scores(has_folds=data.has_folds)[0]]
    known = {record["label"]: None if suspicion is None else _rounded(1 - suspicion)}
    if record["suggested_label"] is not None:
        known[record["suggested_label"]] = record["suggested_probability"]
    return [[name, prob] for name, prob in sorted(known.items(), key=lambda one: -(one[1] or 0))]


def _score(record: dict[str, Any], score: str, n: int) -> dict[str, Any]:
    in_class = record["n_in_class"]
    return {
        "name": score,
        "title": SCORES[score].title,
        "value": record[score],
        "rank": record[f"{score}_rank"],
        "n": n,
        "percentile_in_class": 100 * (in_class - record[f"{score}_rank_in_class"] + 1) / in_class,
    }


def _votes(record: dict[str, Any], row: int, data: CardData) -> dict[str, Any] | None:
    if data.ensemble is None or data.ensemble.n_seeds < 2 or record["predicted_label"] is None:
        return None
    agree, n = int(data.ensemble.n_agree[row]), data.ensemble.n_seeds
    return {"agree": agree, "n": n, "predicted": record["predicted_label"]}


def _neighbours(data: CardData, rows: NDArray[np.int64]) -> list[list[Found]]:
    """Return the neighbours of each row, in the order of the card."""
    near = data.neighbourhood
    if near is None:
        return [[] for _ in rows]
    queries = unit_vectors(near.queries[rows])
    # One more than are shown for the example itself, and for each of its repeats.
    found, similarities = most_similar(queries, near.vectors, 2 * N_NEIGHBOURS + 1)
    return [
        _first_ones(data, near, int(row), near.searched[alike], values)
        for row, alike, values in zip(rows, found, similarities, strict=True)
    ]


def _first_ones(
    data: CardData, near: Neighbourhood, row: int, alike: NDArray[np.int64], similarities: Vectors
) -> list[Found]:
    """Return the repeats of a row's text, those with another label first, then its most similar ones."""
    repeats = _repeats(data, row)[:N_NEIGHBOURS]
    own = unit_vectors(near.queries[[row, *repeats]])
    same = [(i, float(own[0] @ vector), True) for i, vector in zip(repeats, own[1:], strict=True)]
    taken = {row, *repeats}
    others = [(int(i), float(value), False) for i, value in zip(alike, similarities, strict=True)]
    return [*same, *(one for one in others if one[0] not in taken)][:N_NEIGHBOURS]


def _repeats(data: CardData, row: int) -> list[int]:
    """Return some other rows of the same text, those with another label first."""
    key = data.text_keys[row]
    start, end = (np.searchsorted(data.sorted_keys, key, side) for side in ("left", "right"))
    rows = data.text_order[start:end]
    rows = rows[rows != row]
    is_other = data.labels[rows] != data.labels[row]
    return [*rows[is_other][:N_NEIGHBOURS].tolist(), *rows[~is_other][:N_NEIGHBOURS].tolist()]


def _neighbour(
    data: CardData, texts: Texts, row: int, similarity: float, is_same_text: bool
) -> dict[str, Any]:
    text, pair = texts[int(data.positions[row])]
    return {
        "example_id": data.example_ids[row],
        "text": text[:SNIPPET],
        "text_pair": None if pair is None else pair[:SNIPPET],
        "label": data.labels[row],
        "similarity": round(similarity, 6),
        "is_same_text": is_same_text,
    }
