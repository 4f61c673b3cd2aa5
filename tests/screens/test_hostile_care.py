"""Texts of care that want to be commands, on every page of it, through a real pseudo-terminal."""

import re

import pytest

from fieldnode.tui.cores.display import Size, line_cells, text_of
from protocols.live.bedside import (
    AllergyLine,
    ConditionLine,
    DoseHelp,
    DoseLine,
    MedicineLine,
    Proposal,
    WeightLine,
)
from tests.screens.care_screens import CHART, SCREENS
from tests.screens.fake_node import NOW_MS, FakeNode
from tests.screens.harness import NodeThread, Terminal
from tests.screens.test_hostile import CONTROL, HOSTILE, shapes, world
from tests.screens.test_pages import Person

NAMES = ["markup", "csi", "osc52", "bidi", "long", "marks"]
TOUR = ["down", "enter", "m", "g", "escape", "s", "escape", "w", "escape", "escape", "c", "a", "n",
        "escape", "k", "escape", "x", "escape", "escape", "c", "p", "n", "escape", "r", "escape",
        "escape", "c", "o", *"ors", "enter", "escape", "c", "d", "escape", "down", "c", "n",
        "escape", "c", "x", "escape", "f9"]  # fmt: skip
FORMS = {"medicines", "give", "stop_order", "give_without", "care", "allergies", "allergy",
         "problems", "problem", "order", "procedure", "addendum", "discharge"}  # fmt: skip


def ill(text, *, proposes=True) -> FakeNode:
    """Return a ward where every text of care is this one."""
    node = world(text)
    dose = DoseLine("fct_d.0", text, text, text, text, text, NOW_MS, text)
    order = MedicineLine(
        "fct_o.0", text, text, text, text, text, text, text, 3, 0, text, NOW_MS, NOW_MS, text,
        "late", NOW_MS - 5_000, dose, NOW_MS, 2, 2, ("allergy", text), NOW_MS, text,
    )  # fmt: skip
    for patient in node.patients:
        node.set_care(
            patient,
            allergies=(AllergyLine("fct_a.0", "active", "", text, text, text, text, text, NOW_MS,
                                   text, used=True, unsettled=True),),
            conditions=(ConditionLine("fct_c.0", "active", text, text, text, 1, text, NOW_MS, text,
                                      used=True, unsettled=True),),
            medicines=(order,), doses=(dose,), syndrome=text,
            weights=(WeightLine(text, estimated=True, at_ms=NOW_MS),),
        )  # fmt: skip
    # A pack is another organisation's: its words are no more to be trusted than a name.
    proposed = Proposal(text, text, text, {"en": text}, text, text, text, text, 3, text,
                        estimated=True, approved=False, memory=True)  # fmt: skip
    node.set_help(DoseHelp((text,), ordered=True, proposals=(proposed,) if proposes else (),
                           reason="row_incomplete", lacks=(text,)))  # fmt: skip
    return node


@pytest.mark.parametrize("proposes", [True, False], ids=["proposed", "none"])
@pytest.mark.parametrize("text", HOSTILE, ids=NAMES)
def test_every_page_of_care_draws_hostile_text_in_its_place(text, proposes):
    for name, keys in SCREENS.items():
        person = Person(ill(text, proposes=proposes)).press("enter", *keys[len(CHART) :])
        lines = person.shell.draw(Size(80, 24))

        assert person.shell.page.name not in ("home", "board", "chart"), name
        assert {line_cells(line) for line in lines} == {80}, name
        assert all(text_of(line).isprintable() for line in lines), name


def test_the_tour_goes_over_every_form_of_care():
    person, seen = Person(ill("Calm")), set()
    for key in TOUR:
        person.press(key)
        seen.add(person.shell.page.name)

    assert seen >= FORMS


def answering():
    """Return each key of the tour and whether it answers a question: that one is read first."""
    person = Person(ill("Calm"))
    for key in TOUR:
        page = person.shell.page
        yield key, page.question is not None and page.answers(key)
        person.press(key)


def tour(path, text):
    """Return every control sequence the terminal sent, and the rest of its bytes."""
    with NodeThread(ill(text), path) as node, Terminal(node.path) as terminal:
        terminal.wait_for("n/1 new patient", "RED")
        for key, replies in answering():
            if replies:
                terminal.look()
            terminal.send(key)
            terminal.wait_until(lambda: not terminal.read(0.06))
        terminal.wait_for("LOCKED since")
        found = {re.sub(rb"\d+", b"n", one) for one in CONTROL.findall(bytes(terminal.output))}
        return shapes(found), CONTROL.sub(b"", bytes(terminal.output))


@pytest.fixture(scope="module")
def innocuous(tmp_path_factory):
    return tour(tmp_path_factory.mktemp("calm") / "n.sock", "Calm")[0]


@pytest.mark.parametrize(
    "text",
    [HOSTILE[1], *(pytest.param(each, marks=pytest.mark.slow) for each in HOSTILE[2:4])],
    ids=NAMES[1:4],
)
def test_no_text_of_care_steers_a_terminal(text, innocuous, tmp_path):
    sequences, rest = tour(tmp_path / "n.sock", text)

    assert sequences <= innocuous
    shown = rest.decode()
    # Nor a bell: it would say that a key of the tour was not taken.
    assert not {char for char in shown if ord(char) < 32 or 127 <= ord(char) < 160} - {"\n", "\r"}
    assert not set(shown) & set("\u202e\u2066\u200b\ufeff\U000e0041")
