"""The columns of each table and what a score's size means.

Nothing here imports more than the standard library, so that every layer may use it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SPLITS: Final = ("train", "test", "validation")

# One row per example, in the order of the source (training file first, then the test file).
EXAMPLE_COLUMNS: Final = ("example_id", "source_row", "text", "text_pair", "label", "split")

# One row per run x seed x step x example; `logits` is a fixed-size list of float32.
DYNAMICS_COLUMNS: Final = ("example_id", "logits", "feature_norm", "grad_norm")
# Behind them, where the scope of GraNd reaches into a group of parameters: the length of its part alone.
GRADIENT_GROUPS: Final = ("embeddings", "encoder", "head")

# Of which parameters GraNd takes the gradient, as --grand names them.
GRAND_SCOPES: Final = {
    "classifier": "the classifier's weights",
    "new": "all newly initialised parameters",
    "head": "everything above the encoder, the pooler included",
    "full": "all parameters of the network",
}
# What a retraining keeps equal for all arms, as --budget names it.
BUDGETS: Final = {
    "epochs": "every arm makes the same passes over its own examples",
    "steps": "every arm takes the same number of optimizer steps, as many as all examples take",
}
# Which evaluation of a retraining counts, as --choose names it.
CHOICES: Final = {
    "last": "the last evaluation of a training counts",
    "heldout": "the evaluation that is best on held-out training examples counts",
    "best": "the evaluation that is best on the reported test split counts, as in the paper: every arm looks "
    "better than it is",
}


@dataclass(frozen=True)
class Score:
    """What one column of the scores table says.

    Attributes:
        name: The column.
        title: What the app calls it.
        high_is_hard: Whether a high value means a hard example (rankings put hard ones first).
        meaning: One sentence for a tooltip: definition, direction and source.
    """

    name: str
    title: str
    high_is_hard: bool
    meaning: str


_SCORES = (
    Score(
        "el2n",
        "EL2N",
        True,
        "Length of the error vector: ‖softmax(logits) − one-hot label‖₂, the mean over seeds. "
        "From 0 (easy) to √2 (hard or mislabelled). Fayyaz et al. 2022, Eq. 3.",
    ),
    Score(
        "grand",
        "GraNd",
        True,
        "Length of the loss gradient with respect to the classifier's weights, the mean over seeds. "
        "High means hard or mislabelled. Fayyaz et al. 2022, Eq. 1.",
    ),
    Score(
        "loss",
        "Loss",
        True,
        "Cross-entropy of the given label, the mean over seeds. High means hard.",
    ),
    Score(
        "confidence",
        "Confidence",
        False,
        "Mean probability of the given label over checkpoints and seeds. Low means hard. "
        "Swayamdipta et al. 2020.",
    ),
    Score(
        "variability",
        "Variability",
        True,
        "Spread (population standard deviation) of the given label's probability over checkpoints. "
        "High means ambiguous; it needs two checkpoints. Swayamdipta et al. 2020.",
    ),
    Score(
        "correctness",
        "Correctness",
        False,
        "Share of checkpoints and seeds that predict the given label. Low means hard. "
        "Swayamdipta et al. 2020.",
    ),
    Score(
        "forgetting",
        "Forgetting",
        True,
        "How often a right prediction turned wrong at the next checkpoint, the mean over seeds. "
        "High means hard; it needs two checkpoints. Toneva et al. 2019.",
    ),
    Score(
        "aum",
        "AUM",
        False,
        "Area under the margin: the given label's logit less the largest other one, the mean over "
        "checkpoints and seeds. Low means hard or mislabelled. Pleiss et al. 2020.",
    ),
    Score(
        "self_confidence",
        "Self-confidence",
        False,
        "Probability of the given label at the last step, mean over seeds. Low means hard or mislabelled. "
        "Northcutt et al. 2021.",
    ),
    Score(
        "label_error",
        "Label error",
        True,
        "How likely the given label is wrong, by the mean probabilities over seeds and the estimated label "
        "confusions (which label is given by mistake for which class). High means suspicious; its size is "
        "no measured probability.",
    ),
    Score(
        "el2n_oof",
        "EL2N, out of fold",
        True,
        "EL2N by models that did not train on the example: ‖softmax(logits) − one-hot label‖₂, the mean over "
        "seeds. From 0 (easy) to √2 (hard or mislabelled).",
    ),
    Score(
        "loss_oof",
        "Loss, out of fold",
        True,
        "Cross-entropy of the given label by models that did not train on the example, the mean over seeds. "
        "High means hard.",
    ),
    Score(
        "margin_oof",
        "Margin, out of fold",
        False,
        "The given label's logit less the largest other one, by models that did not train on the example, "
        "the mean over seeds. Low means hard or mislabelled.",
    ),
    Score(
        "label_error_oof",
        "Label error, out of fold",
        True,
        "How suspicious the given label is to models that did not train on the example. High means "
        "suspicious.",
    ),
)

SCORES: Final[dict[str, Score]] = {score.name: score for score in _SCORES}


def meaning_of(name: str, grand: str = "classifier") -> str:
    """Return what a score of a run says, in a sentence.

    Args:
        name: The score.
        grand: The run's scope of GraNd, one of `GRAND_SCOPES`.

    >>> meaning_of("grand", "full")[:75]
    'Length of the loss gradient with respect to all parameters of the network, '
    """
    return SCORES[name].meaning.replace(GRAND_SCOPES["classifier"], GRAND_SCOPES[grand])


# The table behind `Run.scores`, in this order; `text_pair` only where the data set has pairs.
SCORE_COLUMNS: Final = (
    "example_id",
    "text",
    "text_pair",
    "label",
    "predicted_label",
    "suggested_label",
    "suggested_probability",
    "el2n",
    "el2n_std",
    "grand",
    "grand_std",
    "loss",
    "confidence",
    "variability",
    "correctness",
    "forgetting",
    "never_learned",
    "aum",
    "self_confidence",
    "label_error",
)
# Behind them where the run was scored with folds: by models that did not train on the example, at their last
# step.
OOF_COLUMNS: Final = (
    "predicted_label_oof",
    "suggested_label_oof",
    "suggested_probability_oof",
    "el2n_oof",
    "loss_oof",
    "margin_oof",
    "label_error_oof",
)

# What orders the suspects: of a run without folds, and of one with them.
SUSPICION: Final = "label_error"
OOF_SUSPICION: Final = "label_error_oof"
OOF_IN_WORDS: Final = "Order and suggestions are those of models that did not train on the example."

# Where a score has no value for some examples.
MISSING_SCORE_ADVICE: Final = (
    "Choose another score (forgetting and variability need two checkpoints, those out of fold need folds)."
)

DECISION_ACTIONS: Final = ("keep", "drop", "relabel", "unsure")
# Events of the desk beside them that say nothing of an example's label.
MARKS: Final = ("skip", "flag", "unflag")
RUN_STATES: Final = ("queued", "running", "done", "failed", "cancelled", "interrupted")
