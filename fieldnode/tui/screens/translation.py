"""What is said of a language before it is chosen, and which of its words nobody has reviewed."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from fieldnode.text import languages
from fieldnode.text.catalogue import COMPLETE, FALLBACK, LANGUAGES, Catalogue, critical
from fieldnode.text.status import Part, State, progress
from fieldnode.tui.acts import Act
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint, Page
from fieldnode.tui.widgets.list_view import Column, draw_list
from protocols.records.display import clean_text


class Row(NamedTuple):
    """One table of one language."""

    language: str
    part: Part


class TranslationPage(Page):
    """Every table of every language that is not complete, the chosen language first."""

    name: ClassVar[str] = "translation"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._rows: ListCore[Row] = ListCore(lambda row: f"{row.language} {row.part.table}")
        chosen = _language(desk)
        needed = {key.partition(".")[0] for key in critical()}
        drafts = [code for code in LANGUAGES if code not in COMPLETE]
        drafts.sort(key=lambda code: code != chosen)
        rows = [
            Row(code, part)
            for code in drafts
            # What must not be half there is read first, also by whoever reviews.
            for part in sorted(progress(code).parts, key=lambda part: part.table not in needed)
        ]
        self._rows.take_all(rows)

    def key(self, key: str) -> list[Act]:
        """Move through the list."""
        return [] if self._rows.key(key) else super().key(key)

    def draw(self, size: Size) -> list[Line]:
        """Draw title and tables."""
        words = self.desk.words
        title = line(" ", Span(words("language.title"), "title"))
        columns = (
            Column("", 3),
            Column(words("language.table"), 14),
            Column(words("language.there"), 9),
            Column(words("language.state"), 22),
            Column(words("language.by"), 0),
        )
        room = Size(size.width, size.height - 1)
        return [title, *draw_list(self._rows, columns, self._cells, room, "")]

    def hints(self) -> list[Hint]:
        """Say that there is more."""
        return [Hint("↑ ↓ PgDn", self.desk.words("help.scroll"))]

    def _cells(self, row: Row) -> list[Span]:
        words, part = self.desk.words, row.part
        return [
            Span(row.language),
            Span(part.table),
            Span(f"{part.said}/{part.total}", "warn" if part.said < part.total else "plain"),
            Span(_states(words, part.states)),
            Span(_reviewers(words, part.by) if part.said else ""),
        ]


def offered(desk: Desk, code: str) -> str:
    """Return a language as it is offered: its name, how far it has come, who stands by it."""
    if code in COMPLETE:
        return LANGUAGES[code]
    words, come = desk.words, progress(code)
    drawn = not languages.hindrance(code, desk.term, desk.encoding)
    language = languages.LANGUAGES[code]
    text = words(
        "language.offered",
        name=language.name if drawn else language.latin,
        state=_states(words, come.states),
        percent=come.percent,
        who=_reviewers(words, come.by),
    )
    return text if drawn else f"{text}  {words('language.not_here')}"


def spoken(desk: Desk) -> str:
    """Return the language of this terminal, and the one of its prints where that is another."""
    words = desk.words
    name = LANGUAGES.get(words.language, words.language)
    chosen = _language(desk)
    if chosen == words.language or chosen not in LANGUAGES:
        return f"{name}: {words('language.draft_words')}" if words.draft else name
    return words("language.on_paper", name=name, other=languages.LANGUAGES[chosen].latin)


def second_of(desk: Desk) -> str:
    """Return the complete language in which is said what the chosen one lacks."""
    kept = desk.chosen.partition(":")[2]
    return desk.second or (kept if kept in COMPLETE else FALLBACK)


def undrawn(desk: Desk, only: str = "") -> list[str]:
    """Return a sentence for each language that this terminal cannot draw, or perhaps cannot."""
    words, second = desk.words, LANGUAGES[second_of(desk)]
    told = []
    for code, language in languages.LANGUAGES.items():
        why = languages.hindrance(code, desk.term, desk.encoding)
        if only not in ("", code):
            continue
        if why:
            told.append(
                words(
                    f"language.no_{why}",
                    name=language.latin,
                    second=second,
                    encoding=clean_text(desk.encoding, 20),
                )
            )
        elif languages.doubtful(code, desk.term):
            told.append(words("language.font", name=language.latin))
    return told


def _language(desk: Desk) -> str:
    return (desk.chosen or desk.words.choice).partition(":")[0]


def _states(words: Catalogue, states: tuple[State, ...]) -> str:
    return ", ".join(words(f"language.{state.replace(' ', '_')}") for state in states)


def _reviewers(words: Catalogue, by: tuple[str, ...]) -> str:
    return clean_text(", ".join(by)) or words("language.nobody")
