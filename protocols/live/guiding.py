"""Calls of the local socket for working by a guideline: which there are, and one whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

import msgspec

from protocols.errors import InputError, SetupError
from protocols.guidelines.due import shipped_due
from protocols.guidelines.guideline import SHIPPED, Guideline
from protocols.guidelines.observations import observations
from protocols.guidelines.questions import Person, decimal_of
from protocols.guidelines.running import offers
from protocols.guidelines.vocabulary import vocabulary
from protocols.ids import PatientId
from protocols.ledger import audit, packs, reading
from protocols.ledger.authors import Authors
from protocols.ledger.packs import HeldPack
from protocols.live.guidance import (
    GuidelineLine,
    GuidelineList,
    GuidelineSheet,
    GuidelineVersion,
    ReadingTold,
    StepTold,
    WeightTold,
)
from protocols.mesh.effects import Now
from protocols.mesh.node import Node
from protocols.records import guideline as steps
from protocols.records import weight
from protocols.records.display import clean_text
from protocols.records.guideline import GuidelineStepRow
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.observation import ObservationRow
from protocols.records.observation import rows as observation_rows
from protocols.records.patient import PatientRow
from protocols.records.shape import Fact
from protocols.records.watch import age_span

Opened = Callable[[PatientId], bool]
"""Whether a reason was given in this session to read another team's patient."""

PREGNANT = {1: False, 3: True}
"""What a sex says of it; 2 may be, and 9 is not known."""
GUIDELINES_MAX = 64
"""Guidelines in one list."""
STEPS_MAX = 200
"""Records of one course that are told; later ones first kept."""
HOUR_MS = 3_600_000


def guidelines(node: Node, now: Now, args: Mapping[str, Any], *, opened: Opened) -> GuidelineList:
    """Every guideline in the version this node works by.

    Raises:
        InputError: `bad_id`, `not_found`, `sealed_here`, `other_team`.
    """
    patient = _patient(node, args, opened)
    row, history = _known(node, patient)
    person = Person(age_span(row, now.wall_ms), PREGNANT.get(row.sex))
    begun = steps.rows(history)
    held = packs.held(node.ledger)
    lines = []
    for name, versions in _by_name(held).items():
        first = versions[0]
        form = _guideline(first.text, first.approved_by)
        if form is None:
            continue
        course = steps.current(begun, name, _stay(row))
        lines.append(
            GuidelineLine(
                name=name,
                words=form.guideline.words,
                version=first.version,
                status=first.status,
                source=form.pack.source,
                org=first.org,
                approved_by=first.approved_by,
                offered=offers(form, person),
                others=len(versions) - 1,
                begun_ms=course.began_ms if course else None,
                done=len(course.steps) if course else 0,
            )
        )
    lines.sort(key=lambda each: (each.begun_ms is None, not each.offered))
    return GuidelineList(tuple(lines[:GUIDELINES_MAX]))


def guideline(node: Node, now: Now, args: Mapping[str, Any], *, opened: Opened) -> GuidelineSheet:
    """One guideline in all its versions, and how far this patient's stay is with it.

    Raises:
        InputError: `unknown_pack`, and as `guidelines`.
    """
    name = args.get("guideline")
    patient = _patient(node, args, opened)
    row, history = _known(node, patient)
    versions = [
        pack
        for pack in _by_name(packs.held(node.ledger)).get(str(name), ())
        if _guideline(pack.text, pack.approved_by) is not None
    ]
    if not versions:
        raise InputError("unknown_pack", field="guideline")
    course = steps.current(steps.rows(history), str(name), _stay(row))
    return GuidelineSheet(
        name=str(name),
        versions=tuple(map(_version, versions)),
        weight=_weight(history, _stay(row)),
        readings=_readings(history, row, now.wall_ms),
        course=course.number if course else 0,
        began_ms=course.began_ms if course else None,
        steps=_told(node, history, course.steps[-STEPS_MAX:]) if course else (),
        in_care=_stay(row) is not None,
    )


def _patient(node: Node, args: Mapping[str, Any], opened: Opened) -> PatientId:
    wanted = args.get("patient")
    if not isinstance(wanted, str):
        raise InputError("bad_line", field="args.patient")
    patient = PatientId.parse(wanted)
    if node.ledger.authority.keyring.closed:
        raise InputError("sealed_here")
    teams = () if opened(patient) else audit.other_team(node.ledger, patient)
    if teams:
        raise InputError("other_team", field="patient", teams=tuple(map(clean_text, teams)))
    return patient


def _known(node: Node, patient: PatientId) -> tuple[PatientRow, History]:
    row = reading.patient(node.ledger, patient)
    if row is None:
        raise InputError("not_found", field="patient")
    return row, History(patient, reading.facts(node.ledger, patient))


def _stay(row: PatientRow) -> bytes | None:
    """Return the stay that goes on; steps of nobody in care stand in the patient's document."""
    return row.encounter if row.closed_ms is None else None


def _by_name(held: Sequence[HeldPack]) -> dict[str, list[HeldPack]]:
    """Return the packs that can be worked by, the one to use first."""
    found: dict[str, list[HeldPack]] = {}
    for pack in held:
        if pack.usable:
            found.setdefault(pack.name, []).append(pack)
    shipped = {name: place for place, name in enumerate(SHIPPED)}
    return dict(
        sorted(found.items(), key=lambda each: (shipped.get(each[0], len(shipped)), each[0]))
    )


@lru_cache(64)
def _guideline(text: str, approved_by: str) -> Guideline | None:
    """Return a pack that is a guideline; None for one of another form."""
    from protocols.guidelines.linting import read_any  # every form of pack: only who needs one

    try:
        found = read_any(text)
    except SetupError:
        return None
    if not isinstance(found, Guideline):
        return None
    head = msgspec.structs.replace(found.pack, approved_by=approved_by)
    return msgspec.structs.replace(found, pack=head)


def _version(pack: HeldPack) -> GuidelineVersion:
    form = _guideline(pack.text, pack.approved_by)
    assert form is not None
    return GuidelineVersion(
        pack.version,
        pack.digest.hex(),
        pack.org,
        pack.status,
        form.pack.source,
        pack.approved_by,
        pack.text,
    )


def _weight(history: History, stay: bytes | None) -> WeightTold:
    """Return the latest weight of this stay; of weights in conflict none, and what they are.

    An earlier stay's weight is none: a child has grown, and who is dehydrated has lost.
    """
    known = [fact for fact in weight.weights(history) if history.encounter_of.get(fact.doc) == stay]
    if not known:
        return WeightTold()
    contests = weight.contests(history)
    if contests:
        return WeightTold(sides=tuple(side.value for side in contests[0].sides))
    newest = max(known, key=lambda fact: (fact.at_ms, fact.order, fact.index))
    kg = decimal_of(weight.kilograms(newest))
    if kg is None:
        return WeightTold()
    return WeightTold(str(kg), newest.at_ms, _estimated(newest, history))


def _estimated(fact: Fact, history: History) -> bool:
    rows = {(row.entry, row.idx): row.code for row in observation_rows(history)}
    return rows.get((fact.entry, fact.index)) == weight.CODES[1]


def _readings(history: History, row: PatientRow, now_ms: int) -> tuple[ReadingTold, ...]:
    """Return the latest of each observation of this stay that has not to be measured anew.

    What is measured in every round is asked about, and so is what is as old as a weight that would
    no longer be set beside another. A device's value counts once somebody accepted it (SAFETY 15).
    """
    again = frozenset(shipped_due().set.codes)
    since_ms = now_ms - vocabulary().doubt.weight_hours * HOUR_MS
    latest: dict[str, ObservationRow] = {}
    for each in sorted(observation_rows(history), key=lambda one: (one.at_ms, one.entry, one.idx)):
        counts = not (each.standing or each.replaced or each.unaccepted)
        if counts and each.at_ms >= since_ms and each.encounter == _stay(row):
            latest[each.code] = each
    told = (_reading(each) for code, each in sorted(latest.items()) if code not in again)
    return tuple(each for each in told if each is not None)


def _reading(row: ObservationRow) -> ReadingTold | None:
    if row.absent:
        unfound = row.absent == "unrecordable"
        return ReadingTold(row.code, unrecordable=True, at_ms=row.at_ms) if unfound else None
    known = next((each for each in observations().observation if each.name == row.code), None)
    if known is None or not row.value:
        return None
    if known.choices:
        return ReadingTold(row.code, choice=row.value, at_ms=row.at_ms)
    factor = next((unit.factor for unit in known.units if unit.ucum == row.unit), None)
    value = None if factor is None else decimal_of(Fraction(row.value) * Fraction(factor))
    return None if value is None else ReadingTold(row.code, str(value), at_ms=row.at_ms)


def _told(node: Node, history: History, rows: Sequence[GuidelineStepRow]) -> tuple[StepTold, ...]:
    facts = {
        (fact.entry, fact.index): fact for fact in history.of_kind.get(KindNo.GUIDELINE_STEP, ())
    }
    who = Authors(node.ledger).of_entries(row.entry for row in rows)
    found = []
    for row in rows:
        fact = facts[row.entry, row.idx]
        said = fact.record.circumstances if fact.record else None
        author = who.get(row.entry)
        found.append(
            StepTold(
                fact=str(fact.ref),
                did=row.did,
                step=row.step,
                at_ms=row.at_ms,
                author=clean_text(author.label) if author else "",
                version=row.version,
                digest=row.digest,
                reason=row.reason,
                amounts=row.amounts,
                result=row.result,
                answers=msgspec.json.decode(row.answers),
                precision=said.precision if said else "",
                by=clean_text(said.by) if said else "",
            )
        )
    return tuple(found)


CALLS: dict[str, Callable[..., object]] = {"guidelines": guidelines, "guideline": guideline}
"""Calls about one patient; each takes `opened` beside what every call takes."""
