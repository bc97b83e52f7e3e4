"""Opening, locking, migrating: what holds whatever is stored."""

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from diet_core.errors import StoreError, StoreLockedError
from diet_core.store.loading.datasets import add_dataset, find_dataset, list_datasets, read_examples
from diet_core.store.loading.runs import list_runs
from diet_core.store.migrate import Migration, known_migrations, migrate
from diet_core.store.store import locked_error, open_store

ROOT = Path(__file__).resolve().parents[2]


def test_open_store_makes_the_workspace(workspace):
    with open_store(workspace) as store:
        assert list_datasets(store) == []
        assert list_runs(store) == []
    assert workspace.database.exists()


def test_open_store_again_finds_what_was_stored(workspace, reviews):
    with open_store(workspace) as store:
        info = add_dataset(store, reviews)
    with open_store(workspace) as store:
        assert find_dataset(store, "reviews") == info


def test_open_store_twice_in_one_process_shares_the_file(store, workspace, reviews):
    with open_store(workspace) as other:
        add_dataset(other, reviews)
    assert find_dataset(store, "reviews").version == 1


def test_a_locked_database_names_the_process_and_what_to_do(store, workspace):
    script = (
        "from pathlib import Path\n"
        "from diet_core.config import Workspace\n"
        "from diet_core.errors import StoreLockedError\n"
        "from diet_core.store.store import locked_error, open_store\n"
        f"try:\n    open_store(Workspace(Path({str(workspace.root)!r})))\n"
        "except StoreLockedError as error:\n    print(error)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=60, check=True
    )
    assert f"PID {os.getpid()}" in found.stdout
    assert "close it and try again" in found.stdout


def test_a_lock_without_a_pid_still_says_what_to_do(workspace):
    error = locked_error(workspace.database, duckdb.IOException("Could not set lock on file: busy"))
    assert isinstance(error, StoreLockedError)
    assert "is open in another process, most likely the app. Do this in the app" in str(error)


@pytest.mark.parametrize("content", [b"", b"no database at all" * 1000])
def test_a_file_that_is_no_database_is_a_clear_error(workspace, content):
    workspace.root.mkdir()
    workspace.database.write_bytes(content)
    with pytest.raises(StoreError, match=r"diet\.duckdb cannot be used"):
        open_store(workspace)
    assert workspace.database.read_bytes() == content


@pytest.mark.parametrize("block", [1, 3])
def test_a_damaged_database_is_a_clear_error(workspace, reviews, block):
    with open_store(workspace) as store:
        add_dataset(store, reviews)
    content = bytearray(workspace.database.read_bytes())
    for position in range(4096 * block, len(content)):
        content[position] ^= 0x5A
    workspace.database.write_bytes(content)
    with pytest.raises(StoreError, match="cannot be used"), open_store(workspace) as store:
        read_examples(store, "reviews-v1")


def test_a_workspace_that_cannot_be_made_is_a_clear_error(tmp_path):
    from diet_core.config import Workspace

    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be made"):
        open_store(Workspace(tmp_path / "file" / "workspace"))


def test_a_newer_database_is_a_clear_error(workspace):
    with open_store(workspace) as store, store.cursor() as cursor:
        cursor.execute("INSERT INTO migrations VALUES (999, 'later', now()::TIMESTAMP)")
    with pytest.raises(StoreError, match=r"newer version of Data Diet.*Update"):
        open_store(workspace)


def test_sql_cannot_reach_files(store, tmp_path):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with pytest.raises(duckdb.PermissionException):
        store.rows(f"SELECT * FROM read_csv('{tmp_path / 'secret.csv'}')")


def test_known_migrations_count_from_one_without_gaps():
    numbers = [migration.number for migration in known_migrations()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert numbers


def test_migrate_applies_each_once(tmp_path):
    with duckdb.connect(tmp_path / "a.duckdb") as connection:
        steps = [Migration(1, "first", "CREATE TABLE a (i INTEGER)")]
        migrate(connection, steps)
        steps.append(Migration(2, "second", "CREATE TABLE b (i INTEGER); INSERT INTO b VALUES (1)"))
        migrate(connection, steps)
        migrate(connection, steps)
        assert connection.sql("SELECT number, name FROM migrations ORDER BY 1").fetchall() == [
            (1, "first"),
            (2, "second"),
        ]
        assert connection.sql("SELECT * FROM b").fetchall() == [(1,)]


def test_a_failing_migration_leaves_the_database_as_it_was(tmp_path):
    with duckdb.connect(tmp_path / "a.duckdb") as connection:
        good = Migration(1, "first", "CREATE TABLE a (i INTEGER); INSERT INTO a VALUES (1)")
        migrate(connection, [good])
        bad = Migration(2, "second", "CREATE TABLE b (i INTEGER); DELETE FROM a; SELECT * FROM nowhere")
        with pytest.raises(StoreError, match=r"schema 2 \(second\)"):
            migrate(connection, [good, bad])
        assert connection.sql("SELECT * FROM a").fetchall() == [(1,)]
        tables = {row[0] for row in connection.sql("SHOW TABLES").fetchall()}
        assert tables == {"a", "migrations"}


def test_a_failing_first_migration_leaves_nothing(tmp_path):
    with duckdb.connect(tmp_path / "a.duckdb") as connection:
        with pytest.raises(StoreError):
            migrate(connection, [Migration(1, "first", "CREATE TABLE a (i INTEGER); broken")])
        assert connection.sql("SHOW TABLES").fetchall() == []
