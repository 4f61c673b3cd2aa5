"""Keys through a real pseudo-terminal: fast, slow, in bursts, with nobody reading."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from tests.screens.fake_node import ward
from tests.screens.harness import NodeThread, Terminal

GAPS_S = (0.0, 0.001, 0.003, 0.03)

REGISTER = ["n", *"Diallo", "enter", *"Awa", "enter", "2", "enter", *"34", "enter", "1", "{tag}",
            "enter", "enter", *"burns", "enter", "enter"]  # fmt: skip
VITALS = ["1", *"26", "enter", *"93", "tab", "-", *"98/60", "enter", *"118", "down", "1",
          *"386", "enter", "enter", "escape"]  # fmt: skip


@pytest.fixture
def node(tmp_path) -> Iterator[NodeThread]:
    with NodeThread(ward(), tmp_path / "n.sock") as running:
        yield running


def registering(tag):
    return [key for one in REGISTER for key in ([*tag] if one == "{tag}" else [one])]


def expected(tag):
    return [
        ("patient.register", {"family_name": "Diallo", "given_name": "Awa", "sex": "female",
                              "age": {"value": "34", "unit": "y"}, "tags": [f"TG-{tag}"]}),
        ("encounter.open", {"class": "emergency", "problem": "burns"}),
        ("observation.record", {"set": [
            {"code": "respiratory-rate", "value": "26", "unit": "/min"},
            {"code": "spo2", "value": "93", "unit": "%"},
            {"code": "oxygen", "absent": "not-measured"},
            {"code": "systolic", "value": "98", "unit": "mm[Hg]"},
            {"code": "diastolic", "value": "60", "unit": "mm[Hg]"},
            {"code": "heart-rate", "value": "118", "unit": "/min"},
            {"code": "consciousness", "value": "alert"},
            {"code": "temperature", "value": "38.6", "unit": "Cel"},
        ]}),
    ]  # fmt: skip


@pytest.mark.parametrize("blocked", [False, True], ids=["free", "blocked"])
def test_no_key_lands_in_another_field_at_any_speed(node: NodeThread, blocked):
    with Terminal(node.path, blocked=blocked) as terminal:
        terminal.wait_for("Haddad")
        for number, gap_s in enumerate(GAPS_S):
            node.node.written.clear()
            # A tag that somebody carries already stops at a question, and rightly so.
            tag = f"{77 + number}"
            terminal.send(*registering(tag), *VITALS, gap_s=gap_s)
            terminal.wait_until(lambda: len(node.node.written) >= 3)

            written = [(line["kind"], line["data"]) for line in node.node.written]
            assert written == expected(tag), f"{gap_s * 1000:g} ms"
            terminal.send("escape")
            terminal.wait_for("TRIAGE", "n/1 new patient")


@pytest.mark.parametrize("blocked", [False, True], ids=["free", "blocked"])
def test_no_key_typed_ahead_says_who_a_casualty_is_at_any_speed(node: NodeThread, blocked):
    with Terminal(node.path, blocked=blocked) as terminal:
        terminal.wait_for("Haddad")
        for gap_s in GAPS_S:
            terminal.send("f2", *"TG-000412", "enter", "enter", "2", "4", "2", "enter", "enter",
                          gap_s=gap_s)  # fmt: skip
            terminal.wait_for("This tag is ACD EFH 001", "6 keys struck before this")
            assert node.node.written == [], f"{gap_s * 1000:g} ms"

            terminal.look()
            terminal.send("escape")
            terminal.wait_for("n/1 new patient")

        terminal.send("f2", *"TG-000412", "enter")
        terminal.wait_for("This tag is ACD EFH 001")
        terminal.look()
        terminal.send("enter", "2", "enter", "enter", "tab", "enter")
        terminal.wait_until(lambda: node.node.written)
        assert node.node.written[0]["patient"] == "pat_00001"


def test_two_scans_in_one_write_are_two_casualties(node: NodeThread):
    with Terminal(node.path) as terminal:
        terminal.wait_for("Haddad")
        burst = "\x1bOQ]C1TG-901\r" + "1" + "4" + "1" + "]C1TG-902\r" + "3" + "4" + "2" + "\r\r"
        terminal.send(burst)
        terminal.wait_until(lambda: len(node.node.written) == 2)

    assert [(line["data"]["tag"], line["data"]["category"]) for line in node.node.written] == [
        ("TG-901", "red"),
        ("TG-902", "green"),
    ]


def test_a_killed_terminal_loses_at_most_the_field_in_progress(node: NodeThread):
    with Terminal(node.path) as terminal:
        terminal.wait_for("Haddad")
        terminal.send("n", *"Diallo", "enter", *"Aw")
        terminal.wait_for("[ Aw")
        terminal.wait_until(lambda: node.node.drafts)
        os.kill(terminal.pid, signal.SIGKILL)
        terminal.exit_status()

    (draft,) = node.node.drafts.values()
    assert draft.fields == {"family_name": "Diallo"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_keeps_the_draft_and_gives_the_terminal_back(node: NodeThread, number):
    with Terminal(node.path) as terminal:
        terminal.wait_for("Haddad")
        terminal.send("n", *"Diallo")
        terminal.wait_for("[ Diallo")
        os.kill(terminal.pid, number)
        status = terminal.exit_status()

    assert status == 128 + number
    assert b"\x1b[?1049l" in terminal.output
    (draft,) = node.node.drafts.values()
    assert draft.fields == {"family_name": "Diallo"}


def test_a_terminal_nobody_reads_still_ends_on_a_signal(node: NodeThread):
    with Terminal(node.path) as terminal:
        terminal.wait_for("Haddad")
        for _ in range(60):
            terminal.send("f1", "escape", "f7", "escape", "f10", "escape")
        began = time.monotonic()
        os.kill(terminal.pid, signal.SIGTERM)
        while os.waitpid(terminal.pid, os.WNOHANG)[0] == 0:
            assert time.monotonic() - began < 15
        terminal.pid = 0


def test_a_node_that_goes_away_costs_nothing_that_was_typed(node: NodeThread):
    with Terminal(node.path) as terminal:
        terminal.wait_for("Haddad")
        terminal.send("n", *"Diallo", "enter", "enter", "2")
        terminal.wait_for("2 female")
        node.stop()
        terminal.wait_for("NODE AWAY")
        terminal.send("enter", "tab", "tab", "tab", "tab", "enter")
        terminal.wait_for("NOT SAVED", "NEW PATIENT  Diallo", "[ 2 female")
        node.start()
        terminal.wait_for("LINKS 1")
        terminal.wait_until(lambda: any("sex" in one.fields for one in node.node.drafts.values()))
        terminal.send("enter")
        terminal.wait_for("Registered")

    assert [line["kind"] for line in node.node.written] == ["patient.register", "encounter.open"]


def test_an_idle_terminal_sends_nothing_and_a_key_costs_little(node: NodeThread):
    with Terminal(node.path) as terminal:
        terminal.wait_for("Haddad")
        terminal.send("n")
        terminal.wait_for("NEW PATIENT")
        while terminal.read(0.3):
            pass
        minute, before = time.time() // 60, len(terminal.output)
        terminal.read(1.0)
        # The clock in the header moves once a minute; nothing else may.
        assert len(terminal.output) == before or time.time() // 60 != minute

        before = len(terminal.output)
        terminal.send(*"Nkurunziza", gap_s=0.05)
        terminal.wait_for("[ Nkurunziza")
        assert (len(terminal.output) - before) / 10 <= 200


def test_the_way_out_is_the_menu_and_never_ctrl_q(node: NodeThread):
    with Terminal(node.path) as terminal:
        terminal.wait_for("Haddad")
        terminal.send("\x11", "\x03")
        terminal.wait_for("To leave: F10")
        terminal.send("ctrl+g", "0")
        terminal.wait_for("MENU")
        terminal.send("0")

        assert terminal.exit_status() == 0
        assert b"\x1b[?1049l" in terminal.output
