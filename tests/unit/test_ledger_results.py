"""Which results wait for a patient, as the ledger tells a terminal."""

from protocols.live import answers, wards
from protocols.live.api import Unassigned
from tests.unit.stage import WALL_MS, Device, Stage, camp, patient

VALUES = [
    {"code": "spo2", "value": "88", "unit": "%"},
    {"code": "heart-rate", "value": "124", "unit": "/min"},
]


def result(key, tag="Z9"):
    return {
        "v": 1, "kind": "observation.record", "key": key, "source": "device",
        "patient": {"tag": tag}, "device": {"make": "Acme", "model": "Ox-2"},
        "data": {"set": VALUES},
    }  # fmt: skip


def written(device, *lines):
    found, _ = device.node.record(lines, Stage().now(device))
    assert all(answer.ok for answer in found), found
    return found


def given(key, fact, whom):
    return {"v": 1, "kind": "result.assign", "key": key, "patient": whom, "data": {"result": fact}}


def test_what_waits_is_counted_on_the_board_and_listed_whole():
    ann = Device.found("ann")
    written(ann, result("one"), result("two"))

    found = answers.unassigned(ann.ledger, 100)
    assert found.total == 2
    assert [len(line.summary) > 2 for line in found.lines] == [True] * 4
    assert dict(found.lines[0].summary)["claimed"] == "Z9"
    assert dict(found.lines[0].summary)["device"] == "Acme Ox-2"
    assert wards.board(ann.ledger, 0, 10, "", WALL_MS).unassigned == 2


def test_a_result_that_has_its_patient_waits_no_more_and_stands_in_the_chart():
    ann = Device.found("ann")
    (who, held) = written(ann, {**patient("Awa"), "key": "who"}, result("one"))
    written(ann, given("give", held.id, who.patient))

    assert answers.unassigned(ann.ledger, 100).total == 0
    assert wards.board(ann.ledger, 0, 10, "", WALL_MS).unassigned == 0
    chart = answers.chart(ann.ledger, who.patient, 0, 50, WALL_MS)
    assert "88 %" in str([line.summary for line in chart.lines])


def test_a_result_that_was_entered_in_error_waits_no_more():
    ann = Device.found("ann")
    (held,) = written(ann, result("one"))
    for at, fact in enumerate(held.facts):
        line = {
            "v": 1, "kind": "entry.retract", "key": f"back-{at}",
            "data": {"fact": fact}, "reason": "calibration",
        }  # fmt: skip
        written(ann, line)

    assert answers.unassigned(ann.ledger, 100) == Unassigned(0, ())


def test_a_result_given_to_two_patients_apart_waits_again():
    ann, ben = camp()
    stage = Stage()
    stage.link(ann, ben)
    one, two, held = stage.write(
        ann, {**patient("A"), "key": "a"}, {**patient("B"), "key": "b"}, result("r")
    )
    stage.run(2_000)
    stage.cut(ann, ben)
    stage.write(ann, given("ga", held.id, one.patient))
    stage.write(ben, given("gb", held.id, two.patient))
    assert answers.unassigned(ann.ledger, 100).total == 0
    stage.link(ann, ben)
    stage.run(2_000)

    assert answers.unassigned(ann.ledger, 100).total == 1
    assert answers.unassigned(ben.ledger, 100).total == 1


def test_no_more_are_listed_than_asked_for_and_all_are_counted():
    ann = Device.found("ann")
    written(ann, *(result(f"r{at}") for at in range(5)))

    found = answers.unassigned(ann.ledger, 2)
    assert (found.total, len(found.lines)) == (5, 4)
