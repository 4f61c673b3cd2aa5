"""Who this device is, whom it believes, and which scopes it can read.

Everything here follows from the control entries in the book and the device's own keys; it is
replayed at every start and lives in memory.
"""

from __future__ import annotations

from collections.abc import Iterable

from protocols.errors import LedgerError, PeerError
from protocols.feeds.entry import Entry
from protocols.feeds.lane import Lane
from protocols.ids import DeviceId, EntryHash, Epoch, KeyId, OperationId, ScopeId
from protocols.ledger import advancing
from protocols.ledger.chain import Chain, FeedState, Stored
from protocols.ledger.scopekeys import ScopeKeys
from protocols.ledger.store import Store
from protocols.records.identity import code_tag
from protocols.trust.charter import Charter, Sensitivity
from protocols.trust.control import (
    Admission,
    Attestation,
    Certificates,
    Place,
    Record,
    Rotation,
    UnknownControl,
    decode_control,
)
from protocols.trust.erasure import Erasures
from protocols.trust.granting import own_scope
from protocols.trust.identity import DeviceKeys
from protocols.trust.judging import Judgement
from protocols.trust.keyring import Keyring
from protocols.trust.member import Member
from protocols.trust.release import Releases
from protocols.trust.roster import Roster
from protocols.trust.seals import best
from protocols.trust.sessions import Session
from protocols.trust.standing import Standing
from protocols.trust.statements import SignedStatement, statement_hash
from protocols.trust.terms import HQ_ROLE


def old_scope_name(sensitivity: Sensitivity) -> str:
    """Where the book keeps the scope of before joining, until its keys are handed over."""
    return "old_scope" if sensitivity == Sensitivity.IDENTIFIED else f"old_scope_{sensitivity}"


class Authority:
    """The control side of one book."""

    def __init__(self, store: Store, chain: Chain) -> None:
        self._store = store
        self._chain = chain
        self.keys = DeviceKeys(self.secret("sign_seed"), self.secret("agree_secret"))
        self.operation = OperationId(self.secret("operation"))
        self.epoch = Epoch(self.secret("epoch"))
        self.roster = Roster(self.operation)
        self.keyring = Keyring(self.keys)
        self.scope_keys = ScopeKeys(self.roster, self.keyring, lambda: self.version)
        self.erasures = Erasures(self.operation)
        self.releases = Releases(self.operation, self.keys)
        self.orders_changed = False
        """Whether an erase, hold or release came since last looked at; who reads it clears it."""
        self.opened_keys: list[KeyId] = []
        """Keys that opened since last looked at; whoever reads it clears it."""
        self.version = 0
        """Rises whenever somebody may do more, or less, than before."""
        self.advanced: dict[bytes, set[DeviceId]] = {}
        """Certificates and control entries, by hash, that came ahead and in no feed yet, and the
        peers that brought them; see `advancing`."""
        self.kept_ahead = True
        """Whether the book keeps any of it, as far as nobody has looked."""
        self._late: set[DeviceId] = set()
        self._tags: dict[int, str] = {}
        self._own: tuple[Charter | None, Member | None, dict[Sensitivity, ScopeId | None]]
        self._own = (None, None, {})
        """The scopes this device writes in, as a charter and what is known of it say."""
        self._names: dict[DeviceId, str] = {}
        self._replay()

    @property
    def device(self) -> DeviceId:
        """This device."""
        return self.keys.device

    def secret(self, name: str) -> bytes:
        """Return one value that makes this device itself.

        Raises:
            LedgerError: `no_identity` when the book was never founded.
        """
        row = self._store.one("SELECT value FROM meta WHERE name = ?", (name,))
        if row is None:
            raise LedgerError("no_identity", name=name)
        return bytes(row[0])

    def _replay(self) -> None:
        rows = self._store.all(
            "SELECT e.feed, e.seq, e.hash, e.body, p.hash FROM entry e"
            " JOIN feed f ON f.no = e.feed LEFT JOIN entry p ON p.arrival = e.parent"
            " WHERE f.lane = ? ORDER BY e.arrival",
            (int(Lane.CONTROL),),
        )
        for feed_no, seq, digest, body, prev in rows:
            feed = self._chain.by_no[feed_no]
            place = _place(feed, seq, prev or feed.feed_id, EntryHash(digest))
            self._apply(place, body, None)
        advancing.replay(self._store, self)
        self.changed_devices()
        self.mind_own_seal()
        self.opened_keys.clear()

    @property
    def sealed_here(self) -> bool:
        """Whether a seal ends all that this life of this device may do."""
        return self.roster.cut(self.device, bytes(self.epoch))

    def mind_own_seal(self) -> bool:
        """Forget every scope key once we are sealed; return whether they went now."""
        if self.keyring.closed or not self.sealed_here:
            return False
        self.keyring.close()
        self.opened_keys.clear()
        self._names.clear()
        return True

    def take(self, stored: Iterable[Stored]) -> None:
        """Apply control entries that were just stored."""
        for each in stored:
            if each.line.body is not None:
                line = each.line
                place = _place(each.feed, line.seq, line.prev, EntryHash(line.hash))
                self._apply(place, line.body, line.clock)

    def _apply(self, place: Place, body: bytes | None, clock: int | None) -> None:
        try:
            record = decode_control(body or b"")
        except PeerError:
            # Void, and yet a link of the chain that seals are judged along.
            self.roster.add(None, place)
            return
        self._take_record(record, place, clock)

    def wrote(self, record: Record, feed: FeedState, entry: Entry) -> None:
        """Take one control record of our own."""
        self._take_record(record, _place(feed, entry.seq, entry.prev, entry.hash), None)

    def changed_devices(self) -> set[DeviceId]:
        """Return and forget the devices whose entries must be judged again."""
        changed, self._late = set(self.roster.changed()) | self._late, set()
        self.version += bool(changed)
        return changed

    def note_grown(self, feed: FeedState, first: int) -> None:
        """Have a sealed device's entries judged again when its feed reaches a head, or forks.

        Args:
            first: Seq of the first new entry.
        """
        device = feed.genesis.device
        for bound in self.roster.bounds(device):
            heads = [seq for seq, _ in bound.heads.get(feed.feed_id, ())]
            if len(feed.tips) > 1 or any(first <= seq <= feed.seq for seq in heads):
                self._late.add(device)

    def _take_record(
        self, record: Record | UnknownControl, place: Place, clock: int | None
    ) -> None:
        """Take one record.

        Args:
            clock: When it was written, for one that has just arrived; else None.
        """
        self._names.clear()
        if self.advanced:
            self._came(record, place)
        late = clock is not None and isinstance(record, Attestation)
        if clock is not None and late and self._written_since(place, clock):
            self._late.add(place.author)
        self.roster.add(record, place)
        self.orders_changed |= self.erasures.add(record, place)
        self.orders_changed |= self.releases.add(record, place)
        self.opened_keys += self.keyring.add(record, place.author, place.entry)

    def _came(self, record: Record | UnknownControl, place: Place) -> None:
        """Note that what may have come ahead is here in its feed now."""
        self.advanced.pop(place.entry, None)
        for statement in record.statements if isinstance(record, Certificates) else ():
            self.advanced.pop(statement_hash(statement), None)

    def take_lone(
        self,
        record: Attestation | Rotation | Admission,
        place: Place,
        came: tuple[int, DeviceId],
        *,
        granted: bool,
    ) -> None:
        """Take one record that comes ahead of its feed.

        A rotation is good for reading only, unless our admitter handed it over: nothing else is
        written under what may be let go again.

        Args:
            came: Its clock, and who brought it.
        """
        clock, peer = came
        if isinstance(record, Rotation) and not granted:
            if self.keyring.knows(KeyId(place.entry)):
                return
            self.opened_keys += self.keyring.expect(KeyId(place.entry), record)
        elif self.roster.positions.of(place.entry) is None:
            self._take_record(record, place, clock)
        elif place.entry not in self.advanced:
            return
        self.advanced.setdefault(place.entry, set()).add(peer)

    def take_certificates(self, statements: Iterable[SignedStatement], peer: DeviceId) -> None:
        """Take certificates that come ahead of any feed."""
        for statement in statements:
            name = statement_hash(statement)
            if name in self.advanced or not self.roster.holds(name):
                self.roster.certify((statement,))
                if self.roster.holds(name):
                    self.advanced.setdefault(name, set()).add(peer)

    @property
    def revision(self) -> int:
        """Rises whenever `judgement_of` may say something else than before."""
        return self.roster.revision

    def judgement_of(self, feed: FeedState, kind: int, session: Session) -> Judgement:
        """Say whether facts of a kind in a feed count, by whom they are."""
        genesis = feed.genesis
        author = (genesis.device, bytes(genesis.epoch))
        return self.roster.judge(author, kind, genesis.scope, session)

    def standing_at(self, judgement: Judgement, feed: FeedState, arrival: int) -> Standing:
        """Say it of one entry, where seals make its place decide."""

        def covers(seq: int, head: bytes) -> bool:
            return self._chain.covers(feed, arrival, seq, head)

        return best(judgement.ways, feed.feed_id, feed.genesis.epoch, covers)

    def released(self) -> dict[bytes, bytes]:
        """Full hash → body key, of every entry that a release which counts opens to us."""
        charter = self.roster.charter
        if charter is None or not self.releases.any or self.keyring.closed:
            return {}
        found: dict[bytes, bytes] = {}
        for scope in charter.scopes:
            found |= self.releases.keys(ScopeId(scope.id), self.roster)
        return found

    def _written_since(self, place: Place, clock: int) -> bool:
        """Whether entries that may name an attestation came before it.

        Further control entries may have come with it, so its own clock counts, not its feed's.
        """
        return any(
            tip.clock > clock
            for feed in self._chain.feeds.values()
            if feed.genesis.lane != Lane.CONTROL
            and (feed.genesis.device, bytes(feed.genesis.epoch)) == (place.author, place.epoch)
            for tip in feed.tips
        )

    def code_tag_of(self, feed: FeedState) -> str:
        """The letters that short codes of a feed begin with."""
        tag = self._tags.get(feed.no)
        if tag is None:
            tag = self._tags[feed.no] = code_tag(feed.genesis.device, feed.genesis.epoch)
        return tag

    def key_of(self, key_id: bytes) -> bytes | None:
        """The scope key with this id, or None."""
        return self.keyring.key(KeyId(key_id))

    def scope_of(self, scope: bytes) -> ScopeId | None:
        """The operation's scope that a feed's scope is or has become, or None."""
        return self.roster.scope_of(ScopeId(scope))

    def scope_for(self, sensitivity: Sensitivity) -> ScopeId | None:
        """The scope that this device writes what is so sensitive in, by its own certificates.

        Where they give none for care, its own scope of before it joined: care is never locked out.
        A concern that only this device could read would be reported to nobody: it is refused.
        """
        charter, member = self.roster.charter, self.roster.device(self.device)
        if charter is not None and member is not None:
            if self._own[0] is not charter or self._own[1] is not member:
                self._own = (charter, member, {})
            chosen = self._own[2]
            if sensitivity not in chosen:
                found = own_scope(charter, member.scopes, member.jurisdiction, sensitivity)
                chosen[sensitivity] = None if found is None else ScopeId(found)
            if chosen[sensitivity] is not None:
                return chosen[sensitivity]
        return self.old_scope(sensitivity) if sensitivity == Sensitivity.IDENTIFIED else None

    def old_scope(self, sensitivity: Sensitivity) -> ScopeId | None:
        """The scope of before joining that no admission has made one of the operation's yet."""
        name = old_scope_name(sensitivity)
        row = self._store.one("SELECT value FROM meta WHERE name = ?", (name,))
        return ScopeId(row[0]) if row else None

    @property
    def care_scope(self) -> ScopeId:
        """The identified scope that care is written in.

        Raises:
            LedgerError: `no_scope` when there is none.
        """
        scope = self.scope_for(Sensitivity.IDENTIFIED)
        if scope is None:
            raise LedgerError("no_scope")
        return scope

    def write_key(self, scope: ScopeId) -> tuple[KeyId, bytes]:
        """The key that new entries of a scope of the operation are sealed under.

        Raises:
            LedgerError: `no_key` when none is open to this device.
        """
        return self._opened(self.scope_keys.write_key(scope))

    def writable_scope(
        self, sensitivity: Sensitivity = Sensitivity.IDENTIFIED
    ) -> tuple[ScopeId, KeyId, bytes]:
        """The scope, key id and key for what is so sensitive, written now.

        Between joining and the first envelope the operation's key is not here yet; care goes on
        under the device's own scope, which the admission adopted.

        Raises:
            LedgerError: `no_scope`, or `no_key` when there is neither.
        """
        scope = self.scope_for(sensitivity)
        if scope is None:
            raise LedgerError("no_scope")
        try:
            return scope, *self.write_key(scope)
        except LedgerError:
            name = old_scope_name(sensitivity)
            row = self._store.one("SELECT value FROM meta WHERE name = ?", (name,))
            if row is None:
                raise
        old = ScopeId(row[0])
        own = self.keyring.write_key(old, lambda _, device: device == self.device)
        return old, *self._opened(own)

    def same_scope(self, held: bytes, scope: ScopeId) -> bool:
        """Whether a document of one scope may be continued in another."""
        return held == scope or (self.scope_of(held) or held) == (self.scope_of(scope) or scope)

    def _opened(self, key_id: KeyId | None) -> tuple[KeyId, bytes]:
        key = None if key_id is None else self.keyring.key(key_id)
        if key_id is None or key is None:
            raise LedgerError("no_key")
        return key_id, key

    def is_hq(self, device: DeviceId) -> bool:
        """Whether a device's receipts count as *at HQ*."""
        member = self.roster.device(device)
        return member is not None and HQ_ROLE in member.roles

    def member_devices(self, among: Iterable[DeviceId] | None = None) -> list[DeviceId]:
        """Devices with a standing certificate and a key to link with; None: of all there are."""
        asked = self.roster.members() if among is None else sorted(among)
        members = ((each, self.roster.device(each)) for each in asked)
        return [device for device, member in members if member is not None and member.agree]

    def name_of(self, device: DeviceId) -> str:
        """The display name of a device, '' when unknown."""
        name = self._names.get(device)
        if name is None:
            member = self.roster.device(device, self.keyring.keys)
            name = self._names[device] = member.name if member else ""
        return name


def _place(feed: FeedState, seq: int, prev: bytes, entry: EntryHash) -> Place:
    genesis = feed.genesis
    return Place(genesis.device, bytes(genesis.epoch), feed.feed_id, seq, prev, entry)
