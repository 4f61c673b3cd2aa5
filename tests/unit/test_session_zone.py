"""Clocks are changed while a session is open: days follow the place, vials the time that passed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from protocols.records.dose import DoseRecord
from tests.unit.records_shelf import Shelf
from tests.unit.vaccinating import child, code_of, opened, vial

MINUTE_MS = 60_000
AUTUMN = "2026-10-24T20:00"
"""In Paris it is 22:00 of the 24th; at 01:00 UTC clocks go back from 03:00 to 02:00."""
SPRING = "2027-03-27T21:00"
"""In Paris it is 22:00 of the 27th; at 01:00 UTC clocks go forward from 02:00 to 03:00."""


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def day(text: str) -> int:
    return at(f"{text}T00:00") // 86_400_000


def session(since: str, zone: str) -> tuple[Shelf, str]:
    shelf = Shelf()
    shelf.now_ms = at(since)
    return shelf, opened(shelf, zone=zone)


def given(shelf: Shelf, made: str, when: str) -> int:
    shelf.now_ms = at(when)
    written = shelf.write(
        "dose.record", {"vaccine": "mr", "session": made}, patient=child(shelf).id
    )
    facts = shelf.facts(written.subject)
    return next(one.record.day for one in facts if isinstance(one.record, DoseRecord))


@pytest.mark.parametrize(
    ("since", "when", "there"),
    [
        (AUTUMN, "2026-10-24T21:59", "2026-10-24"),
        (AUTUMN, "2026-10-24T22:00", "2026-10-25"),
        (AUTUMN, "2026-10-25T22:30", "2026-10-25"),
        (AUTUMN, "2026-10-25T23:00", "2026-10-26"),
        (SPRING, "2027-03-27T22:59", "2027-03-27"),
        (SPRING, "2027-03-28T21:30", "2027-03-28"),
        (SPRING, "2027-03-28T22:00", "2027-03-29"),
    ],
)
def test_a_dose_is_of_the_day_that_the_place_has_when_it_is_given(since, when, there):
    shelf, made = session(since, "Europe/Paris")
    assert given(shelf, made, when) == day(there)


def test_an_offset_follows_no_change_of_clocks_so_a_terminal_names_the_zone():
    shelf, made = session(AUTUMN, "+02:00")
    assert given(shelf, made, "2026-10-25T22:30") == day("2026-10-26"), "an hour after midnight"


@pytest.mark.parametrize("since", [AUTUMN, SPRING])
@pytest.mark.parametrize("zone", ["Europe/Paris", "+02:00", "Asia/Kathmandu", "America/New_York"])
def test_how_long_a_vial_may_be_open_is_time_that_passed_whatever_clocks_say(since, zone):
    shelf, made = session(since, zone)
    shelf.now_ms += 3 * 60 * MINUTE_MS
    bottle = vial(shelf, made, expiry="2028-03")
    begun, whom = shelf.now_ms, child(shelf).id
    about = {"vaccine": "mr", "vial": bottle}
    (row,) = shelf.table(next(one for one in shelf.kinds if shelf.table(one, "vial")), "vial")

    assert row.limit_ms == begun + 6 * 60 * MINUTE_MS
    shelf.now_ms = row.limit_ms + 1
    assert code_of(shelf, "dose.record", about, patient=whom) == "vial_past_limit"
    shelf.now_ms = row.limit_ms
    assert shelf.write("dose.record", about, patient=whom).plan.warnings == ()


def test_a_device_that_travels_leaves_the_days_of_its_session_where_they_are():
    """What is told of another zone afterwards is an instant; its day is the session's."""
    shelf, made = session(AUTUMN, "Africa/Bujumbura")
    shelf.now_ms = at("2026-10-25T05:00")
    stated = "2026-10-24T18:30-04:00"
    about = {"vaccine": "mr", "session": made}
    written = shelf.write("dose.record", about, patient=child(shelf).id, at=stated)
    facts = shelf.facts(written.subject)
    days = [one.record.day for one in facts if isinstance(one.record, DoseRecord)]

    assert days == [day("2026-10-25")], "22:30 in UTC is half past midnight there"
