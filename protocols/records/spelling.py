"""How the text of a line is spelled, as the schema of its kind tells programs.

Nothing here refuses anything: what reads a field does that, from the same lists. A schema is never
narrower than its reader, or a program that checks first would hold back what a node takes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from msgspec import Meta

from protocols.ids import DeviceId, DocId, EntryPrefix, Id, SessionId, SiteId

SPACE = r"[\s\u001c-\u001f\u0085]*"
"""What is cut off around a text: JSON Schema's own white space lacks five signs."""


def one_of(words: Iterable[str | int]) -> Meta:
    """Return that a field holds one of these, to the letter."""
    return Meta(extra_json_schema={"enum": [_plain(word) for word in words]})


def any_case(words: Iterable[str]) -> Meta:
    """Return that a field holds one of these words, of letters and hyphens, in capitals too."""
    listed = list(words)
    spelled = "|".join("".join(map(_both, word)) for word in listed)
    told = [{"enum": listed}, {"pattern": f"^(?:{spelled})$"}]
    return Meta(extra_json_schema={"anyOf": told})


def row_in(room: str) -> Meta:
    """Return that a field names a row of what the software brings along.

    Args:
        room: One of the vocabulary, or `observation`; `lineschema` looks its rows up when it is
            asked, so that nobody who writes a line waits for that.
    """
    return Meta(extra_json_schema={"enum": room})


def shaped(pattern: str, **more: Any) -> Meta:
    """Return that a text matches, as far as it is no number."""
    return Meta(extra_json_schema={"pattern": pattern, **more})


def _trimmed(pattern: str) -> Meta:
    return shaped(f"^{SPACE}(?:{pattern}){SPACE}$")


def _named(*spelled: str) -> Meta:
    # An example names what only a book knows by `$` and a word; it is whole but for that.
    return shaped(rf"^(?:{'|'.join(spelled)}|\$[a-z]+)$")


def _letters(of: type[Id]) -> str:
    """Return how an id's bytes are spelled: hyphens, case and O I L are forgiven."""
    count = (of.SIZE * 8 + 4) // 5
    return rf"(?:-*[0-9A-TV-Za-tv-z]){{{count}}}-*"


def _id(of: type[Id]) -> str:
    return f"{of.PREFIX}_{_letters(of)}"


_FACT = rf"fct_{_letters(EntryPrefix)}(?:\.[0-9]{{0,4}})?"

FactText = Annotated[str, _named(_FACT)]
"""Id of a fact."""
ShipmentText = Annotated[str, _named(_id(DocId), _FACT)]
"""Id of a shipment, or of any record of it."""
SiteText = Annotated[str, _named(_id(SiteId))]
SessionText = Annotated[str, _named(_id(SessionId))]
DeviceText = Annotated[str, _named(_id(DeviceId))]

NumberText = Annotated[str, _trimmed("-?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)")]
"""A decimal number, with a point or a comma, as `decimals.read_decimal` takes it."""
DateText = Annotated[str, _trimmed("[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")]
"""A year, a month or a day, as `attributes.date_code` takes it."""
DayText = Annotated[str, _trimmed("[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?")]
"""A day, or a month for its last one, as `vaccination.read_day` takes it."""
ExpiryText = Annotated[str, _trimmed("(?:[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?)?")]
"""The same as `moving.expiry_day` takes it: empty is none."""
DigestText = Annotated[str, shaped(r"^[0-9A-Fa-f\s]*$")]
"""64 hexadecimal digits, or none."""
Base64Text = Annotated[str, shaped("^[0-9A-Za-z+/=]*$")]


_ALSO = {"k": "\u212a"}
"""The sign for kelvin is no letter, and a k in small letters."""


def _plain(word: str | int) -> str | int:
    return int(word) if isinstance(word, int) else word


def _both(letter: str) -> str:
    """Return a letter in both cases."""
    if not letter.isalpha():
        return letter
    return f"[{letter}{letter.upper()}{_ALSO.get(letter, '')}]"
