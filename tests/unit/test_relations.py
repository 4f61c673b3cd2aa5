"""Which records belong together: the same on every node, and taken back everywhere."""

from __future__ import annotations

from typing import Any

from protocols.ids import PatientId
from protocols.ledger.relations import Relation, of_patient
from protocols.live.relating import relations
from protocols.mesh.effects import Now
from protocols.records.patient import RELATIONS
from tests.unit.stage import WALL_MS, Device, camp, line, patient
from tests.unit.test_ledger_tags import record, synced


def two_patients(device: Device) -> tuple[Any, Any]:
    (one,) = record(device, patient("Awa"))
    (two,) = record(device, patient("Unknown"))
    return one, two


def link(device: Device, one: Any, two: Any, relation: str = "same", kind: str = "link") -> None:
    said = line(
        f"patient.{kind}", {"other": two.patient or two.id, "relation": relation}, patient=one.code
    )
    record(device, {**said, "reason": "seen"})


def of(device: Device, who: Any) -> list[Relation]:
    return of_patient(device.store, PatientId.parse(who.patient or who.id))


def test_the_same_person_is_seen_from_both_records() -> None:
    ann, _ = camp()
    one, two = two_patients(ann)
    link(ann, one, two)

    assert [(each.relation, each.linked, each.forward) for each in of(ann, one)] == [
        (0, True, True)
    ]
    assert [(each.relation, each.linked, each.forward) for each in of(ann, two)] == [
        (0, True, True)
    ]


def test_a_family_link_has_a_direction() -> None:
    ann, _ = camp()
    one, two = two_patients(ann)
    link(ann, one, two, "mother")

    (seen,) = of(ann, one)
    assert (RELATIONS[seen.relation], seen.forward) == ("mother", True)
    (seen,) = of(ann, two)
    assert (RELATIONS[seen.relation], seen.forward) == ("mother", False)


def test_a_link_and_its_taking_back_reach_every_node() -> None:
    ann, ben = camp()
    one, two = two_patients(ann)
    link(ann, one, two)
    synced(ann, ben)
    assert of(ben, two)[0].linked

    link(ben, two, one, kind="unlink")
    synced(ann, ben)
    for device in (ann, ben):
        for who in (one, two):
            assert [each.linked for each in of(device, who)] == [False]


def test_said_and_denied_apart_is_shown_as_both() -> None:
    ann, ben = camp()
    one, two = two_patients(ann)
    synced(ann, ben)
    link(ann, one, two)
    link(ben, one, two, kind="unlink")
    synced(ann, ben)

    for device in (ann, ben):
        (seen,) = of(device, one)
        assert seen.linked and seen.disputed


def test_two_records_are_one_person_again_from_whichever_side_it_was_said_and_denied() -> None:
    ann, _ = camp()
    one, two = two_patients(ann)
    for here, there in ((one, two), (two, one), (one, two)):
        link(ann, one, two, kind="unlink")
        link(ann, here, there)
        for who in (one, two):
            assert [(each.linked, each.disputed) for each in of(ann, who)] == [(True, False)]
    link(ann, two, one, kind="unlink")
    assert [each.linked for each in of(ann, one)] == [False]


def test_linking_the_mother_from_the_mother_is_another_statement() -> None:
    ann, _ = camp()
    one, two = two_patients(ann)
    link(ann, one, two, "mother", kind="unlink")
    link(ann, two, one, "mother")

    said = {(each.linked, each.forward) for each in of(ann, one)}
    assert said == {(False, True), (True, False)}


def test_the_answer_has_the_other_record_as_a_line_of_the_board() -> None:
    ann, _ = camp()
    one, two = two_patients(ann)
    link(ann, one, two, "child")
    now = Now(wall_ms=WALL_MS, mono_ms=0, entropy=ann.chance.randbytes)

    found = relations(ann.node, now, {"patient": one.patient or one.id})
    assert [(each.other.code, each.relation, each.linked) for each in found.lines] == [
        (two.code, "child", True)
    ]
