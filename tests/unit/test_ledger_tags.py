"""One tag on two patients: seen after a merge wherever the two meet, gone when one gives it up."""

from __future__ import annotations

import pytest

from hq import queries
from protocols.ledger import reading, tags
from protocols.ledger.census import Census
from protocols.ledger.recording import Answer
from protocols.live import answers, wards
from protocols.records.kinds import KindNo
from tests.unit.stage import WALL_MS, Device, Line, Stage, camp, fill, line, patient
from tests.unit.test_ledger_board import steps


def record(device: Device, *lines: Line) -> list[Answer]:
    keyed = [{**one, "key": f"k{device.chance.random()}"} for one in lines]
    found, _, _ = device.node._recorder.record(keyed, WALL_MS, device.chance.randbytes)
    assert all(one.ok for one in found), found
    return found


def in_care(device: Device, name: str, *worn: str) -> Answer:
    """Register somebody with tags, and into care."""
    (who,) = record(device, patient(name, tags=list(worn)))
    record(device, line("encounter.open", {"class": "emergency"}, patient=who.code))
    return who


def synced(*devices: Device) -> None:
    stage = Stage()
    for other in devices[1:]:
        stage.link(devices[0], other)
    stage.run(4_000)


def shared(device: Device) -> list[tuple[str, set[str]]]:
    """Return what the ward says, after seeing that both charts say it too."""
    found = tags.shared_in_ward(device.store)
    filtered = wards.board(device.ledger, 0, 64, "Awa", WALL_MS)
    page = wards.board(device.ledger, 0, 64, "", WALL_MS)
    assert filtered.shared_tags == page.shared_tags
    assert [one.tag for one in page.shared_tags] == [one.tag for one in found]
    marked = {one.patient for one in page.lines if one.tag_shared}
    assert marked == {one.patient for one in page.lines if one.code in _codes(found)}
    for tag in found:
        for carrier in tag.carriers:
            chart = answers.chart(device.ledger, str(carrier.patient), 0, 10, WALL_MS)
            assert tag.tag in [one.tag for one in chart.shared_tags]
            assert chart.head.tag_shared
    return [(one.tag, {carrier.code for carrier in one.carriers}) for one in found]


def _codes(found: list[tags.SharedTag]) -> set[str]:
    return {carrier.code for one in found for carrier in one.carriers}


def apart() -> tuple[Device, Device, str, str]:
    """Two tents that gave one tag to two patients, and then met."""
    ann, ben = camp()
    awa, nour = in_care(ann, "Awa", "TG-77"), in_care(ben, "Nour", "TG-77")
    assert shared(ann) == shared(ben) == []
    synced(ann, ben)
    assert awa.code and nour.code
    return ann, ben, awa.code, nour.code


@pytest.mark.safety(16)
def test_one_tag_on_two_patients_is_seen_on_both_sides_after_they_meet():
    ann, ben, awa, nour = apart()

    assert shared(ann) == shared(ben) == [("TG-77", {awa, nour})]


@pytest.mark.parametrize(("one", "other"), [("TG-77", "tg-77"), ("Tg-77", "tG-77")])
def test_a_tag_is_the_same_tag_in_whatever_case_it_was_written(one, other):
    ann, ben = camp()
    awa, nour = in_care(ann, "Awa", one), in_care(ben, "Nour", other, "TG-90")
    record(ben, line("patient.identify", {"tags": ["TG-91"]}, patient=nour.code))
    synced(ann, ben)

    assert shared(ann) == shared(ben) == [("TG-77", {awa.code, nour.code})]
    assert {one.code for one in answers.tagged(ann.ledger, "TG-77", WALL_MS).lines} == {
        awa.code, nour.code,
    }  # fmt: skip


def test_a_tag_is_taken_off_as_the_alert_spells_it():
    ann, ben = camp()
    awa, nour = in_care(ann, "Awa", "tg-77"), in_care(ben, "Nour", "Tg-77")
    synced(ann, ben)
    ((spelled, _),) = shared(ann)
    record(ann, line("patient.identify", {"drop_tags": [spelled]}, patient=awa.code))

    assert shared(ann) == []
    (left,) = answers.tagged(ann.ledger, "tG-77", WALL_MS).lines
    assert left.code == nour.code


def test_whoever_states_a_tag_in_another_case_is_asked_too():
    (ann,) = camp(("ann",))
    in_care(ann, "Awa", "TG-77")
    asked = {**patient("Nour", tags=["tg-77"]), "key": "once"}
    (answer,), _, _ = ann.node._recorder.record([asked], WALL_MS, ann.chance.randbytes)
    assert (answer.ok, answer.confirm) == (False, "tag_in_use")


def test_it_is_over_everywhere_when_the_tag_is_taken_off_one():
    ann, ben, awa, _ = apart()
    record(ann, line("patient.identify", {"drop_tags": ["TG-77"]}, patient=awa))
    assert shared(ann) == []
    synced(ann, ben)

    assert shared(ben) == []


def test_an_older_tag_that_is_still_worn_counts_like_the_newest():
    ann, ben = camp()
    awa, nour = in_care(ann, "Awa", "TG-77", "TG-90"), in_care(ben, "Nour", "TG-91", "TG-77")
    record(ben, line("patient.identify", {"tags": ["TG-92"]}, patient=nour.code))
    synced(ann, ben)

    assert shared(ann) == [("TG-77", {awa.code, nour.code})]
    assert {one.code for one in answers.tagged(ann.ledger, "tg-77", WALL_MS).lines} == {
        awa.code, nour.code,
    }  # fmt: skip
    page = answers.tagged(ann.ledger, "TG-90", WALL_MS)
    assert [one.code for one in page.lines] == [awa.code]
    assert not answers.tagged(ann.ledger, "TG-9", WALL_MS).lines


def test_a_patient_entered_in_error_shares_no_tag():
    ann, _, awa, _ = apart()
    (row,) = (row for row in reading.board(ann.ledger, 0, 10)[2] if row.code == awa)
    known = reading.facts(ann.ledger, row.id)
    (fact,) = (str(one.ref) for one in known if one.kind == KindNo.PATIENT_REGISTER)
    record(ann, line("entry.retract", {"fact": fact}, reason="wrong"))

    assert shared(ann) == []


def test_those_who_left_alert_nobody_but_still_show_who_carries_the_tag():
    ann, ben, awa, nour = apart()
    for who in (awa, nour):
        record(ann, line("encounter.close", {"outcome": "discharged"}, patient=who))

    assert shared(ann) == []
    assert len(answers.tagged(ann.ledger, "TG-77", WALL_MS).lines) == 2


def test_a_tag_by_somebody_not_admitted_is_doubted_and_one_by_somebody_not_entitled_is_not():
    ann, _, awa, nour = apart()
    for standing, seen in ((1, True), (2, False), (5, True), (3, False)):
        ann.store.execute("UPDATE patient SET standing = ? WHERE code = ?", (standing, nour))
        # Nobody else changes rows behind the book that counts them.
        ann.ledger.rows.census = Census(ann.store)
        assert bool(shared(ann)) is seen
        assert len(tags.carriers(ann.store, "TG-77")) == 1 + seen


@pytest.mark.parametrize("many", [20, 200])
def test_asking_costs_what_the_ward_holds(many):
    ann, ben, *_ = apart()
    fill(ann, many)
    with steps(ann.store) as counted:
        assert len(tags.shared_in_ward(ann.store)) == 1
    with steps(ann.store) as asked:
        assert len(ann.store.all(queries.SHARED_TAGS, {"limit": 9})) == 2

    assert counted[0] < 60
    assert asked[0] < 120
