"""Two-layer encoders of random weights with three classes, one configuration of each kind."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import (
    AlbertConfig,
    AutoModelForSequenceClassification,
    BertConfig,
    DebertaV2Config,
    DistilBertConfig,
    ElectraConfig,
    ModernBertConfig,
    MPNetConfig,
    RobertaConfig,
)

from diet_core.training.batches import Encoded

# Weights wide enough that examples differ: with the usual 0.02 all logits are nearly 0.
SIZES: dict[str, Any] = {
    "vocab_size": 60,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 40,
    "num_labels": 3,
    "initializer_range": 0.2,
}
ENDS: dict[str, Any] = {"bos_token_id": 2, "eos_token_id": 3}
MODERN: dict[str, Any] = {**SIZES, **ENDS, "pad_token_id": 0, "cls_token_id": 2, "sep_token_id": 3}

CONFIGS: dict[str, Callable[[], Any]] = {
    "bert": lambda: BertConfig(**SIZES),
    "bert without sdpa": lambda: BertConfig(**SIZES, attn_implementation="eager"),
    "roberta": lambda: RobertaConfig(**SIZES, **ENDS),
    "roberta of two types": lambda: RobertaConfig(**SIZES, **ENDS, type_vocab_size=2),
    "distilbert": lambda: DistilBertConfig(
        vocab_size=60,
        dim=16,
        hidden_dim=32,
        n_layers=2,
        n_heads=2,
        max_position_embeddings=40,
        num_labels=3,
        initializer_range=0.2,
    ),
    "electra": lambda: ElectraConfig(**SIZES, embedding_size=8),
    "albert": lambda: AlbertConfig(**SIZES, **ENDS, embedding_size=8),
    "albert of two groups": lambda: AlbertConfig(
        **{**SIZES, "num_hidden_layers": 4}, **ENDS, embedding_size=8, num_hidden_groups=2
    ),
    "modernbert": lambda: ModernBertConfig(**MODERN, local_attention=8),
    "modernbert with means": lambda: ModernBertConfig(
        **MODERN, classifier_pooling="mean", norm_bias=True, mlp_bias=True, classifier_bias=True
    ),
    "deberta-v2": lambda: DebertaV2Config(
        **SIZES,
        relative_attention=True,
        pos_att_type=["p2c", "c2p"],
        position_buckets=8,
        max_relative_positions=-1,
        position_biased_input=False,
        share_att_key=True,
        norm_rel_ebd="layer_norm",
    ),
    "deberta-v2 with own keys": lambda: DebertaV2Config(
        **SIZES, relative_attention=True, pos_att_type=["p2c", "c2p"], max_relative_positions=16
    ),
    "mpnet": lambda: MPNetConfig(**SIZES, **ENDS),
}


def fresh_model(kind: str) -> nn.Module:
    """Return a model in eval mode that may be changed."""
    torch.manual_seed(0)
    return AutoModelForSequenceClassification.from_config(CONFIGS[kind]()).eval()


@functools.cache
def model_of(kind: str) -> nn.Module:
    """Return a model in eval mode that all tests share."""
    return fresh_model(kind)


def encoded_of(model: nn.Module, n: int = 23, seed: int = 0) -> Encoded:
    """Return random tokens of 3 to 19 per example."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, 20, n)
    ids = [np.array([2, *rng.integers(5, 60, length - 2), 3]) for length in lengths]
    columns = {"input_ids": ids, "attention_mask": [np.ones_like(i) for i in ids]}
    return Encoded(columns, lengths, {"input_ids": model.config.pad_token_id, "attention_mask": 0})
