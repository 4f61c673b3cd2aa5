"""What came ahead of control: taken, kept until the feeds bring it, let go where none does.

A newcomer of a large operation shows urgent care before it has read who belongs. Each part of what
vouches for an author verifies by itself; whoever hides a seal by it is believed as long as any
partition would let him, for once the control feeds are here they alone are the measure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from protocols.errors import PeerError
from protocols.feeds.advance import Advance, Opened, open_lone
from protocols.ids import DeviceId, KeyId
from protocols.ledger.store import Store
from protocols.trust.control import Admission, Attestation, Rotation, decode_control
from protocols.trust.statements import pack, unpack

if TYPE_CHECKING:
    from protocols.ledger.authority import Authority
    from protocols.ledger.book import Ledger

ADVANCED_MAX = 4_096
"""Records that came ahead and are in no feed yet, about 1 kB each; more is passed over."""
_KEPT = "name > 'advance ' AND name < 'advance!'"
"""What came ahead, in its order: u8, 1 = with a grant ‖ peer 32 ‖ advance."""


def take(ledger: Ledger, advance: Advance, peer: DeviceId, *, granted: bool = False) -> None:
    """Take what a peer sends ahead; what it lets be read and judged is read and judged at once.

    Args:
        granted: It came with the grant of this admitter: its rotations are written under, its
            admissions count, and all of it stays until this admitter's own feeds are here.

    Raises:
        PeerError: `malformed`, `bad_signature`: nothing of it is taken.
    """
    authority = ledger.authority
    opened = [open_lone(lone) for lone in advance.entries]
    if len(authority.advanced) + len(opened) + len(advance.certificates) > ADVANCED_MAX:
        return
    with ledger.atomic():
        before = len(authority.advanced)
        _apply(authority, advance, opened, peer, granted=granted)
        if len(authority.advanced) > before or authority.opened_keys:
            authority.kept_ahead = True
            _keep(ledger.store, advance, peer, granted=granted)
        ledger.apply_control()


def replay(store: Store, authority: Authority) -> None:
    """Take again, at a start, what came ahead and was not let go."""
    for (kept,) in store.all(f"SELECT value FROM meta WHERE {_KEPT} ORDER BY name"):
        advance = unpack(Advance, bytes(kept[33:]))
        opened = [open_lone(lone) for lone in advance.entries]
        _apply(authority, advance, opened, DeviceId(kept[1:33]), granted=bool(kept[0]))


def settle(ledger: Ledger, peer: DeviceId, others: Iterable[DeviceId] = ()) -> bool:
    """A peer's feeds have all come: let go what it sent ahead that was in none of them.

    Everything is judged again then: a certificate that goes may have kept a seal from counting
    that came later, against somebody whom nothing that came ahead ever named.

    Args:
        others: Peers whose feeds are still to come: what they sent ahead stays until then.

    Returns:
        Whether there was any: then the ledger has to be loaded anew.
    """
    store, authority = ledger.store, ledger.authority
    advanced = authority.advanced
    if not advanced and not authority.kept_ahead:
        return False
    held = store.all(f"SELECT name, value FROM meta WHERE {_KEPT}")
    waiting = {*others, *(DeviceId(kept[1:33]) for _, kept in held if kept[0])} - {peer}
    stray = any(waiting.isdisjoint(brought) for brought in advanced.values())
    if not stray and (advanced or not held):
        authority.kept_ahead = bool(held)
        return False
    with store.atomic():
        for name, kept in held:
            if not advanced or DeviceId(kept[1:33]) not in waiting:
                store.execute("DELETE FROM meta WHERE name = ?", (name,))
        if stray:
            store.execute("UPDATE subject SET dirty = 1")
    return stray


def forget(store: Store) -> None:
    """Let go all that came ahead, with the operation that it was of. Inside a transaction."""
    store.execute(f"DELETE FROM meta WHERE {_KEPT}")


def _apply(
    authority: Authority,
    advance: Advance,
    opened: Sequence[Opened],
    peer: DeviceId,
    *,
    granted: bool,
) -> None:
    authority.take_certificates(advance.certificates, peer)
    for each in opened:
        try:
            record = decode_control(each.body)
        except PeerError:
            continue
        if isinstance(record, Attestation | Rotation) or (
            granted and isinstance(record, Admission)
        ):
            authority.take_lone(record, each.place, (each.clock, peer), granted=granted)
    for key_id, ephemeral, sealed in advance.envelopes:
        authority.opened_keys += authority.keyring.offer(KeyId(key_id), ephemeral, sealed)


def _keep(store: Store, advance: Advance, peer: DeviceId, *, granted: bool) -> None:
    last = store.one(f"SELECT max(name) FROM meta WHERE {_KEPT}")
    number = int(last[0].split()[1]) + 1 if last and last[0] else 1
    row = (f"advance {number:08d}", bytes((granted,)) + bytes(peer) + pack(advance))
    store.execute("INSERT INTO meta VALUES (?,?)", row)
