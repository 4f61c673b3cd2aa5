"""What `observed` tells of one patient, on a book."""

import pytest

from protocols.errors import InputError
from protocols.ids import PatientId
from protocols.live import beds, observing, wards
from protocols.live.observed import Observed
from protocols.mesh.effects import Now
from tests.unit.stage import WALL_MS, Device
from tests.unit.test_watch import came, measured, record

HOUR = 3_600_000


def told(device, code, *, opened=True) -> Observed:
    (line,) = [
        one
        for one in wards.board(device.ledger, 0, 50, "", WALL_MS).lines
        if one.code == code
    ]  # fmt: skip
    now = Now(WALL_MS, WALL_MS, device.chance.randbytes)
    return observing.observed(
        device.node, now, {"patient": line.patient}, opened=lambda patient: opened
    )


def fluid(whom, key, what, hours, **data):
    line = {"v": 1, "kind": "intake.record", "key": key, "patient": whom}
    return line | {"at": WALL_MS - hours * HOUR, "data": {"what": what, **data}}


def test_values_come_newest_first_and_a_devices_are_marked():
    ann = Device.found("ann")
    awa = came(ann, "Awa")
    record(ann, measured(awa, "a") | {"at": WALL_MS - 2 * HOUR})
    record(ann, measured(awa, "b", "device", spo2=("85", "%")))
    found = told(ann, awa)
    (spo2,) = [one for one in found.series if one.code == "spo2"]

    assert [(one.value, one.unaccepted) for one in spo2.points] == [("85", True), ("98", False)]
    assert found.head.score == 0
    assert found.why["en"]


def test_a_balance_is_of_24_hours_and_of_the_stay_and_leaves_out_what_was_taken_back():
    ann = Device.found("ann")
    (awa,) = [came(ann, "Awa")]
    (_, wrong, *_) = record(
        ann,
        fluid(awa, "1", "ors", 1, volume_ml="200"),
        fluid(awa, "2", "ors", 0, volume_ml="999"),
        fluid(awa, "3", "stool", 2, times=3),
        fluid(awa, "4", "iv-fluid", 30, volume_ml="1000"),
    )
    record(ann, {"v": 1, "kind": "entry.retract", "key": "r", "reason": "other bed",
                 "data": {"fact": wrong.facts[0]}})  # fmt: skip
    found = told(ann, awa)

    assert (found.day.in_tenths, found.day.unmeasured) == (2000, 1)
    assert found.day.times == (("stool", 3),)
    assert [one.what for one in found.fluids] == ["ors", "stool", "iv-fluid"]


def test_what_is_unknown_or_not_named_is_refused():
    ann = Device.found("ann")
    now = Now(WALL_MS, WALL_MS, ann.chance.randbytes)
    for args, code in (({}, "bad_line"), ({"patient": str(PatientId(b"x" * 16))}, "not_found")):
        with pytest.raises(InputError) as refused:
            observing.observed(ann.node, now, args, opened=lambda patient: True)
        assert refused.value.code == code


def test_beds_say_who_lies_where_and_which_are_free_again():
    ann = Device.found("ann")
    one, two = came(ann, "One", ward="W1", bed="1"), came(ann, "Two", ward="W1", bed="2")
    came(ann, "Three")
    gone = {"v": 1, "kind": "encounter.close", "key": "c", "patient": two,
            "data": {"outcome": "discharged"}}  # fmt: skip
    record(ann, gone)
    found = beds.beds(ann.ledger, WALL_MS)

    assert [(line.ward, line.bed, len(line.patients)) for line in found.lines] == [
        ("W1", "1", 1),
        ("W1", "2", 0),
        ("", "", 1),
    ]
    assert found.lines[0].patients[0].code == one
    assert (found.free, found.taken) == (1, 1)


def move(whom, key, **to):
    return {"v": 1, "kind": "encounter.move", "key": key, "patient": whom, "data": to}


def places(device):
    device.ledger.catch_up_all()
    found = beds.beds(device.ledger, WALL_MS)
    assert found.free + found.taken == sum(bool(line.bed) for line in found.lines)
    return [(line.ward, line.bed, len(line.patients)) for line in found.lines]


def test_a_bed_left_by_a_move_and_one_freed_before_the_end_are_free():
    ann = Device.found("ann")
    one, two = came(ann, "One", ward="W1", bed="1"), came(ann, "Two", ward="W1", bed="2")
    record(ann, move(one, "m1", bed="7", ward="W2"), move(one, "m2", bed="8"))
    assert places(ann) == [("W1", "1", 0), ("W1", "2", 1), ("W2", "7", 0), ("W2", "8", 1)]
    end = {"v": 1, "kind": "encounter.close", "key": "c", "patient": two}
    record(ann, move(two, "m3", bed=None), end | {"data": {"outcome": "discharged"}})
    assert places(ann) == [("W1", "1", 0), ("W1", "2", 0), ("W2", "7", 0), ("W2", "8", 1)]
    record(ann, move(one, "m4", bed="1", ward="W1"))
    assert places(ann) == [("W1", "1", 1), ("W1", "2", 0), ("W2", "7", 0), ("W2", "8", 0)]


def test_a_bed_stated_by_mistake_and_taken_back_is_no_bed():
    ann = Device.found("ann")
    one = came(ann, "One", ward="W1", bed="1")
    (wrong,) = record(ann, move(one, "m1", bed="99"))
    back = {"v": 1, "kind": "entry.retract", "key": "b", "reason": "misread"}
    record(ann, back | {"data": {"fact": wrong.id}}, move(one, "m2", bed="3"))

    assert places(ann) == [("W1", "1", 0), ("W1", "3", 1)]
