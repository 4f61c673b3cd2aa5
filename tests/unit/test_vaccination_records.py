"""Sessions, vials, doses, tallies, adverse events: what each line becomes, and what is asked."""

from __future__ import annotations

import pytest

from protocols.feeds.lane import Lane
from protocols.ids import SessionId
from protocols.records.movement import FOLLOWERS
from protocols.records.vial import REASONS
from protocols.records.zones import local_day, read_zone
from tests.unit.records_shelf import NOW_MS, Shelf
from tests.unit.vaccinating import BORN, CELLS, child, code_of, opened, vial

DAY_MS = 86_400_000
HOUR_MS = 3_600_000


def given(shelf, whom, **data):
    line = {key: data.pop(key) for key in ("confirm", "source", "at") if key in data}
    return shelf.write("dose.record", {"vaccine": "mr", **data}, patient=whom.id, **line)


def dose_rows(shelf, whom):
    return shelf.table(whom.subject, "dose")


def session_table(shelf, session, name):
    return shelf.table(SessionId.parse(session), name)


# sessions


def test_a_session_says_where_with_what_for_how_many_and_what_each_digit_counts():
    shelf = Shelf()
    session = opened(
        shelf,
        place="Kome school",
        team=["R. Amin"],
        zone="Africa/Bujumbura",
        targets=[{"antigen": "measles", "number": 300, "band": 2}],
        lots=[{"item": "vaccine-mr-10", "lot": "mr-1", "expiry": "2027-02"}],
    )
    (row,) = session_table(shelf, session, "session")

    assert (row.place, row.team, row.vaccines) == ("Kome school", "R. Amin", '["mr"]')
    assert row.cells == '[[1,"mr",1,2,2],[2,"mr",1,2,1]]'
    assert row.targets == '[["measles",300,2]]'
    assert row.lots == '[["vaccine-mr-10","mr","MR-1",20877]]'  # 28 February 2027
    assert (row.opened_ms, row.closed_ms) == (NOW_MS, None)


@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        ({"vaccines": []}, "empty", "data.vaccines"),
        ({"vaccines": ["soup"]}, "unknown_vaccine", "data.vaccines.0"),
        ({"vaccines": ["mr"], "zone": "Kome/School"}, "bad_zone", "data.zone"),
        ({"vaccines": ["mr"], "zone": "+25:00"}, "bad_zone", "data.zone"),
        ({"vaccines": ["mr"], "cells": CELLS * 5}, "too_many", "data.cells"),
        (
            {"vaccines": ["mr"], "cells": [{**CELLS[0], "digit": 1}, {**CELLS[1], "digit": 1}]},
            "digit_twice",
            "data.cells.1.digit",
        ),
        ({"vaccines": ["mr"], "cells": [{"vaccine": "mr", "dose": 9}]}, "impossible",
         "data.cells.0.dose"),
        ({"vaccines": ["mr"], "cells": [{"vaccine": "mr", "band": 8}]}, "bad_value",
         "data.cells.0.band"),
        ({"vaccines": ["mr"], "targets": [{"antigen": "luck", "number": 1}]}, "bad_value",
         "data.targets.0.antigen"),
        ({"vaccines": ["mr"], "lots": [{"item": "paracetamol-500-tab", "lot": "A"}]},
         "not_a_vaccine", "data.lots.0.item"),
        ({"vaccines": ["mr"], "schedule": "schedule-of-mars"}, "bad_value", "data.schedule"),
    ],
)  # fmt: skip
def test_what_a_session_cannot_be_is_refused_by_its_field(data, code, field):
    refused = Shelf().refused("session.open", data)

    assert (refused.code, refused.field) == (code, field)


def test_a_session_closed_apart_with_other_things_left_is_unsettled_until_one_closes_it_again():
    here, there = Shelf("a"), Shelf("b")
    session = opened(here)
    there.receive(here)
    left = [{"item": "vaccine-mr-10", "lot": "MR-1", "doses": 40}]
    here.write("session.close", {"session": session, "left": left})
    there.write("session.close", {"session": session})
    here.receive(there)
    there.receive(here)
    (row,) = session_table(here, session, "session")
    assert row.unsettled and session_table(there, session, "session") == [row]

    again = here.write("session.close", {"session": session, "left": left})

    assert "session_closed_before" in again.plan.warnings
    (row,) = session_table(here, session, "session")
    assert not row.unsettled and row.left == '[["vaccine-mr-10","MR-1",40]]'


# vials


def test_opening_a_vial_takes_it_whole_out_of_the_store_of_its_session():
    shelf = Shelf()
    store = shelf.write("site.register", {"name": "Store", "type": "store"})
    from protocols.ids import SiteId

    name = str(SiteId(store.subject))
    received = {"item": "vaccine-mr-10", "units": 50, "lot": "MR-1", "expiry": "2027-03"}
    shelf.write("stock.receive", received, store=name)
    session = opened(shelf, store=name)
    made = shelf.write("vial.open", {"session": session, "item": "vaccine-mr-10", "lot": "MR-1"})
    (draft,) = made.plan.drafts
    ref = (bytes(made.refs[0].entry), made.refs[0].index)
    (move,) = FOLLOWERS[draft.facts[0].kind](draft.facts[0].value, made.subject, ref)

    assert (move.store, move.item, move.units, move.why) == (store.subject, "vaccine-mr-10", 10,
                                                             "vial")  # fmt: skip
    assert move.cause == ref


def test_a_vial_knows_how_long_it_may_be_open_by_the_pack_of_that_day():
    shelf = Shelf()
    session = opened(shelf)
    vial(shelf, session, vvm=1, diluent_lot="D-8")
    (row,) = session_table(shelf, session, "vial")

    assert row.limit_ms == NOW_MS + row.open_hours * HOUR_MS and row.open_hours > 0
    assert (row.doses, row.diluent, row.diluent_lot) == (10, "diluent-mr-10", "D-8")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"expiry": "2026-04"}, "lot_expired"),
        ({"vvm": 3}, "vvm_past"),
        ({"vvm": 5}, "out_of_range"),
        ({"diluent": "diluent-bcg"}, "wrong_diluent"),
        ({"doses": 0}, "out_of_range"),
        ({"item": "oxygen"}, "unknown_item"),
        ({"item": "paracetamol-500-tab"}, "not_a_vaccine"),
        ({"lot": " "}, "empty"),
    ],
)
def test_a_vial_that_must_not_be_used_is_refused_or_asked_about(data, code):
    shelf = Shelf()
    session = opened(shelf)
    about = {"session": session, "item": "vaccine-mr-10", "lot": "MR-1", **data}

    assert code_of(shelf, "vial.open", about) == code


def test_the_last_day_of_a_lot_is_the_place_s_own():
    shelf = Shelf(now_ms=1_780_012_800_000)  # 29 May 2026 00:00 UTC, still the 28th in Bogota
    session = opened(shelf, zone="America/Bogota")
    vial(shelf, session, expiry="2026-05-28")
    here = opened(shelf)

    assert (
        code_of(
            shelf,
            "vial.open",
            {"session": here, "item": "vaccine-mr-10", "lot": "L", "expiry": "2026-05-28"},
        )
        == "lot_expired"
    )


def test_a_vial_thrown_away_apart_was_thrown_away_once():
    here, there = Shelf("a"), Shelf("b")
    session = opened(here)
    bottle = vial(here, session)
    there.receive(here)
    here.write("vial.discard", {"vial": bottle, "reason": "time-limit", "doses": 3})
    there.write("vial.discard", {"vial": bottle, "reason": "session-end", "doses": 4})
    here.receive(there)
    (row,) = session_table(here, session, "vial")

    assert (row.closed, row.lost) == (1, 4)
    again = {"vial": bottle, "reason": "other", "doses": 1}
    assert code_of(here, "vial.discard", again) == "vial_discarded"
    assert code_of(here, "vial.discard", {**again, "doses": 11}) == "out_of_range"
    assert set(REASONS) >= set(here.refused("vial.discard", {**again, "reason": "x"}).allowed)


# doses


def test_a_dose_takes_lot_diluent_and_session_from_its_vial_and_its_number_from_the_schedule():
    shelf = Shelf()
    session = opened(shelf)
    bottle = vial(shelf, session, diluent_lot="D-8")
    whom = child(shelf)
    given(shelf, whom, vial=bottle, body_site="left-arm")
    (row,) = dose_rows(shelf, whom)

    assert (row.lot, row.diluent_lot, row.vaccine) == ("MR-1", "D-8", "mr")
    assert (row.series, row.dose) == ("measles", 1)
    assert (row.day, row.band, row.sex) == (NOW_MS // DAY_MS, 2, 2)
    assert (row.route, row.body_site, row.status) == ("sc", "left-arm", "given")
    assert row.session == SessionId.parse(session) and not row.elsewhere


@pytest.mark.parametrize(
    ("born", "code"),
    [
        ("2026-04-20", "dose_before_min_age"),
        ("2026-05", "dose_before_min_age"),
    ],
)
def test_a_dose_that_would_not_count_is_asked_about_once(born, code):
    shelf = Shelf()
    whom = child(shelf, born)
    about = {"vaccine": "mr"}

    assert code_of(shelf, "dose.record", about, patient=whom.id) == code
    written = shelf.write("dose.record", about, patient=whom.id, confirm=[code])
    assert code in written.plan.warnings
    record = shelf.facts(whom.subject)[-1].record
    assert record is not None and record.circumstances is not None
    assert record.circumstances.confirmed == (code,)


def test_the_second_of_one_series_too_soon_and_the_same_again_are_asked_about():
    shelf = Shelf()
    whom = child(shelf)
    given(shelf, whom)
    shelf.now_ms += 10 * DAY_MS
    assert code_of(shelf, "dose.record", {"vaccine": "mr"}, patient=whom.id) == (
        "dose_before_interval"
    )
    assert code_of(
        shelf, "dose.record", {"vaccine": "mr", "dose": 1}, patient=whom.id,
        confirm=["dose_before_interval", "dose_near_live"],
    ) == "dose_given_already"  # fmt: skip


def test_live_vaccines_too_close_are_asked_about():
    shelf = Shelf()
    whom = child(shelf)
    given(shelf, whom)
    shelf.now_ms += 7 * DAY_MS

    about = {"vaccine": "yellow-fever"}
    schedule = {"vaccines": ["yellow-fever"], "choose": ["yellow-fever"]}
    session = str(SessionId(shelf.write("session.open", schedule).subject))

    assert (
        code_of(shelf, "dose.record", {**about, "session": session}, patient=whom.id)
        == "dose_near_live"
    )


def test_what_follows_a_severe_reaction_is_asked_about():
    shelf = Shelf()
    whom = child(shelf)
    first = given(shelf, whom)
    shelf.write(
        "aefi.report",
        {"severity": "serious", "symptoms": ["anaphylaxis"], "doses": [first.fact]},
        patient=whom.id,
    )
    shelf.now_ms += 60 * DAY_MS

    assert code_of(shelf, "dose.record", {"vaccine": "mr"}, patient=whom.id) == (
        "dose_contraindicated"
    )


@pytest.mark.parametrize("number", [-1, 7, 99])
def test_an_impossible_number_is_refused_with_the_range(number):
    shelf = Shelf()
    whom = child(shelf)
    refused = shelf.refused("dose.record", {"vaccine": "mr", "dose": number}, patient=whom.id)

    assert (refused.code, refused.field) == ("impossible", "data.dose")
    assert refused.allowed == ("0-2",)


def test_nobody_is_vaccinated_before_birth():
    shelf = Shelf()
    whom = child(shelf, "2026-05-28")
    line = {"patient": whom.id, "at": "2026-03-01", "source": "paper"}

    assert shelf.refused("dose.record", {"vaccine": "bcg"}, **line).code == "impossible"


def test_on_the_day_of_birth_a_child_is_vaccinated_and_nothing_is_asked():
    shelf = Shelf()
    whom = child(shelf, born="2026-05-28")
    shelf.write("dose.record", {"vaccine": "bcg"}, patient=whom.id)
    shelf.write("dose.record", {"vaccine": "hepb"}, patient=whom.id)

    found = {row.vaccine: (row.series, row.dose) for row in dose_rows(shelf, whom)}
    assert found == {"bcg": ("bcg", 1), "hepb": ("hepb", 0)}


def test_a_vial_past_its_limit_empty_thrown_away_or_of_another_vaccine():
    shelf = Shelf()
    session = opened(shelf)
    bottle = vial(shelf, session, doses=1)
    whom, other = child(shelf), child(shelf)
    assert code_of(shelf, "dose.record", {"vaccine": "bcg", "vial": bottle}, patient=whom.id) == (
        "other_vial"
    )
    given(shelf, whom, vial=bottle)
    about = {"vaccine": "mr", "vial": bottle}
    assert code_of(shelf, "dose.record", about, patient=other.id) == "vial_empty"
    (row,) = session_table(shelf, session, "vial")
    shelf.now_ms = row.limit_ms + 1
    assert code_of(shelf, "dose.record", about, patient=other.id) == "vial_past_limit"
    shelf.write("vial.discard", {"vial": bottle, "reason": "empty", "doses": 0})
    assert code_of(shelf, "dose.record", about, patient=other.id) == "vial_discarded"
    anyway = ["vial_past_limit", "vial_discarded", "vial_empty"]
    assert given(shelf, other, vial=bottle, confirm=anyway).plan.warnings


def test_a_card_says_doses_of_elsewhere_with_their_dates_and_nothing_is_asked_of_them():
    shelf = Shelf()
    whom = child(shelf)
    assert shelf.refused(
        "dose.record", {"vaccine": "penta"}, patient=whom.id, source="paper"
    ).field == "at"  # fmt: skip
    for at in ("2025-01-20", "2025-03-24", "2025-04-21"):
        given(shelf, whom, vaccine="penta", source="paper", at=at, place="Muyinga")

    rows = dose_rows(shelf, whom)

    assert [row.dose for row in rows] == [1, 1, 2]  # the first was too early to count
    assert all(row.elsewhere and row.session is None for row in rows)
    assert [row.day for row in rows] == [20_108, 20_171, 20_199]


def test_a_month_alone_is_a_dose_of_that_month_and_its_number_goes_on():
    shelf = Shelf()
    whom = child(shelf)
    for at in ("2025-03", "2025-05", "2026"):
        given(shelf, whom, vaccine="penta", source="paper", at=at)
    rows = dose_rows(shelf, whom)

    assert [row.day for row in rows] == [None, None, None]
    assert [row.dose for row in rows] == [1, 2, 3]
    assert [(row.first_day, row.last_day) for row in rows[:2]] == [
        (20_148, 20_178),
        (20_209, 20_239),
    ]
    # Of this year no more than has been.
    assert (rows[2].first_day, rows[2].last_day) == (20_454, NOW_MS // DAY_MS + 1)
    assert all(row.elsewhere and row.band == 1 for row in rows[:2])


def test_a_day_that_is_said_to_be_of_a_month_alone_is_no_day():
    shelf = Shelf()
    whom = child(shelf)
    shelf.write(
        "dose.record", {"vaccine": "mr"}, patient=whom.id, source="paper", at="2025-11-17",
        at_precision="month",
    )  # fmt: skip
    (row,) = dose_rows(shelf, whom)

    assert (row.day, row.first_day, row.last_day) == (None, 20_393, 20_422)


def test_a_month_that_ends_before_the_birth_is_refused():
    shelf = Shelf()
    whom = child(shelf)
    about = {"vaccine": "bcg"}
    assert code_of(
        shelf, "dose.record", about, patient=whom.id, source="paper", at="2024-12"
    ) == "impossible"  # fmt: skip
    assert given(shelf, whom, vaccine="bcg", source="paper", at="2025-01")


def test_what_was_not_given_is_written_with_why_and_is_no_dose():
    shelf = Shelf()
    session = opened(shelf)
    whom = child(shelf)
    given(shelf, whom, session=session, status="refused")
    (row,) = dose_rows(shelf, whom)

    assert (row.status, row.route) == ("refused", "")
    given(shelf, whom, session=session)
    assert [row.dose for row in dose_rows(shelf, whom)][-1] == 1


def test_a_dose_is_taken_back_and_the_next_one_is_its_number_again():
    shelf = Shelf()
    whom = child(shelf)
    first = given(shelf, whom)
    shelf.write("entry.retract", {"fact": first.fact}, reason="wrong child")
    given(shelf, whom)

    assert [(row.replaced, row.dose) for row in dose_rows(shelf, whom)] == [(2, 1), (0, 1)]


# tallies


def test_a_tally_is_a_key_a_correction_needs_a_reason_and_a_digit_has_to_be_bound():
    shelf = Shelf()
    session = opened(shelf)
    for cell in (1, 1, 2):
        shelf.write("tally.add", {"session": session, "cell": cell})
    minus = {"session": session, "cell": 1, "n": -1}
    assert code_of(shelf, "tally.add", minus) == "reason_needed"
    shelf.write("tally.add", minus, reason="pressed twice")
    rows = session_table(shelf, session, "tally")

    assert sum(row.n for row in rows) == 2
    assert {(row.digit, row.vaccine, row.band, row.sex) for row in rows} == {
        (1, "mr", 2, 2),
        (2, "mr", 2, 1),
    }
    refused = shelf.refused("tally.add", {"session": session, "cell": 3})
    assert (refused.code, refused.allowed) == ("bad_value", ("1", "2"))
    assert code_of(shelf, "tally.add", {"session": session, "cell": 1, "n": 0}) == "out_of_range"
    shelf.write("session.close", {"session": session})
    assert code_of(shelf, "tally.add", {"session": session, "cell": 1}) == "session_closed"


def test_days_of_tallies_are_those_of_the_session_s_clocks():
    shelf = Shelf(now_ms=1_779_998_400_000)  # 28 May 2026 20:00 UTC, 22:00 in Bujumbura
    session = opened(shelf, zone="Africa/Bujumbura")
    shelf.write("tally.add", {"session": session, "cell": 1})
    shelf.now_ms += 3 * HOUR_MS  # one o'clock on the 29th there, 23:00 UTC
    shelf.write("tally.add", {"session": session, "cell": 1})
    shelf.now_ms = 30_000  # a clock without a battery
    shelf.write("tally.add", {"session": session, "cell": 1})
    first, later, lost = [row.day for row in session_table(shelf, session, "tally")]

    assert later == first + 1
    assert lost == first


def test_a_change_of_the_clock_is_written_down_where_the_session_opens():
    before = 1_792_886_400_000  # 25 October 2026 00:00 UTC, an hour before Paris goes back
    offsets = read_zone("Europe/Paris", before, "zone")

    assert [minutes for _, minutes in offsets[:2]] == [120, 60]
    assert offsets[1][0] == 1_792_890_000
    assert local_day(offsets, before - 2 * HOUR_MS) == local_day(offsets, before) == 20_751
    assert local_day(offsets, 1_792_969_200_000) == 20_752  # 23:00 UTC is midnight there now


# adverse events


@pytest.mark.parametrize(
    ("data", "lane"),
    [
        ({"severity": "minor", "symptoms": ["fever"]}, Lane.ROUTINE),
        ({"severity": "serious", "symptoms": ["seizure"]}, Lane.URGENT),
        ({"severity": "minor", "symptoms": ["fever"], "outcome": "died"}, Lane.URGENT),
    ],
)
def test_what_is_serious_travels_in_the_urgent_lane_and_names_its_lots(data, lane):
    shelf = Shelf()
    session = opened(shelf)
    whom = child(shelf)
    first = given(shelf, whom, vial=vial(shelf, session))
    made = shelf.write("aefi.report", {**data, "doses": [first.fact]}, patient=whom.id)
    (row,) = shelf.table(whom.subject, "aefi")

    assert made.plan.drafts[0].lane == lane
    assert (row.lots, row.vaccines, row.serious) == ("MR-1", "mr", int(lane == Lane.URGENT))


def test_an_adverse_event_says_something_and_names_doses_of_its_own_patient():
    shelf = Shelf()
    whom, other = child(shelf), child(shelf)
    dose = given(shelf, other)
    assert code_of(shelf, "aefi.report", {"severity": "minor"}, patient=whom.id) == "nothing_stated"
    about = {"severity": "minor", "symptoms": ["rash"], "doses": [dose.fact]}
    assert code_of(shelf, "aefi.report", about, patient=whom.id) == "not_a_dose"


# apart


def test_doses_given_apart_are_both_kept_and_marked_and_a_decision_settles_them():
    here, there = Shelf("a"), Shelf("b")
    whom = child(here, tags=["C7"])
    there.receive(here)
    one, other = given(here, whom), given(there, whom)
    here.receive(there)
    assert [row.apart for row in dose_rows(here, whom)] == [1, 1]

    about = {"doses": [one.fact, other.fact], "verdict": "one"}
    here.write("dose.decide", about)
    assert {row.settled for row in dose_rows(here, whom)} == {1, 2}
    here.write("dose.decide", {**about, "verdict": "several"})
    assert {row.settled for row in dose_rows(here, whom)} == {3}

    stranger = child(here)
    third = given(here, stranger)
    assert code_of(
        here, "dose.decide", {"doses": [one.fact, third.fact], "verdict": "one"}
    ) == "wrong_subject"  # fmt: skip
    here.write("patient.link", {"other": stranger.id, "relation": "same"}, patient=whom.id)
    here.write("dose.decide", {"doses": [one.fact, third.fact], "verdict": "one"})


def test_decisions_made_apart_that_differ_decide_nothing():
    here, there = Shelf("a"), Shelf("b")
    whom = child(here)
    there.receive(here)
    one, other = given(here, whom), given(there, whom)
    here.receive(there)
    there.receive(here)
    for shelf, verdict in ((here, "one"), (there, "several")):
        shelf.write("dose.decide", {"doses": [one.fact, other.fact], "verdict": verdict})
    here.receive(there)

    assert {row.settled for row in dose_rows(here, whom)} == {0}


def test_a_band_alone_is_no_age_to_ask_about():
    shelf = Shelf()
    whom = shelf.write("patient.register", {"band": 2})
    given(shelf, whom)
    (row,) = dose_rows(shelf, whom)

    assert (row.band, row.dose) == (2, 1)
    assert BORN < "2026"
