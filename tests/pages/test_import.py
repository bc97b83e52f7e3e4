"""Import: upload, preview, roles, report, commit."""

import gzip

import pytest
import streamlit as st

from diet_core.data.formats.readers import read_source
from diet_core.store.loading.datasets import find_dataset
from tests.pages.app_pages import app, shown

TRICKY = "<b>bold</b> **strong** $x^2$ :red[no] مرحبا 🙂"


@pytest.fixture(autouse=True)
def fresh_caches():
    st.cache_resource.clear()
    st.cache_data.clear()
    yield
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture
def csv() -> bytes:
    rows = [f'r{i},"{TRICKY} number {i}",{"neg" if i % 2 else "pos"},{i}' for i in range(60)]
    return "\n".join(["id,review,sentiment,stars", *rows]).encode()


def brought(name: str, content: bytes):
    test = app("import_data")
    test.file_uploader[0].upload(name, content)
    return test.run()


def uploads(workspace) -> list:
    return [file for file in (workspace.cache / "uploads").rglob("*") if file.is_file()]


def button(test, label: str):
    return next(button for button in test.button if button.label == label)


def test_import_says_what_it_takes(workspace):
    test = app("import_data")
    assert not test.exception
    assert "One example a row" in shown(test)


def test_import_guesses_and_reports_before_it_keeps(workspace, csv):
    test = brought("My reviews.csv", csv)
    assert not test.exception
    boxes = {box.label: box.value for box in test.selectbox}
    assert boxes == {
        "Text": "review",
        "Label": "sentiment",
        "Second text": None,
        "Id": "id",
        "Split": None,
    }
    assert TRICKY in test.dataframe[0].value["review"].iloc[0]
    metrics = {metric.label: int(metric.value) for metric in test.metric}
    assert metrics["Training examples"] + metrics["Test examples"] == 60
    assert metrics["Classes"] == 2
    assert "Held out" in shown(test)
    assert "“Test file” or “Split”" in shown(test)
    assert test.text_input[0].value == "my-reviews"


def test_import_keeps_the_data_set_and_nothing_else(workspace, csv):
    test = brought("My reviews.csv", csv)
    button(test, "Import").click().run()
    assert not test.exception
    assert "my-reviews, version 1: 60 examples" in shown(test)
    assert uploads(workspace) == []
    home = app()
    assert home.dataframe[0].value["Data set"].tolist() == ["my-reviews"]


def test_imported_data_set_has_the_file_name_that_people_know(workspace, csv):
    test = brought("My reviews.csv", csv)
    button(test, "Import").click().run()
    assert not test.exception
    from pages.shared.workspace import _store

    info = find_dataset(_store(str(workspace.root)), "my-reviews")
    assert info.source == "My reviews.csv"
    assert info.source_format == "csv"
    assert info.classes == ("neg", "pos")


def test_import_takes_a_new_version_only_when_asked(workspace, csv):
    test = brought("reviews.csv", csv)
    button(test, "Import").click().run()
    test.file_uploader[0].upload("reviews.csv", csv)
    test.run()
    assert button(test, "Import").disabled
    test.checkbox[0].check().run()
    button(test, "Import").click().run()
    assert not test.exception
    assert "reviews, version 2" in shown(test)


def test_import_takes_a_test_file(workspace, csv):
    test = brought("train.csv", csv)
    header = b"id,review,sentiment,stars\n"
    test.file_uploader[1].upload("test.csv", header + b"t1,good,pos,1\nt2,bad,neg,1\n").run()
    assert not test.exception
    assert {metric.label: metric.value for metric in test.metric}["Test examples"] == "2"
    button(test, "Import").click().run()
    assert not test.exception
    assert uploads(workspace) == []


def test_import_reads_compressed_files(workspace, csv):
    test = brought("reviews.csv.gz", gzip.compress(csv))
    assert not test.exception
    assert test.text_input[0].value == "reviews"
    assert "60 rows" in shown(test)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("reviews.csv", b"text,label\na,b,c\n", "Line 2 of reviews.csv has 3 cells"),
        ("reviews.csv", b"", "reviews.csv is empty"),
        ("reviews.csv", b"\xff\xfe\x00", "reviews.csv is not a text file"),
        ("reviews.json", b"[{", "reviews.json is not valid JSON"),
        ("reviews.parquet", b"PAR1", "reviews.parquet is not a sound Parquet file"),
        ("reviews.csv.gz", b"nonsense", "reviews.csv.gz is not a whole gzip file"),
        ("a.gz", b"nonsense", "has an ending that is not known here"),
    ],
)
def test_import_tells_of_a_broken_file_and_keeps_nothing(workspace, name, content, message):
    test = brought(name, content)
    assert not test.exception
    assert [message in error.value.replace("\\", "") for error in test.error] == [True]
    assert uploads(workspace) == []


def test_import_tells_of_missing_labels_and_lets_choose_another_column(workspace):
    rows = "\n".join(f"text number {i},{'' if i == 3 else 'ab'[i % 2]},{'xy'[i % 2]}" for i in range(40))
    test = brought("file.csv", f"text,label,other\n{rows}\n".encode())
    assert "The label (column 'label') is missing in 1 row" in shown(test)
    next(box for box in test.selectbox if box.label == "Label").select("other").run()
    assert not test.exception
    assert not test.error
    assert test.metric


def test_import_takes_no_path_of_the_server_for_a_hub_name(workspace, tmp_path, csv):
    file = tmp_path / "secret.csv"
    file.write_bytes(csv)
    read_source(file)
    test = app("import_data")
    test.segmented_control(key="import way").set_value("The Hugging Face hub").run()
    test.text_input[0].set_value(str(file))
    button(test, "Fetch").click().run()
    assert not test.exception
    assert "is not a name on the hub" in shown(test)


def test_import_refuses_a_name_that_cannot_be_one(workspace, csv):
    test = brought("reviews.csv", csv)
    test.text_input[0].set_value("../x").run()
    button(test, "Import").click().run()
    assert not test.exception
    assert "cannot name a data set" in shown(test)
