"""The referral letter: everything that was said stands in it, and its groups can be typed back."""

from __future__ import annotations

from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from fieldnode.prints.handover import Reader
from fieldnode.prints.letter import GROUP_CHARS, Along, groups, letter
from fieldnode.prints.sheet import Head
from fieldnode.text.catalogue import load, pseudo
from protocols.live.api import BoardLine, Chart, ChartLine
from protocols.records.summary import Summary
from tests.unit.test_prints import LANGUAGES, LINE, NOW_MS, TEXT, is_a_sheet

HEAD = Head("REFERRAL LETTER", "nord-b", "2026-05-20 14:32", "")
PAPER = "FM" + "0123456789ABCDEFGHJKMNPQRSTVWXYZ" * 18
SAID = Summary(
    code="ACD EFH 001", name="Haddad Nour", tag="TG-000412", sex=2, age="34 y", triage=1,
    allergy=2, allergies=("penicillins",), problems=("femur fracture",),
    medicines=("morphine 5 mg iv",), findings=((1, "118 /min"),), written_by="nord-b",
)  # fmt: skip
WHO = BoardLine(patient="pat_1", code="ACD EFH 001", name="Haddad Nour", sex=2, age="34 y")


def row(kind, summary, *, at=0, **more) -> ChartLine:
    return ChartLine(f"fct_{at}.1", NOW_MS - at * 60_000, NOW_MS, kind, summary, "R. Amin", **more)


OFFER = row("transfer.offer", (("offered_to", "Camp hospital"), ("mechanism", "fell"),
                               ("injuries", "left femur")), at=3)  # fmt: skip
GIVEN = row("administration.record", (("given", "morphine 5 mg iv"),), at=20)
WRONG = row("administration.record", (("given", "insulin 5 IU"),), at=21, replaced=2)


def made(*lines, to="", words=None, total=None, said=SAID):
    chart = Chart(WHO, None, (), lines, len(lines) if total is None else total)
    reader = Reader(words or load("en"), NOW_MS, UTC)
    return letter(reader, HEAD, chart, Along(PAPER, said), to)


def test_it_says_who_from_whom_to_whom_and_what_is_handed_over():
    sheet = made(OFFER, GIVEN, WRONG)
    is_a_sheet(sheet)
    for part in ("Haddad Nour", "From: nord-b", "To: Camp hospital", "Mechanism: fell",
                 "Injuries: left femur", "ALLERGIES: penicillins", "Problems: femur fracture",
                 "Medicines: morphine 5 mg iv", "Given", "Handed over by, time:",
                 "Received by, time:"):  # fmt: skip
        assert part in sheet, part
    assert "insulin" not in sheet


def test_without_an_offer_there_are_lines_to_write_on():
    sheet = made(GIVEN)
    assert "Situation:" in sheet
    assert "Recommendation:" in sheet
    assert "To: ____" in sheet
    assert "To: Lycee ward" in made(OFFER, to="Lycee ward")


def test_an_offer_that_was_taken_back_is_not_the_letters():
    back = row("transfer.offer", (("offered_to", "Red Star"),), at=1, replaced=2)
    assert "To: Camp hospital" in made(back, OFFER)


def test_what_does_not_fit_is_said_to_be_in_the_chart():
    many = [row("note.add", (("note", f"n{at}"),), at=at) for at in range(40)]
    assert "more stands in the chart" in made(*many)
    assert "more stands in the chart" in made(GIVEN, total=9)
    assert "more stands in the chart" not in made(GIVEN)


@given(st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", max_size=600))
def test_groups_hold_every_sign_once_and_in_order(text):
    lines = groups(text)
    assert "".join("".join(lines).split()) == text
    assert all(len(part) <= GROUP_CHARS for line in lines for part in line.split())


@given(st.sampled_from(LANGUAGES), LINE, TEXT, TEXT, TEXT)
def test_nothing_in_a_name_is_a_command_and_every_page_is_one(words, who, text, to, author):
    told = (("note", text),)
    lines = (row("transfer.offer", (("offered_to", text), ("mechanism", text))),
             ChartLine("fct_9.1", NOW_MS, NOW_MS, "note.add", told, author))  # fmt: skip
    said = Summary(code="A", name=text[:80], problems=(text[:80],), advice=text[:160])
    chart = Chart(who, None, (), lines, 2)
    is_a_sheet(letter(Reader(words, NOW_MS, UTC), HEAD, chart, Along(PAPER, said), to))


def test_it_fits_with_longer_words():
    is_a_sheet(made(OFFER, GIVEN, words=pseudo()))
