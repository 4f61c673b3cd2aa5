"""Deciding on a seal, one question after the other, and the number that says it is meant.

A seal is not taken back. So the last step takes no single key: four digits that are drawn anew
each time have to be typed as they are shown, which no glove and no key held down does by accident.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from enum import Enum
from typing import NamedTuple
from zlib import crc32

from fieldnode.tui.cores.keys import action_key, fold_digit, fold_single, is_text

CODE_DIGITS = 4
SINCE_CHARS_MAX = 16
NOTE_CHARS_MAX = 200
ROLES_MAX = 9
"""Roles that a digit can choose."""


def code_of(drawn: str) -> str:
    """Return the digits to type for a random text."""
    return f"{crc32(drawn.encode()) % 9000 + 1000}"


class TypedCode:
    """Digits that have to be typed as shown, then Enter."""

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted
        self.typed = ""
        self.wrong = False
        """The last Enter came behind other digits."""

    def key(self, key: str) -> bool:
        """Take one key; return whether the whole number was typed and entered."""
        if key == "enter":
            right = self.typed == self.wanted
            self.wrong = not right and bool(self.typed)
            self.typed = ""
            return right
        if key == "backspace":
            self.typed = self.typed[:-1]
            return False
        digit = fold_single(key) if len(key) == 1 else ""
        if digit.isdecimal() and len(self.typed) < len(self.wanted):
            self.typed += digit
            self.wrong = False
        return False


class Reason(NamedTuple):
    """One reason for a seal, under a letter and under a digit."""

    letter: str
    digit: str
    name: str
    """As the node takes it; also its word."""


DEVICE_REASONS = (
    Reason("r", "1", "retired"),
    Reason("l", "2", "lost"),
    Reason("c", "3", "compromised"),
    Reason("d", "4", "cloned"),
    Reason("o", "5", "role_reduced"),
)
PERSON_REASONS = (
    Reason("r", "1", "retired"),
    Reason("l", "2", "lost"),
    Reason("c", "3", "compromised"),
    Reason("o", "5", "role_reduced"),
    Reason("e", "6", "licence_ended"),
)


class Step(Enum):
    """What is asked."""

    REASON = "reason"
    SINCE = "since"
    ROLES = "roles"
    NOTE = "note"
    CONFIRM = "confirm"


class Came(Enum):
    """What a key led to."""

    NOTHING = 0
    LEFT = 1
    """Escape in the first step."""
    REFUSED = 2
    """What was typed is no instant, or lies ahead."""
    LOOK = 3
    """All is said: what it would do has to be shown now."""
    MEANT = 4
    """The number was typed."""


class SealCore:
    """The steps of one seal."""

    def __init__(
        self, reasons: Sequence[Reason], roles: Sequence[str], code: str, zone: tzinfo
    ) -> None:
        """Ask about one member.

        Args:
            reasons: Those that make sense for it.
            roles: Those it holds, of which a reduction keeps some.
            code: What has to be typed at the end.
            zone: In which a time of day is meant.
        """
        self.reasons = tuple(reasons)
        self.roles = tuple(roles)[:ROLES_MAX]
        self.step = Step.REASON
        self.reason = ""
        self.since_ms: int | None = None
        """None: from now on."""
        self.keeps: set[str] = set()
        self.note = ""
        self.typed = ""
        """What is typed in a step that takes text."""
        self.code = TypedCode(code)
        self._zone = zone

    @property
    def reduces(self) -> bool:
        """Whether some roles stay."""
        return self.reason == "role_reduced"

    def key(self, key: str, now_ms: int) -> Came:
        """Take one key."""
        if key == "escape":
            return self._back()
        match self.step:
            case Step.REASON:
                self._choose(key)
            case Step.SINCE:
                return self._since(key, now_ms)
            case Step.ROLES:
                self._keep(key)
            case Step.NOTE:
                return self._note(key)
            case Step.CONFIRM:
                return Came.MEANT if self.code.key(key) else Came.NOTHING
        return Came.NOTHING

    def _back(self) -> Came:
        before = {
            Step.SINCE: Step.REASON,
            Step.ROLES: Step.SINCE,
            Step.NOTE: Step.ROLES if self.reduces else Step.SINCE,
            Step.CONFIRM: Step.NOTE,
        }.get(self.step)
        if before is None:
            return Came.LEFT
        self.step = before
        self.code.typed, self.code.wrong = "", False
        self.typed = self.note if before is Step.NOTE else ""
        return Came.NOTHING

    def _choose(self, key: str) -> None:
        struck = action_key(key)
        for reason in self.reasons:
            if struck in (reason.letter, reason.digit):
                self.reason, self.step, self.typed = reason.name, Step.SINCE, ""

    def _since(self, key: str, now_ms: int) -> Came:
        if key != "enter":
            self._type(key, SINCE_CHARS_MAX)
            return Came.NOTHING
        if self.typed.strip():
            since_ms = instant_of(self.typed, now_ms, self._zone)
            if since_ms is None:
                return Came.REFUSED
            self.since_ms = since_ms
        else:
            self.since_ms = None
        self.step = Step.ROLES if self.reduces else Step.NOTE
        self.typed = self.note
        return Came.NOTHING

    def _keep(self, key: str) -> None:
        digit = fold_single(key) if len(key) == 1 else ""
        if digit.isdecimal() and 1 <= int(digit) <= len(self.roles):
            self.keeps ^= {self.roles[int(digit) - 1]}
        elif key == "enter" and self.keeps:
            self.step, self.typed = Step.NOTE, self.note

    def _note(self, key: str) -> Came:
        if key != "enter":
            self._type(key, NOTE_CHARS_MAX)
            return Came.NOTHING
        self.note, self.step = self.typed.strip(), Step.CONFIRM
        return Came.LOOK

    def _type(self, key: str, most: int) -> None:
        if key == "backspace":
            self.typed = self.typed[:-1]
        elif is_text(key) and len(self.typed) < most:
            self.typed += key


def instant_of(text: str, now_ms: int, zone: tzinfo) -> int | None:
    """Return Unix milliseconds of `14:05`, `1405`, `2026-05-20` or `2026-05-20 14:05`.

    A time alone is today's, or yesterday's when today's has not come. None for what is no instant
    and for what lies ahead.
    """
    folded = "".join(map(fold_digit, text.strip())).replace("T", " ")
    day, _, time = folded.rpartition(" ")
    if not day and time.count("-") == 2:
        day, time = time, "00:00"
    if len(time) == 4 and time.isdecimal():
        time = f"{time[:2]}:{time[2:]}"
    today = datetime.fromtimestamp(now_ms / 1000, zone)
    try:
        stated = datetime.fromisoformat(f"{day or today.date().isoformat()}T{time}")
        if stated.tzinfo is not None or ":" not in time:
            return None
        stated = stated.replace(tzinfo=zone)
        if not day and stated > today:
            stated -= timedelta(days=1)
        at_ms = int(stated.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
    return at_ms if 0 <= at_ms <= now_ms else None
