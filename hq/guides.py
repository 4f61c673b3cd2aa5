"""What a page says by a guideline pack: always with whether a clinical lead has signed the pack."""

from __future__ import annotations

from dataclasses import dataclass

from hq.queries import Unassigned
from protocols.errors import InputError
from protocols.guidelines.decimals import read_decimal
from protocols.guidelines.observations import judge, observations


@dataclass(frozen=True, slots=True)
class Judged:
    """A value outside what the pack calls usual at any age: one to doubt, no alarm."""

    low: str
    high: str
    unit: str
    approved: bool
    """False: the page says NOT APPROVED beside it (SAFETY 8)."""


def judged(row: Unassigned) -> Judged | None:
    """Return the usual range that a value lies outside of; None when it does not, or none is known.

    Nobody knows whose value it is, so the ranges of all ages are taken as one.
    """
    pack = observations()
    try:
        known = pack.named(row.code, "code")
        unit = [unit.ucum for unit in known.units].index(row.unit)
        found = judge(known, read_decimal(row.value, "value"), unit, None, "value")
    except (InputError, ValueError):
        return None
    if not found.unusual:
        return None
    return Judged(*found.usual, known.units[0].ucum, pack.pack.approved)


def guided(algorithm: str | None) -> bool | None:
    """Return whether the pack that worked out a triage category is signed.

    None: a person gave the category, and no pack had a part in it.
    """
    if not algorithm:
        return None
    head = observations().pack
    return algorithm == head.name and head.approved
