"""Erasing from the command line: founder and coordinator, one file, everybody's confirmation."""

from __future__ import annotations

import json
import time

from tests.process.commands import PATIENCE_S, init, run, serving, told

PATIENT = {
    "v": 1, "kind": "patient.register", "key": "one", "data": {"given_name": "Zebulon"},
}  # fmt: skip


def settled(folder, count):
    """Wait until so many devices confirmed the newest erase, as a person would by asking again."""
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        found = told("fieldnode", "erase", "status", "--data", folder, "--json")[0]
        if all(len(each["confirmed"]) == count for each in found["erases"]):
            return found
    raise AssertionError(found)


def test_the_founder_and_a_coordinator_erase_a_patient_and_hold_another(tmp_path):
    ann, ben, order = tmp_path / "ann", tmp_path / "ben", tmp_path / "order"
    init(ann)
    init(ben)
    ask, grant = tmp_path / "ask", tmp_path / "grant"
    told("fieldnode", "request", ask, "--data", ben, "--json")
    told("fieldnode", "admit", ask, "--out", grant, "--as", "coordinator", "--data", ann, "--json")
    assert run("fieldnode", "join", "--grant", grant, "--data", ben).returncode == 0

    with serving(ann) as said, serving(ben, "--peer", said["listening"]):
        whom = told("fieldnode", "record", "--data", ann, lines=[PATIENT])[0]["id"]
        wish = (whom, "--reason", "asked", "--to", order, "--data", ann)
        shown = run("fieldnode", "erase", "request", *wish)
        assert shown.returncode == 0, shown.stderr
        assert "Zebulon" not in order.read_bytes().decode("latin-1")
        assert "Entries: 1" in shown.stdout

        early = run("fieldnode", "erase", "apply", order, "--yes", "--data", ann)
        assert early.returncode == 1 and "second coordinator" in early.stderr
        own = run("fieldnode", "erase", "approve", order, "--yes", "--data", ann)
        assert own.returncode == 1 and "another device" in own.stderr
        signed = run("fieldnode", "erase", "approve", order, "--yes", "--data", ben)
        assert signed.returncode == 0, signed.stderr

        held = told("fieldnode", "hold", whom, "--data", ann, "--json")[0]
        applied = run("fieldnode", "erase", "apply", order, "--yes", "--data", ann)
        assert applied.returncode == 0, applied.stderr
        rows = run("fieldnode", "rows", "patient", "--data", ann)
        assert "Zebulon" in rows.stdout
        told("fieldnode", "unhold", held["holds"][0]["id"], "--data", ann, "--json")
        found = settled(ann, 2)
        assert found["holds"] == [] and found["erases"][0]["missing"] == []
        for folder in (ann, ben):
            assert "Zebulon" not in run("fieldnode", "rows", "patient", "--data", folder).stdout
        listed = run("fieldnode", "erase", "status", "--data", ben)
        assert listed.stdout.count("gone from") == 2
        trail = run("fieldnode", "audit", "--data", ann, "--json").stdout
        whats = [json.loads(line).get("what") for line in trail.splitlines()]
        assert "erase" in whats and "hold" in whats


def test_a_bad_file_is_refused_in_a_sentence_of_both_languages(tmp_path, monkeypatch):
    folder, noise = tmp_path / "ann", tmp_path / "noise"
    init(folder)
    noise.write_bytes(b"\0" * 100)
    for language, words in (("en", "not an order"), ("fr", "n'est pas un ordre")):
        monkeypatch.setenv("LC_ALL", language)
        done = run("fieldnode", "erase", "show", noise, "--data", folder)
        assert done.returncode == 1 and words in done.stderr


def test_an_older_backup_restored_drops_what_was_erased_since(tmp_path):
    ann, ben, order = tmp_path / "ann", tmp_path / "ben", tmp_path / "order"
    init(ann)
    init(ben)
    ask, grant = tmp_path / "ask", tmp_path / "grant"
    told("fieldnode", "request", ask, "--data", ben, "--json")
    told("fieldnode", "admit", ask, "--out", grant, "--as", "coordinator", "--data", ann, "--json")
    assert run("fieldnode", "join", "--grant", grant, "--data", ben).returncode == 0
    old = tmp_path / "stick" / "old"
    old.parent.mkdir()
    with serving(ann) as said, serving(ben, "--peer", said["listening"]):
        whom = told("fieldnode", "record", "--data", ann, lines=[PATIENT])[0]["id"]
        told("fieldnode", "backup", "--data", ann, "--to", old)
        for words in (
            ("request", whom, "--reason", "asked", "--to", order, "--data", ann),
            ("approve", order, "--yes", "--data", ben),
            ("apply", order, "--yes", "--data", ann),
        ):
            done = run("fieldnode", "erase", *words)
            assert done.returncode == 0, done.stderr
        settled(ann, 2)
    card = tmp_path / "card"
    assert run("fieldnode", "release", "card", "--to", card, "--data", ben).returncode == 0

    unaware = run("fieldnode", "restore", "--from", old, "--data", tmp_path / "unaware")
    assert unaware.returncode == 0, unaware.stderr
    assert "0 days old" in unaware.stderr and "until this node meets another" in unaware.stderr
    shown = run("fieldnode", "rows", "patient", "--data", tmp_path / "unaware").stdout
    assert "Zebulon" in shown
    status = told("fieldnode", "status", "--data", tmp_path / "unaware", "--json")[0]
    assert status["restored_from"]

    for name, orders in (("what was left", ann / "orders"), ("a card", card)):
        folder = tmp_path / name
        made = run("fieldnode", "restore", "--from", old, "--data", folder, "--orders", orders)
        assert made.returncode == 0, made.stderr
        assert json.loads(made.stdout)["erases"] == 1
        assert "Zebulon" not in run("fieldnode", "rows", "patient", "--data", folder).stdout

    with serving(ben) as said, serving(tmp_path / "unaware", "--peer", said["listening"]):
        for _ in range(60):
            shown = run("fieldnode", "rows", "patient", "--data", tmp_path / "unaware").stdout
            if "Zebulon" not in shown:
                break
        assert "Zebulon" not in shown
        status = told("fieldnode", "status", "--data", tmp_path / "unaware", "--json")[0]
        assert status["restored_from"] is None
