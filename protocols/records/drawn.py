"""What a dose given takes from a store: whole units rounded up, and what of them is discarded."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from protocols.errors import InputError
from protocols.guidelines.decimals import SCALE_MAX
from protocols.guidelines.items import Item, of_substance, strength_in
from protocols.ids import DocId, PatientId, SiteId
from protocols.records import stopped
from protocols.records.amounts import UNITS, Amount
from protocols.records.balance import pair_of
from protocols.records.drawing import catalogue, doubts, item_named, whole
from protocols.records.history import Ref
from protocols.records.kinds import KindNo
from protocols.records.moment import IMPLAUSIBLE_BEFORE_MS
from protocols.records.movement import DAY_MS, Move, lot_text, pair_history
from protocols.records.planning import Desk
from protocols.records.shape import Statement

if TYPE_CHECKING:
    from protocols.records.administration import AdministrationData, AdministrationRecord

UNITS_OF_DOSE_MAX = 1000
"""Units for one dose, as `doses.UNITS_MAX`."""


class Taken(NamedTuple):
    """What a dose takes out of a store."""

    store: SiteId
    item: Item
    lot: str
    units: int
    discarded: Amount | None
    """What is left of them, in the unit of the dose; None where nothing is, or it is not known."""


def taken(desk: Desk, data: AdministrationData, record: AdministrationRecord) -> Taken | None:
    """Return what a dose takes from the store that its line names; None when it names none.

    Raises:
        InputError: `missing_field` where the catalogue cannot say which item or how many units,
            `out_of_range` where the units hold less than the dose, `unknown_item`.
    """
    store = desk.store_if_any()
    if store is None:
        for name in ("item", "units"):
            if getattr(data, name) is not None:
                raise InputError("missing_field", field="store")
        return None
    item = _item(desk, data, record)
    unit = UNITS[record.dose.unit] if record.dose is not None else ""
    strength = strength_in(item, unit)
    units = _units(data, record, strength)
    left = None
    if strength is not None and record.dose is not None:
        left = units * strength - record.dose.exact
        if left < 0:
            least = -(-record.dose.exact // strength)
            raise InputError("out_of_range", field="data.units", allowed=(f"{least} or more",))
    rest = _amount(left, record.dose) if left else None
    return Taken(store, item, lot_text(data.lot, "data.lot"), units, rest)


def _item(desk: Desk, data: AdministrationData, record: AdministrationRecord) -> Item:
    if data.item is not None:
        return item_named(desk, data.item)
    found = of_substance(record.substance, catalogue(desk))
    if len(found) != 1:
        codes = tuple(item.code for item in found)
        raise InputError("missing_field", field="data.item", allowed=codes)
    return found[0]


def _units(
    data: AdministrationData, record: AdministrationRecord, strength: Fraction | None
) -> int:
    if data.units is not None:
        return whole(data.units, "data.units", UNITS_OF_DOSE_MAX)
    if strength is None or record.dose is None:
        raise InputError("missing_field", field="data.units")
    units = int(-(-record.dose.exact // strength))
    if units > UNITS_OF_DOSE_MAX:
        raise InputError("missing_field", field="data.units")
    return units


def _amount(left: Fraction, dose: Amount | None) -> Amount | None:
    """Return what is left as an amount; None where it has more decimals than an amount holds."""
    assert dose is not None
    for scale in range(SCALE_MAX + 1):
        shifted = left * 10**scale
        if shifted.denominator == 1:
            mantissa = int(shifted)
            return Amount(mantissa, scale, dose.unit) if mantissa < 10**9 else None
    return None


def must_leave(
    desk: Desk, what: Taken, patient: PatientId, witness: str, *, beside: bool = False
) -> None:
    """Ask once about what is doubtful of it; refuse a lot that nobody may be given.

    What a session gives beside its vaccines may be in the child already, as a dose of vaccine may:
    then it may be said, as `stopped.py` has it.

    Args:
        desk: The command.
        what: What it takes.
        patient: Whose dose it is.
        witness: Who saw the rest discarded; ''.
        beside: Whether a session gives it beside its vaccines.

    Raises:
        InputError: as `drawing.doubts`.
    """
    move = _move(what.store, what.item.code, what.units, what.lot, patient, None, witness)
    given = beside and bool(what.lot) and _given_already(desk, what)
    doubts(desk, what.item, move, way="out", given=given)


def _given_already(desk: Desk, what: Taken) -> bool:
    lot = pair_of(pair_history(desk, what.store, what.item.code)).lot(what.lot)
    expiry, at_ms = None if lot is None else lot.expiry, desk.at_ms()
    day = at_ms // DAY_MS if at_ms >= IMPLAUSIBLE_BEFORE_MS else None
    of_lot = stopped.Taken(bytes(what.store), what.item.code, what.lot, expiry)
    return stopped.must_be_usable(desk, of_lot, day, "data.lot", said=stopped.GIVEN_ALREADY)


def follow(value: Statement, subject: DocId, cause: Ref) -> Sequence[Move]:
    """Return what a dose that was given takes out of a store."""
    item, units = getattr(value, "item", ""), getattr(value, "units", 0)
    store, lot = getattr(value, "store", None), getattr(value, "lot", "")
    if not (store and item and units):
        return ()
    witness = getattr(value, "witness", "")
    return (_move(store, item, units, lot, subject, cause, witness),)


def _move(  # noqa: PLR0913 - a movement has this many parts
    store: bytes,
    item: str,
    units: int,
    lot: str,
    patient: DocId,
    cause: Ref | None,
    witness: str,
) -> Move:
    return Move(
        KindNo.STOCK_DISPENSE,
        bytes(store),
        item,
        units,
        lot=lot,
        why="dose",
        cause=cause,
        patient=bytes(patient),
        witness=witness,
    )
