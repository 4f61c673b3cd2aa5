"""Orders to erase as files between two coordinators, and what everybody can see of them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from protocols.errors import InputError
from protocols.ids import DocId, PatientId
from protocols.ledger import about, orders
from protocols.ledger.writing import Written
from protocols.trust.control import Seal, SealReason
from protocols.trust.erasure import approve_erase
from protocols.trust.statements import pack
from tests.unit.camps import tell as tell_all
from tests.unit.stage import WALL_MS, Device, Stage, agree, line, note, patient, triage
from tests.unit.test_erase import coordinator, crew, text_of


def tell(stage: Stage, device: Device, written: list[Written]) -> None:
    assert written
    device.ledger.catch_up_all()
    stage.carry(device, device.node.wrote_control(stage.now(device)))


def asked(device: Device, patient_id: str, **more: bool) -> bytes:
    documents = about.documents_about(device.ledger, PatientId.parse(patient_id))
    return orders.request(device.ledger, documents, orders.REASONS["asked"], **more)


def code_of(run) -> str:
    with pytest.raises(InputError) as refused:
        run()
    return refused.value.code


def written(stage: Stage, device: Device) -> str:
    whom = stage.write(device, patient("Zebulon"))[0].id
    assert whom
    stage.write(device, triage(whom), note(whom, "limps"))
    stage.run(3_000)
    return whom


def test_an_order_goes_from_one_coordinator_to_the_second_and_back():
    stage, (ann, ben, cleo) = crew()
    whom = written(stage, cleo)
    raw = asked(ann, whom)
    shown = orders.meant(ben.ledger, orders.read(ben.ledger, raw))
    assert [name for name, _ in shown.patients] == [whom]
    assert (shown.documents, shown.unknown, shown.held, shown.approver) == (4, 0, 0, None)
    assert set(shown.holders) == {ann.id, ben.id, cleo.id}
    assert b"Zebulon" not in raw

    tell(stage, ann, orders.apply(ann.ledger, orders.approve(ben.ledger, raw), WALL_MS))
    before = orders.progress(ann.ledger)
    assert all(each.counts for each in before)
    stage.run(8_000)
    for each in (ann, ben, cleo):
        assert b"Zebulon" not in text_of(each)
        for one in orders.progress(each.ledger):
            assert [device for device, _ in one.confirmed] == sorted((ann.id, ben.id, cleo.id))
            assert one.missing == ()
    assert agree(ann, ben, cleo)


def test_who_was_not_there_is_listed_as_missing():
    stage, (ann, ben, cleo) = crew()
    whom = written(stage, cleo)
    stage.cut(ann, cleo)
    raw = orders.approve(ben.ledger, asked(ann, whom))
    tell(stage, ann, orders.apply(ann.ledger, raw, WALL_MS))
    stage.run(8_000)
    for one in orders.progress(ben.ledger):
        assert [device for device, _ in one.missing] == [cleo.id]


def test_nobody_signs_twice_and_nobody_else_signs():
    stage, (ann, ben, cleo) = crew()
    whom = written(stage, cleo)
    raw = asked(ann, whom)
    assert code_of(lambda: orders.approve(ann.ledger, raw)) == "order_own"
    assert code_of(lambda: orders.approve(cleo.ledger, raw)) == "may_not_erase"
    assert code_of(lambda: asked(cleo, whom)) == "may_not_erase"
    assert code_of(lambda: orders.apply(ann.ledger, raw, WALL_MS)) == "order_unsigned"
    signed = orders.approve(ben.ledger, raw)
    assert code_of(lambda: orders.apply(ben.ledger, signed, WALL_MS)) == "order_not_own"
    assert code_of(lambda: orders.request(ann.ledger, [DocId(bytes(16))], 1)) == "nothing_to_erase"
    stranger = Device.found("stranger")
    assert code_of(lambda: orders.read(stranger.ledger, raw)) == "order_elsewhere"


def test_two_coordinators_are_told_that_one_has_to_be_an_issuer_and_who_is():
    stage, (ann, ben, cleo) = crew()
    coordinator(ann, cleo)
    tell_all(stage, ann)
    whom = written(stage, cleo)
    raw = asked(ben, whom)
    shown = orders.meant(cleo.ledger, orders.read(cleo.ledger, raw))
    assert (shown.needs_issuer, shown.issuers) == (True, (ann.id,))
    assert code_of(lambda: orders.approve(cleo.ledger, raw)) == "erase_rank"
    # Signed by other software, it is not written either, and written it would not count.
    order = orders.read(ben.ledger, raw)
    keys, operation = cleo.ledger.authority.keys, ben.ledger.authority.operation
    signed = tuple(approve_erase(each, operation, ben.id, keys) for each in order.erases)
    forced = orders.MAGIC + pack(replace(order, erases=signed))
    assert code_of(lambda: orders.apply(ben.ledger, forced, WALL_MS)) == "erase_rank"
    with ben.ledger.atomic():
        for each in signed:
            ben.ledger.write_control(each, WALL_MS)
    tell_all(stage, ben)
    stage.run(3_000)
    assert all(b"Zebulon" in text_of(each) for each in (ann, ben, cleo))
    assert not any(each.counts for each in orders.progress(ann.ledger))
    # Either way round the founder is one of the two.
    tell(stage, ben, orders.apply(ben.ledger, orders.approve(ann.ledger, raw), WALL_MS))
    stage.run(8_000)
    assert not any(b"Zebulon" in text_of(each) for each in (ann, ben, cleo))


def test_an_approver_who_is_sealed_by_now_does_not_count_for_who_applies_it():
    stage, (ann, ben, cleo) = crew()
    whom = written(stage, cleo)
    signed = orders.approve(ben.ledger, asked(ann, whom))
    with ann.ledger.atomic():
        ann.ledger.write_control(Seal(bytes(ben.id), int(SealReason.LOST), ()), WALL_MS)
    assert code_of(lambda: orders.apply(ann.ledger, signed, WALL_MS)) == "order_approver"


def test_holds_are_listed_and_lifted_by_a_coordinator():
    stage, (ann, ben, cleo) = crew()
    whom = written(stage, cleo)
    documents = about.documents_about(ben.ledger, PatientId.parse(whom))
    assert code_of(lambda: orders.hold(cleo.ledger, documents, WALL_MS)) == "may_not_hold"
    tell(stage, ben, orders.hold(ben.ledger, documents, WALL_MS))
    stage.run(3_000)
    raw = orders.approve(ben.ledger, asked(ann, whom))
    held = orders.meant(ann.ledger, orders.read(ann.ledger, raw))
    assert held.held == held.entries
    tell(stage, ann, orders.apply(ann.ledger, raw, WALL_MS))
    stage.run(3_000)
    assert b"Zebulon" in text_of(cleo)
    ((hold, _),) = orders.holds(ann.ledger)
    assert code_of(lambda: orders.unhold(cleo.ledger, hold, WALL_MS)) == "may_not_hold"
    tell(stage, ann, [orders.unhold(ann.ledger, hold, WALL_MS)])
    stage.run(3_000)
    assert orders.holds(ann.ledger) == []
    assert b"Zebulon" not in text_of(cleo)
    assert code_of(lambda: orders.unhold(ann.ledger, hold, WALL_MS)) == "unknown_hold"


def test_what_comes_late_is_reported_and_a_further_order_takes_it_too():
    stage, (ann, ben, cleo) = crew()
    whom = written(stage, cleo)
    stage.cut(ann, cleo)
    raw = orders.approve(ben.ledger, asked(ann, whom))
    tell(stage, ann, orders.apply(ann.ledger, raw, WALL_MS))
    # One into each of the patient's documents, and one that begins another.
    stage.write(cleo, note(whom, "late limp"), triage(whom, "green"))
    stage.write(cleo, line("encounter.open", {"site": "here"}, patient=whom))
    stage.link(cleo, ann)
    stage.run(6_000)
    late = orders.late_documents(ann.ledger)
    assert late and sum(map(len, late.values())) >= 2
    assert b"late limp" not in text_of(ann)
    raw = orders.approve(ben.ledger, orders.request(ann.ledger, [], 1, late=True))
    tell(stage, ann, orders.apply(ann.ledger, raw, WALL_MS))
    stage.run(8_000)
    for each in (ann, ben, cleo):
        assert orders.late_documents(each.ledger) == {}
        assert each.ledger.eraser.late() == {}
    assert agree(ann, ben, cleo)


def test_results_given_to_a_patient_go_with_the_patient():
    stage, (ann, ben, cleo) = crew()
    whom = written(stage, cleo)
    result = {
        **line("observation.record", {"set": [{"code": "spo2", "value": "88", "unit": "%"}]}),
        "source": "device",
        "patient": {"tag": "Z9"},
        "device": {"make": "Quuxley", "model": "Ox-2"},
    }
    answer = stage.write(cleo, result)[0]
    stage.write(cleo, line("result.assign", {"result": answer.id}, patient=whom))
    stage.run(3_000)
    assert b"Quuxley" in text_of(ann)
    signed = orders.approve(ben.ledger, asked(ann, whom))
    tell(stage, ann, orders.apply(ann.ledger, signed, WALL_MS))
    stage.run(3_000)
    assert not any(b"Quuxley" in text_of(each) for each in (ann, ben, cleo))
    assert agree(ann, ben, cleo)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 400), st.integers(0, 255))
def test_no_bytes_of_an_order_do_harm(noise, at, byte):
    _, (ann, ben, _) = CREW
    raw = bytearray(SIGNED)
    raw[at % len(raw)] = byte
    for tried in (noise, orders.MAGIC + noise, bytes(raw), SIGNED[: at % len(SIGNED)]):
        if tried == SIGNED:
            continue
        with suppress(InputError):
            orders.meant(ben.ledger, orders.read(ben.ledger, tried))
        with pytest.raises(InputError):
            orders.apply(ann.ledger, tried, WALL_MS)


CREW = crew()
RAW = asked(CREW[1][0], written(CREW[0], CREW[1][2]))
SIGNED = orders.approve(CREW[1][1].ledger, RAW)
