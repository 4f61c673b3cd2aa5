"""What a campaign gives beside its vaccines: who is due by the pack, how it is recorded, and that
none of it is ever a dose of vaccine."""

from __future__ import annotations

from datetime import date
from importlib.resources import files

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.guidelines.ages import of_band
from protocols.guidelines.births import born_of_age, born_on, born_stated
from protocols.guidelines.calendar import length
from protocols.guidelines.interventions import due, read_interventions, shipped_interventions
from protocols.ids import SessionId, SiteId
from protocols.records.administration import AdministrationRecord
from protocols.records.movement import FOLLOWERS
from tests.unit.records_shelf import NOW_MS, Shelf
from tests.unit.vaccinating import child, code_of, opened

PACK = shipped_interventions()
VITAMIN_A, DEWORMING, MUAC = (PACK.of_code(code) for code in ("vitamin-a", "deworming", "muac"))
DAY_MS = 86_400_000
TODAY = NOW_MS // DAY_MS
"""28 May 2026."""
OFFERED = ["vitamin-a", "deworming", "muac"]


def on(text):
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


def session_with(shelf, **more):
    return opened(shelf, interventions=OFFERED, **more)


def gave(shelf, whom, session, code="vitamin-a", **more):
    line = {key: more.pop(key) for key in ("confirm", "store", "reason", "at") if key in more}
    data = {"session": session, "intervention": code, **more}
    return shelf.write("administration.record", data, patient=whom.id, **line)


def rows(shelf, whom, table="intervention"):
    return shelf.table(whom.subject, table)


# the pack


def test_every_number_names_its_source_and_nobody_has_approved_it():
    assert not PACK.pack.approved
    assert PACK.pack.status == "memory"
    assert all(row.source and row.status == "memory" for row in PACK.intervention)


@pytest.mark.parametrize(
    ("row", "born", "state", "amounts"),
    [
        (VITAMIN_A, "2025-11-29", "too-young", set()),
        (VITAMIN_A, "2025-11-28", "due", {"100000"}),
        (VITAMIN_A, "2025-05-29", "due", {"100000"}),
        (VITAMIN_A, "2025-05-28", "due", {"200000"}),
        (VITAMIN_A, "2021-05-29", "due", {"200000"}),
        (VITAMIN_A, "2021-05-28", "too-old", set()),
        (DEWORMING, "2025-05-29", "too-young", set()),
        (DEWORMING, "2025-05-28", "due", {"200", "500"}),
        (DEWORMING, "2024-05-28", "due", {"400", "500"}),
        (MUAC, "2025-05-28", "due", {""}),
    ],
)
def test_a_limit_of_age_is_half_open_by_the_calendar(row, born, state, amounts):
    found = due(row, born_on(on(born)), TODAY)

    assert (found.state, {each.value for each in found.ages}) == (state, amounts)


@pytest.mark.safety(2)
@pytest.mark.parametrize(
    ("born", "state"),
    [
        (born_stated(11, "mo", TODAY, estimated=False), "due"),
        (born_stated(11, "mo", TODAY, estimated=True), "unsure"),
        (born_stated(0, "y", TODAY, estimated=False), "unsure"),
        (born_stated(1, "y", TODAY, estimated=False), "due"),
        (born_of_age(of_band(1), TODAY), "unsure"),
        (born_of_age(of_band(9), TODAY), "unsure"),
        (born_of_age(of_band(4), TODAY), "too-old"),
    ],
)
def test_an_age_that_spans_a_limit_decides_nothing(born, state):
    assert due(VITAMIN_A, born, TODAY).state == state


def test_on_the_day_the_interval_is_over_it_is_due_again():
    born = born_on(on("2023-01-10"))

    assert due(VITAMIN_A, born, TODAY, (on("2026-01-28"),)).state == "due"
    too_soon = due(VITAMIN_A, born, TODAY, (on("2026-01-29"),))
    assert (too_soon.state, too_soon.day) == ("too-soon", TODAY + 1)


@given(born=st.integers(TODAY - 4 * 365, TODAY - 400), ago=st.integers(0, 400))
def test_nobody_is_due_before_the_interval_is_over_and_everybody_after(born, ago):
    last = TODAY - ago
    found = due(VITAMIN_A, born_on(born), TODAY, (last - 500, last))

    over = length(VITAMIN_A.interval).after(last) <= TODAY
    assert found.state == ("due" if over else "too-soon")
    assert found.last == last


def test_a_pack_of_another_country_replaces_ages_and_intervals_with_no_code():
    text = (files("protocols.guidelines") / "packs" / "interventions.toml").read_text("utf-8")
    other = read_interventions(text.replace('interval = "4 mo"', 'interval = "6 mo"'))
    shelf = Shelf()
    whom, session = child(shelf), session_with(shelf)
    gave(shelf, whom, session)
    shelf.now_ms += 130 * DAY_MS
    assert not gave(shelf, whom, session).plan.warnings

    class Other(Shelf):
        def pack(self, name):
            return other if name == "interventions" else super().pack(name)

    there = Other("b", now_ms=NOW_MS)
    whom, session = child(there), session_with(there)
    gave(there, whom, session)
    there.now_ms += 130 * DAY_MS
    again = {"session": session, "intervention": "vitamin-a"}
    assert code_of(there, "administration.record", again, patient=whom.id) == (
        "intervention_too_soon"
    )


# records


def test_what_is_given_at_an_age_is_the_packs_and_the_record_says_of_which_session():
    shelf = Shelf()
    whom = child(shelf)
    session = session_with(shelf)
    gave(shelf, whom, session)
    (row,) = rows(shelf, whom)
    (medicine,) = rows(shelf, whom, "administration")

    assert (row.code, row.status, row.amount) == ("vitamin-a", "given", "200000 [iU]")
    assert (row.session, row.day, row.band, row.sex) == (SessionId.parse(session), TODAY, 2, 2)
    assert (medicine.substance, medicine.route) == ("vitamin A", "oral")


def test_half_a_tablet_takes_a_whole_one_from_the_store_and_the_rest_is_discarded():
    shelf = Shelf()
    store = shelf.write("site.register", {"name": "Store", "type": "store"})
    name = str(SiteId(store.subject))
    received = {"item": "albendazole-400-tab", "units": 100, "lot": "AL-7", "expiry": "2028-03"}
    shelf.write("stock.receive", received, store=name)
    whom, session = child(shelf), session_with(shelf, store=name)
    made = gave(shelf, whom, session, "deworming", item="albendazole-400-tab", lot="AL-7",
                store=name)  # fmt: skip
    fact = made.plan.drafts[0].facts[0]
    (move,) = FOLLOWERS[fact.kind](fact.value, made.subject, (b"x" * 16, 0))
    (medicine,) = rows(shelf, whom, "administration")

    assert (move.item, move.lot, move.units) == ("albendazole-400-tab", "AL-7", 1)
    assert (medicine.dose, medicine.discarded) == ("200 mg", "200 mg")


def test_another_medicine_of_the_same_age_is_given_by_the_item_that_is_named():
    shelf = Shelf()
    store = shelf.write("site.register", {"name": "Store", "type": "store"})
    name = str(SiteId(store.subject))
    whom, session = child(shelf), session_with(shelf)
    gave(shelf, whom, session, "deworming", item="mebendazole-500-tab", store=name,
         confirm=["beyond_stock"])  # fmt: skip

    (medicine,) = rows(shelf, whom, "administration")
    assert (medicine.substance, medicine.dose, medicine.units) == ("mebendazole", "500 mg", 1)


def test_too_soon_is_asked_once_whoever_gave_the_last_one_and_whatever_for():
    shelf = Shelf()
    whom, twin = child(shelf), child(shelf)
    session = session_with(shelf)
    ill = {"substance": "Retinol", "dose": {"value": "200000", "unit": "[iU]"}, "route": "oral"}
    shelf.write("administration.record", ill, patient=whom.id)
    shelf.write("patient.link", {"other": whom.id, "relation": "same"}, patient=twin.id)
    shelf.now_ms += 119 * DAY_MS
    again = {"session": session, "intervention": "vitamin-a"}
    for one in (whom, twin):
        refused = shelf.refused("administration.record", again, patient=one.id)
        assert refused.values["confirm"] == "intervention_too_soon"
        assert refused.allowed == ("2026-09-28",)

    shelf.write("administration.record", again, patient=twin.id, confirm=["intervention_too_soon"])
    assert len(rows(shelf, twin)) == 1


@pytest.mark.parametrize(
    ("born", "data", "code"),
    [
        ("2026-04-01", {}, "intervention_not_at_age"),
        ("2018-04-01", {}, "intervention_not_at_age"),
        ("2025", {}, "missing_field"),
        ("2025-01-10", {"intervention": "muac"}, "bad_value"),
        ("2025-01-10", {"intervention": "soup"}, "bad_value"),
        ("2025-01-10", {"session": None}, "missing_field"),
        ("2025-01-10", {"intervention": None}, "missing_field"),
    ],
)
def test_what_cannot_be_given_is_asked_or_refused(born, data, code):
    shelf = Shelf()
    whom, session = child(shelf, born=born), session_with(shelf)
    line = {"session": session, "intervention": "vitamin-a", **data}

    assert code_of(shelf, "administration.record", line, patient=whom.id) == code


def test_why_it_was_not_given_is_written_down_and_makes_nobody_had_it():
    shelf = Shelf()
    whom, session = child(shelf), session_with(shelf)
    gave(shelf, whom, session, status="refused", reason="mother said no")
    gave(shelf, whom, session)

    assert [row.status for row in rows(shelf, whom)] == ["refused", "given"]


def test_an_arm_is_measured_in_millimetres_and_counted_for_its_session():
    shelf = Shelf()
    whom, session = child(shelf), session_with(shelf)
    data = {"code": "muac", "value": "112", "unit": "mm"}
    of = {"session": session, "intervention": "muac"}
    shelf.write("observation.record", {**data, **of}, patient=whom.id)
    (row,) = rows(shelf, whom)
    assert (row.code, row.status, row.amount) == ("muac", "given", "112 mm")

    def refused(**more):
        return shelf.refused("observation.record", {**data, **of, **more}, patient=whom.id).code

    assert refused(value="11.5") == "looks_centimetres"
    assert refused(value="400") == "impossible"
    assert refused(code="weight", value="9", unit="kg") == "bad_value"
    assert refused(intervention="vitamin-a") == "bad_value"


def test_a_session_of_interventions_alone_has_no_vaccine_and_a_digit_may_count_one():
    shelf = Shelf()
    cells = [{"intervention": "vitamin-a", "band": 2, "sex": "male"}]
    session = opened(shelf, vaccines=[], interventions=["vitamin-a"], cells=cells)
    shelf.write("tally.add", {"session": session, "cell": 1, "n": 3})
    (row,) = shelf.table(SessionId.parse(session), "session")
    (tally,) = shelf.table(SessionId.parse(session), "tally")

    assert (row.vaccines, row.interventions) == ("[]", '["vitamin-a"]')
    assert row.cells == '[[1,"",0,2,1,"vitamin-a"]]'
    assert (tally.vaccine, tally.intervention, tally.n) == ("", "vitamin-a", 3)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"interventions": ["soup"]}, "bad_value"),
        ({"interventions": ["muac"], "cells": [{"intervention": "vitamin-a"}]}, "bad_value"),
        ({"cells": [{"intervention": "muac", "vaccine": "mr"}]}, "not_taken"),
        ({"cells": [{"band": 2}]}, "missing_field"),
    ],
)
def test_a_session_of_what_no_pack_knows_is_refused(data, code):
    assert Shelf().refused("session.open", {"vaccines": ["mr"], **data}).code == code


def test_two_teams_apart_gave_one_child_vitamin_a_and_both_are_kept_and_said():
    here, there = Shelf("a"), Shelf("b")
    whom, session = child(here), session_with(here)
    there.receive(here)
    gave(here, whom, session)
    there.now_ms += 40 * DAY_MS
    gave(there, whom, session)
    here.receive(there)
    there.receive(here)

    assert rows(here, whom) == rows(there, whom)
    assert [(row.status, row.duplicate) for row in rows(here, whom)] == [("given", 1)] * 2
    assert [row.risk for row in rows(here, whom, "conflict")] == ["dose"] * 2


@pytest.mark.safety(12)
def test_none_of_it_is_a_dose_nor_in_the_way_of_one():
    shelf = Shelf()
    whom, session = child(shelf), session_with(shelf)
    for code in ("vitamin-a", "deworming"):
        gave(shelf, whom, session, code)

    made = shelf.write("dose.record", {"vaccine": "mr", "session": session}, patient=whom.id)
    assert made.plan.warnings == ()
    assert [row.dose for row in rows(shelf, whom, "dose")] == [1]


def test_a_record_of_before_reads_as_of_no_session():
    raw = msgspec.msgpack.encode(AdministrationRecord(substance="x"))
    assert msgspec.msgpack.decode(raw, type=AdministrationRecord).beside is None
