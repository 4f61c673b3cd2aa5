"""Opening a vaccination session, and closing it with what is left."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Ask, Back, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.cores.fields import Answer, Date, Field
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.picked import Item, Picked, coded
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.cores.session_text import (
    Cells,
    Lefts,
    Lots,
    Many,
    Targets,
    cells,
    lefts,
    lots,
    targets,
)
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint
from fieldnode.tui.screens.undrafted import UndraftedForm
from fieldnode.tui.vaccine_words import vaccine_word
from fieldnode.tui.wording import clock
from fieldnode.tui.zone import zone_name
from protocols.errors import FieldmeshError
from protocols.live.api import Recorded
from protocols.live.drive import Box, SessionChoices, SessionLine, VialLine
from protocols.records.display import clean_text
from protocols.records.zones import ZONE_CHARS_MAX

OPEN_KEY = "ctrl+o"
"""Opens the session as it stands, from any field; of one that ends, its vials."""
CLOSE_ROWS = 10
"""Rows of the form that ends a session, without the vials: title, fields, what to type."""


class SessionForm(UndraftedForm):
    """Where, by whom, with what, for how many."""

    name: ClassVar[str] = "session"
    title: ClassVar[str] = "session.title"
    saved_word: ClassVar[str] = "session.saved"
    kinds: ClassVar[tuple[str, ...]] = ("session.open",)
    _beside: tuple[str, ...] = ()
    """Codes of what can be given or measured beside vaccines."""

    def __init__(self, desk: Desk) -> None:
        # What a session is opened with never changes: Enter goes through all of it, to the last.
        super().__init__(desk, FormCore(_fields()))
        self._zone = zone_name(desk.zone, desk.now_ms)
        self.form.fill_all({"zone": self._zone})

    def key(self, key: str) -> list[Act]:
        """Take one key; one opens the session as it stands."""
        if key != OPEN_KEY:
            return super().key(key)
        return self._save() if self.form.finish().save else []

    def hints(self) -> list[Hint]:
        """Say which key opens it at once."""
        words = self.desk.words
        return [
            Hint(words("keys.enter"), words("session.next")),
            Hint("Ctrl+O", words("session.open")),
            *super().hints()[1:],
        ]

    def opened(self) -> list[Act]:
        """Ask what there is to choose from; keys wait, so a number means what stands beside it."""

        def came(told: SessionChoices) -> list[Act]:
            self._take(told)
            return []

        return [*super().opened(), Ask(lambda node: node.session_choices(), came)]

    def _take(self, told: SessionChoices) -> None:
        words = self.desk.words
        vaccines = tuple(
            Item(str(at), one.id, vaccine_word(words, one.words))
            for at, one in enumerate(told.vaccines, 1)
        )
        sites = tuple(
            Item(str(at), one.id, vaccine_word(words, one.words))
            for at, one in enumerate(told.sites, 1)
        )
        packs = tuple(Item(str(at), name, name) for at, name in enumerate(told.schedules, 1))
        self._beside = tuple(one.id for one in told.interventions)
        # Numbers go on behind those of the vaccines: what a session gives is one list.
        vaccines += tuple(
            Item(str(at), one.id, vaccine_word(words, one.words))
            for at, one in enumerate(told.interventions, len(vaccines) + 1)
        )
        place = self.form.place_of("cells")
        field = self.form.fields[place]
        assert isinstance(field, Cells)
        self.form.replace_field(replace(field, beside=self._beside))
        antigens = tuple(Item("", name, name) for name in told.antigens)
        for name, items in (
            ("vaccines", vaccines),
            ("store", sites),
            ("schedule", packs),
            ("targets", antigens),
        ):
            field = self.form.fields[self.form.place_of(name)]
            assert isinstance(field, Picked)
            self.form.replace_field(replace(field, items=items))

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the session."""
        chosen = answers["vaccines"].text.split()
        found: dict[str, Any] = {
            "vaccines": [code for code in chosen if code not in self._beside],
            "zone": answers["zone"].text if "zone" in answers else self._zone,
        }
        if beside := [code for code in chosen if code in self._beside]:
            found["interventions"] = beside
        if "place" in answers:
            found["place"] = answers["place"].text
        if "team" in answers:
            names = answers["team"].text.replace(";", ",").split(",")
            found["team"] = [name.strip() for name in names if name.strip()]
        for name, read in (("targets", targets), ("lots", lots)):
            if name in answers:
                found[name] = read(answers[name].text)
        if "cells" in answers:
            found["cells"] = cells(answers["cells"].text, self._beside)
        if "schedule" in answers:
            found["schedule"] = coded(answers["schedule"])[0]
        if "campaign" in answers:
            found["campaign"] = answers["campaign"].text
        store = {"store": coded(answers["store"])[0]} if "store" in answers else {}
        return {"kind": "session.open", "data": found, **store}

    def scan(self, scan: Scan) -> list[Act]:
        """A box is a lot that is taken along."""

        def came(found: list[Box]) -> list[Act]:
            if not found or not found[0].items or not found[0].lot:
                return [Say(self.desk.words("session.scan_unknown"), "warn", bell=True)]
            box = found[0]
            place = self.form.place_of("lots")
            before = self.form.text(place)
            one = " ".join(part for part in (box.items[0], box.lot, box.expiry) if part)
            if one not in before:
                self.form.fill("lots", f"{before}, {one}" if before else one)
            return [self._put_draft()]

        return [Ask(lambda node: node.vial_code(f"{scan.symbology}{scan.text}"), came)]

    def after_save(self, recorded: Recorded) -> list[Act]:
        """Go on in the new session, which is found again as the latest of this device."""
        if not recorded.ok:
            return []

        def came(told: Any) -> list[Act]:
            mine = next((one for one in told.lines if one.mine), None)
            if mine is None:
                return [Back()]
            from fieldnode.tui.screens.drive import DrivePage

            self.desk.session = mine.id
            return [Open(DrivePage(self.desk, mine.id), instead=True)]

        return [Ask(lambda node: node.sessions(), came)]

    def _label(self, recorded: Recorded) -> str:
        answers = self.form.answers()
        return answers["place"].text if "place" in answers else answers["vaccines"].text


class CloseForm(UndraftedForm):
    """The session ends; what is left of each lot in vials that nobody opened.

    Vials that are still open are named above: what is left in them is thrown away, not counted.
    """

    name: ClassVar[str] = "session_close"
    title: ClassVar[str] = "session.close_title"
    saved_word: ClassVar[str] = "session.closed"
    kinds: ClassVar[tuple[str, ...]] = ("session.close",)

    def __init__(self, desk: Desk, session: SessionLine) -> None:
        self._session = session
        self._open: tuple[VialLine, ...] = ()
        left = Lefts("left", "session.left", hint="session.left_hint")
        text = Field("text", "session.remark")
        super().__init__(desk, FormCore((left, text), optional_from=0))
        # How many are left is counted by a person: nothing stands there for them.
        offered = ", ".join(f"{item} {lot} " for item, lot in session.lots)
        self.form.fill_all({"left": offered})

    def opened(self) -> list[Act]:
        """Ask which vials are still open."""
        return [*super().opened(), self._fetch(holds=True)]

    def resumed(self) -> list[Act]:
        """One may have been thrown away."""
        return [*super().resumed(), self._fetch(holds=True)]

    def changed(self) -> list[Act]:
        """Others open and throw away too; nobody waits."""
        return [*super().changed(), self._fetch(holds=False)]

    def _fetch(self, *, holds: bool) -> Ask:
        def came(vials: list[VialLine]) -> list[Act]:
            self._open = tuple(vial for vial in vials if not vial.closed)
            return []

        session = self._session.id
        failed = None if holds else _nothing
        return Ask(lambda node: node.session_vials(session), came, failed, holds=holds)

    def key(self, key: str) -> list[Act]:
        """Take one key; one opens the list in which vials are thrown away."""
        if key != OPEN_KEY:
            return super().key(key)
        from fieldnode.tui.screens.vials import VialsPage

        return [Open(VialsPage(self.desk, self._session.id))]

    def told(self) -> list[Line]:
        """Name every vial that is still open, with what is left in it and since when."""
        if not self._open:
            return []
        words, now, zone = self.desk.words, self.desk.now_ms, self.desk.zone
        title = words.count("session.still_open", len(self._open))
        rows: list[Line] = [line(" ", Span(title, "warn"))]
        for vial in self._open:
            since = clock(vial.opened_ms, now, zone)
            numbers = {"drawn": vial.drawn, "doses": vial.doses, "left": vial.left}
            parts: list[str] = [clean_text(vial.item), clean_text(vial.lot)]
            parts += [words("session.open_vial", at=since, **numbers)]
            parts += [words(f"lot_stop.{vial.stop}")] if vial.stop else []
            parts += [words("drive.vial_past")] if vial.past else []
            rows.append(
                line("   ", Span("  ".join(parts), "bad" if vial.stop or vial.past else "value"))
            )
        return rows

    def draw(self, size: Size) -> list[Line]:
        """Draw the open vials between the title and the fields, and how many do not fit."""
        room, told = max(size.height - CLOSE_ROWS, 2), self.told()
        if len(told) > room:
            more = self.desk.words("session.more_open", n=len(told) - room + 1)
            told = [*told[: room - 1], line("   ", Span(more, "warn"))]
        rows = super().draw(Size(size.width, size.height - len(told)))
        return [*rows[:2], *told, *rows[2:]]

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the close."""
        found: dict[str, Any] = {"session": self._session.id}
        if "left" in answers:
            found["left"] = lefts(answers["left"].text)
        if "text" in answers:
            found["text"] = answers["text"].text
        return {"kind": "session.close", "data": found}

    def after_save(self, recorded: Recorded) -> list[Act]:
        """The terminal works in no session any more."""
        if not recorded.ok:
            return []
        self.desk.session = ""
        return [Back()]

    def _label(self, recorded: Recorded) -> str:
        return self._session.place or self._session.site


def _nothing(_failure: FieldmeshError) -> list[Act]:
    """What is shown stays; it is asked for again at the next change."""
    return []


def _fields() -> tuple[Field, ...]:
    return (
        Many("vaccines", "session.vaccines", required=True, hint="session.vaccines_hint"),
        Field("place", "session.place", hint="session.place_hint"),
        Field("team", "session.team", hint="session.team_hint"),
        Picked("store", "session.store", hint="session.store_hint"),
        Lots("lots", "session.lots", hint="session.lots_hint"),
        Targets("targets", "session.targets", hint="session.targets_hint"),
        Cells("cells", "session.cells", hint="session.cells_hint"),
        Picked("schedule", "session.schedule", hint="session.schedule_hint"),
        Date("campaign", "session.campaign", hint="session.campaign_hint"),
        Field("zone", "session.zone", hint="session.zone_hint", chars_max=ZONE_CHARS_MAX),
    )
