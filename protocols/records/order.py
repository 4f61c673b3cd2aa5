"""Medicines ordered: what, how much, how often, and where the dose came from.

A dose is worked out elsewhere; what is kept here is the arithmetic that was shown (SAFETY 9).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import msgspec

from protocols.errors import InputError
from protocols.guidelines.vocabulary import fold
from protocols.ids import PatientId
from protocols.records import allergy, weight
from protocols.records.amounts import Amount, AmountData, amount_text, read_amount
from protocols.records.contested import Contest, Side, current, grouped, shown
from protocols.records.display import clean_text
from protocols.records.encounter import to_encounter
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.medicine import (
    ROUTES,
    WAYS,
    Frequency,
    FrequencyData,
    Proposal,
    ProposalData,
    frequency_text,
    read_frequency,
    read_proposal,
)
from protocols.records.oneperson import histories_of
from protocols.records.planning import Command, Desk, Moment, read_time, refs, tidy
from protocols.records.references import ref_of
from protocols.records.shape import (
    Fact,
    Instant,
    Kind,
    NewFact,
    Plan,
    Row,
    Small,
    Statement,
    View,
)
from protocols.records.spelling import one_of
from protocols.records.stop import given_apart, given_of, stops
from protocols.records.wordlists import position, word_at

# fields


class OrderPlace(Statement, frozen=True):
    """A medicine is to be given."""

    substance: str = ""
    code: str = ""
    """System and code, such as `atc:J01CA04`; '' when only the words are known."""
    dose: Amount | None = None
    route: Small = 0
    """Position in `ROUTES`."""
    frequency: Frequency = Frequency()
    form: str = ""
    strength: str = ""
    start_s: Instant | None = None
    """From when on; None = from when it was ordered."""
    hours: Small = 0
    """For how long; 0 = until it is stopped."""
    indication: str = ""
    proposal: Proposal | None = None
    """Where a pack proposed the dose."""
    weight: Amount | None = None
    """The weight the dose was worked out with."""
    weight_estimated: Small = 0
    """1: it was."""
    override: str = ""
    """Why it is ordered in spite of what was asked."""


# commands


_HOURS = {"h": 1, "d": 24}


class DurationData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """For how long: a whole number of `h` or `d`."""

    value: int
    unit: Annotated[str, one_of(_HOURS)]


_WEIGHT_UNITS = ("kg", "g")


class WeightData(AmountData, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The weight a dose was worked out with."""

    unit: Annotated[str, one_of(_WEIGHT_UNITS)]
    estimated: bool = False


class OrderData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of order.place."""

    substance: str
    dose: AmountData
    route: Annotated[str, one_of(ROUTES)]
    frequency: FrequencyData
    code: str | None = None
    form: str | None = None
    strength: str | None = None
    start: Moment | None = None
    duration: DurationData | None = None
    indication: str | None = None
    proposal: ProposalData | None = None
    weight: WeightData | None = None
    override: str | None = None


NAME_CHARS_MAX = 80
WORDS_CHARS_MAX = 200
DAYS_MAX = 366
"""Longest order; what goes on longer is ordered anew."""

# apply


def plan(command: Command, view: View) -> Plan:
    """Order a medicine; what speaks against it is asked about once."""
    desk = Desk(command, view)
    data: OrderData = command.data
    patient = desk.patient()
    record = _record(data)
    _doubts(desk, patient, record)
    record = msgspec.structs.replace(
        record, circumstances=desk.circumstances(), supersedes=refs(desk.named(patient))
    )
    new = NewFact(KindNo.ORDER_PLACE, record)
    return to_encounter(desk, patient, desk.encounter(patient), new)


def key_of(record: Any) -> str:
    """Return what an order or an administration of one medicine shares with another."""
    return fold(record.substance)


def active(history: History) -> list[Fact]:
    """Return the orders that stand and that nobody has stopped or replaced."""
    stopped = stops(history)
    return [fact for fact in current(history, KindNo.ORDER_PLACE) if not stopped.get(ref_of(fact))]


def _record(data: OrderData) -> OrderPlace:
    return OrderPlace(
        substance=_name(data.substance, "data.substance"),
        code=_words(data.code, "data.code", NAME_CHARS_MAX),
        dose=read_amount(data.dose, "data.dose"),
        route=position(data.route, ROUTES, "data.route"),
        frequency=read_frequency(data.frequency),
        form=_words(data.form, "data.form", NAME_CHARS_MAX),
        strength=_words(data.strength, "data.strength", NAME_CHARS_MAX),
        start_s=None if data.start is None else _start(data.start),
        hours=0 if data.duration is None else _hours(data.duration),
        indication=_words(data.indication, "data.indication", WORDS_CHARS_MAX),
        proposal=None if data.proposal is None else read_proposal(data.proposal),
        weight=None
        if data.weight is None
        else read_amount(data.weight, "data.weight", _WEIGHT_UNITS),
        weight_estimated=int(data.weight is not None and data.weight.estimated),
        override=_words(data.override, "data.override", WORDS_CHARS_MAX),
    )


def _doubts(desk: Desk, patient: PatientId, record: OrderPlace) -> None:
    """Ask once about an allergy, weights that differ, and an order of the same that is shown.

    Whose records were linked has the allergies and the orders of all of them.
    """
    histories = histories_of(desk, patient)
    history = histories[0]
    allergy.against(desk, histories, record.substance, "data.substance")
    if "allergy_match" in desk.warnings and not record.override:
        raise InputError("reason_needed", field="data.override")
    if (record.weight or record.proposal) and weight.contests(history):
        sides = weight.contests(history)[0].sides
        desk.confirmed("weights_differ", "data.weight", allowed=tuple(s.value for s in sides))
    corrected = {(bytes(ref.entry), ref.index) for ref in desk.command.supersedes}
    for each in histories:
        stopped = stops(each)
        for fact in shown(each, KindNo.ORDER_PLACE):
            other = ref_of(fact)
            same = key_of(fact.record) == key_of(record) and other not in corrected
            if same and not stopped.get(other):
                desk.confirmed("ordered_already", "data.substance", allowed=(str(fact.ref),))


def _name(text: str, where: str) -> str:
    kept = tidy(text, where, NAME_CHARS_MAX)
    if not fold(kept):
        raise InputError("empty", field=where)
    return kept


def _words(text: str | None, where: str, limit: int) -> str:
    return tidy(text, where, limit) if text else ""


def _start(at: str | int) -> int:
    try:
        return read_time(at)[0] // 1000
    except InputError as error:
        raise error.at("data.start") from None


def _hours(data: DurationData) -> int:
    if data.unit not in _HOURS:
        raise InputError("bad_value", field="data.duration.unit", allowed=tuple(_HOURS))
    hours = data.value * _HOURS[data.unit]
    if not 0 < hours <= DAYS_MAX * 24:
        raise InputError(
            "out_of_range", field="data.duration.value", allowed=(f"1 h-{DAYS_MAX} d",)
        )
    return hours


# rows


class OrderRow(Row, frozen=True, kw_only=True, gc=False):
    """One order and what has become of it."""

    TABLE: ClassVar[str] = "order_placed"
    INDEXED: ClassVar[tuple[str, ...]] = ("patient",)
    patient: bytes
    encounter: bytes | None
    substance: str
    code: str = ""
    dose: str = ""
    """With its unit."""
    route: str = ""
    way: str = ""
    """How its frequency is meant, a word of `WAYS`."""
    every: int = 0
    """Times a day or hours between, as `way` says."""
    max_a_day: int = 0
    form: str = ""
    strength: str = ""
    start_ms: int = 0
    until_ms: int | None = None
    """None: until it is stopped."""
    indication: str = ""
    pack: str = ""
    """Id of the pack that proposed the dose."""
    pack_version: str = ""
    pack_row: str = ""
    arithmetic: str = ""
    weight: str = ""
    weight_estimated: int = 0
    override: str = ""
    stopped_ms: int | None = None
    """When it was first stopped, as far as that stands."""
    stop_reason: str = ""
    given: int = 0
    """Doses given that count."""
    last_given_ms: int | None = None
    given_apart: int = 0
    """Doses given that nobody who stopped it knew of."""


def rows(history: History) -> list[OrderRow]:
    """Return one row for each order."""
    facts = history.of_kind.get(KindNo.ORDER_PLACE, ())
    stopped = stops(history) if facts else {}
    return [_order_row(history, fact, stopped.get(ref_of(fact), ())) for fact in facts]


def _order_row(history: History, fact: Fact, stopped: Sequence[Fact]) -> OrderRow:
    record = fact.record
    assert isinstance(record, OrderPlace)
    given = [each for each in given_of(history, ref_of(fact)) if each.standing == 0]
    start_ms = fact.at_ms if record.start_s is None else record.start_s * 1000
    proposal = record.proposal or Proposal()
    why = stopped[0].record.circumstances if stopped and stopped[0].record else None
    return OrderRow(
        entry=fact.entry,
        idx=fact.index,
        kind=fact.kind,
        standing=fact.standing,
        at_ms=fact.at_ms,
        supersedes=history.supersedes(fact),
        replaced=history.replaced(fact),
        patient=history.subject,
        encounter=history.encounter_of.get(fact.doc),
        substance=clean_text(record.substance),
        code=clean_text(record.code),
        dose=amount_text(record.dose),
        route=word_at(ROUTES, record.route),
        way=word_at(WAYS, record.frequency.way),
        every=record.frequency.every,
        max_a_day=record.frequency.max_a_day,
        form=clean_text(record.form),
        strength=clean_text(record.strength),
        start_ms=start_ms,
        until_ms=start_ms + record.hours * 3_600_000 if record.hours else None,
        indication=clean_text(record.indication),
        pack=clean_text(proposal.pack),
        pack_version=clean_text(proposal.version),
        pack_row=clean_text(proposal.row),
        arithmetic=clean_text(proposal.arithmetic),
        weight=amount_text(record.weight),
        weight_estimated=min(record.weight_estimated, 1),
        override=clean_text(record.override),
        stopped_ms=min((each.at_ms for each in stopped), default=None),
        stop_reason=clean_text(why.reason) if why else "",
        given=len(given),
        last_given_ms=max((each.at_ms for each in given), default=None),
        given_apart=len(given_apart(given, stopped)),
    )


def contests(history: History) -> list[Contest]:
    """Return medicines ordered twice by people apart, and doses that a stop did not know of."""
    found = []
    for facts in grouped(active(history), lambda fact: key_of(fact.record)).values():
        unaware = [fact for fact in facts if not _knew(fact)]
        if len(facts) > 1 and len(unaware) > 1:
            sides = tuple(Side(_line(fact), fact, False) for fact in facts)
            found.append(Contest("order", _substance(facts[0]), None, sides))
    for order, stopped in stops(history).items():
        given = [each for each in given_of(history, order) if each.standing == 0]
        unknown = given_apart(given, stopped)
        if unknown:
            said = [Side("stopped", stopped[-1], True)]
            said += [Side("given", fact, False) for fact in unknown]
            found.append(Contest("dose", _substance(unknown[0]), None, tuple(said)))
    return found


def own_words(record: OrderPlace) -> list[tuple[str, str]]:
    """Return what an order says, as (catalogue key, text) pairs."""
    package = clean_text(f"{record.form} {record.strength}".strip())
    # In brackets: no strength is taken for the dose.
    name = clean_text(record.substance) + (f" ({package})" if package else "")
    said: list[tuple[str, str]] = [("order", name)]
    for key, text in (
        ("dose", amount_text(record.dose)),
        ("route", word_at(ROUTES, record.route)),
        ("often", frequency_text(record.frequency)),
        ("indication", record.indication),
        ("arithmetic", record.proposal.arithmetic if record.proposal else ""),
        ("weight_used", amount_text(record.weight)),
        ("override", record.override),
    ):
        if text:
            said.append((key, clean_text(text)))
    return said


def _knew(fact: Fact) -> bool:
    """Whether its writer knew of another order of the same medicine."""
    stated = fact.record.circumstances if fact.record else None
    return stated is not None and "ordered_already" in stated.confirmed


def _substance(fact: Fact) -> str:
    return clean_text(getattr(fact.record, "substance", ""))


def _line(fact: Fact) -> str:
    assert isinstance(fact.record, OrderPlace)
    return _line_of(fact.record)


def _line_of(record: OrderPlace) -> str:
    parts = (
        clean_text(record.substance),
        clean_text(record.form),
        clean_text(record.strength),
        amount_text(record.dose),
        word_at(ROUTES, record.route),
        frequency_text(record.frequency),
    )
    return clean_text(" ".join(part for part in parts if part))


KIND = Kind(
    number=KindNo.ORDER_PLACE,
    name="order.place",
    value=OrderPlace,
    data=OrderData,
    plan=plan,
    example={
        "v": 1,
        "kind": "order.place",
        "key": "example-17",
        "patient": {"tag": "B12"},
        "data": {
            "substance": "paracetamol",
            "form": "tablet",
            "strength": "500 mg",
            "dose": {"value": "500", "unit": "mg"},
            "route": "oral",
            "frequency": {"way": "times-a-day", "every": 3},
            "duration": {"value": 3, "unit": "d"},
            "indication": "pain",
        },
    },
)
# merge note: orders are only ever added; a correction names the order it replaces. Two of one
# medicine placed apart both stand and are unsettled until one is stopped.
