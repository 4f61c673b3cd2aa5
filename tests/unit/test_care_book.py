"""Care in the real book: every kind written, every table read, and who may write it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from protocols.ids import PatientId
from protocols.ledger import reading
from protocols.live import answers, wards
from protocols.live.charters import TERMS
from protocols.records import care
from protocols.records.kinds import KindNo
from tests.unit import people
from tests.unit.founders import terms
from tests.unit.stage import WALL_MS, Device, Line, Stage, camp, line, patient

PILLS = {
    "substance": "amoxicillin",
    "dose": {"value": "250", "unit": "mg"},
    "route": "oral",
    "frequency": {"way": "times-a-day", "every": 2},
}

CLINICIANS = {"order.place", "observation.scale"}
"""Kinds that a nurse's role does not write (SAFETY 7 of the scale)."""
PERSONAL = {"observation.scale"}
"""Written by nobody but a person who is signed in: `test_scale.py` proves it."""


def told() -> tuple[Stage, Device, Device, str]:
    """One patient about whom every kind of care is written by two devices, now and then apart."""
    ann, ben = camp(("ann", "ben"))
    stage = Stage()
    stage.link(ann, ben)
    code = stage.write(ann, patient("Amina"))[0].code or ""
    said = {"patient": code}
    written = stage.write(ann, line("encounter.open", {"isolation": "contact"}, **said))
    written += stage.write(ann, line("order.place", PILLS, **said))
    order = written[-1].facts[0]
    stage.run(2_000)
    stage.cut(ann, ben)
    lines: list[tuple[Device, Line]] = [
        (ann, line("allergy.record", {"status": "none-known"}, **said)),
        (ben, line("allergy.record", {"code": "penicillins", "severity": "severe"}, **said)),
        (ann, line("administration.record", {"order": order}, **said)),
        (ben, line("administration.record", {"order": order}, confirm=["allergy_match"], **said)),
        (ben, line("order.stop", {"order": order}, reason="rash")),
        (ann, line("condition.record", {"code": "pneumonia"}, **said)),
        (ben, line("procedure.record", {"code": "iv-access"}, **said)),
        (ann, line("alert.ack", {"why": "red", "of_ms": 1_780_000_000_000}, **said)),
        (ann, line("intake.record", {"what": "ors", "volume_ml": "200"}, **said)),
        (ann, line("guideline.step", {"name": "imci", "version": "1", "did": "judged"}, **said)),
        (ann, line("transfer.offer", {"to": {"organisation": "Red Star"}}, **said)),
        (ben, line("transfer.offer", {"to": {"organisation": "Red Crescent"}}, **said)),
        (ben, line("conflict.settle", {"attribute": "isolation", "value": "strict"}, **said)),
    ]
    for device, each in lines:
        written += stage.write(device, each)
    stage.link(ann, ben)
    stage.run(2_000)
    offers = reading.rows(ann.ledger, "transfer", 0, 9)
    mine = next(str(row.ref) for row in offers if row.author == ben.id)
    theirs = next(str(row.ref) for row in offers if row.author == ann.id)
    sure = {"confirm": ["offered_elsewhere"]}
    written += stage.write(ben, line("transfer.decline", {"answers": theirs}, reason="full"))
    stage.run(2_000)
    written += stage.write(ann, line("transfer.accept", {"offer": mine}, **sure))
    stage.run(2_000)
    assert [answer.error for answer in written if not answer.ok] == []
    return stage, ann, ben, code


def test_every_kind_of_care_is_in_both_books_alike_and_in_every_table():
    _, ann, ben, code = told()

    for device in (ann, ben):
        device.ledger.catch_up_all()
        for table in care.ROW_TABLES:
            if table.TABLE == "spo2_scale":
                continue
            page = answers.rows_page(device.ledger, table.TABLE, 0, 100)
            assert page["rows"], table.TABLE
            assert msgspec.json.encode(page)
    assert ann.care == ben.care


def test_the_board_says_what_is_listed_who_has_the_patient_and_how_they_are_kept_apart():
    _, ann, ben, code = told()
    ann.ledger.catch_up_all()

    (head,) = wards.board(ann.ledger, 0, 10, "", WALL_MS).lines

    assert (head.allergy, head.allergies, head.allergy_open) == (2, "penicillins", True)
    assert (head.custody, head.keeper) == (2, "Red Crescent")
    assert head.isolation == 6


def test_a_chart_tells_every_record_of_care():
    _, ann, _, code = told()
    ann.ledger.catch_up_all()
    (row,) = ann.store.all("SELECT id FROM patient")

    chart = answers.chart(ann.ledger, str(PatientId(row[0])), 0, 100, WALL_MS)

    kinds = {each.kind for each in chart.lines}
    assert {kind.name for kind in care.KINDS} - PERSONAL <= kinds


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("nurse", {kind.name for kind in care.KINDS} - CLINICIANS, CLINICIANS),
        ("vaccinator", {"allergy.record"}, {"order.place", "transfer.accept"}),
        ("triage device", set(), {kind.name for kind in care.KINDS}),
        ("registrar", set(), {kind.name for kind in care.KINDS}),
        ("clinician", {kind.name for kind in care.KINDS}, set()),
    ],
)
def test_who_may_write_what_where_nobody_wrote_it_down(role, may, may_not):
    agreed = terms(TERMS.read_text())
    (found,) = [each for each in agreed.roles if each.name == role]
    numbers = {kind.name: int(kind.number) for kind in care.KINDS}

    def allowed(name: str) -> bool:
        return not found.kinds or numbers[name] in found.kinds

    assert {name for name in may if not allowed(name)} == set()
    assert {name for name in may_not if allowed(name)} == set()


def test_an_operation_founded_before_a_kind_keeps_it_as_refused_and_counts_it_nowhere():
    ann, ben = people.camp("ben")
    stage = people.synced(ann, ben)
    assert int(KindNo.ALLERGY_RECORD) not in people.FIELD_KINDS
    code = stage.write(ben, patient("Amina"))[0].code or ""

    answer = stage.write(ben, line("allergy.record", {"code": "latex"}, patient=code))[0]

    assert answer.ok and answer.warnings == ("role_refused",)
    offered: dict[str, Any] = {"to": {"organisation": "Red Star"}}
    assert stage.write(ben, line("transfer.offer", offered, patient=code))[0].warnings == (
        "role_refused",
    )
    stage.run(2_000)
    for device in (ann, ben):
        device.ledger.catch_up_all()
        (row,) = [each.row for each in reading.rows(device.ledger, "allergy", 0, 9)]
        assert (row.standing != 0, row.used) == (True, 0)  # type: ignore[attr-defined]
        (head,) = device.store.all("SELECT allergy, unproven, custody FROM patient")
        # Shown beside, because nobody whose word counts has said anything; marked as unproven.
        assert head == (2, 1, 0)
