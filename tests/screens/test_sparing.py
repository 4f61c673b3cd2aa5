"""Few bytes a typed key, none while nobody types, and never another picture for it."""

from collections.abc import Iterator

import pytest

from tests.screens.fake_node import ward
from tests.screens.harness import NodeThread, Terminal

BYTES_A_KEY = 96
"""On a serial line of 9,600 bit/s a key shows within a tenth of a second."""

TYPED = "Nguyễn Thị Ánh"


@pytest.fixture
def terminal(tmp_path) -> Iterator[Terminal]:
    with NodeThread(ward(), tmp_path / "n.sock") as node, Terminal(node.path) as found:
        found.wait_for("Haddad")
        yield found


def test_a_typed_key_sends_few_bytes(terminal: Terminal):
    terminal.send("n")
    terminal.wait_for("Family name")
    for at in range(1, 3):
        terminal.send(TYPED[at - 1])
        terminal.wait_for(f"[ {TYPED[:at]} ")
    began = len(terminal.output)
    for at in range(3, 13):
        terminal.send(TYPED[at - 1])
        terminal.wait_for(f"[ {TYPED[:at]} ")

    # Summed: on a busy machine the end of one picture is read with the next key's.
    assert len(terminal.output) - began <= 10 * BYTES_A_KEY


@pytest.mark.parametrize(
    ("typed", "last"), [(TYPED, "Perhaps here already"), ("芳a芳b", "Kin's phone")]
)
def test_what_is_sent_sparingly_is_what_a_whole_screen_would_be(terminal: Terminal, typed, last):
    """`last` is what the node's answer to the last key leaves on the screen."""
    terminal.send("n")
    terminal.wait_for("Family name")
    for key in [*typed, "backspace", "enter", *"Li 芳", "tab", "1", *"~40", "enter", "1"]:
        terminal.send(key)
        while terminal.read(0.03):
            pass
    terminal.wait_for(">Tag", last)
    while terminal.read(0.2):
        pass
    kept = terminal.text

    # Another room and back draws every row anew.
    terminal.send("f1")
    terminal.wait_for("Ctrl+G, then a digit")
    terminal.send("escape")
    terminal.wait_for("Family name", last)
    while terminal.read(0.2):
        pass

    assert terminal.text == kept
