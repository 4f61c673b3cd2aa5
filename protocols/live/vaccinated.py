"""Calls about what vaccination came to, what may be one dose, and what sessions can have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from protocols.errors import InputError
from protocols.guidelines.schedules import OUTBREAK, ROUTINE
from protocols.ids import SessionId, SiteId
from protocols.ledger import coverage, immunization, reading, stores, vials
from protocols.ledger.authors import Authors
from protocols.ledger.view import BookView
from protocols.live.answers import board_line
from protocols.live.dosedays import day_text
from protocols.live.drive import (
    AIM,
    Box,
    Choice,
    Coverage,
    CoverLine,
    DoubledDoses,
    DoubledLine,
    GivenLine,
    SeriesSum,
    SessionChoices,
    is_box,
)
from protocols.live.members import Reader
from protocols.live.vaccinating import words_of
from protocols.mesh.effects import Now
from protocols.mesh.node import Node
from protocols.records import barcode
from protocols.records.display import clean_text

DOUBLES_MAX = 100


def covered(node: Node, now: Now, args: Mapping[str, Any]) -> Coverage:
    """`vaccination_coverage`; see `Coverage`."""
    ledger = node.ledger
    plan = immunization.plan_in_use(ledger)
    several, sums = coverage.linked(ledger), []
    dropped = {each.series: each for each in coverage.drop_out(ledger, several)}
    chosen = list(plan.chosen())
    every = coverage.zero_doses(ledger, [series.id for series in chosen], several=several)
    for series, zero in zip(chosen, every, strict=True):
        drop = dropped.get(series.id)
        sums.append(
            SeriesSum(
                series.id,
                series.words,
                zero.children,
                zero.none,
                drop.began if drop else 0,
                drop.finished if drop else 0,
            )
        )
    session, pace = args.get("session"), coverage.Pace((), 0, 0)
    if isinstance(session, str) and session:
        pace = coverage.pace(ledger, SessionId.parse(session), now.wall_ms)
    return Coverage(
        lines=tuple(
            CoverLine(
                clean_text(stores.site_name(ledger, each.site)),
                clean_text(each.antigen),
                each.band,
                each.doses,
                each.target,
            )
            for each in coverage.coverage(ledger)
        ),
        series=tuple(sums),
        by_hour=pace.by_hour,
        last_hour=pace.last_hour,
        wasted=tuple(
            (each.vaccine, each.opened, each.wasted) for each in vials.wastage(ledger, now.wall_ms)
        ),
    )


def doubled(node: Node, now: Now, args: Mapping[str, Any]) -> DoubledDoses:
    """`doubled_doses`; see `DoubledDoses`.

    Raises:
        InputError: `sealed_here`.
    """
    ledger = node.ledger
    if ledger.authority.keyring.closed:
        raise InputError("sealed_here")
    plan, who, lines = immunization.plan_in_use(ledger), Authors(ledger), []
    for each in immunization.doubled(ledger, DOUBLES_MAX):
        row = reading.patient(ledger, each.patients[0])
        if row is None:
            continue
        wrote = who.of_entries(one.entry for one in each.rows)
        lines.append(
            DoubledLine(
                board_line(row, now.wall_ms),
                clean_text(each.series),
                each.why,
                tuple(
                    GivenLine(
                        fact=str(ref),
                        vaccine=one.vaccine,
                        words=words_of(plan, one.vaccine),
                        dose=one.dose,
                        day=day_text(one.day),
                        status=one.status,
                        lot=one.lot,
                    )
                    for ref, one in zip(each.doses, each.rows, strict=True)
                ),
                tuple(
                    clean_text(wrote[one.entry].label) if one.entry in wrote else ""
                    for one in each.rows
                ),
            )
        )
    return DoubledDoses(tuple(lines))


def choices(node: Node, now: Now, args: Mapping[str, Any]) -> SessionChoices:
    """`session_choices`; see `SessionChoices`."""
    ledger = node.ledger
    plan = immunization.plan_in_use(ledger)
    held = [item for item in stores.catalogue(ledger).item if item.vaccine]
    used = {item.vaccine for item in held}
    sites = ledger.store.all("SELECT id, name FROM site WHERE replaced < 2 ORDER BY name, id")
    return SessionChoices(
        vaccines=tuple(
            Choice(code, plan.vaccines[code].words)
            for code in sorted(plan.vaccines, key=lambda one: (one not in used, one))
        ),
        items=tuple(
            (item.code, item.vaccine, item.words, item.vial_doses, item.diluents) for item in held
        ),
        sites=tuple(
            Choice(str(SiteId(raw)), {"en": clean_text(name) or str(SiteId(raw))})
            for raw, name in sites
        ),
        schedules=(ROUTINE, OUTBREAK),
        antigens=tuple(sorted({name for row in plan.vaccines.values() for name in row.antigens})),
    )


# scans


def box(node: Node, now: Now, args: Mapping[str, Any]) -> list[Box]:
    """`vial_code`: what a code on a vial or its box means; [] where it says nothing of either.

    Raises:
        InputError: `bad_line`; as `barcode.scanned` of a code that can only be one of a box.
    """
    code = args.get("code")
    if not isinstance(code, str):
        raise InputError("bad_line", field="args.code")
    ledger, only = node.ledger, is_box(code)
    try:
        found = barcode.scanned(code if only else re.sub(AIM, "", code), now.wall_ms)
    except InputError:
        if only:
            raise
        return []
    means = barcode.known(BookView(ledger, now.wall_ms), found.code) if found.code else []
    if not (means or only or found.box.lot):
        return []
    known = stores.catalogue(ledger).by_code()
    items = tuple(dict.fromkeys(each.item for each in means))
    first = known.get(items[0]) if items else None
    told = Box(
        clean_text(found.code),
        items,
        clean_text(found.box.lot),
        day_text(found.box.expiry_day),
        first.vaccine if first is not None else "",
        bool(found.box.separator_lost),
    )
    return [told]


READS: dict[str, Reader] = {
    "vaccination_coverage": covered,
    "session_choices": choices,
    "doubled_doses": doubled,
    "vial_code": box,
}
