"""Per-example gradient norms of a model and a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from diet_core.errors import SettingError
from diet_core.scoring.el2n import gradient_lengths
from diet_core.training.models import classifier_of


def gradient_norms(
    model: nn.Module, inputs: Mapping[str, Any], labels: ArrayLike, scope: str = "classifier"
) -> NDArray[np.float64]:
    """Return the length of each example's loss gradient, by the closed form of the last layer.

    Args:
        model: Any transformers sequence classifier; read in eval mode and left as it was.
        inputs: A batch as the model's tokenizer gives it, tensors of shape (n_examples, n_tokens).
        labels: Class numbers, shape (n_examples,).
        scope: Which parameters: `classifier`, the last Linear, the one that emits the logits.

    Returns:
        Shape (n_examples,), ≥ 0. High means hard.

    Raises:
        SettingError: If the scope is not known, or a label is missing or no class number.
        ModelError: If the logits do not come out of a Linear.

    Source:
        Paul et al. 2021, Def. 2.2; Fayyaz et al. 2022, Eq. 1.
    """
    if scope != "classifier":
        raise SettingError(f"scope is {scope!r}. Only 'classifier' is available in this version.")
    device = next(model.parameters()).device
    batch = {name: torch.as_tensor(value).to(device) for name, value in inputs.items()}
    was_training = model.training
    model.eval()
    try:
        return _of_classifier(model, batch, np.asarray(labels))
    finally:
        model.train(was_training)


def _of_classifier(
    model: nn.Module, batch: dict[str, torch.Tensor], labels: NDArray[Any]
) -> NDArray[np.float64]:
    """Return ‖δ‖·√(‖h‖² + 1), with h as the classifier's hook sees it."""
    classifier = classifier_of(model, batch)
    inputs: list[torch.Tensor] = []
    handle = classifier.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
    try:
        with torch.no_grad():
            logits = model(**batch).logits.double().cpu().numpy()
    finally:
        handle.remove()
    if labels.shape != (len(logits),):
        raise SettingError(
            f"There are {len(logits)} texts and labels of shape {labels.shape}. Give one each."
        )
    feature_norm = torch.linalg.vector_norm(inputs[-1].double(), dim=-1).cpu().numpy()
    has_bias = classifier.bias is not None
    norms: NDArray[np.float64] = gradient_lengths(logits, labels, feature_norm, has_bias)[0]
    return norms
