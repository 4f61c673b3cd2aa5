"""Who belongs, for the page's tests: an operation in memory, and what was decided on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hq.registry import Supplies, Vaccinations
from protocols.errors import LedgerError
from protocols.guidelines.coldchain import shipped_coldchain
from protocols.guidelines.items import shipped_items
from protocols.guidelines.schedules import shipped_plan
from protocols.ledger.coverage import Beside
from protocols.live.belonging import MemberLine, Quarantine, ReviewPage
from protocols.live.crossing import CountLine, EraseLine, EraseState, Holder, HoldLine, ReleaseLine
from protocols.live.guidance import PackPage
from tests.screens.fake_crossing import counted
from tests.screens.fake_trust import HOUR, TrustCalls, hostile
from tests.unit.hq_book import NOW_MS


class TestRegistry(TrustCalls):
    """A `Registry` that keeps what it is told."""

    __test__ = False

    def __init__(self) -> None:
        self.now_ms = NOW_MS
        self.accounts: list[str] = []
        self.full = False
        """Whether the disk takes nothing."""
        self.state = EraseState((), (), 0, 0)
        self.released: list[ReleaseLine] = []
        self.pack_page = PackPage(())
        plan = {"": shipped_plan()}
        self.told_vaccinations = Vaccinations(Beside(None, plan, ()), ())
        self.count_lines = counted()

    def _up(self) -> None:
        pass

    async def seal(
        self,
        member: str,
        reason: str,
        since_ms: int | None,
        roles: Sequence[str],
        note: str,
        account: str = "",
    ) -> MemberLine:
        self._write(account)
        return await super().seal(member, reason, since_ms, roles, note)

    async def unseal(self, seal: str, entries: int, account: str = "") -> Quarantine:
        self._write(account)
        return await super().unseal(seal, entries)

    async def packs(self) -> PackPage:
        return self.pack_page

    async def supplies(self) -> Supplies:
        return Supplies(shipped_items(), shipped_coldchain())

    async def vaccinations(self) -> Vaccinations:
        return self.told_vaccinations

    async def reviews(self) -> ReviewPage:
        return await self.review_page()

    async def review(self, fact: str, outcome: str, note: str, account: str = "") -> None:
        self._write(account)
        await self.review_done(fact, outcome, note)

    async def erases(self) -> EraseState:
        return self.state

    async def releases(self) -> list[ReleaseLine]:
        return self.released

    async def counts(self) -> list[CountLine]:
        return self.count_lines

    def _write(self, account: str) -> None:
        if self.full:
            raise LedgerError("disk_full")
        self.accounts.append(account)


def erase(**more: Any) -> EraseLine:
    said: dict[str, Any] = {
        "id": "ent_ERASE", "author": "nord-b", "approver": "HQ Nairobi", "at_ms": NOW_MS - HOUR,
        "reason": "asked", "documents": ("doc_1", "doc_2"), "entries": 31, "counts": True,
        "held": 0, "confirmed": (Holder("dev_A", "nord-a", NOW_MS - HOUR),),
        "missing": (Holder("dev_T", "tablet 7", NOW_MS - 50 * HOUR), Holder("dev_U", "", 0)),
    }  # fmt: skip
    return EraseLine(**(said | more))


def release(**more: Any) -> ReleaseLine:
    said: dict[str, Any] = {
        "id": "ent_REL", "scope": "care Kenya", "documents": ("doc_3",),
        "recipients": ("Japan Relief Team",), "purpose": "transfer", "basis": "MoU 2026, art. 4",
        "author": "HQ Nairobi", "approver": "Issuer KE", "at_ms": NOW_MS - 2 * HOUR,
        "counts": True, "devices": 3, "open_here": 0,
    }  # fmt: skip
    return ReleaseLine(**(said | more))


def ordered(registry: TestRegistry) -> TestRegistry:
    """Add an erase of each sort, a hold and releases."""
    void = erase(reason="#9", counts=False, held=2, confirmed=(), missing=())
    hold = HoldLine("ent_HOLD0000000000000", 2, 0)
    registry.state = EraseState((erase(), void), (hold,), 4, 1)
    registry.released = [release(), release(purpose="#9", counts=False)]
    return registry


def hostile_registry(text: str) -> TestRegistry:
    """The same with every name and word somebody else's."""
    registry = TestRegistry()
    registry._trust = hostile(text, NOW_MS)
    said = {"author": text, "approver": text, "reason": text}
    who = (Holder(text, text, NOW_MS),)
    line = erase(**said, confirmed=who, missing=who)
    registry.state = EraseState((line,), (HoldLine(text, 1, 0),), 0, 0)
    registry.count_lines = [CountLine(text, False, 9, {text: [(text, 9)], "site": None})]
    registry.released = [
        release(author=text, approver=text, scope=text, recipients=(text,), purpose=text,
                basis=text)
    ]  # fmt: skip
    return registry
