"""Each example's gradient from one backward pass over the batch, as squared lengths per parameter.

The loss of a batch is a sum over its examples, so row i of a layer's output gradient B is example i's
alone. With the layer's input A that is all that is needed: example i's gradient of a Linear's weight is
Σ_t B_t A_tᵀ. The weights' own gradients are never computed.

Source:
    Goodfellow 2015 (arXiv:1510.01799); Li et al. 2021 (arXiv:2110.05679), §4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, Node

from diet_core.training.gradients.layer_norms import FORMULAS, Use, kind_of

Batch = Mapping[str, Tensor]
SquaredNorms = dict[nn.Parameter, Tensor]
Seed = Callable[[Tensor], Tensor]


class CannotSplitError(Exception):
    """A gradient that does not fall apart into examples; the message says why, as part of a sentence."""


@dataclass(eq=False)
class _Call:
    """One call of a layer in a forward pass."""

    module: nn.Module
    inputs: Tensor
    shape: torch.Size  # of the output
    node: Node | None  # of the output, in the graph
    is_source: bool  # nothing before it is differentiated


def squared_norms_alone(
    model: nn.Module, example: Batch, parameters: Collection[nn.Parameter], seed: Seed
) -> tuple[Tensor, SquaredNorms]:
    """Return the logits of one example and its squared gradient lengths, by an ordinary backward pass.

    Args:
        model: A sequence classifier, in eval mode.
        example: A batch of one.
        parameters: Those that matter, the only ones of the model that require a gradient.
        seed: Maps the logits, shape (1, n_classes), to the loss's gradient by them.

    Returns:
        The logits and, per parameter that has a gradient, shape (1,).
    """
    logits = model(**example).logits
    if not logits.requires_grad:
        return logits, {}
    gradients = torch.autograd.grad(logits, list(parameters), seed(logits), allow_unused=True)
    pairs = zip(parameters, gradients, strict=True)
    return logits.detach(), {p: _squared_norm(g) for p, g in pairs if g is not None}


def squared_norms_of_batch(
    model: nn.Module, batch: Batch, n: int, parameters: Collection[nn.Parameter], seed: Seed
) -> tuple[Tensor, SquaredNorms]:
    """Return the logits of a batch and each example's squared gradient lengths, by one backward pass.

    Args:
        model: A sequence classifier, in eval mode.
        batch: As its tokenizer gives it.
        n: Examples in the batch.
        parameters: Those that matter, the only ones of the model that require a gradient.
        seed: Maps the logits, shape (n, n_classes), to the summed loss's gradient by them.

    Returns:
        The logits and, per parameter that has a gradient, shape (n,).

    Raises:
        CannotSplitError: If a parameter is used elsewhere than in a Linear, LayerNorm or Embedding, or in one
            whose rows are not the examples.
    """
    with _recorded(model, parameters, partial(_with_own_rows, n=n)) as calls:
        logits = model(**batch).logits
    if not logits.requires_grad:
        return logits, {}
    reached, n_uses = _graph(logits)
    calls = [call for call in calls if call.node in reached]
    names = {p: name for name, p in model.named_parameters()}
    _check_uses(calls, n_uses, {p: names[p] for p in parameters})
    _check_rows(calls, n, model)
    return logits.detach(), _backward(logits, calls, set(parameters), seed)


def logits_alone(model: nn.Module, example: Batch, parameters: Collection[nn.Parameter]) -> Tensor:
    """Return the logits of a batch of one, having checked that every layer has one row then.

    This finds what has as many rows as the batch has examples by coincidence.

    Args:
        model: A sequence classifier, in eval mode.
        example: A batch of one.
        parameters: Those that matter.

    Raises:
        CannotSplitError: If a layer's rows are something else than examples.
    """
    with (
        torch.no_grad(),
        _recorded(model, parameters, lambda module, inputs, output: (inputs, output)) as calls,
    ):
        logits: Tensor = model(**example).logits
    _check_rows(calls, 1, model)
    return logits


Change = Callable[[nn.Module, Tensor, Tensor], tuple[Tensor, Tensor]]


@contextmanager
def _recorded(
    model: nn.Module, parameters: Collection[nn.Parameter], change: Change
) -> Iterator[list[_Call]]:
    """Note the calls of all layers that hold one of `parameters`; `change` may change inputs and output."""
    calls: list[_Call] = []
    wanted = set(parameters)

    def record(module: nn.Module, args: Any, kwargs: dict[str, Any], output: Tensor) -> Tensor:
        inputs, output = change(module, next(iter((*args, *kwargs.values()))), output)
        calls.append(_Call(module, inputs.detach(), output.shape, output.grad_fn, not inputs.requires_grad))
        return output

    handles = [
        module.register_forward_hook(record, with_kwargs=True)
        for module in model.modules()
        if kind_of(module) and not wanted.isdisjoint(module.parameters(recurse=False))
    ]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def _with_own_rows(module: nn.Module, inputs: Tensor, output: Tensor, *, n: int) -> tuple[Tensor, Tensor]:
    """Give every example its own row of what is looked up once for all of them."""
    if isinstance(module, nn.Embedding) and inputs.ndim == 2 and len(inputs) == 1:
        # Positions: their gradient would be the sum over the examples (the norms 2 to 10 % off).
        return inputs.expand(n, -1), output.expand(n, -1, -1)
    return inputs, output


def _graph(logits: Tensor) -> tuple[set[Node], Counter[Tensor]]:
    """Return the nodes that the logits follow from, and how often each parameter enters them."""
    assert logits.grad_fn is not None
    reached: set[Node] = set()
    n_uses: Counter[Tensor] = Counter()
    waiting = [logits.grad_fn]
    while waiting:
        node = waiting.pop()
        if node in reached:
            continue
        reached.add(node)
        for before, _ in node.next_functions:
            if before is None:
                continue
            if hasattr(before, "variable"):
                n_uses[before.variable] += 1
            else:
                waiting.append(before)
    return reached, n_uses


def _check_uses(calls: list[_Call], n_uses: Counter[Tensor], names: dict[nn.Parameter, str]) -> None:
    """Check that a parameter enters the logits through the recorded calls alone, all of one kind."""
    n_calls: Counter[Tensor] = Counter()
    kinds: dict[Tensor, set[object]] = {}
    for call in calls:
        for name, parameter in call.module.named_parameters(recurse=False):
            n_calls[parameter] += 1
            kinds.setdefault(parameter, set()).add((kind_of(call.module), name))
    for parameter, name in names.items():
        if n_calls[parameter] != n_uses[parameter] or len(kinds.get(parameter, ())) > 1:
            raise CannotSplitError(
                f"uses {name} otherwise than as a Linear, LayerNorm or Embedding layer does"
            )


def _check_rows(calls: list[_Call], n: int, model: nn.Module) -> None:
    for call in calls:
        if not len(call.inputs) == call.shape[0] == n:
            name = next(name for name, module in model.named_modules() if module is call.module)
            raise CannotSplitError(f"shares what goes through {name} between the examples of a batch")


def _backward(logits: Tensor, calls: list[_Call], parameters: set[nn.Parameter], seed: Seed) -> SquaredNorms:
    """Return the squared_norms, each parameter's as soon as the gradients of all its uses are there."""
    squared_norms: SquaredNorms = {}
    uses: dict[nn.Parameter, list[Use]] = {}
    n_missing = Counter(p for call in calls for p in call.module.parameters(recurse=False))

    def note(call: _Call, gradients: Sequence[Tensor | None]) -> None:
        kind = kind_of(call.module)
        for name, parameter in call.module.named_parameters(recurse=False):
            if kind is None or parameter not in parameters:
                continue
            n_missing[parameter] -= 1
            if gradients[0] is not None:
                uses.setdefault(parameter, []).append(_use(call, gradients[0]))
            if not n_missing[parameter] and parameter in uses:
                squared_norms[parameter] = FORMULAS[kind, name](uses.pop(parameter))
        call.inputs = call.inputs[:0]  # its memory is wanted by what comes next

    handles = [
        call.node.register_prehook(partial(note, call))
        for call in calls
        if call.node is not None and not call.is_source
    ]
    sources = [call for call in calls if call.is_source]
    edges = [GradientEdge(call.node, 0) for call in sources if call.node is not None]
    try:
        gradients = torch.autograd.grad(logits, edges, seed(logits))
        for call, gradient in zip(sources, gradients, strict=True):
            note(call, (gradient,))
    finally:
        # A node holds its hook, which holds the call, which holds the node: hundreds of megabytes would
        # wait for the garbage collector.
        for handle in handles:
            handle.remove()
        for call in calls:
            call.node = None
    if any(n_missing[p] for p in parameters):
        raise CannotSplitError("changes the outputs of its layers in place")
    return squared_norms


def _use(call: _Call, gradient: Tensor) -> Use:
    """Return a call's input and gradient, at least in float32."""
    precision = torch.promote_types(gradient.dtype, torch.float32)
    is_float = call.inputs.is_floating_point()
    inputs = call.inputs.to(precision) if is_float else call.inputs
    return Use(call.module, inputs, gradient.to(precision))


def _squared_norm(gradient: Tensor) -> Tensor:
    """Return the squared length, shape (1,); by rows, because float32 sums of millions lose digits."""
    precision = torch.promote_types(gradient.dtype, torch.float32)
    rows = gradient.to_dense().reshape(gradient.shape or (1,))
    lengths: Tensor = torch.linalg.vector_norm(rows, dim=-1, dtype=precision)
    return lengths.square_().sum().reshape(1)
