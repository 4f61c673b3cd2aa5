"""Entries made by hand under real keys: what a hostile, broken or merely newer member may send.

An `Author` writes one device's feeds exactly as the layout says, with whatever body it is given;
signatures, hashes and seals always fit, so nothing is refused for a cheap reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from protocols.feeds.body import encode_body
from protocols.feeds.entry import (
    Entry,
    EntryKind,
    header_of,
    make_entry,
    seal_body,
    sign_entry,
)
from protocols.feeds.feed import Genesis
from protocols.feeds.lane import Lane
from protocols.feeds.run import Line, Outgoing, Run, encode_run
from protocols.ids import DocId, Epoch, FeedId, KeyId, ScopeId
from protocols.records.catalogue import encode_fact
from protocols.records.document import DocumentOpen
from protocols.records.kinds import KindNo
from protocols.records.note import NoteAdd
from protocols.trust.identity import DeviceKeys

CLOCK = 1_790_000_000_000 << 16


def device_keys(name: str) -> DeviceKeys:
    return DeviceKeys.from_entropy(blake2b(name.encode(), digest_size=64).digest())


@dataclass
class Author:
    """One device writing by hand."""

    keys: DeviceKeys
    scope: ScopeId
    key_id: KeyId
    key: bytes
    epoch: Epoch = field(default_factory=lambda: Epoch(b"epoch  1"))
    clock: int = CLOCK
    chains: dict[Lane, list[Entry]] = field(default_factory=dict)

    def genesis(self, lane: Lane = Lane.ROUTINE) -> Genesis:
        scope = ScopeId.zero() if lane is Lane.CONTROL else self.scope
        return Genesis(self.keys.device, self.epoch, scope, lane)

    def _place(self, lane: Lane) -> tuple[FeedId, int, bytes, int]:
        chain = self.chains.setdefault(lane, [])
        self.clock += 1 << 16
        feed = self.genesis(lane).feed_id
        return feed, len(chain) + 1, chain[-1].hash if chain else feed, self.clock

    def seal(
        self, plain: bytes, *, lane: Lane = Lane.ROUTINE, key: bytes | None = None, **given: KeyId
    ) -> Entry:
        """The next entry of a lane, around this plain body, whatever it is."""
        place = self._place(lane)
        key_id = given.get("key_id", self.key_id)
        salt = blake2b(plain + repr(place).encode(), digest_size=8).digest()
        dictionary, body = seal_body(plain, key or self.key, key_id, place, salt)
        return self._keep(lane, make_entry(EntryKind.DATA, dictionary, place, key_id, body))

    def raw(self, body: bytes, *, lane: Lane = Lane.ROUTINE, dictionary: int = 1) -> Entry:
        """The next entry of a lane with these very bytes for salt and ciphertext."""
        place = self._place(lane)
        return self._keep(lane, make_entry(EntryKind.DATA, dictionary, place, self.key_id, body))

    def control(self, body: bytes) -> Entry:
        place = self._place(Lane.CONTROL)
        entry = make_entry(EntryKind.CONTROL, 0, place, KeyId.zero(), body)
        return self._keep(Lane.CONTROL, entry)

    def write(
        self,
        facts: Sequence[tuple[int, bytes]],
        deps: Sequence[Entry] = (),
        *,
        lane: Lane = Lane.ROUTINE,
        **given: KeyId,
    ) -> Entry:
        prefixes = sorted(bytes(each.hash.prefix) for each in deps)
        return self.seal(encode_body((0, b""), prefixes, facts), lane=lane, **given)

    def _keep(self, lane: Lane, entry: Entry) -> Entry:
        self.chains[lane].append(entry)
        return entry

    def twin(self) -> Author:
        """The same device, epoch and past; what it writes from here on is another branch."""
        return replace(self, chains={lane: list(held) for lane, held in self.chains.items()})

    def outgoing(self, entry: Entry, *, signed: bool = True) -> Outgoing:
        return Outgoing(
            entry.kind,
            entry.dictionary,
            entry.clock,
            entry.key_id,
            entry.body,
            entry.body_hash,
            entry.sealed_bytes,
            sign_entry(self.keys, entry) if signed else None,
        )

    def encoded(
        self, lane: Lane = Lane.ROUTINE, first: int = 1, last: int | None = None, *, every: int = 1
    ) -> bytes:
        """The wire form of a stretch of a lane, signed at every so many entries and at its end."""
        chain = self.chains[lane][first - 1 : last]
        genesis = self.genesis(lane)
        out = [
            self.outgoing(each, signed=each.seq % every == 0 or each is chain[-1]) for each in chain
        ]
        start = genesis.encode() if first == 1 else None
        return encode_run(genesis.feed_id, start, first, chain[0].prev, out)

    def run(self, *entries: Entry, lane: Lane | None = None) -> Run:
        """One verified run of consecutive entries, as a session hands it to the ledger."""
        genesis = next(
            self.genesis(each)
            for each in Lane
            if self.genesis(each).feed_id == entries[0].feed and lane in (None, each)
        )
        lines = tuple(
            Line(
                each.kind,
                each.dictionary,
                each.seq,
                each.prev,
                each.clock,
                each.key_id,
                each.body,
                each.body_hash,
                each.hash,
                header_of(each),
                sign_entry(self.keys, each),
            )
            for each in entries
        )
        return Run(entries[0].feed, genesis.encode(), lines)


def opening(subject: bytes = b"", kind: int = 1) -> tuple[int, bytes]:
    """The first fact of a document about this subject; empty = it founds one."""
    value = DocumentOpen(subject_kind=kind, subject=subject)
    return int(KindNo.DOCUMENT_OPEN), encode_fact(KindNo.DOCUMENT_OPEN, value)


def saying(text: str) -> tuple[int, bytes]:
    """A note."""
    return int(KindNo.NOTE_ADD), encode_fact(KindNo.NOTE_ADD, NoteAdd(text=text))


def doc_of(entry: Entry) -> DocId:
    return DocId(entry.hash.prefix)
