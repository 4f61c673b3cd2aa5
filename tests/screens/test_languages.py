"""Screens in languages that are drafts: what they look like, and what they admit.

Goldens as in `test_goldens.py`: `FIELDMESH_GOLDEN=write` writes them anew.
"""

import asyncio
import itertools
import os
from datetime import UTC
from pathlib import Path
from types import SimpleNamespace

import pytest

from fieldnode.text.catalogue import COMPLETE, LANGUAGES, load
from fieldnode.tui import printer
from fieldnode.tui.cores.display import line_cells, text_of
from fieldnode.tui.cores.glance import GLANCE_MS
from fieldnode.tui.desk import Desk
from fieldnode.tui.line import LineTerminal
from fieldnode.tui.screens import home, printing
from fieldnode.tui.shell import Shell
from fieldnode.tui.timeline import summary
from protocols.ids import PatientId
from protocols.live import answers
from tests.screens.fake_node import NOW_MS, FakeNode, staff, ward
from tests.screens.harness import NodeThread, Terminal
from tests.screens.test_goldens import GOLDEN, SCREENS, SIZE, shell_after, shell_on
from tests.screens.test_hostile import HOSTILE, world
from tests.screens.test_pages import Person
from tests.unit.test_care_book import told as cared_for

DRAWN = ("es", "pt", "uk")
"""Drafts that a terminal can draw."""

KEPT = ("board", "triage", "vitals", "chart", "lock", "register", "saved")


def shown(shell, size=SIZE):
    return "\n".join(text_of(line).rstrip() for line in shell.draw(size)) + "\n"


@pytest.mark.parametrize("language", DRAWN)
@pytest.mark.parametrize("name", KEPT)
def test_each_screen_looks_as_agreed(name, language):
    text = shown(shell_on(name, load(language)))
    file = Path(GOLDEN) / language / f"{name}.txt"
    if os.environ.get("FIELDMESH_GOLDEN") == "write":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    assert text == file.read_text()


@pytest.mark.parametrize("language", DRAWN)
@pytest.mark.parametrize("name", SCREENS)
def test_every_line_fills_the_screen_and_the_lowest_says_that_it_is_a_draft(name, language):
    lines = shell_on(name, load(language)).draw(SIZE)
    row = text_of(lines[-1])

    assert len(lines) == SIZE.height
    assert {line_cells(line) for line in lines} == {SIZE.width}
    assert row.startswith(f"{language}~ F/Ctrl+G 1") and "…" not in row


@pytest.mark.parametrize("language", DRAWN)
@pytest.mark.parametrize("name", KEPT)
def test_keys_of_a_page_are_all_there(name, language):
    shell = shell_on(name, load(language))
    row = text_of(shell.draw(SIZE)[-2])

    assert all(f"{hint.keys} {hint.word}".strip() in row for hint in shell.page.hints())


@pytest.mark.parametrize("language", COMPLETE)
def test_a_complete_language_has_no_such_mark(language):
    assert text_of(shell_on("board", load(language)).draw(SIZE)[-1]).startswith("F/Ctrl+G 1")


# choosing


@pytest.fixture
def chooser() -> Person:
    return Person().press("f10", "6", "1")


def test_each_draft_says_how_far_it_is_and_that_nobody_reviewed_it(chooser: Person):
    for name in ("Español", "Português", "Українська"):
        (row,) = [row for row in chooser.screen.splitlines() if f" {name} - draft" in row]
        assert "% of the words, reviewed by nobody" in row


def test_a_draft_that_is_chosen_is_kept_with_the_language_behind_it(chooser: Person):
    chooser.press("3")

    assert chooser.node.chosen["language"] == "es:en"
    assert "Español: borrador" in chooser.screen
    chooser.press("1", "8")
    assert chooser.node.chosen["language"] == "es:fr"
    assert chooser.shell.desk.words.languages == ("es", "fr", "en")


def test_a_complete_language_needs_nothing_behind_it(chooser: Person):
    chooser.press("2")

    assert chooser.node.chosen["language"] == "fr"


def test_arabic_is_kept_for_paper_while_the_screen_speaks_the_second_language(chooser: Person):
    chooser.press("8")
    assert chooser.shell.desk.words.language == "en"
    chooser.press("6")

    assert chooser.node.chosen["language"] == "ar:fr"
    assert chooser.shell.desk.words.language == "fr"
    assert "Arabic : un terminal ne peut pas écrire de droite à gauche" in chooser.screen
    assert "Français ; sur papier Arabic" in chooser.screen
    chooser.press("1")
    assert "(pas ici)" in chooser.screen


def test_sheets_of_that_terminal_are_in_arabic_and_its_wristbands_in_the_second_language(
    chooser: Person,
):
    chooser.press("8", "6")
    desk = chooser.shell.desk

    assert "قائمة الجناح" in printer.ward(desk, "nord-b", []).decode()
    assert desk.paper_words.language == "ar"
    assert printing.worded(desk).language == "fr"


def test_a_terminal_of_another_character_set_says_what_it_cannot_draw(chooser: Person):
    chooser.shell.desk.encoding = "iso8859-1"
    chooser.press("escape", "1")

    assert "Ukrainian: the character set of this terminal (iso8859-1)" in chooser.screen
    chooser.press("5")
    assert chooser.shell.desk.words.language == "en"
    assert chooser.node.chosen["language"] == "uk:en"


def test_a_console_says_that_its_font_decides(chooser: Person):
    chooser.shell.desk.term = "linux"
    chooser.press("escape", "1")
    assert "Ukrainian needs a console font" in chooser.screen

    chooser.press("5")
    assert chooser.shell.desk.words.language == "uk"
    assert "потрібен шрифт консолі" in chooser.screen


def test_the_words_that_wait_are_listed_with_the_chosen_language_first(chooser: Person):
    chooser.press("5", "1", "9")
    first = chooser.screen.splitlines()[3]

    assert first.split()[:3] == [">uk", "age", "5/5"]
    assert "чернетка" in first and "ніхто" in first
    chooser.press("down")
    assert ">uk" in chooser.screen.splitlines()[4]


# a chart in one language, read in another


def written_in(language, keys) -> FakeNode:
    node = ward()
    shell_after(keys, load(language), node)
    return node


def test_a_chart_written_in_french_is_read_in_english_and_spanish():
    opened = ["down", "down", "enter"]
    node = written_in(
        "fr", [*opened, "t", "1", "enter", "v", *"26", "enter", "-", *["enter"] * 9, "ctrl+g", "9"]
    )
    assert [line["kind"] for line in node.written] == ["triage.record", "observation.record"]

    english, spanish = (shown(shell_after(opened, load(each), node)) for each in ("en", "es"))

    assert "ROUGE" not in english and "ROUGE" not in spanish
    assert "1 RED" in english and "RR 26" in english and "not measured" in english
    assert "1 ROJO" in spanish and "FR 26" in spanish and "no medido" in spanish


SAID = {
    "en": ("Penicillins", "Pneumonia", "Line into a vein", "by mouth", "SEVERE", "contact"),
    "es": ("Penicilinas", "Neumonía", "Vía venosa", "por la boca", "GRAVE", "contacto"),
    "uk": ("Пеніциліни", "Пневмонія", "Венозний доступ", "через рот", "ТЯЖКА", "контактна"),
    "ar": ("البنسلينات", "التهاب رئوي", "خط وريدي", "بالفم", "شديد", "contact"),
}
"""What a chart says in each; Arabic has no word yet for a way of being kept apart."""


def test_coded_care_of_the_real_book_is_said_in_the_language_of_whoever_reads():
    _, ann, _, _ = cared_for()
    ann.ledger.catch_up_all()
    (row,) = ann.store.all("SELECT id FROM patient")
    chart = answers.chart(ann.ledger, str(PatientId(row[0])), 0, 100, NOW_MS)

    for language, wanted in SAID.items():
        reader = SimpleNamespace(words=load(language), now_ms=NOW_MS, zone=UTC)
        told = "\n".join(summary(reader, line) for line in chart.lines)
        assert [word for word in wanted if word not in told] == [], language


# what holds in every language


@pytest.mark.parametrize("language", DRAWN)
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_text(text, language):
    node = world(text)
    for keys in ([], ["enter"], ["enter", "v"], ["f3", "x", "enter"], ["f9"], ["f7"]):
        lines = shell_after(keys, load(language), node).draw(SIZE)
        assert {line_cells(line) for line in lines} == {80}
        assert all(span.text.isprintable() for line in lines for span in line)


@pytest.mark.parametrize(("language", "asked", "saved"), [
    ("es", "Apellido", "GUARDADO AQUÍ"),
    ("pt", "Apelido", "GUARDADO AQUI"),
    ("uk", "Прізвище", "ЗБЕРЕЖЕНО ТУТ"),
])  # fmt: skip
def test_line_mode_speaks_it_too(language, asked, saved):
    node, said = ward(), []
    lines = iter(["n", "Diallo", "Awa", "2", "34", "1", "", "", "burns", ""])
    numbers, ticks = iter(range(1000)), itertools.count(0, GLANCE_MS)
    desk = Desk(load(language), UTC, lambda: f"key{next(numbers)}", NOW_MS, node.greeting)

    def read(prompt, _secret):
        said.append(prompt)
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    shell = Shell(desk, home.page(desk), home.openers())
    terminal = LineTerminal(shell, node, read, said.append, lambda: next(ticks))
    assert asyncio.run(terminal.run()) == 0

    text = "\n".join(said)
    assert asked in text and saved in text
    assert text.count(f"{language}~ ") == 1
    assert node.written[0]["data"]["sex"] == "female"


def test_letters_of_another_layout_act_by_their_key():
    node = ward()
    opened = shell_after(["down", "т"], load("uk"), node)
    assert opened.page.name == "register"

    assert shell_after(["down", "enter", "м"], load("uk"), ward()).page.name == "vitals"
    assert shell_after(["down", "enter", "ف"], load("en"), ward()).page.name == "retriage"


def test_every_language_that_can_be_chosen_is_offered():
    screen = Person().press("f10", "6", "1").screen

    assert len(LANGUAGES) == 6
    for number in range(1, 7):
        assert f" {number}  " in screen or f">{number}  " in screen


def test_people_choose_themselves_in_a_draft_language_too():
    node = ward()
    node.staff = staff()
    text = shown(shell_on("sign-in", load("uk")))

    assert "Хто це? Номер" in text


@pytest.mark.parametrize(("environment", "seen"), [
    ({}, "ЧЕРВОНИЙ"),
    ({"term": "linux"}, "ЧЕРВОНИЙ"),
    ({"PYTHONIOENCODING": "iso8859-1"}, "ROUGE"),
    ({"FIELDMESH_LANGUAGE": "ar:fr"}, "ROUGE"),
])  # fmt: skip
def test_a_real_terminal_speaks_what_it_can_draw(tmp_path, environment, seen):
    with (
        NodeThread(ward(), tmp_path / "n.sock") as node,
        Terminal(node.path, **({"FIELDMESH_LANGUAGE": "uk:fr"} | environment)) as terminal,
    ):
        terminal.wait_for(seen)
