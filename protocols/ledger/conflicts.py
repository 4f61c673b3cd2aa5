"""What is unsettled, by how much it can harm: both sides, whose they are, and who knew of whom.

*Had seen* is what can be shown: that a device wrote both, one after the other, or that an entry
names the other's among those its document had grown to. Across documents that were begun apart
nothing shows it, so there it is not said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from protocols.feeds.body import decode_body
from protocols.ids import DeviceId, EncounterId, EntryPrefix, FactRef, PatientId
from protocols.ledger.authors import Author, Authors
from protocols.ledger.book import Ledger

CONFLICTS_MAX = 200
"""Conflicts of one answer."""
SIDES_MAX = 16
"""Sides told of one conflict: more have been written apart by nobody yet."""
_NUMBER_BITS = 16


class OneSide(NamedTuple):
    """One of the different values."""

    value: str
    used: bool
    """Whether it is the one that is used meanwhile."""
    fact: FactRef
    """What `conflict.settle` may keep, and a retraction may name."""
    author: Author
    roles: tuple[str, ...]
    """What the charter calls the roles of the person, or of the device when nobody is named."""
    at_ms: int
    """When it says it happened."""
    recorded_ms: int
    """The clock of the device when it was written."""
    had_seen: tuple[int, ...]
    """Positions of the other sides that its writer knew of."""


class Unsettled(NamedTuple):
    """One thing about which people differ."""

    patient: PatientId
    code: str
    risk: str
    what: str
    of_what: str
    encounter: EncounterId | None
    sides: tuple[OneSide, ...]


class _Held(NamedTuple):
    """One row of a side, with what its entry adds."""

    value: str
    used: int
    idx: int
    entry: int
    at_ms: int
    digest: bytes
    feed: int
    clock: int
    doc: int


class Brief(NamedTuple):
    """That people differ about something, without what they say."""

    patient: PatientId
    risk: str
    what: str
    of_what: str
    at_ms: int
    """The latest of its sides."""


def briefly(ledger: Ledger, limit: int = CONFLICTS_MAX) -> list[Brief]:
    """Return what is unsettled of all patients in the order of `unsettled`, without its sides."""
    found = ledger.store.all(
        "SELECT c.patient, c.risk, c.what, c.of_what, max(c.at_ms), min(c.rank) FROM conflict c"
        " WHERE c.standing = 0 GROUP BY c.subject, c.number, c.patient, c.risk, c.what, c.of_what"
        " ORDER BY 6, 5 DESC, c.subject, c.number LIMIT ?",
        (min(limit, CONFLICTS_MAX),),
    )
    return [Brief(PatientId(patient), *rest) for patient, *rest, _ in found]


def count(ledger: Ledger) -> int:
    """Return how much is unsettled, of all patients."""
    row = ledger.store.one(
        "SELECT count(*) FROM (SELECT DISTINCT subject, number FROM conflict WHERE standing = 0)"
    )
    return int(row[0]) if row else 0


def unsettled(
    ledger: Ledger, limit: int = CONFLICTS_MAX, patient: bytes | None = None
) -> list[Unsettled]:
    """Return what is unsettled, the greatest risk first and of equal ones the latest.

    Args:
        patient: Of this patient alone; None = of all.
    """
    whose = "" if patient is None else "AND c.patient = ? "
    values: tuple[bytes | int, ...] = () if patient is None else (bytes(patient),)
    listed = ledger.store.all(
        "SELECT c.subject, c.number, min(c.rank), max(c.at_ms) FROM conflict c"
        f" WHERE c.standing = 0 {whose}GROUP BY 1, 2 ORDER BY 3, 4 DESC, 1, 2 LIMIT ?",
        (*values, min(limit, CONFLICTS_MAX)),
    )
    known, authors = _Ancestry(ledger), Authors(ledger)
    return [_conflict(ledger, known, authors, subject, number) for subject, number, *_ in listed]


def _conflict(
    ledger: Ledger, known: _Ancestry, authors: Authors, subject: int, number: int
) -> Unsettled:
    rows = ledger.store.all(
        "SELECT c.value, c.used, c.idx, c.entry, c.at_ms, e.hash, e.feed, e.clock, e.doc,"
        " c.patient, p.code, c.risk, c.what, c.of_what, c.encounter FROM conflict c"
        " JOIN entry e ON e.arrival = c.entry JOIN patient p ON p.subject = c.subject"
        " WHERE c.subject = ? AND c.number = ? ORDER BY e.clock, e.hash, c.idx LIMIT ?",
        (subject, number, SIDES_MAX),
    )
    held = [_Held(*row[:9]) for row in rows]
    patient, code, risk, what, of_what, encounter = rows[0][9:]
    written_by = authors.of_entries(each.entry for each in held)
    sides = tuple(_side(ledger, known, written_by[one.entry], one, held) for one in held)
    return Unsettled(
        PatientId(patient),
        code,
        risk,
        what,
        of_what,
        None if encounter is None else EncounterId(encounter),
        sides,
    )


def _side(
    ledger: Ledger, known: _Ancestry, author: Author, one: _Held, held: Sequence[_Held]
) -> OneSide:
    seen = [at for at, other in enumerate(held) if other is not one and known.had_seen(one, other)]
    return OneSide(
        one.value,
        bool(one.used),
        FactRef(EntryPrefix(one.digest[:16]), one.idx & (1 << _NUMBER_BITS) - 1),
        author,
        _roles(ledger, author),
        one.at_ms,
        one.clock >> 16,
        tuple(seen),
    )


def _roles(ledger: Ledger, author: Author) -> tuple[str, ...]:
    roster = ledger.authority.roster
    who = author.device if author.person is None else DeviceId(author.person)
    member, charter = roster.device(who), roster.charter
    if member is None or charter is None:
        return ()
    return tuple(role.name for role in charter.roles if role.number in member.roles)


class _Ancestry:
    """Which entries had seen which, looked up as long as one answer lasts."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._named: dict[int, dict[bytes, tuple[bytes, ...]]] = {}
        self._before: dict[bytes, frozenset[bytes]] = {}

    def had_seen(self, later: _Held, earlier: _Held) -> bool:
        """Whether it can be shown that who wrote one knew of the other."""
        if later.entry == earlier.entry:
            return later.idx > earlier.idx
        chain = self._ledger.chain
        one, other = chain.by_no[later.feed].genesis, chain.by_no[earlier.feed].genesis
        if (one.device, one.epoch) == (other.device, other.epoch):
            # A device's clock counts on through all its lanes.
            return later.clock > earlier.clock
        if later.doc != earlier.doc:
            return False
        return earlier.digest[:16] in self._ancestors(later.doc, later.digest[:16])

    def _ancestors(self, doc: int, prefix: bytes) -> frozenset[bytes]:
        found = self._before.get(prefix)
        if found is None:
            named = self._of_document(doc)
            seen: set[bytes] = set()
            ahead = [prefix]
            while ahead:
                for each in named.get(ahead.pop(), ()):
                    if each not in seen:
                        seen.add(each)
                        ahead.append(each)
            found = self._before[prefix] = frozenset(seen)
        return found

    def _of_document(self, doc: int) -> dict[bytes, tuple[bytes, ...]]:
        held = self._named.get(doc)
        if held is None:
            held = self._named[doc] = {
                prefix: decode_body(plain).dependencies
                for prefix, plain in self._ledger.store.all(
                    "SELECT prefix, plain FROM strand WHERE doc = ?", (doc,)
                )
            }
        return held
