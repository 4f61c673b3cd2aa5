"""What a patient takes along, gathered from rows that stand: see `records/summary.py`."""

from __future__ import annotations

from protocols.errors import InputError
from protocols.guidelines.observations import observations
from protocols.ids import PatientId
from protocols.ledger import reading
from protocols.ledger.book import Ledger
from protocols.records.patient import PatientRow
from protocols.records.summary import LINE_CHARS_MAX, LINES_MAX, Summary

_ORDERS = (
    "SELECT substance, dose, route, way, every FROM order_placed"
    " WHERE patient = ? AND standing = 0 AND replaced = 0 AND stopped_ms IS NULL"
    " AND (until_ms IS NULL OR until_ms > ?) ORDER BY start_ms DESC, entry DESC LIMIT ?"
)
_PROBLEMS = (
    "SELECT code, text FROM condition WHERE patient = ? AND standing = 0 AND used = 1"
    " AND status = 'active' ORDER BY at_ms DESC, entry DESC LIMIT ?"
)
_FINDINGS = (
    "SELECT code, value, unit, max(at_ms) FROM observation WHERE patient = ? AND standing = 0"
    " AND replaced = 0 AND absent = '' AND value <> '' GROUP BY code ORDER BY 4 DESC, code LIMIT ?"
)


def summary(ledger: Ledger, patient: PatientId, now_ms: int, *, age: str) -> Summary:
    """Return what this book says of a patient; nothing that does not stand, nothing replaced.

    Args:
        ledger: The book.
        patient: Whose it is.
        now_ms: Unix milliseconds: what is ordered beyond goes on.
        age: With its unit, as boards show it.

    Raises:
        InputError: `not_found`.
    """
    row = reading.patient(ledger, patient)
    if row is None or row.standing:
        raise InputError("not_found", field="patient")
    return Summary(
        code=row.code,
        name=row.name[:LINE_CHARS_MAX],
        tag=row.tag[:40],
        sex=row.sex,
        age=age[:16],
        triage=row.triage,
        allergy=row.allergy,
        allergies=_split(row.allergies),
        problems=_problems(ledger, row),
        medicines=_medicines(ledger, row, now_ms),
        findings=_findings(ledger, row),
    )


def _split(listed: str) -> tuple[str, ...]:
    parts = (part.strip() for part in listed.split(";"))
    return tuple(part[:LINE_CHARS_MAX] for part in parts if part)[:LINES_MAX]


def _problems(ledger: Ledger, row: PatientRow) -> tuple[str, ...]:
    found = [text or code for code, text in ledger.store.all(_PROBLEMS, (row.id, LINES_MAX))]
    said = dict.fromkeys((*found, *_split(row.problem)))
    return tuple(text[:LINE_CHARS_MAX] for text in said)[:LINES_MAX]


def _medicines(ledger: Ledger, row: PatientRow, now_ms: int) -> tuple[str, ...]:
    lines = []
    for parts in ledger.store.all(_ORDERS, (row.id, now_ms, LINES_MAX)):
        *known, way, every = parts
        often = f"{way} {every}" if every else way
        lines.append(" ".join(part for part in (*known, often) if part)[:LINE_CHARS_MAX])
    return tuple(lines)


def _findings(ledger: Ledger, row: PatientRow) -> tuple[tuple[int, str], ...]:
    number_of = {each.name: each.number for each in observations().observation}
    return tuple(
        (number_of[code], f"{value} {unit}".strip()[:24])
        for code, value, unit, _ in ledger.store.all(_FINDINGS, (row.id, LINES_MAX))
        if code in number_of
    )
