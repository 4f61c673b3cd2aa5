"""A session is opened once and never changes: nothing opens it before all of it was asked."""

import os
import time

import pytest

from fieldnode.tui.screens.form_page import FormPage
from fieldnode.tui.zone import LocalZone, zone_name
from tests.screens.fake_node import NOW_MS
from tests.screens.test_drive import Counting, saved


@pytest.fixture
def zoned():
    """Set the system's zone for a test."""
    before = os.environ.get("TZ")

    def to(name):
        os.environ["TZ"] = name
        time.tzset()
        return LocalZone()

    yield to
    os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    time.tzset()


def asked(person):
    return person.shell.page.form.open_field.name


@pytest.mark.safety(21)
def test_enter_goes_through_every_field_before_it_opens_a_session():
    person = Counting().press("f4", "n", *"1 2", "enter")
    seen, form = [], person.page.form
    while person.shell.page.name == "session":
        assert saved(person, "session.open") == []
        seen.append(asked(person))
        person.press("enter")

    assert seen == [field.name for field in form.fields[1:]]
    assert {"store", "targets", "cells", "zone"} <= set(seen)
    assert len(saved(person, "session.open")) == 1 and person.shell.page.name == "drive"


@pytest.mark.safety(21)
@pytest.mark.parametrize("fields", range(9))
def test_one_key_opens_it_from_any_field_and_the_common_case_costs_no_key_more(fields):
    person = Counting().press("f4", "n")
    person.strike(*"1 2", "enter", *"Kome", *["enter"] * fields, "ctrl+o")

    (line,) = saved(person, "session.open")
    assert (line["data"]["vaccines"], line["data"]["place"]) == (["mr", "bopv"], "Kome")
    # Vaccines and place, then two Enters, was what it took while an empty field opened it.
    assert fields or person.struck <= len("1 2") + 1 + len("Kome") + 2


def test_a_key_that_opens_it_too_early_says_what_is_lacking():
    person = Counting().press("f4", "n", "tab", "tab", "ctrl+o")

    assert saved(person, "session.open") == []
    assert asked(person) == "vaccines" and "! " in person.screen


def test_what_stands_wrong_in_the_open_field_is_refused_by_that_key_too():
    person = Counting().press("f4", "n", *"mr", "enter", *["enter"] * 4, *"measles many", "ctrl+o")

    assert saved(person, "session.open") == []
    assert asked(person) == "targets" and "measles many" in person.screen


@pytest.mark.parametrize("name", ["Africa/Bujumbura", "Europe/Paris", "America/New_York"])
def test_a_session_is_opened_in_the_zone_of_the_device_by_its_name(zoned, name):
    person = Counting()
    person.shell.desk.zone = zoned(name)
    person.press("f4", "n", *"mr", "ctrl+o")

    assert saved(person, "session.open")[0]["data"]["zone"] == name


def test_another_zone_is_typed_over_it(zoned):
    person = Counting()
    person.shell.desk.zone = zoned("UTC")
    person.press("f4", "n", *"mr")
    page = person.shell.page
    assert isinstance(page, FormPage)
    person.press(*["enter"] * (len(page.form.fields) - 1))
    assert asked(person) == "zone"
    person.press(*["backspace"] * len("UTC"), *"Africa/Kigali", "enter")

    assert saved(person, "session.open")[0]["data"]["zone"] == "Africa/Kigali"


@pytest.mark.parametrize(
    ("system", "told"),
    [
        ("XYZ-3", "+03:00"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", "+02:00"),
        (":Africa/Nairobi", "Africa/Nairobi"),
        ("../../etc/passwd", "+00:00"),
        ("No/Such", "+00:00"),
    ],
)
def test_where_no_name_tells_the_system_s_time_its_offset_stands(zoned, system, told):
    assert zone_name(zoned(system), NOW_MS) == told


def test_a_target_is_of_an_antigen_that_stands_below_it():
    person = Counting().press("f4", "n", *"mr", *["enter"] * 5)
    assert asked(person) == "targets"
    assert "measles  " in person.screen and "polio  " in person.screen
    person.press(*"rougeole 30", "enter")
    assert "rougeole is none of these" in person.screen and asked(person) == "targets"
    person.press(*["backspace"] * 11, *"measles 30, pol")
    assert "polio" in person.screen and "rubella" not in person.screen
    person.press(*"io/1 5", "ctrl+o")

    (line,) = saved(person, "session.open")
    assert [one["antigen"] for one in line["data"]["targets"]] == ["measles", "polio"]
