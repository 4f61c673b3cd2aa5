"""A device whose clock cannot be right: what it writes says so, and a person may state the time."""

import asyncio

import pytest

from protocols.errors import InputError
from protocols.live.clock import JUMP_MS, STATED_BEFORE_MS
from protocols.records.moment import IMPLAUSIBLE_BEFORE_MS
from tests.process.live_desk import Clocks, made, served, terminal

STATED_MS = 1_790_000_000_000
REGISTER = {"v": 1, "kind": "patient.register", "data": {"given_name": "Awa"}}


def test_a_stated_time_goes_on_with_the_clock_that_never_jumps():
    clocks = Clocks(5_000)
    clock = clocks.clock()
    assert (clock.now().wall_ms, clock.now().ahead_ms) == (5_000, 0)

    clock.state(STATED_MS)
    clocks.go_on(60_000)
    assert clock.now().wall_ms == STATED_MS + 60_000
    assert clock.now().ahead_ms == STATED_MS - 5_000


@pytest.mark.parametrize("moved_ms", [JUMP_MS + 1, -JUMP_MS - 1, STATED_MS])
def test_a_clock_that_is_set_after_all_counts_again(moved_ms):
    clocks = Clocks(1_000_000)
    clock = clocks.clock()
    clock.state(STATED_MS)
    clocks.wall_ms += moved_ms

    assert clock.now().ahead_ms == 0
    assert clock.now().wall_ms == 1_000_000 + moved_ms


@pytest.mark.parametrize("moved_ms", [JUMP_MS, -JUMP_MS])
def test_a_clock_that_only_drifts_stays_stated(moved_ms):
    clocks = Clocks(1_000_000)
    clock = clocks.clock()
    clock.state(STATED_MS)
    clocks.wall_ms += moved_ms

    assert clock.now().ahead_ms == STATED_MS - 1_000_000


@pytest.mark.parametrize("stated", [0, IMPLAUSIBLE_BEFORE_MS - 1, STATED_BEFORE_MS])
def test_a_time_that_cannot_be_is_refused(stated):
    with pytest.raises(InputError, match="bad_time"):
        Clocks(5_000).clock().state(stated)


def test_a_clock_that_can_be_right_is_set_on_the_device_only():
    with pytest.raises(InputError, match="clock_is_plausible"):
        Clocks(IMPLAUSIBLE_BEFORE_MS).clock().state(STATED_MS)


async def told(folder, clocks):
    """Register before and after the time is stated; return what a terminal then sees."""
    async with served(folder, clocks.clock()), terminal(folder) as node:
        doubtful = await node.sync()
        (before,) = await node.record([{**REGISTER, "key": "before"}])
        await node.clock_set(STATED_MS)
        clocks.go_on(1_000)
        stated = await node.sync()
        (after,) = await node.record([{**REGISTER, "key": "after"}])
        charts = [await node.chart(answer.patient, 0, 1) for answer in (before, after)]
    return doubtful, stated, before, after, *charts


@pytest.mark.safety(14)
def test_what_is_recorded_on_a_doubtful_clock_says_so_and_a_stated_time_counts(tmp_path):
    folder = made(tmp_path / "node")
    found = asyncio.run(told(folder, Clocks(5_000)))
    doubtful, stated, before, after, early, late = found

    assert (doubtful.clock, doubtful.ahead_ms) == ("implausible", 0)
    assert before.warnings == ("clock_doubtful",)
    assert dict(early.lines[0].summary)["clock"] == "doubtful"

    assert (stated.clock, stated.ahead_ms) == ("stated", STATED_MS - 5_000)
    assert stated.newest_ms is not None
    assert after.warnings == ()
    assert "clock" not in dict(late.lines[0].summary)
    assert late.lines[0].at_ms == STATED_MS + 1_000


def test_a_clock_that_is_right_says_nothing(tmp_path):
    async def seen():
        folder = made(tmp_path / "node")
        async with served(folder), terminal(folder) as node:
            return await node.sync()

    sync = asyncio.run(seen())
    assert (sync.clock, sync.ahead_ms, sync.newest_ms) == ("ok", 0, None)
