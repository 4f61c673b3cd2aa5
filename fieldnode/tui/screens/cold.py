"""The cold chain: how warm each unit is, how old that is, what went wrong, which lots it harms."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import ClassVar

from fieldnode.client import Node
from fieldnode.tui.acts import Act, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, cut, line, wrap
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Hint
from fieldnode.tui.screens.hold_back import Lot, asked
from fieldnode.tui.screens.listing import Fetched
from fieldnode.tui.supply_words import age, between, degrees, episode, item, whole
from fieldnode.tui.widgets.list_view import Column
from fieldnode.tui.wording import clock, span_of
from protocols.live.consigned import ColdUnit, ColdUnits, EpisodeLine, LimitLine
from protocols.records.display import clean_text

DEFAULT = "fridge"
"""By whose limits a unit is judged of which nobody said another class, as the pack has it."""
MINUTE_MS = 60_000
LOT_ROWS = 2


class ColdPage(Fetched[ColdUnit, ColdUnits]):
    """One row a unit."""

    name: ClassVar[str] = "cold"
    actions = (Action("n", "1", "cold.type"),)

    def name_of(self, row: ColdUnit) -> str:
        """Return the unit."""
        return row.unit_id

    def ask(self, node: Node) -> Awaitable[ColdUnits]:
        """Ask for all."""
        return node.cold_units()

    def rows_of(self, found: ColdUnits) -> Sequence[ColdUnit]:
        """Return those that alarm first."""
        return sorted(found.lines, key=lambda one: not _alarms(one))

    def key(self, key: str) -> list[Act]:
        """Type a reading; else as every list."""
        if self.action(key) == "n":
            from fieldnode.tui.screens.reading_form import reading

            # Their digits are the places at which they are seen here.
            return reading(self.desk, self.rows_of(self.found) if self.found else ())
        return super().key(key)

    def act(self, _key: str, row: ColdUnit) -> list[Act]:
        """Open one."""
        return [Open(ColdUnitPage(self.desk, row.unit_id))]

    def draw(self, size: Size) -> list[Line]:
        """Draw one row a unit, and that nobody has approved the limits."""
        words, found = self.desk.words, self.found
        title: Line = line(" ", Span(words("cold.title"), "title"))
        if found is not None and not found.approved:
            title += line("   ", Span(words("form.not_approved"), "bad"))
        columns = (
            Column(words("cold.unit"), 16),
            Column(words("cold.store"), 14),
            Column(words("cold.now"), 9),
            Column(words("supply.age"), 8),
            Column(words("cold.state"), 0),
        )
        return [title, *self.table(columns, Size(size.width, size.height - 1), "cold.none")]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words = self.desk.words
        return [Hint(words("keys.enter"), words("board.open")), *super().hints()]

    def cells(self, row: ColdUnit) -> list[Span]:
        """Return where, how warm, how old that is, and what went wrong."""
        desk, words = self.desk, self.desk.words
        return [
            Span(clean_text(row.unit), "title"),
            Span(clean_text(row.store_name)),
            Span(words("cold.degrees", celsius=degrees(row.newest_tenths))),
            Span(age(words, row.newest_ms, desk.now_ms)),
            _state(desk, row),
        ]


class ColdUnitPage(Fetched[EpisodeLine, ColdUnits]):
    """One unit: its limits with their source, and each episode with the lots it may have harmed."""

    name: ClassVar[str] = "cold_unit"
    about: ClassVar[tuple[str, ...]] = ()
    actions = (Action("n", "1", "cold.type"), Action("q", "2", "cold.hold"))

    def __init__(self, desk: Desk, unit: str) -> None:
        super().__init__(desk)
        self._unit = unit

    @property
    def unit(self) -> ColdUnit | None:
        """The unit as it was last told."""
        lines = self.found.lines if self.found else ()
        return next((one for one in lines if one.unit_id == self._unit), None)

    def name_of(self, row: EpisodeLine) -> str:
        """Return limit and begin."""
        return f"{row.limit} {row.since_ms}"

    def ask(self, node: Node) -> Awaitable[ColdUnits]:
        """Ask for all: units are few."""
        return node.cold_units()

    def rows_of(self, found: ColdUnits) -> Sequence[EpisodeLine]:
        """Return its episodes, the newest first."""
        one = next((unit for unit in found.lines if unit.unit_id == self._unit), None)
        return tuple(reversed(one.episodes)) if one is not None else ()

    def key(self, key: str) -> list[Act]:
        """Type a reading, or hold back what was harmed."""
        letter, unit = self.action(key), self.unit
        if letter == "n" and unit is not None:
            from fieldnode.tui.screens.reading_form import reading

            return reading(self.desk, (unit,), unit)
        if letter == "q" and unit is not None:
            return self._hold(unit)
        return super().key(key)

    def draw(self, size: Size) -> list[Line]:
        """Draw the unit, its limits, its episodes, and the lots of the marked one."""
        words, unit = self.desk.words, self.unit
        if unit is None:
            said = "chart.loading" if self.found is None else "cold.gone"
            return [line(" ", Span(words(said), "dim"))]
        top = [*self._top(unit, size.width), *self._limits(unit, size.width)]
        columns = (
            Column(words("cold.since"), 11),
            Column(words("cold.long"), 9),
            Column(words("cold.what"), 32),
            Column(words("cold.worst"), 9),
            Column(words("cold.alarm"), 0),
        )
        room = Size(size.width, size.height - len(top) - LOT_ROWS)
        drawn = self.table(columns, room, "cold.never")
        row = self.rows.selected
        told = wrap(self._lots(row), size.width - 2)[:LOT_ROWS] if row else []
        below = [line(" ", Span(part, "warn")) for part in told]
        return [*top, *drawn, *below, *[()] * (LOT_ROWS - len(below))]

    def cells(self, row: EpisodeLine) -> list[Span]:
        """Return since when, how long, beyond what, the worst, and whether it alarms."""
        desk, words = self.desk, self.desk.words
        role = "bad" if row.alarms else "plain"
        going_on = words("cold.going_on") if row.ongoing else ""
        alarm = words("cold.alarms" if row.alarms else "cold.short")
        return [
            Span(clock(row.since_ms, desk.now_ms, desk.zone)),
            Span(span_of(words, row.minutes * MINUTE_MS)),
            Span(episode(words, row), role),
            Span(words("cold.degrees", celsius=degrees(row.worst_tenths)), role),
            Span("  ".join(filter(None, (alarm, going_on))), role),
        ]

    def _top(self, unit: ColdUnit, width: int) -> list[Line]:
        desk, words = self.desk, self.desk.words
        named = words("cold.in", unit=clean_text(unit.unit), store=clean_text(unit.store_name))
        said = words(
            "cold.last",
            celsius=degrees(unit.newest_tenths),
            age=age(words, unit.newest_ms, desk.now_ms),
            low=degrees(unit.low_tenths),
            high=degrees(unit.high_tenths),
            n=whole(unit.readings),
        )
        return [
            line(" ", Span(cut(named, width - 2), "title")),
            *(line(" ", Span(part)) for part in wrap(said, width - 2)),
        ]

    def _limits(self, unit: ColdUnit, width: int) -> list[Line]:
        """Return the limits by which this unit is judged, their source, and who approved them."""
        words, found = self.desk.words, self.found
        assert found is not None
        mine = [one for one in found.limits if one.cold == (unit.cold or DEFAULT)]
        rows: list[Line] = []
        if not found.approved:
            told = words("cold.not_approved", pack=clean_text(found.pack))
            rows.append(line(" ", Span(cut(told, width - 2), "bad")))
        sources = list(dict.fromkeys(clean_text(one.source) for one in mine))
        for one in mine:
            mark = sources.index(clean_text(one.source)) + 1
            said = f"{_limit(self.desk, one)}  [{mark}]"
            rows.append(line("   ", Span(cut(said, width - 4), "dim")))
        for mark, source in enumerate(sources, 1):
            said = words("cold.source", mark=mark, source=source)
            rows.append(line("   ", Span(cut(said, width - 4), "dim")))
        return rows

    def _lots(self, row: EpisodeLine) -> str:
        """Return the lots that the marked episode may have harmed."""
        words, items = self.desk.words, self.found.items if self.found else ()
        if not row.alarms:
            return ""
        if not row.lots:
            return words("cold.no_lots")
        parts = [
            f"{item(words, items, lot.item)} ({clean_text(lot.lot)})"
            f" x {between(lot.low, lot.high)}"
            f"{' ' + words('recall.is_held') if lot.quarantined else ''}"
            for lot in row.lots
        ]
        return words("cold.lots", n=len(parts), what="; ".join(parts))

    def _hold(self, unit: ColdUnit) -> list[Act]:
        """Ask once whether every lot that an alarm may have harmed is to be held back."""
        words, items = self.desk.words, self.found.items if self.found else ()
        harmed = {
            (lot.item, lot.lot): lot
            for one in unit.episodes
            for lot in one.lots
            if not lot.quarantined
        }
        if not harmed:
            known = any(one.lots for one in unit.episodes)
            said = words("cold.held_already" if known else "cold.nothing_to_hold")
            return [Say(said, "warn", bell=True)]
        lots: list[Lot] = [(unit.store, code, lot) for code, lot in harmed]
        named = [
            f"{item(words, items, code)} ({clean_text(lot)}) x {between(one.low, one.high)}"
            for (code, lot), one in harmed.items()
        ]
        where = words("cold.in", unit=clean_text(unit.unit), store=clean_text(unit.store_name))
        return [asked(self.desk, lots, named, where)]


def _alarms(unit: ColdUnit) -> bool:
    return any(one.alarms and one.ongoing for one in unit.episodes)


def _state(desk: Desk, unit: ColdUnit) -> Span:
    """Return what is the matter now, else what last was."""
    words = desk.words
    now = [one for one in unit.episodes if one.ongoing]
    if now:
        worst = next((one for one in now if one.alarms), now[0])
        long = span_of(words, worst.minutes * MINUTE_MS)
        said = words("cold.for", what=episode(words, worst), long=long)
        return Span(said, "bad" if worst.alarms else "warn")
    alarmed = [one for one in unit.episodes if one.alarms]
    if alarmed:
        at = clock(alarmed[-1].since_ms, desk.now_ms, desk.zone)
        return Span(words("cold.was", what=episode(words, alarmed[-1]), at=at), "warn")
    return Span(words("cold.within"))


def _limit(desk: Desk, one: LimitLine) -> str:
    """Return a limit: beyond what, from how long on it alarms."""
    words = desk.words
    key = "cold.limit_below" if one.below else "cold.limit_above"
    said = words(key, celsius=clean_text(one.celsius), long=span_of(words, one.minutes * MINUTE_MS))
    return words("cold.limit_sum", what=said, n=one.days) if one.days else said
