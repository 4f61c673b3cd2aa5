"""The page of guideline packs: which versions there are, and which device works by which."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from hq.desk import DESK
from protocols.live.guidance import PackLine, PackUser

USERS_SHOWN = 12
"""Devices named of one version; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Pack:
    """One pack by name, the version HQ works by first."""

    name: str
    title: str
    versions: tuple[PackLine, ...]
    """Those that somebody works by, and the one that goes first."""
    idle: int
    """Versions that nobody is known to work by."""

    @property
    def split(self) -> bool:
        """Whether devices work by different versions."""
        return sum(bool(line.users) for line in self.versions) > 1


def by_name(lines: tuple[PackLine, ...]) -> list[Pack]:
    """Return packs by name, those on which devices differ first."""
    found: dict[str, list[PackLine]] = {}
    for line in lines:
        found.setdefault(line.name, []).append(line)
    packs = [_pack(name, same) for name, same in found.items()]
    return sorted(packs, key=lambda pack: (not pack.split, pack.name))


def named(users: tuple[PackUser, ...]) -> tuple[tuple[PackUser, ...], int]:
    """Return the devices to name, and how many more there are."""
    return users[:USERS_SHOWN], max(len(users) - USERS_SHOWN, 0)


async def packs_page(request: web.Request) -> web.StreamResponse:
    """Name, version, who gave it out and approved it, and who works by it."""
    desk = request.app[DESK]
    found = await desk.registry.packs()
    return desk.page(
        request,
        "packs.html",
        packs=by_name(found.lines),
        elsewhere=found.elsewhere,
        silent=found.silent,
        named=named,
    )


def _pack(name: str, same: list[PackLine]) -> Pack:
    shown = tuple(line for line in same if line.users or line.in_use)
    first = next((line for line in same if line.in_use), same[0])
    return Pack(name, first.title, shown or (first,), len(same) - len(shown or (first,)))
