"""Keys handed on: to a linked peer that should have one and has not, and new ones after a seal.

Every reader could do it, so each waits a random while first; what another did meanwhile is seen by
then and left. So nobody is stranded, and a mesh writes an envelope about once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from protocols.ids import DeviceId, KeyId, ScopeId
from protocols.ledger import scopekeys
from protocols.ledger.book import Ledger
from protocols.ledger.scopekeys import rotate_due
from protocols.mesh.door import own_control
from protocols.mesh.effects import Now
from protocols.mesh.frames import LACKS_MAX, Lacks
from protocols.mesh.links import Switchboard
from protocols.mesh.session import Session
from protocols.trust.keyring import Reader

HAND_ON_MS = (500, 8_000)
"""A reader waits this long, at random, before it hands a key on."""
ROTATE_MS = (10_000, 40_000)
"""Whoever sealed a reader rotates at once; the others see to it when nobody has by then."""


class Handing:
    """What this node does so that everybody entitled can read, and nobody else."""

    def __init__(self, ledger: Ledger, board: Switchboard) -> None:
        self._ledger = ledger
        self._board = board
        self._hand_at: int | None = None
        self._rotate_at: int | None = None
        self._seen: tuple[object, ...] = ()
        self._asked: set[tuple[KeyId, DeviceId]] = set()
        """Keys that peers said they lack when we last looked, though they were sealed to them."""
        self._told: dict[Session, tuple[KeyId, ...]] = {}

    @property
    def at_ms(self) -> int | None:
        """When to look again, monotonic milliseconds; None: nothing changed."""
        if self._hand_at is None or self._rotate_at is None:
            return self._rotate_at if self._hand_at is None else self._hand_at
        return min(self._hand_at, self._rotate_at)

    def look(self, now: Now) -> None:
        """Notice that something changed: say what we lack, and look at what others do soon."""
        authority = self._ledger.authority
        # Asked after every message.
        seen = (
            self._board.told,
            authority,
            authority.version,
            authority.keyring.version,
            self._board.lacks_said,
        )
        if seen == self._seen:
            return
        self._seen, sessions = seen, self._board.sessions()
        self._say_what_we_lack(sessions)
        if sessions and self._hand_at is None:
            self._hand_at = now.mono_ms + now.between(HAND_ON_MS)
        if self._rotate_at is None:
            self._rotate_at = now.mono_ms + now.between(ROTATE_MS)

    def tick(self, now: Now) -> None:
        """Do what is due and nobody else has done."""
        if self._hand_at is not None and self._hand_at <= now.mono_ms:
            self._hand_at = None
            self._hand_on(now)
        if self._rotate_at is not None and self._rotate_at <= now.mono_ms:
            self._rotate_at = None
            self.rotate(now)

    def rotate(self, now: Now) -> list[ScopeId]:
        """Give every scope a new key that needs one and that we may; return which."""
        due = self._ledger.authority.scope_keys.due(self._ledger.authority.device)
        if due:
            with self._ledger.atomic():
                rotate_due(self._ledger, now.entropy, now.wall_ms)
            self._board.grew(own_control(self._ledger))
        return due

    def _say_what_we_lack(self, sessions: list[Session]) -> None:
        authority = self._ledger.authority
        lacking = tuple(authority.scope_keys.lacking(authority.device)[:LACKS_MAX])
        for session in sessions:
            if self._told.get(session, ()) != lacking:
                session.out.append(Lacks(lacking))
        self._told = dict.fromkeys(sessions, lacking)

    def _hand_on(self, now: Now) -> None:
        authority = self._ledger.authority
        charter = authority.roster.charter
        peers = {session.peer for session in self._board.sessions()}
        due: defaultdict[KeyId, set[Reader]] = defaultdict(set)
        before, self._asked = self._asked, set()
        for terms in charter.scopes if charter and peers else ():
            scope = ScopeId(terms.id)
            if not authority.roster.reads(authority.device, scope):
                continue
            for key_id, readers in authority.scope_keys.without(scope, peers).items():
                due[key_id].update(readers)
            for key_id, reader in self._said_to_lack(scope):
                if (key_id, reader[0]) in before:
                    due[key_id].add(reader)
                elif reader not in due[key_id]:
                    self._asked.add((key_id, reader[0]))
        if self._asked:
            self._hand_at = now.mono_ms + now.between(HAND_ON_MS)
        if any(due.values()):
            with self._ledger.atomic():
                for key_id in sorted(due):
                    readers = sorted(due[key_id])
                    scopekeys.hand_on(self._ledger, key_id, readers, now.entropy, now.wall_ms)
            self._board.grew(own_control(self._ledger))

    def _said_to_lack(self, scope: ScopeId) -> Iterator[tuple[KeyId, Reader]]:
        """Keys that linked readers say they cannot open, and that we did not seal to them yet.

        An envelope that somebody wrote may hold anything; only its addressee can tell. Whoever
        asks for ever is given one by each reader, no more.
        """
        authority, used = self._ledger.authority, set(self._ledger.chain.key_ids.values())
        readers = {device: (device, agree) for device, agree in authority.scope_keys.readers(scope)}
        keyring = authority.keyring
        known = [*keyring.generations(scope), *keyring.captured(scope)]
        for session in self._board.sessions():
            reader = readers.get(session.peer)
            for key_id in known if reader and session.lacks else ():
                asked = key_id in session.lacks and keyring.key(key_id) is not None
                matters = authority.scope_keys.made_well(key_id, scope) or key_id in used
                ours = keyring.addressed_by(authority.device, key_id, session.peer)
                if reader and asked and matters and not ours:
                    yield key_id, reader
