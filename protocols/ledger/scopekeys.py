"""The keys of scopes: under which to write, who still lacks one, and when a new one is due.

All of it follows from the control records held, so nodes that hold the same say the same. Making a
key or handing one on takes randomness, which the caller brings.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from protocols.ids import DeviceId, EntryHash, KeyId, ScopeId
from protocols.trust.control import ENVELOPES_MAX, PARENTS_MAX
from protocols.trust.keyring import Keyring, Reader, envelopes_for, rotate
from protocols.trust.roster import Roster

if TYPE_CHECKING:
    from protocols.ledger.book import Ledger

Entropy = Callable[[int], bytes]
KEY_BYTES = 32
T = TypeVar("T")


class ScopeKeys:
    """What roster and keyring come to together; worked out anew when either changes."""

    def __init__(self, roster: Roster, keyring: Keyring, version: Callable[[], int]) -> None:
        self._roster = roster
        self._keyring = keyring
        self._version = version
        self._of: tuple[int, ...] = ()
        self._found: dict[tuple[str, bytes], Any] = {}

    def write_key(self, scope: ScopeId) -> KeyId | None:
        """The generation to write under; None when none that may be is open to this device.

        Of generations that a coordinator made, below any seal on it: a later seal has them judged
        again. What no former reader was given comes first.
        """
        return self._once(
            "write",
            scope,
            lambda: self._keyring.write_key(
                scope, self._made_well(scope), self.former(scope), self._counts(scope)
            ),
        )

    def readers(self, scope: ScopeId) -> list[Reader]:
        """Who is entitled to the keys of a scope now."""
        return self._once("readers", scope, lambda: self._roster.readers(scope))

    def former(self, scope: ScopeId) -> list[DeviceId]:
        """Members that are not entitled to a scope's keys: sealed, reduced, or never of it."""
        return self._once("former", scope, lambda: self._not_of(scope))

    def heads(self, scope: ScopeId) -> list[KeyId]:
        """The newest generations open here, those that may be written under first."""
        return self._once(
            "heads", scope, lambda: self._keyring.heads(scope, self._made_well(scope))
        )

    def without(self, scope: ScopeId, among: Collection[DeviceId]) -> dict[KeyId, list[Reader]]:
        """The keys that this device should hand on, and who of these readers was given none.

        The newest generations are enough: each opens all that went before it.
        """
        readers = [each for each in self.readers(scope) if each[0] in among]
        newest = [each for each in self.heads(scope) if self.made_well(each, scope)]
        found = {
            key_id: self._keyring.without_envelope(key_id, readers, self._counts(scope))
            for key_id in (newest if readers else ())
        }
        return {key_id: lacking for key_id, lacking in found.items() if lacking}

    def lacking(self, device: DeviceId) -> list[KeyId]:
        """Keys that this device is entitled to and that are not open here, generations first.

        Keys for one captured entry are among them: who came later was not there to be handed one.
        """
        charter = self._roster.charter
        scopes = [ScopeId(scope.id) for scope in (charter.scopes if charter else ())]
        mine = [scope for scope in scopes if self._roster.reads(device, scope)]
        known = [*map(self._keyring.generations, mine), *map(self._keyring.captured, mine)]
        return [each for keys in known for each in keys if self._keyring.key(each) is None]

    def due(self, device: DeviceId) -> list[ScopeId]:
        """Scopes that a device should rotate, sorted: a former reader has every key to write under.

        Who cannot open the newest generation rotates nothing: nobody could read on.
        """
        charter = self._roster.charter
        return [
            scope
            for terms in (charter.scopes if charter else ())
            for scope in (ScopeId(terms.id),)
            if self._roster.may_rotate(device, scope) and self._unclean(scope)
        ]

    def _unclean(self, scope: ScopeId) -> bool:
        chosen = self.write_key(scope)
        counts = self._counts(scope)
        return chosen is not None and not self._keyring.clean(chosen, self.former(scope), counts)

    def _not_of(self, scope: ScopeId) -> list[DeviceId]:
        entitled = {device for device, _ in self.readers(scope)}
        return [device for device in self._roster.members() if device not in entitled]

    def made_well(self, key_id: KeyId, scope: ScopeId) -> bool:
        """Whether a coordinator of the scope made a generation, below any seal on it."""
        return self._roster.coordinates_at(EntryHash(key_id), scope)

    def _made_well(self, scope: ScopeId) -> Callable[[KeyId, DeviceId], bool]:
        return lambda key_id, _: self.made_well(key_id, scope)

    def _counts(self, scope: ScopeId) -> Callable[[EntryHash], bool]:
        return lambda entry: self._roster.gave_at(entry, scope)

    def _once(self, what: str, scope: ScopeId, work: Callable[[], T]) -> T:
        now = (self._version(), self._keyring.version, len(self._roster.positions))
        if now != self._of:
            self._of = now
            self._found.clear()
        asked = (what, bytes(scope))
        if asked not in self._found:
            self._found[asked] = work()
        return cast("T", self._found[asked])


def rotate_due(ledger: Ledger, entropy: Entropy, wall_ms: int) -> list[ScopeId]:
    """Give every scope that needs one a new key; return which. Inside the caller's `atomic`."""
    due = ledger.authority.scope_keys.due(ledger.authority.device)
    for scope in due:
        new_key(ledger, scope, entropy, wall_ms)
    return due


def new_key(ledger: Ledger, scope: ScopeId, entropy: Entropy, wall_ms: int) -> KeyId:
    """Give a scope a new key, for all who are entitled to it now. Inside the caller's `atomic`."""
    authority = ledger.authority
    readers = authority.scope_keys.readers(scope)
    heads = authority.scope_keys.heads(scope)[:PARENTS_MAX]
    key = entropy(KEY_BYTES)
    rotation = rotate(
        scope,
        key,
        parents={key_id: authority.keyring.keys[key_id] for key_id in heads},
        readers=_own_first(readers, authority.device)[:ENVELOPES_MAX],
        ephemeral_secret=entropy(KEY_BYTES),
    )
    key_id = KeyId(ledger.write_control(rotation, wall_ms).entry.hash)
    hand_on(ledger, key_id, _own_first(readers, authority.device)[ENVELOPES_MAX:], entropy, wall_ms)
    return key_id


def hand_on(
    ledger: Ledger, key_id: KeyId, readers: Sequence[Reader], entropy: Entropy, wall_ms: int
) -> None:
    """Seal a key that is open here to these readers. Inside the caller's `atomic`."""
    key = ledger.authority.keyring.keys[key_id]
    for start in range(0, len(readers), ENVELOPES_MAX):
        some = readers[start : start + ENVELOPES_MAX]
        record = envelopes_for(key_id, key, some, entropy(KEY_BYTES))
        if record.envelopes:
            ledger.write_control(record, wall_ms)


def _own_first(readers: Sequence[Reader], own: DeviceId) -> list[Reader]:
    return sorted(readers, key=lambda each: each[0] != own)
