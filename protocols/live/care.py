"""The answers to `care` and `dose_help`: what is known of a patient's care, and a dose proposed.

Everything here runs on the node's thread and reads facts; nothing is decided by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from protocols.errors import InputError
from protocols.guidelines.ages import AgeSpan
from protocols.guidelines.doses import (
    Formulary,
    NoDose,
    Proposed,
    Weighed,
    propose,
    shipped_formulary,
)
from protocols.guidelines.vocabulary import fold, name_of, vocabulary
from protocols.guidelines.working import number_text
from protocols.ids import PatientId
from protocols.ledger import audit, oneperson, packs, reading
from protocols.ledger.authors import Authors
from protocols.ledger.book import Ledger
from protocols.live.answers import board_line
from protocols.live.bedside import (
    AllergyLine,
    Care,
    ConditionLine,
    DoseHelp,
    DoseLine,
    MedicineLine,
    Proposal,
    WeightLine,
)
from protocols.mesh.effects import Now
from protocols.mesh.node import Node
from protocols.records import administration, allergy, condition, order, weight
from protocols.records.administration import AdministrationRow
from protocols.records.amounts import UNITS
from protocols.records.contested import Contest
from protocols.records.display import clean_text
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.order import OrderPlace, OrderRow
from protocols.records.patient import PatientRow
from protocols.records.references import packed, ref_of
from protocols.records.schedule import DAY_MS, URGENCY, Scheduled, scheduled
from protocols.records.shape import Fact
from protocols.records.watch import age_span

LINES_MAX = 100
"""Orders, conditions and allergies of one answer, each."""
MINUTE_MS = 60_000
PROPOSALS_MAX = 3
"""Rows of one substance that propose a dose; more would not be read."""

Opened = Callable[[PatientId], bool]


def care(node: Node, now: Now, args: Mapping[str, Any], *, opened: Opened) -> Care:
    """Return a patient's care as it is shown now.

    Raises:
        InputError: `bad_id`, `not_found`; `other_team`, as for a chart; `sealed_here`.
    """
    ledger = node.ledger
    row, history = _patient(ledger, args, opened)
    who = _Names(ledger)
    # A row keeps its last stay after the end of it.
    going_on = row.encounter if row.closed_ms is None else None
    stay = ledger.store.one(
        "SELECT syndrome, event_relation FROM encounter WHERE id = ?", (going_on or b"",)
    )
    syndrome, relation = stay or (None, None)
    known = _weights(history)
    return Care(
        head=board_line(oneperson.with_allergies(ledger, row), now.wall_ms),
        in_care=going_on is not None,
        allergies=_allergies(history, who),
        conditions=_conditions(history, who),
        medicines=_medicines(_person(ledger, history), who, now.wall_ms),
        doses=_without_order(history, who, now.wall_ms),
        weights=tuple(line for line, _ in known),
        syndrome="" if syndrome is None else name_of("condition", syndrome),
        event_relation=relation,
    )


def dose_help(node: Node, now: Now, args: Mapping[str, Any], *, opened: Opened) -> DoseHelp:
    """Return what speaks against a medicine, and the doses that whole rows propose (SAFETY 9).

    Raises:
        InputError: As `care`; `bad_line` where the substance or the weight is none.
    """
    substance, at = args.get("substance"), args.get("weight", 0)
    if not isinstance(substance, str) or not isinstance(at, int):
        raise InputError("bad_line", field="args.substance")
    row, history = _patient(node.ledger, args, opened)
    person = _person(node.ledger, history)
    known = [weighed for _, weighed in _weights(history)]
    chosen = known[at - 1] if 0 < at <= len(known) else None
    proposals, none = _proposals(node.ledger, substance, age_span(row, now.wall_ms), known, chosen)
    return DoseHelp(
        against=allergy.listed_against(person, substance),
        ordered=any(
            order.key_of(fact.record) == fold(substance)
            for each in person
            for fact in order.active(each)
        ),
        proposals=proposals,
        reason="" if none is None else none.reason,
        lacks=() if none is None else none.lacks,
    )


READS: dict[str, Callable[..., object]] = {"care": care, "dose_help": dose_help}
"""What is asked about one patient, by name; of another team's only once a reason was given."""


class _Names:
    """Who wrote a fact, in the fewest words."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self._who = ledger, Authors(ledger)

    def of(self, fact: Fact) -> str:
        feed = self._ledger.chain.by_no[fact.author]
        return clean_text(self._who.of(feed, fact.session).label)


def _patient(ledger: Ledger, args: Mapping[str, Any], opened: Opened) -> tuple[PatientRow, History]:
    named = args.get("patient")
    if not isinstance(named, str):
        raise InputError("bad_line", field="args.patient")
    patient = PatientId.parse(named)
    if ledger.authority.keyring.closed:
        raise InputError("sealed_here")
    if not opened(patient):
        teams = audit.other_team(ledger, patient)
        if teams:
            raise InputError("other_team", field="patient", teams=tuple(map(clean_text, teams)))
    row = reading.patient(ledger, patient)
    if row is None:
        raise InputError("not_found", field="patient")
    return row, History(patient, reading.facts(ledger, patient))


def _person(ledger: Ledger, history: History) -> list[History]:
    """Return what is known of a patient, then of each record that was linked to be of the same."""
    linked = oneperson.same_person(ledger.store.all, history.subject)[1:]
    others = [History(PatientId(one), reading.facts(ledger, PatientId(one))) for one in linked]
    return [history, *others]


def _facts(history: History, kind: KindNo) -> Sequence[Fact]:
    return history.of_kind.get(kind, ())


def _allergies(history: History, who: _Names) -> tuple[AllergyLine, ...]:
    found = [
        AllergyLine(
            fact=str(fact.ref),
            status=row.status,
            code=row.code,
            text=row.text,
            reaction=row.reaction,
            severity=row.severity,
            certainty=row.certainty,
            remark=row.remark,
            at_ms=row.at_ms,
            author=who.of(fact),
            used=bool(row.used),
            unsettled=bool(row.unsettled),
            standing=row.standing,
        )
        for fact, row in zip(
            _facts(history, KindNo.ALLERGY_RECORD), allergy.rows(history), strict=True
        )
        if not row.replaced
    ]
    severity = {word: at for at, word in enumerate(allergy.SEVERITIES)}
    found.sort(key=lambda one: (not one.used, one.status, -severity.get(one.severity, 0)))
    return tuple(found[:LINES_MAX])


def _conditions(history: History, who: _Names) -> tuple[ConditionLine, ...]:
    found = [
        ConditionLine(
            fact=str(fact.ref),
            status=row.status,
            code=row.code,
            text=row.text,
            onset=row.onset,
            event_relation=row.event_relation,
            remark=row.remark,
            at_ms=row.at_ms,
            author=who.of(fact),
            used=bool(row.used),
            unsettled=bool(row.unsettled),
            standing=row.standing,
        )
        for fact, row in zip(
            _facts(history, KindNo.CONDITION_RECORD), condition.rows(history), strict=True
        )
        if not row.replaced
    ]
    place = {word: at for at, word in enumerate(condition.STATUSES)}
    found.sort(key=lambda one: (not one.used, place.get(one.status, 9), -one.at_ms))
    return tuple(found[:LINES_MAX])


def _medicines(person: Sequence[History], who: _Names, now_ms: int) -> tuple[MedicineLine, ...]:
    """Return the orders that go on, those stopped within a day, and those given since.

    Args:
        person: What is known of the patient, then their records that were linked: allergies of all.
        who: Names of authors.
        now_ms: Wall clock, Unix milliseconds.
    """
    history = person[0]
    doses: dict[bytes, list[AdministrationRow]] = {}
    facts = _facts(history, KindNo.ADMINISTRATION_RECORD)
    fact_of = {(fact.entry, fact.index): fact for fact in facts}
    for dose in administration.rows(history):
        if dose.about is not None:
            doses.setdefault(dose.about, []).append(dose)
    unsettled = _unsettled(history)
    late_ms = vocabulary().doubt.late_minutes * MINUTE_MS
    found = []
    placed = _facts(history, KindNo.ORDER_PLACE)
    for fact, row in zip(placed, order.rows(history), strict=True):
        if row.replaced:
            continue
        now = scheduled(
            row,
            doses.get(packed(ref_of(fact)), ()),
            now_ms,
            late_ms,
            unsettled=unsettled,
            allergic=bool(allergy.listed_against(person, row.substance)),
        )
        gone = row.stopped_ms if row.stopped_ms is not None else row.until_ms
        over = now.state in ("stopped", "ended", "done")
        if over and not now.warnings and gone is not None and gone < now_ms - DAY_MS:
            continue
        last = None if now.last is None else fact_of[now.last.entry, now.last.idx]
        found.append(_medicine(fact, row, now, last, who))
    found.sort(key=lambda one: (_urgency(one), one.due_ms or 0, one.substance, one.order))
    return tuple(found[:LINES_MAX])


def _medicine(
    fact: Fact, row: OrderRow, now: Scheduled, last: Fact | None, who: _Names
) -> MedicineLine:
    record = fact.record
    assert isinstance(record, OrderPlace)
    value, _, unit = row.dose.rpartition(" ")
    return MedicineLine(
        order=str(fact.ref),
        substance=row.substance,
        form=row.form,
        strength=row.strength,
        value=value,
        unit=unit if unit in UNITS else "",
        route=row.route,
        way=row.way,
        every=row.every,
        max_a_day=row.max_a_day,
        indication=row.indication,
        start_ms=row.start_ms,
        until_ms=row.until_ms,
        author=who.of(fact),
        state=now.state,
        due_ms=now.due_ms,
        last=None if now.last is None or last is None else _dose(last, now.last, who),
        last_given_ms=now.last_given_ms,
        given=row.given,
        given_a_day=now.given_a_day,
        warnings=now.warnings,
        stopped_ms=row.stopped_ms,
        stop_reason=row.stop_reason,
        controlled=vocabulary().is_controlled(row.substance),
        standing=row.standing,
    )


def _urgency(one: MedicineLine) -> int:
    """Return the place in the list; what was given past its stop is looked at first."""
    if "given_past_stop" in one.warnings:
        return -1
    return next(at for at, state in enumerate(URGENCY) if state == one.state)


def _dose(fact: Fact, row: AdministrationRow, who: _Names) -> DoseLine:
    return DoseLine(
        fact=str(fact.ref),
        status=row.status,
        substance=row.substance,
        dose=row.dose,
        route=row.route,
        reason=row.reason,
        at_ms=row.at_ms,
        author=who.of(fact),
    )


def _without_order(history: History, who: _Names, now_ms: int) -> tuple[DoseLine, ...]:
    rows = zip(
        _facts(history, KindNo.ADMINISTRATION_RECORD), administration.rows(history), strict=True
    )
    found = [
        _dose(fact, row, who)
        for fact, row in rows
        if row.about is None and not row.replaced and row.at_ms > now_ms - DAY_MS
    ]
    found.sort(key=lambda one: -one.at_ms)
    return tuple(found[:LINES_MAX])


def _unsettled(history: History) -> set[tuple[str, str]]:
    """Return risk and substance of what people apart wrote differently about medicines."""
    contests: list[Contest] = [*order.contests(history), *administration.contests(history)]
    return {(each.risk, each.about) for each in contests}


def _weights(history: History) -> list[tuple[WeightLine, Weighed]]:
    """Return the newest weight, or all that are in conflict, the newest first."""
    facts = list(weight.weights(history))
    if not facts:
        return []
    contested = weight.contests(history)
    if contested:
        facts = [side.fact for side in contested[0].sides]
    facts.sort(key=lambda fact: (-fact.at_ms, fact.order, fact.index))
    found = []
    for fact in facts if contested else facts[:1]:
        kg, guessed = weight.kilograms(fact), weight.is_estimated(fact)
        found.append((WeightLine(number_text(kg), guessed, fact.at_ms), Weighed(kg, guessed)))
    return found


def _formulary(ledger: Ledger) -> Formulary:
    """Return the formulary that this node works by."""
    held = packs.in_use(ledger, "formulary")
    found = None if held is None else packs.contents(held)
    return found if isinstance(found, Formulary) else shipped_formulary()


def _proposals(
    ledger: Ledger,
    substance: str,
    age: AgeSpan,
    weights: Sequence[Weighed],
    chosen: Weighed | None,
) -> tuple[tuple[Proposal, ...], NoDose | None]:
    """Return what whole rows of this substance propose, else the first reason why none does."""
    pack = _formulary(ledger)
    rows = [row for row in pack.dose if fold(row.substance) == fold(substance)]
    found: list[Proposal] = []
    refused: list[NoDose] = []
    for row in rows:
        proposed = propose(pack, row.id, age, weights, chosen)
        if isinstance(proposed, NoDose):
            refused.append(proposed)
        else:
            kg = chosen or weights[0]
            found.append(_proposal(pack, proposed, kg))
    if found:
        return tuple(found[:PROPOSALS_MAX]), None
    # A row for another age or weight says less than one that would do but lacks something.
    refused.sort(key=lambda none: none.reason == "no_row")
    return (), refused[0] if refused else NoDose("no_row")


def _proposal(pack: Formulary, proposed: Proposed, weighed: Weighed) -> Proposal:
    return Proposal(
        pack=pack.pack.name,
        version=proposed.version,
        row=proposed.row.id,
        words=proposed.row.words,
        mg=_plain(proposed.mg),
        text=proposed.text,
        amount_text=proposed.amount_text,
        route=_ROUTES.get(proposed.row.route, proposed.row.route),
        times_a_day=proposed.row.times_a_day,
        kg=_plain(weighed.kg),
        estimated=proposed.estimated,
        approved=proposed.approved,
        memory=proposed.status == "memory",
    )


def _plain(value: Fraction) -> str:
    """Return a number as it is typed: a point, no grouping, at most two decimals, cut down."""
    hundredths = int(value * 100)
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") if rest else str(whole)


_ROUTES = {
    "intravenous": "iv",
    "intramuscular": "im",
    "subcutaneous": "sc",
    "intraosseous": "io",
    "by mouth": "oral",
}
"""Words a pack may use for a route of the record."""
