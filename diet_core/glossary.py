"""The terms of the app, the command line and the docs, each in a sentence or two.

Tooltips take them from here, and `docs/glossary.md` shows the same.
"""

from __future__ import annotations

from typing import Final

from diet_core.tables import SCORES

TERMS: Final = {
    "EL2N": SCORES["el2n"].meaning,
    "GraNd": SCORES["grand"].meaning,
    "Label error": SCORES["label_error"].meaning,
    "Hard": (
        "Far from what the models predict. The hardest examples are informative, ambiguous or "
        "mislabelled; only a person can say which."
    ),
    "Seed": (
        "The number that a training's random choices follow from: first weights of the classifier, order of "
        "the examples, dropout. Each seed is one training, and scores are means over seeds."
    ),
    "Reliability": (
        "How well the scores of these seeds would correlate with the mean of infinitely many seeds, "
        "estimated from how well the seeds agree. 1 is best."
    ),
    "Score step": (
        "The optimizer step after which the training examples are scored. Scores from before the end of "
        "the first epoch are unreliable."
    ),
    "Out of fold": (
        "By models that did not train on the example: the data set is dealt into folds, and each fold is "
        "scored by a model trained on the others."
    ),
    "Quick look": (
        "Scores from a linear classifier on the embeddings of a frozen encoder: one forward pass instead "
        "of fine-tuning."
    ),
    "Keep": "The share of the training examples, hardest first, that a rule keeps.",
    "Drop hardest": (
        "The share of the training examples at the very hard end that a rule drops, because wrong labels "
        "gather there."
    ),
    "Arm": (
        "One of the training sets that a retraining compares, such as the selection, all examples, or as "
        "many random ones. Each is trained once per repeat."
    ),
    "Decision": (
        "What a reviewer says of an example: keep its label, relabel it, drop it, or unsure. Decisions "
        "are never overwritten; undo takes one back."
    ),
    "Suspect": (
        "An example whose label is likely wrong, because the models predict another class. A person decides."
    ),
    "Audit": (
        "A random sample of the training examples that people check, to estimate how many labels are wrong."
    ),
}
