"""The verb `compare`."""

from __future__ import annotations

import pytest
from scipy.stats import spearmanr

from diet_core.store.loading.runs import read_run, read_scores
from diet_core.store.store import open_store


def test_compare_tells_how_far_a_seed_agrees_with_the_mean(copied, workspace, said):
    found = said("compare", "latest", copied.run_id, "--other-seed", 1, "-n", 3)
    assert found["a"] == {"run_id": copied.run_id, "dataset": "sentences-v1", "step": None, "seed": None}
    assert (found["b"]["seed"], found["by"]) == (1, "el2n")
    with open_store(workspace) as store:
        mean = read_scores(store, copied.run_id)
        seed = store.frame(
            "SELECT el2n, predicted FROM seed_scores WHERE seed = 1 AND step = ? ORDER BY position",
            [found["b"]["step"]],
        )
        classes = read_run(store, copied.run_id).dataset.classes
    assert found["n_common"] == len(mean)
    assert found["spearman"] == pytest.approx(spearmanr(mean["el2n"], seed["el2n"]).statistic)
    predicted = [classes[k] for k in seed["predicted"]]
    assert found["predictions"]["n_same"] == (mean["predicted_label"] == predicted).sum()
    assert sum(found["predictions"]["right"].values()) == len(mean)
    assert list(found["hardest_shared"]) == ["1", "5", "10", "30"]
    assert len(found["harder_in_b"]) == len(found["easier_in_b"]) == 3
    assert found["harder_in_b"][0]["change"] >= 0 >= found["easier_in_b"][0]["change"]
    assert found["differs"] == {}


def test_compare_in_words_names_both_sides(copied, run_verb):
    status, out, _ = run_verb("compare", "latest", "latest", "--seed", 0, "--other-seed", 1, "-n", 1)
    assert status == 0
    assert f"A: {copied.run_id} (sentences-v1), step " in out
    assert "Rank correlation of el2n: " in out
    assert "Harder in B" in out


def test_compare_refuses_what_cannot_be_compared(copied, refused):
    assert "Both sides are the same scores." in refused("compare", "latest", "latest")
    assert "no scores of seed 9" in refused("compare", "latest", "latest", "--seed", 9)
    assert "EL2N and GraNd only" in refused("compare", "latest", "latest", "--seed", 0, "--by", "loss")
    assert "'gone' is not a run id" in refused("compare", "latest", "gone")
    assert "-n is -1" in refused("compare", "latest", "latest", "-n", -1)
