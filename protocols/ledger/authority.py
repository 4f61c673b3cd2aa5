"""Who this device is, whom it believes, and which scopes it can read.

Everything here follows from the control entries in the book and the device's own keys; it is
replayed at every start and lives in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from protocols.errors import LedgerError, PeerError
from protocols.feeds.lane import Lane
from protocols.ids import DeviceId, EntryHash, Epoch, KeyId, OperationId, ScopeId
from protocols.ledger.chain import Chain, FeedState, Stored
from protocols.ledger.store import Store
from protocols.records.identity import code_tag
from protocols.trust.charter import Sensitivity
from protocols.trust.control import Record, UnknownControl, decode_control
from protocols.trust.identity import DeviceKeys
from protocols.trust.keyring import Keyring
from protocols.trust.roster import Roster
from protocols.trust.standing import Standing

HQ_ROLE = 2
"""Role number in a charter founded by this software whose receipts count as *at HQ*."""


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
        self.changed_devices: set[DeviceId] = set()
        """Whose entries must be judged again; whoever reads it clears it."""
        self.opened_keys: list[KeyId] = []
        """Keys that opened since last looked at; whoever reads it clears it."""
        self._tags: dict[int, str] = {}
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
            "SELECT e.feed, e.hash, e.body FROM entry e JOIN feed f ON f.no = e.feed"
            " WHERE f.lane = ? ORDER BY e.arrival",
            (int(Lane.CONTROL),),
        )
        for feed_no, digest, body in rows:
            self._apply(self._chain.by_no[feed_no], EntryHash(digest), body)
        self.changed_devices.clear()
        self.opened_keys.clear()

    def take(self, stored: Iterable[Stored]) -> None:
        """Apply control entries that were just stored."""
        for each in stored:
            if each.line.body is not None:
                self._apply(each.feed, EntryHash(each.line.hash), each.line.body)

    def _apply(self, feed: FeedState, entry: EntryHash, body: bytes) -> None:
        try:
            record = decode_control(body)
        except PeerError:
            return
        self.take_record(record, feed.genesis.device, entry)

    def take_record(
        self, record: Record | UnknownControl, author: DeviceId, entry: EntryHash
    ) -> None:
        """Take one control record."""
        self._names.clear()
        self.changed_devices |= self.roster.add(record, author, entry)
        self.opened_keys += self.keyring.add(record, author, entry)

    def standing_of(self, feed: FeedState, kind: int) -> Standing:
        """Say whether facts of a kind in a feed count."""
        return self.roster.standing(feed.genesis.device, kind, feed.genesis.scope)

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

    @property
    def care_scope(self) -> ScopeId:
        """The identified scope that care is written in.

        Raises:
            LedgerError: `no_scope` when the charter has none.
        """
        charter = self.roster.charter
        for scope in charter.scopes if charter else ():
            if scope.sensitivity == Sensitivity.IDENTIFIED:
                return ScopeId(scope.id)
        raise LedgerError("no_scope")

    def write_key(self, scope: ScopeId) -> tuple[KeyId, bytes]:
        """The key that new entries of a scope of the operation are sealed under.

        Raises:
            LedgerError: `no_key` when none is open to this device.
        """
        return self._open_key(scope, self.roster.may_rotate)

    def writable_scope(self) -> tuple[ScopeId, KeyId, bytes]:
        """The scope, key id and key for care written now.

        Between joining and the first envelope the operation's key is not here yet; care goes on
        under the device's own scope, which the admission adopted.

        Raises:
            LedgerError: `no_key` when there is neither.
        """
        scope = self.care_scope
        try:
            return scope, *self.write_key(scope)
        except LedgerError:
            row = self._store.one("SELECT value FROM meta WHERE name = 'old_scope'")
            if row is None:
                raise
        old = ScopeId(row[0])
        return old, *self._open_key(old, lambda device, _: device == self.device)

    def same_scope(self, held: bytes, scope: ScopeId) -> bool:
        """Whether a document of one scope may be continued in another."""
        return held == scope or (self.scope_of(held) or held) == (self.scope_of(scope) or scope)

    def _open_key(
        self, scope: ScopeId, entitled: Callable[[DeviceId, ScopeId], bool]
    ) -> tuple[KeyId, bytes]:
        key_id = self.keyring.write_key(scope, entitled)
        key = None if key_id is None else self.keyring.key(key_id)
        if key_id is None or key is None:
            raise LedgerError("no_key")
        return key_id, key

    def is_hq(self, device: DeviceId) -> bool:
        """Whether a device's receipts count as *at HQ*."""
        member = self.roster.device(device)
        return member is not None and HQ_ROLE in member.roles

    def member_devices(self) -> list[DeviceId]:
        """Devices with a standing certificate and a key to link with."""
        members = ((each, self.roster.device(each)) for each in self.roster.members())
        return [device for device, member in members if member is not None and member.agree]

    def name_of(self, device: DeviceId) -> str:
        """The display name of a device, '' when unknown."""
        name = self._names.get(device)
        if name is None:
            member = self.roster.device(device, self.keyring.keys)
            name = self._names[device] = member.name if member else ""
        return name
