"""What time is it? Asked before anything else where the device cannot know (SAFETY 14)."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import UTC, datetime
from typing import ClassVar

from fieldnode.tui.acts import Act, Ask, Back, Say
from fieldnode.tui.cores.fields import Answer, Date, Reason, Time
from fieldnode.tui.desk import Desk
from fieldnode.tui.occasion import DAY_CHARS
from fieldnode.tui.screens.fields_page import FieldsPage
from fieldnode.tui.wording import clock
from protocols.live.api import SyncState
from protocols.records.moment import IMPLAUSIBLE_BEFORE_MS

AHEAD_MS_MAX = 400 * 86_400_000
"""A day so much later than anything in the book is asked about once."""

EARLIER_MS = 5 * 60_000
"""So much earlier than the book's own newest entry is asked about once too."""


class ClockPage(FieldsPage):
    """Day and time in digits; Enter keeps what is right already."""

    name: ClassVar[str] = "clock"
    title: ClassVar[str] = "clock.title"

    def __init__(self, desk: Desk) -> None:
        day = Date("day", "when.day", required=True, hint="form.date_hint")
        time = Time("time", "when.time", required=True, hint="clock.time_hint", whole=True)
        super().__init__(desk, (day, time))
        self._doubted = ""
        """The day and time that were asked about once."""
        self.form.fill_all(self._known())

    @property
    def question(self) -> Hashable | None:
        """A question of its own: keys struck before it was seen are no answer."""
        return "clock", self.form.question

    def done(self, answers: dict[str, Answer]) -> list[Act]:
        """Tell the node."""
        day, time = answers["day"].text, answers["time"].text
        if len(day) < DAY_CHARS:
            return self._refuse("form.date")
        stated = datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=self.desk.zone)
        stated_ms = int(stated.timestamp() * 1000)
        if stated_ms < IMPLAUSIBLE_BEFORE_MS:
            return self._refuse("clock.too_early")
        if self._doubtful(stated_ms) and self._doubted != day + time:
            self._doubted = day + time
            return self._refuse("clock.far", (("newest", self._newest()),))
        return [
            Ask(lambda node: node.clock_set(stated_ms), lambda _: self._is_set(stated_ms)),
        ]

    def explained(self) -> str:
        """Say why this is asked, and what happens to what is saved without it."""
        return self.desk.words("clock.explained")

    def _known(self) -> dict[str, str]:
        """Return what may be right already: a time stated before, or the book's newest day."""
        desk, sync = self.desk, self.desk.sync
        if sync is None:
            return {}
        known_ms = desk.now_ms if sync.ahead_ms else sync.newest_ms
        if known_ms is None or known_ms < IMPLAUSIBLE_BEFORE_MS:
            return {}
        at = datetime.fromtimestamp(known_ms / 1000, UTC).astimezone(desk.zone)
        known = {"day": at.date().isoformat()}
        return known | ({"time": f"{at:%H:%M}"} if sync.ahead_ms else {})

    def _doubtful(self, stated_ms: int) -> bool:
        newest = self.desk.sync.newest_ms if self.desk.sync else None
        since = max(newest or 0, IMPLAUSIBLE_BEFORE_MS)
        return stated_ms < since - EARLIER_MS or stated_ms > since + AHEAD_MS_MAX

    def _newest(self) -> str:
        newest = self.desk.sync.newest_ms if self.desk.sync else None
        known = newest is not None and newest >= IMPLAUSIBLE_BEFORE_MS
        return clock(newest if known else None, 0, self.desk.zone)

    def _refuse(self, key: str, values: tuple[tuple[str, str], ...] = ()) -> list[Act]:
        self.form.refuse("day", Reason(key, values))
        return [Say("", bell=True)]

    def _is_set(self, stated_ms: int) -> list[Act]:
        desk = self.desk
        at = clock(stated_ms, 0, desk.zone)
        said = Say(desk.words("clock.set", at=at), "good")

        def heard(sync: SyncState) -> list[Act]:
            desk.now_ms += sync.ahead_ms - (desk.sync.ahead_ms if desk.sync else 0)
            desk.sync = sync
            return []

        return [Back(), said, Ask(lambda node: node.sync(), heard)]
