"""Printing from the terminal: it never holds a key up, and says what became of it."""

import asyncio
import os
import threading
import time

import msgspec
import pytest

from fieldnode.prints.safety import allergies, band_of
from fieldnode.text.catalogue import load
from fieldnode.tui import printer
from fieldnode.tui.cores.display import cells
from tests.screens.fake_node import NOW_MS, ward
from tests.screens.test_board import head
from tests.screens.test_pages import Person

HADDAD = ("down", "down", "enter")
EN = load("en")


def at(target, kind="zpl", node=None, **more) -> Person:
    person = Person(node or ward())
    person.shell.desk.greeting = msgspec.structs.replace(
        person.shell.desk.greeting, printer=str(target), printer_kind=kind, **more
    )
    return person


def files(folder):
    return sorted(folder.iterdir())


def test_one_key_on_a_chart_prints_the_wristband_with_what_must_not_be_given(tmp_path):
    node = ward()
    known = node.patients["pat_00001"]
    known.head = msgspec.structs.replace(known.head, allergy=2, allergies="penicillins")
    person = at(tmp_path, node=node).press(*HADDAD, "ctrl+p")

    (file,) = files(tmp_path)
    raw = file.read_text()
    assert "Haddad Nour" in raw and "Penicillins" in raw and "^XA" in raw
    assert "PRINTED: wristband" in person.screen
    assert node.printed == [("wristband", "pat_00001")]
    assert file.stat().st_mode & 0o777 == 0o600


def test_right_after_registering_the_same_key_prints_that_band(tmp_path):
    person = at(tmp_path, "text")
    person.press("n", *"Diallo", "enter", *"Awa", "enter", "2", *["down"] * 12, "enter")
    while person.shell.page.name == "register":
        person.press("enter")
    assert person.shell.page.name == "chart"
    person.press("ctrl+p")

    assert "Diallo Awa" in files(tmp_path)[0].read_text()


def test_no_name_of_a_patient_is_in_the_name_of_a_file(tmp_path):
    at(tmp_path).press(*HADDAD, "ctrl+p", "ctrl+p")

    assert len(files(tmp_path)) == 2
    for file in files(tmp_path):
        assert not any(part in file.name.lower() for part in ("haddad", "nour", "acd", "tg-"))


@pytest.mark.parametrize("kind", printer.KINDS)
def test_a_band_is_printed_in_every_kind_and_an_exercise_says_so(tmp_path, kind):
    at(tmp_path, kind, drill="SPRING-26").press(*HADDAD, "ctrl+p")

    raw = files(tmp_path)[0].read_bytes()
    if kind == "png":
        assert raw.startswith(b"\x89PNG")
    else:
        assert b"EXERCISE SPRING-26" in raw


def test_hand_over_sheet_and_ward_list_name_the_allergies(tmp_path):
    at(tmp_path).press(*HADDAD, "c", "0", "h")
    at(tmp_path).press("p", "l")

    for file in files(tmp_path):
        raw = file.read_text()
        assert "ALLERGY nobody asked" in raw and "Haddad Nour" in raw


def test_a_signed_summary_is_printed(tmp_path):
    person = at(tmp_path, "text").press(*HADDAD, "c", "0", "s")

    assert "PRINTED: signed summary" in person.screen
    assert "FM1PAPER" in files(tmp_path)[0].read_text().replace(" ", "")


def test_a_referral_letter_is_printed_with_the_groups_to_type(tmp_path):
    person = at(tmp_path, "text").press(*HADDAD, "c", "0", "r")

    assert "PRINTED: referral letter" in person.screen
    letter = files(tmp_path)[0].read_text()
    assert "REFERRAL LETTER" in letter
    assert "Haddad Nour" in letter
    assert "FM1P APER" in letter


@pytest.mark.parametrize("made", ["nothing", "file", "queue"])
def test_what_is_wrong_with_a_printer_is_said_with_what_to_do(tmp_path, made):
    target = tmp_path / "lp0"
    if made == "file":
        target.write_bytes(b"kept")
    if made == "queue":
        os.mkfifo(target)
    person = at(target).press(*HADDAD, "ctrl+p")
    said = {"nothing": "not there", "file": "names a file", "queue": "took nothing"}[made]

    assert said in person.screen
    assert made != "file" or target.read_bytes() == b"kept"


def test_without_a_printer_nothing_is_noted_or_printed():
    node = ward()
    person = Person(node).press(*HADDAD, "ctrl+p")

    assert "No printer is set here" in person.screen
    assert node.printed == []


def test_a_dead_printer_holds_nobody_up_and_the_next_print_says_it_is_busy(tmp_path, monkeypatch):
    monkeypatch.setattr(printer, "WAIT_S", 0.05)
    target = tmp_path / "lp0"
    os.mkfifo(target)
    reader = os.open(target, os.O_RDONLY | os.O_NONBLOCK)
    raw = b"x" * 1_000_000
    started = time.monotonic()

    async def both():
        first = await printer.give_out(raw, str(target), "text", NOW_MS)
        return first, await printer.give_out(b"y", str(target), "text", NOW_MS)

    try:
        assert asyncio.run(both()) == ("printing.silent", "printing.busy")
        assert time.monotonic() - started < 5
    finally:
        os.close(reader)
    for thread in threading.enumerate():
        if thread.name == "printer":
            assert thread.daemon
            thread.join(10)
    assert printer._writing.acquire(timeout=10)
    printer._writing.release()


def test_keys_go_on_while_a_print_is_under_way(tmp_path):
    person = at(tmp_path).press(*HADDAD)
    person.shell.key("ctrl+p", person.now_ms)
    assert [ask.holds for ask in person.shell.asks] == [False]
    person.shell.key("n", person.now_ms + 1)

    assert person.shell.page.name == "note"


def test_the_setting_is_kept_on_the_node():
    person = Person(ward()).press("p", "5", *"/dev/usb/lp0", "enter", "2", "enter")

    assert person.node.chosen["printer"] == "/dev/usb/lp0"
    assert person.node.chosen["printer_kind"] == "escpos"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({}, "nobody asked"),
        ({"allergy": 1}, "none known"),
        ({"allergy": 2, "allergies": "latex; \x1b[31mX"}, "Latex"),
        ({"allergy": 2, "allergies": "latex", "allergy_open": True}, "(people differ)"),
    ],
)
def test_safety_12_a_band_says_what_was_asked_and_no_more_than_fits(more, says):
    one = head(**more)

    assert says in allergies(EN, one)
    assert "\x1b" not in allergies(EN, one)
    assert all(cells(line) <= 40 for line in band_of(EN, one).lines)
