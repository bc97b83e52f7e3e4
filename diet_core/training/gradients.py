"""Per-example gradient norms by backpropagation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn
from torch.nn.functional import cross_entropy

from diet_core.errors import SettingError
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
        SettingError: If the scope is not known or the labels do not fit the batch.
        ModelError: If the logits do not come out of a Linear.

    Source:
        Paul et al. 2021, Def. 2.2; Fayyaz et al. 2022, Eq. 1.
    """
    if scope != "classifier":
        raise SettingError(f"scope is {scope!r}. Only 'classifier' is available in this version.")
    device = next(model.parameters()).device
    batch = {name: torch.as_tensor(value).to(device) for name, value in inputs.items()}
    targets = torch.as_tensor(np.asarray(labels), dtype=torch.long, device=device)
    was_training = model.training
    model.eval()
    try:
        return _of_classifier(model, batch, targets)
    finally:
        model.train(was_training)


def _of_classifier(
    model: nn.Module, batch: dict[str, torch.Tensor], targets: torch.Tensor
) -> NDArray[np.float64]:
    """Return ‖δ‖·√(‖h‖² + 1), with δ from autograd of the summed loss."""
    classifier = classifier_of(model, batch)
    inputs: list[torch.Tensor] = []
    handle = classifier.register_forward_pre_hook(lambda _, args: inputs.append(args[0].detach()))
    try:
        with torch.no_grad():
            logits = model(**batch).logits.double().requires_grad_()
    finally:
        handle.remove()
    _check_labels(targets, logits)
    with torch.enable_grad():
        (delta,) = torch.autograd.grad(cross_entropy(logits, targets, reduction="sum"), logits)
    h = torch.linalg.vector_norm(inputs[-1].double(), dim=-1)
    norms = torch.linalg.vector_norm(delta, dim=-1) * torch.sqrt(h**2 + float(classifier.bias is not None))
    result: NDArray[np.float64] = norms.cpu().numpy()
    return result


def _check_labels(targets: torch.Tensor, logits: torch.Tensor) -> None:
    n_examples, n_classes = logits.shape
    if targets.shape != (n_examples,):
        raise SettingError(
            f"There are {n_examples} texts and labels of shape {tuple(targets.shape)}. Give one each."
        )
    wrong = torch.nonzero((targets < 0) | (targets >= n_classes)).flatten().tolist()
    if wrong:
        raise SettingError(
            f"The label of example {wrong[0]} is {int(targets[wrong[0]])}. "
            f"Give class numbers, whole numbers from 0 to {n_classes - 1}."
        )
