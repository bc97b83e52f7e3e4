"""A small labelled data set, a store, and a run of synthetic scores in it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from filelock import FileLock

from diet_core.cli import main as entry
from diet_core.config import TrainingConfig, Workspace
from diet_core.dataset import Dataset, DatasetInfo, Roles
from diet_core.runs.folder import RunFolder
from diet_core.store.loading.datasets import add_dataset
from diet_core.store.loading.runs import RunRecord, ingest_run
from diet_core.store.store import Store, open_store
from tests.runs.made_configs import made_config

# The tests' models are too small for two threads; on a busy machine these wait for each other all the time.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A suite that is started in the background inherits that Ctrl-C is ignored; tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)

CLASSES = ("negative", "positive")
RUN_ID = "reviews-20261121-142530-1a2b"
# The hardest example of the run: all of it is data, none of it markup.
TRICKY = "<b>not bold</b> **nor this** $x$ :red[nor red] it's 100 % fine"


@pytest.fixture
def workspace(tmp_path, monkeypatch) -> Workspace:
    """An empty workspace, also the default one."""
    folder = tmp_path / "workspace"
    monkeypatch.setenv("DIET_WORKSPACE", str(folder))
    return Workspace(folder)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory) -> Path:
    """A database file with all tables and no rows: to copy it takes half the time of making one."""
    with open_store(Workspace(tmp_path_factory.mktemp("empty"))) as opened:
        return opened.workspace.database


@pytest.fixture
def store(workspace, empty_database) -> Iterator[Store]:
    workspace.root.mkdir(parents=True, exist_ok=True)
    if not workspace.database.exists():
        shutil.copy(empty_database, workspace.database)
    with open_store(workspace) as opened:
        yield opened


@pytest.fixture
def reviews() -> Dataset:
    """240 reviews, every tenth of them in the test split; review 1 has a text full of markup."""
    n = 240
    label = [CLASSES[i % 2] for i in range(n)]
    examples = pd.DataFrame(
        {
            "example_id": [f"r{i}" for i in range(n)],
            "source_row": np.arange(n, dtype=np.int64),
            "text": [TRICKY if i == 1 else f"review {i} says {label[i][:3]}" for i in range(n)],
            "text_pair": pd.Series([None] * n, dtype="str"),
            "label": label,
            "split": ["test" if i % 10 == 0 else "train" for i in range(n)],
        }
    )
    source = pa.table(
        {"text": examples["text"].tolist(), "label": [i % 2 for i in range(n)]},
        metadata={b"origin": b"reviews.csv"},
    )
    info = DatasetInfo(
        name="reviews",
        source="reviews.csv",
        source_format="csv",
        sha256="0" * 64,
        roles=Roles(text="text", label="label"),
        classes=CLASSES,
        label_values={"negative": 0, "positive": 1},
    )
    return Dataset(info=info, examples=examples, source=source)


@pytest.fixture
def synthetic_scores(reviews) -> pd.DataFrame:
    """Scores of the training examples in two decimals, so that many are tied; review 1 is the hardest."""
    rng = np.random.default_rng(7)
    train = reviews.examples.query("split == 'train'")
    el2n = rng.beta(1, 3, len(train)).round(2)
    el2n[0] = 1.4
    wrong = el2n > 0.5
    other = np.where(train["label"] == CLASSES[0], CLASSES[1], CLASSES[0])
    return pd.DataFrame(
        {
            "example_id": train["example_id"].to_numpy(),
            "label": train["label"].to_numpy(),
            "predicted_label": np.where(wrong, other, train["label"]),
            "suggested_label": other,
            "suggested_probability": el2n / 1.5,
            "el2n": el2n,
            "el2n_std": el2n / 10,
            "grand": el2n * 8,
            "loss": -np.log(1 - el2n / 1.5),
            "confidence": 1 - el2n / 1.5,
            "correctness": 1.0 - wrong,
            "never_learned": wrong,
            "aum": 3 - 4 * el2n,
            "self_confidence": 1 - el2n / 1.5,
            "label_error": el2n / 1.5,
        }
    )


@pytest.fixture
def fresh_caches():
    """Pages that begin and end without what others cached."""
    import streamlit as st

    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.fixture
def returning_visitor(fresh_caches, monkeypatch):
    """Clicks count: to AppTest each run is a server's first visit, whose rerun would lose them."""
    monkeypatch.setattr("pages.shared.workspace._leave_auto_discovery", lambda: None)


@pytest.fixture
def scored(store, reviews, synthetic_scores) -> RunRecord:
    """A finished scoring run of the reviews, in the store."""
    info = add_dataset(store, reviews)
    run = RunRecord(
        run_id=RUN_ID,
        dataset=info,
        kind="score",
        config=made_config(info, seeds=2),
        state="done",
        created_at=datetime(2026, 11, 21, 14, 25, 30, tzinfo=UTC),
        finished_at=datetime(2026, 11, 21, 14, 31, 2, tzinfo=UTC),
    )
    n = len(synthetic_scores)
    seed_scores = pd.DataFrame(
        {
            "seed": np.repeat([0, 1], n),
            "step": 7,
            "example_id": np.tile(synthetic_scores["example_id"].to_numpy(), 2),
            "el2n": np.tile(synthetic_scores["el2n"].to_numpy(), 2),
            "grand": np.tile(synthetic_scores["grand"].to_numpy(), 2),
        }
    )
    metrics = pd.DataFrame(
        {
            "seed": [0, 1],
            "epoch": 1,
            "accuracy": [0.8, 0.9],
            "loss": [0.5, 0.4],
            "n_train": n,
            "per_class_recall": [{"negative": 0.7, "positive": 0.9}, {"negative": 0.8, "positive": 1.0}],
        }
    )
    ingest_run(store, run, synthetic_scores, seed_scores, metrics)
    return run


WORDS = [
    "the",
    "a",
    "film",
    "book",
    "plot",
    "was",
    "is",
    "not",
    "very",
    "good",
    "great",
    "fine",
    "bad",
    "awful",
    "dull",
    "i",
    "it",
    "loved",
    "hated",
    "hello",
]


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory) -> Path:
    """A folder with a two-layer BERT of random weights, 16 wide, and a tokenizer of twenty words."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny_model")
    vocab = {word: i for i, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    tokens = Tokenizer(models.WordLevel(vocab, unk_token="[UNK]"))
    tokens.pre_tokenizer = pre_tokenizers.Whitespace()
    tokens.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokens, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocab),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=128,
        num_labels=2,
    )
    BertForSequenceClassification(config).bert.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def sentences() -> pd.DataFrame:
    """120 short sentences of three classes with some labels wrong, columns text and label."""
    rng = np.random.default_rng(3)
    kinds = [("neg", "bad awful dull hated"), ("neu", "is fine book it"), ("pos", "good great loved fine")]
    rows = []
    for i in range(120):
        label, words = kinds[i % 3]
        length = int(rng.integers(3, 12))
        text = " ".join(rng.choice(words.split() + WORDS, size=length)) + f" x{i}"
        rows.append({"text": text, "label": "pos" if i % 17 == 0 else label})
    return pd.DataFrame(rows)


@pytest.fixture
def sentences_csv(tmp_path, sentences) -> Path:
    """The sentences as a CSV file."""
    file = tmp_path / "sentences.csv"
    sentences.to_csv(file, index=False)
    return file


@pytest.fixture(scope="session")
def sentence_data(tmp_path_factory, sentences) -> Dataset:
    """The sentences as a data set in memory, about a tenth of them held out."""
    from diet_core.data.load import load_dataset

    file = tmp_path_factory.mktemp("sentence_data") / "sentences.csv"
    sentences.to_csv(file, index=False)
    return load_dataset("sentences", file, Roles(text="text", label="label"))


def _do_work(folder: RunFolder) -> int:
    """Do a run's work as its worker does, but in this process: a process of its own costs seconds."""
    import torch

    from diet_core.worker import __main__ as worker

    at_sigterm = signal.getsignal(signal.SIGTERM)
    try:
        return worker.main(str(folder.path))
    finally:
        signal.signal(signal.SIGTERM, at_sigterm)
        torch.use_deterministic_algorithms(False)


@pytest.fixture(scope="session")
def do_work() -> Callable[[RunFolder], int]:
    return _do_work


@pytest.fixture(scope="session")
def sentence_run(tmp_path_factory, sentence_data, tiny_model) -> RunFolder:
    """A finished scoring run of the sentences, two seeds, alone in its workspace. To be read only."""
    from diet_core.runs.score_run import lay_out_scoring

    folder = lay_out_scoring(
        Workspace(tmp_path_factory.mktemp("sentence_run")),
        sentence_data.info,
        sentence_data.examples,
        seeds=2,
        training=TrainingConfig(model=str(tiny_model), epochs=3, lr=5e-3),
        keep_models=True,
    )
    assert _do_work(folder) == 0, folder.status()
    return folder


@pytest.fixture
def run_verb(workspace, capsys) -> Callable[..., tuple[int, str, str]]:
    """A function that runs a verb in this process: exit status, standard output, standard error."""

    def run_verb(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        status = entry.main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return run_verb


@pytest.fixture
def said(run_verb) -> Callable[..., dict]:
    """A function that runs a verb with --json and returns the object that it printed."""

    def said(*arguments: object) -> dict:
        status, out, err = run_verb("--json", *arguments)
        assert status == 0, err
        assert out.endswith("}\n")
        assert out.count("\n") == 1
        return json.loads(out)

    return said


@pytest.fixture
def refused(run_verb) -> Callable[..., str]:
    """A function that runs a verb that must be refused and returns the message."""

    def refused(*arguments: object) -> str:
        for as_json in ([], ["--json"]):
            status, out, err = run_verb(*arguments, *as_json)
            assert status == 2, (out, err)
            assert out == ""
            assert "Traceback" not in err
            assert err.count("\n") == 1, err
            assert n_sentences(err) <= 2, err
        return err

    return refused


def n_sentences(message: str) -> int:
    """How many sentences a message has; dots inside of names, numbers and brackets end none."""
    plain = re.sub(r"\([^()]*\)|'[^']*'|\"[^\"]*\"", "x", message.strip())
    return len(re.findall(r"[.!?](?=\s+[A-Z]|$)", plain + ("" if plain[-1] in ".!?" else ".")))


@pytest.fixture
def busy_device(workspace) -> Iterator[None]:
    """Another run has the device: a worker that starts waits, without the seconds that torch takes."""
    workspace.runs.mkdir(parents=True, exist_ok=True)
    with FileLock(workspace.runs / ".cpu.lock"):
        yield


@pytest.fixture
def imported(said, sentences_csv) -> dict:
    return said("import", "sentences", sentences_csv, "--text", "text", "--label", "label")


@pytest.fixture
def copied(workspace: Workspace, sentence_run) -> RunFolder:
    """The sentences' finished run, in this workspace; the database does not know it yet."""
    return RunFolder(Path(shutil.copytree(sentence_run.path, workspace.runs / sentence_run.run_id)))


@pytest.fixture
def retrainable(store, sentence_data, copied) -> RunFolder:
    """The sentences' finished run with its folder, in the store."""
    from diet_core.workspace.ingest import reconcile

    add_dataset(store, sentence_data)
    reconcile(store)
    return copied


FOLDS = 3


@pytest.fixture(scope="session")
def folded_run(tmp_path_factory, sentence_data, tiny_model) -> RunFolder:
    """A finished scoring run with folds: two seeds; some of its texts come twice. To be read only."""
    from diet_core.runs.score_run import lay_out_scoring

    examples = sentence_data.examples.copy()
    train = examples.index[examples["split"] == "train"]
    examples.loc[train[:6], "text"] = examples.loc[train[6:12], "text"].tolist()
    folder = lay_out_scoring(
        Workspace(tmp_path_factory.mktemp("folded_run")),
        sentence_data.info,
        examples,
        seeds=2,
        training=TrainingConfig(model=str(tiny_model), epochs=2, lr=5e-3, batch_size=16),
        folds=FOLDS,
    )
    assert _do_work(folder) == 0, folder.status()
    return folder
