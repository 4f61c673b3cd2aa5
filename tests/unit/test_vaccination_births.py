"""Of whom people say different births: what is due goes by all that is said (SAFETY 2)."""

from __future__ import annotations

import pytest

from protocols.guidelines.calendar import length
from protocols.guidelines.interventions import due
from protocols.ids import PatientId
from protocols.ledger import immunization, interventions
from protocols.live import vaccinating
from protocols.mesh.effects import Now
from protocols.records.immune import best_birth
from protocols.records.vaccination import read_day
from tests.unit.stage import WALL_MS
from tests.unit.test_vaccination_book import DAY, Team, meet, two

OLDER, YOUNG = "2025-05-10", "2026-01-10"
"""Sixteen and eight months old at the clock of the stage, on either side of nine."""


def measles(team: Team, whom: str, on_day: int = DAY) -> tuple[str, tuple[str, ...]]:
    found = immunization.child(team.device.ledger, PatientId.parse(whom), on_day)
    return next((each.state, each.may) for each in found.due if each.series == "measles")


def vitamin(team: Team, whom: str) -> str:
    """What the pack says of vitamin A for a child."""
    ledger = team.device.ledger
    histories = interventions.of_person(ledger, PatientId.parse(whom))
    row = interventions.pack_in_use(ledger).of_code("vitamin-a")
    assert row is not None
    return due(row, best_birth(histories, DAY), DAY).state


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"birth_date": OLDER}, {"birth_date": YOUNG}),
        ({"age": {"value": 16, "unit": "mo"}}, {"age": {"value": 8, "unit": "mo"}}),
    ],
)
def test_while_two_differ_about_a_birth_what_it_decides_is_unsure_on_both_nodes(one, other, order):
    stage, ann, ben = two()
    whom = ann("patient.register", {"sex": "female"}).patient or ""
    meet(stage, ann, ben)
    said = (one, other) if order else (other, one)
    for team, data in zip((ann, ben), said, strict=True):
        team("patient.identify", data, patient=whom)
    meet(stage, ann, ben)

    for team in (ann, ben):
        assert measles(team, whom) == ("unsure", ("due", "not-yet", "overdue"))
        assert vitamin(team, whom) == "unsure"
        # Later both are old enough, whoever is right.
        assert measles(team, whom, DAY + 60)[0] in ("due", "overdue")


def test_linked_records_that_cannot_be_of_one_birth_leave_it_open_between_them():
    _, ann, _ = two()
    one, other = ann.child(birth_date=OLDER), ann.child(birth_date=YOUNG)
    assert (measles(ann, one)[0], measles(ann, other)[0]) == ("overdue", "not-yet")
    ann("patient.link", {"other": other, "relation": "same"}, patient=one)

    for whom in (one, other):
        assert measles(ann, whom) == ("unsure", ("due", "not-yet", "overdue"))
        assert vitamin(ann, whom) == "unsure"


@pytest.mark.parametrize(
    "other", [{"age": {"value": 8, "unit": "mo"}}, {"birth_date": "2026-01"}, {"band": 1}, {}]
)
def test_of_linked_records_that_agree_the_one_that_says_most_is_used(other):
    _, ann, _ = two()
    one = ann.child(birth_date=YOUNG)
    twin = ann("patient.register", {"sex": "female", **other}).patient or ""
    ann("patient.link", {"other": twin, "relation": "same"}, patient=one)

    known = immunization.child(ann.device.ledger, PatientId.parse(twin), DAY)
    assert known.born == (read_day(YOUNG, ""), read_day(YOUNG, ""))
    nine = length("9 mo").after(known.born.first)
    assert measles(ann, twin, nine - 1) == ("not-yet", ())
    assert measles(ann, twin, nine) == ("due", ())


def test_who_was_said_to_be_under_one_has_grown_since():
    _, ann, _ = two()
    whom = ann("patient.register", {"sex": "female", "band": 1}).patient or ""
    assert measles(ann, whom)[0] == "unsure"

    # Nine months on the youngest of them is nine months old; of them nobody is under that.
    assert measles(ann, whom, DAY + 280)[0] in ("due", "overdue")
    found = immunization.child(ann.device.ledger, PatientId.parse(whom), DAY + 280).born
    assert found == (DAY - 365, DAY)


@pytest.mark.parametrize(("zone", "hours"), [("-10:00", -5), ("+13:00", 0), ("+00:00", 0)])
def test_a_newborn_is_vaccinated_on_the_day_it_is_there_wherever_that_is(zone, hours):
    """Of who is west of Greenwich the day is yesterday's by UTC, in which ages are stated."""
    _, ann, _ = two()
    ann.ahead_ms = hours * 3_600_000
    session = ann.session(zone=zone, vaccines=["bcg"], cells=[])
    whom = ann("patient.register", {"sex": "female", "age": {"value": 0, "unit": "d"}}).patient
    node, now = ann.device.node, WALL_MS + ann.ahead_ms
    asked = {"patient": whom, "session": session}
    told = vaccinating.child(node, Now(now, 0, bytes), asked, opened=lambda _: True)

    assert [each.state for each in told.give] == ["due"]
    ann.dose(whom or "", vaccine="bcg", session=session)
