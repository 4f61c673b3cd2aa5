"""Two teams, three children, met or apart, linked or not: what is counted, by a model by hand."""

from __future__ import annotations

from itertools import combinations
from random import Random

import pytest

from protocols.ids import FactRef, PatientId
from protocols.ledger import immunization
from tests.unit.stage import WALL_MS, line
from tests.unit.test_vaccination_book import DAY, Team, meet, two

STEP_DAYS, STEPS = 9, 14
SHORTEST = 28
"""Days between two doses of DTP, by the schedule."""


def given(team: Team, whom: str, session: str, days: int) -> FactRef | None:
    """Give a dose unless it is asked about; return its record."""
    data = {"vaccine": "penta", "session": session}
    record, now_ms = team.device.node._recorder.record, WALL_MS + days * 86_400_000
    ((answer,), _, _) = record(
        [line("dose.record", data, patient=whom)], now_ms, team.device.chance.randbytes
    )
    return FactRef.parse(answer.id) if answer.ok else None


def told(team: Team, child: str) -> tuple[object, ...]:
    """What a node says of a child, but for the order in which it heard of it."""
    known = immunization.child(team.device.ledger, PatientId.parse(child), DAY + 150)
    return known.due, known.spare, [(each.ref, each.verdicts) for each in known.doses]


@pytest.mark.parametrize("seed", range(12))
def test_what_counts_is_equal_on_both_and_each_that_does_not_stands_beside_one_that_does(seed):
    chance = Random(seed)
    stage, ann, ben = two()
    session = ann.session(vaccines=["penta"], cells=[])
    children = [ann.child(birth_date="2026-02-01") for _ in range(3)]
    meet(stage, ann, ben)
    written = 0
    for step in range(STEPS):
        team = chance.choice((ann, ben))
        days, whom = step * STEP_DAYS, chance.choice(children)
        written += given(team, whom, session, days) is not None
        if chance.random() < 0.25:
            meet(stage, ann, ben)
        if chance.random() < 0.1:
            team.ahead_ms = days * 86_400_000
            link = {"other": children[1], "relation": "same"}
            team("patient.link", link, patient=children[0])
    meet(stage, ann, ben)

    spare = immunization.not_counted(ann.device.ledger)
    assert spare == immunization.not_counted(ben.device.ledger)
    assert ann.total() == ann.total(session) == ben.total() == written - len(spare)
    assert [told(ann, each) for each in children] == [told(ben, each) for each in children]
    listed = immunization.doubled(ann.device.ledger)
    assert {ref for each in listed for ref in each.doses[1:]} == spare
    for each in listed:
        assert each.doses[0] not in spare
        for row in each.rows[1:]:
            first, apart = each.rows[0], (row.day or 0) - (each.rows[0].day or 0)
            assert row.dose == first.dose or apart < SHORTEST
    for child in children:
        doses = immunization.child(ann.device.ledger, PatientId.parse(child), DAY + 150).doses
        counted = [each.row for each in doses if each.ref not in spare]
        assert all(one.dose != other.dose for one, other in combinations(counted, 2))
