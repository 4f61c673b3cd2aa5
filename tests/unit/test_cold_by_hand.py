"""A fridge whose thermometer somebody reads twice a day, as most are: two rounds make an alarm."""

from __future__ import annotations

import pytest

from protocols.ledger import coldunits
from tests.unit.stage import WALL_MS
from tests.unit.test_supplies_book import camp_of, logged, wrote

HOUR_MS = 3_600_000


def read_by_hand(*rounds: tuple[int, str]) -> coldunits.Unit:
    """Type temperatures of one fridge; hours before now and degrees Celsius."""
    stage, (device,), _ = camp_of("store")
    for ago, celsius in rounds:
        data = {"unit": "fridge 1", "celsius": celsius, "cold": "fridge"}
        wrote(stage, device, "reading.record", data, at=WALL_MS - ago * HOUR_MS)
    (unit,) = coldunits.units(device.ledger)
    return unit


def alarms(unit: coldunits.Unit) -> list[tuple[str, int]]:
    return [(each.limit.id, each.minutes) for each in unit.episodes if each.alarms]


@pytest.mark.parametrize(
    ("rounds", "told"),
    [
        ([(24, "25"), (15, "25"), (0, "25")], [("heat", 1440), ("heat-sum", 1440)]),
        ([(24, "5"), (15, "-2"), (0, "-2")], [("freeze", 900), ("freeze-sum", 900)]),
        ([(24, "25"), (15, "5"), (0, "25")], []),
        ([(24, "25"), (7, "25")], []),
        ([(0, "25")], []),
    ],
    ids=["warm all day", "frozen overnight", "within between", "a round left out", "one reading"],
)
def test_what_was_beyond_at_one_round_and_still_at_the_next_was_so_between_them(rounds, told):
    assert sorted(alarms(read_by_hand(*rounds))) == sorted(told)


def test_a_logger_that_said_nothing_for_hours_is_not_filled_in():
    stage, (device,), _ = camp_of("store")
    for said in (logged([(900, 250)], cold="fridge"), logged([(0, 250)])):
        (answer,) = stage.write(device, said)
        assert answer.ok, answer
    (unit,) = coldunits.units(device.ledger)
    assert alarms(unit) == []
    assert len(unit.episodes) == 2
