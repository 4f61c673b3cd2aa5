"""What leaves the terminal on paper: nothing in a name is a command, nothing is cut in silence."""

from __future__ import annotations

import re
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldnode.prints import along
from fieldnode.prints.handover import Reader, handover_sheet
from fieldnode.prints.sheet import FORM_FEED, LINES, WIDTH, Head, pages, printable
from fieldnode.prints.square import png
from fieldnode.prints.ward import ward_list
from fieldnode.prints.wristband import Wristband, escpos, zpl
from fieldnode.text.catalogue import Catalogue, load, pseudo
from fieldnode.tui.cores.display import cells
from protocols.live.api import Asserted, Attribute, BoardLine, Chart, ChartLine
from protocols.live.paper import PaperRead
from protocols.records.display import clean_text
from protocols.records.summary import Summary

NOW_MS = 1_779_287_520_000
HEAD = Head("WARD LIST", "Camp Nord", "2026-05-20 14:32", "R. Amin", "EXERCISE")
LANGUAGES = [load("en"), load("fr"), pseudo()]
HOSTILE = ["O[/]Brien", "^XZ^XA~JA", "a\x1b[2Jb", "\u202egnol", "_5E", "李伟", "x" * 300, ""]
TEXT = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=60))
LINE = st.builds(
    BoardLine,
    patient=st.just("pat_0"),
    code=st.from_regex(r"[3-9A-H]{3}-[3-9A-H]{3}-[3-9A-H]{3}", fullmatch=True),
    name=TEXT,
    tag=TEXT,
    triage=st.none() | st.integers(0, 4),
    age=st.sampled_from(["34 y", "~22 mo", "5 d", ""]),
    sex=st.sampled_from([1, 2, 3, 9]),
    bed=TEXT,
    waiting_since_ms=st.none() | st.integers(0, NOW_MS),
    problem=TEXT,
    unsettled=st.integers(0, 2),
)


def is_a_sheet(sheet: str) -> None:
    """Pages of equal length, no line too wide, nothing in it that moves a printer's head."""
    for page in sheet.split(FORM_FEED):
        lines = page.strip("\n").split("\n")
        assert len(lines) <= LINES
        for line in lines:
            assert cells(line) <= WIDTH
            assert line.isprintable()


@given(st.lists(LINE, max_size=45), st.sampled_from(LANGUAGES))
def test_a_ward_list_has_everybody_with_triage_and_code(
    lines: list[BoardLine], words: Catalogue
) -> None:
    sheet = ward_list(words, HEAD, lines, NOW_MS)
    is_a_sheet(sheet)
    for line in lines:
        assert line.code in sheet
    heads = sheet.count("EXERCISE")
    assert heads == 2 * (sheet.count(FORM_FEED) + 1), "every page says so, first row and last"


@given(st.lists(st.lists(st.just("x" * 200), max_size=9), max_size=40))
def test_a_block_stays_together_and_pages_are_numbered(blocks: list[list[str]]) -> None:
    sheet = pages(load("en"), HEAD, blocks)
    is_a_sheet(sheet)
    count = sheet.count(FORM_FEED) + 1
    assert f"page {count} of {count}" in sheet
    assert sheet.count("x" * (WIDTH - 1)) == sum(map(len, blocks))


def test_what_is_unsettled_shows_every_value_and_what_does_not_count_is_marked() -> None:
    said = [
        Asserted("fct_1", "penicillin", "Amin", NOW_MS, NOW_MS),
        Asserted("fct_2", "none-known", "Cho", NOW_MS, NOW_MS, standing=2),
    ]
    told = [
        ChartLine("fct_3.0", NOW_MS, NOW_MS, "note.add", (("text", "Slept well."),), "Amin"),
        ChartLine("fct_4.0", NOW_MS, NOW_MS, "note.add", (("text", "Wrong."),), "Amin", replaced=2),
        ChartLine("fct_5.0", NOW_MS, NOW_MS, "note.add", (("text", "Thief."),), "?", standing=3),
    ]
    head = BoardLine("pat_0", "3C4-67A-9AH", "Haddad", "TG-1", 1, age="34 y", sex=2)
    chart = Chart(head, None, (Attribute("allergies", tuple(said)),), tuple(told), 40)
    sheet = handover_sheet(Reader(load("en"), NOW_MS, UTC), HEAD, chart)
    is_a_sheet(sheet)
    assert "penicillin / none known" in sheet or "penicillin / none-known (?)" in sheet
    assert "UNSETTLED" in sheet
    assert "Slept well." in sheet
    assert "Wrong." not in sheet, "entered in error"
    assert "does not count" in next(line for line in sheet.split("\n") if "Thief." in line)
    assert "37 more" in sheet
    assert "Handed over by" in sheet


BANDS = st.builds(
    Wristband,
    code=st.just("3C4-67A-9AH"),
    name=TEXT.map(clean_text),
    tag=TEXT.map(clean_text),
    about=st.just("34 y  female"),
    allergy=TEXT.map(clean_text),
    exercise=st.sampled_from(["", "EXERCISE"]),
)


@given(BANDS)
def test_nothing_on_a_wristband_is_a_command_to_the_printer(band: Wristband) -> None:
    text = zpl(band).decode()
    known = {"XA", "XZ", "CI28", "PW200", "LL1600", "FS", "FH_"}
    known_with_values = re.compile(r"FO\d+,\d+|BQN,2,5|A0R,40,36|FD.*", re.DOTALL)
    for command in text.replace("\n", "").split("^")[1:]:
        assert command in known or known_with_values.fullmatch(command), command
    assert "~" not in text
    fields = re.findall(r"\^FH_\^FD(.*?)\^FS", text)
    shown = [re.sub("_([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), f) for f in fields]
    assert shown == list(band.lines)
    assert text.count("^XZ") == 1, "one band is printed"


@given(BANDS)
def test_a_receipt_printer_gets_only_our_own_commands(band: Wristband) -> None:
    raw = escpos(band)
    for ours in (b"\x1b@", b"\x1bt\x10", b"\x1d!\x00", b"\x1d!\x01", b"\x1dVB\x00"):
        raw = raw.replace(ours, b"")
    raw = re.sub(rb"\x1d\(k\x04\x001A2\x00|\x1d\(k\x03\x001[CEQ].", b"", raw)
    raw = re.sub(rb"\x1d\(k\x0e\x001P0[-3-9A-H]{11}", b"", raw)
    assert all(byte >= 0x20 or byte == 0x0A for byte in raw)


def test_letters_a_printer_lacks_lose_their_accents_or_become_a_question_mark() -> None:
    raw = escpos(Wristband("3C4-67A-9AH", "Łukasz Nguyễn 李"))
    assert "Łukasz".encode("cp1252", "ignore") not in raw or b"?ukasz" in raw
    assert b"Nguyen" in raw or "Nguyên".encode("cp1252") in raw


def test_a_picture_is_a_png_of_the_code() -> None:
    assert png("3C4-67A-9AH").startswith(b"\x89PNG\r\n")


@pytest.mark.parametrize("exercise", ["", "EXERCISE"])
def test_an_exercise_is_on_every_band(exercise: str) -> None:
    band = Wristband("3C4-67A-9AH", "Haddad", exercise=exercise)
    assert (b"EXERCISE" in zpl(band)) is (b"EXERCISE" in escpos(band)) is bool(exercise)


SAID = st.builds(
    Summary,
    code=st.just("3C4-67A-9AH"),
    name=TEXT.map(lambda text: clean_text(text)[:80]),
    sex=st.sampled_from([1, 2, 3, 9]),
    age=st.sampled_from(["34 y", ""]),
    triage=st.none() | st.integers(0, 4),
    allergy=st.integers(0, 2),
    allergies=st.lists(TEXT.map(lambda text: clean_text(text)[:80]), max_size=3).map(tuple),
    findings=st.lists(st.sampled_from([(3, "93 %"), (999, "1 m")]), max_size=3).map(tuple),
    left_out=st.integers(0, 3),
)


@given(SAID, st.sampled_from(LANGUAGES))
def test_a_summary_in_words_says_how_it_stands_with_allergies(
    said: Summary, words: Catalogue
) -> None:
    lines = along.in_words(words, said)
    keys = {0: "along.allergy_not_asked", 1: "along.allergy_none"}
    if said.allergy in keys:
        assert words(keys[said.allergy]) in lines
    else:
        listed = "; ".join(said.allergies) or words("along.allergy_not_fitted")
        assert printable(words("along.allergies", listed=listed)) in lines
    assert all(line.isprintable() for line in lines)
    assert (said.left_out > 0) is any(
        line == words.count("along.left_out", said.left_out) for line in lines
    )
    label = along.zpl(words, "FM0123", said).decode()
    assert label.count("^XZ") == 1
    assert "~JA" not in label
    assert b"FM0123" in along.escpos(words, "FM0123", said)


@pytest.mark.parametrize("worth", ["holds", "forged", "unknown", "sealed", "ended"])
@pytest.mark.parametrize("words", LANGUAGES)
def test_each_worth_of_a_paper_has_its_sentence(worth: str, words: Catalogue) -> None:
    read = PaperRead(worth, NOW_MS, "Tent B", "Kenya", "ab" * 16, 1, None)
    (sentence,) = along.shown(words, read, "2026-05-20 14:32")
    assert sentence
