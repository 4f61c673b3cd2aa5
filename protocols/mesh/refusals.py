"""What links were refused or ended for: the last of each sort, for whoever looks after the node.

The journal has a line for each; here is what a person is shown. It is kept in memory, bounded, and
names no more of a stranger than where the call came from.
"""

from __future__ import annotations

from typing import NamedTuple

from protocols.errors import FieldmeshError, PeerError
from protocols.ids import DeviceId

REFUSALS_MAX = 64
"""Sorts that are kept; of more the one not heard of for longest goes."""
_NO_FAULT = frozenset({"duplicate", "peer_said_bye", "unsealed"})
"""Ends of links that nobody has to be told of."""


class Refusal(NamedTuple):
    """One reason for which links with one peer or from one place were ended."""

    code: str
    peer: DeviceId | None
    """None: it had not proved who it is."""
    address: str
    """Where it was dialled or called from, without the port."""
    times: int
    last_ms: int
    """Wall clock, Unix milliseconds."""


class Refusals:
    """The refusals of one run of a node."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, DeviceId | None, str], Refusal] = {}

    def note(
        self, error: FieldmeshError, peer: DeviceId | None, address: str, wall_ms: int
    ) -> None:
        """Take note of a link that ends through its peer's fault."""
        if not isinstance(error, PeerError) or error.code in _NO_FAULT:
            return
        host = address.rpartition(":")[0] or address
        sort = (error.code, peer, "" if peer else host)
        before = self._held.pop(sort, None)
        if before is None and len(self._held) >= REFUSALS_MAX:
            del self._held[next(iter(self._held))]
        times = 1 + (before.times if before else 0)
        self._held[sort] = Refusal(error.code, peer, host, times, wall_ms)

    def all(self) -> list[Refusal]:
        """Return them, the latest first."""
        return list(reversed(self._held.values()))
