"""Measurements over time, results at the bedside, what goes in and out, and a device's values."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldnode.tui.cores.sparkline import BLOCKS, GAP, LOST, PLAIN, sparkline
from fieldnode.tui.screens.intake import millilitres
from protocols.live.api import ChartLine, Recorded
from protocols.live.observed import Point, Series
from tests.screens.fake_node import NOW_MS, ward
from tests.screens.test_pages import Person

HADDAD = ("down", "down", "enter")


def at_haddad(*keys) -> Person:
    return Person(ward()).press(*HADDAD, *keys)


def test_the_last_value_of_each_observation_stands_with_its_age_and_how_it_went():
    shown = at_haddad("c", "8").screen

    assert "Pulse" in shown and "118 /min" in shown and "▁▃▆█" in shown
    assert "unrecordable" in shown and "voice" in shown and "positive" in shown
    assert "NOT APPROVED" in shown


@pytest.mark.safety(15)
def test_a_devices_value_says_that_nobody_accepted_it():
    row = next(r for r in at_haddad("c", "8").screen.splitlines() if "SpO2" in r)

    assert "88 %" in row and "NOT ACCEPTED" in row


@pytest.mark.safety(7)
def test_safety_7_scale_2_is_chosen_by_a_form_and_stands_on_chart_and_vitals():
    person = at_haddad("c", "8", "o")
    assert "SpO2 scale 1" in person.screen
    person.press("2", "enter", "C", "O", "P", "D", "enter")
    written = person.node.written[-1]

    assert (written["kind"], written["data"]) == ("observation.scale", {"scale": 2})
    assert written["reason"] == "COPD"
    known = person.node.patients["pat_00001"]
    known.head = msgspec.structs.replace(known.head, scale2_by="Dr Silva", last_set_ms=NOW_MS)
    assert "SpO2 scale 2, by Dr Silva" in person.press("escape", "v").screen
    chart = at_haddad_of(person.node)
    assert "SpO2 scale 2, by Dr Silva" in chart.screen and "NEWS2" in chart.screen


def test_a_lower_pressure_of_another_time_is_no_half_of_the_last_one():
    def shown(upper_ms, lower_ms):
        person = at_haddad()
        whom = next(iter(person.node.measured))
        told = person.node.measured[whom]
        series = (
            Series("systolic", (Point(upper_ms, "84", "mm[Hg]"),)),
            Series("diastolic", (Point(lower_ms, "71", "mm[Hg]"),)),
        )
        person.node.measured[whom] = msgspec.structs.replace(told, series=series)
        return person.press("v").screen

    assert "84/71" in shown(NOW_MS - 1, NOW_MS - 1)
    # Felt at the wrist an hour later: 84/71 was never measured.
    later = shown(NOW_MS - 1, NOW_MS - 3_600_000)
    assert "84" in later and "71" not in later


def at_haddad_of(node) -> Person:
    return Person(node).press(*HADDAD)


def test_without_blocks_the_trend_is_plain():
    person = at_haddad()
    person.shell.desk.theme = "mono"
    person.press("c", "8")

    assert "_,'^" in person.screen or "_.'^" in person.screen
    assert not set(BLOCKS) & set(person.screen)


VALUES = st.lists(st.none() | st.floats(-1e9, 1e9), max_size=40)


@given(VALUES, st.integers(-1, 30), st.booleans(), st.frozensets(st.integers(0, 45)))
def test_a_trend_has_one_sign_a_value_and_never_more_than_its_width(values, width, plain, lost):
    drawn = sparkline(values, width, plain=plain, lost=lost)

    assert len(drawn) == min(max(width, 0), len(values))
    assert set(drawn) <= set(PLAIN if plain else BLOCKS) | {GAP, LOST}


@given(st.lists(st.floats(0, 300), min_size=2, max_size=24, unique=True), st.booleans())
def test_the_lowest_and_the_highest_are_the_ends_of_the_scale_and_the_order_holds(values, plain):
    signs = PLAIN if plain else BLOCKS
    drawn = sparkline(values, 24, plain=plain)

    assert drawn[values.index(min(values))] == signs[0]
    assert drawn[values.index(max(values))] == signs[-1]
    heights = [signs.index(sign) for sign in drawn]
    assert all(
        heights[a] <= heights[b]
        for a in range(len(values))
        for b in range(len(values))
        if values[a] <= values[b]
    )


@pytest.mark.safety(21)
def test_a_cup_of_ors_is_six_keys_from_the_open_form():
    person = at_haddad("c", "8", "i", "n")
    keys = ["1", "2", "0", "0", "enter", "enter"]
    person.press(*keys)

    (line,) = person.node.written
    assert line["kind"] == "intake.record"
    assert line["data"] == {"what": "ors", "volume_ml": "200"}
    assert len(keys) <= 6
    assert person.shell.page.name == "intake"


def test_an_estimate_is_marked_and_stools_may_be_counted_alone():
    person = at_haddad("c", "8", "i", "n", "7", *"~300", "enter", "2", "enter", "enter")
    assert person.node.written[0]["data"] == {
        "what": "stool", "volume_ml": "300", "estimated": True, "times": 2,
    }  # fmt: skip
    person = at_haddad("c", "8", "i", "n", "7", "enter", "down", "3", "enter", "enter")
    assert person.node.written[0]["data"] == {"what": "stool", "times": 3}


def test_nothing_is_written_without_a_volume_or_a_count():
    person = at_haddad("c", "8", "i", "n", "1", "down", "enter")

    assert person.node.written == []
    assert "how much" in person.screen


def test_both_balances_say_what_they_are_of_and_what_is_estimated():
    shown = at_haddad("c", "8", "i").screen

    assert "24 HOURS  in ~200 mL   out ~300 mL   balance ~-100 mL" in shown
    assert "SINCE ARRIVAL  in ~1 200 mL   out ~300 mL   balance ~+900 mL" in shown
    assert "1 without a volume" in shown


@pytest.mark.parametrize(
    ("tenths", "says"),
    [(0, "0 mL"), (5, "0.5 mL"), (-1000, "-100 mL"), (12_345_670, "1 234 567 mL"), (-5, "-0.5 mL")],
)
def test_safety_3_thousands_are_grouped_and_nothing_trails(tenths, says):
    assert millilitres(tenths) == says


def test_results_name_their_unit_and_only_what_was_done_is_written():
    person = at_haddad("c", "8", "r", "2", "down", *"7.2", "enter", "enter")

    (line,) = person.node.written
    assert line["data"] == {"set": [
        {"code": "malaria-rdt", "value": "positive"},
        {"code": "haemoglobin", "value": "7.2", "unit": "g/dL"},
    ]}  # fmt: skip


def test_a_weight_is_measured_or_estimated_not_both():
    person = at_haddad("c", "8", "r", *["down"] * 7, *"60", "enter", *"62", "enter", "enter")

    assert person.node.written == []
    assert "measured or estimated" in person.screen


# a device's values are accepted on the chart


def device_line(node, **more):
    line = ChartLine(
        "fct_dev.0", NOW_MS, NOW_MS, "observation.record",
        (("spo2", "88 %"), ("source", "device")), "nord-a", unconfirmed=True, **more,
    )  # fmt: skip
    second = msgspec.structs.replace(line, fact="fct_dev.1", summary=(("heart-rate", "99 /min"),))
    node.patients["pat_00001"].lines += [line, second]
    return node


@pytest.mark.safety(15)
def test_one_key_accepts_all_that_a_device_measured_together_and_f8_takes_it_back():
    person = Person(device_line(ward())).press(*HADDAD)
    assert "(not confirmed)" in person.screen
    assert "Enter accepts it" in person.screen
    person.press("enter")

    (line,) = person.node.written
    assert line["kind"] == "result.accept"
    assert line["data"] == {"results": ["fct_dev.0", "fct_dev.1"]}
    assert "ACCEPTED" in person.screen
    person.press("f8", "enter")
    assert person.node.written[-1]["kind"] == "entry.retract"


def test_enter_on_any_other_line_accepts_nothing():
    person = Person(device_line(ward())).press(*HADDAD, "down", "enter")

    assert person.node.written == []


def test_a_refused_acceptance_is_said():
    node = device_line(ward())
    node.refuse["result.accept"] = Recorded(0, False, error="not_unaccepted")
    person = Person(node).press(*HADDAD, "enter")

    assert "waits to be accepted" in person.screen


# the form of vital signs


@pytest.mark.safety(21)
def test_a_full_set_of_vital_signs_is_at_most_24_keys():
    person = at_haddad("v")
    keys = [*"26", "enter", *"93", "enter", "2", "enter", *"98/60", "enter", *"118", "enter", "1",
            *"386", "enter", "enter"]  # fmt: skip
    person.press(*keys)

    (line,) = person.node.written
    assert len(line["data"]["set"]) == 8
    assert len(keys) <= 24


@pytest.mark.safety(4)
def test_the_last_value_stands_beside_its_field_with_its_age_and_is_never_filled_in():
    person = at_haddad("v")
    rows = {row[1:18].strip(): row for row in person.screen.splitlines()}

    assert "/min   last 118 (0 min)" in rows["Pulse"]
    assert "last 88 (1 h 00) NOT ACCEPTED" in rows["SpO2"]
    assert "last" not in rows["Temperature"]
    person.press(*["down"] * 6, *"37", "enter", "enter")
    assert [one["code"] for one in person.node.written[0]["data"]["set"]] == ["temperature"]
