"""What a fake node answers about releases, erases, counts and concerns for safety."""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.live.crossing import (
    ConcernLine,
    Concerns,
    CountLine,
    EraseLine,
    EraseState,
    Holder,
    HoldLine,
    ReleaseLine,
)

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def released(now_ms: int) -> list[ReleaseLine]:
    """One that counts and one that does not."""
    japan, ministry = "Japan Relief Team", "Ministry of Health"
    return [
        ReleaseLine(
            "ent_R1", "care Kenya", ("doc_1", "doc_2", "doc_3"), (japan,), "transfer",
            "Agreement 7, article 2", "HQ Nairobi", "nord-a", now_ms - 3 * HOUR_MS, True, 4, 0,
        ),
        ReleaseLine(
            "ent_R2", "care", ("doc_4",), (ministry, japan), "public-health", "Cholera act",
            "tablet 7", "nord-a", now_ms - 2 * DAY_MS, False, 2, 9,
        ),
    ]  # fmt: skip


def erased(now_ms: int) -> EraseState:
    """One that somebody has not confirmed, one that does not count, a hold, and late entries."""
    done = (
        Holder("dev_A", "nord-a", now_ms - HOUR_MS),
        Holder("dev_B", "nord-b", now_ms - HOUR_MS),
        Holder("dev_H", "HQ Nairobi", now_ms - 30 * 60_000),
    )
    missing = (Holder("dev_T", "truck 3", now_ms - 6 * DAY_MS), Holder("dev_X", "", 0))
    return EraseState(
        (
            EraseLine(
                "ent_E1", "HQ Nairobi", "nord-a", now_ms - 2 * HOUR_MS, "asked", ("doc_5",), 7,
                True, 2, done, missing,
            ),
            EraseLine(
                "ent_E2", "tablet 7", "nord-a", now_ms - 3 * DAY_MS, "#9", ("doc_6",), 1, False, 0,
                (), missing,
            ),
        ),
        (HoldLine("ent_H1", 2, 0, now_ms - 5 * DAY_MS),),
        3,
        1,
    )  # fmt: skip


def counted() -> list[CountLine]:
    """Our own law whole; another with what is left of it; a third of which nothing is told."""
    return [
        CountLine(
            "CH", True, 9,
            {
                "day": [("2026-05-19", 4), ("2026-05-20", 5)],
                "band": [("under 1 y", 1), ("18-64 y", 8)],
                "sex": [("male", 3), ("female", 6)],
                "category": [("red", 2), ("unstated", 7)],
            },
        ),
        CountLine(
            "KE", False, 31,
            {"sex": [("male", 12), ("female", 19), ("pregnant", None)], "category": None},
        ),
        CountLine("JP", False, None, {}),
    ]  # fmt: skip


def concerned(now_ms: int) -> Concerns:
    """Two, one of them taken back."""
    lines = (
        ConcernLine(
            "a.0", "pat_00002", "ACD EFH 002", "Osei Kwame", "unaccompanied-child",
            "Says her aunt is in the other camp. Sleeps in tent B with the nurses.",
            now_ms - HOUR_MS, "Amina Okoro", "nord-b",
        ),
        ConcernLine(
            "b.0", "pat_x", "", "", "other-violence", "", now_ms - DAY_MS, "Jun Cho", "nord-a",
            0, 2,
        ),
    )  # fmt: skip
    return Concerns(lines, len(lines))


class CrossingCalls:
    """The calls of `fieldnode/crossing.py`."""

    now_ms: int
    patients: dict[str, Any]
    crossing: dict[str, Any] | None = None
    """What is answered instead, by call."""

    def _up(self) -> None:
        raise NotImplementedError

    @property
    def by_release(self) -> str:
        """The organisation by whose release the second patient is known."""
        return str(self.patients["pat_00002"].head.released)

    @by_release.setter
    def by_release(self, org: str) -> None:
        known = self.patients["pat_00002"]
        known.head = msgspec.structs.replace(
            known.head, released=org, released_ms=self.now_ms - 2 * DAY_MS
        )

    async def releases(self) -> list[ReleaseLine]:
        return self._said("releases", released(self.now_ms))

    async def erases(self) -> EraseState:
        return self._said("erases", erased(self.now_ms))

    async def counts(self) -> list[CountLine]:
        return self._said("counts", counted())

    async def concerns(self) -> Concerns:
        return self._said("concerns", concerned(self.now_ms))

    def _said(self, call: str, usual: Any) -> Any:
        self._up()
        return (self.crossing or {}).get(call, usual)
