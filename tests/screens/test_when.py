"""When it happened and who did it: stated on every form, changed by one key (SAFETY 13)."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldnode.tui.cores.fields import AnswerError, Time
from fieldnode.tui.occasion import Occasion
from fieldnode.tui.wording import happened
from fieldnode.tui.zone import LocalZone
from protocols.ledger.recording import Recorder
from protocols.live import answers as answers_of
from tests.screens.fake_node import NOW_MS, waiting_results, ward
from tests.screens.test_line import told
from tests.screens.test_pages import Person
from tests.unit.stage import WALL_MS, Device, patient

WRITTEN = ("at", "at_precision", "by", "source")


@pytest.fixture
def person() -> Person:
    return Person()


def circumstances(line):
    return {name: line[name] for name in WRITTEN if name in line}


def into(person, form):
    """Open a form and answer enough of it; one Enter more would save."""
    keys = {
        "register": ["n", "tab", "tab", "9", "tab", "tab", "tab", "tab"],
        "triage": ["f2", "tab", "2", "4", "2", "burn"],
        "vitals": ["enter", "v", "20", "tab", "98", *["tab"] * 6],
        "note": ["enter", "n", "pale"],
        "triage again": ["enter", "t", "2", "burn"],
    }
    return person.press(*keys[form])


FORMS = ("register", "triage", "vitals", "note", "triage again")


@pytest.mark.parametrize("form", FORMS)
def test_every_form_states_the_default_and_writes_nothing_of_it(person: Person, form):
    into(person, form)
    assert "Happened now, by: not identified" in person.screen
    assert "Ctrl+T when, by whom" in person.screen

    person.press("enter")
    assert person.node.written
    assert [circumstances(line) for line in person.node.written] == [{}] * len(person.node.written)


@pytest.mark.safety(13)
@pytest.mark.parametrize("form", FORMS)
def test_one_key_in_every_form_says_when_and_by_whom(person: Person, form):
    into(person, form)
    person.press("ctrl+t", "2026-05-19", "enter", "1405", "enter", "2", "J. Cho", "enter")
    assert "Happened 2026-05-19 ~14:05, by: J. Cho" in person.screen

    person.press("enter")
    stated = {"at": "2026-05-19T14:05:00+00:00", "at_precision": "about", "by": "J. Cho"}
    assert person.node.written
    for line in person.node.written:
        assert circumstances(line) == stated


HADDAD = ("f3", "haddad", "enter", "enter")
PAGES = {
    "conflict.settle": (*HADDAD, "u"),
    "patient.identify": (*HADDAD, "u"),
    "result.assign": ("r", "enter", "haddad", "enter", "enter"),
}
"""Pages without a form that write a record too."""


def on_page(kind) -> Person:
    node = ward()
    node.waiting = waiting_results()
    if kind == "patient.identify":
        node.patients["pat_00003"].tags = ("TG-000412",)
    return Person(node).press(*PAGES[kind])


@pytest.mark.parametrize("kind", PAGES)
def test_pages_without_a_form_say_when_and_by_whom_too(kind):
    person = on_page(kind)
    assert "Happened now, by: not identified" in person.screen
    assert "Ctrl+T when, by whom" in person.screen

    person.press("ctrl+t", "2026-05-19", "enter", "1405", "enter", "2", "J. Cho", "enter")
    assert "Happened 2026-05-19 ~14:05, by: J. Cho" in person.screen
    person.press("enter")

    (line,) = person.node.written
    stated = {"at": "2026-05-19T14:05:00+00:00", "at_precision": "about", "by": "J. Cho"}
    assert (line["kind"], circumstances(line)) == (kind, stated)


@pytest.mark.parametrize("kind", PAGES)
def test_pages_without_a_form_write_nothing_of_the_default(kind):
    person = on_page(kind).press("enter")
    (line,) = person.node.written
    assert (line["kind"], circumstances(line)) == (kind, {})


@pytest.mark.parametrize("kind", PAGES)
def test_pages_without_a_form_ask_it_first_where_paper_is_typed_up(kind):
    person = on_page(kind)
    person.shell.desk.paper = True
    person.press("enter")
    assert person.shell.page.name == "when" and person.node.written == []
    person.press("2026-05-19", *["enter"] * 4, "enter")
    (line,) = person.node.written
    assert circumstances(line) == {"at": "2026-05-19", "source": "paper"}


@pytest.mark.parametrize(
    ("keys", "stated"),
    [
        (["enter", "enter", "enter", "J. Cho", "enter"], {"by": "J. Cho"}),
        (["2026-05-19", *["enter"] * 4], {"at": "2026-05-19"}),
        (["2026-04", *["enter"] * 4], {"at": "2026-04"}),
        (
            ["enter", "14", "enter", "enter", "enter"],
            {"at": "2026-05-20T14:00:00+00:00", "at_precision": "hour"},
        ),
        (["enter", "905", "enter", "1", "enter", "enter"], {"at": "2026-05-20T09:05:00+00:00"}),
        (["enter"] * 4, {}),
    ],
)
def test_what_is_known_is_written_as_exactly_as_it_is_known(person: Person, keys, stated):
    into(person, "note").press("ctrl+t", *keys, "enter")

    (line,) = person.node.written
    assert circumstances(line) == stated


def test_a_time_that_has_not_come_today_asks_for_its_day(person: Person):
    into(person, "note").press("ctrl+t", "enter", "2350", "enter", "enter", "enter")

    assert "23:50 today has not come yet" in person.screen
    person.press("2026-05-19", "enter", "enter")
    assert person.node.written[0]["at"] == "2026-05-19T23:50:00+00:00"


def test_a_time_of_an_unknown_day_is_refused(person: Person):
    into(person, "note").press("ctrl+t", "2026-05", "enter", "1405", "enter", "enter", "enter")

    assert "A time needs the whole day" in person.screen
    assert person.node.written == []


def test_escape_leaves_what_was_stated_as_it_was(person: Person):
    into(person, "note").press("ctrl+t", "2026-05-19", "escape")

    assert "Happened now" in person.screen
    assert "[ pale" in person.screen


def test_what_was_stated_is_kept_with_the_draft(person: Person):
    into(person, "note").press("ctrl+t", "2026-05-19", "enter", "enter", "enter", "J. Cho", "enter")
    person.press("escape", "escape", "d", "enter")
    assert "Happened 2026-05-19, by: J. Cho" in person.screen

    person.press("enter")
    assert circumstances(person.node.written[0]) == {"at": "2026-05-19", "by": "J. Cho"}


def test_a_draft_stays_of_its_time_when_only_its_author_is_stated(person: Person):
    into(person, "note").press("escape", "escape")
    person.shell.tick(NOW_MS + 600_000)
    person.press("d", "enter", "ctrl+t", "enter", "enter", "enter", "J. Cho", "enter")
    assert "Happened 14:32, by: J. Cho" in person.screen

    person.press("enter")
    assert circumstances(person.node.written[0]) == {"at": NOW_MS, "by": "J. Cho"}


@pytest.mark.safety(13)
def test_a_chart_says_a_time_no_more_exactly_than_it_is_known(person: Person):
    into(person, "note").press("ctrl+t", "2026-05-19", *["enter"] * 3, "J. Cho", "enter", "enter")
    assert "2026-05-19" in person.screen
    assert "by J. Cho" in person.screen

    person.press("n", "grey", "ctrl+t", "enter", "1405", "enter", "2", "enter", "enter")
    assert "~14:05" in person.screen


PAPER = ["f10", "7"]
WHEN = ["2026-05-19", "enter", "1405", "enter", "1", "J. Cho", "enter"]


@pytest.mark.safety(13)
def test_paper_records_are_asked_when_and_by_whom_and_marked(person: Person):
    person.press(*PAPER)
    assert "PAPER RECORDS" in person.screen.splitlines()[1]

    person.press("n")
    assert "WHEN IT HAPPENED" in person.screen
    person.press(*WHEN, "tab", "tab", "9", *["tab"] * 4, "enter")

    stated = {"at": "2026-05-19T14:05:00+00:00", "by": "J. Cho", "source": "paper"}
    assert [circumstances(line) for line in person.node.written] == [stated] * 2
    assert "PAPER RECORDS" in person.screen.splitlines()[1]


@pytest.mark.safety(13)
def test_the_last_paper_record_is_offered_for_the_next(person: Person):
    person.press(*PAPER, "enter", "n", *WHEN, "pale", "enter", "n")
    assert "[ 2026-05-19" in person.screen
    assert "[ J. Cho" in person.screen

    person.press("enter", *["backspace"] * 5, "15", "enter", "enter", "enter", "grey", "enter")
    assert [line.get("at") for line in person.node.written] == [
        "2026-05-19T14:05:00+00:00",
        "2026-05-19T15:00:00+00:00",
    ]
    assert person.node.written[1]["by"] == "J. Cho"


def test_a_paper_record_without_its_time_is_not_saved(person: Person):
    person.press(*PAPER, "enter", "n", "escape", "pale", "enter")
    assert "WHEN IT HAPPENED" in person.screen
    assert person.node.written == []

    person.press("enter", "enter", "enter", "enter")
    assert "needed before saving" in person.screen
    person.press(*WHEN, "enter", "enter", "enter")
    assert person.node.written[0]["source"] == "paper"


def test_records_are_of_now_again_once_paper_ends(person: Person):
    person.press(*PAPER, *PAPER, "enter", "n", "pale", "enter")

    assert "PAPER" not in person.screen
    assert circumstances(person.node.written[0]) == {}


def test_a_draft_from_paper_stays_one_after_the_mode_ends(person: Person):
    person.press(*PAPER, "enter", "n", *WHEN, "pale", "escape", "escape", *PAPER, "d", "enter")
    person.press("enter")

    assert circumstances(person.node.written[0])["source"] == "paper"


def test_line_mode_states_it_and_takes_a_sign_for_the_key():
    node, said = told("", "n", "@", "2026-05-19", "1405", "2", "J. Cho", "pale")

    assert "Happened now, by: not identified" in said
    assert "Happened 2026-05-19 ~14:05, by: J. Cho" in said
    assert node.written[0]["by"] == "J. Cho"


def test_line_mode_says_that_records_are_from_paper():
    node, said = told("f10", "7", "", "n", "2026-05-19", "14", "", "", "pale")

    assert "PAPER RECORDS" in said
    assert node.written[0]["source"] == "paper"
    assert node.written[0]["at_precision"] == "hour"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("1405", "14:05"), ("14:05", "14:05"), ("905", "09:05"), ("9:05", "09:05"), ("7", "07")],
)
def test_a_time_is_read_as_it_is_typed(typed, meant):
    assert Time("t", "when.time").read(typed).text == meant


@pytest.mark.parametrize("typed", ["2400", "1260", "24", "12345", ":30"])
def test_a_time_that_does_not_exist_is_refused(typed):
    with pytest.raises(AnswerError):
        Time("t", "when.time").read(typed)


@pytest.mark.parametrize(
    "stated",
    [
        Occasion("2026-05-19", "14:05", about=True, by="J. Cho"),
        Occasion("2026-05-19", "14", paper=True),
        Occasion("2026-05-19"),
        Occasion("2026-05"),
        Occasion("2026"),
        Occasion(by="J. Cho"),
    ],
)
def test_a_book_takes_what_a_form_states(stated):
    ann = Device.found("ann")
    line = {**patient("Awa"), "key": "k", **stated.line(timezone(timedelta(hours=2)))}
    answers, _, _ = Recorder(ann.ledger).record([line], WALL_MS, ann.chance.randbytes)
    (answer,) = answers
    chart = answers_of.chart(ann.ledger, answer.patient, 0, 1, WALL_MS)
    (told_line,) = chart.lines
    said = dict(told_line.summary)

    assert said.get("by", "") == stated.by
    assert (said.get("source") == "paper") is stated.paper
    if stated.time:
        assert told_line.at_ms == 1_779_192_300_000 - (0 if stated.about else 300_000)
    shown = happened(told_line.at_ms, said.get("precision", ""), WALL_MS, UTC)
    if stated.day and not stated.time:
        assert shown == stated.day


@pytest.fixture
def paris(monkeypatch) -> Iterator[LocalZone]:
    """A machine that turns its clock in March and October."""
    monkeypatch.setenv("TZ", "Europe/Paris")
    time.tzset()
    yield LocalZone()
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("day", "at", "offset"),
    [
        ("2026-01-19", "14:05", "+01:00"),
        ("2026-07-19", "14:05", "+02:00"),
        ("2026-03-29", "01:59", "+01:00"),
        ("2026-03-29", "03:00", "+02:00"),
        ("2026-10-25", "01:59", "+02:00"),
        ("2026-10-25", "02:30", "+02:00"),
        ("2026-10-25", "03:00", "+01:00"),
        ("1890-05-01", "12:00", "+00:09"),
    ],
)
def test_paper_of_another_season_is_dated_by_the_offset_of_its_day(
    paris: LocalZone, day, at, offset
):
    written = Occasion(day, at, paper=True).line(paris)["at"]
    assert written == f"{day}T{at}:00{offset}"
    stated = datetime.fromisoformat(written)
    assert (
        stated.astimezone(ZoneInfo("Europe/Paris")).strftime("%H:%M") == at or day == "1890-05-01"
    )


@given(st.integers(-(2**36), 2**36))
def test_local_time_goes_there_and_back_and_is_what_the_zone_says(seconds):
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Europe/Paris"
    time.tzset()
    try:
        moment = datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)
        local = moment.astimezone(LocalZone())
        if 1920 < moment.year < 2037:
            real = moment.astimezone(ZoneInfo("Europe/Paris"))
            assert local.replace(tzinfo=None) == real.replace(tzinfo=None)
            assert local.astimezone(UTC) == moment or real.fold
    except OverflowError:
        assert abs(seconds) > 10**10
    finally:
        os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
        time.tzset()
