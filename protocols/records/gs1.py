"""What a scanner types from a box: GTIN, lot, expiry and serial out of GS1 codes and shop codes.

Scanners are keyboards. Set as we ask them to be, they put the AIM identifier in front; GS1 codes
then hold *application identifiers* of two to four digits, each with its value. A value without a
fixed length ends at a separator, which not every scanner sends as 0x1D.

Source: GS1 General Specifications 7.8 (elements, predefined lengths), 7.9 (check digit), 7.11 (set
of 82 characters), 7.12 (years), recalled and held against another implementation by tests.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from protocols.errors import InputError
from protocols.guidelines.gtin import GTIN_DIGITS, GTIN_LENGTHS, check_digit, is_digits, is_gtin
from protocols.records.moment import IMPLAUSIBLE_BEFORE_MS

SEPARATOR = "\x1d"

SUBSTITUTES = ("<GS>", "{GS}", "[GS]", "\\x1d", "\\u001d", "^]", "\u241d", "|", "~", "^")
"""What scanners and terminals send for the separator; longer ones first. None of the single signs
may stand in a value."""

PAYLOAD_CHARS_MAX = 512
"""A DataMatrix on a box holds under 150; more is no box."""
LOT_CHARS_MAX = 20
SHORT = 8
"""Digits of the shortest GTIN: numbers of one's own are often as short."""

OWN_CODE, OWN_CODE_CHARS_MAX = "240", 30
"""Where labels of ours say which item it is that has no number of GS1."""

GS1_PREFIXES = ("]d2", "]C1", "]e0", "]Q3", "]J1")
"""DataMatrix, Code 128, DataBar, QR and DotCode that say of themselves that they are GS1."""
SHOP_PREFIXES = ("]E0", "]E4", "]I0", "]I1")
"""EAN-13 with UPC-A, EAN-8, ITF-14: nothing but a GTIN."""


class Element(NamedTuple):
    """One application identifier and its value."""

    ai: str
    value: str


class Box(NamedTuple):
    """What a code says of the box it is on."""

    gtin: str = ""
    """14 digits, padded with noughts on the left; '' when the code names none."""
    lot: str = ""
    expiry_day: int | None = None
    """Last day it may be used, in days since 1970-01-01."""
    serial: str = ""
    made_day: int | None = None
    best_day: int | None = None
    """Best before, where it is stated beside or instead of an expiry."""
    quantity: int | None = None
    """How many of `content`, or of what is counted, are inside."""
    content: str = ""
    """GTIN of what is inside, of a shipping box."""
    sscc: str = ""
    """Number of the shipping box itself."""
    others: tuple[Element, ...] = ()
    """What else it says, and what this software does not know."""
    separator_lost: bool = False
    """Lot or serial end in what reads as another element: the scanner may send no separators."""


# reading


def read(payload: str, now_ms: int) -> Box:
    """Return what a code says.

    Args:
        payload: As the scanner typed it, with the AIM identifier or without; without one it is
            taken when it is a GTIN alone, or begins with one as GS1 codes on boxes do.
        now_ms: Unix milliseconds: years have two digits, and are those nearest to now.

    A code that begins with the separator holds elements too: squares of printers that know no other
    way say so by it. Without an AIM identifier 12 digits and more are a GTIN or a mistake; 8 may be
    anything.

    Raises:
        InputError: `gs1_printed` for the line in brackets, `gs1_check_digit`, `gs1_date`,
            `gs1_cut` for a value of the wrong length or signs, `gs1_twice`, `not_gs1`, `too_long`.
    """
    if len(payload) > PAYLOAD_CHARS_MAX:
        raise InputError("too_long", field=FIELD, limit=PAYLOAD_CHARS_MAX)
    prefix, text = split(payload)
    if _PRINTED.match(text):
        raise InputError("gs1_printed", field=FIELD)
    if prefix in GS1_PREFIXES or text.startswith(SEPARATOR):
        return _box(elements(text), now_ms)
    if prefix in SHOP_PREFIXES:
        return Box(gtin=checked_gtin(text))
    if prefix:
        raise InputError("not_gs1", field=FIELD)
    if is_digits(text) and len(text) in GTIN_LENGTHS and (is_gtin(text) or len(text) > SHORT):
        return Box(gtin=checked_gtin(text))
    if _BOX.match(text):
        return _box(elements(text), now_ms)
    raise InputError("not_gs1", field=FIELD)


FIELD = "data.barcode"
_BOX = re.compile(r"01[0-9]{14}", re.ASCII)
_PREFIX = re.compile(r"\][A-Za-z][0-9]", re.ASCII)
_PRINTED = re.compile(r"\s*\([0-9]{2,4}\)", re.ASCII)


def split(payload: str) -> tuple[str, str]:
    """Return the AIM identifier, '' when there is none, and what follows; ends are trimmed."""
    text = payload.strip(" \t\r\n")
    if _PREFIX.match(text):
        return text[:3], text[3:]
    return "", text


def elements(text: str) -> tuple[Element, ...]:
    """Return the elements of a GS1 code without its AIM identifier, in their order.

    Raises:
        InputError: `gs1_cut`, `gs1_check_digit`, `gs1_twice`.
    """
    rest = separated(text)
    found: list[Element] = []
    while rest := rest.lstrip(SEPARATOR):
        ai = _ai(rest)
        value, rest = _value(ai, rest[len(ai) :])
        element = Element(ai, value)
        _check(element)
        if any(each.ai == ai and each.value != value for each in found):
            raise InputError("gs1_twice", field=FIELD)
        if element not in found:
            found.append(element)
    if not found:
        raise InputError("gs1_cut", field=FIELD)
    return tuple(found)


def separated(text: str) -> str:
    """Return a code with one kind of separator, whatever the scanner sends for it."""
    if SEPARATOR in text:
        return text
    for each in SUBSTITUTES:
        text = text.replace(each, SEPARATOR)
    return text


def checked_gtin(text: str) -> str:
    """Return a GTIN of 8, 12, 13 or 14 digits as 14.

    Raises:
        InputError: `gs1_cut` for another length or other signs, `gs1_check_digit`.
    """
    if not is_digits(text) or len(text) not in GTIN_LENGTHS:
        raise InputError("gs1_cut", field=FIELD)
    if not is_gtin(text):
        raise InputError("gs1_check_digit", field=FIELD)
    return text.rjust(GTIN_DIGITS, "0")


# elements


class Form(NamedTuple):
    """What a value looks like."""

    least: int
    most: int
    digits: bool = False
    checked: bool = False
    """Its last digit is a check digit."""


_TEXT_20, _DATE, _NUMBER_8 = Form(1, 20), Form(6, 6, digits=True), Form(1, 8, digits=True)
FORMS = {
    "00": Form(18, 18, digits=True, checked=True),
    "01": Form(14, 14, digits=True, checked=True),
    "02": Form(14, 14, digits=True, checked=True),
    "10": _TEXT_20,
    "11": _DATE,
    "13": _DATE,
    "15": _DATE,
    "17": _DATE,
    "21": _TEXT_20,
    "30": _NUMBER_8,
    "37": _NUMBER_8,
    "240": Form(1, 30),
    "414": Form(13, 13, digits=True, checked=True),
    **{str(ai): _TEXT_20 for ai in range(710, 715)},
}
"""The application identifiers that this software reads."""

_LENGTHS = (
    {"00": 18, "01": 14, "02": 14, "03": 14, "04": 16, "20": 2}
    | {str(ai): 6 for ai in range(11, 20)}
    | {str(ai): 6 for ai in range(31, 37)}
    | {"41": 13}
)
"""Digits behind identifiers that begin so, known or not: no separator has to follow them."""

_AI_DIGITS = {"23": 3, "24": 3, "25": 3, "40": 3, "41": 3, "42": 3, "71": 3} | dict.fromkeys(
    (*map(str, range(31, 37)), "39", "43", "70", "72", "80", "81", "82"), 4
)
"""Digits of identifiers that begin so; all others have two."""


def _ai(text: str) -> str:
    ai = text[: _AI_DIGITS.get(text[:2], 2)]
    if len(ai) < _AI_DIGITS.get(text[:2], 2) or not is_digits(ai):
        raise InputError("gs1_cut", field=FIELD)
    return ai


def _value(ai: str, rest: str) -> tuple[str, str]:
    length = _LENGTHS.get(ai[:2])
    if length is not None:
        return rest[:length], rest[length:]
    value, _, behind = rest.partition(SEPARATOR)
    return value, behind


_CHARS_82 = re.compile(r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]*", re.ASCII)
_UNKNOWN = Form(1, 90)
"""The longest value there is in GS1."""


def _check(element: Element) -> None:
    length = _LENGTHS.get(element.ai[:2])
    known = FORMS.get(element.ai) or (_UNKNOWN if length is None else Form(length, length))
    value = element.value
    fits = known.least <= len(value) <= known.most and _CHARS_82.fullmatch(value)
    if not fits or (known.digits and not is_digits(value)):
        raise InputError("gs1_cut", field=FIELD)
    if known.checked and check_digit(value[:-1]) != value[-1]:
        raise InputError("gs1_check_digit", field=FIELD)


# what the elements say


def _box(found: tuple[Element, ...], now_ms: int) -> Box:
    said = {element.ai: element.value for element in found}
    quantity = said.get("37") or said.get("30")
    lot, serial, expiry = said.get("10", ""), said.get("21", ""), said.get("17")
    return Box(
        gtin=said.get("01", ""),
        lot=lot,
        expiry_day=None if expiry is None else day_of(expiry, now_ms),
        serial=serial,
        made_day=_day(said.get("11"), now_ms),
        best_day=_day(said.get("15"), now_ms),
        quantity=None if quantity is None else int(quantity),
        content=said.get("02", ""),
        sscc=said.get("00", ""),
        others=tuple(element for element in found if element.ai not in _READ),
        separator_lost=expiry is None and (_swallows(lot, now_ms) or _swallows(serial, now_ms)),
    )


_READ = frozenset({"00", "01", "02", "10", "11", "15", "17", "21", "30", "37"})


def _day(value: str | None, now_ms: int) -> int | None:
    return None if value is None else day_of(value, now_ms)


def _swallows(value: str, now_ms: int) -> bool:
    """Whether a value ends in what would be an expiry, had a separator come before it."""
    found = re.fullmatch(r".+?17([0-9]{6})(21.+|10.+)?", value, re.ASCII)
    if found is None:
        return False
    try:
        day_of(found[1], now_ms)
    except InputError:
        return False
    return True


def day_of(value: str, now_ms: int) -> int:
    """Return a date YYMMDD in days since 1970-01-01; day 00 is the last of the month.

    The year is the one within 49 before and 50 after now. A clock that cannot be right counts as
    the first day on which it could be.

    Raises:
        InputError: `gs1_date`.
    """
    now = datetime.fromtimestamp(max(now_ms, IMPLAUSIBLE_BEFORE_MS) / 1000, UTC)
    year, month, day = int(value[:2]), int(value[2:4]), int(value[4:])
    apart = year - now.year % 100
    century = now.year - now.year % 100 + (-100 if apart >= 51 else 100 if apart <= -50 else 0)
    year += century
    try:
        if day == 0:
            after = date(year + month // 12, month % 12 + 1, 1) if 1 <= month <= 12 else None
            if after is None:
                raise InputError("gs1_date", field=FIELD)
            found = after - timedelta(days=1)
        else:
            found = date(year, month, day)
    except ValueError:
        raise InputError("gs1_date", field=FIELD) from None
    return (found - date(1970, 1, 1)).days


# writing, for labels


def element_string(found: tuple[Element, ...]) -> str:
    """Return elements as one code without AIM identifier, a separator where one is needed.

    Raises:
        InputError: as `elements`, when one of them cannot be written.
    """
    text = ""
    for at, element in enumerate(found):
        _check(element)
        text += element.ai + element.value
        if at < len(found) - 1 and element.ai[:2] not in _LENGTHS:
            text += SEPARATOR
    return text


def yymmdd(day: int) -> str:
    """Return a day since 1970-01-01 as codes hold it."""
    return (date(1970, 1, 1) + timedelta(days=day)).strftime("%y%m%d")
