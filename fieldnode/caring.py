"""Calls about one patient's care: allergies, problems, medicines, and a dose proposed."""

from __future__ import annotations

from typing import Protocol

from fieldnode.asking import Asking
from protocols.live.bedside import Care, DoseHelp


class CareCalls(Protocol):
    """The calls of `protocols/live/care.py` as a terminal uses them."""

    async def care(self, patient: str) -> Care:
        """What is known of a patient's care, with what is due."""
        ...

    async def dose_help(self, patient: str, substance: str, weight: int = 0) -> DoseHelp:
        """What speaks against a medicine, and the doses that whole rows propose."""
        ...


class CareClient(Asking):
    """The same over the socket."""

    async def care(self, patient: str) -> Care:
        """See `CareCalls.care`."""
        return await self.ask(Care, "care", patient=patient)

    async def dose_help(self, patient: str, substance: str, weight: int = 0) -> DoseHelp:
        """See `CareCalls.dose_help`."""
        return await self.ask(
            DoseHelp, "dose_help", patient=patient, substance=substance, weight=weight
        )
