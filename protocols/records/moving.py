"""What store-keepers write: received, issued, dispensed, returned, lost, adjusted."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec

from protocols.errors import InputError
from protocols.guidelines.items import Item
from protocols.ids import SiteId
from protocols.records.drawing import PacksData, amount_of, doubts, item_named, whole
from protocols.records.kinds import KindNo
from protocols.records.movement import (
    UNITS_MAX,
    WHY,
    Move,
    StockAdjust,
    StockDispense,
    StockIssue,
    StockLoss,
    StockReceive,
    StockReturn,
    lot_text,
    pair_history,
    stock_subject,
    written,
)
from protocols.records.planning import Command, Desk, refs, tidy
from protocols.records.shape import Kind, Plan, View
from protocols.records.spelling import ExpiryText, SiteText, one_of

WITNESS_CHARS_MAX = 80

# fields: `movement.py` has the bytes that all movements share

# commands


class MoveData(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What the `data` of every movement may hold; the line's `store` says which store."""

    item: str
    """Code in the catalogue."""
    lot: str | None = None
    """As on the package."""
    expiry: ExpiryText | None = None
    """`2027-03-31`, or `2027-03` for the end of that month."""
    units: int | float | None = None
    """Whole units; or `packs`."""
    packs: PacksData | None = None
    why: str | None = None
    """One of `WHY`; the line's `reason` says more."""
    witness: str | None = None
    """Name of who saw it; needed for a controlled item that leaves."""


_LOSSES = ("expired", "damaged", "broken-cold-chain", "vvm", "theft", "spilled", "missing",
           "destroyed", "other")  # fmt: skip
_REASONS: dict[KindNo, tuple[str, ...]] = {
    KindNo.STOCK_RECEIVE: ("opening-balance", "donation", "bought", "transfer", "other"),
    KindNo.STOCK_ISSUE: ("to-ward", "transfer", "vial", "other"),
    KindNo.STOCK_DISPENSE: ("dose", "other"),
    KindNo.STOCK_RETURN: ("unused", "other"),
    KindNo.STOCK_LOSS: _LOSSES,
    KindNo.STOCK_ADJUST: ("found", "missing", "corrected", "other"),
}
"""What `why` may say of each kind."""


class ReceiveData(MoveData, frozen=True, kw_only=True):
    """`data` of stock.receive."""

    why: Annotated[str, one_of(_REASONS[KindNo.STOCK_RECEIVE])] | None = None
    other: SiteText | None = None
    """Id of the store it came from, where that is known here."""


class IssueData(MoveData, frozen=True, kw_only=True):
    """`data` of stock.issue: to a ward, a team, another store."""

    why: Annotated[str, one_of(_REASONS[KindNo.STOCK_ISSUE])] | None = None
    other: SiteText | None = None
    """Id of the site it goes to."""


class DispenseData(MoveData, frozen=True, kw_only=True):
    """`data` of stock.dispense; the line's `patient` says to whom."""

    why: Annotated[str, one_of(_REASONS[KindNo.STOCK_DISPENSE])] | None = None


class ReturnData(MoveData, frozen=True, kw_only=True):
    """`data` of stock.return: unused, and fit to be used."""

    why: Annotated[str, one_of(_REASONS[KindNo.STOCK_RETURN])] | None = None
    other: SiteText | None = None
    """Id of the site it comes back from."""


class LossData(MoveData, frozen=True, kw_only=True):
    """`data` of stock.loss; `why` is needed."""

    why: Annotated[str, one_of(_REASONS[KindNo.STOCK_LOSS])] | None = None


class AdjustData(MoveData, frozen=True, kw_only=True):
    """`data` of stock.adjust: `units` above 0 was found, below 0 is missing; a reason is needed."""

    why: Annotated[str, one_of(_REASONS[KindNo.STOCK_ADJUST])] | None = None


# apply


def plan_receive(command: Command, view: View) -> Plan:
    """Stock came in."""
    return _plan(command, view, KindNo.STOCK_RECEIVE)


def plan_issue(command: Command, view: View) -> Plan:
    """Stock goes out."""
    return _plan(command, view, KindNo.STOCK_ISSUE)


def plan_dispense(command: Command, view: View) -> Plan:
    """Stock goes out for a patient."""
    return _plan(command, view, KindNo.STOCK_DISPENSE)


def plan_return(command: Command, view: View) -> Plan:
    """Stock comes back."""
    return _plan(command, view, KindNo.STOCK_RETURN)


def plan_loss(command: Command, view: View) -> Plan:
    """Stock is gone; why is said."""
    if command.data.why is None:
        allowed = _REASONS[KindNo.STOCK_LOSS]
        raise InputError("missing_field", field="data.why", allowed=allowed)
    return _plan(command, view, KindNo.STOCK_LOSS)


def plan_adjust(command: Command, view: View) -> Plan:
    """The book is set right by a difference that somebody found, with a reason."""
    return _plan(command, view, KindNo.STOCK_ADJUST)


def _plan(command: Command, view: View, kind: KindNo) -> Plan:
    desk = Desk(command, view)
    data: MoveData = command.data
    store = desk.store()
    item = item_named(desk, data.item)
    move = _move(desk, kind, store, item)
    incoming = kind in (KindNo.STOCK_RECEIVE, KindNo.STOCK_RETURN)
    way = "in" if incoming or (kind == KindNo.STOCK_ADJUST and move.units > 0) else "out"
    doubts(desk, item, move, way="in" if way == "in" else "out")
    reason = kind == KindNo.STOCK_ADJUST or move.why == "other"
    subject = stock_subject(store, item.code)
    draft = written(
        move,
        pair_history(desk, store, item.code),
        desk.circumstances(reason_needed=reason),
        refs(desk.named(subject)) if command.supersedes else (),
    )
    return Plan((draft,), tuple(desk.warnings))


def _move(desk: Desk, kind: KindNo, store: SiteId, item: Item) -> Move:
    data: MoveData = desk.command.data
    if kind == KindNo.STOCK_ADJUST and data.packs is None and data.units is not None:
        units, pack = whole(data.units, "data.units", least=-UNITS_MAX), None
        if not units:
            raise InputError("out_of_range", field="data.units", allowed=("not 0",))
    else:
        amount = amount_of(data.units, data.packs)
        units, pack = amount.units, amount.pack
    other = desk.site(getattr(data, "other", None), "data.other")
    if other == store:
        raise InputError("same_store", field="data.other")
    return Move(
        kind,
        bytes(store),
        item.code,
        units,
        lot=lot_text(data.lot, "data.lot"),
        expiry=expiry_day(data.expiry, "data.expiry"),
        why=_why(data.why, kind),
        other=other,
        patient=desk.patient() if kind == KindNo.STOCK_DISPENSE else None,
        witness=tidy(data.witness, "data.witness", WITNESS_CHARS_MAX) if data.witness else "",
        pack=pack,
    )


def _why(text: str | None, kind: KindNo) -> str:
    if text is None:
        return ""
    allowed = _REASONS[kind]
    if text not in allowed:
        raise InputError("bad_value", field="data.why", allowed=allowed)
    assert text in WHY
    return text


def expiry_day(text: str | None, where: str) -> int | None:
    """Return the last day of use, counted from 1970, of a date or a month as printed on a package.

    A month means its last day, as GS1 has it.

    Raises:
        InputError: `bad_expiry`.
    """
    if text is None or not text.strip():
        return None
    parts = text.strip().split("-")
    try:
        if not all(part.isascii() and part.isdecimal() for part in parts):
            raise ValueError
        if [len(part) for part in parts] == [4, 2]:
            year, month = int(parts[0]), int(parts[1])
            after = date(year + month // 12, month % 12 + 1, 1) if 1 <= month <= 12 else None
            if after is None:
                raise ValueError
            found = (after - date(1970, 1, 1)).days - 1
        elif [len(part) for part in parts] == [4, 2, 2]:
            found = (date.fromisoformat(text.strip()) - date(1970, 1, 1)).days
        else:
            raise ValueError
    except ValueError:
        raise InputError("bad_expiry", field=where, allowed=("YYYY-MM-DD", "YYYY-MM")) from None
    if not _EARLIEST <= found <= _LATEST:
        raise InputError("bad_expiry", field=where, allowed=("YYYY-MM-DD", "YYYY-MM"))
    return found


_EARLIEST = (date(1990, 1, 1) - date(1970, 1, 1)).days
_LATEST = (date(2099, 12, 31) - date(1970, 1, 1)).days

# rows: `stock.py` has them


def _example(number: int, kind: str, **data: object) -> dict[str, object]:
    return {
        "v": 1,
        "kind": kind,
        "key": f"example-{number}",
        "store": "$store",
        "data": {"item": "ors-1l-sachet", "lot": "A1047", **data},
    }


KIND_RECEIVE = Kind(
    number=KindNo.STOCK_RECEIVE,
    name="stock.receive",
    value=StockReceive,
    data=ReceiveData,
    plan=plan_receive,
    example=_example(
        70,
        "stock.receive",
        expiry="2027-03",
        packs={"count": 2, "size": 100},
        why="donation",
    ),
    stores=True,
)
KIND_ISSUE = Kind(
    number=KindNo.STOCK_ISSUE,
    name="stock.issue",
    value=StockIssue,
    data=IssueData,
    plan=plan_issue,
    example=_example(71, "stock.issue", units=30, why="to-ward"),
    stores=True,
)
KIND_DISPENSE = Kind(
    number=KindNo.STOCK_DISPENSE,
    name="stock.dispense",
    value=StockDispense,
    data=DispenseData,
    plan=plan_dispense,
    example={**_example(72, "stock.dispense", units=4), "patient": {"tag": "B12"}},
    stores=True,
)
KIND_RETURN = Kind(
    number=KindNo.STOCK_RETURN,
    name="stock.return",
    value=StockReturn,
    data=ReturnData,
    plan=plan_return,
    example=_example(73, "stock.return", units=2, why="unused"),
    stores=True,
)
KIND_LOSS = Kind(
    number=KindNo.STOCK_LOSS,
    name="stock.loss",
    value=StockLoss,
    data=LossData,
    plan=plan_loss,
    example=_example(74, "stock.loss", units=1, why="spilled"),
    stores=True,
)
KIND_ADJUST = Kind(
    number=KindNo.STOCK_ADJUST,
    name="stock.adjust",
    value=StockAdjust,
    data=AdjustData,
    plan=plan_adjust,
    example={
        **_example(75, "stock.adjust", units=-1, why="missing"),
        "reason": "one carton held 99",
    },
    stores=True,
)
KINDS = (KIND_RECEIVE, KIND_ISSUE, KIND_DISPENSE, KIND_RETURN, KIND_LOSS, KIND_ADJUST)

# merge note: movements are only ever added, so balances are sums that are equal for any order of
# arrival. What two people take apart is all kept; `stock.py` says where it is more than there was.
