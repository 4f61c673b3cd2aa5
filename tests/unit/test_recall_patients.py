"""Who received a recalled lot: other teams' patients stand in the trail before anybody is named."""

from __future__ import annotations

import pytest

from protocols.errors import InputError
from protocols.live import consigning
from tests.unit.stage import Device, Stage, line, patient
from tests.unit.test_foreign import outside, shared

ITEM = "ors-1l-sachet"


def given_to(stage: Stage, device: Device, name: str, store: str) -> str:
    who = stage.write(device, patient(name))[0].id or ""
    data = {"item": ITEM, "lot": "L1", "units": 2}
    (answer,) = stage.write(device, line("stock.dispense", data, patient=who, store=store))
    assert answer.ok, answer
    return who


def told() -> tuple[Stage, Device, Device, dict[str, str]]:
    """The ministry's store gave of one lot to one of its patients, and to one of Japan's."""
    stage, ann, joe = shared()
    store = stage.write(ann, line("site.register", {"name": "Store"}))[0].id or ""
    stage.write(ann, line("stock.receive", {"item": ITEM, "lot": "L1", "units": 9}, store=store))
    stage.run(3_000)
    ours = given_to(stage, joe, "Kenji", store)
    theirs = given_to(stage, ann, "Wanjiru", store)
    recall = {"item": ITEM, "lot": "L1", "why": "falsified"}
    stage.write(ann, line("lot.recall", recall))
    stage.run(20_000)
    return stage, ann, joe, {"ours": ours, "theirs": theirs}


def test_a_list_of_recalls_names_nobody_and_is_in_no_trail():
    stage, _, joe, _ = told()

    (found,) = consigning.recalled(joe.node, stage.now(joe), {}).lines

    assert found.patients == 2
    assert outside(joe) == []


def test_other_teams_patients_are_counted_in_the_trail_when_they_are_named():
    stage, _, joe, who = told()

    asked = {"item": ITEM, "lot": "l1"}
    with pytest.raises(InputError) as refused:
        consigning.patients(joe.node, stage.now(joe), asked)
    assert refused.value.code == "other_team"
    assert outside(joe) == [], "nobody was named"

    found, effects = consigning.patients(
        joe.node, stage.now(joe), {**asked, "reason": "told by MoH"}
    )

    assert outside(joe) == [("recall: told by MoH", 1)], "it stands there before anybody is named"
    stage.carry(joe, effects)
    assert {each.patient for each in found.lines} == set(who.values())
    assert found.total == 2


def test_a_question_without_an_item_and_a_lot_is_refused():
    stage, _, joe, _ = told()

    for args in ({}, {"item": ITEM}, {"item": ITEM, "lot": 5}):
        with pytest.raises(InputError):
            consigning.patients(joe.node, stage.now(joe), args)
