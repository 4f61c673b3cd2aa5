"""Vaccination in real books: totals, coverage, vials, doubles, and what a dose costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from protocols.ids import EntryPrefix, FactRef, PatientId, SessionId
from protocols.ledger import coverage, immunization, proofs, reading, vials
from protocols.ledger.recording import Answer
from protocols.live import vaccinating
from protocols.live.charters import TERMS
from protocols.mesh.effects import Now
from protocols.records import immunization as records
from protocols.records import tally
from protocols.records.kinds import KindNo
from protocols.records.rows import to_json
from tests.unit.founders import terms
from tests.unit.stage import WALL_MS, Device, Stage, camp, line, linked

DAY = WALL_MS // 86_400_000
HOUR_MS = 3_600_000
CELLS = [
    {"vaccine": "mr", "dose": 1, "band": 2, "sex": "female"},
    {"vaccine": "mr", "dose": 1, "band": 2, "sex": "male"},
]
BORN = "2025-05-10"
"""Sixteen months old at the clock of the stage, 21 September 2026."""


@dataclass
class Team:
    """A device, and the wall clock that it goes by."""

    device: Device
    ahead_ms: int = 0
    wall_ms: int | None = None

    def __call__(self, kind: str, data: Any, **more: Any) -> Answer:
        """Write one line, whatever has to be confirmed."""
        now_ms = WALL_MS + self.ahead_ms if self.wall_ms is None else self.wall_ms
        lines = [line(kind, data, **more)]
        record = self.device.node._recorder.record
        answers, _, _ = record(lines, now_ms, self.device.chance.randbytes)
        (answer,) = answers
        assert answer.ok, answer
        return answer

    def session(self, **data: Any) -> str:
        about = {key: data.pop(key) for key in ("store", "site") if key in data}
        made = self("session.open", {"vaccines": ["mr"], "cells": CELLS, **data}, **about)
        return made.id or ""

    def vial(self, session: str, **data: Any) -> str:
        about = {"session": session, "item": "vaccine-mr-10", "lot": "MR-1", "expiry": "2027-12"}
        return self("vial.open", {**about, **data}).id or ""

    def child(self, **data: Any) -> str:
        made = self("patient.register", {"birth_date": BORN, "sex": "female", **data})
        return made.patient or ""

    def dose(self, whom: str, **data: Any) -> str:
        more = {key: data.pop(key) for key in ("confirm", "source", "at") if key in data}
        return self("dose.record", {"vaccine": "mr", **data}, patient=whom, **more).id or ""

    def tally(self, session: str, cell: int, n: int = 1, **more: str) -> str:
        more |= {"reason": "pressed twice"} if n < 0 else {}
        return self("tally.add", {"session": session, "cell": cell, "n": n}, **more).id or ""

    def retract(self, fact: str) -> None:
        self("entry.retract", {"fact": fact}, reason="pressed twice")

    def total(self, session: str | None = None) -> int:
        return sum(each.doses for each in self.counts(session))

    def counts(self, session: str | None = None) -> list[coverage.Count]:
        wanted = None if session is None else SessionId.parse(session)
        return coverage.counts(self.device.ledger, wanted)


def meet(stage: Stage, *teams: Team) -> None:
    for at, here in enumerate(teams):
        for there in teams[at + 1 :]:
            stage.link(here.device, there.device)
            stage.run(5_000)
            stage.cut(here.device, there.device)
    for team in teams:
        team.device.ledger.catch_up_all()


def two() -> tuple[Stage, Team, Team]:
    stage, devices = Stage(), camp(("ann", "ben"))
    return stage, Team(devices[0]), Team(devices[1])


def test_an_answer_names_the_session_as_one():
    _, ann, _ = two()

    assert ann.session().startswith("ses_")


def test_rows_of_immunization_are_told_in_words():
    _, ann, _ = two()
    session = ann.session(targets=[{"antigen": "measles", "number": 10}])
    bottle = ann.vial(session)
    whom = ann.child()
    dose = ann.dose(whom, vial=bottle)
    ann.tally(session, 1)
    about = {"severity": "minor", "symptoms": ["fever"], "doses": [dose]}
    ann("aefi.report", about, patient=whom)
    told = {
        table: [to_json(each.row) for each in reading.rows(ann.device.ledger, table, 0, 10)]
        for table in ("session", "vial", "dose", "tally", "aefi")
    }

    assert told["session"][0]["id"] == session
    assert told["session"][0]["targets"] == [["measles", 10, 0]]
    assert told["dose"][0]["vial"] == bottle and told["dose"][0]["session"] == session
    assert told["tally"][0]["session"] == session
    assert told["vial"][0]["limit_at"] > told["vial"][0]["at"]
    assert told["aefi"][0]["doses"] == [dose] and told["aefi"][0]["lots"] == "MR-1"


def test_a_vial_leaves_the_store_whole_and_comes_back_when_it_was_opened_in_error():
    _, ann, _ = two()
    store = ann("site.register", {"name": "Store", "type": "store"}).id
    received = {"item": "vaccine-mr-10", "units": 50, "lot": "MR-1", "expiry": "2027-12"}
    ann("stock.receive", received, store=store)
    session = ann.session(store=store)

    def there() -> int:
        row = ann.device.store.one("SELECT low FROM stock WHERE item = 'vaccine-mr-10'")
        return row[0] if row else 0

    bottle = ann.vial(session)
    assert there() == 40
    ann.dose(ann.child(), vial=bottle)
    assert there() == 40, "a dose is drawn from the vial"
    ann.retract(bottle)
    assert there() == 50


STOPS = ("lot_quarantined", "lot_recalled")
LOT = {"item": "vaccine-mr-10", "lot": "MR-1"}
"""The lot of the vials that a team opens."""


def store_of_lot(team: Team, expiry: str = "2027-12") -> str:
    """A store that has received the lot; return its id."""
    store = team("site.register", {"name": "Store", "type": "store"}).id
    team("stock.receive", {**LOT, "units": 50, "expiry": expiry}, store=store)
    return store


def stop_lot(team: Team, store: str, stop: str) -> None:
    """Hold the lot back in this store, or recall it everywhere."""
    match stop:
        case "lot_quarantined":
            held = {**LOT, "why": "excursion"}
            team("lot.quarantine", held, store=store, reason="the box was warm")
        case "lot_recalled":
            team("lot.recall", {**LOT, "why": "contaminated", "level": "harmful"})


@pytest.mark.parametrize("stop", STOPS)
def test_a_recalled_or_quarantined_lot_stops_vials_and_doses(stop):
    _, ann, _ = two()
    store = store_of_lot(ann)
    session = ann.session(store=store)
    bottle, whom = ann.vial(session), ann.child()
    stop_lot(ann, store, stop)
    record = ann.device.node._recorder.record
    for kind, data, more in (
        ("dose.record", {"vaccine": "mr", "vial": bottle}, {"patient": whom}),
        ("vial.open", {"session": session, **LOT}, {}),
    ):
        ((answer,), _, _) = record([line(kind, data, **more)], WALL_MS, ann.device.chance.randbytes)
        assert answer.error == stop, answer


def test_coverage_is_doses_and_tallies_against_targets_by_site_antigen_and_band():
    _, ann, _ = two()
    site = ann("site.register", {"name": "Kome", "type": "vaccination-post"}).id
    target = [{"antigen": "measles", "number": 20, "band": 2}]
    session = ann.session(site=site, targets=target)
    for _ in range(3):
        ann.dose(ann.child(), session=session)
    ann.tally(session, 1, 5)
    ann.tally(session, 2, -1)
    found = {(each.antigen, each.band): each for each in coverage.coverage(ann.device.ledger)}

    assert found["measles", 2].doses == found["measles", 0].doses == 7
    assert found["measles", 2].percent == 35.0
    assert found["rubella", 0].doses == 7 and found["rubella", 0].percent is None


def test_a_child_known_by_two_linked_records_has_the_doses_of_both_and_is_due_by_them():
    _, ann, _ = two()
    one, other = ann.child(), ann.child()
    ann.dose(one)
    alone = immunization.child(ann.device.ledger, PatientId.parse(other), DAY)
    measles = next(each for each in alone.due if each.series == "measles")
    assert (measles.wanted, measles.number) == (True, 1)

    ann("patient.link", {"other": other, "relation": "same"}, patient=one)
    both = immunization.child(ann.device.ledger, PatientId.parse(other), DAY)
    measles = next(each for each in both.due if each.series == "measles")
    assert measles.number == 2 and len(both.doses) == 1
    assert both.doses[0].verdicts[0].state == "valid"
    assert both.schedule.startswith("schedule-routine ")
    assert both.next_visit is not None


def test_a_card_of_months_alone_is_shown_so_and_begins_no_series_anew():
    _, ann, _ = two()
    whom = ann.child()
    for at in ("2025-12", "2026-03-02", "2026"):
        ann.dose(whom, vaccine="penta", source="paper", at=at)
    node, now = ann.device.node, Now(WALL_MS, 0, bytes)
    told = vaccinating.child(node, now, {"patient": whom}, opened=lambda _: True)

    assert [(one.day, one.dose) for one in told.doses] == [
        ("2025-12", 1), ("2026", 3), ("2026-03-02", 2),
    ]  # fmt: skip
    unsure = next(one for one in told.doses if one.day == "2026")
    assert ("dtp", "unsure") in unsure.states
    dtp = next(one for one in told.series if one.series == "dtp")
    assert dtp.number >= 2 and not dtp.sure
    # No paper of ours says a day that no card had.
    proof = proofs.gather(ann.device.ledger, PatientId.parse(whom), DAY, age="").proof
    assert [one.day for one in proof.doses].count(None) == 2


def test_one_child_vaccinated_by_two_teams_apart_counts_once_until_somebody_decides():
    stage, ann, ben = two()
    whom, session = ann.child(), ann.session()
    meet(stage, ann, ben)
    one = ann.dose(whom, session=session)
    two_ = ben.dose(whom, session=session)
    meet(stage, ann, ben)

    for team in (ann, ben):
        (found,) = immunization.doubled(team.device.ledger)
        assert {str(ref) for ref in found.doses} == {one, two_}
        assert found.why == "one-number" and found.patients == (PatientId.parse(whom),)
        assert team.total() == 1
    kept = str(immunization.doubled(ann.device.ledger)[0].doses[0])
    assert kept == str(immunization.doubled(ben.device.ledger)[0].doses[0])

    ann("dose.decide", {"doses": [one, two_], "verdict": "several"})
    meet(stage, ann, ben)
    assert [team.total() for team in (ann, ben)] == [2, 2]
    ben("dose.decide", {"doses": [one, two_], "verdict": "one"})
    meet(stage, ann, ben)
    assert [team.total() for team in (ann, ben)] == [1, 1]
    assert immunization.doubled(ann.device.ledger) == []
    assert len(immunization.child(ben.device.ledger, PatientId.parse(whom), DAY).doses) == 2


def test_two_records_of_one_child_linked_after_a_merge_are_listed_and_counted_once():
    stage, ann, ben = two()
    session = ann.session()
    meet(stage, ann, ben)
    one, other = ann.child(given_name="Amina"), ben.child(given_name="Amina")
    first, second = ann.dose(one, session=session), ben.dose(other, session=session)
    meet(stage, ann, ben)
    assert ann.total() == 2 and immunization.doubled(ann.device.ledger) == []

    ann("patient.link", {"other": other, "relation": "same"}, patient=one)
    meet(stage, ann, ben)
    for team in (ann, ben):
        (found,) = immunization.doubled(team.device.ledger)
        assert set(map(str, found.doses)) == {first, second} and team.total() == 1
    ann("dose.decide", {"doses": [second, first], "verdict": "one"})
    meet(stage, ann, ben)
    assert [team.total() for team in (ann, ben)] == [1, 1]
    assert immunization.doubled(ben.device.ledger) == []
    assert immunization.not_counted(ben.device.ledger) == {FactRef.parse(first)}


def test_an_undo_after_both_have_met_takes_the_dose_back_everywhere():
    stage, ann, ben = two()
    session, whom = ann.session(), ann.child()
    bottle = ann.vial(session)
    dose, press = ann.dose(whom, vial=bottle), ann.tally(session, 1)
    meet(stage, ann, ben)
    assert ben.total() == 2

    for fact in (dose, press):
        ann.retract(fact)
    meet(stage, ann, ben)
    assert [team.total() for team in (ann, ben)] == [0, 0]
    (held,) = vials.vials(ben.device.ledger, WALL_MS)
    assert (held.drawn, held.left) == (0, 10)


def test_vials_tell_drawn_wasted_and_left_and_warn_past_their_limit():
    _, ann, _ = two()
    session = ann.session()
    first, second = ann.vial(session), ann.vial(session)
    for _ in range(3):
        ann.dose(ann.child(), vial=first)
    ann("tally.add", {"session": session, "cell": 1, "n": 4, "vial": first})
    ann("vial.discard", {"vial": first, "reason": "time-limit", "doses": 3})
    ann.dose(ann.child(), vial=second)
    found = {str(each.ref): each for each in vials.vials(ann.device.ledger, WALL_MS)}

    assert (found[first].drawn, found[first].wasted, found[first].left) == (7, 3, 0)
    assert (found[second].drawn, found[second].wasted, found[second].left) == (1, 0, 9)
    assert not found[second].past
    limit = found[second].limit_ms
    assert limit is not None
    later = {str(each.ref): each for each in vials.vials(ann.device.ledger, limit + 1)}
    assert later[second].past and not later[first].past
    (told,) = vials.wastage(ann.device.ledger, WALL_MS)
    assert (told.opened, told.drawn, told.wasted) == (20, 8, 3)
    assert told.by_reason == (("time-limit", 3),) and told.percent == 15.0


def test_a_session_that_ends_ends_its_vials():
    _, ann, _ = two()
    session = ann.session()
    ann.vial(session)
    ann("session.close", {"session": session})

    (held,) = vials.vials(ann.device.ledger, WALL_MS + 1)
    assert held.past


def test_zero_dose_and_drop_out_count_persons_and_not_records():
    _, ann, _ = two()
    one, twin, other, never = (ann.child() for _ in range(4))
    ann.dose(one, source="paper", at="2026-08-01")
    ann.dose(one)
    ann("patient.link", {"other": twin, "relation": "same"}, patient=one)
    for at in ("2026-03-01", "2026-04-01"):
        ann.dose(other, source="paper", at=at)
    assert never
    ledger = ann.device.ledger

    assert coverage.zero_dose(ledger, "measles") == ("measles", 3, 1)
    found = {each.series: each for each in coverage.drop_out(ledger)}
    assert found["measles"][2:] == (2, 2)
    assert found["dtp"].percent is None


@pytest.mark.parametrize(("zone", "days"), [("Africa/Bujumbura", 2), ("+00:00", 1)])
def test_a_session_open_at_midnight_counts_every_dose_on_the_day_of_its_place(zone, days):
    _, ann, _ = two()
    evening = DAY * 86_400_000 + 20 * HOUR_MS  # 20:00 UTC is 22:00 in Bujumbura
    ann.wall_ms = evening
    session = ann.session(zone=zone)
    bottle = ann.vial(session)
    for hour in range(4):
        ann.wall_ms = evening + hour * HOUR_MS - (1 if hour == 3 else 0)
        ann.dose(ann.child(), vial=bottle)
        ann.tally(session, 1)
    found = ann.counts(session)

    assert sum(each.doses for each in found) == 8
    assert len({each.day for each in found}) == days
    pace = coverage.pace(ann.device.ledger, SessionId.parse(session), ann.wall_ms)
    assert sum(children for _, children, _ in pace.by_hour) == 4
    assert sum(tallied for _, _, tallied in pace.by_hour) == 4


@pytest.mark.parametrize(
    ("zone", "at", "day"),
    [
        ("Africa/Bujumbura", "T22:30Z", 1), ("Africa/Bujumbura", "T21:30+00:00", 0),
        ("America/Bogota", "T01:00Z", -1), ("+00:00", "T22:30Z", 0),
        # A day alone is one of the place already.
        ("Africa/Bujumbura", "", 0), ("America/Bogota", "", 0),
    ],
)  # fmt: skip
def test_a_dose_written_down_later_is_of_the_day_its_time_was_there(zone, at, day):
    _, ann, _ = two()
    ann.wall_ms = (DAY - 2) * 86_400_000
    session = ann.session(zone=zone)
    whom = ann.child()
    ann.wall_ms = (DAY + 3) * 86_400_000
    ann.dose(whom, session=session, at=f"2026-09-21{at}")
    ann.tally(session, 1, at=f"2026-09-21{at}")

    assert {each.day for each in ann.counts(session)} == {DAY + day}
    assert ann.total(session) == 2


def test_a_session_at_a_change_of_the_clock_counts_on_the_days_people_lived():
    _, ann, _ = two()
    change = 1_792_890_000_000  # 25 October 2026, 01:00 UTC: in Paris three becomes two
    ann.wall_ms = change - 4 * HOUR_MS  # 23:00 on the 24th
    session = ann.session(zone="Europe/Paris")
    for hour in (0, 2, 5, 26):  # 23:00, then 01:00 and 03:00 on the 25th, which has 25 hours
        ann.wall_ms = change + (hour - 4) * HOUR_MS
        ann.tally(session, 1)
    found = {each.day: each.doses for each in ann.counts(session)}

    assert found == {20_750: 1, 20_751: 2, 20_752: 1}
    pace = coverage.pace(ann.device.ledger, SessionId.parse(session), ann.wall_ms)
    assert [hour % 24 for hour, _, _ in pace.by_hour] == [23, 1, 3, 0]


def test_a_wrong_clock_loses_no_dose_and_makes_no_day():
    stage, ann, ben = two()
    session = ann.session(zone="Africa/Bujumbura")
    meet(stage, ann, ben)
    ben.wall_ms = 86_400_000  # 1970: no battery
    ben.tally(session, 1)
    ben.dose(ben.child(), session=session)
    ben.wall_ms, ben.ahead_ms = None, 3 * 86_400_000  # three days ahead
    ben.tally(session, 2)
    ann.tally(session, 1)
    ann.ahead_ms = 5 * HOUR_MS
    ann("session.close", {"session": session})
    meet(stage, ann, ben)

    for team in (ann, ben):
        found = team.counts(session)
        assert sum(each.doses for each in found) == 4
        assert {each.day for each in found} == {DAY}
        assert set(team.device.store.all("SELECT day FROM tally")) == {(DAY,)}


def test_a_session_opened_by_a_clock_without_battery_still_counts_all():
    _, ann, _ = two()
    ann.wall_ms = 3_600_000
    session = ann.session()
    ann.tally(session, 1)
    ann.dose(ann.child(), session=session)
    found = ann.counts(session)

    assert sum(each.doses for each in found) == 2
    assert {each.day for each in found} == {None}
    pace = coverage.pace(ann.device.ledger, SessionId.parse(session), WALL_MS)
    assert pace.unplaced == 2 and not pace.by_hour


def test_what_was_recorded_in_a_session_that_never_was_is_in_no_total():
    _, ann, _ = two()
    session = ann.session()
    ann.tally(session, 1)
    row = ann.device.store.one("SELECT e.hash FROM session s JOIN entry e ON e.arrival = s.entry")
    ann.retract(str(FactRef(EntryPrefix(bytes(row[0][:16])), 1)))

    assert ann.total() == 0
    assert ann.device.store.one("SELECT count(*) FROM tally") == (1,)


def test_a_group_registers_a_child_and_gives_the_dose_in_one():
    _, ann, _ = two()
    session = ann.session()
    lines = [
        line("patient.register", {"birth_date": BORN, "sex": "female"}),
        line("dose.record", {"vaccine": "mr", "session": session}, patient={"line": 1}),
    ]
    answers, _, _ = ann.device.node._recorder.together(lines, WALL_MS, ann.device.chance.randbytes)

    assert all(answer.ok for answer in answers)
    assert ann.total() == 1


def test_linked_devices_hear_a_serious_event():
    stage, (ann, ben) = linked("ann", "ben")
    made = stage.write(ann, line("patient.register", {"birth_date": BORN}))[0]
    report = {"severity": "serious", "symptoms": ["seizure"]}
    stage.write(ann, line("aefi.report", report, patient=made.patient))
    stage.run(3_000)
    ben.ledger.catch_up_all()

    assert ben.store.one("SELECT severity, serious FROM aefi") == ("serious", 1)


@pytest.mark.parametrize(
    ("role", "may"), [("vaccinator", True), ("nurse", True), ("registrar", False)]
)
def test_who_vaccinates_may_write_it_and_take_the_vial_out_of_the_store(role, may):
    agreed = terms(TERMS.read_text())
    (found,) = [each for each in agreed.roles if each.name == role]
    numbers = {int(kind.number) for kind in records.KINDS} | {int(KindNo.STOCK_ISSUE)}

    assert numbers <= set(found.kinds) if may else not numbers & set(found.kinds)


def test_a_tally_makes_its_own_row_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    _, ann, ben = two()
    session, other = ann.session(), ann.session()
    for _ in range(5):
        ann.tally(session, 1)
        ann.tally(other, 1)
    made: list[Any] = []
    row_of = tally._row
    monkeypatch.setattr(tally, "_row", lambda *said: made.append(said) or row_of(*said))

    ann.tally(session, 1)

    assert len(made) == 1
    monkeypatch.undo()
    # What all of them share has changed with the close: every row is made anew, and is the same.
    ann("session.close", {"session": session})
    ann.retract(ann.tally(other, 2))
    before = ann.device.care
    ann.device.ledger.rebuild_rows()
    assert ann.device.care == before
