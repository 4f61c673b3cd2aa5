"""Signing in: whose PIN or passphrase is typed, and what was typed so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fieldnode.tui.cores.keys import fold_digit, fold_single, is_text

SECRET_CHARS_MAX = 256
PIN_DIGITS_MAX = 12
DEVICE_DIGIT = "0"
"""Opens by the device's own passphrase: nobody is identified then."""
_DIGITS = tuple("0123456789")


@dataclass(frozen=True, slots=True)
class Choice:
    """Somebody who may sign in here."""

    number: int
    id: str
    has_pin: bool


DEVICE = Choice(0, "", has_pin=False)


@dataclass(frozen=True, slots=True)
class Try:
    """One PIN or passphrase, entered."""

    id: str
    """Whose it is; '' = the device's."""
    secret: str = field(repr=False)
    by_pin: bool


class SignIn:
    """Keys in, tries out. Without people here it takes the device's passphrase and nothing else."""

    def __init__(self) -> None:
        self.choices: tuple[Choice, ...] = ()
        self.at = 0
        """Place of the marked line; as many as there are choices: the device's own."""
        self.chosen: Choice | None = DEVICE
        """Whose secret is asked; None while somebody has to be chosen."""
        self.by_pin = False
        self.secret = ""
        self._digits = ""

    def take(self, choices: Sequence[Choice]) -> None:
        """Take who there is, asked again at times; whoever was chosen stays so."""
        first = not self.choices
        self.choices = tuple(choices)
        self.at = min(self.at, len(self.choices))
        if not self.choices:
            self._choose(DEVICE)
        elif (first and not self.secret) or self.chosen not in (None, DEVICE, *self.choices):
            self.back()

    def back(self) -> None:
        """Choose again, where there is somebody to choose."""
        self.secret = self._digits = ""
        self.chosen = None if self.choices else DEVICE

    def refused(self, *, by_pin: bool) -> None:
        """A secret was not taken.

        Args:
            by_pin: Whether a PIN may be tried again.
        """
        self.secret = ""
        self.by_pin = self.by_pin and by_pin

    def key(self, key: str) -> Try | None:
        """Take one key."""
        if self.chosen is not None:
            return self._typing(self.chosen, key)
        self._choosing(key)
        return None

    def _choosing(self, key: str) -> None:
        if key == "down":
            self.at = min(self.at + 1, len(self.choices))
        elif key == "up":
            self.at = max(self.at - 1, 0)
        elif key == "enter":
            self._choose((*self.choices, DEVICE)[self.at])
        elif key in ("backspace", "escape"):
            self._digits = ""
        elif len(key) == 1 and (digit := fold_single(key)) in _DIGITS:
            self._number(digit)

    def _number(self, digit: str) -> None:
        """Take a digit; where numbers have two, `3` is typed as `03`."""
        wide = len(str(max(choice.number for choice in self.choices)))
        self._digits += digit
        if len(self._digits) < wide and self._digits != DEVICE_DIGIT * wide:
            return
        wanted, self._digits = int(self._digits), ""
        found = [choice for choice in (*self.choices, DEVICE) if choice.number == wanted]
        if found:
            self._choose(found[0])

    def _choose(self, choice: Choice) -> None:
        self.chosen, self.by_pin = choice, choice.has_pin
        self.at = (*self.choices, DEVICE).index(choice)
        self.secret = self._digits = ""

    def _typing(self, chosen: Choice, key: str) -> Try | None:
        if key == "enter":
            secret, self.secret = self.secret, ""
            return Try(chosen.id, secret, self.by_pin) if secret else None
        if key == "escape" or (key == "backspace" and not self.secret):
            self.back()
        elif key == "backspace":
            self.secret = self.secret[:-1]
        elif key == "tab" and chosen.has_pin:
            self.by_pin, self.secret = not self.by_pin, ""
        elif self.by_pin:
            digit = fold_digit(key) if len(key) == 1 else ""
            if digit in _DIGITS and len(self.secret) < PIN_DIGITS_MAX:
                self.secret += digit
        elif is_text(key) and len(self.secret) < SECRET_CHARS_MAX:
            self.secret += key
        return None
