"""Text a person wrote, made safe to show: on a terminal, a page, a label, in a CSV file or a log.

There is one door. What is stored and signed stays as it was typed; what is shown has passed here.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NewType

DisplayText = NewType("DisplayText", str)
"""One line that holds no control, no invisible and no direction character, in NFC."""

TEXT_CHARS_MAX = 200
"""Longest line shown; longer ones end in an ellipsis."""

LINES_MAX = 200
"""Most lines of one note."""

MARKS_MAX = 6
"""Combining marks kept on one letter; Burmese needs six, a tower of accents needs more."""

ELLIPSIS = "…"

_FIRST_MARK = "\u0300"

_WORK_CHARS_PER_CHAR = 8
"""Characters read for each one that may be shown, so a long text costs no more than a short one."""

_SPACE = "\t-\r\x1c-\x1f \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u2800\u3000"
_DROPPED = (
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"  # C0, DEL, C1
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # drawn as nothing
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb"  # direction, zero width
    "\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"  # signs that swallow digits
    "\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # layout of dead scripts
    "\ufe00-\ufe0f\U000e0000-\U000e0fff"  # variation selectors and tags: they change the width
    "\ud800-\udfff\ue000-\uf8ff\U000f0000-\U0010ffff"  # surrogates, private use
    "\ufdd0-\ufdef\ufffe\uffff"
)
_NONCHARACTERS = "".join(
    f"{chr(p | 0xFFFE)}{chr(p | 0xFFFF)}" for p in range(0x10000, 0xF0000, 0x10000)
)
_JOINING = (
    "\u0620-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\ufb50-\ufdcf\ufdf0-\ufdff\ufe70-\ufefe"
)
_JOINERS = "\u200c\u200d"

_drop = re.compile(f"[{_DROPPED}{_NONCHARACTERS}]+")
_spaces = re.compile(f"[{_SPACE}]+")
_stray_joiner = re.compile(f"(?<![{_JOINING}])[{_JOINERS}]|[{_JOINERS}](?![{_JOINING}])")
_breaks = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
_letters = re.compile(
    "[ -~\xa1-\xac\xae-\u02ff\u0400-\u0482\u048a-\u052f\u0620-\u064a\u1e00-\u1eff"
    "\u4e00-\u9fff\uac00-\ud7a3]*"
)
"""Latin, Cyrillic, Arabic, Han and Hangul as they are typed: no sign of these is dropped, combines
or is spelled another way in NFC."""


_NOTHING = DisplayText("")


def clean_text(text: str, limit: int = TEXT_CHARS_MAX) -> DisplayText:
    """Return `text` as one line of at most `limit` characters that a terminal can only draw.

    Never raises, and cleaning twice changes nothing. White space of any kind, line breaks too,
    becomes one space. Joiners stay where Arabic and Indic scripts need them.
    """
    if not text:
        return _NOTHING
    if _is_plain(text, limit):
        return DisplayText(text)
    if len(text) <= _SHORT_CHARS:
        return _clean_short(text, limit)
    return _clean(text, limit)


_SHORT_CHARS = 64
_SHORT_KEPT = 2048
"""Short texts remembered as cleaned: names, places and remarks come again and again."""


@lru_cache(_SHORT_KEPT)
def _clean_short(text: str, limit: int) -> DisplayText:
    return _clean(text, limit)


def _clean(text: str, limit: int) -> DisplayText:
    work = limit * _WORK_CHARS_PER_CHAR
    kept = _stray_joiner.sub("", _drop.sub("", text[:work]))
    shown = unicodedata.normalize("NFC", _spaces.sub(" ", kept))
    shown = _cap_marks(shown).rstrip(" ")
    if len(shown) <= limit and len(text) <= work:
        return DisplayText(shown)
    return DisplayText(shown[: limit - 1].rstrip(" " + _JOINERS + ELLIPSIS) + ELLIPSIS)


def clean_lines(text: str, limit: int = TEXT_CHARS_MAX) -> tuple[DisplayText, ...]:
    """Return the lines of a note, each cleaned; at most `LINES_MAX`, the last then an ellipsis."""
    if text and _is_plain(text, limit):
        return (DisplayText(text),)
    bounded = text[: LINES_MAX * limit]
    lines = [clean_text(line, limit) for line in _breaks.split(bounded, LINES_MAX)]
    if len(lines) > LINES_MAX or len(bounded) < len(text):
        lines = [*lines[: LINES_MAX - 1], DisplayText(ELLIPSIS)]
    return tuple(lines)


def _is_plain(text: str, limit: int) -> bool:
    """Plain letters without double, leading or trailing spaces: most of what is typed."""
    return (
        len(text) <= limit
        and (text.isprintable() if text.isascii() else _letters.fullmatch(text) is not None)
        and "  " not in text
        and text[:1] != " "
        and text[-1:] != " "
    )


def _cap_marks(text: str) -> str:
    """Keep at most `MARKS_MAX` marks on a letter and none, nor a space, before the first one."""
    if not text or (max(text) < _FIRST_MARK and text[0] != " "):
        return text
    kept: list[str] = []
    marks = MARKS_MAX
    for char in text:
        if char in _JOINERS or (char >= _FIRST_MARK and unicodedata.category(char)[0] == "M"):
            marks += 1
            if marks > MARKS_MAX:
                continue
        elif kept or char != " ":
            marks = 0
        else:
            continue
        kept.append(char)
    return "".join(kept)
