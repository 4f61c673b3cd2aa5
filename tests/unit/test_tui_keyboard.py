"""Bytes to keys where Textual's own reading would lose or invent some."""

import pytest
from textual.events import Key

from fieldnode.tui.keyboard import UNKNOWN, PlainParser
from fieldnode.tui.screen import key_of
from fieldnode.tui.themes import THEMES, choose, styles


def keys(raw):
    parser = PlainParser()
    return [key_of(event) for event in parser.feed(raw) if isinstance(event, Key)]


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("\x1b\x1bn", ["escape", "escape", "n"]),
        ("\x1b5", ["escape", "5"]),
        ("\x1b\r", ["escape", "enter"]),
        ("\x1bOP\x1b[[A\x1b[11~", ["f1", "f1", "f1"]),
        ("\x1b[21~", ["f10"]),
        ("\x1b[A\x1b[B\x1bOA", ["up", "down", "up"]),
        ("\x1b[99;99Z\x1bOz", [UNKNOWN, UNKNOWN]),
        ("\x07\x11\x03", ["ctrl+g", "ctrl+q", "ctrl+c"]),
        ("A\x1dB", ["A", "\x1d", "B"]),
        ("\n\r\x08\x7f\t", ["enter", "enter", "backspace", "backspace", "tab"]),
        ("é٣李", ["é", "٣", "李"]),
        ("\x1b[?2026;2$y", []),
    ],
)
def test_bytes_become_the_keys_that_were_struck(raw, wanted):
    assert keys(raw) == wanted


def test_a_console_and_a_person_without_colours_get_none_they_cannot_see():
    assert choose("linux", no_colour=False, wanted="night") == "sixteen"
    assert choose("vt220", no_colour=False, wanted="") == "sixteen"
    assert choose("xterm", no_colour=True, wanted="night") == "mono"
    assert choose("xterm", no_colour=False, wanted="contrast") == "contrast"
    assert choose("xterm", no_colour=False, wanted="nonsense") == "night"


@pytest.mark.parametrize("theme", THEMES)
def test_every_theme_has_every_role(theme):
    assert set(styles(theme)) == set(styles("night"))


def test_no_colour_means_none_at_all():
    assert all(look.color is None and look.bgcolor is None for look in styles("mono").values())
