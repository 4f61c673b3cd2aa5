"""What a device believes of the time."""

from hypothesis import given
from hypothesis import strategies as st

from protocols.sim.clock import DRILL_BEGINS_MS, HOUR_US, DeviceClock, at_s

DRIFTS = st.integers(-20_000, 20_000)
MOMENTS = st.integers(0, 400 * HOUR_US)


@given(DRIFTS, MOMENTS, MOMENTS)
def test_a_wake_up_comes_at_the_first_moment_the_device_counts_it(drift, booted, moment):
    clock = DeviceClock(drift_ppm=drift, booted_us=booted)
    wanted_ms = clock.mono_ms(booted + moment) + 1

    due_us = clock.when_us(wanted_ms)

    assert clock.mono_ms(due_us) >= wanted_ms
    assert clock.mono_ms(due_us - 1) < wanted_ms


@given(DRIFTS, MOMENTS, st.integers(0, 4_000_000_000_000))
def test_setting_the_wall_clock_leaves_the_running_clock_alone(drift, moment, wall_ms):
    clock = DeviceClock(drift_ppm=drift)
    before_ms = clock.mono_ms(moment)

    clock.set_wall(moment, wall_ms)

    assert clock.wall_ms(moment) == wall_ms
    assert clock.mono_ms(moment) == before_ms


def test_a_fast_clock_gains_and_a_reboot_starts_the_running_clock_anew():
    clock = DeviceClock(drift_ppm=10_000)

    assert clock.wall_ms(at_s(100)) == DRILL_BEGINS_MS + 101_000
    clock.reboot(at_s(100))
    assert clock.mono_ms(at_s(200)) == 101_000


def test_a_board_without_a_battery_never_shows_a_moment_before_1970():
    assert DeviceClock(offset_ms=-2 * DRILL_BEGINS_MS).wall_ms(0) == 0
