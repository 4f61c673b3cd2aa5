"""Calls about what happens between teams, on nodes that were apart: hand-over, doubts, doubles."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.errors import InputError
from protocols.ids import PatientId
from protocols.ledger import reading
from protocols.live.disputing import disputes, unsettled
from protocols.live.handingover import handing, offers
from protocols.live.likening import alike, lookalikes
from protocols.records.contested import RISKS
from tests.unit import test_live_audited
from tests.unit.stage import Device, Stage, line, patient
from tests.unit.test_protection import told
from tests.unit.test_settling import MADE, Two

abroad = test_live_audited.abroad
"""Ann's node, and a patient whom a device of another organisation registered."""


def opened(_patient: object) -> bool:
    return True


def shut(_patient: object) -> bool:
    return False


def asked(call: Any, stage: Stage, device: Device, **args: Any) -> Any:
    device.ledger.catch_up_all()
    glass = {} if call in (unsettled, offers, alike, lookalikes) else {"opened": opened}
    return call(device.node, stage.now(device), args, **glass)


@pytest.mark.parametrize("name", MADE)
def test_what_is_unsettled_is_told_with_both_sides_and_settled_by_what_it_names(name):
    two = Two()
    MADE[name](two)
    (brief,) = asked(unsettled, two.stage, two.ben).lines
    assert brief.head.code == two.code
    assert brief.sides == ()
    assert brief.risk in RISKS

    (whole,) = asked(disputes, two.stage, two.ben, patient=brief.head.patient).lines
    assert (whole.risk, whole.what, whole.of_what) == (brief.risk, brief.what, brief.of_what)
    assert len(whole.sides) == 2
    for side in whole.sides:
        assert all(side.parts)
        assert side.author
        assert side.device
        assert side.roles
        assert side.recorded_ms
    line_of = line(
        "conflict.settle",
        {"attribute": whole.what, "keep": whole.sides[0].fact},
        patient=brief.head.patient,
        reason="asked",
        confirm=["allergy_listed"],
        **({"encounter": whole.encounter} if whole.encounter else {}),
    )
    assert two.stage.write(two.ben, line_of)[0].ok

    assert two.settled()
    assert asked(unsettled, two.stage, two.ann).total == 0
    assert asked(disputes, two.stage, two.ann, patient=brief.head.patient).lines == ()


def test_greater_risks_come_first_and_no_more_than_asked_for():
    two = Two()
    for name in ("attribute", "weight", "allergy"):
        MADE[name](two)
        two.apart()
        two.together()
    found = asked(unsettled, two.stage, two.ann)
    assert [each.risk for each in found.lines] == ["allergy", "weight", "identity"]
    assert asked(unsettled, two.stage, two.ann, limit=1).lines == found.lines[:1]
    assert asked(unsettled, two.stage, two.ann, limit=0).total == 3


def test_another_teams_values_take_a_reason_first(abroad):
    stage, ann, whom = abroad
    for call in (disputes, handing):
        with pytest.raises(InputError) as refused:
            call(ann.node, stage.now(ann), {"patient": whom}, opened=shut)
        assert refused.value.code == "other_team"
        assert call(ann.node, stage.now(ann), {"patient": whom}, opened=opened)


@pytest.mark.safety(25)
def test_an_offer_is_taken_over_while_its_sender_is_out_of_reach():
    """SAFETY 25: the second signature needs no link to the first team."""
    two = Two()
    two.write(two.ann, "condition.record", {"text": "femur fracture, left"})
    two.write(two.ann, "observation.record", {"code": "heart-rate", "value": "131", "unit": "/min"})
    two.stage.run(2_000)
    offer = two.write(
        two.ann,
        "transfer.offer",
        {"to": {"device": str(two.ben.id)}, "injuries": "left femur", "signs": "pale"},
    )
    two.stage.run(2_000)
    two.apart()

    (mine,) = asked(offers, two.stage, two.ann).lines
    assert (mine.from_here, mine.to_us) == (True, False)
    found = asked(offers, two.stage, two.ben)
    (line_to_us,) = found.lines
    assert (found.to_us, line_to_us.offer, line_to_us.to_us) == (1, offer, True)
    assert dict(line_to_us.said) == {"injuries": "left femur", "signs": "pale"}
    two.write(two.ben, "transfer.accept", {"offer": line_to_us.offer})
    assert asked(offers, two.stage, two.ben).lines == ()
    assert len(asked(offers, two.stage, two.ann).lines) == 1

    two.together()
    assert asked(offers, two.stage, two.ann).lines == ()
    assert two.ann.care == two.ben.care
    (row,) = two.table("custody")
    assert (row.state, row.unclear) == ("accepted", 0)


@pytest.mark.safety(4)
def test_what_is_suggested_is_words_and_nothing_that_was_measured():
    """SAFETY 4: no key copies a measured value forward."""
    two = Two()
    two.write(two.ann, "condition.record", {"text": "femur fracture, left"})
    two.write(two.ann, "procedure.record", {"code": "wound-suture"})
    two.write(two.ann, "allergy.record", {"text": "mango"})
    two.write(two.ann, "observation.record", {"code": "heart-rate", "value": "131", "unit": "/min"})
    (row,) = reading.everyone(two.ann.ledger, 0, 9)[1]

    found = asked(handing, two.stage, two.ann, patient=str(PatientId(row.id)))

    assert found.suggested["injuries"] == "femur fracture, left"
    assert found.suggested["background"] == "mango"
    assert "wound-suture" in found.suggested["treatment"]
    assert "signs" not in found.suggested
    assert "131" not in "".join(found.suggested.values())
    assert ("device", "ben") in {(each.kind, each.name) for each in found.parties}
    assert "ann" not in {each.name for each in found.parties}


def test_an_offer_to_others_does_not_tell_what_is_handed_over():
    two = Two()
    two.write(
        two.ann, "transfer.offer", {"to": {"organisation": "Red Star"}, "injuries": "left femur"}
    )
    two.stage.run(2_000)
    (found,) = asked(offers, two.stage, two.ben).lines
    assert (found.to_us, found.said, found.to) == (False, (), "Red Star")


def test_who_is_written_down_twice_is_listed_until_somebody_says():
    two = Two()
    again = two.stage.write(two.ben, patient("Amina", tags=["B12"]))[0].code or ""
    two.stage.write(two.ben, line("encounter.open", {}, patient=again))
    two.stage.run(2_000)

    (pair,) = asked(lookalikes, two.stage, two.ann).lines
    assert pair.other is not None
    assert {pair.head.code, pair.other.code} == {two.code, again}
    names = {"other": pair.other.patient, "relation": "same"}
    data = {"patient": pair.head.patient}
    apart = line("patient.unlink", names, reason="two people", **data)
    said = two.stage.write(two.ann, apart)[0]
    two.stage.run(2_000)
    assert asked(lookalikes, two.stage, two.ben).lines == ()
    back = line("entry.retract", {"fact": said.facts[0]}, reason="looked again")
    assert two.stage.write(two.ben, back)[0].ok
    two.stage.run(2_000)
    assert len(asked(lookalikes, two.stage, two.ann).lines) == 1


def test_whoever_is_about_to_be_written_down_is_compared_by_more_than_a_name():
    two = Two()
    by_name = asked(alike, two.stage, two.ann, names=["Aminah"], sex=9)
    assert [each.head.code for each in by_name.lines] == [two.code]
    assert "name" in by_name.lines[0].reasons
    assert asked(alike, two.stage, two.ann, names=["Zeb"], sex=1).lines == ()
    for wrong in ({"names": "x"}, {"names": ["x"], "sex": "m"}, {"names": [], "limit": -1}):
        with pytest.raises(InputError):
            asked(alike, two.stage, two.ann, **wrong)


@pytest.mark.safety(18)
def test_what_the_protection_scope_knows_changes_nothing_of_doubles():
    """SAFETY 18."""
    stage, ann, pat, kim, *_ = told()
    found = [asked(alike, stage, each, names=["Amina"], sex=9) for each in (ann, pat, kim)]
    assert found[0] == found[1] == found[2]
