"""A dose of a lot that was recalled meanwhile: never given by mistake, and never lost as a fact."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from protocols.ids import PatientId
from protocols.ledger import coverage, immunization, reading, recalls, vials
from protocols.live import vaccinating
from protocols.live.api import Recorded
from tests.unit.records_shelf import Shelf
from tests.unit.stage import WALL_MS, line
from tests.unit.test_vaccination_book import (
    DAY,
    HOUR_MS,
    Team,
    meet,
    stop_lot,
    store_of_lot,
    two,
)
from tests.unit.vaccinating import child, code_of, opened, vial

ITEM = "vaccine-mr-10"
MINUTE_MS = 60_000
GIVEN = "lot_given_already"
STOPS = ("lot_quarantined", "lot_recalled", "lot_expired")


def answer(team: Team, kind: str, data: dict[str, Any], **more: Any) -> Recorded:
    now_ms = WALL_MS + team.ahead_ms
    record = team.device.node._recorder.record
    ((found,), _, _) = record([line(kind, data, **more)], now_ms, team.device.chance.randbytes)
    return found


class Drive:
    """A session with a store, a vial of ten, and a child that had a dose of it a minute ago."""

    def __init__(self, expiry: str = "2027-12") -> None:
        self.stage, self.ann, self.ben = two()
        ann = self.ann
        self.store = store_of_lot(ann, expiry)
        self.session = ann.session(store=self.store)
        self.vial = ann.vial(self.session, expiry=expiry)
        self.child = ann.child()
        self.given_ms = WALL_MS

    def stopped(self, stop: str) -> None:
        """A minute after the dose the lot is no longer to be given."""
        self.ann.ahead_ms += MINUTE_MS
        if stop == "lot_expired":
            self.ann.ahead_ms += 24 * HOUR_MS
        else:
            stop_lot(self.ann, self.store, stop)
        self.ann.ahead_ms += MINUTE_MS

    @property
    def lines(self) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
        """A dose by name, one whose lot was typed, and one counted under a digit."""
        typed = {"vaccine": "mr", "session": self.session, "lot": "mr-1", "expiry": "2026-09-21"}
        return [
            ("dose.record", {"vaccine": "mr", "vial": self.vial}, {"patient": self.child}),
            ("dose.record", typed, {"patient": self.child}),
            ("tally.add", {"session": self.session, "cell": 1, "vial": self.vial}, {}),
        ]


def drive(stop: str) -> Drive:
    made = Drive("2026-09-21" if stop == "lot_expired" else "2027-12")
    made.stopped(stop)
    return made


LATE = ["vial_past_limit"]


@pytest.mark.parametrize("stop", STOPS)
def test_no_confirmation_that_a_refusal_asks_for_gives_a_dose_of_such_a_lot(stop):
    """Whoever repeats a line with what its answer names has given nothing."""
    here = drive(stop)
    for kind, data, more in here.lines:
        confirm: list[str] = list(LATE)
        for _ in range(4):
            told = answer(here.ann, kind, data, confirm=confirm, **more)
            assert (told.ok, told.error, told.confirm) == (False, stop, None), (kind, data)
            confirm += [told.confirm] if told.confirm else []
    assert coverage.counts(here.ann.device.ledger) == []


@pytest.mark.parametrize("stop", STOPS)
def test_a_dose_that_is_in_the_child_is_written_once_somebody_says_so(stop):
    for at in range(3):
        here = drive(stop)
        kind, data, more = here.lines[at]
        told = answer(here.ann, kind, data, confirm=[GIVEN, *LATE], **more)
        assert told.ok and GIVEN in told.warnings
        assert here.ann.total(here.session) == 1


def test_what_was_said_stands_in_the_record():
    here = drive("lot_recalled")
    kind, data, more = here.lines[0]
    fact = answer(here.ann, kind, data, confirm=[GIVEN], **more).id
    held = here.ann.device.ledger
    (found,) = immunization.child(held, PatientId.parse(here.child), DAY).doses

    assert str(found.ref) == fact
    (record,) = [
        each.record
        for each in reading.facts(held, bytes(PatientId.parse(here.child)))
        if each.ref == found.ref
    ]
    assert GIVEN in record.circumstances.confirmed


@pytest.mark.parametrize("stop", ["lot_quarantined", "lot_recalled"])
@pytest.mark.parametrize(
    ("at", "taken"),
    [
        (WALL_MS, True),
        (WALL_MS + MINUTE_MS, False),
        (WALL_MS + 90_000, False),
        ("2026-09-19", True),
        ("2026-09-21", False),
        ("2026-09", False),
    ],
)
def test_a_stated_time_counts_where_it_was_over_before_the_lot_was_stopped(stop, at, taken):
    """A day of the place may end long after it ended in UTC; a month says nothing."""
    here = drive(stop)
    about = {"vaccine": "mr", "vial": here.vial}
    told = answer(here.ann, "dose.record", about, patient=here.child, at=at, confirm=LATE)

    assert told.ok == taken, told
    assert told.warnings == ("lot_stopped_since", "vial_limit_doubtful")[: len(told.warnings)]
    assert ("lot_stopped_since" in told.warnings) == taken
    if not taken:
        assert told.error == stop


@pytest.mark.parametrize(("hours", "taken"), [(0, False), (1, True)])
def test_an_hour_that_was_stated_was_over_before_only_when_it_ended_before(hours, taken):
    here = drive("lot_recalled")
    about = {"vaccine": "mr", "vial": here.vial}
    at = WALL_MS - hours * HOUR_MS
    more = {"at": at, "at_precision": "hour", "confirm": LATE}
    assert answer(here.ann, "dose.record", about, patient=here.child, **more).ok == taken


def test_no_time_is_before_a_recall_whose_own_clock_cannot_be_right():
    shelf = Shelf()
    about = {"vaccine": "mr", "vial": vial(shelf, opened(shelf))}
    old = child(shelf, born="1960-01-01").id
    right_ms, shelf.now_ms = shelf.now_ms, 1_000_000
    shelf.write("lot.recall", {"item": ITEM, "lot": "MR-1", "why": "falsified"})
    shelf.now_ms = right_ms

    assert code_of(shelf, "dose.record", about, patient=old, at=500_000) == "lot_recalled"


@pytest.mark.parametrize("stop", ["lot_quarantined", "lot_recalled"])
def test_a_clock_that_cannot_be_right_lets_no_such_dose_pass(stop):
    here = drive(stop)
    ann = here.ann
    early = ann.session(store=here.store)
    ann.ahead_ms = 1_000 - WALL_MS
    for session, bottle in ((here.session, here.vial), (early, None)):
        about = {"vaccine": "mr", "session": session, "vial": bottle, "lot": "MR-1"}
        kept = {name: value for name, value in about.items() if value}
        told = answer(ann, "dose.record", kept, patient=here.child)
        assert told.error == stop, told


OPENED = "lot_opened_already"


def opening(here: Drive, **more: Any) -> Recorded:
    about = {"session": here.session, "item": ITEM, "lot": "MR-1", **more.pop("data", {})}
    return answer(here.ann, "vial.open", about, **more)


@pytest.mark.parametrize("stop", STOPS)
def test_a_vial_of_it_is_opened_by_nobody_who_confirms_what_is_asked(stop):
    here = drive(stop)
    confirm: list[str] = []
    for _ in range(4):
        told = opening(here, confirm=confirm)
        assert (told.ok, told.error, told.confirm) == (False, stop, None)
        confirm += [told.confirm or GIVEN]
    assert len(vials.vials(here.ann.device.ledger, WALL_MS, None)) == 1


@pytest.mark.parametrize("stop", ["lot_quarantined", "lot_recalled"])
@pytest.mark.parametrize(
    ("about", "warned"),
    [
        ({"confirm": [OPENED]}, OPENED),
        ({"at": WALL_MS}, "lot_stopped_since"),
        ({"at": WALL_MS, "confirm": [OPENED]}, "lot_stopped_since"),
        ({"at": WALL_MS + 90_000}, ""),
        ({"at": WALL_MS + 90_000, "confirm": [OPENED]}, OPENED),
    ],
)
def test_a_vial_that_was_opened_before_is_written_by_its_time_or_once_somebody_says_so(
    stop, about, warned
):
    here = drive(stop)
    told = opening(here, **about)
    assert told.ok is bool(warned), told
    assert [code for code in told.warnings if code.startswith("lot_")] == ([warned] * bool(warned))
    assert told.ok or told.error == stop


def test_a_vial_past_its_last_day_was_opened_before_only_by_its_time():
    here = drive("lot_expired")
    assert opening(here, confirm=[OPENED]).error == "lot_expired"
    assert opening(here, at=WALL_MS).ok
    # Where no store counts it, what is on the vial is all there is.
    typed = {"session": here.ann.session(), "expiry": "2026-09-21"}
    assert opening(here, confirm=[OPENED], data=typed).error == "lot_expired"
    assert opening(here, at=WALL_MS, data=typed).ok


def test_of_a_vial_that_was_opened_before_no_new_dose_is_drawn_and_what_was_drawn_is_written():
    here = drive("lot_recalled")
    bottle = opening(here, confirm=[OPENED]).id
    dose = {"vaccine": "mr", "vial": bottle}
    assert answer(here.ann, "dose.record", dose, patient=here.child).error == "lot_recalled"
    assert answer(here.ann, "dose.record", dose, patient=here.child, confirm=[GIVEN]).ok

    meet(here.stage, here.ann, here.ben)
    for team in (here.ann, here.ben):
        node, now = team.device.node, here.stage.now(team.device)
        told = vaccinating.drive(node, now, {"session": here.session}).vials
        assert {each.id: each.stop for each in told}[bottle] == "lot_recalled"
        (store,) = recalls.answers(team.device.ledger.store, ITEM, "MR-1")
        assert (store.low, store.gave) == (30, 20), "both vials left the store"
        (found,) = recalls.recipients(team.device.ledger, ITEM, "MR-1")
        assert PatientId(found.patient) == PatientId.parse(here.child)


def test_what_is_doubtful_of_its_stock_is_asked_all_the_same():
    here = drive("lot_recalled")
    told = opening(here, confirm=[OPENED], data={"doses": 60})
    assert (told.error, told.confirm) == ("confirm_needed", "beyond_stock")


def test_a_recalled_diluent_opens_no_vial_and_is_asked_of_doses_that_were_mixed_with_it():
    here = Drive()
    catalogue = recalls.catalogue(here.ann.device.ledger).by_code()
    diluent = catalogue[ITEM].diluents[0]
    about = {"session": here.session, "item": ITEM, "lot": "MR-2", "diluent_lot": "D-1"}
    mixed = here.ann("vial.open", about, confirm=["lot_unknown", "beyond_stock"]).id
    here.ann("lot.recall", {"item": diluent, "lot": "D-1", "why": "contaminated"})

    sure = ["lot_unknown", "beyond_stock", GIVEN]
    assert answer(here.ann, "vial.open", about, confirm=sure).error == "lot_recalled"
    told = answer(here.ann, "vial.open", about, confirm=[*sure, OPENED])
    assert told.ok and OPENED in told.warnings, "it was mixed before that was known"
    dose = {"vaccine": "mr", "vial": mixed}
    assert answer(here.ann, "dose.record", dose, patient=here.child).error == "lot_recalled"
    told = answer(here.ann, "dose.record", dose, patient=here.child, confirm=[GIVEN])
    assert told.ok and GIVEN in told.warnings


def test_who_had_it_is_on_the_list_of_the_recall_and_the_dose_says_so_wherever_it_is_read():
    here = drive("lot_recalled")
    kind, data, more = here.lines[0]
    answer(here.ann, kind, data, confirm=[GIVEN], **more)
    meet(here.stage, here.ann, here.ben)
    for team in (here.ann, here.ben):
        (found,) = recalls.recipients(team.device.ledger, ITEM, "MR-1")
        assert PatientId(found.patient) == PatientId.parse(here.child)
        node, now = team.device.node, here.stage.now(team.device)
        asked = {"patient": here.child, "session": here.session}
        told = vaccinating.child(node, now, asked, opened=lambda _: True)
        assert told.doses[0].recalled == ("contaminated",)
        assert told.doses[0].states[0][1] == "valid", "no rule speaks of lots"


@pytest.mark.parametrize("stop", STOPS)
def test_a_vial_that_was_stopped_says_so_and_another_one_is_drawn_from_first(stop):
    here = drive(stop)
    node, now = here.ann.device.node, here.stage.now(here.ann.device)
    now = msgspec.structs.replace(now, wall_ms=WALL_MS + here.ann.ahead_ms)
    asked = {"patient": here.child, "session": here.session}
    line_of = vaccinating.child(node, now, asked, opened=lambda _: True).give[0]
    (told,) = vaccinating.drive(node, now, asked).vials

    assert told.stop == stop
    if stop == "lot_expired":
        assert line_of.vial == "", "it is past the hours that it may be open"
        return
    assert (line_of.vial, line_of.stop) == (here.vial, stop)

    other = here.ann(
        "vial.open",
        {"session": here.session, "item": ITEM, "lot": "MR-2"},
        confirm=["lot_unknown", "beyond_stock"],
    ).id
    line_of = vaccinating.child(node, now, asked, opened=lambda _: True).give[0]
    assert (line_of.vial, line_of.stop) == (other, "")


def test_doses_of_a_vial_before_and_after_are_counted_alike():
    here = Drive()
    first = here.ann.child()
    here.ann.dose(first, vial=here.vial)
    here.stopped("lot_recalled")
    kind, data, more = here.lines[0]
    answer(here.ann, kind, data, confirm=[GIVEN], **more)

    (found,) = vials.vials(here.ann.device.ledger, WALL_MS, None)
    assert found.drawn == 2
