"""What is known of a score by the step at which it was taken."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diet_core.errors import SettingError
from diet_core.scoring.el2n import Floats

SHOWN_STEPS: Final = 6  # in a sentence


def is_reliable(step: int, epoch_steps: int) -> bool:
    """Return whether scores at a step may be trusted: from the end of the first epoch on.

    Before it some examples were not trained on yet and others were, so that the order says more about
    the order of the data and the classifier's random weights than about the examples.

    Args:
        step: Optimizer steps done; 0 = before training.
        epoch_steps: Optimizer steps of one epoch.

    Source:
        Fayyaz et al. 2022, Fig. 1; Kirsch 2023.

    >>> is_reliable(0, 118), is_reliable(117, 118), is_reliable(118, 118)
    (False, False, True)
    """
    return step >= epoch_steps


def unreliable_in_words(steps: Iterable[int], epoch_steps: int) -> str | None:
    """Return a warning that names the steps which `is_reliable` does not trust; None where there are none.

    >>> print(unreliable_in_words([0, 100, 118], epoch_steps=118))
    Scores at steps 0 and 100 are unreliable: the first epoch ends at step 118.
    >>> unreliable_in_words([118, 236], epoch_steps=118)
    """
    names = [str(step) for step in steps if not is_reliable(step, epoch_steps)]
    if not names:
        return None
    some = [*names[:SHOWN_STEPS], f"{len(names) - SHOWN_STEPS} more"] if len(names) > SHOWN_STEPS else names
    listed = " and ".join(filter(None, [", ".join(some[:-1]), some[-1]]))
    return (
        f"Scores at step{'s' * (len(names) > 1)} {listed} are unreliable: "
        f"the first epoch ends at step {epoch_steps}."
    )


def label_shares(rows: ArrayLike, labels: ArrayLike, n_classes: int) -> Floats:
    """Return which share of the chosen examples each class holds.

    Args:
        rows: Row numbers of the chosen examples, shape (n_chosen,), at least one.
        labels: Class numbers of all examples, shape (n_examples,).
        n_classes: How many classes there are.

    Returns:
        Shape (n_classes,), in [0, 1], in the order of the classes; they sum to 1.

    Raises:
        SettingError: If no example is chosen.

    Source:
        Fayyaz et al. 2022, Fig. 2: the classes among the examples of the highest scores.

    >>> label_shares([0, 1, 2, 5], [0, 0, 2, 1, 1, 2], 3).tolist()  # of classes 0, 0, 2 and 2
    [0.5, 0.0, 0.5]
    """
    chosen: NDArray[np.int64] = np.asarray(labels, dtype=np.int64)[np.asarray(rows, dtype=np.int64)]
    if not len(chosen):
        raise SettingError("No example is chosen, so no class holds a share. Choose at least one.")
    shares: Floats = np.bincount(chosen, minlength=n_classes) / len(chosen)
    return shares
