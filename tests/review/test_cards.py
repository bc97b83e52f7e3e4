"""Cards say what the facts of a run say, whatever is left of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from diet_core.dataset import Dataset
from diet_core.errors import NotFoundError
from diet_core.review.cards import MOST_CLASSES, card_facts, load_card_data
from diet_core.runs.facts import features_table, read_facts
from diet_core.runs.folder import RunFolder, write_json, write_table
from diet_core.scoring.el2n import error_norms, log_softmax
from diet_core.scoring.label_confusions import label_confusions, true_class_probs
from diet_core.store.loading.datasets import add_dataset
from diet_core.store.loading.runs import RunRecord, ingest_run, read_scores
from diet_core.store.queries.one_example import read_example_scores
from diet_core.store.store import open_store
from diet_core.workspace.ingest import reconcile
from tests.conftest import RUN_ID
from tests.runs.made_configs import made_config, made_info, seed_trainings
from tests.runs.stepped_runs import add_steps, write_facts


@pytest.fixture
def own_store(workspace, copied):
    """A store with the sentences' run."""
    with open_store(workspace) as store:
        reconcile(store)
        yield store


@pytest.fixture
def folded_store(workspace, folded_run):
    """A store with the run that has folds."""
    shutil.copytree(folded_run.path, workspace.runs / folded_run.run_id)
    with open_store(workspace) as store:
        reconcile(store)
        yield store


def all_cards(store, run_id, **options) -> dict[str, dict]:
    """Every card of a run by its example's id; that they are JSON without NaN is checked on the way."""
    facts = load_card_data(store, run_id, **options)
    cards = card_facts(store, run_id, read_scores(store, run_id)["example_id"].tolist(), facts)
    json.dumps(cards, allow_nan=False)
    return {card["example_id"]: card for card in cards}


def folded_text(text: str) -> str:
    return " ".join(text.lower().split())


def slow_neighbours(table: pd.DataFrame, features: np.ndarray, row: int, searched: set[str]) -> list[tuple]:
    """What a card's neighbours are like, found one by one: kind (0 and 1 = same text) and -similarity."""
    mine, me = table.loc[row], features[row]
    found = []
    for other, theirs in table.drop(index=row).iterrows():
        same = folded_text(theirs["text"]) == folded_text(mine["text"])
        kind = (0 if theirs["label"] != mine["label"] else 1) if same else 2
        similarity = me @ features[other] / np.linalg.norm(me) / np.linalg.norm(features[other])
        if same or theirs["example_id"] in searched:
            found.append((kind, -similarity))
    return sorted(found)[:5]


def posterior_of(probs, labels):
    return true_class_probs(probs, labels, label_confusions(probs, labels))


def test_classes_are_those_of_the_posterior_most_likely_first(own_store, copied):
    facts = read_facts(copied)
    probs = posterior_of(np.exp(log_softmax(facts.logits[:, -1])).mean(axis=0), facts.labels)
    cards = all_cards(own_store, copied.run_id)
    assert len(cards) == len(facts.examples)
    for row, example in facts.examples.iterrows():
        names, values = zip(*cards[example["example_id"]]["classes"], strict=True)
        order = np.argsort(-probs[row])
        assert names == tuple(facts.classes[k] for k in order)
        np.testing.assert_allclose(values, probs[row, order], atol=1e-6)


def test_bars_label_error_and_suggestion_say_the_same(own_store, copied):
    for card in all_cards(own_store, copied.run_id).values():
        probs = dict(card["classes"])
        label_error = next(one["value"] for one in card["scores"] if one["name"] == "label_error")
        assert probs[card["label"]] == pytest.approx(1 - label_error, abs=2e-6)
        assert probs[card["suggested_label"]] == pytest.approx(card["suggested_probability"], abs=2e-6)


def test_cards_say_what_the_scores_table_says(own_store, copied):
    cards = all_cards(own_store, copied.run_id)
    columns = ["text", "label", "predicted_label", "suggested_label", "suggested_probability"]
    for row in read_scores(own_store, copied.run_id).to_dict("records"):
        card = cards[row["example_id"]]
        assert {name: card[name] for name in columns} == {name: row[name] for name in columns}
        assert card["text_pair"] is None
        assert {one["name"]: one["value"] for one in card["scores"]} == {
            name: row[name] for name in ("label_error", "el2n")
        }


def test_ranks_are_those_of_the_store_with_its_ties(store, scored):
    cards = all_cards(store, RUN_ID)
    for example_id in list(cards)[::20]:
        told = {one["name"]: one for one in cards[example_id]["scores"]}
        for row in read_example_scores(store, RUN_ID, example_id, ["label_error", "el2n"]).to_dict("records"):
            one = told[row["score"]]
            assert (one["rank"], one["n"], one["value"]) == (row["rank"], row["n"], row["value"])
            harder = row["rank_in_class"] - 1
            assert one["percentile_in_class"] == pytest.approx(100 * (1 - harder / row["n_in_class"]))
    assert cards["r1"]["scores"][1]["percentile_in_class"] == 100


def test_with_folds_cards_go_by_models_that_did_not_train_on_the_example(folded_store, folded_run):
    facts = read_facts(folded_run)
    assert facts.oof_logits is not None
    probs = posterior_of(np.exp(log_softmax(facts.oof_logits)).mean(axis=0), facts.labels)
    cards = all_cards(folded_store, folded_run.run_id)
    table = read_scores(folded_store, folded_run.run_id).set_index("example_id")
    for row, example_id in enumerate(facts.examples["example_id"]):
        card, scores = cards[example_id], table.loc[example_id]
        np.testing.assert_allclose([p for _, p in card["classes"]], -np.sort(-probs[row]), atol=1e-6)
        assert card["suggested_label"] == scores["suggested_label_oof"]
        assert [one["name"] for one in card["scores"]] == ["label_error_oof", "el2n_oof"]
        assert card["votes"]["predicted"] == scores["predicted_label_oof"]


@pytest.mark.parametrize("searched", [200_000, 40])
def test_neighbours_are_repeats_first_then_the_most_similar(folded_store, folded_run, searched):
    facts = load_card_data(folded_store, folded_run.run_id, most_searched=searched)
    table = read_scores(folded_store, folded_run.run_id)
    stored = pq.read_table(folded_run.training_folder("seed-0") / "features.parquet").to_pandas()
    features = np.stack(stored.set_index("example_id").loc[table["example_id"], "features"]).astype(float)
    assert facts.n_searched == min(searched, len(table))
    assert facts.neighbourhood is not None
    known = set(facts.example_ids[facts.neighbourhood.searched])
    assert len(known) == facts.n_searched
    repeated = table["text"].map(folded_text).duplicated(keep=False)
    assert repeated.sum() == 12
    for row in [*table.index[repeated], *table.index[~repeated][:30]]:
        (card,) = card_facts(folded_store, folded_run.run_id, [table["example_id"][row]], facts)
        expected = slow_neighbours(table, features, row, known)
        shown = card["neighbours"]
        assert len({card["example_id"], *(one["example_id"] for one in shown)}) == 6
        assert [one["is_same_text"] for one in shown] == [kind < 2 for kind, _ in expected]
        np.testing.assert_allclose([-one["similarity"] for one in shown], [s for _, s in expected], atol=3e-6)
        assert all(one["is_same_text"] or one["example_id"] in known for one in shown)


def made_run(workspace, store, texts, labels, classes, *, features=None, seeds=1, pairs=None) -> RunFolder:
    """A run made by hand: random logits, features as given; its folder and its scores in the store."""
    n, ids = len(texts), [f"e{i}" for i in range(len(texts))]
    examples = pd.DataFrame({"example_id": ids, "source_row": range(n), "text": texts, "label": labels})
    examples["text_pair"] = pd.Series(pairs or [None] * n, dtype="str")
    examples["split"] = "train"
    info = made_info(classes)
    folder = RunFolder(workspace.run_folder("made-20261121-142530-1a2b"))
    trainings = seed_trainings(seeds)
    rng, probs = np.random.default_rng(0), np.zeros((n, len(classes)))
    for training in trainings:
        folder.training_folder(training.name).mkdir(parents=True)
        logits = rng.normal(0, 2, (n, len(classes))).astype(np.float32)
        write_facts(folder, training.name, 7, ids, logits)
        result = {**training.to_json(), "steps": [7], "has_bias": True}
        write_json(folder.result_file(training.name), result)
        probs += np.exp(log_softmax(logits)) / seeds
    if features is not None:
        table = features_table(ids, np.asarray(features, np.float16))
        write_table(folder.training_folder("seed-0") / "features.parquet", table)
    folder.write_config(made_config(info, seeds=seeds, trainings=trainings))
    write_json(folder.status_file, {"state": "done"})
    given = pd.Index(classes).get_indexer(pd.Index(labels))
    others = probs.copy()
    others[np.arange(n), given] = -1
    scores = pd.DataFrame(
        {
            "example_id": ids,
            "predicted_label": [classes[k] for k in probs.argmax(axis=1)],
            "suggested_label": [classes[k] for k in others.argmin(axis=1)],  # the least likely one
            "suggested_probability": 0.25,
            "el2n": error_norms(np.log(probs)[None], given)[0],
            "label_error": 1 - probs[np.arange(n), given],
        }
    )
    scores.loc[scores["suggested_label"] == scores["predicted_label"], "suggested_label"] = None
    now = datetime.now(UTC)
    record = RunRecord(
        run_id=folder.run_id,
        dataset=add_dataset(store, Dataset(info=info, examples=examples, source=pa.table({"text": texts}))),
        kind="score",
        config=folder.config(),
        state="done",
        created_at=now,
        finished_at=now,
    )
    empty = pd.DataFrame(columns=["seed", "step", "example_id", "el2n", "grand"])
    ingest_run(store, record, scores, empty, pd.DataFrame(columns=["arm"]))
    return folder


def test_of_many_classes_label_and_suggestion_are_always_shown(workspace, store):
    classes = [f"class {k:03}" for k in range(250)]
    folder = made_run(workspace, store, [f"text {i}" for i in range(20)], classes[:20], classes)
    for card in all_cards(store, folder.run_id).values():
        names, values = zip(*card["classes"], strict=True)
        assert len(set(names)) == len(names) == MOST_CLASSES
        assert list(values) == sorted(values, reverse=True)
        assert {card["label"], card["suggested_label"]} <= set(names)


def test_150_classes_are_all_shown(workspace, store):
    classes = [f"class {k:03}" for k in range(150)]
    folder = made_run(workspace, store, ["a", "b"], classes[:2], classes)
    for card in all_cards(store, folder.run_id).values():
        assert sorted(name for name, _ in card["classes"]) == classes
        assert sum(p for _, p in card["classes"]) == pytest.approx(1, abs=1e-4)


def test_votes_count_the_seeds_that_predict_what_the_mean_predicts(workspace, store):
    classes = ["x", "y", "z"]
    folder = made_run(workspace, store, [f"text {i}" for i in range(60)], classes * 20, classes, seeds=4)
    files = [pq.read_table(path) for path in sorted(folder.path.glob("seed-*/step-*.parquet"))]
    logits = np.array([file.column("logits").to_pylist() for file in files])
    mean = np.exp(log_softmax(logits)).mean(axis=0).argmax(axis=1)
    agree = (logits.argmax(axis=2) == mean).sum(axis=0)
    assert set(agree.tolist()) == {1, 2, 3, 4}
    cards = all_cards(store, folder.run_id)
    assert [cards[f"e{i}"]["votes"] for i in range(60)] == [
        {"agree": n, "n": 4, "predicted": classes[k]} for n, k in zip(agree, mean, strict=True)
    ]


def test_one_seed_has_no_votes(workspace, store):
    folder = made_run(workspace, store, ["a", "b"], ["x", "y"], ["x", "y"], seeds=1)
    assert [card["votes"] for card in all_cards(store, folder.run_id).values()] == [None, None]


@pytest.mark.parametrize(
    "other", ["ONE two  ", "one\ttwo", "\u2003one \n two", "One\u00a0Two", "one\r\ntwo", "one\u3000two"]
)
def test_case_and_white_space_make_no_other_text(workspace, store, other):
    texts = ["one two", "onetwo", "one two three", other]
    folder = made_run(workspace, store, texts, ["x", "x", "x", "y"], ["x", "y"], features=np.eye(4))
    first = all_cards(store, folder.run_id)["e0"]["neighbours"]
    assert first[0]["example_id"] == "e3"
    assert [one["is_same_text"] for one in first] == [True, False, False]


def test_repeats_with_another_label_come_first(workspace, store):
    texts, labels = ["same"] * 9 + ["near"], ["x"] * 4 + ["y"] * 3 + ["x"] * 2 + ["x"]
    folder = made_run(workspace, store, texts, labels, ["x", "y"], features=np.ones((10, 3)))
    cards = all_cards(store, folder.run_id)
    found = cards["e0"]["neighbours"]
    assert [one["label"] for one in found] == ["y", "y", "y", "x", "x"]
    assert all(one["is_same_text"] and one["similarity"] == 1 for one in found)
    assert "e0" not in [one["example_id"] for one in found]
    assert not cards["e9"]["neighbours"][0]["is_same_text"]


def test_a_pair_is_the_same_only_where_both_texts_are(workspace, store):
    texts, pairs = ["premise"] * 3, ["one", "other", "ONE"]
    run = made_run(
        workspace, store, texts, ["x", "y", "y"], ["x", "y"], features=[[1, 0], [1, 0.1], [0, 1]], pairs=pairs
    )
    card = all_cards(store, run.run_id)["e0"]
    assert (card["text"], card["text_pair"]) == ("premise", "one")
    assert [(one["example_id"], one["is_same_text"], one["text_pair"]) for one in card["neighbours"]] == [
        ("e2", True, "ONE"),
        ("e1", False, "other"),
    ]


def test_neighbours_texts_are_cut_and_ones_own_is_not(workspace, store):
    texts = ["a" * 20_000, "b" * 20_000]
    folder = made_run(workspace, store, texts, ["x", "y"], ["x", "y"], features=np.eye(2))
    card = all_cards(store, folder.run_id)["e0"]
    assert card["text"] == texts[0]
    assert card["neighbours"][0]["text"] == "b" * 300


def test_without_features_there_are_no_neighbours(workspace, store):
    folder = made_run(workspace, store, ["same", "same"], ["x", "y"], ["x", "y"])
    assert [card["neighbours"] for card in all_cards(store, folder.run_id).values()] == [[], []]
    assert load_card_data(store, folder.run_id).n_searched == 0


@pytest.mark.parametrize("content", [b"", b"PAR1 damaged"])
def test_damaged_features_are_none(workspace, store, content):
    folder = made_run(workspace, store, ["a", "b"], ["x", "y"], ["x", "y"], features=np.eye(2))
    (folder.training_folder("seed-0") / "features.parquet").write_bytes(content)
    cards = all_cards(store, folder.run_id)
    assert [card["neighbours"] for card in cards.values()] == [[], []]
    assert len(cards["e0"]["classes"]) == 2


@pytest.mark.parametrize("ids", [[], ["e0"], ["e0", "e0", "other"]])
def test_features_that_lack_an_example_are_none(workspace, store, ids):
    folder = made_run(workspace, store, ["a", "b"], ["x", "y"], ["x", "y"])
    table = features_table(ids, np.ones((len(ids), 2), np.float16))
    write_table(folder.training_folder("seed-0") / "features.parquet", table)
    assert load_card_data(store, folder.run_id).neighbourhood is None


def test_features_in_another_order_belong_to_the_same_examples(workspace, store):
    folder = made_run(workspace, store, list("abcd"), list("xyxy"), ["x", "y"], features=np.eye(4, 3) + 0.1)
    before = all_cards(store, folder.run_id)
    file = folder.training_folder("seed-0") / "features.parquet"
    write_table(file, pq.read_table(file).take([2, 0, 3, 1]))
    assert all_cards(store, folder.run_id) == before


def test_features_of_no_length_are_like_nothing(workspace, store):
    features = [[0, 0], [np.inf, 0], [1, 0], [1, 0.1]]
    folder = made_run(workspace, store, list("abcd"), list("xyxy"), ["x", "y"], features=features)
    cards = all_cards(store, folder.run_id)
    assert {one["similarity"] for one in cards["e0"]["neighbours"]} == {0.0}
    assert cards["e2"]["neighbours"][0]["example_id"] == "e3"


def test_a_sparkline_has_every_recorded_step_the_mean_over_seeds(workspace, copied):
    add_steps(copied, (0, 4, 8))
    facts = read_facts(copied)
    el2n = np.mean([error_norms(facts.logits[:, j], facts.labels) for j in range(4)], axis=1)
    with open_store(workspace) as store:
        reconcile(store)
        cards = all_cards(store, copied.run_id)
    for row, example_id in enumerate(facts.examples["example_id"]):
        assert cards[example_id]["steps"] == [0, 4, 8, 12]
        np.testing.assert_allclose(cards[example_id]["sparkline"], el2n[:, row], atol=1e-6)


def test_two_steps_make_no_sparkline(workspace, copied):
    add_steps(copied, (4,))
    with open_store(workspace) as store:
        reconcile(store)
        cards = all_cards(store, copied.run_id)
    assert {(len(card["steps"]), len(card["sparkline"])) for card in cards.values()} == {(0, 0)}


def test_without_the_folder_label_and_suggestion_are_left(own_store, copied):
    before = all_cards(own_store, copied.run_id)
    shutil.rmtree(copied.path)
    table = read_scores(own_store, copied.run_id).set_index("example_id")
    for example_id, card in all_cards(own_store, copied.run_id).items():
        label, suggestion = card["label"], card["suggested_label"]
        assert dict(card["classes"]) == {
            label: pytest.approx(1 - table.loc[example_id, "label_error"], abs=1e-6),
            suggestion: card["suggested_probability"],
        }
        assert card["classes"][0][1] >= card["classes"][1][1]
        same = ("text", "scores", "predicted_label", "steps", "sparkline")
        assert {name: card[name] for name in same} == {name: before[example_id][name] for name in same}
        assert (card["votes"], card["neighbours"]) == (None, [])


def test_without_a_seeds_facts_the_neighbours_are_left(own_store, copied):
    (copied.training_folder("seed-1") / "step-000012.parquet").unlink()
    for card in all_cards(own_store, copied.run_id).values():
        assert len(card["classes"]) == 2
        assert card["votes"] is None
        assert len(card["neighbours"]) == 5


def test_cards_come_in_the_order_that_was_asked_for(own_store, copied):
    facts = load_card_data(own_store, copied.run_id)
    ids = [*facts.example_ids[[5, 2, 9]], facts.example_ids[5]]
    cards = card_facts(own_store, copied.run_id, ids, facts)
    assert [card["example_id"] for card in cards] == ids
    assert cards[0] == cards[3]
    assert cards[1] == card_facts(own_store, copied.run_id, ids[1:2], facts)[0]
    assert card_facts(own_store, copied.run_id, [], facts) == []


def test_examples_that_were_not_scored_have_no_card(own_store, copied):
    facts = load_card_data(own_store, copied.run_id)
    with pytest.raises(NotFoundError, match="did not score an example 'nobody'"):
        card_facts(own_store, copied.run_id, [facts.example_ids[0], "nobody"], facts)
    with pytest.raises(NotFoundError, match="no finished run"):
        load_card_data(own_store, "nothing-20261121-142530-1a2b")


def test_a_score_without_a_value_is_left_out(store, reviews, synthetic_scores, scored):
    synthetic_scores.loc[0, "label_error"] = None
    ingest_run(
        store,
        replace(scored),
        synthetic_scores,
        pd.DataFrame(columns=["seed", "step", "example_id", "el2n", "grand"]),
        pd.DataFrame(columns=["arm"]),
    )
    card = all_cards(store, RUN_ID)["r1"]
    assert [one["name"] for one in card["scores"]] == ["el2n"]
    assert card["classes"] == [["negative", pytest.approx(1.4 / 1.5)], ["positive", None]]
