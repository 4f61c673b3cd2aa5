"""What a child is given or measured beside the vaccines: what is ticked, and what is written of it.

Only what is due by its pack at a certain age is ticked before anybody touches it. What is measured
is typed, and never ticked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from fieldnode.tui.cores.display import Line
from protocols.live.drive import BesideLine, BesideSum, MedicineLine

MARK = "+"
"""In front of a code, where codes of vaccines stand beside it."""
REFUSED = "refused"
"""Of the reasons why nothing is given the one that is a status of its own."""


class Beside:
    """The interventions of one child."""

    def __init__(self) -> None:
        self.lines: tuple[BesideLine, ...] = ()
        """By their digits, which follow those of the vaccines."""
        self.ticked: frozenset[str] = frozenset()
        """Codes of what Enter gives."""
        self.measured: dict[str, str] = {}
        """What was typed, by code."""
        self.unusual: frozenset[str] = frozenset()
        """Codes of what a person typed twice though it is unusual."""
        self.said: tuple[Line, ...] = ()
        """What the value that was typed last comes to, in the words of a guideline."""
        self.lots: dict[str, str] = {}
        """Lots that were scanned in this session, by item: they stay from child to child."""
        self._stops: dict[tuple[str, str], str] = {}
        """Why nobody may be given of a lot, by item and lot, as the session was last told."""
        self._held: dict[str, MedicineLine] = {}
        """Of the child that stands, by code: what stood there until its lot was stopped."""
        self._knowing: frozenset[str] = frozenset()
        """Codes that a person ticked though the lot is stopped."""

    def show(self, lines: Sequence[BesideLine]) -> None:
        """Take those of another child."""
        self.clear()
        self.lines = tuple(lines)
        self.lots = {item: lot for item, lot in self.lots.items() if not self.stop(item, lot)}
        self.ticked = frozenset(
            line.code for line in self.lines if _proposed(line) and not self.stop_of(line)
        )

    def refresh(self, lines: Sequence[BesideLine]) -> None:
        """Take them again: what a person ticked or typed stays, as far as it can be given."""
        before = {line.code for line in self.lines if _proposed(line)}
        self.lines = tuple(lines)
        can = {line.code for line in self.lines if line.medicine is not None}
        wanted = {line.code for line in self.lines if _proposed(line)}
        self.ticked = self.ticked & can - (before - wanted - self._knowing) | (wanted - before)

    def clear(self) -> None:
        """Of the child before nothing stays."""
        self.lines, self.ticked, self.measured, self.said = (), frozenset(), {}, ()
        self.unusual, self._held, self._knowing = frozenset(), {}, frozenset()

    # lots that nobody may be given of

    def medicine(self, line: BesideLine) -> MedicineLine | None:
        """Return what is given by a line, with the lot that it is of; None where nothing is.

        What stood there when its lot was stopped stays with the child: they may have had it.
        """
        told = self._held.get(line.code, line.medicine)
        if told is None or line.code in self._held:
            return told
        return replace(told, lot=self.lots.get(told.item, told.lot))

    def stop(self, item: str, lot: str) -> str:
        """Return why nobody may be given of a lot; '' where they may."""
        return self._stops.get((item, lot), "")

    def stop_of(self, line: BesideLine) -> str:
        """Return why nobody may be given of the lot of a line; '' where they may."""
        told = self.medicine(line)
        if told is None:
            return ""
        return self.stop(told.item, told.lot) if told.lot else line.stop

    def told(self, sums: Sequence[BesideSum]) -> None:
        """Take which lots are stopped for the session."""
        self._stops = {(item, lot): why for one in sums for item, lot, why in one.stops}

    def drop(self) -> bool:
        """Take the ticks of lots that were stopped away; return whether one went."""
        gone = [line for line in self.given() if self.stop_of(line)]
        gone = [line for line in gone if line.code not in self._knowing]
        for line in gone:
            self._hold(line)
            self.ticked -= {line.code}
        return bool(gone)

    def warned(self) -> list[BesideLine]:
        """Return what stands unticked because its lot was stopped over this child."""
        gone = set(self._held) - self.ticked
        return [line for line in self.lines if line.code in gone and self.stop_of(line)]

    def had(self, code: str) -> None:
        """Take note that the child had it already, though its lot is stopped."""
        for line in self.lines:
            if line.code == code:
                self._hold(line)
                self._knowing |= {code}

    def scanned(self, item: str, lot: str) -> str:
        """Give of this lot from now on; return why nobody may be."""
        why = self.stop(item, lot)
        if not why:
            self.lots[item] = lot
            self._held = {code: told for code, told in self._held.items() if told.item != item}
        return why

    def _hold(self, line: BesideLine) -> None:
        told = self.medicine(line)
        if told is not None:
            self._held[line.code] = told

    def at(self, place: int) -> BesideLine | None:
        """Return the line at a place, counted from 1; None for none."""
        return self.lines[place - 1] if 0 < place <= len(self.lines) else None

    def tick(self, line: BesideLine) -> str:
        """Tick a line, or take the tick away; return the catalogue key of why not."""
        if line.code in self.ticked:
            self.ticked -= {line.code}
        elif line.medicine is None:
            return "drive.age_first" if line.state == "unsure" else "drive.not_at_age"
        else:
            self.ticked |= {line.code}
            if self.stop_of(line):
                self.had(line.code)
        return ""

    def may_measure(self, line: BesideLine) -> str:
        """Return the catalogue key of why somebody is not measured; '' where they may be."""
        return "" if line.state not in ("too-young", "too-old") else "drive.not_at_age"

    def take(self, code: str, value: str, *, unusual: bool) -> None:
        """Take what was typed of a measure; '' takes it away."""
        kept = {each: text for each, text in self.measured.items() if each != code}
        self.measured = {**kept, code: value} if value else kept
        self.unusual = (self.unusual - {code}) | ({code} if unusual and value else set())
        self.said = ()

    @property
    def any(self) -> bool:
        """Whether Enter writes something of it."""
        return bool(self.ticked or self.measured)

    def given(self) -> list[BesideLine]:
        """Return the lines that Enter gives, in their order."""
        return [line for line in self.lines if line.code in self.ticked]

    def names(self) -> list[str]:
        """Return what `records` has, each line by its mark and code."""
        measured = [line.code for line in self.lines if line.code in self.measured]
        return [MARK + code for code in (*(line.code for line in self.given()), *measured)]

    def records(
        self, whom: dict[str, Any], subject: str, session: str, *, stop: str = "", why: str = ""
    ) -> list[dict[str, Any]]:
        """Return what Enter writes; in the order of `names`.

        Args:
            whom: `patient` of each line.
            subject: Random id of this child's save.
            session: Id.
            stop: Why nothing is given; '' = what is ticked is.
            why: The same in words.
        """
        lines = []
        for line in self.given():
            of = {"session": session, "intervention": line.code}
            key = f"{subject}-{line.code}-{stop or 'given'}"
            made = {"kind": "administration.record", "key": key, **whom}
            if stop:
                status = REFUSED if stop == REFUSED else "not-given"
                lines.append({**made, "data": {**of, "status": status}, "reason": why or stop})
            else:
                lines.append({**made, **self._medicine(line, of)})
        for line in self.lines:
            value = self.measured.get(line.code)
            if value is None:
                continue
            of = {"session": session, "intervention": line.code}
            data = {**of, "code": line.measure, "value": value, "unit": UNIT}
            key = f"{subject}-{line.code}-{value}"
            made = {"kind": "observation.record", "key": key, **whom, "data": data}
            lines.append(made)
        return lines

    def confirmed(self, name: str) -> set[str]:
        """Return the codes of what a person settled while they typed a measure."""
        return {"unusual_value"} if name.removeprefix(MARK) in self.unusual else set()

    def _medicine(self, line: BesideLine, of: dict[str, str]) -> dict[str, Any]:
        told = self.medicine(line)
        assert told is not None
        dose = {"value": told.value, "unit": told.unit}
        data = {**of, "substance": told.substance, "dose": dose, "route": told.route}
        if not (told.store and told.item and told.lot):
            return {"data": data}
        return {"data": {**data, "item": told.item, "lot": told.lot}, "store": told.store}


UNIT = "mm"
"""Arms are measured in millimetres only (SAFETY 5)."""


def _proposed(line: BesideLine) -> bool:
    return line.state == "due" and line.medicine is not None and not line.stop
