"""The answers to `alike` and `lookalikes`: records that may be of one person, never joined here.

Both ask the scope of care alone: what the protection scope knows of somebody changes nothing of
what is found (SAFETY 18).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from protocols.errors import InputError
from protocols.guidelines.vocabulary import fold
from protocols.ledger import duplicates, reading
from protocols.live.alike import Alike, AlikeLine
from protocols.live.answers import board_line
from protocols.live.members import Reader
from protocols.mesh.effects import Now
from protocols.mesh.node import Node
from protocols.records.attributes import Age, AgeUnit, age_days, birth_day, date_code
from protocols.records.likeness import DAY_MS, Person
from protocols.records.patient import PatientRow

ALIKE_MAX = 20
PAIRS_MAX = 50
LOOKED_AT_MAX = 200
"""Patients in care that are compared for one list, the latest to arrive first."""
NAMES_MAX = 8
TEXT_CHARS_MAX = 120

_LATEST = (
    "SELECT id FROM patient WHERE encounter IS NOT NULL AND closed_ms IS NULL AND replaced < 2"
    " AND standing = 0 ORDER BY arrived_ms DESC, code LIMIT ?"
)
_IN_CARE = (
    "SELECT count(*) FROM patient WHERE encounter IS NOT NULL AND closed_ms IS NULL"
    " AND replaced < 2 AND standing = 0"
)


def alike(node: Node, now: Now, args: Mapping[str, Any]) -> Alike:
    """Return who looks like somebody who is about to be written down.

    Raises:
        InputError: `bad_line`, `bad_date`, `sealed_here`.
    """
    _unless_sealed(node)
    found = duplicates.like(node.ledger, _person(args, now.wall_ms), _limit(args, ALIKE_MAX))
    return Alike(
        tuple(
            AlikeLine(
                board_line(each.row, now.wall_ms), each.likeness.points, each.likeness.reasons
            )
            for each in found
        )
    )


def lookalikes(node: Node, now: Now, args: Mapping[str, Any]) -> Alike:
    """Return pairs of patients in care that look like one person, the likest first.

    Raises:
        InputError: `bad_line`, `sealed_here`.
    """
    _unless_sealed(node)
    ledger, limit = node.ledger, _limit(args, PAIRS_MAX)
    rows = [
        row
        for (patient,) in ledger.store.all(_LATEST, (LOOKED_AT_MAX,))
        if (row := reading.patient(ledger, patient)) is not None
    ]
    pairs: dict[frozenset[bytes], tuple[PatientRow, duplicates.Candidate]] = {}
    for row in rows:
        for other in duplicates.candidates(ledger, row.id):
            pairs.setdefault(frozenset((row.id, other.row.id)), (row, other))
    listed = sorted(pairs.values(), key=lambda pair: (-pair[1].likeness.points, pair[0].code))
    total = ledger.store.one(_IN_CARE)
    return Alike(
        tuple(
            AlikeLine(
                board_line(row, now.wall_ms),
                other.likeness.points,
                other.likeness.reasons,
                board_line(other.row, now.wall_ms),
            )
            for row, other in listed[:limit]
        ),
        len(rows),
        total[0] if total else 0,
    )


READS: dict[str, Reader] = {"alike": alike, "lookalikes": lookalikes}


def _person(args: Mapping[str, Any], now_ms: int) -> Person:
    names, sex = args.get("names", []), args.get("sex", 9)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError("bad_line", field="args.names")
    if not isinstance(sex, int) or isinstance(sex, bool):
        raise InputError("bad_line", field="args.sex")
    words = fold(" ".join(name[:TEXT_CHARS_MAX] for name in names[:NAMES_MAX])).split()
    numbers = fold(_text(args, "phone")).split()
    birth = _text(args, "birth_date")
    born = birth_day(date_code(birth, "args.birth_date")) if birth else None
    days, loose = _age(_text(args, "age"))
    if born is not None:
        days, loose = now_ms / DAY_MS - born, len(birth) < 7
    return Person(
        names=tuple(words),
        numbers=frozenset(word for word in numbers if any(char.isdigit() for char in word)),
        tag=_text(args, "tag").strip().lower(),
        sex=sex,
        born_day=born if len(birth) == 10 else None,
        age_days=days,
        loose=loose,
        at_ms=now_ms,
    )


_UNITS = {"y": AgeUnit.YEARS, "mo": AgeUnit.MONTHS, "w": AgeUnit.WEEKS, "d": AgeUnit.DAYS}


def _age(text: str) -> tuple[float | None, bool]:
    """Read an age as boards show it; what does not read says nothing."""
    value, _, unit = text.strip().partition(" ")
    digits = value.removeprefix("~")
    if unit not in _UNITS or not (digits.isascii() and digits.isdecimal()) or len(digits) > 4:
        return None, True
    return age_days(Age(int(digits), 0, _UNITS[unit])), value != digits


def _text(args: Mapping[str, Any], name: str) -> str:
    text = args.get(name, "")
    if not isinstance(text, str) or len(text) > TEXT_CHARS_MAX:
        raise InputError("bad_line", field=f"args.{name}")
    return text


def _limit(args: Mapping[str, Any], most: int) -> int:
    limit = args.get("limit", most)
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
        raise InputError("bad_line", field="args.limit")
    return min(limit, most)


def _unless_sealed(node: Node) -> None:
    if node.ledger.authority.keyring.closed:
        raise InputError("sealed_here")
