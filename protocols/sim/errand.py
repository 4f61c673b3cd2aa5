"""Somebody at one device who does one thing after another: what comes next follows from the answer.

A person whose device is off, or loses power before it answers, waits and types the same line again.
"""

from __future__ import annotations

from collections.abc import Generator

from protocols.sim.drill import Drill
from protocols.sim.host import Answer, Host
from protocols.sim.witness import Line

Errand = Generator[Line | int, Answer, None]
"""Yields a line to write, and is sent its answer; or a pause in microseconds."""


class Errands:
    """All errands of one drill, and how many are not done yet."""

    def __init__(self, drill: Drill) -> None:
        self._drill = drill
        self.open = 0

    def send(self, host: Host, errand: Errand) -> None:
        """Let somebody begin at this device, now."""
        self.open += 1
        self._go_on(host, errand, None)

    def _go_on(self, host: Host, errand: Errand, answer: Answer | None) -> None:
        try:
            step = next(errand) if answer is None else errand.send(answer)
        except StopIteration:
            self.open -= 1
            return
        if isinstance(step, int):
            self._drill.world.after(step, lambda: self._go_on(host, errand, None))
        else:
            self._drill.ask(host, step, lambda said: self._go_on(host, errand, said))
