"""What is unsettled: both sides with author, device and time, who knew of whom, by risk."""

from __future__ import annotations

from typing import Any

from protocols.ids import PatientId
from protocols.ledger.conflicts import Unsettled, count, unsettled
from protocols.records.attributes import ATTRIBUTES, SITE_FIRST
from protocols.records.contested import RISKS, risk_of
from protocols.records.rows import to_json
from tests.unit.care_lines import PARACETAMOL
from tests.unit.records_shelf import Shelf
from tests.unit.stage import WALL_MS, Device, Stage, camp, line, patient, triage


def test_risks_come_in_the_order_of_the_table_and_every_side_says_whether_it_is_used():
    here, there = Shelf("a"), Shelf("b")
    known = here.write("patient.register", {"given_name": "Aline", "sex": "female"})
    here.write("encounter.open", patient=known.id)
    there.receive(here)
    for shelf, name, sex, bed, weight, allergy, category in (
        (here, "Alice", "female", "A1", "40", {"status": "none-known"}, "green"),
        (there, "Celine", "female-pregnant", "A2", "60", {"code": "latex"}, "red"),
    ):
        who = {"patient": known.id}
        shelf.write("encounter.move", {"bed": bed}, **who)
        shelf.write("patient.identify", {"given_name": name, "sex": sex}, **who)
        shelf.write("order.place", PARACETAMOL, **who)
        kilos = {"code": "weight", "value": weight, "unit": "kg"}
        shelf.write("observation.record", kilos, **who)
        shelf.write("triage.record", {"category": category}, **who)
        shelf.write("transfer.offer", {"to": {"organisation": name}}, **who)
        shelf.write("allergy.record", allergy, **who)
    here.receive(there)

    rows = [to_json(row) for row in here.table(known.subject, "conflict")]

    assert list(dict.fromkeys(row["what"] for row in rows)) == [
        *("allergy", "triage", "custody", "weight", "order", "given_name", "sex", "bed"),
    ]
    assert [row["rank"] for row in rows] == sorted(row["rank"] for row in rows)
    used = {row["what"]: row["value"] for row in rows if row["used"]}
    assert used["allergy"] == "latex"
    assert (used["triage"], used["sex"]) == ("red", "female-pregnant")
    assert "weight" not in used  # No dose is worked out from either (SAFETY 9).
    assert here.patient(known.subject).unsettled == len({row["number"] for row in rows})


def test_every_attribute_has_a_risk_of_the_table():
    found = {risk_of(each.name) for each in ATTRIBUTES if each.number < SITE_FIRST}
    assert found <= set(RISKS)
    assert risk_of("triage") == "triage"


def two(names: tuple[str, ...] = ("ann", "ben")) -> tuple[Stage, list[Device], str]:
    devices = camp(names)
    stage = Stage()
    for other in devices[1:]:
        stage.link(devices[0], other)
    code = stage.write(devices[0], patient("Amina"))[0].code or ""
    stage.write(devices[0], line("encounter.open", {}, patient=code))
    stage.run(2_000)
    return stage, devices, code


def listed(device: Device) -> list[Unsettled]:
    device.ledger.catch_up_all()
    return unsettled(device.ledger)


def test_neither_had_seen_the_other_when_both_wrote_apart():
    stage, (ann, ben), code = two()
    stage.cut(ann, ben)
    stage.write(ann, line("encounter.move", {"bed": "A1"}, patient=code))
    stage.write(ben, line("encounter.move", {"bed": "A2"}, patient=code))
    stage.link(ann, ben)
    stage.run(2_000)

    for device in (ann, ben):
        (found,) = listed(device)
        assert (found.risk, found.what, found.code) == ("place", "bed", code)
        assert {side.value for side in found.sides} == {"A1", "A2"}
        assert [side.had_seen for side in found.sides] == [(), ()]
        by = {side.value: side for side in found.sides}
        assert by["A1"].author.device == ann.id
        assert by["A2"].author.device == ben.id
        assert all(side.at_ms >= WALL_MS and side.recorded_ms >= WALL_MS for side in found.sides)
        assert all(side.roles for side in found.sides)
        assert sum(side.used for side in found.sides) == 1
        assert count(device.ledger) == 1
        assert unsettled(device.ledger, patient=PatientId(bytes(16))) == []
    one, other = listed(ann)[0], listed(ben)[0]
    assert [side[:3] for side in one.sides] == [side[:3] for side in other.sides]


def test_the_later_had_seen_the_earlier_when_it_was_there():
    stage, (ann, ben), code = two()
    pills = {"substance": "zinc", "dose": {"value": "20", "unit": "mg"}, "route": "oral"}
    order = stage.write(ann, line("order.place", {**pills, "frequency": {"way": "once"}},
                                  patient=code))[0].facts[0]  # fmt: skip
    stage.run(2_000)
    stage.cut(ann, ben)
    stage.write(ann, line("order.stop", {"order": order}, reason="better"))
    stage.write(ben, line("administration.record", {"order": order}, patient=code))
    stage.link(ann, ben)
    stage.run(2_000)
    (found,) = listed(ben)
    assert (found.risk, found.of_what) == ("dose", "zinc")
    assert [side.had_seen for side in found.sides] == [(), ()]

    weigh: dict[str, Any] = {"code": "weight", "value": "40", "unit": "kg"}
    stage.write(ann, line("observation.record", weigh, patient=code))
    stage.run(2_000)
    stage.write(ben, line("observation.record", {**weigh, "value": "50"}, patient=code))
    stage.run(2_000)

    weights = next(each for each in listed(ann) if each.risk == "weight")
    sides = {side.value: side for side in weights.sides}
    values = [side.value for side in weights.sides]
    assert sides["50 kg"].had_seen == (values.index("40 kg"),)
    assert sides["40 kg"].had_seen == ()
    assert [each.risk for each in listed(ann)] == ["weight", "dose"]


def test_a_device_had_seen_what_it_wrote_before_and_not_what_it_wrote_later():
    _, (ann, _), code = two()
    stage = Stage()
    weigh = {"code": "weight", "value": "40", "unit": "kg"}
    stage.write(ann, line("observation.record", weigh, patient=code))
    stage.write(ann, line("observation.record", {**weigh, "value": "60"}, patient=code))

    (found,) = listed(ann)

    assert [(side.value, side.had_seen) for side in found.sides] == [("40 kg", ()), ("60 kg", (0,))]


def test_what_is_settled_is_listed_no_more_anywhere():
    stage, (ann, ben), code = two()
    stage.cut(ann, ben)
    stage.write(ann, triage(code, "green"))
    stage.write(ben, triage(code, "red"))
    stage.link(ann, ben)
    stage.run(2_000)
    (found,) = listed(ben)
    assert (found.risk, {side.value for side in found.sides if side.used}) == ("triage", {"red"})
    keep = next(side for side in found.sides if side.value == "green")
    data = {"attribute": "triage", "keep": str(keep.fact)}

    assert stage.write(ben, line("conflict.settle", data, patient=code))[0].ok
    stage.run(2_000)

    assert listed(ann) == listed(ben) == []
    assert count(ann.ledger) == 0
