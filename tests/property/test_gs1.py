"""Codes of boxes: written and read back, against another implementation, and whatever comes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import biip
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import InputError
from protocols.guidelines.gtin import check_digit
from protocols.records import gs1
from protocols.records.codes import ERRORS
from protocols.records.gs1 import Box, Element
from protocols.records.moment import IMPLAUSIBLE_BEFORE_MS

CHARS = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
NOW_MS = int(datetime(2026, 11, 21, tzinfo=UTC).timestamp() * 1000)
EPOCH = date(1970, 1, 1)

digits = st.text("0123456789", min_size=13, max_size=13).filter(lambda text: int(text) > 0)
gtins = digits.map(lambda text: text + check_digit(text))
texts = st.text(CHARS, min_size=1, max_size=20)
days = st.dates(date(1977, 1, 1), date(2076, 12, 31)).map(lambda day: (day - EPOCH).days)


def outcome(ask, *args):
    """What came of it, and the code it was refused with."""
    try:
        return ask(*args), ""
    except InputError as error:
        return None, error.code


@st.composite
def boxes(draw: st.DrawFn) -> tuple[Element, ...]:
    """Elements of a box, in any order, each at most once."""
    parts = {
        "01": draw(gtins),
        "10": draw(texts),
        "17": gs1.yymmdd(draw(days)),
        "21": draw(texts),
        "30": draw(st.integers(0, 99_999_999).map(str)),
        "240": draw(texts),
    }
    names = draw(st.permutations(sorted(parts)))
    return tuple(Element(ai, parts[ai]) for ai in names[: draw(st.integers(1, len(names)))])


@given(boxes())
def test_what_is_written_is_read_back(elements):
    assert gs1.elements(gs1.element_string(elements)) == elements


@given(boxes(), st.sampled_from(["\x1d", "\u241d", "{GS}", "|"]))
def test_another_implementation_reads_the_same(elements, sign):
    text = gs1.element_string(elements)

    box = gs1.read("]d2" + text.replace("\x1d", sign), NOW_MS)

    theirs = biip.parse("]d2" + text).gs1_message
    assert theirs is not None
    said = {each.ai.ai: each for each in theirs.element_strings}
    assert [(each.ai.ai, each.value) for each in theirs.element_strings] == [*map(tuple, elements)]
    if "17" in said:
        assert EPOCH + timedelta(days=box.expiry_day) == said["17"].date
    assert box.lot == (said["10"].value if "10" in said else "")
    assert box.serial == (said["21"].value if "21" in said else "")
    if "01" in said:
        assert said["01"].gtin is not None
        assert box.gtin == said["01"].gtin.as_gtin_14()


@given(gtins, st.integers(0, 13), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(gtin, at, by):
    wrong = gtin[:at] + str((int(gtin[at]) + by) % 10) + gtin[at + 1 :]

    with pytest.raises(InputError) as refused:
        gs1.read("]d201" + wrong, NOW_MS)
    assert refused.value.code == "gs1_check_digit"


@given(st.one_of(st.text(max_size=80), st.text(CHARS + "\x1d]d2", max_size=80)))
def test_whatever_is_typed_is_read_or_refused_with_a_known_code(text):
    for payload in (text, "]d2" + text, "]C1" + text, "]E0" + text):
        box, code = outcome(gs1.read, payload, NOW_MS)
        assert code in ("", *ERRORS)
        assert box is None or (box != Box() and len(box.lot) <= gs1.LOT_CHARS_MAX)


@given(st.text("0123456789", min_size=6, max_size=6), st.integers(0, 4_000_000_000_000))
def test_a_date_is_within_fifty_years_or_none(text, now_ms):
    found, code = outcome(gs1.day_of, text, now_ms)
    assert code in ("", "gs1_date")
    if found is None:
        return
    year = datetime.fromtimestamp(max(now_ms, IMPLAUSIBLE_BEFORE_MS) / 1000, UTC).year
    assert -49 <= (EPOCH + timedelta(days=found)).year - year <= 50
