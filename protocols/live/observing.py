"""The answer to `observed`: measurements of one patient, what is due, and the balance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from protocols.errors import InputError
from protocols.ids import PatientId
from protocols.ledger import audit, reading, scales, watching
from protocols.ledger.book import Ledger
from protocols.live.answers import board_line
from protocols.live.observed import FluidLine, Observed, Point, Series, Sums
from protocols.live.watched import watched
from protocols.mesh.effects import Now
from protocols.mesh.node import Node
from protocols.records.display import clean_text
from protocols.records.intake import Balance, IntakeRow, balance

POINTS_MAX = 24
"""Values of one observation: as many as a line of signs shows."""
FLUIDS_MAX = 200
DAY_MS = 24 * 60 * 60_000

_VALUES = (
    "SELECT o.code, o.at_ms, o.value, o.unit, o.absent, o.unaccepted FROM subject s"
    " JOIN observation o ON o.subject = s.no"
    " WHERE (s.id = ?1 OR (s.kind = 3 AND o.patient = ?1)) AND o.standing = 0 AND o.replaced = 0"
    " ORDER BY o.at_ms DESC, o.entry DESC, o.idx"
)
_FLUIDS = (
    "SELECT {columns} FROM intake WHERE patient = ? AND standing = 0 AND replaced = 0"
    " ORDER BY at_ms DESC, entry DESC"
)
_FLUID = ("what", "direction", "volume_ml", "tenths_ml", "times", "estimated", "text", "at_ms")

Opened = Callable[[PatientId], bool]


def observed(node: Node, now: Now, args: Mapping[str, Any], *, opened: Opened) -> Observed:
    """Return what was measured of a patient.

    Raises:
        InputError: `bad_id`, `not_found`, `sealed_here`; `other_team`, as for a chart.
    """
    ledger = node.ledger
    named = args.get("patient")
    if not isinstance(named, str):
        raise InputError("bad_line", field="args.patient")
    patient = PatientId.parse(named)
    if ledger.authority.keyring.closed:
        raise InputError("sealed_here")
    teams = () if opened(patient) else audit.other_team(ledger, patient)
    if teams:
        raise InputError("other_team", field="patient", teams=tuple(map(clean_text, teams)))
    row = reading.patient(ledger, patient)
    if row is None:
        raise InputError("not_found", field="patient")
    told = watching.watches(ledger, [row], now.wall_ms)[bytes(row.id)]
    chose = scales.choosers(ledger, {bytes(row.id): told})
    fluids = _fluids(ledger, patient)
    arrived = row.arrived_ms if row.arrived_ms is not None else now.wall_ms
    # What is stated for a little later by another clock is of today too.
    until = now.wall_ms + DAY_MS
    return Observed(
        head=watched(board_line(row, now.wall_ms), told, chose=chose.get(bytes(row.id))),
        series=_series(ledger, patient),
        why=dict(told.why),
        codes=watching.packs_in_use(ledger).due.set.codes,
        fluids=tuple(_fluid(each) for each in fluids[:FLUIDS_MAX] if each.direction),
        day=_sums(balance(fluids, now.wall_ms - DAY_MS, until)),
        stay=_sums(balance(fluids, arrived, until)),
        signed=told.approved,
    )


READS: dict[str, Callable[..., object]] = {"observed": observed}


def _series(ledger: Ledger, patient: PatientId) -> tuple[Series, ...]:
    found: dict[str, list[Point]] = {}
    for code, at_ms, value, unit, absent, unaccepted in ledger.store.all(
        _VALUES, (bytes(patient),)
    ):
        points = found.setdefault(code, [])
        if len(points) < POINTS_MAX:
            points.append(Point(at_ms, value, unit, absent, bool(unaccepted)))
    return tuple(Series(code, tuple(points)) for code, points in sorted(found.items()))


def _fluids(ledger: Ledger, patient: PatientId) -> list[IntakeRow]:
    rows = ledger.store.all(_FLUIDS.format(columns=", ".join(_FLUID)), (bytes(patient),))
    return [
        IntakeRow(
            entry=0,
            idx=0,
            kind=0,
            standing=0,
            patient=bytes(patient),
            encounter=None,
            **dict(zip(_FLUID, values, strict=True)),
        )
        for values in rows
    ]


def _fluid(row: IntakeRow) -> FluidLine:
    return FluidLine(
        row.at_ms, row.what, row.direction, row.volume_ml, row.times, bool(row.estimated), row.text
    )


def _sums(found: Balance) -> Sums:
    return Sums(*found)
