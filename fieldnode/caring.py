"""Calls about one patient's care: allergies, problems, medicines, and a dose proposed."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from protocols.live.bedside import Care, DoseHelp

Answer = TypeVar("Answer")


class CareCalls(Protocol):
    """The calls of `protocols/live/care.py` as a terminal uses them."""

    async def care(self, patient: str) -> Care:
        """What is known of a patient's care, with what is due."""
        ...

    async def dose_help(self, patient: str, substance: str, weight: int = 0) -> DoseHelp:
        """What speaks against a medicine, and the doses that whole rows propose."""
        ...


class CareClient:
    """The same over the socket."""

    async def _ask(self, kind: type[Answer], name: str, **args: Any) -> Answer:
        raise NotImplementedError

    async def care(self, patient: str) -> Care:
        """See `CareCalls.care`."""
        return await self._ask(Care, "care", patient=patient)

    async def dose_help(self, patient: str, substance: str, weight: int = 0) -> DoseHelp:
        """See `CareCalls.dose_help`."""
        return await self._ask(
            DoseHelp, "dose_help", patient=patient, substance=substance, weight=weight
        )
