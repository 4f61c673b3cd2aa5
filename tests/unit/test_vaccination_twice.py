"""One child, several records of doses: what is counted, numbered and asked while nobody decided."""

from __future__ import annotations

import pytest

from protocols.ids import PatientId, SessionId
from protocols.ledger import coverage, immunization, reading, vials
from protocols.ledger.oneperson import seen_twice
from protocols.live import vaccinating
from protocols.mesh.effects import Now
from protocols.records.aefi import AefiRow
from protocols.records.rows import to_json
from tests.unit.stage import WALL_MS
from tests.unit.test_vaccination_book import DAY, Team, meet, two
from tests.unit.test_vaccination_doubts import refusal

DAY_MS = 86_400_000
INFANT = "2026-02-01"
"""Thirty-three weeks old at the clock of the stage."""


def given(team: Team, whom: str, days: int, vaccine: str = "penta", **more: object) -> str:
    """Give a dose so many days after the stage's."""
    team.ahead_ms = days * DAY_MS
    return team.dose(whom, vaccine=vaccine, **more)


def needed(team: Team, whom: str, days: int, series: str = "dtp") -> tuple[str, int]:
    found = immunization.child(team.device.ledger, PatientId.parse(whom), DAY + days)
    return next((each.state, each.number) for each in found.due if each.series == series)


def listed(team: Team) -> list[tuple[list[int], str]]:
    """Each doubt as the days of its doses."""
    return [
        ([(row.day or 0) - DAY for row in each.rows], each.why)
        for each in immunization.doubled(team.device.ledger)
    ]


def test_a_child_followed_by_two_teams_apart_had_two_doses_and_not_one():
    stage, ann, ben = two()
    whom, session = ann.child(birth_date=INFANT), ann.session(vaccines=["penta"], cells=[])
    meet(stage, ann, ben)
    ours = [given(ann, whom, days, session=session) for days in (0, 28)]
    theirs = [given(ben, whom, days, session=session) for days in (10, 38)]
    meet(stage, ann, ben)

    for team in (ann, ben):
        assert listed(team) == [([0, 10], "one-number"), ([28, 38], "one-number")]
        assert team.total() == 2
        assert needed(team, whom, 70) == ("due", 3)
    # Once the first two are one, the others are; both decided, nothing is left to ask.
    for pair in zip(ours, theirs, strict=True):
        ann.ahead_ms = 70 * DAY_MS
        ann("dose.decide", {"doses": list(pair), "verdict": "one"})
        assert ann.total() == 2
    assert listed(ann) == [] and needed(ann, whom, 70) == ("due", 3)


def test_of_what_was_decided_to_be_several_what_is_too_close_is_listed():
    stage, ann, ben = two()
    whom, session = ann.child(birth_date=INFANT), ann.session(vaccines=["penta"], cells=[])
    meet(stage, ann, ben)
    ours = [given(ann, whom, days, session=session) for days in (0, 28)]
    theirs = given(ben, whom, 10, session=session)
    meet(stage, ann, ben)
    assert listed(ann) == [([0, 10], "one-number")] and ann.total() == 2

    ann("dose.decide", {"doses": [ours[0], theirs], "verdict": "several"})
    assert listed(ann) == [([10, 28], "close")] and ann.total() == 2


def test_three_records_of_one_dose_are_one_question_and_count_once():
    stage, ann, ben = two()
    whom, session = ann.child(), ann.session()
    meet(stage, ann, ben)
    twin = ben.child()
    ben.dose(twin, session=session)
    given(ann, whom, 1, "mr", session=session)
    given(ben, whom, 2, "mr", session=session)
    meet(stage, ann, ben)
    ann("patient.link", {"other": twin, "relation": "same"}, patient=whom)

    assert listed(ann) == [([0, 1, 2], "one-number")] and ann.total() == 1


@pytest.mark.parametrize("linked", [False, True])
def test_the_number_of_the_next_dose_is_that_which_the_child_is_due_for(linked: bool):
    stage, ann, ben = two()
    whom = other = ann.child(birth_date=INFANT)
    if linked:
        other = ann.child(birth_date=INFANT)
        ann("patient.link", {"other": other, "relation": "same"}, patient=whom)
    meet(stage, ann, ben)
    given(ann, whom, 0)
    given(ben, other, 30)
    meet(stage, ann, ben)
    assert needed(ann, whom, 70) == ("overdue", 2)

    given(ann, whom, 70)
    found = immunization.child(ann.device.ledger, PatientId.parse(whom), DAY + 70)
    assert [(each.row.dose, bool(each.verdicts)) for each in found.doses] == [
        (1, True), (1, False), (2, True),
    ]  # fmt: skip
    dropped = {each.series: each for each in coverage.drop_out(ann.device.ledger)}
    assert (dropped["dtp"].began, dropped["hib"].finished) == (1, 0)


def test_a_live_vaccine_too_near_to_what_may_be_another_dose_is_asked_about_all_the_same():
    stage, ann, ben = two()
    whom = ann.child()
    meet(stage, ann, ben)
    given(ann, whom, 0, "mr")
    given(ben, whom, 10, "mr")
    meet(stage, ann, ben)

    ann.ahead_ms = 30 * DAY_MS
    assert refusal(ann, "dose.record", {"vaccine": "mr"}, patient=whom) == "dose_near_live"
    # Nor is it due: the other one may be in the child.
    assert needed(ann, whom, 37, "measles") == ("not-yet", 2)
    assert needed(ann, whom, 38, "measles") == ("due", 2)
    doses = [ref for each in immunization.doubled(ann.device.ledger) for ref in each.doses]
    ann("dose.decide", {"doses": list(map(str, doses)), "verdict": "one"})
    assert needed(ann, whom, 30, "measles") == ("due", 2)


@pytest.mark.parametrize(
    ("had", "now"), [("mr", "mr"), ("mr", "measles"), ("measles", "measles"), ("mmr", "mr"),
                     ("mr", "mmr"), ("penta", "dtp"), ("rota", "rota-5"), ("rota-5", "rota")]
)  # fmt: skip
def test_a_second_vaccine_of_one_series_on_one_day_is_asked_about_whichever_was_first(had, now):
    _, ann, _ = two()
    whom = ann.child(birth_date=INFANT if had[0] in "pr" else "2025-05-10")
    ann.dose(whom, vaccine=had)

    assert refusal(ann, "dose.record", {"vaccine": now}, patient=whom) == "dose_given_already"


@pytest.mark.parametrize(("had", "now"), [("dtp", "penta"), ("measles", "mr")])
def test_what_a_vaccine_of_that_day_did_not_protect_against_is_given_without_asking(had, now):
    _, ann, _ = two()
    whom = ann.child(birth_date=INFANT if had[0] == "d" else "2025-05-10")
    ann.dose(whom, vaccine=had)

    assert refusal(ann, "dose.record", {"vaccine": now}, patient=whom) == ""


def test_a_dose_that_is_corrected_is_not_asked_about_and_keeps_its_number():
    _, ann, _ = two()
    whom = ann.child(birth_date=INFANT)
    first = given(ann, whom, 0, lot="PE-I")
    given(ann, whom, 30, lot="PE-2")
    ann.ahead_ms = 31 * DAY_MS
    about = {"vaccine": "penta", "lot": "PE-1"}
    ann("dose.record", about, patient=whom, supersedes=[first], at="2026-09-21")
    found = immunization.child(ann.device.ledger, PatientId.parse(whom), DAY + 31)

    assert [(each.row.dose, each.row.lot) for each in found.doses if not each.row.replaced] == [
        (1, "PE-1"), (2, "PE-2"),
    ]  # fmt: skip
    assert needed(ann, whom, 70) == ("due", 3)


def test_what_followed_a_dose_in_another_record_of_the_child_is_reported_with_its_lot():
    _, ann, _ = two()
    session = ann.session()
    one, other = ann.child(), ann.child()
    dose = ann.dose(one, vial=ann.vial(session))
    about = {"severity": "serious", "symptoms": ["anaphylaxis"], "doses": [dose]}
    assert refusal(ann, "aefi.report", about, patient=other) == "not_a_dose"
    ann("patient.link", {"other": other, "relation": "same"}, patient=one)
    ann("aefi.report", about, patient=other)

    (told,) = (each.row for each in reading.rows(ann.device.ledger, "aefi", 0, 10))
    assert isinstance(told, AefiRow) and (told.vaccines, told.lots) == ("mr", "MR-1")
    ann.ahead_ms = 70 * DAY_MS
    for whom, vaccine, code in (
        (one, "mr", "dose_contraindicated"), (other, "mr", "dose_contraindicated"),
        (other, "penta", ""),
    ):  # fmt: skip
        assert refusal(ann, "dose.record", {"vaccine": vaccine}, patient=whom) == code


def test_what_followed_doses_in_both_records_of_a_child_is_one_report_that_names_both():
    _, ann, _ = two()
    one, other = ann.child(), ann.child()
    doses = [ann.dose(one, lot="MR-1"), ann.dose(other, lot="MR-2")]
    ann("patient.link", {"other": other, "relation": "same"}, patient=one)
    ann("aefi.report", {"severity": "minor", "text": "rash", "doses": doses}, patient=other)

    (told,) = (to_json(each.row) for each in reading.rows(ann.device.ledger, "aefi", 0, 10))
    assert told["doses"] == doses and told["lots"] == "MR-2" and told["patient"] == other


def test_of_two_records_of_one_dose_one_was_drawn_and_the_last_dose_is_there_for_another_child():
    stage, ann, ben = two()
    whom, session = ann.child(), ann.session()
    bottle = ann.vial(session, doses=2)
    meet(stage, ann, ben)
    doses = [team.dose(whom, vial=bottle) for team in (ann, ben)]
    meet(stage, ann, ben)
    about = {"vaccine": "mr", "vial": bottle}
    assert refusal(ann, "dose.record", about, patient=ann.child()) == "vial_empty"

    ann("dose.decide", {"doses": doses, "verdict": "one"})
    (held,) = vials.vials(ann.device.ledger, WALL_MS)
    assert (held.drawn, held.left) == (1, 1)
    assert refusal(ann, "dose.record", about, patient=ann.child()) == ""
    assert refusal(ann, "dose.record", about, patient=ann.child()) == "vial_empty"


def test_no_more_is_wasted_of_a_vial_than_was_in_it_whatever_is_taken_back_of_it():
    _, ann, _ = two()
    session = ann.session()
    bottle = ann.vial(session)
    about = {"session": session, "cell": 1, "n": -3, "vial": bottle}
    ann("tally.add", about, reason="pressed twice")
    (held,) = vials.vials(ann.device.ledger, WALL_MS)
    assert (held.drawn, held.left) == (-3, 10)
    ann("vial.discard", {"vial": bottle, "reason": "time-limit", "doses": 10})

    (held,) = vials.vials(ann.device.ledger, WALL_MS)
    (told,) = vials.wastage(ann.device.ledger, WALL_MS)
    assert (held.wasted, told.wasted, told.percent) == (10, 10, 100.0)


def test_decided_apart_in_two_ways_two_records_are_listed_again_and_count_once():
    stage, ann, ben = two()
    whom, session = ann.child(), ann.session()
    meet(stage, ann, ben)
    doses = [team.dose(whom, session=session) for team in (ann, ben)]
    meet(stage, ann, ben)
    for team, verdict in ((ann, "one"), (ben, "several")):
        team("dose.decide", {"doses": doses, "verdict": verdict})
    assert [team.total() for team in (ann, ben)] == [1, 2]
    meet(stage, ann, ben)

    for team in (ann, ben):
        assert listed(team) == [([0, 0], "one-number")] and team.total() == 1


@pytest.mark.parametrize(("days", "found"), [(27, [([0, 27], "close")]), (28, [])])
def test_doses_of_two_numbers_apart_are_doubted_below_the_shortest_interval_alone(days, found):
    stage, ann, ben = two()
    whom = ann.child(birth_date=INFANT)
    meet(stage, ann, ben)
    given(ann, whom, 0, dose=1)
    given(ben, whom, days, dose=2)
    meet(stage, ann, ben)

    assert listed(ann) == listed(ben) == found


def test_a_child_of_two_records_in_one_session_is_one_child_of_it():
    _, ann, _ = two()
    session = ann.session()
    one, between, other, third = (ann.child() for _ in range(4))
    for whom, minutes in ((one, 0), (third, 20), (other, 90)):
        ann.ahead_ms = minutes * 60_000
        ann.dose(whom, session=session)

    def told(minutes: int) -> tuple[int, int, int]:
        node, now = ann.device.node, WALL_MS + minutes * 60_000
        drive = vaccinating.drive(node, Now(now, 0, bytes), {"session": session})
        pace = coverage.pace(ann.device.ledger, SessionId.parse(session), now)
        assert sum(children for _, children, _ in pace.by_hour) == drive.children
        return drive.children, drive.last_hour, pace.last_hour

    assert told(95) == (3, 1, 1)
    # Linked through a record that nothing was written in.
    for a, b in ((one, between), (between, other)):
        ann("patient.link", {"other": b, "relation": "same"}, patient=a)
    assert told(95) == (2, 1, 0)
    assert ann.total(session) == 2


def test_what_is_asked_after_every_child_reads_no_link_but_those_of_the_session():
    """With 3,000 links in the book two scans of them took 1.6 s of every child of a drive."""
    _, ann, _ = two()
    session = bytes(SessionId.parse(ann.session()))
    store, plans = ann.device.store, list[str]()

    def asked(sql, values=()):
        plans.extend(row[3] for row in store.all("EXPLAIN QUERY PLAN " + sql, values))
        return store.all(sql, values)

    seen_twice(asked, session, 0)
    assert plans
    assert not [step for step in plans if step.startswith("SCAN")]


def test_what_was_decided_of_two_records_holds_no_longer_once_they_are_of_two_children():
    _, ann, _ = two()
    session = ann.session()
    one, other = ann.child(), ann.child()
    doses = [ann.dose(whom, session=session) for whom in (one, other)]
    ann("patient.link", {"other": other, "relation": "same"}, patient=one)
    ann("dose.decide", {"doses": doses, "verdict": "one"})
    assert ann.total() == ann.total(session) == 1

    ann("patient.unlink", {"other": other}, patient=one, reason="two sisters")
    ledger = ann.device.ledger
    assert ann.total() == ann.total(session) == 2
    assert immunization.not_counted(ledger) == set()
    assert not immunization.doubts(ledger, immunization.in_doubt(ledger)).spare
    assert needed(ann, other, 1, "measles")[1] == 2


def test_a_time_before_a_session_opened_is_of_its_first_hour_once_it_is_closed():
    _, ann, _ = two()
    session, whom = ann.session(), ann.child()
    at = "2026-09-19T10:00Z"
    ann.dose(whom, session=session, at=at)
    ann("tally.add", {"session": session, "cell": 1, "n": 4}, at=at)
    ann.ahead_ms = 3_600_000
    ann("session.close", {"session": session})

    assert {(each.day, each.doses) for each in ann.counts(session)} == {(DAY, 1), (DAY, 4)}
    pace = coverage.pace(ann.device.ledger, SessionId.parse(session), WALL_MS)
    assert pace.by_hour == ((WALL_MS // 3_600_000, 1, 4),)


def test_two_records_by_one_writer_that_were_decided_to_be_one_dose_are_one_in_every_total():
    _, ann, _ = two()
    session, whom = ann.session(), ann.child()
    doses = [
        ann.dose(whom, session=session, confirm=["dose_given_already"], lot=lot)
        for lot in ("MR-I", "MR-1")
    ]
    assert ann.total() == 2 and listed(ann) == []

    ann("dose.decide", {"doses": doses[::-1], "verdict": "one"})
    assert ann.total() == ann.total(session) == 1


def test_a_vaccine_that_no_series_here_is_worked_by_is_asked_about_on_one_day_too():
    _, ann, _ = two()
    whom = ann.child()
    ann.dose(whom, vaccine="yellow-fever")
    about = {"vaccine": "yellow-fever"}

    assert refusal(ann, "dose.record", about, patient=whom) == "dose_given_already"
    ann.ahead_ms = DAY_MS
    assert refusal(ann, "dose.record", about, patient=whom) == ""


def test_what_broke_of_a_vial_is_not_in_it_when_the_next_dose_is_asked_about():
    _, ann, _ = two()
    bottle = ann.vial(ann.session(), doses=3)
    ann("vial.discard", {"vial": bottle, "reason": "broken", "doses": 1, "goes_on": True})
    about = {"vaccine": "mr", "vial": bottle}

    codes = [refusal(ann, "dose.record", about, patient=ann.child()) for _ in range(3)]
    assert codes == ["", "", "vial_empty"]


def test_more_drawn_than_was_in_a_vial_wastes_nothing():
    _, ann, _ = two()
    session = ann.session()
    bottle = ann.vial(session, doses=1)
    for confirm in ([], ["vial_empty"]):
        ann.dose(ann.child(), vial=bottle, confirm=confirm)
    ann("vial.discard", {"vial": bottle, "reason": "empty", "doses": 0})

    (held,) = vials.vials(ann.device.ledger, WALL_MS)
    (told,) = vials.wastage(ann.device.ledger, WALL_MS)
    assert (held.drawn, held.wasted, told.wasted) == (2, 0, 0)


def test_the_pace_is_of_vaccines_and_of_the_hour_that_has_passed():
    _, ann, _ = two()
    cells = [
        {"vaccine": "mr", "dose": 1, "band": 2, "sex": "female"},
        {"intervention": "vitamin-a", "band": 2, "sex": "female"},
    ]
    session = ann.session(cells=cells, interventions=["vitamin-a"])
    ann.tally(session, 1, 3)
    ann.tally(session, 2, 40)
    ann.ahead_ms = 30 * 60_000
    ann.tally(session, 1, 5)
    wanted, ledger = SessionId.parse(session), ann.device.ledger

    assert coverage.pace(ledger, wanted, WALL_MS + 29 * 60_000).last_hour == 3
    assert coverage.pace(ledger, wanted, WALL_MS + 31 * 60_000).last_hour == 8
    assert coverage.pace(ledger, wanted, WALL_MS + 61 * 60_000).last_hour == 5
    assert sum(tallied for _, _, tallied in coverage.pace(ledger, wanted, WALL_MS).by_hour) == 8


def test_the_next_number_goes_by_what_was_decided_too():
    stage, ann, ben = two()
    whom = ann.child(birth_date=INFANT)
    meet(stage, ann, ben)
    doses = [given(ann, whom, 0), given(ben, whom, 30)]
    meet(stage, ann, ben)
    ann("dose.decide", {"doses": doses, "verdict": "one"})
    given(ann, whom, 70)

    found = immunization.child(ann.device.ledger, PatientId.parse(whom), DAY + 70)
    assert [each.row.dose for each in found.doses] == [1, 1, 2]


def test_of_two_vaccines_of_one_series_in_a_session_one_is_due():
    _, ann, _ = two()
    session = ann.session(vaccines=["mr", "measles"])
    node, now = ann.device.node, Now(WALL_MS, 0, bytes)
    asked = {"session": session, "patient": ann.child()}
    told = vaccinating.child(node, now, asked, opened=lambda _: True)
    assert {each.vaccine: each.state for each in told.give} == {"mr": "overdue", "measles": "other"}
