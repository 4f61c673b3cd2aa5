"""From which open vial each vaccine of a drive is drawn, and which of them was stopped meanwhile.

The node proposes the first good vial. Another one that a person chose stays chosen from child to
child for as long as it is good. A vial whose lot was stopped while a child stood stays with that
child, unticked: what they had of it already is written of no other vial.
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
        self.stopped: dict[str, GiveLine] = {}
        """Of the child that stands, by vaccine: what was ticked until its lot was stopped."""
        self._chosen: dict[str, str] = {}
        """Vials that a person chose, by vaccine."""
        self._left: frozenset[str] = frozenset()
        """Vaccines of `stopped` for which a person went on to another vial."""

    def of(self, line: GiveLine) -> GiveLine:
        """Return a line with the vial that stands for it, and why nobody may be given of that."""
        held = self.stopped.get(line.vaccine)
        if held is not None and line.vaccine not in self._left:
            line = replace(line, vial=held.vial, stop=held.stop)
        elif (chosen := self._chosen.get(line.vaccine, "")) in self._good(line.vaccine):
            line = replace(line, vial=chosen, stop="")
        told = self.told(line)
        return replace(line, stop=told.stop) if told is not None and told.stop else line

    def told(self, line: GiveLine) -> VialLine | None:
        """Return the vial that stands for a line, as the session was last told."""
        return next((vial for vial in self.vials if vial.id == line.vial), None)

    def choices(self, line: GiveLine) -> list[str]:
        """Return the ids among which a person may choose for a line: what is good, in order.

        The vial that was stopped over this child is the last of them: it may be theirs.
        """
        held = self.stopped.get(line.vaccine)
        good = self._good(line.vaccine)
        return [*good, *([held.vial] if held is not None and held.vial not in good else [])]

    def step(self, line: GiveLine) -> None:
        """Choose the vial after the one that stands; after the last one the first."""
        known = self.choices(line)
        at = known.index(line.vial) if line.vial in known else -1
        after = known[(at + 1) % len(known)]
        held = self.stopped.get(line.vaccine)
        if held is not None and held.vial == after:
            self._left -= {line.vaccine}
            return
        self._left |= {line.vaccine}
        self._chosen[line.vaccine] = after

    def warned(self) -> Sequence[GiveLine]:
        """Return what stands unticked because its lot was stopped over this child."""
        return [line for code, line in self.stopped.items() if code not in self._left]

    def clear(self) -> None:
        """Of the child before nothing stays but the vials that were chosen."""
        self.stopped, self._left = {}, frozenset()

    def _good(self, vaccine: str) -> list[str]:
        return [
            vial.id
            for vial in self.vials
            if vial.vaccine == vaccine
            and not (vial.closed or vial.past or vial.stop)
            and vial.left > 0
        ]
