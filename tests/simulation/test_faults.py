"""What the field does to devices, each by itself: nothing saved is lost, nothing false is taken."""

from __future__ import annotations

import pytest

from protocols.sim.clock import DeviceClock
from protocols.sim.forgery import forge
from protocols.sim.report import in_words
from tests.simulation.stage import HOUR_US, MINUTE_US, begin, hour


def test_an_hour_with_a_partition_and_power_cuts_passes_every_check():
    result = hour()

    assert result.ok, in_words(result)
    assert result.written == result.at_hq > 60
    assert (result.lost, result.duplicated, result.converged) == (0, 0, True)


def test_a_line_that_was_written_as_the_power_went_and_is_sent_again_is_there_once():
    drill, cast = begin()
    world, (hq, a, _) = drill.world, cast.hosts
    world.mesh(cast.hosts)
    line = drill.workload(a).casualty()
    world.crash_at_commit(a, 1, after=True, down_us=MINUTE_US)

    drill.write(a, line)
    world.run_until(world.at_us + 5 * MINUTE_US)
    result = drill.finish(hq)

    assert result.ok, in_words(result)
    assert world.crashes == len(world.witness.repeated) == 1
    # The triage, and the count that says nothing of whom it is about.
    assert len(world.witness.records[0].entries) == 2


@pytest.mark.parametrize("noticed", [True, False])
def test_a_copied_card_used_twice_loses_nothing(noticed):
    def copied(drill, cast):
        def copy():
            clone = cast.clone(cast.hosts[1], "copy", noticed=noticed)
            for host in (cast.hosts[0], cast.hosts[2]):
                drill.world.dial(clone, host)
            drill.staff(clone, per_hour=30.0, until_us=drill.world.at_us + HOUR_US // 2)

        drill.world.at(drill.world.at_us + 12 * MINUTE_US, copy)

    result = hour(more=copied)

    assert result.ok, in_words(result)


@pytest.mark.parametrize("noticed", [True, False])
def test_a_backup_put_back_goes_on_writing_and_gets_back_what_peers_hold(noticed):
    def restored(drill, cast):
        world, kept = drill.world, []
        world.at(world.at_us + 5 * MINUTE_US, lambda: kept.append(cast.backup(cast.hosts[2])))
        world.at(
            world.at_us + 50 * MINUTE_US,
            lambda: cast.restore(cast.hosts[2], kept[0], noticed=noticed),
        )

    result = hour(more=restored)

    assert result.ok, in_words(result)


def test_a_relay_carries_everything_and_reads_nothing():
    drill, cast = begin()
    hq, a, b = cast.hosts
    relay = cast.relay("relay")
    drill.world.partition([hq, relay], [a, b])
    for host in (hq, a, b):
        drill.world.dial(relay, host)
    for host in (a, b):
        drill.staff(host, per_hour=30.0, until_us=drill.world.at_us + HOUR_US)
    drill.world.run_until(drill.world.at_us + HOUR_US // 2)
    drill.world.partition([hq], [a, b, relay])
    drill.world.run_until(drill.world.at_us + HOUR_US // 2)
    drill.world.partition([hq, relay], [a, b])
    drill.world.run_until(drill.world.at_us + MINUTE_US)
    assert len(drill.world.witness.seen[hq.place]) == len(drill.world.witness.seen[a.place])
    result = drill.finish(hq)

    assert result.ok, in_words(result)
    assert result.checks["carriers_are_blind"].detail.endswith("1 relays")


@pytest.mark.parametrize("signed", [True, False])
def test_what_a_member_forges_in_the_name_of_others_is_taken_by_nobody(signed):
    def forged(drill, cast):
        attacker, victim = cast.hosts[2], cast.hosts[1]

        def act():
            attacker.honest = False
            forge(
                attacker.machine.ledger,
                victim.machine.device,
                attacker.chance.randbytes,
                signed=signed,
            )
            drill.world.crash(attacker, down_us=MINUTE_US)

        drill.world.at(drill.world.at_us + 35 * MINUTE_US, act)

    result = hour(more=forged)

    assert result.checks["nothing_forged"].ok, in_words(result)
    assert result.ok, in_words(result)


def test_bits_flipped_on_the_wire_cost_time_and_nothing_else():
    def flipped(drill, cast):
        chance = drill.world.chance

        def tamper(here, there, message):
            if chance.random() > 0.05:
                return message
            at = int(chance.random() * len(message))
            return (
                message[:at]
                + bytes([message[at] ^ 1 << int(chance.random() * 8)])
                + message[at + 1 :]
            )

        drill.world.carriage.tamper = tamper
        drill.world.at(
            drill.world.at_us + HOUR_US, lambda: setattr(drill.world.carriage, "tamper", None)
        )

    result = hour(more=flipped)

    assert result.ok, in_words(result)


def test_messages_cut_short_swallowed_or_said_twice_cost_time_and_nothing_else():
    def garbled(drill, cast):
        chance = drill.world.chance

        def tamper(here, there, message):
            turn = chance.random()
            if turn < 0.02:
                return None
            if turn < 0.04:
                return message[: int(chance.random() * len(message))]
            return message + message if turn < 0.05 else message

        drill.world.carriage.tamper = tamper
        drill.world.at(
            drill.world.at_us + HOUR_US, lambda: setattr(drill.world.carriage, "tamper", None)
        )

    result = hour(more=garbled)

    assert result.ok, in_words(result)


def test_clocks_ten_years_off_change_nothing_but_what_is_displayed():
    def wrong(drill, cast):
        cast.hosts[1].clock.set_wall(drill.world.at_us, 0)
        cast.hosts[2].clock = DeviceClock(offset_ms=10 * 365 * 86_400_000, drift_ppm=9_000)

    right, skewed = hour(), hour(more=wrong)

    assert skewed.ok, in_words(skewed)
    assert skewed.written == right.written


@pytest.mark.parametrize(
    ("demand", "check"),
    [
        ("demand_void", "judged_alike"),
        ("demand_relay", "carriers_are_blind"),
        ("demand_overtaking", "urgent_overtakes"),
    ],
)
def test_a_drill_that_met_nothing_to_judge_does_not_pass(demand, check):
    drill, cast = begin(nodes=2)
    drill.write(cast.hq, drill.workload(cast.hq).register())

    result = drill.finish(cast.hq, **{demand: True})

    assert [name for name, found in result.checks.items() if not found.ok] == [check]


def test_noise_under_a_good_signature_is_void_for_everybody_and_costs_nothing_else():
    def garbled(drill, cast):
        drill.world.at(drill.world.at_us + 25 * MINUTE_US, lambda: drill.garble(cast.hosts[1]))

    result = hour(more=garbled)

    assert result.ok, in_words(result)
    assert result.checks["judged_alike"].detail == "2 void, 0 waiting"
