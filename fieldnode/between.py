"""Calls about what happens between teams: hand-over, differing values, records alike, papers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from fieldnode.asking import Asking
from protocols.live.alike import Alike
from protocols.live.dispute import Disputes
from protocols.live.handing import Handing, Offers
from protocols.live.paper import PaperRead
from protocols.live.proof import PaperDoses


class BetweenCalls(Protocol):
    """The calls of `protocols/live/{dispute,handing,alike,papers}.py` as a terminal uses them."""

    async def unsettled(self, limit: int) -> Disputes:
        """What people differ about, of everybody, the greatest risk first; no values."""
        ...

    async def disputes(self, patient: str) -> Disputes:
        """What people differ about of one patient, with every value."""
        ...

    async def offers(self, limit: int) -> Offers:
        """Patients who are offered to somebody, those to us first."""
        ...

    async def handing(self, patient: str) -> Handing:
        """What an offer of a patient begins from."""
        ...

    async def alike(self, names: Sequence[str], sex: int = 9, **known: str) -> Alike:
        """Who looks like somebody about to be written down."""
        ...

    async def lookalikes(self, limit: int) -> Alike:
        """Pairs of patients in care that look like one person."""
        ...

    async def paper_read(self, text: str) -> PaperRead:
        """What a scanned paper says, and whether to believe it."""
        ...

    async def paper_doses(self, text: str, patient: str) -> PaperDoses:
        """What a proof of vaccination would add to somebody's doses."""
        ...


class BetweenClient(Asking):
    """The same over the socket."""

    async def unsettled(self, limit: int) -> Disputes:
        """See `BetweenCalls.unsettled`."""
        return await self.ask(Disputes, "unsettled", limit=limit)

    async def disputes(self, patient: str) -> Disputes:
        """See `BetweenCalls.disputes`."""
        return await self.ask(Disputes, "disputes", patient=patient)

    async def offers(self, limit: int) -> Offers:
        """See `BetweenCalls.offers`."""
        return await self.ask(Offers, "offers", limit=limit)

    async def handing(self, patient: str) -> Handing:
        """See `BetweenCalls.handing`."""
        return await self.ask(Handing, "handing", patient=patient)

    async def alike(self, names: Sequence[str], sex: int = 9, **known: str) -> Alike:
        """See `BetweenCalls.alike`."""
        return await self.ask(Alike, "alike", names=list(names), sex=sex, **known)

    async def lookalikes(self, limit: int) -> Alike:
        """See `BetweenCalls.lookalikes`."""
        return await self.ask(Alike, "lookalikes", limit=limit)

    async def paper_read(self, text: str) -> PaperRead:
        """See `BetweenCalls.paper_read`."""
        return await self.ask(PaperRead, "paper_read", text=text)

    async def paper_doses(self, text: str, patient: str) -> PaperDoses:
        """See `BetweenCalls.paper_doses`."""
        return await self.ask(PaperDoses, "paper_doses", text=text, patient=patient)
