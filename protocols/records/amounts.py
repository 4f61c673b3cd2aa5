"""Amounts of a medicine or a fluid: a number as typed and a unit, never a float."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import Annotated

import msgspec

from protocols.errors import InputError
from protocols.guidelines.decimals import SCALE_MAX, Decimal, read_decimal
from protocols.records.shape import Small
from protocols.records.spelling import NumberText, one_of

UNITS = (
    "mg",
    "g",
    "ug",
    "mL",
    "L",
    "[iU]",
    "mmol",
    "mL/h",
    "ug/min",
    "L/min",
    "{tablet}",
    "{capsule}",
    "{drop}",
    "{puff}",
    "{sachet}",
    "{unit}",
    "kg",
    "mg/h",
    "{ampoule}",
    "{application}",
)
"""UCUM, by position on the wire; only ever added to at the end."""

_TYPED = {
    "ml": "mL",
    "l": "L",
    "ml/h": "mL/h",
    "l/min": "L/min",
    "mcg": "ug",
    "µg": "ug",
    "μg": "ug",
    "IU": "[iU]",
    "tablet": "{tablet}",
    "capsule": "{capsule}",
    "drop": "{drop}",
    "puff": "{puff}",
    "sachet": "{sachet}",
    "ampoule": "{ampoule}",
    "application": "{application}",
}


_LOOKS_GROUPED = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}", re.ASCII)
"""`4,200` is 4.2 to half our users; `0.125` is no thousand to anybody (SAFETY 3)."""


class Amount(msgspec.Struct, array_like=True, frozen=True):
    """So much of something: mantissa / 10**scale, as typed, and a unit."""

    mantissa: int = 0
    scale: Small = 0
    unit: Small = 0
    """Position in `UNITS`."""

    def __post_init__(self) -> None:
        """Refuse numbers that no typed amount has."""
        if not 0 <= self.scale <= SCALE_MAX or not 0 <= self.mantissa < 10**9:
            raise ValueError("amount")

    @property
    def exact(self) -> Fraction:
        """The number, for comparing within one unit."""
        return Fraction(self.mantissa, 10**self.scale)


class AmountData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """An amount in a line: both as text, the unit as UCUM has it."""

    value: NumberText
    unit: Annotated[str, one_of((*UNITS, *_TYPED))]


def read_amount(data: AmountData, where: str, units: tuple[str, ...] = UNITS) -> Amount:
    """Return an amount above nothing.

    Raises:
        InputError: `bad_number`, `grouping_mark`, `out_of_range`, `unit_refused` with the units.
    """
    unit = _TYPED.get(data.unit, data.unit)
    if unit not in units:
        raise InputError("unit_refused", field=f"{where}.unit", allowed=units)
    if _LOOKS_GROUPED.fullmatch(data.value.strip()):
        raise InputError("grouping_mark", field=f"{where}.value", allowed=("4200", "4.2"))
    value = read_decimal(data.value, f"{where}.value")
    if value.mantissa <= 0:
        raise InputError("out_of_range", field=f"{where}.value", allowed=("> 0",))
    return Amount(value.mantissa, value.scale, UNITS.index(unit))


def amount_text(amount: Amount | None) -> str:
    """Return an amount with its unit: `0.5 mg`; '' when there is none."""
    return "" if amount is None else _text(amount.mantissa, amount.scale, amount.unit)


@lru_cache(1024)
def _text(mantissa: int, scale: int, unit: int) -> str:
    known = UNITS[unit] if 0 <= unit < len(UNITS) else "?"
    return f"{Decimal(mantissa, scale)} {known}"
