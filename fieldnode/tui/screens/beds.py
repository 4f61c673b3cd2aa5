"""Wards and beds: who lies where, which are free, and moving somebody there."""

from __future__ import annotations

from collections.abc import Awaitable, Hashable, Sequence
from typing import Any, ClassVar

from fieldnode.client import Node
from fieldnode.tui import watching
from fieldnode.tui.acts import Act, Ask, Back, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, cut, line
from fieldnode.tui.cores.fields import Answer, Field
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.desk import Desk, Save
from fieldnode.tui.page import Action, Hint
from fieldnode.tui.screens.form_page import FormPage
from fieldnode.tui.screens.gate import ask_gate, gate_of, said_after
from fieldnode.tui.screens.listing import ENTER, Fetched
from fieldnode.tui.widgets.list_view import Column
from fieldnode.tui.wording import (
    age,
    called,
    clock,
    code_sentence,
    identity,
    sex,
    short_identity,
    triage,
)
from protocols.live.api import BoardLine, Recorded
from protocols.live.bed import BedLine
from protocols.live.bed import BedsPage as Beds
from protocols.records.display import clean_text

KIND = "encounter.move"
BED_CHARS_MAX = 24


class BedsPage(Fetched[BedLine, Beds]):
    """The beds; with a patient, Enter on a free one moves them there."""

    name: ClassVar[str] = "beds"
    actions = (Action("n", "1", "beds.other"), Action("o", "2", "beds.chart"))
    about = (ENTER, "o")

    def __init__(self, desk: Desk, head: BoardLine | None = None) -> None:
        super().__init__(desk)
        self._head = head
        self._asked: BedLine | None = None
        """An occupied bed that Enter was struck on: the next one means it."""
        self._key = desk.new_key()

    def name_of(self, row: BedLine) -> str:
        """Return ward and bed."""
        return f"{row.ward}\t{row.bed}"

    def ask(self, node: Node) -> Awaitable[Beds]:
        """Ask for all of them."""
        return node.beds()

    def rows_of(self, found: Beds) -> Sequence[BedLine]:
        """Return the beds, and whoever lies in none."""
        return [one for one in found.lines if one.bed or one.patients]

    def take(self, found: Beds) -> None:
        """Hold them; the first time begin where the patient might go."""
        first = not self.rows.total
        super().take(found)
        if first and self._head is not None:
            self._mark_free(self._head.ward)

    def opened(self) -> list[Act]:
        """Fetch them, and ask whether whoever is here may move somebody."""
        gate = ask_gate(self.desk, (KIND,), self._head.patient) if self._head else []
        return [*super().opened(), *gate]

    @property
    def question(self) -> Hashable | None:
        """Which bed, and whether it is meant though somebody lies there."""
        listed = super().question
        return listed if self._asked is None else (listed, self.name_of(self._asked))

    def scrolled(self) -> list[Act]:
        """Another bed is marked: nothing is asked about it."""
        self._asked = None
        return []

    def key(self, key: str) -> list[Act]:
        """Mark a bed, move there, or write another one down."""
        if self._head is not None and self.action(key) == "n":
            return [Open(BedPage(self.desk, self._head), instead=True)]
        return super().key(key)

    def act(self, key: str, row: BedLine) -> list[Act]:
        """Move the patient there; open who lies there where that is asked, or nobody is to move."""
        if key == "o" or self._head is None:
            return [_chart(self.desk, row.patients[0])] if row.patients else []
        if not row.bed:
            return [Say(self.desk.words("beds.no_bed"), "warn", bell=True)]
        others = [one for one in row.patients if one.patient != self._head.patient]
        if others and self._asked != row:
            self._asked = row
            return [Say("", bell=True)]
        return [self._move(row)]

    def draw(self, size: Size) -> list[Line]:
        """Draw who is to be moved, and one row a bed."""
        words = self.desk.words
        found = self.found or Beds((), 0, 0)
        counts = words("beds.counts", free=found.free, taken=found.taken)
        top = [line(" ", Span(words("beds.title"), "title"), f"   {counts}")]
        if self._head is not None:
            top.insert(0, identity(words, self._head))
        if self._asked is not None and self._head is not None:
            others = (one for one in self._asked.patients if one.patient != self._head.patient)
            who = ", ".join(called(words, one) for one in others)
            said = words("beds.occupied", who=cut(who, 24))
            top.append(line(" ", Span(cut(said, size.width - 2), "bad")))
        columns = (
            Column(words("beds.ward"), 12),
            Column(words("board.bed"), 8),
            Column("", 2),
            Column(words("board.triage"), 9),
            Column(words("board.score"), 5),
            Column(words("board.age"), 7),
            Column(words("board.sex"), 6),
            Column(words("beds.who"), 0),
        )
        room = Size(size.width, size.height - len(top))
        return [*top, *self.table(columns, room, "beds.none" if self.found else "chart.loading")]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words = self.desk.words
        if self._head is None:
            return [Hint(words("keys.enter"), words("beds.chart"))]
        return [Hint(words("keys.enter"), words("beds.move")), *super().hints()]

    def _mark_free(self, ward: str) -> None:
        """Begin at the first free bed of a ward, else at the first free one."""
        shown = self.rows_of(self.found) if self.found else ()
        free = [at for at, one in enumerate(shown) if one.bed and not one.patients]
        near = [at for at in free if shown[at].ward == ward]
        for _ in range((near or free or [0])[0]):
            self.rows.key("down")

    def cells(self, row: BedLine) -> list[Span]:
        """Return ward, bed, and who lies there with how they do."""
        words = self.desk.words
        ward, bed = clean_text(row.ward) or "-", clean_text(row.bed) or "-"
        if not row.patients:
            return [Span(ward), Span(bed), Span(""), Span(words("beds.free"), "good")]
        first, several = row.patients[0], len(row.patients) > 1 and bool(row.bed)
        apart = any(map(watching.isolated, row.patients))
        kept = f"{words(f'isolation.{first.isolation}')}  " if watching.isolated(first) else ""
        who = ", ".join(called(words, one) for one in row.patients)
        return [
            Span(ward),
            Span(bed, "bad" if several else "plain"),
            Span(("!" if several else " ") + ("I" if apart else " "), "warn"),
            triage(words, first.triage),
            watching.score(first),
            Span(age(words, clean_text(first.age)) or "?"),
            Span(sex(words, first.sex)),
            Span(f"{kept}{who}", "bad" if several else "title"),
        ]

    def _move(self, row: BedLine) -> Ask:
        assert self._head is not None
        written = move_line(self._key, self._head, row.ward, row.bed)
        return Ask(lambda node: node.record([written]), lambda found: self._done(found, row))

    def _done(self, found: list[Recorded], row: BedLine) -> list[Act]:
        desk, words, head = self.desk, self.desk.words, self._head
        assert head is not None
        recorded = found[0]
        if gated := gate_of(desk, recorded, head.patient, lambda: [self._move(row)]):
            return gated
        if not recorded.ok:
            return [Say(code_sentence(words, recorded.error or ""), "bad", bell=True)]
        who = short_identity(words, head)
        facts = recorded.facts or tuple(part for part in (recorded.id,) if part)
        desk.saved(Save(f"{words('beds.moved')} {who}", facts, desk.now_ms, head.patient))
        at = clock(desk.now_ms, desk.now_ms, desk.zone)
        bed = " ".join(clean_text(part) for part in (row.ward, row.bed) if part)
        said = words("form.saved", at=at, what=f"{words('beds.moved')} {bed} {who}")
        return [said_after(desk, found, said), Back()]


class BedPage(FormPage):
    """A bed that is not listed, written down."""

    name: ClassVar[str] = "bed"
    title: ClassVar[str] = "beds.title"
    saved_word: ClassVar[str] = "beds.moved"
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(self, desk: Desk, head: BoardLine) -> None:
        fields = (
            Field("bed", "field.bed", chars_max=BED_CHARS_MAX, required=True),
            Field("ward", "field.ward", chars_max=BED_CHARS_MAX),
        )
        super().__init__(desk, FormCore(fields, optional_from=1), head)
        if head.ward:
            self.form.restore({"ward": head.ward})

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return bed and ward; a ward that was emptied is stated to be none."""
        assert self.head is not None
        ward = answers["ward"].text if "ward" in answers else ""
        return {
            "kind": KIND,
            "patient": self.head.patient,
            "data": {"bed": answers["bed"].text, "ward": ward or None},
        }


def move_line(key: str, head: BoardLine, ward: str, bed: str) -> dict[str, Any]:
    """Return the line that says where somebody lies now."""
    data = {"bed": bed, "ward": ward or None}
    return {"v": 1, "kind": KIND, "key": key, "patient": head.patient, "data": data}


def _chart(desk: Desk, head: BoardLine) -> Open:
    # A chart opens what opens beds.
    from fieldnode.tui.screens.chart import ChartPage

    return Open(ChartPage(desk, head.patient))
