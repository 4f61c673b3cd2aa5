"""Proofs of vaccination: signed for paper, put on a card, and taken over from another team's paper.

The trail says what is printed before it is given out. What a paper says is written down by `record`
like anything else, as told by a paper, once a person has seen every dose of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from protocols.errors import InputError
from protocols.guidelines.vocabulary import fold
from protocols.ids import PatientId
from protocols.ledger import audit, immunization, persons, proofs, reading
from protocols.ledger.audit import Event
from protocols.live.aging import age_text
from protocols.live.audited import event
from protocols.live.dosedays import day_text
from protocols.live.paper import ENDED, HOLDS, PaperRead
from protocols.live.papers import must_certify, patient_named, read, text_of
from protocols.live.proof import NextLine, PaperDose, PaperDoses, PrintedProof
from protocols.mesh.effects import Effect, Now
from protocols.mesh.node import Node
from protocols.records.display import clean_text
from protocols.records.proof import NAME_CHARS_MAX
from protocols.records.proof_bytes import fitted, to_body
from protocols.records.rows import iso
from protocols.records.zones import local_day
from protocols.trust.audit import What
from protocols.trust.paper import BODY_BYTES_MAX, PaperKind, sign_paper

VACCINATION, CARD = "vaccination", "card"
SHEETS = (VACCINATION, CARD)
_COMES = ("due", "overdue", "not-yet", "unsure")
_KEY_BYTES = 12

Opened = Callable[[PatientId], bool]


def _nobody(patient: PatientId) -> bool:
    return False


def printed(
    node: Node,
    now: Now,
    args: Mapping[str, Any],
    *,
    session: int = 0,
    opened: Opened = _nobody,
) -> tuple[PrintedProof, Sequence[Effect]]:
    """Sign a proof of vaccination for paper, or give out what a card says.

    Raises:
        InputError: `bad_line`, `not_found`, `ambiguous`, `too_long`, `sealed_here`,
            `not_certified`: no paper of this device could be checked; `other_team`, where a reason
            is needed.
        LedgerError: The trail could not be written.
    """
    ledger = node.ledger
    if ledger.authority.keyring.closed:
        raise InputError("sealed_here")
    sheet = args.get("sheet", VACCINATION)
    if sheet not in SHEETS:
        raise InputError("bad_line", field="args.sheet", allowed=SHEETS)
    patient = patient_named(node, now, args)
    certificate = must_certify(node) if sheet == VACCINATION else None
    events = _asked(node, now, args, patient, session=session, opened=opened)
    row = reading.patient(ledger, patient)
    age = "" if row is None else age_text(row, now.wall_ms)
    found = proofs.gather(ledger, patient, local_day((), now.wall_ms), age=age)
    said, text, noted = replace(found.proof, written_by=_writer(node, session)), "", {}
    if certificate is not None:
        said = fitted(said, BODY_BYTES_MAX)
        keys, kind = ledger.authority.keys, PaperKind.VACCINATION
        text = sign_paper(keys, kind, certificate, now.wall_ms, to_body(said))
        noted = {"document": hashlib.blake2b(text.encode(), digest_size=32).digest()}
    about = {"patient": bytes(patient), "reason": str(sheet), **noted}
    events.append(event(now, What.PRINT, session=session, **about))
    told = node.audit(events, now)
    coming = found.child.next_visit
    return PrintedProof(
        node=clean_text(ledger.authority.name_of(ledger.authority.device)),
        at_ms=now.wall_ms,
        text=text,
        said=said,
        names=proofs.names_of(found.plan, said),
        next_day=day_text(coming.day) if coming else "",
        next_sure=coming.sure if coming else True,
        coming=_coming(found),
    ), told


def taken(
    node: Node,
    now: Now,
    args: Mapping[str, Any],
    *,
    session: int = 0,
    opened: Opened = _nobody,
) -> tuple[PaperDoses, Sequence[Effect]]:
    """Say what a proof of vaccination would add to somebody's doses; see `PaperDoses`.

    Raises:
        InputError: As `papers.read`; `paper_not_taken`; as `printed` of the patient.
    """
    ledger, paper = node.ledger, read(node, now, args)
    if paper.proof is None or paper.worth not in (HOLDS, ENDED):
        raise InputError("paper_not_taken", field="paper")
    patient = patient_named(node, now, args)
    events = _asked(node, now, args, patient, session=session, opened=opened)
    row = reading.patient(ledger, patient)
    if row is None or row.standing:
        raise InputError("not_found", field="patient")
    told = node.audit(events, now) if events else ()
    found = proofs.compare(ledger, patient, paper.proof, local_day((), now.wall_ms))
    said = paper.proof
    differs = [
        name
        for name, other in (
            ("name", bool(said.name and row.name) and not _words(said.name) & _words(row.name)),
            ("birth_date", bool(said.born and row.birth_date) and said.born != row.birth_date),
            ("sex", _sex(said.sex) != _sex(row.sex) and 9 not in (said.sex, row.sex)),
        )
        if other
    ]
    return PaperDoses(
        patient=str(patient),
        name=row.name,
        born=row.birth_date or "",
        differs=tuple(differs),
        doses=tuple(PaperDose(one.dose, one.state) for one in found),
        names=proofs.names_of(immunization.plan_in_use(ledger), said),
        lines=tuple(_line(one, patient, paper, now) for one in found if one.state == "new"),
        left_out=said.left_out,
    ), told


DEEDS: dict[str, Callable[..., tuple[object, Sequence[Effect]]]] = {
    "print_vaccination": printed,
    "paper_doses": taken,
}


def _asked(
    node: Node,
    now: Now,
    args: Mapping[str, Any],
    patient: PatientId,
    *,
    session: int,
    opened: Opened,
) -> list[Event]:
    """Return what the trail says first of another team's patient.

    Raises:
        InputError: `other_team`: a reason is needed.
    """
    reason = text_of(args, "reason")
    teams = () if opened(patient) else audit.other_team(node.ledger, patient)
    if not teams:
        return []
    if not reason:
        raise InputError("other_team", field="patient", teams=tuple(map(clean_text, teams)))
    why = {"patient": bytes(patient), "reason": reason}
    return [event(now, What.READ_OUTSIDE_TEAM, session=session, **why)]


def _writer(node: Node, session: int) -> str:
    """Return who issues it: the person who is signed in, else the device."""
    ledger = node.ledger
    person = audit.sits_here(ledger, session) if session else None
    profile = persons.profile_of(ledger, person) if person else None
    name = profile.name if profile else ledger.authority.name_of(ledger.authority.device)
    return clean_text(name)[:NAME_CHARS_MAX]


def _coming(found: proofs.Gathered) -> tuple[NextLine, ...]:
    words = {series.id: series.words for series in found.plan.schedule.series}
    lines = [
        NextLine(
            words.get(each.series, {"en": clean_text(each.series)}),
            each.number,
            each.state,
            day_text(each.day),
            each.sure,
        )
        for each in found.child.due
        if each.state in _COMES
    ]
    return tuple(sorted(lines, key=lambda line: line.day or "9"))


def _line(one: proofs.Compared, patient: PatientId, paper: PaperRead, now: Now) -> dict[str, Any]:
    """Return a dose of a paper as a line of `record`: who signed the paper stands in its reason."""
    dose = one.dose
    data: dict[str, Any] = {"vaccine": one.vaccine, "lot": dose.lot, "place": proofs.place_of(dose)}
    if one.number is not None:
        data["dose"] = one.number
    if dose.body_site:
        data["body_site"] = dose.body_site
    signed = " ".join(
        part for part in (paper.device, f"({paper.org})" if paper.org else "") if part
    )
    line = {
        "v": 1,
        "kind": "dose.record",
        "key": f"paper-{now.entropy(_KEY_BYTES).hex()}",
        "patient": str(patient),
        "at": day_text(dose.day),
        "source": "paper",
        "reason": f"{signed}, {iso(paper.at_ms)}, {paper.certificate[:16].upper()}",
        "data": {name: value for name, value in data.items() if value != ""},
    }
    return line | ({"by": dose.by} if dose.by else {})


def _words(name: str) -> set[str]:
    """Return the words of a name: one in common is enough, since families are spelled many ways."""
    return set(fold(name).split())


def _sex(digit: int) -> int:
    return 2 if digit == 3 else digit
