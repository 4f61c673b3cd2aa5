"""Erase and legal hold: which bodies have to go, judged from control records in any order.

An erase counts, entry by entry, when two different keys stand behind it that both coordinate the
entry's scope, one of them with an issuer's rank or above: its author, below his seals, and the
approver whose signature it carries. A hold of a coordinator suspends it for what it names until it
is lifted. Nothing here looks at a body.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple, Protocol

import msgspec

from protocols.ids import DeviceId, EntryHash, OperationId, ScopeId
from protocols.trust.certificates import Rank
from protocols.trust.control import (
    Confirmation,
    Erase,
    Hold,
    Place,
    Record,
    Release,
    UnknownControl,
    approved,
)
from protocols.trust.identity import DeviceKeys, verify

PREFIX_BYTES = 16


class Coordinators(Protocol):
    """Who says who coordinates a scope: the roster."""

    def coordinates_at(
        self, entry: EntryHash, scope: ScopeId, rank: Rank = Rank.COORDINATOR
    ) -> bool:
        """Whether a coordinator of a scope, of this rank, wrote an entry below its seals."""

    def ever_coordinated(self, key: bytes, scope: ScopeId, rank: Rank = Rank.COORDINATOR) -> bool:
        """Whether a key is certified with this rank or above in a scope, sealed or not."""


class Ordered(NamedTuple):
    """One erase record whose two signatures hold, and where it stands."""

    record: Erase
    place: Place


class Confirmed(NamedTuple):
    """One device said that all an erase names is gone from it."""

    device: DeviceId
    epoch: bytes
    entry: EntryHash
    """The control entry that says so."""


class Erasures:
    """All erases, holds and confirmations of one operation that are here."""

    def __init__(self, operation: OperationId) -> None:
        self._operation = operation
        self._erases: dict[EntryHash, Ordered] = {}
        self._refused: dict[EntryHash, tuple[Place, str]] = {}
        self._naming: defaultdict[bytes, list[EntryHash]] = defaultdict(list)
        """By the full hash of an entry and by the id of a document: the erases that name it."""
        self._prefixes: defaultdict[bytes, list[EntryHash]] = defaultdict(list)
        """As `_naming` for entries, by prefix, of erases that name documents."""
        self._holds: dict[EntryHash, Hold] = {}
        self._lifts: defaultdict[bytes, list[EntryHash]] = defaultdict(list)
        self._confirmed: defaultdict[bytes, list[Confirmed]] = defaultdict(list)

    # Taking records

    def add(self, record: Record | UnknownControl, place: Place) -> bool:
        """Take one control record, once; return whether what is to be erased may have changed."""
        match record:
            case Erase():
                return self._take_erase(record, place)
            case Hold():
                self._holds[place.entry] = record
                if record.lifts:
                    self._lifts[record.lifts].append(place.entry)
                return True
            case Confirmation():
                said = Confirmed(place.author, place.epoch, place.entry)
                for erase in record.erases:
                    self._confirmed[erase].append(said)
        return False

    def _take_erase(self, record: Erase, place: Place) -> bool:
        reason = _why_unsigned(self._operation, record, place)
        if reason:
            self._refused[place.entry] = (place, reason)
            return False
        self._erases[place.entry] = Ordered(record, place)
        for name in (*record.entries, *record.documents):
            self._naming[name].append(place.entry)
        for name in record.entries if record.documents else ():
            self._prefixes[name[:PREFIX_BYTES]].append(place.entry)
        return True

    # Judging

    def places(self) -> Iterator[Place]:
        """Where every erase stands whose two signatures hold."""
        return (ordered.place for ordered in self._erases.values())

    @property
    def any(self) -> bool:
        """Whether there is an erase at all."""
        return bool(self._erases)

    def names(self) -> Iterator[bytes]:
        """Every entry, by full hash, that some erase names, standing or not."""
        return (name for name in self._naming if len(name) > PREFIX_BYTES)

    def documents(self) -> Iterator[bytes]:
        """Every document that some erase names."""
        return (name for name in self._naming if len(name) == PREFIX_BYTES)

    def is_named(self, name: bytes) -> bool:
        """Whether some erase names an entry or a document."""
        return name in self._naming

    def stands(self, name: bytes, scope: ScopeId, who: Coordinators) -> bool:
        """Whether the body of an entry has to go, or a document with all that is in it.

        Args:
            name: Full hash of the entry, or id of the document.
            scope: The operation's scope that it lies in.
        """
        return any(
            self.counts(erase, scope, who) and not self._suspended(erase, name, scope, who)
            for erase in self._naming.get(name, ())
        )

    def may_lack(self, name: bytes, scope: ScopeId, who: Coordinators) -> bool:
        """Whether an entry may travel without its body: two who may do so ordered it away.

        More lenient than `stands`: whoever carried it out before a hold came, or before one of
        the two was sealed, has no body any more, and what follows must be able to pass.
        """
        return any(
            self._ever_counted(self._erases[erase], scope, who)
            for erase in self._naming.get(name, ())
        )

    def _ever_counted(self, ordered: Ordered, scope: ScopeId, who: Coordinators) -> bool:
        two = (ordered.place.author, ordered.record.approver)
        return all(who.ever_coordinated(key, scope) for key in two) and any(
            who.ever_coordinated(key, scope, Rank.ISSUER) for key in two
        )

    def counts(self, erase: EntryHash, scope: ScopeId, who: Coordinators) -> bool:
        """Whether an erase counts in a scope, held or not.

        The approver is not asked for seals: nothing says when he signed but the author, whose
        own place is judged.
        """
        held = self._erases.get(erase)
        if held is None or not who.coordinates_at(erase, scope):
            return False
        approver = held.record.approver
        return who.ever_coordinated(approver, scope) and (
            who.coordinates_at(erase, scope, Rank.ISSUER)
            or who.ever_coordinated(approver, scope, Rank.ISSUER)
        )

    def _suspended(self, erase: EntryHash, name: bytes, scope: ScopeId, who: Coordinators) -> bool:
        return any(self._holds_up(hold, erase, name) for hold in self.holds(scope, who))

    def holds(self, scope: ScopeId, who: Coordinators) -> list[EntryHash]:
        """Holds that stand in a scope and are not lifted there."""
        return [
            entry
            for entry, hold in self._holds.items()
            if not hold.lifts
            and who.coordinates_at(entry, scope)
            and not any(who.coordinates_at(lift, scope) for lift in self._lifts.get(entry, ()))
        ]

    def _holds_up(self, hold: EntryHash, erase: EntryHash, name: bytes) -> bool:
        """Which entry of an erase lies in which of its documents a blind holder cannot tell.

        So a hold of one of its documents suspends all of that record.
        """
        named, ordered = self._holds[hold], self._erases[erase].record
        if name in named.entries or name[:PREFIX_BYTES] in named.documents:
            return True
        return not set(named.documents).isdisjoint(ordered.documents)

    def document_of(self, prefix: bytes) -> bytes | None:
        """Return a document that an erase names together with the entry of this prefix."""
        naming = self._prefixes.get(prefix)
        return self._erases[min(naming)].record.documents[0] if naming else None

    # Looking up

    def erase(self, entry: EntryHash) -> Ordered | None:
        """Return an erase whose signatures hold."""
        return self._erases.get(entry)

    def erases(self) -> list[EntryHash]:
        """All erases whose signatures hold, in a stable order."""
        return sorted(self._erases)

    def hold(self, entry: EntryHash) -> Hold | None:
        """Return a hold, lifted or not."""
        return self._holds.get(entry)

    def refused(self) -> dict[EntryHash, tuple[Place, str]]:
        """Erases that never count, with the reason; see `_why_unsigned`."""
        return self._refused

    def confirmed(self, erase: EntryHash) -> list[Confirmed]:
        """Who said that an erase is carried out."""
        return self._confirmed.get(erase, [])


def approve_erase(
    record: Erase, operation: OperationId, author: DeviceId, approver: DeviceKeys
) -> Erase:
    """Return an erase with the second signature: for this author and record only."""
    bare = msgspec.structs.replace(record, approver=bytes(approver.device), approval=bytes(64))
    text = approved(bytes(operation), bytes(author), bare)
    return msgspec.structs.replace(bare, approval=approver.sign(text))


def approval_holds(record: Erase | Release, operation: OperationId, author: DeviceId) -> bool:
    """Whether the second signature is the approver's, over this record by this author."""
    text = approved(bytes(operation), bytes(author), record)
    return verify(record.approver, text, record.approval)


def _why_unsigned(operation: OperationId, record: Erase, place: Place) -> str:
    """Say why an erase never counts, whoever the two are; '' when both signatures hold."""
    if record.approver == place.author:
        return "erase_one_key"
    for listed in (record.entries, record.documents):
        if list(listed) != sorted(set(listed)):
            return "erase_order"
    return "" if approval_holds(record, operation, place.author) else "erase_approval"
