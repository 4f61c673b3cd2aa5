"""Ages that people differ about, and ages stated by a clock that cannot be right."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from protocols.guidelines.ages import UNKNOWN, AgeSpan, Side, of_band
from protocols.ids import PatientId
from protocols.ledger import reading, watching
from protocols.live import aging
from protocols.records.attributes import Band
from protocols.records.observation import age_days
from protocols.records.watch import age_span
from tests.unit.records_shelf import NOW_MS, Shelf
from tests.unit.stage import WALL_MS, camp, line
from tests.unit.stage import patient as registered
from tests.unit.test_ledger_tags import record, synced
from tests.unit.test_watch import taken

YEAR, DAY_MS = 365.25, 86_400_000
TODAY = NOW_MS // DAY_MS
LIMIT = 16 * YEAR


def apart(
    *said: dict[str, Any], first: dict[str, Any] | None = None
) -> tuple[Shelf, Any, list[Shelf]]:
    """Return a book that holds what each of some tents said of one patient, and all the tents."""
    here = Shelf("a")
    patient = here.write("patient.register", first or {})
    tents = []
    for number, data in enumerate(said):
        tent = Shelf(f"tent {number}")
        tent.receive(here)
        tent.write("patient.identify", data, patient=patient.id)
        tents.append(tent)
    for tent in tents:
        here.receive(tent)
    return here, patient, tents


def years(number: int, **more: Any) -> dict[str, Any]:
    return {"age": {"value": str(number), "unit": "y", **more}}


@pytest.mark.safety(7)
@pytest.mark.parametrize("said", list(permutations([years(14), years(40)])))
def test_safety_7_an_age_that_is_14_to_one_and_40_to_another_is_on_no_side_of_16(said):
    shelf, patient, _ = apart(*said)

    span = age_span(shelf.patient(patient.subject), NOW_MS)
    assert span.side(LIMIT) is Side.SPANS
    assert (span.since, span.below) == (14 * YEAR + 0.5, 41 * YEAR - 0.25)


def test_a_limit_that_all_are_on_one_side_of_is_decided_and_it_goes_on_growing():
    shelf, patient, _ = apart(years(40), years(43))
    row = shelf.patient(patient.subject)

    assert age_span(row, NOW_MS).side(LIMIT) is Side.FROM
    assert age_span(row, NOW_MS).side(42 * YEAR) is Side.SPANS
    later = age_span(row, NOW_MS + 3 * 366 * DAY_MS)
    assert later.side(42 * YEAR) is Side.FROM


def test_settling_it_makes_it_one_age_again():
    shelf, patient, _ = apart(years(14), years(40))
    shelf.write(
        "conflict.settle",
        {"attribute": "age", "value": {"value": "40", "unit": "y"}},
        patient=patient.id,
        reason="asked",
    )

    row = shelf.patient(patient.subject)
    assert (row.born_after, row.born_by) == (None, None)
    assert age_span(row, NOW_MS) == AgeSpan(40 * YEAR, 41 * YEAR)


@pytest.mark.parametrize(
    ("said", "since", "below"),
    [
        # The same instant in other words: a limit at 1 y is decided as by either alone.
        ([years(1), {"age": {"value": "18", "unit": "mo"}}], 366, 730),
        ([{"birth_date": "1990-05-01"}, {"birth_date": "2012-05-01"}], None, None),
        ([{"band": 3}, {"band": 4}], 5 * YEAR, 65 * YEAR),
        ([{"band": 4}, {"band": 5}], 18 * YEAR, None),
    ],
)
def test_dates_ages_and_bands_are_taken_together_as_they_were_said(said, since, below):
    shelf, patient, _ = apart(*said)
    span = age_span(shelf.patient(patient.subject), NOW_MS)
    if since is None:
        days = [(1990, 7_425), (2012, 15_461)]
        assert (span.since, span.below) == (TODAY - days[1][1], TODAY - days[0][1] + 1)
    else:
        assert abs(span.since - since) < 1
        assert span.below > 150 * YEAR if below is None else abs(span.below - below) < 1


def test_a_date_that_nobody_doubts_decides_whatever_ages_are_said():
    shelf, patient, _ = apart(years(14), years(40), first={"birth_date": "1986-03-01"})

    row = shelf.patient(patient.subject)
    assert (row.born_after, row.unsettled) == (None, 1)
    assert age_span(row, NOW_MS).side(LIMIT) is Side.FROM


def test_a_band_of_which_one_says_unknown_is_the_band_that_the_other_says():
    shelf, patient, _ = apart({"band": 4}, {"band": 9})
    row = shelf.patient(patient.subject)
    assert row.born_after is None
    assert age_span(row, NOW_MS) in (of_band(4), UNKNOWN)


def test_a_date_that_one_took_away_while_another_stated_it_anew_is_no_age():
    shelf, patient, _ = apart(
        {"birth_date": None}, {"birth_date": "1986-03-01"}, first={"birth_date": "1987-03-01"}
    )
    assert age_span(shelf.patient(patient.subject), NOW_MS).side(LIMIT) is Side.SPANS


@pytest.mark.safety(1)
@pytest.mark.parametrize(
    ("said", "days", "shown"),
    [
        ({"value": "5", "unit": "mo"}, 0, "5 mo"),
        ({"value": "5", "unit": "mo"}, 62, "7 mo"),
        ({"value": "3", "unit": "w"}, 15, "5 w"),
        ({"value": "2", "unit": "d"}, 1, "3 d"),
        ({"value": "7", "unit": "y", "estimated": True}, 400, "~8 y"),
    ],
)
def test_safety_1_a_board_shows_an_age_in_the_unit_it_was_said_in(said, days, shown):
    shelf = Shelf()
    patient = shelf.write("patient.register", {"age": said})
    row = shelf.patient(patient.subject)
    assert aging.age_text(row, NOW_MS + days * DAY_MS) == shown


# a clock that stands in 1970


@pytest.mark.safety(14)
@pytest.mark.parametrize(("value", "unit"), [("2", "d"), ("5", "mo"), ("34", "y")])
def test_safety_14_an_age_stated_by_a_clock_in_1970_has_not_grown_56_years_since(value, unit):
    shelf = Shelf(now_ms=5 * DAY_MS)
    said = {"age": {"value": value, "unit": unit}}
    patient = shelf.write("patient.register", said)
    triaged = shelf.write("triage.record", {"category": "red", **said, "tag": "T1"})
    for one in (patient, triaged):
        row = shelf.patient(one.subject)
        assert aging.age_text(row, NOW_MS) == f"{value} {unit}"
        assert age_span(row, NOW_MS).below <= (int(value) + 1) * YEAR
        days = age_days(shelf.history(one.subject), NOW_MS)
        assert days == age_days(shelf.history(one.subject), shelf.now_ms)


def test_an_age_of_a_day_that_a_person_states_grows_from_then_whatever_the_clock_says():
    shelf = Shelf(now_ms=5 * DAY_MS)
    patient = shelf.write("patient.register", years(3), at="2026-01-27", confirm=["future_time"])
    assert shelf.patient(patient.subject).age_day == 20_480
    assert aging.age_text(shelf.patient(patient.subject), NOW_MS + 366 * DAY_MS) == "4 y"


def test_who_was_written_down_before_they_were_born_is_no_infant():
    shelf = Shelf(now_ms=5 * DAY_MS)
    patient = shelf.write("patient.register", {"birth_date": "1990-05-01"})
    assert shelf.patient(patient.subject).band == Band.UNKNOWN
    shelf.now_ms = NOW_MS
    born = shelf.write("patient.register", {"birth_date": "2026"})
    assert shelf.patient(born.subject).band == Band.UNDER_1


def test_the_board_scores_nobody_of_14_to_one_and_40_to_another():
    ann, ben = camp()
    (who,) = record(ann, registered("Awa", **years(40)))
    synced(ann, ben)
    values = [
        {"code": one.code, "value": one.value, **({"unit": one.unit} if one.unit else {})}
        for one in taken(0)
    ]
    record(ann, line("observation.record", {"set": values}, patient=who.code))
    record(ann, line("patient.identify", years(41), patient=who.code))
    record(ben, line("patient.identify", years(14), patient=who.code))

    def scores() -> list[int | None]:
        found = []
        for device in (ann, ben):
            row = reading.patient(device.ledger, PatientId.parse(str(who.patient or who.id)))
            assert row is not None
            (watch,) = watching.watches(device.ledger, [row], WALL_MS).values()
            found.append(watch.score)
        return found

    assert scores()[0] == 0
    synced(ann, ben)
    assert scores() == [None, None]
