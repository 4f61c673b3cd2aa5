"""F10: every page by a digit, language, colours, and the way out."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, NamedTuple

import msgspec

from fieldnode.text.catalogue import COMPLETE, LANGUAGES, drawable, lacking
from fieldnode.tui.acts import Act, Ask, Back, Choose, Open, Quit, Say
from fieldnode.tui.cores.display import Line, Size, Span, fit, line, wrap
from fieldnode.tui.cores.fields import Answer, Tag
from fieldnode.tui.cores.keys import fold_single
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint, Page
from fieldnode.tui.screens.clock import ClockPage
from fieldnode.tui.screens.doubles import DoublesPage
from fieldnode.tui.screens.drafts import DraftsPage
from fieldnode.tui.screens.fields_page import FieldsPage
from fieldnode.tui.screens.help import HelpPage
from fieldnode.tui.screens.mass import MassPage
from fieldnode.tui.screens.offers import OffersPage
from fieldnode.tui.screens.peers import PeersPage
from fieldnode.tui.screens.register import RegisterPage
from fieldnode.tui.screens.results import ResultsPage
from fieldnode.tui.screens.search import SearchPage
from fieldnode.tui.screens.testing import KeyTestPage, TestCardPage
from fieldnode.tui.screens.translation import (
    TranslationPage,
    offered,
    second_of,
    spoken,
    undrawn,
)
from fieldnode.tui.screens.unsettled import UnsettledPage
from fieldnode.tui.screens.who import WhoPage
from fieldnode.tui.themes import THEMES
from fieldnode.tui.widgets.list_view import Column, draw_list
from protocols.live.api import LOCK_AFTER_MIN
from protocols.records.display import clean_text

SETTING_CELLS = 34
"""Room for the name of a setting, before its value."""


class Entry(NamedTuple):
    """One line of the menu."""

    digit: str
    text: str
    acts: Callable[[], list[Act]]


class MenuPage(Page):
    """Lines with a digit each."""

    name: ClassVar[str] = "menu"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._rows: ListCore[Entry] = ListCore(lambda entry: entry.digit)
        self._fill()

    def resumed(self) -> list[Act]:
        """Say it in the language that was just chosen."""
        self._fill()
        return []

    def key(self, key: str) -> list[Act]:
        """Choose by digit, or by arrow and Enter."""
        if self._rows.key(key):
            return []
        if key == "enter" and self._rows.selected is not None:
            return self._rows.selected.acts()
        digit = fold_single(key) if len(key) == 1 else ""
        for entry in self.entries():
            if entry.digit == digit:
                return entry.acts()
        return super().key(key)

    def draw(self, size: Size) -> list[Line]:
        """Draw title and lines."""
        title = line(" ", Span(self.desk.words(self.title()), "title"))
        columns = (Column("", 2), Column("", 0))
        room = Size(size.width, size.height - 1)
        return [title, *draw_list(self._rows, columns, _cells, room, "")]

    def hints(self) -> list[Hint]:
        """Say that digits choose."""
        words = self.desk.words
        return [
            Hint("0-9", words("menu.choose")),
            Hint(words("keys.enter"), words("menu.choose_selected")),
        ]

    def title(self) -> str:
        """Return the catalogue key of the title."""
        return "menu.title"

    def entries(self) -> list[Entry]:
        """Return the lines of the menu."""
        words, desk = self.desk.words, self.desk
        return [
            Entry("1", words("menu.register"), lambda: [Open(RegisterPage(desk), instead=True)]),
            Entry("2", words("menu.triage"), lambda: [Open(MassPage(desk), instead=True)]),
            Entry("3", words("menu.find"), lambda: [Open(SearchPage(desk), instead=True)]),
            Entry("4", words("menu.drafts"), lambda: [Open(DraftsPage(desk), instead=True)]),
            Entry("5", words("menu.sync"), lambda: [Open(PeersPage(desk), instead=True)]),
            Entry("6", words("menu.settings"), lambda: [Open(SettingsPage(desk))]),
            Entry("7", words("menu.paper_ends" if desk.paper else "menu.paper"), self._paper),
            Entry("8", words("menu.help"), lambda: [Open(HelpPage(desk), instead=True)]),
            Entry("9", words("menu.lists"), lambda: [Open(ListsPage(desk))]),
            Entry("0", words("menu.quit"), lambda: [Quit()]),
        ]

    def _fill(self) -> None:
        self._rows.take_all(self.entries())

    def _paper(self) -> list[Act]:
        """Begin or end typing up what was written by hand."""
        desk = self.desk
        desk.paper = not desk.paper
        desk.last_paper = None
        said = desk.words("paper.begun" if desk.paper else "paper.ended")
        return [Back(), Say(said, "warn" if desk.paper else "plain")]


class ListsPage(MenuPage):
    """What waits for somebody, list by list."""

    name: ClassVar[str] = "lists"

    def title(self) -> str:
        """Return the catalogue key of the title."""
        return "menu.lists"

    def entries(self) -> list[Entry]:
        """Return one line a list."""
        words, desk = self.desk.words, self.desk
        return [
            Entry("1", words("menu.unsettled"), lambda: [Open(UnsettledPage(desk), instead=True)]),
            Entry("2", words("menu.offers"), lambda: [Open(OffersPage(desk), instead=True)]),
            Entry("3", words("menu.doubles"), lambda: [Open(DoublesPage(desk), instead=True)]),
            Entry("4", words("menu.results"), lambda: [Open(ResultsPage(desk), instead=True)]),
            Entry("5", words("menu.shipments"), lambda: [of_supplies(desk, "shipments")]),
            Entry("6", words("menu.recalls"), lambda: [of_supplies(desk, "recalls")]),
            Entry("7", words("menu.cold"), lambda: [of_supplies(desk, "cold")]),
        ]


class SettingsPage(MenuPage):
    """How this terminal looks and behaves."""

    name: ClassVar[str] = "settings"

    def title(self) -> str:
        """Return the catalogue key of the title."""
        return "menu.settings"

    def entries(self) -> list[Entry]:
        """Return one line a setting."""
        words, desk = self.desk.words, self.desk
        doubted = desk.sync is not None and desk.sync.clock not in ("ok", "differs")
        prefix = clean_text(desk.prefix) or words("value.none")
        minutes = words.count("lock.minutes", desk.greeting.lock_after_min)
        sound = words("menu.sound_on" if desk.sound else "menu.sound_off")
        return [
            _set(
                "1",
                words("menu.language"),
                spoken(desk),
                LanguagePage,
                desk,
            ),
            _set("2", words("menu.theme"), words(f"theme.{desk.theme}"), ThemePage, desk),
            _set("3", words("menu.lock_after"), minutes, LockAfterPage, desk),
            Entry("4", words("menu.who"), lambda: [Open(WhoPage(desk))]),
            _set("5", words("menu.prefix"), prefix, PrefixPage, desk),
            Entry("6", _valued(words("menu.sound"), sound), self._sound),
            Entry("7", words("menu.keys"), lambda: [Open(KeyTestPage(desk))]),
            Entry("8", words("menu.scanner"), lambda: [Open(TestCardPage(desk))]),
            Entry("0", words("menu.packs"), lambda: [_packs(desk)]),
            *(
                [Entry("9", words("menu.clock"), lambda: [Open(ClockPage(desk))])]
                if doubted
                else []
            ),
        ]

    def draw(self, size: Size) -> list[Line]:
        """Draw the lines, and below them in what everything is measured and dated."""
        told = [self.desk.words("menu.units"), self.desk.words("menu.dates")]
        drawn = super().draw(Size(size.width, size.height - len(told)))
        return [*drawn, *(line(" ", Span(text, "dim")) for text in told)]

    def _sound(self) -> list[Act]:
        desk = self.desk
        desk.sound = not desk.sound
        self._fill()
        return [_keep(sound="on" if desk.sound else "off"), Say("", bell=desk.sound)]


def of_supplies(desk: Desk, name: str) -> Open:
    """Return the list of shipments, of recalls or of fridges, in place of the page on top."""
    # No start waits for the pages of supplies.
    from fieldnode.tui.screens.cold import ColdPage
    from fieldnode.tui.screens.recalls import RecallsPage
    from fieldnode.tui.screens.shipments import ShipmentsPage

    pages: dict[str, type[Page]] = {
        "shipments": ShipmentsPage,
        "recalls": RecallsPage,
        "cold": ColdPage,
    }
    return Open(pages[name](desk), instead=True)


def _packs(desk: Desk) -> Open:
    # No start waits for a page about packs.
    from fieldnode.tui.screens.packs import PacksPage

    return Open(PacksPage(desk))


class PrefixPage(FieldsPage):
    """What the tags of this place begin with: their last digits are typed then."""

    name: ClassVar[str] = "prefix"
    title: ClassVar[str] = "menu.prefix"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, (Tag("prefix", "menu.prefix_field", hint="menu.prefix_hint"),))
        self.form.restore({"prefix": desk.prefix})

    def explained(self) -> str:
        """Say what it is for."""
        return self.desk.words("menu.prefix_explained")

    def done(self, answers: dict[str, Answer]) -> list[Act]:
        """Keep it on the node: every terminal here completes tags alike."""
        desk = self.desk
        prefix = answers["prefix"].text if "prefix" in answers else ""
        desk.greeting = msgspec.structs.replace(desk.greeting, tag_prefix=prefix)
        desk.tag_prefix = ""
        return [Back(), _keep(tag_prefix=prefix)]


class LanguagePage(MenuPage):
    """The languages, each by its own name, with how far it has come and whether it can be drawn."""

    name: ClassVar[str] = "language"

    def title(self) -> str:
        """Return the catalogue key of the title."""
        return "menu.language"

    def entries(self) -> list[Entry]:
        """Return one line a language, then what stands in for it, and the way to each word."""
        desk, words = self.desk, self.desk.words
        found = [
            Entry(str(number), offered(desk, code), self._choice(code))
            for number, code in enumerate(LANGUAGES, start=1)
        ]
        behind = _valued(words("language.second"), LANGUAGES[second_of(desk)])
        return [
            *found,
            Entry("8", behind, self._other),
            Entry("9", words("language.which"), lambda: [Open(TranslationPage(desk))]),
        ]

    def draw(self, size: Size) -> list[Line]:
        """Draw the lines, and below them what this terminal cannot draw."""
        told = [part for text in undrawn(self.desk) for part in wrap(text, size.width - 2)]
        drawn = super().draw(Size(size.width, size.height - len(told)))
        return [*drawn, *(line(" ", Span(text, "warn")) for text in told)]

    def _choice(self, code: str) -> Callable[[], list[Act]]:
        def choose() -> list[Act]:
            if lacking(code):
                return [Say(self.desk.words("language.critical"), "warn", bell=True)]
            return [Back(), *self._take(code, second_of(self.desk))]

        return choose

    def _other(self) -> list[Act]:
        """Let the other of the complete languages stand in for what is lacking."""
        desk = self.desk
        language = (desk.chosen or desk.words.choice).partition(":")[0]
        others = [one for one in COMPLETE if one != second_of(desk)]
        done = self._take(language, others[0])
        self._fill()
        return done

    def _take(self, language: str, second: str) -> list[Act]:
        desk = self.desk
        chosen = language if language in COMPLETE else f"{language}:{second}"
        desk.chosen, desk.second = chosen, second
        desk.words = drawable(chosen, desk.term, desk.encoding)
        acts: list[Act] = [Choose(language=desk.words.language), _keep(language=chosen)]
        told = undrawn(desk, language)
        return [*acts, Say(told[0], "warn")] if told else acts


class ThemePage(MenuPage):
    """The colours."""

    name: ClassVar[str] = "theme"

    def title(self) -> str:
        """Return the catalogue key of the title."""
        return "menu.theme"

    def entries(self) -> list[Entry]:
        """Return one line a theme."""
        words = self.desk.words
        names = enumerate(THEMES, start=1)
        return [
            Entry(str(number), words(f"theme.{name}"), self._choice(name)) for number, name in names
        ]

    def _choice(self, theme: str) -> Callable[[], list[Act]]:
        return lambda: [Back(), Choose(theme=theme), _keep(theme=theme)]


class LockAfterPage(MenuPage):
    """After how long without a key the names are blanked."""

    name: ClassVar[str] = "lock_after"

    def title(self) -> str:
        """Return the catalogue key of the title."""
        return "menu.lock_after"

    def entries(self) -> list[Entry]:
        """Return one line a length of time; the present one is marked."""
        words, held = self.desk.words, self.desk.greeting.lock_after_min
        return [
            Entry(
                str(number),
                words.count("lock.minutes", minutes) + (" *" if minutes == held else ""),
                self._choice(minutes),
            )
            for number, minutes in enumerate(LOCK_AFTER_MIN, start=1)
        ]

    def _choice(self, minutes: int) -> Callable[[], list[Act]]:
        def choose() -> list[Act]:
            desk = self.desk
            desk.greeting = msgspec.structs.replace(desk.greeting, lock_after_min=minutes)
            return [Back(), _keep(lock_after=str(minutes))]

        return choose


def _set(digit: str, word: str, value: str, page: type[Page], desk: Desk) -> Entry:
    """Return the line of a setting that another page changes."""
    return Entry(digit, _valued(word, value), lambda: [Open(page(desk))])


def _valued(word: str, value: str) -> str:
    return f"{fit(word, SETTING_CELLS)} {value}"


def _keep(**chosen: str) -> Ask:
    """Remember the choice on the node; it holds here whether or not that works."""
    return Ask(lambda node: node.settings(**chosen), _kept, _kept, holds=False)


def _kept(_result: object) -> list[Act]:
    return []


def _cells(entry: Entry) -> list[Span]:
    return [Span(entry.digit, "key"), Span(entry.text)]
