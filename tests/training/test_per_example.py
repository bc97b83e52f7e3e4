"""One backward pass per batch against one per example, on every family of encoders."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from diet_core.training.gradients.layer_norms import kind_of, squared_product_norms, squared_token_norms
from diet_core.training.gradients.norms import GradientReadout, gradient_norms, gradient_norms_by_group
from tests.training.tiny_encoders import fresh_model, model_of

SPLIT = (
    "bert",
    "bert without sdpa",
    "roberta of two types",
    "distilbert",
    "electra",
    "albert",
    "albert of two groups",
    "modernbert",
    "modernbert with means",
)
LOOP = ("deberta-v2", "deberta-v2 with own keys", "mpnet")
WITH_TOKEN_TYPES = ("bert", "roberta of two types", "electra", "albert")
LENGTHS = [12, 3, 7, 12, 5, 9, 4]
LABELS = [0, 1, 2, 2, 0, 1, 1]


@pytest.fixture
def bert() -> nn.Module:
    """Free to be changed."""
    return fresh_model("bert")


def batch_of(model: nn.Module, lengths: list[int] | None = None) -> dict[str, torch.Tensor]:
    """Random tokens, few enough to recur within a text; the shorter texts are padded."""
    rng = np.random.default_rng(0)
    lengths = lengths or LENGTHS
    mask = np.arange(max(lengths)) < np.array(lengths)[:, None]
    ids = np.where(mask, rng.integers(5, 12, mask.shape), model.config.pad_token_id)
    return {"input_ids": torch.tensor(ids), "attention_mask": torch.tensor(mask).long()}


def loop_norms(
    model: nn.Module, batch: dict[str, torch.Tensor], labels: list[int], names: list[str] | None = None
) -> list[float]:
    """One ordinary backward pass per example: plain and slow."""
    parameters = [p for name, p in model.named_parameters() if names is None or name in names]
    norms = []
    for i, label in enumerate(labels):
        example = {k: v[i : i + 1] if len(v) == len(labels) else v for k, v in batch.items()}
        loss = cross_entropy(model(**example).logits, torch.tensor([label]))
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        norms.append(math.sqrt(sum(float((g.double() ** 2).sum()) for g in gradients if g is not None)))
    return norms


def check_equals_loop(
    model: nn.Module, batch: dict[str, torch.Tensor], labels: list[int] = LABELS
) -> GradientReadout:
    out = gradient_norms_by_group(model, batch, labels)
    np.testing.assert_allclose(out.norms["grad_norm"], loop_norms(model, batch, labels), rtol=1e-5)
    return out


@pytest.mark.parametrize("kind", SPLIT)
def test_full_norms_equal_the_loop_without_looping(kind):
    model = model_of(kind)
    assert check_equals_loop(model, batch_of(model)).loop_reason is None


@pytest.mark.parametrize("kind", SPLIT)
def test_full_norms_without_an_attention_mask_equal_the_loop(kind):
    model = model_of(kind)
    batch = {"input_ids": batch_of(model, [8] * 4)["input_ids"]}
    assert check_equals_loop(model, batch, [0, 1, 2, 0]).loop_reason is None


@pytest.mark.parametrize("kind", WITH_TOKEN_TYPES)
def test_full_norms_with_token_types_equal_the_loop(kind):
    model = model_of(kind)
    batch = batch_of(model)
    batch["token_type_ids"] = (torch.arange(12) > 4).long() * batch["attention_mask"]
    assert check_equals_loop(model, batch).loop_reason is None


@pytest.mark.parametrize("rows", [1, 7], ids=["one row for all", "a row each"])
@pytest.mark.parametrize("kind", ["bert", "distilbert", "electra", "albert"])
def test_full_norms_with_positions_of_ones_own_equal_the_loop(kind, rows):
    model = model_of(kind)
    batch = batch_of(model) | {"position_ids": torch.arange(20, 32).expand(rows, 12)}
    assert check_equals_loop(model, batch).loop_reason is None


@pytest.mark.parametrize("kind", SPLIT)
@pytest.mark.parametrize("n", [2, 12], ids=["two texts", "as many texts as tokens"])
def test_full_norms_of_any_number_of_texts_equal_the_loop(kind, n):
    model = model_of(kind)
    batch = batch_of(model, [12, *[6] * (n - 1)])
    assert check_equals_loop(model, batch, [i % 3 for i in range(n)]).loop_reason is None


@pytest.mark.parametrize("kind", SPLIT + LOOP)
def test_full_norm_of_a_single_text_is_no_loop(kind):
    model = model_of(kind)
    assert check_equals_loop(model, batch_of(model, [6]), [1]).loop_reason is None


@pytest.mark.parametrize("kind", LOOP)
@pytest.mark.parametrize("n", [2, 7, 12, 16, 32])
def test_what_the_texts_share_makes_a_loop_and_says_so(kind, n):
    """Also where the shared tensor has as many rows as there are texts: 12 tokens, 16 or 32 positions."""
    model = model_of(kind)
    out = check_equals_loop(model, batch_of(model, [12, *[6] * (n - 1)]), [i % 3 for i in range(n)])
    assert type(model).__name__ in out.loop_reason
    assert "rel" in out.loop_reason
    assert out.loop_reason.endswith("so each example took a backward pass of its own.")
    assert out.loop_reason.count(". ") == 0


@pytest.mark.parametrize("kind", LOOP)
@pytest.mark.parametrize("scope", ["head", "classifier"])
def test_a_head_is_split_also_where_the_encoder_cannot_be(kind, scope):
    model = model_of(kind)
    batch = batch_of(model)
    out = gradient_norms_by_group(model, batch, LABELS, scope=scope)
    assert out.loop_reason is None
    outside = f"{model.base_model_prefix}."
    names = [n for n, _ in model.named_parameters() if not n.startswith(outside)]
    if scope == "classifier":
        names = [n for n in names if n.startswith(("classifier.weight", "classifier.bias", "classifier.out"))]
    np.testing.assert_allclose(out.norms["grad_norm"], loop_norms(model, batch, LABELS, names), rtol=1e-5)


@pytest.mark.parametrize("kind", SPLIT)
def test_groups_equal_the_loop_and_add_up(kind):
    model = model_of(kind)
    batch = batch_of(model)
    norms = gradient_norms_by_group(model, batch, LABELS).norms
    base = f"{model.base_model_prefix}."
    names = [n for n, _ in model.named_parameters()]
    head = [n for n in names if not n.startswith(base) or n.startswith(base + "pooler")]
    embeddings = [n for n in names if n.startswith(base + "embeddings.")]
    encoder = [n for n in names if n not in {*head, *embeddings}]
    for group, of_group in (("head", head), ("embeddings", embeddings), ("encoder", encoder)):
        expected = loop_norms(model, batch, LABELS, of_group)
        np.testing.assert_allclose(norms[f"grad_norm_{group}"], expected, rtol=1e-5, err_msg=group)
    squared_norms = sum(norms[f"grad_norm_{group}"] ** 2 for group in ("head", "embeddings", "encoder"))
    np.testing.assert_allclose(norms["grad_norm"] ** 2, squared_norms, rtol=1e-12)


def test_weights_shared_by_two_layers_are_summed_first(bert):
    first, second = bert.bert.encoder.layer
    second.attention.self.query.weight = first.attention.self.query.weight
    second.output.LayerNorm.weight = first.output.LayerNorm.weight
    bert.bert.embeddings.token_type_embeddings.weight = bert.bert.embeddings.position_embeddings.weight
    assert check_equals_loop(bert, batch_of(bert)).loop_reason is None


def test_weights_shared_by_layers_of_two_kinds_make_a_loop(bert):
    bert.bert.pooler.dense.weight = nn.Parameter(
        bert.bert.embeddings.token_type_embeddings.weight.new_ones(16, 16)
    )
    bert.bert.embeddings.token_type_embeddings.weight = bert.bert.pooler.dense.weight
    assert "token_type_embeddings.weight" in check_equals_loop(bert, batch_of(bert)).loop_reason


def test_padding_has_no_gradient_even_where_it_is_read(bert):
    """Without a mask its embedding matters to the logits, and still does not learn."""
    batch = {"input_ids": batch_of(bert)["input_ids"]}
    assert bert.bert.embeddings.word_embeddings.padding_idx == 0
    padded = check_equals_loop(bert, batch).norms["grad_norm_embeddings"]
    bert.bert.embeddings.word_embeddings.padding_idx = None
    learning = check_equals_loop(bert, batch).norms["grad_norm_embeddings"]
    assert (learning[[1, 2]] > padded[[1, 2]] * 1.001).all()


def test_frozen_parameters_do_not_count(bert):
    bert.bert.embeddings.requires_grad_(False)
    bert.bert.encoder.layer[0].requires_grad_(False)
    bert.classifier.bias.requires_grad_(False)
    batch = batch_of(bert)
    out = gradient_norms_by_group(bert, batch, LABELS)
    assert list(out.norms) == ["grad_norm", "grad_norm_encoder", "grad_norm_head"]
    assert out.loop_reason is None
    names = [n for n, p in bert.named_parameters() if p.requires_grad]
    np.testing.assert_allclose(out.norms["grad_norm"], loop_norms(bert, batch, LABELS, names), rtol=1e-5)


def test_a_layer_without_effect_on_the_logits_has_no_gradient(bert):
    bert.unused = nn.Linear(4, 4)
    assert check_equals_loop(bert, batch_of(bert)).loop_reason is None


class Scaled(nn.Module):
    """A linear layer times a parameter of its own."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.layer = layer
        self.scale = nn.Parameter(torch.tensor(1.5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) * self.scale


class Doubled(nn.Linear):
    """A Linear that computes something else."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * super().forward(x)


class Mixed(nn.Module):
    """Lets a text see the others of its batch."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x + x.mean(dim=0, keepdim=True))


class Changed(nn.Module):
    """Adds to a layer's output in place."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.layer(x)
        out += x
        return out


@pytest.mark.parametrize("kind", [Scaled, Doubled])
def test_parameters_of_unknown_layers_make_a_loop(bert, kind):
    dense = bert.bert.pooler.dense
    bert.bert.pooler.dense = Scaled(dense) if kind is Scaled else Doubled(16, 16)
    name = "pooler.dense.scale" if kind is Scaled else "pooler.dense.weight"
    assert f"uses bert.{name} otherwise" in check_equals_loop(bert, batch_of(bert)).loop_reason


def test_a_weight_used_past_its_layer_makes_a_loop(bert):
    weight = bert.bert.pooler.dense.weight
    bert.classifier.register_forward_pre_hook(lambda _, args: (args[0] @ weight,))
    assert "uses bert.pooler.dense.weight otherwise" in check_equals_loop(bert, batch_of(bert)).loop_reason


def test_a_layer_that_sees_the_whole_batch_makes_a_loop(bert):
    bert.bert.pooler.dense = Mixed(bert.bert.pooler.dense)
    assert "other logits within a batch than alone" in check_equals_loop(bert, batch_of(bert)).loop_reason


def test_outputs_that_are_changed_in_place_equal_the_loop(bert):
    bert.bert.pooler.dense = Changed(bert.bert.pooler.dense)
    bert.bert.embeddings.LayerNorm = Changed(bert.bert.embeddings.LayerNorm)
    assert check_equals_loop(bert, batch_of(bert)).loop_reason is None


def test_gradient_of_a_frequency_scaled_embedding_makes_a_loop(bert):
    bert.bert.embeddings.word_embeddings.scale_grad_by_freq = True
    assert "word_embeddings.weight" in check_equals_loop(bert, batch_of(bert)).loop_reason


def test_norms_of_a_double_precision_model_are_in_double_precision(bert):
    bert.double()
    batch = batch_of(bert)
    out = gradient_norms(bert, batch, LABELS)
    np.testing.assert_allclose(out, loop_norms(bert, batch, LABELS), rtol=1e-12)


def test_a_model_in_bf16_is_split(bert):
    exact = gradient_norms(bert, batch_of(bert), LABELS)
    out = gradient_norms_by_group(bert.bfloat16(), batch_of(bert), LABELS)
    assert out.loop_reason is None
    np.testing.assert_allclose(out.norms["grad_norm"], exact, rtol=0.2)


@pytest.mark.parametrize("factor", [10.0, 40.0, 120.0])
def test_easy_examples_keep_their_digits(bert, factor):
    """p(label) up to 1 − 10⁻⁴⁰; the loop's float32 would lose 1 − p(label), so it runs in float64."""
    batch = batch_of(bert)
    with torch.no_grad():
        bert.classifier.weight.mul_(factor)
        labels = bert(**batch).logits.argmax(dim=-1).tolist()
    norms = gradient_norms(bert, batch, labels)
    exact = gradient_norms(bert.double(), batch, labels)
    assert exact.min() < {10.0: 1e-1, 40.0: 1e-6, 120.0: 1e-20}[factor]
    np.testing.assert_allclose(norms, exact, rtol=1e-3)  # logits of 100 are known to 1e-5 in float32


@pytest.mark.parametrize(("n_tokens", "n_in", "n_out"), [(1, 5, 3), (4, 20, 30), (50, 5, 3), (7, 6, 8)])
def test_squared_product_norms_equal_the_gradient_matrix(n_tokens, n_in, n_out):
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(3, n_tokens, n_in, generator=generator)
    b = torch.randn(3, n_tokens, n_out, generator=generator)
    expected = [float(((b[i].T @ a[i]).double() ** 2).sum()) for i in range(3)]
    np.testing.assert_allclose(squared_product_norms(a, b), expected, rtol=1e-5)


def test_squared_product_norms_are_taken_in_parts_where_they_would_fill_the_memory(monkeypatch):
    monkeypatch.setattr("diet_core.training.gradients.layer_norms.DIRECT_NUMBERS", 30)
    a, b = torch.ones(5, 9, 4), torch.ones(5, 9, 3)
    assert squared_product_norms(a, b).tolist() == [81.0 * 12] * 5


def test_squared_token_norms_equal_the_embeddings_gradient():
    generator = torch.Generator().manual_seed(0)
    ids, b = torch.randint(0, 4, (3, 9), generator=generator), torch.randn(3, 9, 5, generator=generator)
    expected = [float((torch.zeros(4, 5).index_add_(0, ids[i], b[i]) ** 2).sum()) for i in range(3)]
    np.testing.assert_allclose(squared_token_norms(ids, b), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        (nn.Linear(2, 2), nn.Linear),
        (nn.LayerNorm(4), nn.LayerNorm),
        (nn.Embedding(4, 2), nn.Embedding),
        (nn.LayerNorm((3, 4)), None),
        (nn.Embedding(4, 2, scale_grad_by_freq=True), None),
        (Doubled(2, 2), None),
        (nn.Conv1d(2, 2, 1), None),
    ],
)
def test_kind_of_knows_layers_by_what_they_compute(layer, kind):
    assert kind_of(layer) is kind
