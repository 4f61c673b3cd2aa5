"""Medicines given, refused and not given: of an order or without one.

What is given out of a store takes whole units of a lot from it: `drawn.py` says how many, and the
ledger writes that movement in the transaction of the dose and takes it back with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, permutations
from typing import Annotated, ClassVar

import msgspec

from protocols.errors import InputError
from protocols.guidelines.vocabulary import fold, vocabulary
from protocols.ids import PatientId, SiteId
from protocols.records import allergy, drawn
from protocols.records import beside as besides
from protocols.records.amounts import Amount, AmountData, amount_text, read_amount
from protocols.records.beside import Beside
from protocols.records.contested import Contest, Side, current, grouped, shown
from protocols.records.display import clean_text
from protocols.records.encounter import to_encounter
from protocols.records.history import History, Ref
from protocols.records.kinds import KindNo
from protocols.records.medicine import ONCE, ROUTES, hours_between
from protocols.records.movement import ITEM_CHARS_MAX
from protocols.records.oneperson import histories_of
from protocols.records.order import OrderPlace
from protocols.records.planning import Command, Desk, refs, tidy
from protocols.records.references import Sight, must_name, packed, ref_of
from protocols.records.shape import Fact, Kind, NewFact, Plan, Row, Small, Statement, View
from protocols.records.spelling import FactText, SessionText, one_of
from protocols.records.stop import ordered, stops
from protocols.records.wordlists import position, word_at

HOUR_MS = 3_600_000

# fields


class AdministrationRecord(Statement, frozen=True):
    """A dose was given, refused, or not given."""

    order: Ref | None = None
    """The order it is of."""
    status: Small = 0
    """Position in `STATUSES`; why, unless it was given, is in the circumstances."""
    substance: str = ""
    """What was given, written out here too: an order may be lacking where this is read."""
    dose: Amount | None = None
    route: Small | None = None
    """Position in `ROUTES`."""
    seen: tuple[Ref, ...] = ()
    """The latest records of this medicine that its writer knew of."""
    code: str = ""
    body_site: str = ""
    lot: str = ""
    """As on the package."""
    discarded: Amount | None = None
    witness: str = ""
    """Who saw it discarded."""
    store: bytes | None = None
    """The store it was drawn from."""
    lot_id: bytes | None = None
    """Reserved; a lot is named by its text."""
    item: str = ""
    """Code of the item that was drawn."""
    units: Small = 0
    """Whole units of it."""
    beside: Beside | None = None
    """Of which vaccination session it is, beside the vaccines; None of none."""

    def __post_init__(self) -> None:
        """Refuse what names nothing."""
        must_name(*self.seen, *((self.order,) if self.order else ()))
        if self.item and (len(self.item) > ITEM_CHARS_MAX or len(self.store or b"") != SiteId.SIZE):
            raise ValueError("item")


STATUSES = ("given", "refused", "not-given")
GIVEN = 0

# commands


class AdministrationData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of administration.record: an `order`, or a `substance` without one.

    An `intervention` of a vaccination `session` needs neither: what is given at the age is the
    pack's, where the age is known well enough.
    """

    order: FactText | None = None
    """Id of the order."""
    status: Annotated[str, one_of(STATUSES)] = "given"
    substance: str | None = None
    code: str | None = None
    dose: AmountData | None = None
    """As ordered, when it is not said."""
    route: Annotated[str, one_of(ROUTES)] | None = None
    """As ordered, when it is not said."""
    body_site: str | None = None
    lot: str | None = None
    discarded: AmountData | None = None
    witness: str | None = None
    item: str | None = None
    """Code in the catalogue of what `store` gave; none: the only one that holds the substance."""
    units: int | float | None = None
    """Whole units of it; as the dose and the item's strength have it, when it is not said."""
    session: SessionText | None = None
    """Of the vaccination session."""
    intervention: str | None = None
    """Its code in the pack of interventions, such as `vitamin-a`."""


NAME_CHARS_MAX = 80

# apply


def plan(command: Command, view: View) -> Plan:
    """Record a dose; one that is stopped, listed as an allergy or early is asked about once."""
    desk = Desk(command, view)
    data: AdministrationData = command.data
    of = None if data.order is None else ordered(desk, data.order)
    patient = desk.patient() if of is None else of[0]
    order = None if of is None else of[1]
    told = besides.read(desk, patient, data.session, data.intervention, measured=False)
    if told is not None and order is not None:
        raise InputError("not_taken", field="data.intervention", kind="data.order")
    if told is not None and data.status == STATUSES[GIVEN]:
        besides.must_be_due(desk, told)
    record = _record(data, order, told)
    history = desk.history(patient)
    if record.status == GIVEN:
        _doubts(desk, histories_of(desk, patient), record, order)
    record = _drawn(desk, patient, record)
    known = [
        fact
        for fact in shown(history, KindNo.ADMINISTRATION_RECORD)
        if key_of(fact) == fold(record.substance)
    ]
    record = msgspec.structs.replace(
        record,
        circumstances=desk.circumstances(reason_needed=record.status != GIVEN),
        supersedes=refs(desk.named(patient)),
        seen=sight(history).heads(known),
    )
    return _written(desk, patient, record)


def _drawn(desk: Desk, patient: PatientId, record: AdministrationRecord) -> AdministrationRecord:
    """Return the record with what it takes from the store that the line names, if any."""
    data: AdministrationData = desk.command.data
    if record.status != GIVEN:
        if desk.command.store is not None:
            raise InputError("not_taken", field="store", kind=STATUSES[GIVEN])
        return record
    what = drawn.taken(desk, data, record)
    controlled = what is not None and what.item.controlled
    if data.witness and record.discarded is None and not (what and (what.discarded or controlled)):
        raise InputError("missing_field", field="data.discarded")
    if what is None:
        return record
    discarded = record.discarded or what.discarded
    if controlled and not record.witness:
        raise InputError("witness_needed", field="data.witness")
    drawn.must_leave(desk, what, patient, record.witness, beside=record.beside is not None)
    return msgspec.structs.replace(
        record,
        lot=what.lot,
        discarded=discarded,
        store=bytes(what.store),
        item=what.item.code,
        units=what.units,
    )


def _written(desk: Desk, patient: PatientId, record: AdministrationRecord) -> Plan:
    new = NewFact(KindNo.ADMINISTRATION_RECORD, record)
    return to_encounter(desk, patient, desk.encounter(patient), new)


def _record(
    data: AdministrationData, order: Fact | None, told: besides.Told | None
) -> AdministrationRecord:
    """Return what was given: from the line, and where it says nothing from the order or a pack."""
    placed = order.record if order is not None else None
    status = position(data.status, STATUSES, "data.status")
    if isinstance(placed, OrderPlace):
        if data.substance is not None:
            raise InputError("not_taken", field="data.substance", kind="data.order")
        substance, code = placed.substance, placed.code
        dose: Amount | None = placed.dose
        route: int | None = placed.route
    elif told is not None:
        substance, dose, route = _of_pack(data, told)
        code = _words(data.code, "data.code")
    else:
        if data.substance is None:
            allowed = ("order", "substance")
            raise InputError("missing_field", field="data.substance", allowed=allowed)
        substance = tidy(data.substance, "data.substance", NAME_CHARS_MAX)
        code, dose, route = _words(data.code, "data.code"), None, None
        if not fold(substance):
            raise InputError("empty", field="data.substance")
    if data.dose is not None:
        dose = read_amount(data.dose, "data.dose")
    if data.route is not None:
        route = position(data.route, ROUTES, "data.route")
    if status == GIVEN:
        for name, value in (("dose", dose), ("route", route)):
            if value is None:
                raise InputError("missing_field", field=f"data.{name}")
    if data.witness and data.discarded is None and status != GIVEN:
        raise InputError("missing_field", field="data.discarded")
    return AdministrationRecord(
        order=None if order is None else ref_of(order),
        status=status,
        substance=substance,
        dose=dose if status == GIVEN else None,
        route=route if status == GIVEN else None,
        code=code,
        body_site=_words(data.body_site, "data.body_site"),
        lot=_words(data.lot, "data.lot"),
        discarded=None if data.discarded is None else read_amount(data.discarded, "data.discarded"),
        witness=_words(data.witness, "data.witness"),
        beside=None if told is None else told.beside,
    )


def _of_pack(data: AdministrationData, told: besides.Told) -> tuple[str, Amount | None, int | None]:
    """Return substance, dose and route of an intervention at this age; the line's own come first.

    Somebody whose age is not known well enough is given what the line says, or nothing.
    """
    row = told.medicine(data.item)
    if data.substance is not None:
        substance = tidy(data.substance, "data.substance", NAME_CHARS_MAX)
        if row is not None and fold(substance) != fold(row.substance):
            row = None
    else:
        substance = (row or told.row.age[0]).substance
    if row is None or row.unit is None or row.route is None:
        return substance, None, None
    dose = read_amount(AmountData(row.value, row.unit), "data.dose")
    return substance, dose, ROUTES.index(row.route)


def _doubts(
    desk: Desk, histories: Sequence[History], record: AdministrationRecord, order: Fact | None
) -> None:
    """Ask once about what speaks against this dose now; how soon after the last a pack may say.

    `histories` are those of all records of the person, this one first.
    """
    history = histories[0]
    if order is not None and (stops(history).get(ref_of(order)) or history.replaced(order)):
        desk.confirmed("order_stopped", "data.order")
    stated = order.record.circumstances if order is not None and order.record else None
    if stated is None or "allergy_match" not in stated.confirmed:
        allergy.against(desk, histories, record.substance, "data.substance")
    if record.beside is not None:
        return
    doses = [
        fact
        for each in histories
        for fact in (*shown(each, KindNo.ADMINISTRATION_RECORD), *_crossed_out(each))
        if key_of(fact) == fold(record.substance) and _of(fact).status == GIVEN
    ]
    if not doses:
        return
    hours = _hours(history, record)
    part = Fraction(vocabulary().doubt.early_percent, 100)
    early = None if hours is None else hours * part * HOUR_MS
    last = max(doses, key=lambda fact: (fact.at_ms, fact.order))
    again = any(early is None or abs(desk.at_ms() - fact.at_ms) < early for fact in doses)
    if again:
        desk.confirmed("given_recently", "data", allowed=(str(last.ref),))


def _crossed_out(history: History) -> list[Fact]:
    """Return doses that people apart each took back as the double of the other: one was given."""
    facts, known = history.of_kind.get(KindNo.ADMINISTRATION_RECORD, ()), sight(history)
    gone = [fact for fact in facts if fact.standing == 0 and history.replaced(fact) == 2]
    pairs = [pair for pair in permutations(gone, 2) if known.apart(*pair)]
    same = [pair for pair in pairs if len({*map(key_of, pair)}) == 1 and _near(history, *pair)]
    return [one for one, other in same if one.author != other.author]


def sight(history: History) -> Sight:
    """Return which records of medicines given had seen which."""
    facts = history.of_kind.get(KindNo.ADMINISTRATION_RECORD, ())
    return Sight(facts, lambda fact: _of(fact).seen)


def key_of(fact: Fact) -> str:
    """Return what two records of one medicine share."""
    return fold(_of(fact).substance)


def duplicates(history: History) -> list[tuple[Fact, Fact]]:
    """Return pairs of one medicine given by people apart, closer than its orders have them.

    Both are kept: whether it was one dose or two is for a person to find out.
    """
    doses = [
        fact for fact in current(history, KindNo.ADMINISTRATION_RECORD) if _of(fact).status == GIVEN
    ]
    if len(doses) < 2:
        return []
    known, found = sight(history), []
    for facts in grouped(doses, key_of).values():
        for one, other in combinations(facts, 2):
            if known.apart(one, other) and _near(history, one, other):
                found.append((one, other))
    return found


def _near(history: History, one: Fact, other: Fact) -> bool:
    """Whether two doses are closer than the shorter of their intervals."""
    spans = [_hours(history, _of(fact)) for fact in (one, other)]
    known = [span for span in spans if span is not None]
    return not known or abs(one.at_ms - other.at_ms) < min(known) * HOUR_MS


def _hours(history: History, record: AdministrationRecord) -> Fraction | None:
    """Return the hours until the next dose; None: there is none, it is to be given once.

    Without an order that says how often, it is what the vocabulary pack has for that, and of what
    a session gave beside its vaccines what the pack had that it was given by.
    """
    if record.beside is not None and record.beside.interval_days:
        return Fraction(record.beside.interval_days * 24)
    for fact in history.of_kind.get(KindNo.ORDER_PLACE, ()):
        if record.order == ref_of(fact) and isinstance(fact.record, OrderPlace):
            frequency = fact.record.frequency
            if frequency.way == ONCE:
                return None
            between = hours_between(frequency)
            if between is not None:
                return between
    return Fraction(vocabulary().doubt.given_hours)


# rows


class AdministrationRow(Row, frozen=True, kw_only=True, gc=False):
    """One dose given, refused or not given."""

    TABLE: ClassVar[str] = "administration"
    INDEXED: ClassVar[tuple[str, ...]] = ("patient",)
    patient: bytes
    encounter: bytes | None
    about: bytes | None
    """18-byte reference of the order."""
    status: str
    substance: str
    code: str = ""
    dose: str = ""
    """With its unit."""
    route: str = ""
    body_site: str = ""
    lot: str = ""
    discarded: str = ""
    witness: str = ""
    reason: str = ""
    duplicate: int = 0
    """1 while somebody apart gave the same within its interval: possibly twice."""
    stopped: int = 0
    """1 when it was given though its order was known to be stopped."""
    store: bytes | None = None
    """Where it was drawn from."""
    item: str = ""
    units: int = 0
    """Whole units that it took."""


def rows(history: History) -> list[AdministrationRow]:
    """Return one row for each dose."""
    facts = history.of_kind.get(KindNo.ADMINISTRATION_RECORD, ())
    if not facts:
        return []
    twice = {id(fact) for pair in duplicates(history) for fact in pair}
    found = []
    for fact in facts:
        record, stated = _of(fact), _of(fact).circumstances
        found.append(
            AdministrationRow(
                entry=fact.entry,
                idx=fact.index,
                kind=fact.kind,
                standing=fact.standing,
                at_ms=fact.at_ms,
                supersedes=history.supersedes(fact),
                replaced=history.replaced(fact),
                patient=history.subject,
                encounter=history.encounter_of.get(fact.doc),
                about=packed(record.order) if record.order else None,
                status=word_at(STATUSES, record.status),
                substance=clean_text(record.substance),
                code=clean_text(record.code),
                dose=amount_text(record.dose),
                route="" if record.route is None else word_at(ROUTES, record.route),
                body_site=clean_text(record.body_site),
                lot=clean_text(record.lot),
                discarded=amount_text(record.discarded),
                witness=clean_text(record.witness),
                reason=clean_text(stated.reason) if stated else "",
                duplicate=int(id(fact) in twice),
                stopped=int(stated is not None and "order_stopped" in stated.confirmed),
                store=record.store,
                item=clean_text(record.item),
                units=record.units,
            )
        )
    return found


def contests(history: History) -> list[Contest]:
    """Return doses that may have been given twice, until a later record of it has seen both."""
    pairs = duplicates(history)
    if not pairs:
        return []
    known, later = sight(history), current(history, KindNo.ADMINISTRATION_RECORD)
    open_now = [
        (one, other)
        for one, other in pairs
        if not any(known.had_seen(fact, one) and known.had_seen(fact, other) for fact in later)
    ]
    found = []
    by_key = grouped([fact for pair in open_now for fact in pair], key_of)
    for facts in by_key.values():
        each = sorted({ref_of(fact): fact for fact in facts}.values(), key=_place)
        sides = tuple(Side(_line(_of(fact)), fact, True) for fact in each)
        found.append(Contest("dose", clean_text(_of(each[0]).substance), None, sides))
    return found


def own_words(record: AdministrationRecord) -> list[tuple[str, str]]:
    """Return what a record of a dose says, as (catalogue key, text) pairs."""
    status = word_at(STATUSES, record.status).replace("-", "_")
    said: list[tuple[str, str]] = [(status, clean_text(record.substance))]
    for key, text in (
        ("dose", amount_text(record.dose)),
        ("route", "" if record.route is None else word_at(ROUTES, record.route)),
        ("body_site", record.body_site),
        ("lot", record.lot),
        ("discarded", amount_text(record.discarded)),
        ("witness", record.witness),
    ):
        if text:
            said.append((key, clean_text(text)))
    return said


def _line(record: AdministrationRecord) -> str:
    route = "" if record.route is None else word_at(ROUTES, record.route)
    parts = (clean_text(record.substance), amount_text(record.dose), route)
    return clean_text(" ".join(part for part in parts if part))


def _words(text: str | None, where: str) -> str:
    return tidy(text, where, NAME_CHARS_MAX) if text else ""


def _place(fact: Fact) -> tuple[tuple[int, bytes], int]:
    return fact.order, fact.index


def _of(fact: Fact) -> AdministrationRecord:
    assert isinstance(fact.record, AdministrationRecord)
    return fact.record


KIND = Kind(
    number=KindNo.ADMINISTRATION_RECORD,
    name="administration.record",
    value=AdministrationRecord,
    data=AdministrationData,
    plan=plan,
    example={
        "v": 1,
        "kind": "administration.record",
        "key": "example-19",
        "patient": {"tag": "B12"},
        "by": "night nurse",
        "data": {"order": "$order", "lot": "A1047"},
    },
    stores=True,
)

# merge note: doses are only ever added. Two of one medicine given by people apart, closer than its
# interval, are both kept and both marked as possibly one dose given twice, for good; they are
# unsettled until somebody who has seen both records something about that medicine again.
