"""Mass casualty through a real pseudo-terminal: any speed, bursts of scans, pastes, storms, ends.

What takes long in all its combinations is `slow`; one of each kind runs always.
"""

import asyncio
import fcntl
import os
import signal
import struct
import termios
import time
from collections.abc import Iterator

import pytest

from fieldnode.client import NodeClient
from tests.screens.fake_node import ward
from tests.screens.harness import NodeThread, Terminal

ROW = [("0431", "1", "4", "2"), ("0432", "3", "2", "1"), ("0433", "2", "9", "9")]
WORDS = {"1": "red", "2": "yellow", "3": "green"}
SEXES = {"1": "male", "2": "female", "9": "unknown"}
KEYS = [key for tag, *digits in ROW for key in [*tag, "enter", *digits, "enter"]]
EXPECTED = [
    {"tag": f"TG-{tag}", "category": WORDS[one], "band": int(band), "sex": SEXES[sex]}
    for tag, one, band, sex in ROW
]
slow = pytest.mark.slow


@pytest.fixture
def node(tmp_path) -> Iterator[NodeThread]:
    with NodeThread(ward(), tmp_path / "n.sock") as running:
        yield running


def gate(node, **how) -> Terminal:
    """Return a terminal with the form open."""
    terminal = Terminal(node.path, **how)
    terminal.wait_for("Haddad")
    terminal.send("f2")
    terminal.wait_for("MASS CASUALTY", "TOTAL")
    return terminal


def triaged(node):
    return [line["data"] for line in node.node.written if line["kind"] == "triage.record"]


def resize(terminal, rows, columns):
    fcntl.ioctl(terminal.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


@pytest.mark.parametrize("blocked", [False, True], ids=["free", "blocked"])
@pytest.mark.parametrize(
    "gap_s",
    [
        0.0,
        pytest.param(0.001, marks=slow),
        pytest.param(0.003, marks=slow),
        0.03,
        pytest.param(0.12, marks=slow),
    ],
)
def test_three_casualties_are_those_that_were_typed_at_any_speed(node: NodeThread, gap_s, blocked):
    with gate(node, blocked=blocked) as terminal:
        terminal.send(*KEYS, gap_s=gap_s)
        terminal.wait_until(lambda: len(triaged(node)) == len(ROW))
        terminal.wait_for("you 3", "Triage YELLOW tag TG-0433")

    assert triaged(node) == EXPECTED


@pytest.mark.parametrize("blocked", [False, True], ids=["free", "blocked"])
def test_a_burst_of_scans_and_digits_in_one_write_is_a_row_of_casualties(node: NodeThread, blocked):
    with gate(node, blocked=blocked) as terminal:
        terminal.send("".join(f"]C1TG-9{n:02d}\r142" for n in range(12)), "\r")
        terminal.wait_until(lambda: len(triaged(node)) == 12)

    assert [one["tag"] for one in triaged(node)] == [f"TG-9{n:02d}" for n in range(12)]


def test_two_scans_without_an_answer_between_save_nothing(node: NodeThread):
    with gate(node) as terminal:
        terminal.send("]C1TG-901\r]C1TG-902\r")
        terminal.wait_for("TG-901 is not saved yet")

    assert triaged(node) == []


@pytest.mark.parametrize("gap_s", [0.0, pytest.param(0.03, marks=slow)])
def test_keys_typed_ahead_over_a_known_tag_say_nothing_of_somebody_else(node: NodeThread, gap_s):
    with gate(node) as terminal:
        terminal.send(*"TG-000412", "enter", "enter", "2", "4", "2", "enter", gap_s=gap_s)
        terminal.wait_for("This tag is ACD EFH 001", "struck before this")
        assert triaged(node) == []

        terminal.look()
        terminal.send("enter", "2", "enter")
        terminal.wait_until(lambda: triaged(node))
    assert node.node.written[0]["patient"] == "pat_00001"


def test_what_is_pasted_goes_into_the_field_that_is_open_and_saves_nothing(node: NodeThread):
    with gate(node) as terminal:
        terminal.send("\x1b[200~0431\r1\r4\r\x1d2\r\x1b[201~")
        terminal.wait_for("[ 043114")
        terminal.send("\x1b[200~]C1TG-77\r\x1b[201~")
        terminal.wait_for("Reading a code")

    assert triaged(node) == []


def test_a_storm_of_sizes_changes_no_record_and_ends_on_the_last_size(node: NodeThread):
    with gate(node) as terminal:
        for number, key in enumerate(KEYS):
            resize(terminal, 12 + number % 30, 40 + (7 * number) % 90)
            terminal.send(key, gap_s=0.004)
        resize(terminal, 24, 80)
        terminal.screen.reset()
        terminal.wait_until(lambda: len(triaged(node)) == len(ROW))
        resize(terminal, 25, 80)
        resize(terminal, 24, 80)
        terminal.wait_for("MASS CASUALTY", "you 3", "0Menu")

    assert triaged(node) == EXPECTED


TYPED = [*"0431", "enter", "1", "4", "2"]
LEFT = {
    5: {"tag": "TG-0431"},
    6: {"tag": "TG-0431", "category": "1"},
    7: {"tag": "TG-0431", "category": "1", "band": "4"},
    8: {"tag": "TG-0431", "category": "1", "band": "4", "sex": "2"},
}
"""Keys struck to what is on disk then: every field that was left."""


@pytest.mark.parametrize(
    "struck", [pytest.param(at, marks=() if at == 6 else slow) for at in (1, *LEFT)]
)
def test_a_killed_terminal_loses_at_most_the_field_in_progress(node: NodeThread, struck):
    with gate(node) as terminal:
        terminal.send(*TYPED[:struck])
        terminal.wait_until(lambda: _draft(node) == LEFT.get(struck, {}))
        os.kill(terminal.pid, signal.SIGKILL)
        terminal.exit_status()

    assert _draft(node) == LEFT.get(struck, {})
    assert triaged(node) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=slow)])
def test_a_signal_keeps_even_the_field_in_progress(node: NodeThread, number):
    with gate(node) as terminal:
        terminal.send(*"0431", "enter", "1", "4", "2", *"crush")
        terminal.wait_for("[ crush")
        os.kill(terminal.pid, number)
        assert terminal.exit_status() == 128 + number

    assert b"\x1b[?1049l" in terminal.output
    assert _draft(node) == LEFT[8] | {"problem": "crush"}


def test_a_reader_that_stalls_stops_neither_the_node_nor_what_was_typed(node: NodeThread):
    async def heartbeat():
        client = NodeClient(node.path)
        began = time.monotonic()
        try:
            await client.tally()
        finally:
            await client.close()
        return time.monotonic() - began

    with gate(node) as terminal:
        # Nobody reads: help and back is a screen each, far more than a terminal's buffer holds.
        for _ in range(60):
            terminal.send("f1", "escape")
        terminal.send(*KEYS)
        for _ in range(5):
            assert asyncio.run(heartbeat()) < 1.0
        # Read on: everything struck meanwhile is taken, in order.
        terminal.wait_until(lambda: len(triaged(node)) == len(ROW))
        terminal.wait_for("you 3")

    assert triaged(node) == EXPECTED


def _draft(node):
    return next((dict(one.fields) for one in node.node.drafts.values()), {})
