"""What a node tells of guidelines: which are offered, in which version, and how far one is."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.errors import InputError
from protocols.guidelines.canonical import canonical, packed
from protocols.guidelines.vocabulary import vocabulary
from protocols.ledger import audit, packs
from protocols.live import guiding
from protocols.mesh.effects import Now
from protocols.trust.packs import pack_digest, read_pack_statement, sign_pack
from protocols.trust.statements import pack as bytes_of
from tests.unit.people import founder, write
from tests.unit.stage import WALL_MS, Device
from tests.unit.test_ledger_packs import approve, b64, keys_of, person_of

NOW = Now(WALL_MS, 0, lambda count: bytes(count))


def told(device: Device, call: str, opened: bool = True, **args: Any) -> Any:
    device.ledger.catch_up_all()
    return guiding.CALLS[call](device.node, NOW, args, opened=lambda _: opened)


def line(kind: str, data: dict[str, Any], patient: str = "", **more: Any) -> dict[str, Any]:
    about = {"patient": patient} if patient else {}
    line.count += 1  # type: ignore[attr-defined]
    return {"v": 1, "kind": kind, "key": f"k{line.count}", "data": data, **about, **more}  # type: ignore[attr-defined]


line.count = 0  # type: ignore[attr-defined]


def in_care(age: dict[str, Any] | None = None) -> tuple[Device, str]:
    ann = founder()
    person: dict[str, Any] = {"tags": ["B12"]} | ({"age": age} if age else {})
    (made,) = write(ann, None, line("patient.register", person))
    patient = made.patient
    (opened,) = write(ann, None, line("encounter.open", {}, patient))
    assert opened.ok
    return ann, patient


def step(**data: Any) -> dict[str, Any]:
    return {"name": "cholera-c", "version": "1", "step": "first", **data}


def weigh(value: str, code: str = "weight") -> dict[str, Any]:
    return {"set": [{"code": code, "value": value, "unit": "kg"}]}


def publish(device: Device, name: str, version: str) -> bytes:
    held = packs.held(device.ledger)
    known = next(pack for pack in held if pack.name == name and pack.shipped)
    whole = known.text.replace('version = "1"', f'version = "{version}"', 1)
    authority = device.ledger.authority
    digest = pack_digest(canonical(whole))
    statement = bytes_of(sign_pack(authority.keys, authority.operation, name, version, digest))
    data = {"pack": b64(packed(canonical(whole))), "signed": b64(statement)}
    (answer,) = write(device, None, line("pack.publish", data))
    assert answer.ok, answer
    return statement


def test_what_was_begun_comes_first_then_what_is_offered_and_packs_of_other_forms_never():
    ann, patient = in_care({"value": 30, "unit": "y"})
    before = told(ann, "guidelines", patient=patient).lines
    write(ann, None, line("guideline.step", step(name="malnutrition"), patient))

    after = told(ann, "guidelines", patient=patient).lines

    assert {one.name for one in before} == {
        "dehydration", "cholera-a", "cholera-b", "cholera-c", "malnutrition", "imci",
    }  # fmt: skip
    assert [one.offered for one in before] == sorted((one.offered for one in before), reverse=True)
    assert not next(one for one in before if one.name == "imci").offered
    assert after[0].name == "malnutrition"
    assert (after[0].done, after[0].begun_ms) == (1, WALL_MS)
    assert all(one.approved_by == "" and one.source for one in before)


def test_an_age_that_is_not_known_hides_nothing():
    ann, patient = in_care()

    assert all(one.offered for one in told(ann, "guidelines", patient=patient).lines)


def test_every_version_is_told_the_one_in_use_first_with_who_approved_it():
    ann, patient = in_care()
    amina = person_of(ann)
    two = publish(ann, "cholera-c", "2")
    publish(ann, "cholera-c", "3")
    said = read_pack_statement(two)[1]
    assert said.pack_version == "2"
    approve(ann, two, "Amina", keys_of(ann, amina))

    sheet = told(ann, "guideline", patient=patient, guideline="cholera-c")

    assert [one.version for one in sheet.versions] == ["2", "3", "1"]
    assert [one.approved_by for one in sheet.versions] == ["Amina, clinical lead", "", ""]
    (listed,) = [
        one for one in told(ann, "guidelines", patient=patient).lines if one.name == "cholera-c"
    ]
    assert (listed.version, listed.others) == ("2", 2)


def test_safety_9_weights_that_differ_are_none_and_an_estimate_says_so():
    ann, patient = in_care()
    assert told(ann, "guideline", patient=patient, guideline="cholera-c").weight.kg == ""
    write(ann, None, line("observation.record", weigh("54", "weight-estimated"), patient))
    guessed = told(ann, "guideline", patient=patient, guideline="cholera-c").weight
    assert (guessed.kg, guessed.estimated, guessed.sides) == ("54", True, ())
    write(ann, None, line("observation.record", weigh("70"), patient))

    weight = told(ann, "guideline", patient=patient, guideline="cholera-c").weight

    assert weight.kg == ""
    assert len(weight.sides) == 2


def test_what_is_measured_in_every_round_is_asked_anew_and_the_rest_of_this_stay_counts():
    ann, patient = in_care()
    measured = [
        {"code": "muac", "value": "112", "unit": "mm"},
        {"code": "oedema", "value": "both-feet"},
        {"code": "respiratory-rate", "value": "30", "unit": "/min"},
    ]
    (answer,) = write(ann, None, line("observation.record", {"set": measured}, patient))
    assert answer.ok, answer

    readings = told(ann, "guideline", patient=patient, guideline="cholera-c").readings

    assert [(one.name, one.value, one.choice) for one in readings] == [
        ("muac", "112", ""),
        ("oedema", "", "both-feet"),
    ]


def test_what_was_measured_longer_ago_than_weights_are_compared_is_asked_anew():
    hours = vocabulary().doubt.weight_hours
    for back, known in ((hours, True), (hours + 1, False)):
        ann, patient = in_care()
        data = {"code": "muac", "value": "112", "unit": "mm"}
        at = WALL_MS - back * 3_600_000
        (answer,) = write(ann, None, line("observation.record", data, patient, at=at))
        assert answer.ok, answer

        readings = told(ann, "guideline", patient=patient, guideline="cholera-c").readings
        assert [one.name for one in readings] == ["muac"] * known


def test_safety_15_what_a_device_measured_and_nobody_accepted_does_not_count():
    ann, patient = in_care()
    data = {"set": [{"code": "muac", "value": "112", "unit": "mm"}]}
    (answer,) = write(ann, None, line("observation.record", data, patient, source="device"))
    assert answer.ok, answer

    assert told(ann, "guideline", patient=patient, guideline="cholera-c").readings == ()


def test_the_course_is_told_with_who_did_what_and_without_what_was_taken_back():
    ann, patient = in_care()
    write(ann, None, line("guideline.step", step(answers={"weight": "54"}), patient))
    skip = step(step="antibiotic", did="skipped")
    (wrong,) = write(ann, None, line("guideline.step", skip, patient, reason="none left"))
    both = told(ann, "guideline", patient=patient, guideline="cholera-c").steps
    write(ann, None, line("entry.retract", {"fact": wrong.facts[0]}, reason="wrong bed"))

    sheet = told(ann, "guideline", patient=patient, guideline="cholera-c")

    assert [(one.step, one.did, one.reason) for one in both] == [
        ("first", "done", ""),
        ("antibiotic", "skipped", "none left"),
    ]
    assert [one.step for one in sheet.steps] == ["first"]
    assert sheet.steps[0].answers == {"weight": "54"}
    assert sheet.steps[0].author
    assert (sheet.course, sheet.began_ms, sheet.in_care) == (0, WALL_MS, True)


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({"guideline": "news2"}, "unknown_pack"),
        ({"guideline": "no-such"}, "unknown_pack"),
        ({"guideline": None}, "unknown_pack"),
        ({"patient": "pat_x", "guideline": "cholera-c"}, "bad_id"),
        ({"patient": None, "guideline": "cholera-c"}, "bad_line"),
    ],
)
def test_what_is_no_guideline_and_nobody_is_refused(args, code):
    ann, patient = in_care()

    with pytest.raises(InputError) as refused:
        told(ann, "guideline", **{"patient": patient} | args)

    assert refused.value.code == code


@pytest.mark.parametrize("call", sorted(guiding.CALLS))
def test_another_teams_patient_takes_a_reason_first(call, monkeypatch):
    ann, patient = in_care()
    monkeypatch.setattr(audit, "other_team", lambda *_: ("Red Cross",))

    with pytest.raises(InputError) as refused:
        told(ann, call, opened=False, patient=patient, guideline="cholera-c")

    assert refused.value.code == "other_team"


def test_safety_9_a_weight_of_an_earlier_stay_is_asked_anew():
    ann, patient = in_care()
    write(ann, None, line("observation.record", weigh("54"), patient))
    assert told(ann, "guideline", patient=patient, guideline="cholera-c").weight.kg == "54"
    write(ann, None, line("encounter.close", {"outcome": "other"}, patient))
    write(ann, None, line("encounter.open", {}, patient))

    sheet = told(ann, "guideline", patient=patient, guideline="cholera-c")

    assert (sheet.weight.kg, sheet.in_care) == ("", True)
