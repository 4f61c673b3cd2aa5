"""Signed papers: a patient's summary that goes along, and what a scanned one is worth here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from protocols.errors import InputError
from protocols.ids import DeviceId, PatientId, StatementHash
from protocols.ledger import audit, immunization, proofs, reading
from protocols.ledger.summaries import summary
from protocols.ledger.view import BookView
from protocols.live.aging import age_text
from protocols.live.audited import event
from protocols.live.paper import ENDED, FORGED, HOLDS, SEALED, UNKNOWN, PaperRead
from protocols.live.printed import Printed
from protocols.mesh.effects import Effect, Now
from protocols.mesh.node import Node
from protocols.records import proof_bytes
from protocols.records.display import clean_text
from protocols.records.proof import Proof
from protocols.records.summary import Summary
from protocols.records.summary_bytes import fitted, from_body, to_body
from protocols.trust.audit import REASON_CHARS_MAX, What
from protocols.trust.paper import (
    BODY_BYTES_MAX,
    NAMED_BYTES,
    Paper,
    PaperKind,
    read_paper,
    sign_paper,
)

ADVICE_CHARS_MAX = 160
_KINDS = (PaperKind.SUMMARY, PaperKind.VACCINATION)


def printed(
    node: Node,
    now: Now,
    args: Mapping[str, Any],
    *,
    session: int = 0,
    opened: Callable[[PatientId], bool] = lambda patient: False,
) -> tuple[Printed, Sequence[Effect]]:
    """Sign a patient's summary for paper.

    Raises:
        InputError: `bad_line`, `not_found`, `ambiguous`, `too_long`, `sealed_here`,
            `not_certified`: no paper of this device could be checked; `other_team`, where a reason
            is needed.
        LedgerError: The trail could not be written.
    """
    if node.ledger.authority.keyring.closed:
        raise InputError("sealed_here")
    advice, reason = text_of(args, "advice", ADVICE_CHARS_MAX), text_of(args, "reason")
    patient = patient_named(node, now, args)
    certificate = must_certify(node)
    events = []
    teams = () if opened(patient) else audit.other_team(node.ledger, patient)
    if teams and not reason:
        raise InputError("other_team", field="patient", teams=tuple(map(clean_text, teams)))
    if teams:
        why = {"patient": bytes(patient), "reason": reason}
        events.append(event(now, What.READ_OUTSIDE_TEAM, session=session, **why))
    said = fitted(_said(node, now, patient, advice), BODY_BYTES_MAX)
    text = sign_paper(
        node.ledger.authority.keys,
        PaperKind.SUMMARY,
        certificate,
        now.wall_ms,
        to_body(said),
    )
    whole = hashlib.blake2b(text.encode(), digest_size=32).digest()
    noted = {"patient": bytes(patient), "document": whole, "reason": "summary"}
    events.append(event(now, What.PRINT, session=session, **noted))
    return Printed(text, said), node.audit(events, now)


def read(node: Node, now: Now, args: Mapping[str, Any]) -> PaperRead:
    """Say what a scanned paper is worth, without any network.

    Raises:
        InputError: `not_a_paper`, `paper_cut`, `paper_newer`, `sealed_here`.
    """
    if node.ledger.authority.keyring.closed:
        raise InputError("sealed_here")
    paper = read_paper(text_of(args, "text"))
    device, worth = _judge(node, paper)
    # What was not signed is not shown either: somebody would act on it all the same.
    readable = paper.kind in _KINDS and worth not in (FORGED, UNKNOWN)
    said = from_body(paper.body) if readable and paper.kind == PaperKind.SUMMARY else None
    proof = None
    if readable and paper.kind == PaperKind.VACCINATION:
        proof = proof_bytes.from_body(paper.body)
    if readable and said is None and proof is None:
        raise InputError("paper_newer", field="paper")
    ledger = node.ledger
    member = ledger.authority.roster.device(device) if device else None
    return PaperRead(
        worth=worth,
        at_ms=paper.at_ms,
        device=clean_text(ledger.authority.name_of(device)) if device else "",
        org=clean_text(member.org) if member else "",
        certificate=paper.certificate.hex(),
        kind=paper.kind,
        said=said,
        patient=_known(node, now, said or proof),
        proof=proof,
        names=proofs.names_of(immunization.plan_in_use(ledger), proof) if proof else {},
    )


READS: dict[str, Callable[[Node, Now, Mapping[str, Any]], object]] = {"paper_read": read}
DEEDS: dict[str, Callable[..., tuple[object, Sequence[Effect]]]] = {"print_summary": printed}


def _judge(node: Node, paper: Paper) -> tuple[DeviceId | None, str]:
    """Return whose paper it is, as far as that is known here, and what it is worth."""
    roster = node.ledger.authority.roster
    for key in roster.members():
        for name, certificate in roster.certificates(key):
            if name[:NAMED_BYTES] == paper.certificate:
                if not paper.signed_by(key):
                    return None, FORGED
                return key, _standing(node, key, name, certificate.not_after_ms)
    return None, UNKNOWN


def _standing(node: Node, key: DeviceId, name: StatementHash, not_after_ms: int) -> str:
    if node.ledger.authority.roster.bounds(key, name):
        return SEALED
    ended = not_after_ms and node.ledger.trusted_ms > not_after_ms
    return ENDED if ended else HOLDS


def _said(node: Node, now: Now, patient: PatientId, advice: str) -> Summary:
    ledger = node.ledger
    row = reading.patient(ledger, patient)
    age = "" if row is None else age_text(row, now.wall_ms)
    gathered = summary(ledger, patient, now.wall_ms, age=age)
    name = clean_text(ledger.authority.name_of(ledger.authority.device))
    return replace(gathered, written_by=name[:40], advice=advice)


def must_certify(node: Node) -> StatementHash:
    """Return the certificate that this device signs papers under.

    Raises:
        InputError: `not_certified`: no paper of this device could be checked.
    """
    certificates = node.ledger.authority.roster.certificates(node.ledger.authority.device)
    if not certificates:
        raise InputError("not_certified")
    return certificates[0][0]


def patient_named(node: Node, now: Now, args: Mapping[str, Any]) -> PatientId:
    """Return whom a paper is about: by id, or by the short code on the wristband.

    Raises:
        InputError: `bad_line`, `not_found`, `ambiguous`.
    """
    return BookView(node.ledger, now.wall_ms).patient_named(text_of(args, "patient"))


def _known(node: Node, now: Now, said: Summary | Proof | None) -> str:
    if said is None:
        return ""
    view = BookView(node.ledger, now.wall_ms)
    found = view.patients_named(said.code) if said.code else ()
    if not found and said.tag:
        found = view.patients_tagged(said.tag)
    return str(found[0]) if len(found) == 1 else ""


def text_of(args: Mapping[str, Any], name: str, most: int = REASON_CHARS_MAX) -> str:
    """Return one text of a call, without outer space; '' where it is not said.

    Raises:
        InputError: `bad_line`, `too_long`.
    """
    value = args.get(name, "")
    if not isinstance(value, str):
        raise InputError("bad_line", field=f"args.{name}")
    if name != "text" and len(value) > most:
        raise InputError("too_long", field=name, limit=most)
    return value.strip()
