"""Finding and loading encoders, and what is said about those that cannot be used."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification, BertConfig, LongformerConfig, RobertaConfig

from diet_core.errors import ModelError
from diet_core.training.models import (
    _max_length,
    find_model,
    load_classifier,
    load_classifier_and_new,
    load_tokenizer,
)


def said_of(name: str) -> str:
    """The one message about a model that cannot be used."""
    with pytest.raises(ModelError) as caught:
        find_model(name)
    return str(caught.value)


@pytest.fixture
def own_model(tiny_model, tmp_path):
    """A copy of the tiny model's folder that a test may spoil."""
    folder = tmp_path / "own_model"
    folder.mkdir()
    for file in tiny_model.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def test_find_model_knows_the_embedded_one():
    source = find_model("minilm")
    assert (source.name, source.lr, source.max_length) == ("minilm", 2e-4, 512)
    assert source.is_local
    assert source.revision is None


def test_find_model_reads_a_folder(tiny_model):
    source = find_model(str(tiny_model))
    assert (source.location, source.lr, source.max_length) == (str(tiny_model), 2e-4, 128)
    assert source.is_local


def test_find_model_reads_a_relative_folder_and_stores_it_absolute(tiny_model, monkeypatch):
    monkeypatch.chdir(tiny_model.parent)
    assert find_model(tiny_model.name).location == str(tiny_model.resolve())


def test_wide_models_learn_at_the_papers_rate(own_model):
    config = BertConfig.from_pretrained(own_model)
    config.hidden_size = 768
    config.save_pretrained(own_model)
    assert find_model(str(own_model)).lr == 3e-5


@pytest.mark.parametrize(
    "name", ["no-such-model-anywhere", "nobody/no-such-model", "not a name!", "n" * 300, "a\0b"]
)
def test_an_unknown_name_is_told(name):
    said = said_of(name)
    assert f"There is no model {name!r}" in said or f"{name!r} is no folder" in said
    assert said.count(". ") == 1


@pytest.mark.parametrize(
    "name", ["/no/such/folder", "./no_such_folder", "~/no_such_folder", "~nobody-here/model", "a/b/c"]
)
def test_a_path_without_a_folder_is_told(name):
    said = said_of(name)
    assert f"{name!r} is no folder with a model" in said


def test_an_unknown_name_is_told_quickly_and_prints_nothing():
    """In a process of its own: transformers writes its warnings to standard error when first used."""
    code = (
        "from diet_core.errors import ModelError\n"
        "from diet_core.training.models import find_model\n"
        "try:\n    find_model('nobody/no-such-model')\n"
        "except ModelError as error:\n    print(error)\n"
    )
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert time.monotonic() - started < 60
    assert done.stdout.startswith("There is no model 'nobody/no-such-model'")
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
    assert done.returncode == 0


def test_a_file_is_no_model(tmp_path):
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"x")
    assert "is no folder with a model" in said_of(str(file))


def test_a_folder_without_a_model_is_told(tmp_path):
    said = said_of(str(tmp_path))
    assert f"The folder {str(tmp_path)!r} holds no model" in said
    assert "config.json" in said


def test_a_folder_with_a_broken_config_is_told(own_model):
    (own_model / "config.json").write_text("{not json", encoding="utf-8")
    assert "holds no model that transformers can load" in said_of(str(own_model))


def test_a_folder_without_a_tokenizer_is_told(own_model):
    for file in own_model.glob("*token*"):
        file.unlink()
    assert "knows no words, its files are missing" in said_of(str(own_model))


def test_a_folder_without_weights_is_told_when_loaded(own_model):
    source = find_model(str(own_model))
    (own_model / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"The weights of .* cannot be read"):
        load_classifier(source, 2, 0)


def test_a_folder_with_broken_weights_is_told_when_loaded(own_model):
    (own_model / "model.safetensors").write_bytes(b"these are no weights")
    with pytest.raises(ModelError, match=r"The weights of .* cannot be read"):
        load_classifier(find_model(str(own_model)), 2, 0)


def test_pickled_weights_that_run_code_are_refused(own_model, tmp_path):
    """A pickle could run anything: torch reads tensors from it, nothing else."""

    class Trap:
        def __reduce__(self):
            return (tmp_path.joinpath("trapped").touch, ())

    (own_model / "model.safetensors").unlink()
    torch.save({"embeddings.word_embeddings.weight": Trap()}, own_model / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"The weights of .* cannot be read"):
        load_classifier(find_model(str(own_model)), 2, 0)
    assert not (tmp_path / "trapped").exists()


def test_a_tokenizer_without_padding_is_told(own_model):
    tokenizer = load_tokenizer(find_model(str(own_model)))
    tokenizer.pad_token = None
    tokenizer.save_pretrained(own_model)
    assert "has no padding token. Choose a model like BERT or RoBERTa." in said_of(str(own_model))


def test_an_encoder_decoder_is_told(own_model):
    config = BertConfig.from_pretrained(own_model)
    config.is_encoder_decoder = True
    config.save_pretrained(own_model)
    assert "is no encoder (bert)" in said_of(str(own_model))


@pytest.mark.parametrize(
    ("config", "limit"),
    [
        (BertConfig(max_position_embeddings=512), 512),
        (RobertaConfig(max_position_embeddings=514), 512),
        (RobertaConfig(max_position_embeddings=514, pad_token_id=None), 513),
        (LongformerConfig(max_position_embeddings=4098, sep_token_id=2), 4096),
    ],
    ids=["bert", "roberta", "roberta without padding", "longformer"],
)
def test_max_length_is_what_the_positions_allow(config, limit, tiny_model):
    tokenizer = load_tokenizer(find_model(str(tiny_model)))
    assert tokenizer.model_max_length > 10**9
    assert _max_length(config, tokenizer) == limit


def test_max_length_of_the_tokenizer_counts_too(tiny_model):
    tokenizer = load_tokenizer(find_model(str(tiny_model)))
    tokenizer.model_max_length = 100
    assert _max_length(BertConfig(max_position_embeddings=512), tokenizer) == 100


def test_a_text_of_max_length_fits_roberta():
    """Its positions start behind the padding id: 40 of them hold 38 tokens."""
    config = RobertaConfig(
        vocab_size=60,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=40,
    )
    model = AutoModelForSequenceClassification.from_config(config).eval()
    assert model(input_ids=torch.full((1, 38), 7)).logits.shape == (1, 2)
    with pytest.raises((IndexError, RuntimeError), match="index"):
        model(input_ids=torch.full((1, 39), 7))


def test_the_seed_decides_the_classifiers_weights(tiny_model):
    source = find_model(str(tiny_model))
    first, again, other = (load_classifier(source, 3, seed).classifier.weight for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_seed_does_not_touch_the_encoder(tiny_model):
    source = find_model(str(tiny_model))
    encoders = [load_classifier(source, 3, seed).bert.encoder.state_dict() for seed in (1, 2)]
    assert all(torch.equal(encoders[0][name], encoders[1][name]) for name in encoders[0])


def test_the_seed_decides_what_is_drawn_afterwards(tiny_model):
    """Dropout follows from it."""
    source = find_model(str(tiny_model))
    draws = []
    for _ in range(2):
        torch.rand(7)
        load_classifier(source, 3, 5)
        draws.append(torch.rand(3))
    assert torch.equal(*draws)


@pytest.mark.parametrize("n_classes", [2, 3, 7])
def test_the_classifier_has_the_classes_of_the_data(tiny_model, n_classes):
    model = load_classifier(find_model(str(tiny_model)), n_classes, 0)
    assert model.classifier.out_features == model.config.num_labels == n_classes
    assert {p.dtype for p in model.parameters()} == {torch.float32}


def test_a_checkpoint_of_other_classes_loads_with_a_new_classifier(tiny_model, own_model):
    saved = load_classifier(find_model(str(tiny_model)), 5, 0)
    saved.save_pretrained(own_model)
    model = load_classifier(find_model(str(own_model)), 3, 1)
    assert model.classifier.weight.shape == (3, 16)
    assert torch.equal(model.bert.pooler.dense.weight, saved.bert.pooler.dense.weight)


def test_a_checkpoint_of_the_same_classes_keeps_its_classifier(tiny_model, own_model):
    saved = load_classifier(find_model(str(tiny_model)), 3, 0)
    saved.save_pretrained(own_model)
    assert torch.equal(
        load_classifier(find_model(str(own_model)), 3, 1).classifier.weight, saved.classifier.weight
    )


def test_new_are_the_parameters_that_the_checkpoint_lacks(tiny_model):
    model, new = load_classifier_and_new(find_model(str(tiny_model)), 3, 0)
    assert new == {"classifier.weight", "classifier.bias"}
    assert new <= dict(model.named_parameters()).keys()


def test_new_is_a_classifier_of_other_classes(tiny_model, own_model):
    load_classifier(find_model(str(tiny_model)), 5, 0).save_pretrained(own_model)
    source = find_model(str(own_model))
    assert load_classifier_and_new(source, 3, 0)[1] == {"classifier.weight", "classifier.bias"}
    assert load_classifier_and_new(source, 5, 0)[1] == frozenset()


def test_new_is_a_pooler_that_the_checkpoint_lacks(own_model):
    weights = load_file(own_model / "model.safetensors")
    kept = {name: value for name, value in weights.items() if "pooler" not in name}
    save_file(kept, own_model / "model.safetensors", metadata={"format": "pt"})
    new = load_classifier_and_new(find_model(str(own_model)), 3, 0)[1]
    pooler = {"bert.pooler.dense.weight", "bert.pooler.dense.bias"}
    assert new == {"classifier.weight", "classifier.bias", *pooler}


def test_load_classifier_and_new_loads_what_load_classifier_does(tiny_model):
    source = find_model(str(tiny_model))
    states = [
        load_classifier(source, 3, 7).state_dict(),
        load_classifier_and_new(source, 3, 7)[0].state_dict(),
    ]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_half_precision_weights_load_as_float32(tiny_model, own_model):
    load_classifier(find_model(str(tiny_model)), 3, 0).half().save_pretrained(own_model)
    model = load_classifier(find_model(str(own_model)), 3, 0)
    assert {p.dtype for p in model.parameters()} == {torch.float32}


def test_loading_prints_nothing(tiny_model, capfd):
    source = find_model(str(tiny_model))
    load_classifier(source, 3, 0)
    load_tokenizer(source)
    assert capfd.readouterr() == ("", "")
