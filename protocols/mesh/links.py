"""The links of a node, from their first byte to their last, and what goes out over them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from protocols.errors import FieldmeshError, PeerError
from protocols.ids import DeviceId
from protocols.ledger.book import Ledger
from protocols.ledger.chain import FeedState
from protocols.mesh.effects import Changed, Effect, Hangup, Notice, Transmit
from protocols.mesh.frames import FRAME_BYTES_MAX, LINKS_MAX, Bye, Frame, Links, encode_frame
from protocols.mesh.greeting import Greeting, Manner
from protocols.mesh.session import Session


@dataclass(slots=True)
class Link:
    """One carrier link, from its first byte to its last."""

    no: int
    dialled: bool
    address: str
    greeting: Greeting
    opened_ms: int
    session: Session | None = None
    joining: bool = False
    peer: DeviceId | None = None
    expected: DeviceId | None = None
    """Whom we dialled, before it proved to be that device."""
    sealed: bool = False
    """It was under a seal already when it greeted: it hears of it, and of nothing else."""
    opened: deque[bytes] = field(default_factory=deque)
    """Messages that were decrypted before their turn; they are the next ones to come."""


class Switchboard:
    """Every link of one node, and the effects that the node is about to ask for."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.all: dict[int, Link] = {}
        """By the number that the driver gave."""
        self._greeted: list[tuple[Link, Session]] | None = None
        self._sessions: list[Session] = []
        self._linked: list[DeviceId] = []
        """Of all links, until one comes or goes: they are asked for several times a frame."""
        self.effects: list[Effect] = []
        self._judged_by: tuple[object, int] | None = None
        """The authority and its version when every session last asked what its peer may hold."""
        self.told = 0
        """How often it changed who is linked."""
        self.lacks_said = 0
        """How often a peer said which keys it lacks."""

    def keep_one(self, entry: Link, peer: DeviceId, epoch: bytes) -> bool:
        """Of two links between the same two devices keep what the lower id dialled.

        Two epochs of one device are two disks, a card and its copy: both have something to say.
        """
        lower = min(peer, self._ledger.authority.device)
        for other in list(self.all.values()):
            if other is entry or other.session is None or other.peer != peer:
                continue
            if other.session.epoch != epoch:
                continue
            ours_lower = lower == self._ledger.authority.device
            if other.dialled != entry.dialled and other.dialled == ours_lower:
                self.drop(entry, PeerError("duplicate"))
                return False
            self.drop(other, PeerError("duplicate"))
        return True

    def begin(self, entry: Link, session: Session) -> None:
        """A peer has greeted: its session begins."""
        entry.session, self._greeted = session, None

    def forget(self, link: int) -> Link | None:
        """A link is gone; return it, if there was one."""
        self._greeted = None
        return self.all.pop(link, None)

    def drop(self, entry: Link, error: FieldmeshError) -> None:
        """End a link, saying why when there is a channel to say it in."""
        self.forget(entry.no)
        greeted = entry.session is not None or entry.greeting.manner is not Manner.ENROLMENT
        if entry.greeting.channel is not None and greeted and error.code != "peer_said_bye":
            self.send(entry, Bye(error.code))
        self.doubt_key(entry)
        # Whoever keeps a link up by dialling must know that there is one already.
        doubled = error.code == "peer_said_bye" and error.values.get("reason") == "duplicate"
        self.effects.append(Hangup(entry.no, "duplicate" if doubled else error.code))
        values = {"peer": str(entry.peer)} if entry.peer else {}
        self.effects.append(Notice("dropped", {"code": error.code, **values}))
        if entry.session is not None:
            self.tell()

    def doubt_key(self, entry: Link) -> None:
        """A short handshake that came to nothing: greet as strangers next time."""
        if entry.dialled and entry.session is None and entry.expected is not None:
            known = self._ledger.peers.all.get(entry.expected)
            if known is not None and entry.greeting.manner is Manner.KNOWN_PEER:
                known.agree = b""

    def tell(self) -> None:
        """Say who is linked now, to every peer and to whoever shows it here."""
        self.told += 1
        self.effects.append(Changed(frozenset(("peer",))))
        linked = self.linked
        for session in self.sessions():
            others = tuple(device for device in linked if device != session.peer)
            session.out.append(Links(others[:LINKS_MAX]))

    def grew(self, feeds: Iterable[FeedState]) -> None:
        """Our own feeds grew: push them to every peer."""
        feeds = list(feeds)
        for session in self.sessions():
            for feed in feeds:
                session.grew(feed)

    def cut_sealed(self) -> None:
        """End every live session whose peer has come under a seal: nothing more goes out.

        It may greet again, to be handed the control records that tell it so.
        """
        roster = self._ledger.authority.roster
        for entry in list(self.all.values()):
            session = entry.session
            if session is None or entry.sealed == roster.cut(session.peer, session.epoch):
                continue
            session.out.clear()
            self.drop(entry, PeerError("sealed" if not entry.sealed else "unsealed"))

    @property
    def linked(self) -> list[DeviceId]:
        """Devices linked right now, sorted; not to be changed."""
        self._look()
        return self._linked

    def sessions(self) -> list[Session]:
        """What passes between us and each peer that has greeted; not to be changed."""
        self._look()
        return self._sessions

    def _look(self) -> list[tuple[Link, Session]]:
        """Return the links whose peer has greeted, each with what passes over it."""
        if self._greeted is None:
            self._greeted = [(each, each.session) for each in self.all.values() if each.session]
            self._sessions = [session for _, session in self._greeted]
            self._linked = sorted(
                session.peer for entry, session in self._greeted if not entry.sealed
            )
        return self._greeted

    def transmit(self, entry: Link, message: bytes) -> None:
        """Put a message on a link as it is."""
        self.effects.append(Transmit(entry.no, message))

    def send(self, entry: Link, frame: Frame) -> None:
        """Seal a frame and put it on a link."""
        channel = entry.greeting.channel
        assert channel is not None
        plain = encode_frame(frame)
        assert len(plain) <= FRAME_BYTES_MAX
        self.transmit(entry, channel.encrypt(plain))

    def pump(self, now_ms: int) -> None:
        """Move out what sessions have to say and their windows allow.

        Only of those that something has happened to since: in a mesh most have nothing to say.
        """
        authority = self._ledger.authority
        judged_by = (authority, authority.version)
        greeted = self._look()
        if judged_by != self._judged_by:
            for _, session in greeted:
                session.reauthorise()
        for entry, session in [each for each in greeted if each[1].stirred or each[1].out]:
            if session.refused:
                self._note_refused(session)
            session.pump(now_ms)
            for frame in session.out:
                self.send(entry, frame)
            session.out.clear()
        self._judged_by = judged_by

    def _note_refused(self, session: Session) -> None:
        """Keep as evidence that a peer asked for what it may not hold."""
        for feed, news in session.refused.items():
            if news:
                session.refused[feed] = False
                values = {
                    "peer": str(session.peer),
                    "feed": str(self._ledger.chain.by_no[feed].feed_id),
                }
                self.effects.append(Notice("scope_withheld", values))

    def take_effects(self) -> list[Effect]:
        """Hand over what is to be done, once."""
        effects, self.effects = self.effects, []
        return effects
