"""The answers to `unsettled` and `disputes`: what is to be settled, by how much it can harm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from protocols.errors import InputError
from protocols.ids import EncounterId, PatientId
from protocols.ledger import audit, conflicts, reading
from protocols.ledger.conflicts import OneSide, Unsettled
from protocols.live.answers import board_line
from protocols.live.api import BoardLine
from protocols.live.dispute import Dispute, Disputes, DisputeSide
from protocols.live.members import Reader
from protocols.mesh.effects import Now
from protocols.mesh.node import Node
from protocols.records import care
from protocols.records.display import clean_text
from protocols.records.patient import PatientRow
from protocols.records.shape import Fact

STATED = ("allergy", "condition")
"""Families whose values are told word by word, so that each is read in the reader's language."""

Opened = Callable[[PatientId], bool]


def unsettled(node: Node, now: Now, args: Mapping[str, Any]) -> Disputes:
    """Return what is unsettled of everybody: about whom and what, no values.

    Raises:
        InputError: `bad_line`, `sealed_here`.
    """
    limit = args.get("limit", conflicts.CONFLICTS_MAX)
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
        raise InputError("bad_line", field="args.limit")
    ledger = node.ledger
    if ledger.authority.keyring.closed:
        raise InputError("sealed_here")
    lines = []
    for brief in conflicts.briefly(ledger, limit):
        row = reading.patient(ledger, brief.patient)
        if row is not None:
            lines.append(
                Dispute(
                    board_line(row, now.wall_ms),
                    brief.risk,
                    brief.what,
                    clean_text(brief.of_what),
                    brief.at_ms,
                )
            )
    return Disputes(conflicts.count(ledger), tuple(lines))


def disputes(node: Node, now: Now, args: Mapping[str, Any], *, opened: Opened) -> Disputes:
    """Return what is unsettled of one patient, each side with whose it is.

    Raises:
        InputError: `bad_line`, `bad_id`, `not_found`, `sealed_here`; `other_team`, as for a chart.
    """
    row = patient_row(node, args, opened)
    head = board_line(row, now.wall_ms)
    patient = PatientId(row.id)
    facts = {str(fact.ref): fact for fact in reading.facts(node.ledger, patient)}
    found = conflicts.unsettled(node.ledger, patient=patient)
    return Disputes(len(found), tuple(_dispute(head, each, facts) for each in found))


def patient_row(node: Node, args: Mapping[str, Any], opened: Opened) -> PatientRow:
    """Return the patient that a call names, if their chart may be read.

    Raises:
        InputError: As `disputes`.
    """
    named = args.get("patient")
    if not isinstance(named, str):
        raise InputError("bad_line", field="args.patient")
    patient, ledger = PatientId.parse(named), node.ledger
    if ledger.authority.keyring.closed:
        raise InputError("sealed_here")
    teams = () if opened(patient) else audit.other_team(ledger, patient)
    if teams:
        raise InputError("other_team", field="patient", teams=tuple(map(clean_text, teams)))
    row = reading.patient(ledger, patient)
    if row is None:
        raise InputError("not_found", field="patient")
    return row


READS: dict[str, Reader] = {"unsettled": unsettled}
OF_PATIENT: dict[str, Callable[..., object]] = {"disputes": disputes}
"""What shows one patient: another team's only once a reason was given."""


def _dispute(head: BoardLine, found: Unsettled, facts: Mapping[str, Fact]) -> Dispute:
    return Dispute(
        head,
        found.risk,
        found.what,
        clean_text(found.of_what),
        max(side.at_ms for side in found.sides),
        str(EncounterId(found.encounter)) if found.encounter else "",
        tuple(_side(found, side, facts.get(str(side.fact))) for side in found.sides),
    )


def _side(found: Unsettled, side: OneSide, fact: Fact | None) -> DisputeSide:
    said = care.own_words(fact.record) if fact is not None and found.what in STATED else []
    return DisputeSide(
        fact=str(side.fact),
        parts=tuple(text for _, text in said) or (clean_text(side.value),),
        used=side.used,
        author=clean_text(side.author.label),
        roles=tuple(map(clean_text, side.roles)),
        device=clean_text(side.author.device_name),
        at_ms=side.at_ms,
        recorded_ms=side.recorded_ms,
        had_seen=side.had_seen,
    )
