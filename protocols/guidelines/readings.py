"""What was measured, as guidelines take it: a value, a coded answer, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple


class Reading(NamedTuple):
    """One observation of the moment; all three left out: not measured."""

    value: Fraction | None = None
    """In the first unit of the observation."""
    choice: str = ""
    """The word of a coded answer."""
    unrecordable: bool = False
    """Tried and not to be had: no pulse to be felt (SAFETY 6)."""

    @property
    def given(self) -> bool:
        """Whether anything was found."""
        return self.value is not None or bool(self.choice) or self.unrecordable


NOT_MEASURED = Reading()

Readings = Mapping[str, Reading]
"""By the observation's name in `packs/observations.toml`."""
