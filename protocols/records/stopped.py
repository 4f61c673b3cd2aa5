"""Lots that nobody may be given of: recalled, held back, past their last day; and since when.

What is about to be given is refused. A dose that is in somebody already is a fact, and so is a vial
that was opened: it is written where its stated time was before anybody said that of the lot, or
where a person says so in so many words. That the lot is recalled stays beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from protocols.errors import InputError
from protocols.records.lots import QuarantineRow
from protocols.records.moment import IMPLAUSIBLE_BEFORE_MS
from protocols.records.planning import Desk
from protocols.records.recall import standing
from protocols.records.shape import View
from protocols.records.zones import DAY_MS, HOUR_MS

# records of its own it has none: `recall.py` and `lots.py` say what is recalled and held back

GIVEN_ALREADY = "lot_given_already"
"""Code by which a person says that a dose of such a lot is in somebody already.

No refusal names it: whoever confirms whatever is asked of them has not said so.
"""
OPENED_ALREADY = "lot_opened_already"
"""Code by which a person says that a vial was opened before that was said of its lot.

Nobody says it of the last day of a lot: a vial opened before that day has a time of its own.
"""
GIVEN_BEFORE = "lot_stopped_since"
"""Warned of where a dose or a vial has a stated time before the lot was recalled or held back."""

ZONES_MS = 12 * HOUR_MS
"""A day of a place ends at most so long after the same day in UTC."""


class Taken(NamedTuple):
    """So many doses of a lot that are to be used."""

    store: bytes | None
    item: str
    lot: str
    expiry: int | None


class Stop(NamedTuple):
    """Why nobody may be given of a lot."""

    code: str
    """`lot_recalled`, `lot_quarantined` or `lot_expired`."""
    why: tuple[str, ...] = ()
    since_ms: int | None = None
    """From when on that was said, Unix milliseconds; None: what is about to be given may not be."""


def stops(view: View, taken: Taken, day: int | None) -> Iterator[Stop]:
    """Yield what stops a lot, the worst first.

    Args:
        view: The book.
        taken: What is used.
        day: On which day, there, counted from 1970-01-01; None: nobody knows, so no last day of
            use is asked about.
    """
    recalled = standing(view, taken.item, taken.lot)
    if recalled:
        why = tuple(sorted({row.why for row in recalled}))
        yield Stop("lot_recalled", why, min(row.at_ms for row in recalled))
    held = [
        row
        for row in view.rows_where(QuarantineRow, "store", taken.store)
        if (row.item, row.lot, row.held, row.standing) == (taken.item, taken.lot, 1, 0)
    ] if taken.store is not None else []  # fmt: skip
    if held:
        why = tuple(sorted({row.why for row in held}))
        yield Stop("lot_quarantined", why, min(row.at_ms for row in held))
    if taken.expiry is not None and day is not None and taken.expiry < day:
        yield Stop("lot_expired")


def must_be_usable(
    desk: Desk, taken: Taken, day: int | None, where: str, *, said: str = ""
) -> bool:
    """Refuse a lot that nobody may use; return whether it was used though it is stopped.

    Args:
        desk: The command.
        taken: What is used.
        day: On which day, there, counted from 1970-01-01; None: nobody knows.
        where: The field, for a refusal.
        said: By which code a person says that it happened already, `GIVEN_ALREADY` or
            `OPENED_ALREADY`; '' where nobody can say so.

    Raises:
        InputError: `lot_recalled` or `lot_quarantined`, naming why, or `lot_expired`.
    """
    found = tuple(stops(desk.view, taken, day))
    for stop in found:
        dated = stop.since_ms is None and said == OPENED_ALREADY
        if said and _before(desk, stop.since_ms):
            desk.warn(GIVEN_BEFORE)
        elif said and said in desk.command.confirm and not dated:
            desk.warn(said)
        else:
            raise InputError(stop.code, field=where, allowed=stop.why)
    return bool(found)


def _before(desk: Desk, since_ms: int | None) -> bool:
    """Whether a stated time was over before an instant; what nobody stated is now."""
    if desk.command.at is None or since_ms is None or since_ms < IMPLAUSIBLE_BEFORE_MS:
        return False
    stated = desk.circumstances()
    lasts = _LASTS_MS.get(stated.precision if stated else "")
    return lasts is not None and desk.at_ms() + lasts < since_ms


_LASTS_MS = {"": 0, "hour": HOUR_MS, "day": DAY_MS + ZONES_MS}
"""How much later than its number a stated time may have been; others are no time to compare."""

# merge note: a recall that comes after a dose was written takes nothing back; it is told beside it.
