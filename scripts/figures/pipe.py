"""Two nodes on one line inside this process, in virtual time, with every byte counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from random import Random

from figures.books import BEGINS_MS
from protocols.mesh.effects import Effect, Hangup, Now, Transmit, WakeAt
from protocols.mesh.node import Node

MESSAGE_MS = 1
STEPS_MAX = 200_000


class Pipe:
    """A link that the first node dials; messages cross one by one, a millisecond each."""

    def __init__(self, here: Node, there: Node, chance: Random) -> None:
        self.bytes = 0
        """That crossed in either direction."""
        self._nodes = (here, there)
        self._chance = chance
        self._at_ms = 0
        self._under_way: deque[tuple[int, bytes]] = deque()
        self._wake: list[int | None] = [None, None]
        self._do(1, there.opened(1, self._now(), dialled=False))
        self._do(0, here.opened(1, self._now(), dialled=True, address="there"))

    def run(self, for_ms: int, until: Callable[[], bool] = lambda: False) -> bool:
        """Let time pass until it holds; return whether it does."""
        end = self._at_ms + for_ms
        for _ in range(STEPS_MAX):
            if until():
                return True
            if self._under_way:
                self._at_ms += MESSAGE_MS
                to, message = self._under_way.popleft()
                self.bytes += len(message)
                self._do(to, self._nodes[to].received(1, message, self._now()))
                continue
            due = min((at for at in self._wake if at is not None), default=None)
            if due is None or due > end:
                return until()
            self._at_ms = max(self._at_ms, due)
            which = self._wake.index(due)
            self._wake[which] = None
            self._do(which, self._nodes[which].tick(self._now()))
        raise AssertionError("a node never rests")

    def _now(self) -> Now:
        return Now(BEGINS_MS + self._at_ms, self._at_ms, self._chance.randbytes)

    def _do(self, which: int, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case Transmit(_, message):
                    self._under_way.append((1 - which, message))
                case WakeAt(at_ms):
                    self._wake[which] = max(at_ms, self._at_ms)
                case Hangup(_, code):
                    raise AssertionError(f"the link ended: {code}")
                case _:
                    pass
