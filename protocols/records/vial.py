"""Vials of a vaccination session: opened, and thrown away with what was left in them.

Opening a vial takes it whole out of the store, in the same transaction; its doses are then drawn
from the vial, so a dose given moves no stock. What is wasted is what was opened less drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import msgspec

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.guidelines.items import Item
from protocols.guidelines.schedules import Plan as Immunization
from protocols.ids import DocId, FactRef, SessionId
from protocols.records import drawing
from protocols.records.contested import current
from protocols.records.display import clean_text
from protocols.records.history import History, Ref
from protocols.records.kinds import KindNo
from protocols.records.movement import ITEM_CHARS_MAX, LOT_CHARS_MAX, Day, Move, lot_text
from protocols.records.planning import Command, Desk, refs, tidy
from protocols.records.references import must_name, packed, ref_of
from protocols.records.session import offsets_of, session_row
from protocols.records.shape import (
    Draft,
    Fact,
    Kind,
    NewFact,
    Plan,
    Row,
    Small,
    Statement,
    SubjectKind,
    View,
)
from protocols.records.spelling import DayText, FactText, SessionText, one_of
from protocols.records.stopped import OPENED_ALREADY, Taken, must_be_usable
from protocols.records.tally import TallyAdd
from protocols.records.vaccination import (
    VVM_STAGES,
    VVM_USABLE,
    clock_doubtful,
    fact_named,
    immunization,
    is_id,
    read_day,
    session_of,
    vaccine_item,
)
from protocols.records.wordlists import position, word_at
from protocols.records.zones import HOUR_MS, local_day

# fields


class VialOpen(Statement, frozen=True):
    """One vial is opened, or mixed."""

    item: str = ""
    """Code in the catalogue."""
    vaccine: str = ""
    lot: str = ""
    """As on the vial."""
    expiry: Day | None = None
    """The last day it may be used."""
    doses: Small = 0
    """In it when it was opened."""
    diluent: str = ""
    """Code of the item it was mixed with."""
    diluent_lot: str = ""
    vvm: Small = 0
    """Stage of its monitor, 1 to 4; 0 = none, or not looked at."""
    store: bytes | None = None
    """Whose stock it came from; None: nobody counts it."""
    open_hours: Small = 0
    """So long it may be used, as the pack says that was in use; 0 = the pack does not say."""
    ends_with_session: Small = 0
    """1: it is thrown away when the session ends, should that come first."""
    pack: str = ""
    """That pack, with its version."""

    def __post_init__(self) -> None:
        """Refuse what is no vial."""
        if not is_id(self.store) or not 0 < self.doses <= DOSES_MAX:
            raise ValueError("vial")
        if not 0 < len(self.item) <= ITEM_CHARS_MAX or len(self.lot) > LOT_CHARS_MAX:
            raise ValueError("text")


class VialDiscard(Statement, frozen=True):
    """What was left in a vial is thrown away, or a part of it is lost."""

    vial: Ref = (bytes(16), 0)
    why: Small = 0
    """Position in `REASONS`."""
    doses: Small = 0
    goes_on: Small = 0
    """1: only these are lost, the vial is still in use."""

    def __post_init__(self) -> None:
        """Refuse what names nothing."""
        must_name(self.vial)


REASONS = (
    "other",
    "empty",
    "time-limit",
    "session-end",
    "vvm",
    "contaminated",
    "broken",
    "cold-chain",
    "wrong-diluent",
    "expired",
    "spilled",
    "recalled",
)
"""Why, by position on the wire; only ever added to at the end."""

# commands


class OpenData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of vial.open."""

    session: SessionText
    item: str
    lot: str
    expiry: DayText | None = None
    doses: int | None = None
    """As the catalogue has it, when it is not said."""
    diluent: str | None = None
    """Code of an item; the only one that suits, when it is not said."""
    diluent_lot: str | None = None
    vvm: int | None = None


class DiscardData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of vial.discard."""

    vial: FactText
    """Id of the fact by which it was opened."""
    reason: Annotated[str, one_of(REASONS)]
    doses: int
    """Lost; 0 when it is empty."""
    goes_on: bool = False


DOSES_MAX = 100
"""In one vial."""

# apply


def plan_open(command: Command, view: View) -> Plan:
    """A vial of a session; an expired, recalled or quarantined lot is refused.

    One that was opened before anybody said that of its lot is written, as `stopped.py` has it; its
    doses are refused like any of that lot.
    """
    desk = Desk(command, view)
    data: OpenData = command.data
    session = session_of(data.session, "data.session")
    held = session_row(view, session, "data.session")
    if held.closed_ms is not None:
        desk.confirmed("session_closed", "data.session")
    item = vaccine_item(view, data.item, "data.item")
    lot = lot_text(data.lot, "data.lot")
    if not lot:
        raise InputError("empty", field="data.lot")
    doses = item.vial_doses if data.doses is None else data.doses
    if not 1 <= doses <= DOSES_MAX:
        raise InputError("out_of_range", field="data.doses", allowed=(f"1-{DOSES_MAX}",))
    expiry = None if data.expiry is None else read_day(data.expiry, "data.expiry")
    day = local_day(offsets_of(held), desk.at_ms())
    of_lot = Taken(held.store, item.code, lot, expiry)
    stopped = must_be_usable(desk, of_lot, day, "data.lot", said=OPENED_ALREADY)
    if held.store is not None:
        move = Move(KindNo.STOCK_ISSUE, bytes(held.store), item.code, doses, lot, expiry, "vial")
        # What is doubtful of the store's balance is asked here: the movement itself asks nothing.
        drawing.doubts(desk, item, move, way="out", left=stopped)
    diluent = _diluent(desk, item, data)
    diluent_lot = lot_text(data.diluent_lot, "data.diluent_lot")
    # A lot of which nobody says whose it is may be that of any diluent of the vaccine.
    for code in ((diluent,) if diluent else item.diluents) if diluent_lot else ():
        mixed = Taken(held.store, code, diluent_lot, None)
        must_be_usable(desk, mixed, day, "data.diluent_lot", said=OPENED_ALREADY)
    plan = immunization(view, held.schedule)
    hours, ends, said_by = _limit(plan, item.vaccine, doses)
    record = VialOpen(
        vvm=_vvm(desk, data.vvm),
        circumstances=desk.circumstances(),
        supersedes=refs(desk.named(session)),
        item=item.code,
        vaccine=item.vaccine,
        lot=lot,
        expiry=expiry,
        doses=doses,
        diluent=diluent,
        diluent_lot=diluent_lot,
        store=held.store,
        open_hours=hours,
        ends_with_session=ends,
        pack=said_by,
    )
    return _written(desk, session, NewFact(KindNo.VIAL_OPEN, record))


def plan_discard(command: Command, view: View) -> Plan:
    """What is left in a vial is thrown away; a vial that was thrown away already is asked about."""
    desk = Desk(command, view)
    data: DiscardData = command.data
    ref = fact_named(data.vial, "data.vial")
    held = vial_row(view, ref, "data.vial")
    why = position(data.reason, REASONS, "data.reason")
    if not 0 <= data.doses <= held.doses:
        raise InputError("out_of_range", field="data.doses", allowed=(f"0-{held.doses}",))
    if held.closed:
        desk.confirmed("vial_discarded", "data.vial")
    session = SessionId(held.session)
    record = VialDiscard(
        desk.circumstances(),
        refs(desk.named(session)),
        (bytes(ref.entry), ref.index),
        why,
        data.doses,
        int(data.goes_on),
    )
    return _written(desk, session, NewFact(KindNo.VIAL_DISCARD, record))


def vial_row(view: View, ref: FactRef, where: str) -> VialRow:
    """Return a vial that is known here.

    Raises:
        InputError: `not_found`: nothing here was opened as this, or it was entered in error.
    """
    found = view.rows_where(VialRow, "vial", packed((bytes(ref.entry), ref.index)))
    if not found or found[0].replaced == 2:
        raise InputError("not_found", field=where)
    return found[0]


def _written(desk: Desk, session: DocId, fact: NewFact) -> Plan:
    draft = Draft(Lane.ROUTINE, SubjectKind.SESSION, session, None, (fact,))
    return Plan((draft,), tuple(desk.warnings))


def _diluent(desk: Desk, item: Item, data: OpenData) -> str:
    """Return what a vaccine was mixed with; another than the maker's is asked about."""
    if data.diluent is None:
        return item.diluents[0] if len(item.diluents) == 1 and data.diluent_lot else ""
    code = tidy(data.diluent, "data.diluent", ITEM_CHARS_MAX)
    if code not in item.diluents:
        desk.confirmed("wrong_diluent", "data.diluent", allowed=item.diluents)
    return code


def _vvm(desk: Desk, stage: int | None) -> int:
    if stage is None:
        return 0
    if stage not in VVM_STAGES:
        raise InputError("out_of_range", field="data.vvm", allowed=("1-4",))
    if stage > VVM_USABLE:
        desk.confirmed("vvm_past", "data.vvm")
    return stage


def _limit(plan: Immunization, code: str, doses: int) -> tuple[int, int, str]:
    """Return for how many hours a vial may stay open, whether its session ends it, and who says so.

    A size that the pack does not have is held to the strictest of the others.
    """
    vaccine = plan.vaccines.get(code)
    sizes = vaccine.vial if vaccine is not None else ()
    fitting = [size for size in sizes if size.doses == doses] or list(sizes)
    if not fitting:
        return 0, 0, ""
    head = plan.reasons_from
    ends = int(any(size.end_of_session for size in fitting))
    return min(size.open_hours for size in fitting), ends, f"{head.name} {head.version}"


def follows(record: VialOpen, ref: Ref) -> tuple[Move, ...]:
    """Return what opening a vial takes out of a store: all of it."""
    if record.store is None:
        return ()
    return (
        Move(
            KindNo.STOCK_ISSUE,
            bytes(record.store),
            record.item,
            record.doses,
            record.lot,
            record.expiry,
            "vial",
            cause=ref,
        ),
    )


# rows


class VialRow(Row, frozen=True, kw_only=True, gc=False):
    """One vial; how many doses patients had of it is a question, not a column."""

    TABLE: ClassVar[str] = "vial"
    INDEXED: ClassVar[tuple[str, ...]] = ("vial", "session", "lot")
    vial: bytes
    """18-byte reference of the record by which it was opened."""
    session: bytes
    item: str
    vaccine: str
    lot: str
    expiry_day: int | None
    """The last day it may be used, days since 1970-01-01."""
    doses: int
    """In it when it was opened."""
    diluent: str = ""
    diluent_lot: str = ""
    vvm: int = 0
    store: bytes | None = None
    open_hours: int = 0
    limit_ms: int | None = None
    """Until when it may be used; None: the pack does not say, or the clock could not be right."""
    ends_with_session: int = 0
    tallied: int = 0
    """Doses that tallies of its session name it for."""
    lost: int = 0
    """Doses that were thrown away, as said."""
    why: str = ""
    """Of the latest that says."""
    closed: int = 0
    """1 once it was thrown away."""
    doubtful: int = 0
    """1: the clock it was opened by could not be right."""


def rows(history: History) -> list[VialRow]:
    """Return one row for each vial of a session."""
    opened = history.of_kind.get(KindNo.VIAL_OPEN, ())
    if not opened:
        return []
    lost: dict[Ref, list[VialDiscard]] = {}
    for fact in current(history, KindNo.VIAL_DISCARD):
        assert isinstance(fact.record, VialDiscard)
        lost.setdefault(fact.record.vial, []).append(fact.record)
    tallied: dict[Ref, int] = {}
    for fact in current(history, KindNo.TALLY_ADD):
        assert isinstance(fact.record, TallyAdd)
        if fact.record.vial is not None:
            tallied[fact.record.vial] = tallied.get(fact.record.vial, 0) + fact.record.n
    return [
        _row(history, fact, lost.get(ref_of(fact), ()), tallied.get(ref_of(fact), 0))
        for fact in opened
    ]


def _row(history: History, fact: Fact, lost: Sequence[VialDiscard], tallied: int) -> VialRow:
    record: Any = fact.record
    doubtful = clock_doubtful(fact)
    timed = record.open_hours and not doubtful
    ending = [each for each in lost if not each.goes_on]
    parts = sum(each.doses for each in lost if each.goes_on)
    return VialRow(
        entry=fact.entry,
        idx=fact.index,
        kind=fact.kind,
        standing=fact.standing,
        at_ms=fact.at_ms,
        supersedes=history.supersedes(fact),
        replaced=history.replaced(fact),
        vial=packed(ref_of(fact)),
        session=history.subject,
        item=clean_text(record.item),
        vaccine=clean_text(record.vaccine),
        lot=clean_text(record.lot),
        expiry_day=record.expiry,
        doses=record.doses,
        diluent=clean_text(record.diluent),
        diluent_lot=clean_text(record.diluent_lot),
        vvm=record.vvm,
        store=record.store,
        open_hours=record.open_hours,
        limit_ms=fact.at_ms + record.open_hours * HOUR_MS if timed else None,
        ends_with_session=min(record.ends_with_session, 1),
        tallied=tallied,
        # Two who threw away one vial apart threw away what was left of it once.
        lost=parts + max((each.doses for each in ending), default=0),
        why=word_at(REASONS, (ending or lost)[-1].why) if lost else "",
        closed=int(bool(ending)),
        doubtful=int(doubtful),
    )


def open_words(record: VialOpen) -> list[tuple[str, str]]:
    """Return what opening a vial says, as (catalogue key, text) pairs."""
    said = (
        ("vial", f"{clean_text(record.item)} x{record.doses}"),
        ("lot", clean_text(record.lot)),
        ("diluent", clean_text(f"{record.diluent} {record.diluent_lot}".strip())),
        ("vvm", str(record.vvm) if record.vvm else ""),
    )
    return [(key, text) for key, text in said if text]


def discard_words(record: VialDiscard) -> list[tuple[str, str]]:
    """Return what throwing one away says, as (catalogue key, text) pairs."""
    return [("vial_discarded", f"{record.doses} {word_at(REASONS, record.why)}")]


KIND_OPEN = Kind(
    number=KindNo.VIAL_OPEN,
    name="vial.open",
    value=VialOpen,
    data=OpenData,
    plan=plan_open,
    example={
        "v": 1,
        "kind": "vial.open",
        "key": "example-52",
        "data": {
            "session": "$session",
            "item": "vaccine-mr-10",
            "lot": "MR-0172B",
            "expiry": "2028-03",
            "diluent_lot": "D-88",
            "vvm": 1,
        },
    },
)
KIND_DISCARD = Kind(
    number=KindNo.VIAL_DISCARD,
    name="vial.discard",
    value=VialDiscard,
    data=DiscardData,
    plan=plan_discard,
    example={
        "v": 1,
        "kind": "vial.discard",
        "key": "example-53",
        "data": {"vial": "$vial", "reason": "time-limit", "doses": 3},
    },
)

# merge note: vials are only ever added. One that two people threw away apart was thrown away once,
# with the greater of what they say was in it; what is wasted is worked out from doses drawn.
