"""The audit trail as a coordinator reads it at a shell, over real nodes on loopback."""

import json

import pytest

from tests.process.commands import PASSPHRASE, init, note, patient, run, serving, told

CANARY = "Zzyxwvanary"


def items(folder, *more):
    lines = told("fieldnode", "audit", "--data", folder, "--json", *more)
    return [line for line in lines if "item" in line]


def registered(folder, key="1"):
    answers = told(
        "fieldnode", "record", "--data", folder, lines=[patient(key, family_name=CANARY)]
    )
    return answers[0]["id"]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audit") / "node"
    init(folder)
    return folder


def test_an_export_and_a_backup_stand_in_the_trail_and_a_refused_one_does_not(alone, tmp_path):
    who = registered(alone)
    for at, target in enumerate((tmp_path / "one", tmp_path / "two")):
        assert run("fieldnode", "export", who, "--data", alone, "--to", target).returncode == 0
        assert len(items(alone, "--what", "export")) == at + 1
    with serving(alone):
        target = tmp_path / "three"
        assert run("fieldnode", "export", who, "--data", alone, "--to", target).returncode == 0
        # Nothing left the book, so nothing is said.
        assert run("fieldnode", "export", who, "--data", alone, "--to", target).returncode == 1
        assert run("fieldnode", "backup", "--data", alone, "--to", target).returncode == 1
        told("fieldnode", "backup", "--data", alone, "--to", tmp_path / "copy")
        found = items(alone, "--what", "export")
    assert [(each["patient"], each["reason"], each["count"]) for each in found] == [
        ("", "backup", 1),
        *[(who, "", 1)] * 3,
    ]
    assert {each["device_name"] for each in found} == {"node"}
    shown = run("fieldnode", "audit", "--data", alone).stdout
    assert "export" in shown and who in shown and "backup" in shown
    assert "trail of node (Test), known until" in shown and "whole" in shown
    assert CANARY not in shown


def test_a_passphrase_that_was_changed_is_in_the_trail_running_or_not(alone, tmp_path):
    files = []
    for at, word in enumerate(("another passphrase", PASSPHRASE)):
        files.append(tmp_path / f"new-{at}")
        files[-1].write_text(word + "\n")
    args = ("fieldnode", "passphrase", "--data", alone)
    assert run(*args, "--new-passphrase-file", files[0]).returncode == 0
    with serving(alone, passphrase="another passphrase"):
        old = ("--passphrase-file", files[0])
        assert run(*args, *old, "--new-passphrase-file", files[1]).returncode == 0
        assert len(items(alone, "--what", "passphrase-changed")) == 2


def test_the_trail_is_asked_by_time_and_what_is_no_time_is_refused(alone):
    assert items(alone, "--until", "2020-01-01") == []
    assert items(alone, "--since", "2020-01-01") != []
    assert items(alone, "--device", "nobody") == []
    refused = run("fieldnode", "audit", "--data", alone, "--since", "yesterday")
    assert refused.returncode == 1 and "time" in refused.stderr
    assert run("fieldnode", "audit", "--data", alone, "--what", "breakfast").returncode == 2


def test_the_trail_of_another_device_is_read_where_it_has_travelled(tmp_path):
    founder, second = tmp_path / "founder", tmp_path / "second"
    for folder in (founder, second):
        init(folder)
    who = registered(second)
    with serving(founder) as said:
        code = run("fieldnode", "invite", "--data", founder).stdout.strip()
        peer = ("--peer", said["listening"])
        assert run("fieldnode", "join", "--data", second, *peer, "--code", code).returncode == 0
        with serving(second, *peer):
            target = tmp_path / "out"
            assert run("fieldnode", "export", who, "--data", second, "--to", target).returncode == 0
            # What is written after it on the same device has come: so has the item before it.
            told("fieldnode", "record", "--data", second, lines=[note(who, "after")])
            follow = told_until(founder, "note")
        found = items(founder, "--what", "export")
    assert follow and [(each["device_name"], each["patient"]) for each in found] == [
        ("second", who)
    ]


def told_until(folder, table):
    from tests.process.commands import start

    following = start("fieldnode", "rows", table, "--data", folder, "--follow")
    line = following.stdout.readline()
    following.kill()
    following.communicate()
    return json.loads(line)
