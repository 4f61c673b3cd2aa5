"""Vials of vaccination sessions: what was drawn, what was wasted, and which are open too long."""

from __future__ import annotations

from typing import Any, NamedTuple

from protocols.ids import EntryPrefix, FactRef
from protocols.ledger.coverage import Asked, in_sessions


class Vial(NamedTuple):
    """One vial, and what became of its doses."""

    ref: FactRef
    item: str
    vaccine: str
    lot: str
    expiry_day: int | None
    opened_ms: int
    doses: int
    drawn: int
    """By name and in tallies."""
    lost: int
    """As said when it was thrown away."""
    why: str
    closed: bool
    limit_ms: int | None
    """Until when it may be used; None: nobody knows."""
    past: bool
    """Still in use, and longer open than it may be, or after its session ended."""
    session: bytes
    store: bytes | None
    diluent: str = ""
    diluent_lot: str = ""

    @property
    def wasted(self) -> int:
        """Opened less drawn, once it is thrown away; until then what was lost of it."""
        return _wasted(self.doses, self.drawn, self.lost, closed=self.closed)

    @property
    def left(self) -> int:
        """Still to be drawn; below 0 where more were drawn than were in it."""
        return 0 if self.closed else self.doses - max(self.drawn, 0) - self.lost


def _wasted(doses: int, drawn: int, lost: int, *, closed: bool) -> int:
    """Return what helped nobody: never more than was in it, whatever was taken back of it."""
    return max(doses - max(drawn, 0), 0) if closed else min(lost, doses)


def vials(ledger: Asked, now_ms: int, session: bytes | None = None) -> list[Vial]:
    """Return vials, the first opened first; those in use know whether they are past their limit.

    Args:
        ledger: The book.
        now_ms: Unix milliseconds.
        session: Of one session only.
    """
    where, asked = ("", ()) if session is None else (" AND v.session = ?", (bytes(session),))
    found = ledger.store.all(
        "SELECT v.vial, v.item, v.vaccine, v.lot, v.expiry_day, v.at_ms, v.doses,"
        " v.tallied, v.lost, v.why, v.closed, v.limit_ms, v.session,"
        " v.store, v.diluent, v.diluent_lot, v.ends_with_session AND EXISTS"
        " (SELECT 1 FROM session s WHERE s.id = v.session"
        " AND s.closed_ms <= ?)"
        f" FROM vial v WHERE v.standing = 0 AND v.replaced = 0{where} ORDER BY v.at_ms, v.vial",
        (now_ms, *asked),
    )
    drawn = in_sessions(ledger).drawn
    return [_vial(now_ms, drawn[each[0]], *each) for each in found]


def _vial(now_ms: int, named: int, *each: Any) -> Vial:
    *told, closed, limit_ms, session, store, diluent, diluent_lot, ended = each
    late = limit_ms is not None and now_ms > limit_ms
    vial, item, vaccine, lot, expiry_day, opened_ms, doses, tallied, lost, why = told
    return Vial(
        FactRef(EntryPrefix(vial[:16]), int.from_bytes(vial[16:18])),
        item,
        vaccine,
        lot,
        expiry_day,
        opened_ms,
        doses,
        named + tallied,
        lost,
        why,
        bool(closed),
        limit_ms,
        not closed and (bool(ended) or late),
        bytes(session),
        None if store is None else bytes(store),
        diluent,
        diluent_lot,
    )


class Wastage(NamedTuple):
    """What became of the vials of one vaccine."""

    vaccine: str
    vials: int
    opened: int
    """Doses in them."""
    drawn: int
    wasted: int
    """Of vials that were thrown away; those still open count nothing but what was lost."""
    by_reason: tuple[tuple[str, int], ...]

    @property
    def percent(self) -> float | None:
        """Of a hundred doses opened, how many helped nobody."""
        return self.wasted * 100 / self.opened if self.opened else None


def wastage(ledger: Asked, now_ms: int) -> list[Wastage]:
    """Return what was opened, drawn and wasted, by vaccine: as `vials` has it, all of them."""
    named = in_sessions(ledger).drawn
    sums: dict[tuple[str, str], list[int]] = {}
    for vial, vaccine, why, closed, doses, lost, tallied in ledger.store.all(
        "SELECT vial, vaccine, why, closed, doses, lost, tallied FROM vial"
        " WHERE standing = 0 AND replaced = 0"
    ):
        drawn = tallied + named[vial]
        held = sums.setdefault((vaccine, why), [0, 0, 0, 0])
        held[0] += 1
        held[1] += doses
        held[2] += drawn
        held[3] += _wasted(doses, drawn, lost, closed=closed)
    found: dict[str, Wastage] = {}
    for (vaccine, why), (number, opened, drawn, wasted) in sorted(sums.items()):
        known = found.get(vaccine) or Wastage(vaccine, 0, 0, 0, 0, ())
        found[vaccine] = Wastage(
            vaccine,
            known.vials + number,
            known.opened + opened,
            known.drawn + drawn,
            known.wasted + wasted,
            (*known.by_reason, (why, wasted)) if wasted else known.by_reason,
        )
    return list(found.values())
