"""What is asked before doses are drawn from a vial, by name or in a tally: one set of doubts."""

from __future__ import annotations

from protocols.guidelines.items import Items, shipped_items
from protocols.records.decision import ONE_OF
from protocols.records.dose import GIVEN, STATUSES, DoseRow
from protocols.records.planning import Desk
from protocols.records.session import SessionRow
from protocols.records.stopped import GIVEN_ALREADY, Taken, must_be_usable
from protocols.records.vial import VialRow

# records of its own it has none: `dosing.py` and `tallying.py` write what is drawn


def must_be_fit(desk: Desk, vial: VialRow, day: int | None, where: str, n: int = 1) -> None:
    """Refuse a lot that nobody may use; ask about a vial past its limit, closed or empty.

    What was drawn may be in somebody already: then it may be said, as `stopped.py` has it.

    Args:
        desk: The command.
        vial: As it is known here.
        day: On which day, there, since 1970-01-01; None: no clock that could be right said.
        where: The field that names the vial.
        n: Doses that are drawn.

    Raises:
        InputError: As `must_be_usable`; `confirm_needed`.
    """
    taken = Taken(vial.store, vial.item, vial.lot, vial.expiry_day)
    must_be_usable(desk, taken, day, where, said=GIVEN_ALREADY)
    if vial.diluent and vial.diluent_lot:
        mixed = Taken(vial.store, vial.diluent, vial.diluent_lot, None)
        must_be_usable(desk, mixed, day, where, said=GIVEN_ALREADY)
    if vial.closed:
        desk.confirmed("vial_discarded", where)
    if vial.limit_ms is not None and desk.at_ms() > vial.limit_ms:
        desk.confirmed("vial_past_limit", where)
    elif vial.doubtful or desk.at_ms() < vial.at_ms:
        desk.warn("vial_limit_doubtful")
    if drawn_of(desk, vial) + vial.lost + n > vial.doses:
        desk.confirmed("vial_empty", where, allowed=(str(vial.doses),))


def drawn_of(desk: Desk, vial: VialRow) -> int:
    """Return how many doses were drawn of a vial; what was taken back was not.

    Records that were decided to be of one dose are of one that was drawn once.
    """
    named = sum(
        not (row.standing or row.replaced)
        and row.status == STATUSES[GIVEN]
        and row.settled != ONE_OF
        for row in desk.view.rows_where(DoseRow, "vial", vial.vial)
    )
    return named + vial.tallied


def must_be_open(desk: Desk, session: SessionRow | None) -> None:
    """Ask once about what is written in a session that was closed."""
    if session is not None and session.closed_ms is not None:
        desk.confirmed("session_closed", "data.session")


def items_of(desk: Desk, vaccine: str) -> tuple[str, ...]:
    """Return the stock items that hold a vaccine: of a lot without a vial any of them is meant."""
    held = desk.view.pack("items")
    known = held if isinstance(held, Items) else shipped_items()
    return tuple(item.code for item in known.item if item.vaccine == vaccine)
