"""The one door for text that is shown: whatever goes in, only drawable characters come out."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.records import display
from protocols.records.display import (
    ELLIPSIS,
    LINES_MAX,
    MARKS_MAX,
    TEXT_CHARS_MAX,
    clean_lines,
    clean_text,
)

HOSTILE = st.text(
    alphabet=st.one_of(
        st.characters(exclude_categories=()),
        st.sampled_from(
            "\x1b\x07\x9b\x1d\n\t \u202e\u2066\u200b\u200c\u200d\u0301\u0300\u094d\u0915"
            "\u0631\u3164\U000e0041\ufeff\ufe0f\ud800\uffffaÅ\u212b"
        ),
    ),
    max_size=80,
)


@given(HOSTILE)
def test_nothing_that_controls_or_hides_comes_out(text):
    shown = clean_text(text)

    for char in shown:
        category = unicodedata.category(char)
        assert category not in {"Cc", "Cs", "Co", "Zl", "Zp"}
        assert category != "Cf" or char in "\u200c\u200d"
        assert category != "Zs" or char == " "
        assert ord(char) & 0xFFFE != 0xFFFE


LATIN = st.text(
    alphabet=st.one_of(st.characters(max_codepoint=0x37F), st.sampled_from(" aÅŞ\u0301\xad\xa0")),
    max_size=40,
)


@given(LATIN | HOSTILE, st.integers(1, 50))
def test_a_short_way_ends_where_the_long_way_does(text, limit):
    assert clean_text(text, limit) == display._clean(text, limit)


def test_every_sign_of_the_short_way_stays_as_it_is_wherever_it_stands():
    signs = [chr(code) for code in range(0x110000) if display._letters.fullmatch(chr(code))]

    assert len(signs) > 33_000
    for sign in signs:
        typed = f"a{sign}b"
        assert display._clean(typed, TEXT_CHARS_MAX) == typed
        # Of marks no more than some are kept one after another.
        typed = f"a{sign * (MARKS_MAX + 1)}b"
        assert sign == " " or display._clean(typed, TEXT_CHARS_MAX) == typed
    # One after another: what combines does so with what stands before it.
    for between in ("", "ا", "e", "и", "가"):
        for start in range(0, len(signs), 50):
            typed = between.join(sign for sign in signs[start : start + 50] if sign != " ")
            assert display._clean(typed, 2 * TEXT_CHARS_MAX) == typed


@given(HOSTILE)
def test_cleaning_twice_changes_nothing(text):
    once = clean_text(text)

    assert clean_text(once) == once


@given(HOSTILE, st.integers(1, 30))
def test_a_limit_holds_and_cleaning_twice_still_changes_nothing(text, limit):
    once = clean_text(text, limit)

    assert len(once) <= limit
    assert clean_text(once, limit) == once


@given(HOSTILE)
def test_what_is_shown_is_normal_form_with_single_inner_spaces(text):
    shown = clean_text(text)

    assert unicodedata.is_normalized("NFC", shown)
    assert shown == shown.strip(" ")
    assert "  " not in shown


@given(st.text("\u0301\u0300\u0488", max_size=40))
def test_a_tower_of_marks_is_cut_down(marks):
    shown = clean_text("x" + marks)

    assert sum(unicodedata.category(char)[0] == "M" for char in shown) <= MARKS_MAX


def test_a_mark_never_lands_on_what_stands_before_the_text():
    assert clean_text("\u0301\u0301 \u0301Ali") == "Ali"


@pytest.mark.parametrize(
    "name",
    [
        "O[/]Brien",
        "[red]Ali[/red]",
        "Nguyễn Thị Ánh",
        "李伟",
        "ሰላም",
        "علی‌رضا",
        "क्‍ष",
        "ငြိမ့်",
        "김민준",
    ],
)
def test_real_names_stay_as_they_are(name):
    assert clean_text(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("\x1b]52;c;YWJj\x07Ali", "]52;c;YWJjAli"),
        ("\x9b31mAli", "31mAli"),
        ("Ali\u202eilA", "AliilA"),
        ("A\u200bli\u00ad", "Ali"),
        ("A\u200dli", "Ali"),
        ("two\r\nlines\there", "two lines here"),
        ("TAG\x1d12", "TAG 12"),
        ("\U000e0041\U000e0042tag", "tag"),
        ("\ud83dAli", "Ali"),
        ("e\u0301", "é"),
    ],
)
def test_known_tricks(typed, shown):
    assert clean_text(typed) == shown


def test_a_text_at_the_limit_stays_and_one_past_it_ends_in_an_ellipsis():
    assert clean_text("x" * TEXT_CHARS_MAX) == "x" * TEXT_CHARS_MAX
    assert clean_text("x" * (TEXT_CHARS_MAX + 1)) == "x" * (TEXT_CHARS_MAX - 1) + ELLIPSIS


@given(HOSTILE)
def test_a_note_of_one_line_is_that_line_cleaned(text):
    (line,) = clean_lines(text.translate({ord(sign): "." for sign in "\r\n\v\f\x85\u2028\u2029"}))
    for sign in "\r\n\v\f\x85\u2028\u2029":
        assert len(clean_lines(f"{text[:9]}{sign}{text[:9]}")) > 1
        text = text.replace(sign, ".")
    assert line == clean_text(text)


def test_a_note_keeps_its_lines_up_to_the_limit():
    assert clean_lines("one\r\ntwo\n\x1bthree") == ("one", "two", "three")
    assert len(clean_lines("\n" * (LINES_MAX - 1))) == LINES_MAX
    assert clean_lines("\n" * LINES_MAX)[-1] == ELLIPSIS
    assert len(clean_lines("\n" * LINES_MAX)) == LINES_MAX
