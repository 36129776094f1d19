import json
import subprocess
from datetime import datetime, timedelta, timezone

import pytest

from benchmarks import record as record_module
from benchmarks.record import make_record, read_record, read_records, write_record
from dlmodules.errors import UserError
from tests.benchmarks.records import record


def test_a_record_is_read_as_it_was_written(tmp_path):
    written = record(details={"pairs": [[1.0, 2.0]]})
    path = write_record(written, tmp_path)
    assert path == tmp_path / "score" / "toy-seed0.json"
    assert read_record(path) == written


def test_writing_leaves_no_other_file_and_replaces_the_older_record(tmp_path):
    write_record(record(), tmp_path)
    write_record(record(steps=1), tmp_path)
    assert [path.name for path in (tmp_path / "score").iterdir()] == ["toy-seed0.json"]
    assert [found.steps for found in read_records(tmp_path)] == [1]


def test_a_failed_write_keeps_the_older_record(tmp_path, monkeypatch):
    path = write_record(record(), tmp_path)

    def fail(*args):
        raise OSError("no space left")

    monkeypatch.setattr(record_module.os, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        write_record(record(steps=1), tmp_path)
    assert read_record(path).steps == 8600


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "rumour"}, "kind is 'rumour'"),
        ({"name": "../toy"}, "small letters"),
        ({"protocol": ""}, "protocol must be a text"),
        ({"budget": ""}, "budget must be a text"),
        ({"args": ("--trainer.max_epochs", "2")}, "args must be a list of words"),
        ({"args": ["--trainer.max_epochs", 2]}, "args must be a list of words"),
        ({"options": {"args": []}}, "options must be those besides args"),
        ({"details": {"withdrawn": {"test/accuracy@last": "of other data"}}}, "calls withdrawn"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"steps": 1.5}, "steps must be a whole number"),
        ({"metrics": {}}, "at least one number"),
        ({"metrics": {"test/accuracy": float("nan")}}, "test/accuracy must be a finite number"),
        ({"metrics": {"test/accuracy": "98 %"}}, "test/accuracy must be a finite number"),
        ({"metrics": {"test/accuracy": True}}, "test/accuracy must be a finite number"),
        ({"wall_seconds": float("inf")}, "wall_seconds must be a finite number"),
        ({"hardware": {"cpu": "A processor", "cores": 2}}, "threads"),
        ({"date": "yesterday"}, "not ISO 8601"),
        ({"date": "2026-01-02T03:04:05"}, "not UTC"),
        ({"date": "2026-01-02T03:04:05+02:00"}, "not UTC"),
    ],
)
def test_a_wrong_record_is_refused(changes, message):
    with pytest.raises(UserError, match=message):
        record(**changes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda values: values.pop("commit"), "lacks the field commit"),
        (lambda values: values.pop("args"), "lacks the field args"),
        (lambda values: values.pop("options"), "lacks the field options"),
        (lambda values: values.pop("budget"), "lacks the field budget"),
        (lambda values: values.update(mood="good"), "unknown field mood"),
        (lambda values: values.update(seed=3), "holds the record score/toy-seed3.json"),
        (lambda values: values.update(steps="many"), "steps must be a whole number"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, change, message):
    path = write_record(record(), tmp_path)
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))
    with pytest.raises(UserError, match=message):
        read_record(path)


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_file_that_is_no_record_is_refused(tmp_path, text):
    path = tmp_path / "score" / "toy-seed0.json"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(UserError, match=r"toy-seed0\.json is no"):
        read_record(path)


def test_make_record_says_when_and_on_what_it_was_measured():
    made = make_record(
        **{
            key: getattr(record(), key)
            for key in (
                *("kind", "name", "system", "config", "seed", "steps", "metrics", "protocol", "command"),
                *("budget", "args", "options"),
            )
        },
        wall_seconds=1.0,
    )
    assert datetime.now(timezone.utc) - datetime.fromisoformat(made.date) < timedelta(minutes=1)
    assert made.hardware["cores"] >= 1
    assert made.versions["torch"]


@pytest.mark.parametrize(("returncode", "expected"), [(0, "0123456789ab"), (1, "0123456789ab-dirty")])
def test_new_records_alone_do_not_make_a_commit_dirty(monkeypatch, returncode, expected):
    asked = []

    def run(command, **kwargs):
        asked.append(command)
        return subprocess.CompletedProcess(command, returncode)

    monkeypatch.setattr(record_module.subprocess, "run", run)
    assert record_module._commit("0123456789ab-dirty") == expected
    assert ":(exclude)benchmarks/records" in asked[0]


def test_earlier_names_and_words_are_read_as_those_of_today(tmp_path):
    written = record(metrics={"asked": 0.9, "test/moved_Smiling": 0.8}, protocol="the share moved of the faces")
    found = read_record(write_record(written, tmp_path))
    assert found.metrics == {"conditional_accuracy": 0.9, "test/changed_Smiling": 0.8}
    assert found.protocol == "the fraction changed of the faces"
