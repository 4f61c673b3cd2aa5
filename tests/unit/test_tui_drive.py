"""The core of drive mode: which stage takes which key, and what is written of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fieldnode.tui.cores.child_age import AGE_MOST, ChildAge
from fieldnode.tui.cores.crowd import vial_for
from fieldnode.tui.cores.drawn import Drawn
from fieldnode.tui.cores.drive import CARD, CHILD, NEW, STOP, STOPS, DriveCore
from fieldnode.tui.cores.fields import AnswerError, Coded
from fieldnode.tui.cores.picked import Item
from fieldnode.tui.cores.session_text import Many, cells, lefts, lots, targets
from fieldnode.tui.screens.choices import SEX
from protocols.live.drive import Child, GiveLine, GivenLine, VialLine, is_box
from protocols.records.dose import STATUSES
from protocols.records.person import _AGE_MAX as REGISTERED

WORDS = {"en": "x"}
GIVE = (
    GiveLine("mr", WORDS, "overdue", number=1, vial="fct_1.0"),
    GiveLine("bopv", WORDS, "due", number=1),
    GiveLine("bcg", WORDS, "complete", vial="fct_2.0"),
)
STOPPED = ("fct_1.0", "fct_2.0", "fct_3.0")
KEYS = st.lists(st.sampled_from([*"0123456789n*/cvym~", "enter", "escape", "up", "down", "tab",
                                 "backspace"]), max_size=40)  # fmt: skip


def core() -> DriveCore:
    return DriveCore(Coded("sex", "field.sex", required=True, choices=SEX))


def typed(*keys) -> DriveCore:
    """Return a core that asked what is due for whoever was typed."""
    drive = core()
    drive.begin("KM-1")
    for key in keys:
        if drive.key(key).what == "age":
            drive.show(Child(None, GIVE))
    return drive


def test_only_what_is_due_and_has_a_vial_is_ticked():
    assert typed("2", "2", "enter", "1").ticked == {"mr"}


@pytest.mark.parametrize("status", ["allergy", "contraindicated", "refused", "fever"])
def test_who_must_not_have_a_vaccine_is_not_ticked_for_it_when_they_come_again(status):
    drive = core()
    stop = GivenLine("fct_3.0", "mr", WORDS, None, "2026-05-20", status, "")
    drive.show(Child(None, GIVE, doses=(stop,)))
    assert drive.ticked == (frozenset() if status in ("allergy", "contraindicated") else {"mr"})
    drive.refresh(Child(None, GIVE, doses=(stop,)))
    assert (drive.stopped("mr") is None) is bool(drive.ticked)

    # A person who has looked ticks it; a record taken back, or a dose since, stops nothing.
    drive.show(Child(None, GIVE, doses=(replace(stop, replaced=2),)))
    assert drive.ticked == {"mr"}
    drive.show(Child(None, GIVE, doses=(stop, replace(stop, fact="fct_4.0", status="given"))))
    assert drive.ticked == {"mr"}


def test_a_card_typed_as_digits_is_completed_like_the_last_one_scanned():
    drive = core()
    drive.learn("KM-20931")
    for key in "20932":
        drive.key(key)

    assert drive.key("enter") == ("look", "KM-20932")


def test_the_records_of_one_child_have_keys_of_their_own_that_are_the_same_again():
    drive = typed("2", "2", "enter", "1")
    drive.key("3")
    first, again = drive.records("abc", "ses"), drive.records("abc", "ses")

    assert first == again
    assert [line["key"] for line in first] == ["abc", "abc-mr-given", "abc-bcg-given"]
    assert first[1]["patient"] == {"line": 1}
    assert first[0]["data"]["tags"] == ["KM-1"]


def test_what_the_node_asked_of_one_dose_is_confirmed_of_that_dose_alone():
    drive = typed("2", "2", "enter", "1", "3")
    drive.doubt(drive.vaccine_of(2), "dose_given_already")
    assert drive.key("1").what == "ring"
    assert drive.key("enter").what == "agree"
    drive.agree()

    confirmed = [line.get("confirm") for line in drive.records("abc", "ses")]
    assert confirmed == [None, None, ["dose_given_already"]]


def test_every_stop_is_a_status_of_the_record():
    assert {word for _, word in STOPS} <= set(STATUSES) - {"given"}


def test_a_stop_with_nothing_ticked_is_of_what_was_due():
    drive = typed("2", "2", "enter", "1", "1", "0", "1")

    lines = drive.records("abc", "ses")[1:]
    assert [(one["data"]["vaccine"], one["data"]["status"]) for one in lines] == [
        ("mr", "refused"), ("bopv", "refused"),
    ]  # fmt: skip


def test_after_a_vial_was_opened_only_what_it_is_for_is_ticked_beside():
    drive = typed("2", "2", "enter", "1", "1")
    assert drive.ticked == frozenset()
    opened = GIVE[1].__replace__(vial="fct_9.0") if hasattr(GIVE[1], "__replace__") else None
    if opened is None:
        opened = GiveLine("bopv", WORDS, "due", number=1, vial="fct_9.0")
    drive.refresh(Child(None, (GIVE[0], opened, GIVE[2])))

    assert drive.ticked == {"bopv"}


def test_what_turns_out_to_be_barred_loses_its_tick():
    drive = typed("2", "2", "enter", "1")
    barred = GiveLine("mr", WORDS, "contraindicated", number=1, vial="fct_1.0")
    drive.refresh(Child(None, (barred, *GIVE[1:])))

    assert drive.ticked == frozenset()


@given(KEYS)
def test_whatever_is_struck_nothing_is_written_without_a_vial_and_nothing_by_itself(keys):
    drive = core()
    for key in keys:
        do = drive.key(key)
        if do.what == "age":
            drive.show(Child(None, GIVE))
        if do.what == "save":
            lines = drive.records("abc", "ses")
            given = [one for one in lines if one["kind"] == "dose.record"]
            for one in given:
                assert bool(one["data"].get("vial")) != bool(one["data"].get("status"))
            assert {one["data"]["vaccine"] for one in given} <= {"mr", "bopv", "bcg"}
            assert lines[0]["data"]["age"]["unit"] in ("mo", "y")
            drive.restart()
    assert drive.stage in (CARD, NEW, CHILD, STOP, "name")
    assert drive.ticked <= {"mr", "bcg"}


@pytest.mark.parametrize(
    ("text", "age"),
    [("22", "22 mo"), ("3y", "3 y"), ("3a", "3 y"), ("6s", "6 w"), ("5j", "5 d"), ("~9", "~9 mo"),
     ("22 mo", "22 mo"), ("007", "7 mo")],
)  # fmt: skip
def test_an_age_as_it_is_typed_means_an_age_with_its_unit(text, age):
    assert ChildAge("age", "x").read(text).text == age


@pytest.mark.parametrize("text", ["49", "121y", "121d", "61w", "~", "y"])
def test_an_age_that_nobody_has_is_refused(text):
    with pytest.raises(AnswerError):
        ChildAge("age", "x").read(text)


@pytest.mark.parametrize(
    ("code", "box"),
    [("]d2010950600013435217", True), ("]C10109506000134352", True), ("]E0950600013435", True),
     ("]C0KM-20931", False), ("]C1TG-000412", False), ("KM-1", False), ("]C0A\x1dB", True)],
)  # fmt: skip
def test_a_code_that_can_only_be_of_a_box_is_known_by_its_beginning(code, box):
    assert is_box(code) is box


def test_the_vial_opened_first_is_drawn_from_until_it_is_empty_or_past():
    def vial(name, left, **more):
        known = {"past": False, "closed": False} | more
        limit = known.pop("limit_ms", None)
        return VialLine(name, "i", "mr", WORDS, "L", "", 0, 10, 10 - left, left, limit, **known)

    vials = [vial("old", 3, past=True), vial("one", 2, limit_ms=5), vial("two", 10)]
    assert vial_for(vials, "mr", {}, 5).id == "one"
    assert vial_for(vials, "mr", {}, 6).id == "two"
    assert vial_for(vials, "mr", {"one": 2}, 5).id == "two"
    assert vial_for(vials, "mr", {"one": 2, "two": 10}, 5) is None
    assert vial_for(vials, "bcg", {}, 5) is None


def test_a_key_goes_on_only_to_vials_that_may_still_be_used_and_then_to_stopped_ones():
    def vial(name, left=5, **more):
        known = {"past": False, "closed": False} | more
        return VialLine(name, "i", "mr", WORDS, "L", "", 0, 10, 10 - left, left, None, **known)

    drawn, line = Drawn(), GIVE[0]
    drawn.vials = (
        vial(line.vial), vial("past", past=True), vial("empty", 0), vial("thrown", closed=True),
        vial("back", stop="lot_recalled"), vial("next"), vial("gone", closed=True, stop="x"),
    )  # fmt: skip
    assert drawn.choices(line) == [line.vial, "next", "back"]
    assert drawn.good(line)
    drawn.step(line)
    assert drawn.of(line).vial == "next"
    drawn.vials = drawn.vials[:5]
    assert not drawn.good(line), "what is past, empty, thrown away or stopped is no other one"


def test_what_is_typed_to_open_a_session_reads_as_the_record_has_it():
    assert targets("measles 300, Measles/2 120") == [
        {"antigen": "measles", "number": 300},
        {"antigen": "measles", "number": 120, "band": 2},
    ]
    assert lots("vaccine-mr-10 MR-1 2028-03; i L") == [
        {"item": "vaccine-mr-10", "lot": "MR-1", "expiry": "2028-03"}, {"item": "i", "lot": "L"},
    ]  # fmt: skip
    assert cells("mr 1 2 f, mr 0") == [
        {"vaccine": "mr", "dose": 1, "band": 2, "sex": "female"}, {"vaccine": "mr", "dose": 0},
    ]  # fmt: skip
    assert lefts("i L 40") == [{"item": "i", "lot": "L", "doses": 40}]


@pytest.mark.parametrize(
    ("read", "text"),
    [(targets, "measles"), (targets, "measles -3"), (lots, "mr"), (lots, "i L 28-3"),
     (cells, "mr 1 7"), (cells, "mr"), (lefts, "i L"), (lefts, "i L 1.5"),
     (cells, ",".join(["mr 1"] * 10))],
)  # fmt: skip
def test_what_does_not_read_is_refused_by_name(read, text):
    with pytest.raises(AnswerError) as refused:
        read(text)
    assert refused.value.reason.key.startswith("session.")


def test_vaccines_are_numbers_or_codes_each_once():
    field = Many("v", "x", items=(Item("1", "bcg", "BCG"), Item("2", "mr", "MR")))

    assert field.read("2 bcg, 1").text == "mr bcg"
    with pytest.raises(AnswerError):
        field.read("3")


@pytest.mark.parametrize("unit", ["mo", "y", "w", "d"])
def test_an_age_that_the_field_takes_is_one_that_a_registration_takes(unit):
    letter = {"mo": "", "y": "y", "w": "w", "d": "d"}[unit]
    assert ChildAge("age", "x").read(f"{AGE_MOST[unit]}{letter}").text == f"{AGE_MOST[unit]} {unit}"
    assert AGE_MOST[unit] <= REGISTERED[unit]


VIALS = tuple(
    VialLine(f"fct_{at}.0", "item", code, WORDS, f"L-{at}", "", 0, 10, 0, 10, None,
             past=False, closed=False)
    for at, code in ((1, "mr"), (2, "bcg"), (3, "mr"), (4, "mr"))
)  # fmt: skip


@given(
    KEYS,
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from(STOPPED)), max_size=4),
)
def test_no_key_but_its_own_digit_ticks_what_was_stopped(keys, stops):
    """Whenever it is stopped: written of it is only what a person ticked who could see that."""
    drive = core()
    drive.told(VIALS)
    drive.show(Child(None, GIVE))
    known: set[str] = set()
    stopped: set[str] = set()
    for at, key in enumerate(keys):
        for when, vial in stops:
            if when == at:
                stopped.add(vial)
                drive.told([replace(one, stop="lot_recalled" * (one.id in stopped))
                            for one in VIALS])  # fmt: skip
        before = {line.vaccine for line in drive.lines if line.stop}
        digits = {str(place): line.vaccine for place, line in enumerate(drive.lines, 1)}
        if drive.stage == CHILD and digits.get(key) in before:
            known.add(digits[key])
        drive.key(key)
        if drive.child is None:
            return
        for line in drive.lines:
            if line.vaccine in drive.ticked and line.stop:
                assert line.vaccine in known
