"""For each node of a drill: what it holds, what it can read, what it refused and why.

Read from the disks. Only why a seal was refused is the node's own word: nothing on a disk says it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from protocols.records.rows import standing_word
from protocols.sim.book import CONTROL
from protocols.sim.borders import confirmations
from protocols.sim.cast import ledger_of
from protocols.sim.host import Host
from protocols.sim.world import World

CONTROL_NAME = "control"


def holdings(world: World, names: Mapping[bytes, str]) -> list[dict[str, Any]]:
    """Return one object a node, in the order they came into the drill; keys are stable.

    Args:
        names: What the charter calls each scope.
    """
    devices = {str(host.machine.device): host.name for host in reversed(world.hosts)}
    return [
        _holding(world, host, {**names, CONTROL: CONTROL_NAME}, devices) for host in world.hosts
    ]


def _holding(
    world: World, host: Host, names: Mapping[bytes, str], devices: Mapping[str, str]
) -> dict[str, Any]:
    book = host.machine.book
    bare = book.bare()
    held: Counter[str] = Counter()
    bodiless: Counter[str] = Counter()
    for arrival in book.arrivals(0):
        scope = names.get(arrival.scope, "other")
        held[scope] += 1
        bodiless[scope] += arrival.name in bare
    own = bytes(host.machine.device)
    return {
        "node": host.name,
        "org": host.org,
        "honest": host.honest,
        "may_hold": sorted(name for scope, name in names.items() if host.may_hold(scope)),
        "may_read": sorted(name for scope, name in names.items() if host.may_read(scope)),
        "holds": dict(sorted(held.items())),
        "without_body": {scope: count for scope, count in sorted(bodiless.items()) if count},
        "reads": dict(
            sorted(
                (names.get(scope, "other"), len(opened)) for scope, opened in book.opened().items()
            )
        ),
        "released_to_it": len(host.released),
        "not_counted": _not_counted(host),
        "not_merged": dict(sorted(Counter(book.judged().values()).items())),
        "refused_seals": _refused_seals(host, devices),
        "refused_lines": _refused_lines(world, host),
        "notices": _notices(world, host),
        "erases_confirmed": sum(device == own for device in confirmations(host)),
    }


def _not_counted(host: Host) -> dict[str, int]:
    """Rows that are shown and do not count, by the reason."""
    count = Counter(standing_word(row.standing) for row in host.machine.book.standings())
    return {word: rows for word, rows in sorted(count.items()) if word != standing_word(0)}


def _refused_seals(host: Host, devices: Mapping[str, str]) -> list[dict[str, str]]:
    found = [
        {
            "by": devices.get(str(seal.author), "?"),
            "on": devices.get(str(seal.subject), "?"),
            "why": seal.reason,
        }
        for seal in ledger_of(host).authority.roster.refused_seals()
    ]
    return sorted(found, key=lambda seal: (seal["by"], seal["on"], seal["why"]))


def _refused_lines(world: World, host: Host) -> dict[str, int]:
    refused = (answer for place, _, answer in world.witness.refused if place == host.place)
    return dict(sorted(Counter(answer.error or "?" for answer in refused).items()))


def _notices(world: World, host: Host) -> dict[str, int]:
    """What the node told whoever runs it: why links ended, which scopes it withheld."""
    count: Counter[str] = Counter()
    for _, place, notice in world.witness.notices:
        if place == host.place and notice.code not in ("linked", "admitted"):
            why = notice.values.get("reason") or notice.values.get("code") or ""
            count[f"{notice.code} {why}".strip()] += 1
    return dict(sorted(count.items()))
