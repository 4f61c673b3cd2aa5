"""SAFETY 24, over every field of the terminal that takes a number of units, packs or doses.

The fields are found in the sources, and each has to stand on a screen that is walked to here: one
that is added without such a screen fails the first test.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import fieldnode.tui.screens as screens
from fieldnode.text.catalogue import load
from fieldnode.tui.cores import session_text
from fieldnode.tui.cores.display import Size, text_of
from fieldnode.tui.cores.fields import Field, Number
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.glance import GLANCE_MS
from fieldnode.tui.cores.supply_fields import Units, Whole
from fieldnode.tui.shell import Shell
from tests.screens.care_screens import CARED, MEDICINES
from tests.screens.fake_node import at_once, ward
from tests.screens.stock_screens import PARA
from tests.screens.test_goldens import SCREENS, shell_after

FOLDER = Path(screens.__file__).parent
KINDS = {"Whole": Whole, "Units": Units, "Number": Number}
NOT_QUANTITIES = {
    "crowd.digit": "a digit of the screen",
    "intake.times_field": "how often somebody passed stool",
}
"""Whole numbers that are no quantity of anything, by label. An age has its unit beside it."""

WAYS = {
    **SCREENS,
    "issue": ["f5", "i", *PARA],
    "loss": ["f5", "m", "l", *PARA, "+", "1", "1"],
    "adjust": ["f5", "m", "a", *PARA, "+", "1", "1", *"miscounted", "enter"],
    "break": ["f5", "m", "k", *"kit", "1", "tab"],
    "teach": [*SCREENS["stock-receive-unknown"], *PARA],
    "give-without-order": [
        CARED,
        "f5",
        "escape",
        *MEDICINES[1:],
        "w",
        *"paracetamol",
        "enter",
        *"1",
        "enter",
    ],
    "grant-to": [*SCREENS["grant"], "1"],
    "session-targets": ["f4", "n", *"mr", *["enter"] * 5],
}
"""Keys to every form; a form that begins from an item, with one that is named."""

WORDS = load("en")
SAID = "7"


class Site(NamedTuple):
    """One place of the sources where a field of whole numbers is made."""

    file: str
    holder: str
    """The class it is made in; '' for a function."""
    maker: str
    """The function it is made in, which forms call; '' for a class."""
    kind: str
    label: str


def made() -> Iterator[Site]:
    """Return each of them but measured values, which have a unit or decimals of their own."""
    for path in sorted(FOLDER.glob("*.py")):
        for part in ast.parse(path.read_text("utf-8")).body:
            holder = part.name if isinstance(part, ast.ClassDef) else ""
            maker = part.name if isinstance(part, ast.FunctionDef) else ""
            for call in (one for one in ast.walk(part) if isinstance(one, ast.Call)):
                kind = call.func.id if isinstance(call.func, ast.Name) else ""
                measured = {word.arg for word in call.keywords} & {"unit", "decimals"}
                if kind in KINDS and not measured:
                    label = call.args[1]
                    assert isinstance(label, ast.Constant), f"{path.name} {call.lineno}"
                    yield Site(path.stem, holder, maker, kind, str(label.value))


SITES = [site for site in made() if site.label not in NOT_QUANTITIES]

IN_TEXT = {"Targets": ("session-targets", "measles "), "Lefts": ("session-close", "mr MR-1 ")}
"""Fields of several parts, each with a number of its own: the way to one, and what is before it."""
MAY_BE_NONE = ("Lefts",)


@cache
def calls_of() -> dict[tuple[str, str], set[str]]:
    """Return what each class and function of the screens calls, by its file and name."""
    found: dict[tuple[str, str], set[str]] = {}
    for path in FOLDER.glob("*.py"):
        for part in ast.parse(path.read_text("utf-8")).body:
            if isinstance(part, ast.ClassDef | ast.FunctionDef):
                calls = (one.func for one in ast.walk(part) if isinstance(one, ast.Call))
                names = {getattr(name, "id", getattr(name, "attr", "")) for name in calls}
                found[path.stem, part.name] = names
    return found


def forms_with(file: str, maker: str) -> set[str]:
    """Return the classes that call a function which makes fields, through another one too."""
    found: set[tuple[str, str]] = set()
    due = {(file, maker)}
    while due:
        callers = {
            place
            for place, calls in calls_of().items()
            for of, name in due
            if name in calls and (place[0] == of or not name.startswith("_"))
        } - found
        found |= callers
        due = {place for place in callers if not place[1][0].isupper()}
    return {name for _, name in found if name[0].isupper()}


class Found(NamedTuple):
    """A field on a screen."""

    way: str
    field: str
    site: Site
    page: str
    """The class of its form."""


class Walk:
    """A screen that was walked to, on a node of its own."""

    def __init__(self, way: str) -> None:
        self.node = ward()
        self.shell: Shell = shell_after(WAYS[way], WORDS, self.node)
        self.now_ms = 10**9

    @property
    def form(self) -> FormCore:
        """The form on the screen."""
        form = getattr(self.shell.page, "form", None)
        assert isinstance(form, FormCore)
        return form


def fields_of(walk: Walk) -> tuple[Field, ...]:
    form = getattr(walk.shell.page, "form", None)
    return tuple(form.fields) if form is not None else ()


@cache
def found() -> tuple[Found, ...]:
    """Return one screen or more for each site."""
    seen: list[Found] = []
    for way in WAYS:
        walk = Walk(way)
        mro = {each.__name__ for each in type(walk.shell.page).__mro__}
        files = {each.__module__.rpartition(".")[2] for each in type(walk.shell.page).__mro__}
        for field in fields_of(walk):
            for site in SITES:
                same = type(field).__name__ == site.kind and field.label == site.label
                if same and (site.holder in mro if site.holder else site.file in files):
                    seen.append(Found(way, field.name, site, type(walk.shell.page).__name__))
    return tuple(seen)


def one_each() -> list[Found]:
    """Return the last way of each field of each form: what is typed further names its item."""
    return list({(one.site, one.field, one.page): one for one in found()}.values())


def strike(walk: Walk, *keys: str) -> str:
    """Strike keys, each after the screen was read, and return the screen."""
    for key in keys:
        walk.now_ms += GLANCE_MS
        walk.shell.key(key, walk.now_ms)
        while walk.shell.asks:
            ask = walk.shell.asks.pop(0)
            walk.shell.answer(ask, at_once(ask.call(walk.node)))
        walk.shell.shown(walk.now_ms)
    return "\n".join(text_of(row).rstrip() for row in walk.shell.draw(Size(80, 24)))


def opened(one: Found) -> Walk:
    """Walk to a field, empty and open."""
    walk = Walk(one.way)
    form = walk.form
    form.take_back(one.field)
    form.go_to(one.field)
    assert form.open_field.name == one.field and not form.text(form.place)
    return walk


@pytest.mark.safety(24)
def test_safety_24_every_quantity_field_of_the_sources_is_on_a_screen_that_is_walked_to():
    assert len(SITES) > 15, "the sources are read"
    assert [site for site in SITES if site not in {one.site for one in found()}] == []
    for site in (each for each in SITES if each.maker):
        walked_to = {one.page for one in found() if one.site == site}
        wanted = forms_with(site.file, site.maker)
        assert wanted, site
        assert wanted <= walked_to, (site, wanted - walked_to)
    # What is measured says its unit; what is neither has to be named above.
    others = {
        field.label
        for walk in map(Walk, WAYS)
        for field in fields_of(walk)
        if isinstance(field, Number) and not field.unit and not field.decimals
    }
    assert others - {site.label for site in SITES} <= {*NOT_QUANTITIES, "field.age"}


WRONG = {
    "negative": "-5",
    "a fraction": "2.5",
    "a fraction with a comma": "2,5",
    "a letter for a digit": "3o0",
    "thousands with a comma": "1,000",
    "thousands with a point": "1.000",
    "thousands with an apostrophe": "1'000",
    "thousands with a space": "1 000",
    "an enormous number": "999999999",
    "an exponent": "1e3",
}


@pytest.mark.safety(24)
@pytest.mark.safety(3)
@pytest.mark.parametrize("what", WRONG)
def test_safety_24_what_is_no_whole_quantity_is_refused_where_it_stands_with_the_reason(what):
    for one in one_each():
        walk = opened(one)
        before = list(walk.node.written)
        screen = strike(walk, *WRONG[what][: _most(walk)], "enter")
        form = walk.form

        assert walk.node.written == before, (one, what)
        assert form.open_field.name == one.field and form.reason is not None, (one, what)
        assert form.text(form.place) == WRONG[what][: _most(walk)], (one, what)
        assert "! " in screen, (one, what)
        expected = "thousands" in what and _most(walk) > 4
        assert not expected or form.reason.key == "form.grouping", (one, form.reason)


def in_text(kind: str) -> tuple[Walk, str]:
    """Walk to a field of several parts, empty and open; return it with what stands before."""
    way, before = IN_TEXT[kind]
    walk = Walk(way)
    form = walk.form
    name = next(one.name for one in form.fields if type(one).__name__ == kind)
    form.take_back(name)
    form.go_to(name)
    return walk, before


@pytest.mark.safety(24)
def test_safety_24_every_field_of_several_quantities_is_on_a_screen_that_is_walked_to():
    kinds = {
        call.func.id
        for path in FOLDER.glob("*.py")
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
    }
    numbered = {
        name
        for name, one in vars(session_text).items()
        if isinstance(one, type) and issubclass(one, Field) and name not in ("Field", "Picked")
    }
    assert numbered & kinds - {"Many", "Lots", "Cells"} == set(IN_TEXT), "these name no quantity"
    for kind in IN_TEXT:
        in_text(kind)


@pytest.mark.safety(24)
@pytest.mark.safety(3)
@pytest.mark.parametrize("where", ["alone", "second"])
@pytest.mark.parametrize("kind", IN_TEXT)
@pytest.mark.parametrize("what", WRONG)
def test_safety_24_a_part_that_is_no_whole_quantity_is_refused_with_all_that_stands_there(
    what, kind, where
):
    walk, before = in_text(kind)
    typed = f"{before}{WRONG[what]}"
    if where == "second":
        typed = f"{before}40, {typed}"
    written = list(walk.node.written)
    screen = strike(walk, *typed, "enter")
    form = walk.form

    assert walk.node.written == written
    assert type(form.open_field).__name__ == kind and form.reason is not None
    assert form.text(form.place) == typed
    assert "! " in screen
    marked = "thousands" in what and "space" not in what
    assert not marked or form.reason.key == "form.grouping"


@pytest.mark.safety(24)
@pytest.mark.parametrize("kind", IN_TEXT)
def test_safety_24_nothing_is_no_target_and_there_may_be_nothing_left(kind):
    walk, before = in_text(kind)
    strike(walk, *f"{before}0", "enter")
    reason = walk.form.reason
    assert (reason is None) == (kind in MAY_BE_NONE)
    assert reason is None or reason.key in NOTHING


@pytest.mark.safety(24)
def test_safety_24_doses_in_a_vial_are_among_the_fields():
    assert any(site.label == "vial.doses" for site in SITES)
    assert {one.way for one in found() if one.site.label == "vial.doses"} >= {"vial-by-hand"}


NOTHING = {"move.nothing", "supply.nothing"}


def _most(walk: Walk) -> int:
    return walk.form.open_field.chars_max


@pytest.mark.safety(24)
def test_safety_24_nothing_is_no_quantity_but_where_there_may_be_none():
    for one in one_each():
        walk = opened(one)
        form = walk.form
        assert isinstance(form.open_field, Whole | Units)
        may_be = form.open_field.zero
        strike(walk, "0", "enter")
        nothing = form.reason is not None and form.reason.key in NOTHING
        assert nothing != may_be, (one, form.reason)


@pytest.mark.safety(24)
def test_safety_24_what_is_typed_stands_with_its_unit_before_it_is_saved():
    """Packs times size are units, or the label says what is counted."""
    for site in SITES:
        if "dose" in WORDS(site.label).lower() if site.label else False:
            continue
        shown = []
        for one in (each for each in found() if each.site == site):
            walk = opened(one)
            shown.append(strike(walk, SAID))
            strike(walk, "backspace")
        assert any(re.search(rf"(?<!\d){SAID}( x [\d ]+ = [\d ]+)? [a-z]{{3,}}", one)
                   for one in shown), (site, shown[-1:])  # fmt: skip
