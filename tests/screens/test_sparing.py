"""Few bytes a typed key, none while nobody types, and never another picture for it."""

import pytest

from tests.screens.fake_node import ward
from tests.screens.harness import NodeThread, Terminal

BYTES_A_KEY = 150
"""On a serial line of 9,600 bit/s a key shows within an eighth of a second."""

TYPED = "Nguyễn Thị Ánh"


@pytest.fixture
def terminal(tmp_path):
    with NodeThread(ward(), tmp_path / "n.sock") as node, Terminal(node.path) as found:
        found.wait_for("Haddad")
        yield found


def struck(terminal, key, shown):
    before = len(terminal.output)
    terminal.send(key)
    terminal.wait_for(shown)
    while terminal.read(0.05):
        pass
    return len(terminal.output) - before


def test_a_typed_key_sends_few_bytes(terminal):
    terminal.send("n")
    terminal.wait_for("Family name")
    while terminal.read(0.1):
        pass
    struck(terminal, TYPED[0], f"[ {TYPED[0]}")

    sent = [struck(terminal, TYPED[at], f"[ {TYPED[: at + 1]}".rstrip()) for at in range(1, 10)]

    assert max(sent) <= BYTES_A_KEY


@pytest.mark.parametrize("typed", [TYPED, "芳a芳b"])
def test_what_is_sent_sparingly_is_what_a_whole_screen_would_be(terminal, typed):
    terminal.send("n")
    terminal.wait_for("Family name")
    for key in [*typed, "backspace", "enter", *"Li 芳", "tab", "1", *"~40", "enter", "1"]:
        terminal.send(key)
        while terminal.read(0.03):
            pass
    kept = terminal.text

    # Another room and back draws every row anew.
    terminal.send("f1")
    terminal.wait_for("Ctrl+G, then a digit")
    terminal.send("escape")
    terminal.wait_for("Family name")
    while terminal.read(0.2):
        pass

    assert terminal.text == kept
