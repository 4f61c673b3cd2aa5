"""Pictures of the README show the screens as they stand now: nobody sees a stale one by themselves.

`scripts/pictures` takes them all anew in half a minute.
"""

import re
import zlib
from html import escape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldnode.text.catalogue import load
from fieldnode.tui.cores.display import text_of
from scripts import pictured
from tests.screens.test_goldens import SIZE, shell_on

ROOT = Path(pictured.__file__).parents[1]
DOCS = ROOT / "docs"
SCREENS = {
    "board": "board",
    "chart": "chart",
    "drive": "drive-due",
    "store": "supplies",
    "sync": "sync",
    "triage": "triage",
    "vitals": "vitals",
}
"""The agreed screen that each picture shows with other people in it."""
PAGES = ("hq", "hq-phone")
STALE = "scripts/pictures takes it anew"
BARS = 2
"""Rows of keys at the foot of every screen."""
APART = re.compile(r"\s{2,}")
EMPTY = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(17) + b"\0\0\0\0IEND" + zlib.crc32(b"IEND").to_bytes(4)
)


def labels(lines):
    """Return what a screen says whoever is on it; behind a gap a label may go on with a name."""
    said = (span.text.strip() for line in lines for span in line if span.role == "label")
    return [APART.split(text)[0] for text in said if text]


@pytest.mark.parametrize("picture", SCREENS)
def test_a_picture_shows_the_words_and_keys_of_its_screen(picture):
    shown = pictured.rows((DOCS / f"{picture}.svg").read_text("utf-8"))
    lines = shell_on(SCREENS[picture], load("en")).draw(SIZE)

    assert [said for said in labels(lines) if not any(said in row for row in shown)] == [], STALE
    keys = [text_of(line).strip() for line in lines[-BARS:]]
    assert [row.strip() for row in shown[-BARS:]] == keys, STALE


@pytest.mark.parametrize("picture", PAGES)
def test_a_picture_of_hq_was_drawn_from_its_page_as_it_stands(picture):
    assert pictured.mark((DOCS / f"{picture}.png").read_bytes()) == pictured.drawn_from(), STALE


def test_every_picture_is_looked_at_here_and_the_readme_shows_no_other():
    looked_at = {f"{name}.svg" for name in SCREENS} | {f"{name}.png" for name in PAGES}
    shown = re.findall(r'src="docs/([^"]+)"', (ROOT / "README.md").read_text("utf-8"))

    assert {path.name for path in DOCS.glob("*.*g")} == looked_at
    assert shown and set(shown) <= looked_at


@given(st.lists(st.text("ab é<&>\"'1", max_size=8), min_size=1, max_size=4))
def test_words_are_read_where_they_were_drawn(said):
    drawn = [
        f'<text x="{column * pictured.CELL_W}" y="{row * pictured.CELL_H + pictured.TEXT_Y}"'
        f' fill="#fff">{escape(word)}</text>'
        for row, line in enumerate(said)
        for column, word in ((at, sign) for at, sign in enumerate(line) if sign != " ")
    ]
    wanted = [line.rstrip() for line in said]
    while wanted and not wanted[-1]:
        wanted.pop()

    assert pictured.rows("".join(drawn)) == wanted


@given(st.text("0123456789abcdef", min_size=1, max_size=64))
def test_what_a_png_was_drawn_from_is_read_back_and_a_bare_one_says_nothing(digest):
    marked = pictured.marked(EMPTY, digest)

    assert pictured.mark(marked) == digest
    assert pictured.mark(EMPTY) == ""
    assert marked.startswith(EMPTY[:-12]) and marked.endswith(EMPTY[-12:])
