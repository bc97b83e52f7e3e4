"""EL2N and GraNd from recorded logits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diet_core.errors import SettingError

Floats = NDArray[np.float64]


def log_softmax(logits: ArrayLike) -> Floats:
    """Return the log probabilities along the last axis, in float64.

    The largest term is kept out of the sum, so that log p ≈ −10⁻³⁰⁰ is still told from 0.

    Args:
        logits: Shape (..., n_classes), any float type.

    Returns:
        The same shape, each value ≤ 0.
    """
    # Classes first: sums over a last axis of a few classes take five times as long.
    z = np.array(np.moveaxis(np.asarray(logits), -1, 0), dtype=np.float64, order="C")
    z -= z.max(axis=0)
    is_below = z < 0
    n_largest = len(z) - is_below.sum(axis=0)
    others = np.exp(z, where=is_below, out=np.zeros_like(z)).sum(axis=0) + (n_largest - 1)
    log_p: Floats = np.moveaxis(z - np.log1p(others), 0, -1)
    return log_p


def checked_arrays(logits: ArrayLike, labels: ArrayLike) -> tuple[Floats, NDArray[np.int64]]:
    """Return logits as float64 of shape (n_runs, n_examples, n_classes) and labels as int64.

    Args:
        logits: Shape (n_runs, n_examples, n_classes), or (n_examples, n_classes) for one run.
        labels: Class numbers, shape (n_examples,).

    Raises:
        SettingError: If shapes disagree, a label is no class number or a logit is not finite.
    """
    z = np.asarray(logits, dtype=np.float64)
    y = np.asarray(labels)
    if z.ndim == 2:
        z = z[None]
    if z.ndim != 3 or y.shape != (z.shape[1],):
        raise SettingError(
            f"logits have the shape {np.shape(logits)} and labels {y.shape}. "
            "Give logits (n_runs, n_examples, n_classes) and labels (n_examples,)."
        )
    check_class_numbers(y, z.shape[2])
    if not np.isfinite(z).all():
        run, example = np.argwhere(~np.isfinite(z).all(axis=-1))[0]
        raise SettingError(
            f"The logits of example {example} in run {run} are not finite numbers. "
            "Train with a lower learning rate or in float32."
        )
    return z, y.astype(np.int64)


def check_class_numbers(labels: NDArray[Any], n_classes: int) -> None:
    """Check that labels are class numbers from 0 to `n_classes` − 1.

    Raises:
        SettingError: If one is not; the message names it.
    """
    is_whole = np.issubdtype(labels.dtype, np.integer)
    wrong = np.flatnonzero((labels < 0) | (labels >= n_classes)) if is_whole else np.arange(len(labels))
    if len(wrong):
        raise SettingError(
            f"The label of example {wrong[0]} is {labels.tolist()[wrong[0]]!r}. "
            f"Give class numbers, whole numbers from 0 to {n_classes - 1}."
        )


def error_norms(logits: ArrayLike, labels: ArrayLike) -> Floats:
    """Return ‖softmax(z) − one-hot(y)‖₂ per run and example.

    1 − p_y is taken as −expm1(log p_y): the difference of near-equal numbers would lose the easy
    examples' order.

    Args:
        logits: As for `checked_arrays`.
        labels: Class numbers, shape (n_examples,).

    Returns:
        Shape (n_runs, n_examples), in [0, √2]. High means hard.

    Raises:
        SettingError: As `checked_arrays`.
    """
    z, y = checked_arrays(logits, labels)
    log_p = log_softmax(z)
    rows = np.arange(len(y))
    p = np.exp(log_p)
    p[:, rows, y] = -np.expm1(log_p[:, rows, y])
    norms: Floats = np.sqrt((p**2).sum(axis=-1))
    return norms


def el2n(logits: ArrayLike, labels: ArrayLike) -> Floats:
    """Return the EL2N score of each example: the mean over runs of ‖softmax(z) − one-hot(y)‖₂.

    Args:
        logits: Shape (n_runs, n_examples, n_classes), or (n_examples, n_classes) for one run.
        labels: Class numbers, shape (n_examples,).

    Returns:
        Shape (n_examples,), in [0, √2]. High means hard or mislabelled.

    Raises:
        SettingError: If shapes disagree, a label is no class number or a logit is not finite.

    Source:
        Paul et al. 2021, Def. 2.3; Fayyaz et al. 2022, Eq. 3.

    >>> el2n([[[0.0, 0.0], [0.0, 0.0]]], [0, 1]).round(4).tolist()  # p = (½, ½): √(¼ + ¼)
    [0.7071, 0.7071]
    """
    scores: Floats = error_norms(logits, labels).mean(axis=0)
    return scores


def lengths_of(delta: Floats, feature_norm: ArrayLike, bias: bool = True) -> Floats:
    """Return the length of the classifier's gradient per run and example, given that of the error vector.

    The gradient of the loss is δ hᵀ for the weights and δ for the bias, so its length is
    ‖δ‖·√(‖h‖² + 1), or ‖δ‖·‖h‖ without a bias.

    Args:
        delta: ‖δ‖ from `error_norms`, shape (n_runs, n_examples).
        feature_norm: ‖h‖₂ of the classifier's input, shape (n_runs, n_examples) or (n_examples,).
        bias: Whether the classifier has one.

    Returns:
        Shape (n_runs, n_examples), ≥ 0. High means hard.

    Raises:
        SettingError: If shapes disagree or a norm is no finite length.
    """
    h = np.asarray(feature_norm, dtype=np.float64)
    if h.ndim == 1:
        h = h[None]
    if h.shape != delta.shape:
        raise SettingError(
            f"feature_norm has the shape {np.shape(feature_norm)}. Give (n_runs, n_examples) = {delta.shape}."
        )
    is_length = np.isfinite(h) & (h >= 0)
    if not is_length.all():
        run, example = np.argwhere(~is_length)[0]
        raise SettingError(
            f"The feature norm of example {example} in run {run} is {h[run, example]:g}. "
            "Give finite lengths of at least 0."
        )
    lengths: Floats = delta * np.sqrt(h**2 + float(bias))
    return lengths


def grand(logits: ArrayLike, labels: ArrayLike, feature_norm: ArrayLike, bias: bool = True) -> Floats:
    """Return the GraNd score of each example: the mean over runs of the classifier's gradient length.

    Args:
        logits: As for `el2n`.
        labels: As for `el2n`.
        feature_norm: ‖h‖₂ of the classifier's input, shape (n_runs, n_examples) or (n_examples,).
        bias: Whether the classifier has one.

    Returns:
        Shape (n_examples,), ≥ 0. High means hard or mislabelled.

    Raises:
        SettingError: If shapes disagree, a label is no class number, a logit is not finite or a norm is no
            finite length.

    Source:
        Paul et al. 2021, Def. 2.2; Fayyaz et al. 2022, Eq. 1 (the classifier's weights).

    >>> grand([[[0.0, 0.0]]], [0], [[0.0]]).round(4).tolist()  # h = 0: only the bias has a gradient
    [0.7071]
    """
    scores: Floats = lengths_of(error_norms(logits, labels), feature_norm, bias).mean(axis=0)
    return scores
