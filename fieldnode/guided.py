"""Calls about guidelines: which there are for a patient, working by one, and the packs here."""

from __future__ import annotations

from typing import Protocol

from fieldnode.asking import Asking
from protocols.live.guidance import GuidelineList, GuidelineSheet, PackInUse, PackLine


class GuidedCalls(Protocol):
    """The calls of `protocols/live/guidance.py` as a terminal uses them."""

    async def guidelines(self, patient: str) -> GuidelineList:
        """The guidelines there are for a patient, those begun first."""
        ...

    async def guideline(self, patient: str, guideline: str) -> GuidelineSheet:
        """One guideline in all its versions, and how far the patient's stay is with it."""
        ...

    async def packs(self) -> list[PackLine]:
        """Every version of every pack known here, with who works by it."""
        ...

    async def pack_in_use(self, pack: str) -> PackInUse:
        """The version of a pack that this node works by."""
        ...


class GuidedClient(Asking):
    """The same over the socket."""

    async def guidelines(self, patient: str) -> GuidelineList:
        """See `GuidedCalls.guidelines`."""
        return await self.ask(GuidelineList, "guidelines", patient=patient)

    async def guideline(self, patient: str, guideline: str) -> GuidelineSheet:
        """See `GuidedCalls.guideline`."""
        return await self.ask(GuidelineSheet, "guideline", patient=patient, guideline=guideline)

    async def packs(self) -> list[PackLine]:
        """See `GuidedCalls.packs`."""
        return await self.ask(list[PackLine], "packs")

    async def pack_in_use(self, pack: str) -> PackInUse:
        """See `GuidedCalls.pack_in_use`."""
        return await self.ask(PackInUse, "pack_in_use", pack=pack)
