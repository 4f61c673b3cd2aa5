"""Cold chain: stretches beyond a limit, minutes added up, gaps, vial monitors, and bad packs."""

from __future__ import annotations

from importlib.resources import files

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from protocols.guidelines.coldchain import (
    DAY_MIN,
    Episode,
    Reading,
    check,
    episodes,
    merged,
    shipped_coldchain,
)
from protocols.guidelines.linting import lint

PACK = shipped_coldchain()
FRIDGE = PACK.of("fridge")
TEXT = (files("protocols.guidelines") / "packs" / "coldchain.toml").read_text("utf-8")


def every_ten(*tenths: int, start: int = 1_000_000) -> list[Reading]:
    return [Reading(start + 10 * at, value) for at, value in enumerate(tenths)]


def named(found: tuple[Episode, ...], name: str) -> list[Episode]:
    return [each for each in found if each.limit.id == name]


def test_the_pack_is_in_order_names_every_class_of_the_catalogue_and_is_not_approved():
    assert lint(TEXT) == []
    assert {each.id for each in PACK.classes} == {"room", "cool", "fridge", "freezer", "ultra"}
    assert PACK.pack.approved_by == ""
    assert PACK.pack.status == "memory"


def test_a_stretch_lasts_from_the_first_reading_beyond_to_the_first_one_within():
    found = episodes(every_ten(50, -6, -9, -6, 20, 50), FRIDGE)

    (freeze,) = found
    assert freeze.limit.id == "freeze" and freeze.freezing
    assert (freeze.since_min, freeze.until_min) == (1_000_010, 1_000_040)
    assert (freeze.minutes, freeze.worst_tenths) == (30, -9)
    assert not freeze.alarms, "half an hour is less than the limit's hour"
    assert not freeze.ongoing


def test_of_a_stretch_that_began_before_the_days_only_the_rest_is_added_up():
    month = 30 * DAY_MIN
    first = 1_000_000
    # It is warm until 100 minutes into the month that ends with the second stretch.
    one = [Reading(first + at, 120) for at in range(0, 1100, 50)] + [Reading(first + 1100, 50)]
    end = first + 1000 + month
    two = [Reading(at, 120) for at in range(end - 1150, end, 50)] + [Reading(end, 50)]

    (added,) = named(episodes(one + two, FRIDGE), "heat-sum")
    assert (added.minutes, added.since_min, added.until_min) == (1250, end - month, end)


def test_of_a_sum_that_alarmed_twice_the_last_time_is_told_with_all_of_it():
    first, later = 1_000_000, 1_000_000 + 5 * DAY_MIN
    warm = [Reading(at + 50 * n, 120) for at in (first, later) for n in range(25)]
    within = [Reading(at + 1250, 50) for at in (first, later)]

    (added,) = named(episodes(merged([warm, within]), FRIDGE), "heat-sum")
    assert (added.minutes, added.since_min, added.until_min) == (2500, first, later + 1250)


def test_a_reading_holds_until_the_next_one_that_comes_when_it_is_due():
    gap = FRIDGE.gap_minutes
    due = [Reading(1_000_000 + gap * at, 120) for at in range(7)]
    late = [Reading(1_000_000 + (gap + 1) * at, 120) for at in range(7)]

    (heat,) = named(episodes(due, FRIDGE), "heat")
    assert (heat.minutes, heat.alarms) == (6 * gap, True)
    assert [each.minutes for each in named(episodes(late, FRIDGE), "heat")] == [0] * 7


def test_it_alarms_at_the_minutes_of_the_limit_and_not_one_reading_before():
    below = episodes(every_ten(50, *[-6] * 5, 50), FRIDGE)
    at = episodes(every_ten(50, *[-6] * 6, 50), FRIDGE)

    assert [each.minutes for each in named(below, "freeze")] == [50]
    assert not named(below, "freeze")[0].alarms
    assert [each.minutes for each in named(at, "freeze")] == [60]
    assert named(at, "freeze")[0].alarms


def test_the_limit_itself_is_within():
    assert episodes(every_ten(-5, 80, -5, 80), FRIDGE) == ()


def test_after_a_gap_nobody_knows_so_the_stretch_ends_with_its_last_reading():
    gap = FRIDGE.gap_minutes
    readings = [Reading(0, 90), Reading(60, 95), Reading(61 + gap, 92), Reading(71 + gap, 50)]

    first, second = named(episodes(readings, FRIDGE), "heat")

    assert (first.since_min, first.until_min, first.minutes) == (0, 60, 60)
    assert (second.since_min, second.minutes) == (61 + gap, 10)
    assert not first.ongoing


def test_what_is_beyond_at_the_newest_reading_goes_on():
    (heat,) = named(episodes(every_ten(50, 90, 91), FRIDGE), "heat")

    assert heat.ongoing
    assert heat.minutes == 10


def test_short_stretches_add_up_over_days_and_old_ones_fall_out():
    hour = [-6] * 6
    twice = every_ten(50, *hour, 50, *hour, 50)
    (summed,) = named(episodes(twice, FRIDGE), "freeze-sum")
    assert summed.minutes == 120 and summed.alarms

    later = [Reading(each.minute + 31 * DAY_MIN, each.tenths) for each in twice[7:]]
    assert named(episodes([*twice[:8], *later], FRIDGE), "freeze-sum") == []


@given(
    st.lists(
        st.lists(st.builds(Reading, st.integers(0, 400), st.integers(-20, 110)), max_size=30),
        max_size=4,
    ),
    st.randoms(use_true_random=False),
)
def test_episodes_are_the_same_for_any_order_and_for_what_was_imported_twice(runs, chance):
    mixed = [list(run) for run in (*runs, *runs)]
    chance.shuffle(mixed)
    for run in mixed:
        chance.shuffle(run)

    found = episodes(merged(runs), FRIDGE)

    assert episodes(merged(mixed), FRIDGE) == found
    for each in found:
        assert each.since_min <= each.until_min
        assert each.limit.crossed(each.worst_tenths)


def test_a_unit_of_a_class_nobody_knows_is_held_to_the_fridge():
    assert PACK.of("") is FRIDGE
    assert PACK.of("cellar") is FRIDGE


def test_vial_monitors_say_use_and_do_not_use():
    assert [PACK.stage(each).usable for each in (1, 2, 3, 4)] == [True, True, False, False]
    assert PACK.stage(0) is None and PACK.stage(5) is None


def test_the_linter_names_what_is_wrong():
    twice = msgspec.structs.replace(PACK, classes=(*PACK.classes, PACK.classes[0]))
    none = msgspec.structs.replace(PACK, classes=PACK.classes[:1])
    stages = msgspec.structs.replace(PACK, vvm=PACK.vvm[1:])

    assert check(twice) == ["class: stands twice"]
    assert check(none) == ["class: there has to be one for fridge"]
    assert check(stages) == ["vvm: stages stand in order, from 1 on"]
    assert lint(TEXT.replace('celsius = "-0.5"', 'celsius = "31 F"', 1))
