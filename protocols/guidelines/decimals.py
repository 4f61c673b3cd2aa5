"""Decimal numbers as people type them, never as floats."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from protocols.errors import InputError

DIGITS_MAX = 9
"""More digits than any bedside measure has; keeps a number in four bytes."""

SCALE_MAX = 6

_PLAIN = re.compile(r"(-?)([0-9]*)(?:[.,]([0-9]*))?", re.ASCII)
_GROUPED = re.compile(r"[-0-9]*[0-9][ \u00a0\u202f'’,.][0-9]{3}(?![0-9]).*", re.ASCII)


class Decimal(NamedTuple):
    """`mantissa` times ten to the minus `scale`; without trailing zeros after the point."""

    mantissa: int
    scale: int = 0

    @property
    def exact(self) -> Fraction:
        """The number, for comparing."""
        return Fraction(self.mantissa, 10**self.scale)

    def __str__(self) -> str:
        """Point, a leading zero, no trailing zero (SAFETY 3)."""
        sign = "-" if self.mantissa < 0 else ""
        digits = str(abs(self.mantissa)).rjust(self.scale + 1, "0")
        if not self.scale:
            return sign + digits
        return f"{sign}{digits[: -self.scale]}.{digits[-self.scale :]}"


def read_decimal(text: str, field: str, places: int = SCALE_MAX) -> Decimal:
    """Return a typed number; point and comma are both decimal marks.

    Args:
        text: As typed.
        field: Dotted path, for the error.
        places: Decimals the measure has; with fewer than three, three typed ones look like a
            thousand.

    Raises:
        InputError: `grouping_mark` when it may be a thousands mark, `bad_number` otherwise.
    """
    kept = text.strip()
    match = _PLAIN.fullmatch(kept)
    if match is None or not (match[2] or match[3]):
        code = "grouping_mark" if _GROUPED.fullmatch(kept) else "bad_number"
        raise InputError(code, field=field, allowed=("36.5", "36,5"))
    # "4,200" is 4.2 to half our users and 4200 to the others.
    if match[3] and len(match[3]) == 3 and places < 3:
        raise InputError("grouping_mark", field=field, allowed=("4200", "4.2"))
    decimals = (match[3] or "").rstrip("0")
    whole = match[2].lstrip("0")
    if len(whole) + len(decimals) > DIGITS_MAX:
        raise InputError("bad_number", field=field)
    if len(decimals) > SCALE_MAX:
        raise InputError("too_precise", field=field, limit=SCALE_MAX)
    mantissa = int((whole + decimals) or "0")
    return Decimal(-mantissa if match[1] else mantissa, len(decimals))
