"""A page's way to who belongs: members, scopes, what is kept apart, erases, releases; sealing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar, cast

from protocols.guidelines.coldchain import ColdChain
from protocols.guidelines.interventions import Interventions
from protocols.guidelines.items import Items
from protocols.ids import FactRef
from protocols.ledger import coverage, immunization, interventions
from protocols.ledger.coldunits import coldchain
from protocols.ledger.immunization import Doubled, Doubts
from protocols.ledger.recalls import catalogue
from protocols.live import counting, erasing, members, packs, releasing, reviewing, rosters
from protocols.live.belonging import (
    Apart,
    Belonging,
    MemberLine,
    Quarantine,
    ReviewPage,
    RosterPage,
    SealLook,
)
from protocols.live.crossing import CountLine, EraseState, ReleaseLine
from protocols.live.guidance import PackPage
from protocols.live.service import Service
from protocols.mesh.effects import Effect, Now
from protocols.mesh.node import Node

Answer = TypeVar("Answer")


class Supplies(NamedTuple):
    """The packs that pages of stores speak by."""

    items: Items
    cold: ColdChain


class Vaccinations(NamedTuple):
    """What only the node can tell of doses."""

    beside: coverage.Beside
    doubled: tuple[Doubled, ...]
    """Records that may be of one dose, the oldest first."""
    interventions: Interventions | None = None
    """The pack in use of what sessions give beside vaccines; None: what came with the software."""


PERSONS_AT_ONCE = 8
"""Persons whose records the node compares in one go, some milliseconds each."""


class Registry(Protocol):
    """The roster, as far as the pages read and change it."""

    async def belonging(self) -> Belonging:
        """The operation, its organisations, coordinators and scopes, and how old all this is."""
        ...

    async def roster(self, offset: int, limit: int, text: str = "") -> RosterPage:
        """Devices and persons; with a text those of which it is part."""
        ...

    async def apart(self) -> Apart:
        """Everything that is here and does not count, with the reason."""
        ...

    async def seal_look(self, member: str, since_ms: int | None = None) -> SealLook:
        """What sealing a member would do.

        Raises:
            InputError: `unknown_member`.
        """
        ...

    async def seal(
        self,
        member: str,
        reason: str,
        since_ms: int | None,
        roles: Sequence[str],
        note: str,
        account: str = "",
    ) -> MemberLine:
        """Seal a member; durable on return, and the trail says which account did.

        Raises:
            InputError: As the call `seal`.
            LedgerError: It could not be written.
        """
        ...

    async def unseal(self, seal: str, entries: int, account: str = "") -> Quarantine:
        """Let through what a seal keeps back, if it is still so many entries.

        Raises:
            InputError: As the call `unseal`.
            LedgerError: It could not be written.
        """
        ...

    async def erases(self) -> EraseState:
        """Every erase and legal hold."""
        ...

    async def releases(self) -> Sequence[ReleaseLine]:
        """Every release across a border, the newest first."""
        ...

    async def counts(self) -> Sequence[CountLine]:
        """How many encounters there are, by law; of another law only what may leave it."""
        ...

    async def packs(self) -> PackPage:
        """Every version of every pack with who works by it."""
        ...

    async def supplies(self) -> Supplies:
        """What stores keep and how cold, by the packs HQ works by."""
        ...

    async def vaccinations(self) -> Vaccinations:
        """By what doses are judged, and which records may be of one dose."""
        ...

    async def reviews(self) -> ReviewPage:
        """Acts of persons whose licence or key came into doubt, those that wait first."""
        ...

    async def review(self, fact: str, outcome: str, note: str, account: str = "") -> None:
        """Say what came of looking at one again; durable on return, and the trail says who.

        Raises:
            InputError: As the call `review_done`.
            LedgerError: It could not be written.
        """
        ...


class NodeRegistry:
    """A `Registry` over a running service."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def belonging(self) -> Belonging:
        """See `Registry.belonging`."""
        return await self._read(rosters.belonging, {})

    async def roster(self, offset: int, limit: int, text: str = "") -> RosterPage:
        """See `Registry.roster`."""
        asked = {"offset": offset, "limit": limit, "text": text}
        return await self._read(rosters.roster, asked)

    async def apart(self) -> Apart:
        """See `Registry.apart`."""
        return await self._read(rosters.apart, {})

    async def seal_look(self, member: str, since_ms: int | None = None) -> SealLook:
        """See `Registry.seal_look`."""
        return await self._read(rosters.seal_look, {"member": member, "since_ms": since_ms})

    async def seal(
        self,
        member: str,
        reason: str,
        since_ms: int | None,
        roles: Sequence[str],
        note: str,
        account: str = "",
    ) -> MemberLine:
        """See `Registry.seal`."""
        said = {"member": member, "reason": reason, "since_ms": since_ms, "roles": list(roles)}

        def run(node: Node, now: Now) -> tuple[object, Sequence[Effect]]:
            return members.seal(node, now, said | {"note": note}, account=account)

        return cast(MemberLine, await self._service.call(run))

    async def unseal(self, seal: str, entries: int, account: str = "") -> Quarantine:
        """See `Registry.unseal`."""

        def run(node: Node, now: Now) -> tuple[object, Sequence[Effect]]:
            return members.unseal(node, now, {"seal": seal, "entries": entries}, account=account)

        return cast(Quarantine, await self._service.call(run))

    async def erases(self) -> EraseState:
        """See `Registry.erases`."""
        return cast(EraseState, await self._read(erasing.state, {}))

    async def releases(self) -> Sequence[ReleaseLine]:
        """See `Registry.releases`."""
        return cast(Sequence[ReleaseLine], await self._read(releasing.listed, {}))

    async def counts(self) -> Sequence[CountLine]:
        """See `Registry.counts`."""
        return cast(Sequence[CountLine], await self._read(counting.listed, {}))

    async def packs(self) -> PackPage:
        """See `Registry.packs`."""
        return await self._read(packs.page, {})

    async def supplies(self) -> Supplies:
        """See `Registry.supplies`."""
        return await self._read(_supplies, {})

    async def vaccinations(self) -> Vaccinations:
        """See `Registry.vaccinations`; the node is free to do other things in between."""
        persons = await self._read(lambda node, *_: immunization.in_doubt(node.ledger), {})
        doubled: list[Doubled] = []
        spare: set[FactRef] = set()
        for at in range(0, len(persons), PERSONS_AT_ONCE):
            some = persons[at : at + PERSONS_AT_ONCE]
            found = await self._read(_doubts, {"persons": some})
            doubled += found.doubled
            spare |= found.spare
        doubled.sort(key=lambda each: (each.rows[0].at_ms, each.doses))
        beside = await self._read(lambda node, *_: coverage.beside(node.ledger, spare), {})
        pack = await self._read(lambda node, *_: interventions.pack_in_use(node.ledger), {})
        return Vaccinations(beside, tuple(doubled), pack)

    async def reviews(self) -> ReviewPage:
        """See `Registry.reviews`."""
        return await self._read(reviewing.page, {})

    async def review(self, fact: str, outcome: str, note: str, account: str = "") -> None:
        """See `Registry.review`."""
        said = {"fact": fact, "outcome": outcome, "note": note}
        await self._service.call(
            lambda node, now: reviewing.review(node, now, said, account=account)
        )

    async def _read(
        self, run: Callable[[Node, Now, Mapping[str, Any]], Answer], asked: Mapping[str, Any]
    ) -> Answer:
        return await self._service.call(lambda node, now: (run(node, now, asked), ()))


def _supplies(node: Node, _: Now, __: Mapping[str, Any]) -> Supplies:
    return Supplies(catalogue(node.ledger), coldchain(node.ledger))


def _doubts(node: Node, _: Now, asked: Mapping[str, Any]) -> Doubts:
    return immunization.doubts(node.ledger, asked["persons"])
