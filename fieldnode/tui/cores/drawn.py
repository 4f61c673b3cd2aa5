"""From which open vial each vaccine of a drive is drawn, and which of them was stopped meanwhile.

The node proposes the first good vial. Another one that a person chose stays chosen from child to
child for as long as it is good. A vial whose lot was stopped while a child stood stays with that
child, unticked: what they had of it already is written of no other vial. Of any other stopped one
somebody may have had too, so it can be chosen last, for one child, and nothing is ticked by it.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from protocols.live.drive import GiveLine, VialLine


class Drawn:
    """The vials of a session, and which of them stands for each vaccine."""

    def __init__(self) -> None:
        self.vials: tuple[VialLine, ...] = ()
        """As the session was last told."""
        self._chosen: dict[str, str] = {}
        """Good vials that a person chose, by vaccine."""
        self._held: dict[str, GiveLine] = {}
        """Of the child that stands, by vaccine: a stopped vial that stands for it."""
        self._gone: dict[str, GiveLine] = {}
        """Of the child that stands, by vaccine: what was ticked until its lot was stopped."""

    def of(self, line: GiveLine) -> GiveLine:
        """Return a line with the vial that stands for it, and why nobody may be given of that."""
        held = self._held.get(line.vaccine)
        if held is not None:
            line = replace(line, vial=held.vial, stop=held.stop)
        elif (chosen := self._chosen.get(line.vaccine, "")) in self._open(line.vaccine):
            line = replace(line, vial=chosen, stop="")
        told = self.told(line)
        return replace(line, stop=told.stop) if told is not None and told.stop else line

    def told(self, line: GiveLine) -> VialLine | None:
        """Return the vial that stands for a line, as the session was last told."""
        return next((vial for vial in self.vials if vial.id == line.vial), None)

    def choices(self, line: GiveLine) -> list[str]:
        """Return the ids among which a person may choose for a line: good ones, then the others."""
        known = [*self._open(line.vaccine), *self._open(line.vaccine, stopped=True)]
        gone = self._gone.get(line.vaccine)
        return [*known, *([gone.vial] if gone is not None and gone.vial not in known else [])]

    def good(self, line: GiveLine) -> bool:
        """Whether another vial of a line's vaccine is open that may be used."""
        return any(vial != line.vial for vial in self._open(line.vaccine))

    def step(self, line: GiveLine) -> None:
        """Choose the vial after the one that stands; after the last one the first."""
        known = self.choices(line)
        at = known.index(line.vial) if line.vial in known else -1
        after = replace(line, vial=known[(at + 1) % len(known)], stop="")
        self._held.pop(line.vaccine, None)
        if after.vial in self._open(line.vaccine):
            self._chosen[line.vaccine] = after.vial
            return
        told, gone = self.told(after), self._gone.get(line.vaccine)
        stop = told.stop if told is not None else gone.stop if gone is not None else ""
        self._held[line.vaccine] = replace(after, stop=stop)

    def stop(self, line: GiveLine) -> None:
        """Take note that the lot of a line that was ticked is stopped."""
        self._gone[line.vaccine] = self._held[line.vaccine] = line

    def warned(self) -> Sequence[GiveLine]:
        """Return what stands unticked because its lot was stopped over this child."""
        held = {code: line.vial for code, line in self._held.items()}
        return [line for code, line in self._gone.items() if held.get(code) == line.vial]

    def clear(self) -> None:
        """Of the child before nothing stays but the good vials that were chosen."""
        self._held, self._gone = {}, {}

    def _open(self, vaccine: str, *, stopped: bool = False) -> list[str]:
        """Return the vials of a vaccine that may be used, or those that are stopped."""
        own = [vial for vial in self.vials if vial.vaccine == vaccine and not vial.closed]
        if stopped:
            return [vial.id for vial in own if vial.stop]
        return [vial.id for vial in own if not (vial.stop or vial.past) and vial.left > 0]
