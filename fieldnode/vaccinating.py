"""Calls about vaccination: sessions, vials, a child's doses and what is due, coverage."""

from __future__ import annotations

from typing import Protocol

from fieldnode.asking import Asking
from protocols.live.drive import (
    Box,
    Child,
    Coverage,
    DoubledDoses,
    Drive,
    SessionChoices,
    Sessions,
    VialLine,
)


class VaccineCalls(Protocol):
    """The calls of `protocols/live/vaccinating.py` and `vaccinated.py` as a terminal uses them."""

    async def sessions(self, *, closed: bool = False) -> Sessions:
        """Vaccination sessions, the latest first."""
        ...

    async def drive(self, session: str) -> Drive:
        """One session as its screen shows it."""
        ...

    async def session_vials(self, session: str) -> list[VialLine]:
        """Every vial of a session, those in use first."""
        ...

    async def vial_code(self, code: str) -> list[Box]:
        """What a code on a vial or its box means; [] where it says nothing of either."""
        ...

    async def child(self, patient: str, session: str) -> Child:
        """Somebody's doses, and what is due."""
        ...

    async def child_of_age(
        self, age: int, unit: str, session: str, *, estimated: bool = False
    ) -> Child:
        """What somebody of an age needs who never had a dose."""
        ...

    async def session_choices(self) -> SessionChoices:
        """What a session can be opened with."""
        ...

    async def vaccination_coverage(self, session: str) -> Coverage:
        """What vaccination came to; the pace is of one session."""
        ...

    async def doubled_doses(self) -> DoubledDoses:
        """Records that may be of one dose."""
        ...


class VaccineClient(Asking):
    """The same over the socket."""

    async def sessions(self, *, closed: bool = False) -> Sessions:
        """See `VaccineCalls.sessions`."""
        return await self.ask(Sessions, "sessions", closed=closed)

    async def drive(self, session: str) -> Drive:
        """See `VaccineCalls.drive`."""
        return await self.ask(Drive, "drive", session=session)

    async def session_vials(self, session: str) -> list[VialLine]:
        """See `VaccineCalls.session_vials`."""
        return await self.ask(list[VialLine], "session_vials", session=session)

    async def vial_code(self, code: str) -> list[Box]:
        """See `VaccineCalls.vial_code`."""
        return await self.ask(list[Box], "vial_code", code=code)

    async def child(self, patient: str, session: str) -> Child:
        """See `VaccineCalls.child`."""
        return await self.ask(Child, "child", patient=patient, session=session)

    async def child_of_age(
        self, age: int, unit: str, session: str, *, estimated: bool = False
    ) -> Child:
        """See `VaccineCalls.child_of_age`."""
        return await self.ask(
            Child, "child", session=session, age=age, unit=unit, estimated=estimated
        )

    async def session_choices(self) -> SessionChoices:
        """See `VaccineCalls.session_choices`."""
        return await self.ask(SessionChoices, "session_choices")

    async def vaccination_coverage(self, session: str) -> Coverage:
        """See `VaccineCalls.vaccination_coverage`."""
        return await self.ask(Coverage, "vaccination_coverage", session=session)

    async def doubled_doses(self) -> DoubledDoses:
        """See `VaccineCalls.doubled_doses`."""
        return await self.ask(DoubledDoses, "doubled_doses")
