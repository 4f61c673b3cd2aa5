"""Who goes next on the node's thread: commands, then messages, then the node's own due work.

A rank that had its share lets the next lower one take a turn, so nothing starves. Own work that
presses goes before messages, and whoever sends them waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from protocols.mesh.effects import Effect, Now
from protocols.mesh.node import Node

COMMANDS_IN_A_ROW = 4
"""Commands served before waiting messages get one turn."""
MESSAGES_IN_A_ROW = 8
"""Messages served before due work of the node's own gets one turn."""


Then = Callable[[Node, Now], Sequence[Effect]]
"""What a job leaves until its answer is on its way."""


@dataclass(slots=True)
class Job:
    """One short piece of work on the node's thread."""

    run: Callable[[Node, Now], Sequence[Effect]]
    link: int | None = None
    """Its fault is that peer's: the link is cut."""
    message: bytes | None = None
    """What it hands to the node."""
    done: Callable[[], None] | None = None
    """Called on the loop's thread when it has run."""
    failed: Callable[[Exception], None] | None = None
    """Called on the loop's thread instead of `done` when it raised."""
    then: Then | None = None
    """Run when `done` is on its way, or `failed`; no other job comes in between."""
    seen: bool = False
    """Whether the node has had a glimpse of the message."""


class Turns:
    """The jobs that wait. Not safe by itself for several threads."""

    def __init__(self, tick: Job) -> None:
        self.tick = tick
        """The node's own deferred work."""
        self.commands: deque[Job] = deque()
        self.messages: deque[Job] = deque()
        """Messages and link events of all links, in order of arrival."""
        self._commands_run = self._messages_run = 0

    def next(self, *, due: bool, pressing: bool = False) -> Job | None:
        """Return the next job by rank, or by share when a rank had its fill.

        Args:
            due: The node's own work is due.
            pressing: It goes before messages.
        """
        others_wait = bool(self.messages) or due
        if self.commands and not (others_wait and self._commands_run >= COMMANDS_IN_A_ROW):
            self._commands_run += 1
            return self.commands.popleft()
        self._commands_run = 0
        had_their_share = pressing or self._messages_run >= MESSAGES_IN_A_ROW
        if self.messages and not (due and had_their_share):
            self._messages_run += 1
            return self.messages.popleft()
        self._messages_run = 0
        return self.tick if due else None

    def unseen(self, may_glimpse: Callable[[int], bool]) -> dict[int, list[bytes]]:
        """Return, by link, the messages that wait and were not returned before, oldest first."""
        found: dict[int, list[bytes]] = {}
        for job in self.messages:
            if job.seen or job.message is None or job.link is None or not may_glimpse(job.link):
                continue
            job.seen = True
            found.setdefault(job.link, []).append(job.message)
        return found

    def give_up(self) -> list[Job]:
        """Forget and return all that waits."""
        jobs = [*self.commands, *self.messages]
        self.commands.clear()
        self.messages.clear()
        return jobs
