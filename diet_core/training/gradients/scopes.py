"""Which parameters a GraNd scope means, by group."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from torch import Tensor, nn

from diet_core.errors import SettingError
from diet_core.tables import GRAND_SCOPES
from diet_core.training.models import classifier_of

Groups = dict[str, list[nn.Parameter]]


def parameters_of(
    model: nn.Module, scope: str, new_parameters: Collection[str] | None, example: Mapping[str, Tensor]
) -> Groups:
    """Return the trainable parameters of a scope by group: embeddings, encoder, head.

    The head is everything outside of the model's encoder and the encoder's pooler; a group without
    parameters in the scope is left out. A parameter that several layers share comes once.

    Args:
        model: A transformers sequence classifier, in eval mode.
        scope: `classifier`, the layer that emits the logits; `new`, the newly initialised ones; `head`;
            `full`.
        new_parameters: Names of the newly initialised parameters, for `new`.
        example: Any batch, for `classifier`.

    Raises:
        SettingError: If the scope is not known or holds no trainable parameter, or the new ones are not given
            or not the model's.
        ModelError: If the logits do not come out of a Linear, for `classifier`.
    """
    if scope not in GRAND_SCOPES:
        raise SettingError(f"scope is {scope!r}. Choose one of: {', '.join(GRAND_SCOPES)}.")
    groups = _groups(model)
    if scope == "classifier":
        groups = _within(groups, classifier_of(model, dict(example)).parameters())
    elif scope == "new":
        groups = _within(groups, _named(model, new_parameters))
    elif scope == "head":
        groups = {"head": groups.get("head", [])}
    groups = {name: [p for p in group if p.requires_grad] for name, group in groups.items()}
    if not any(groups.values()):
        raise SettingError(
            f"No trainable parameter of {type(model).__name__} is in the scope {scope!r}. "
            "Choose another scope, or let some of them require a gradient."
        )
    return {name: group for name, group in groups.items() if group}


def _groups(model: nn.Module) -> Groups:
    """Return every parameter once, in the model's order within each group."""
    base = getattr(model, "base_model", model)
    inside = _ids([base])
    pooler = _ids(child for name, child in base.named_children() if name == "pooler")
    # ELECTRA's embeddings_project embeds nothing: a layer of the encoder, as its like is in ALBERT.
    embedded = _ids(child for name, child in base.named_children() if "embed" in name and _embeds(child))
    groups: Groups = {"embeddings": [], "encoder": [], "head": []}
    for parameter in model.parameters():
        key = id(parameter)
        if key in embedded:
            groups["embeddings"].append(parameter)
        elif key in pooler or key not in inside:
            groups["head"].append(parameter)
        else:
            groups["encoder"].append(parameter)
    return groups


def _ids(modules: Iterable[nn.Module]) -> set[int]:
    return {id(parameter) for module in modules for parameter in module.parameters()}


def _embeds(module: nn.Module) -> bool:
    return any(isinstance(part, nn.Embedding) for part in module.modules())


def _within(groups: Groups, parameters: Iterable[nn.Parameter]) -> Groups:
    wanted = {id(parameter) for parameter in parameters}
    return {name: [p for p in group if id(p) in wanted] for name, group in groups.items()}


def _named(model: nn.Module, names: Collection[str] | None) -> list[nn.Parameter]:
    """Return the parameters of those names."""
    if names is None:
        raise SettingError(
            "The scope 'new' needs new_parameters, the names of the newly initialised parameters. Give the "
            "missing_keys that from_pretrained(..., output_loading_info=True) returns."
        )
    known = dict(model.named_parameters(remove_duplicate=False))
    if unknown := sorted(set(names) - set(known)):
        raise SettingError(
            f"new_parameters names {unknown[0]!r}, which is no parameter of {type(model).__name__}. "
            "Give names as model.named_parameters() has them."
        )
    return [known[name] for name in names]
