"""At the door: who greets us or is greeted, and who enrols with a one-time code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from protocols.errors import InputError, LinkError, PeerError
from protocols.feeds.lane import Lane
from protocols.ids import DeviceId, Epoch
from protocols.ledger import admitting
from protocols.ledger.admitting import Newcomer
from protocols.ledger.book import Ledger
from protocols.ledger.chain import FeedState
from protocols.mesh.effects import Hangup, Joined, Notice, Now, PeerKnown
from protocols.mesh.greeting import (
    EPHEMERAL_BYTES,
    MESH_VERSION,
    Greeting,
    Hello,
    Manner,
    decode_hello,
    encode_hello,
)
from protocols.mesh.links import Link, Switchboard
from protocols.mesh.receipts import Receipts
from protocols.mesh.runs import RecentRuns
from protocols.mesh.session import Session
from protocols.trust.certificates import verify_chain
from protocols.trust.enrolment import (
    CODE_BYTES,
    CODE_TRIES_MAX,
    JoinGrant,
    JoinRequest,
    code_psk,
    open_grant,
    open_request,
)
from protocols.trust.granting import Wish
from protocols.trust.statements import pack

INVITATIONS_MAX = 8
INVITATION_MS = 24 * 3600_000
GREETING_MS = 10_000
"""A handshake that takes longer is given up."""


@dataclass(slots=True)
class Invitation:
    """One code that a device may enrol with."""

    code: bytes
    wish: Wish
    """What the newcomer will be."""
    until_ms: int
    """Monotonic milliseconds."""
    tries: int = 0


class Door:
    """Makes a link into a session with a member, or a stranger with a code into a member."""

    def __init__(self, ledger: Ledger, board: Switchboard, receipts: Receipts) -> None:
        self._ledger = ledger
        self._board = board
        self._receipts = receipts
        self._runs = RecentRuns(ledger)
        self._invitations: list[Invitation] = []

    def open(
        self,
        no: int,
        now: Now,
        *,
        dialled: bool,
        peer: DeviceId | None,
        address: str,
        code: bytes | None,
    ) -> None:
        """Begin to greet over a new link; see `Node.opened`."""
        known = self._ledger.peers.all.get(peer) if peer and dialled else None
        agree = known.agree if known and known.agree and code is None else None
        psks = [code_psk(code)] if code else []
        if not dialled:
            psks = [code_psk(each.code) for each in self.live_invitations(now)]
        greeting = Greeting(
            self._ledger.authority.keys,
            now.entropy(EPHEMERAL_BYTES),
            peer_agree=agree,
            psks=psks,
            dialled=dialled,
        )
        entry = Link(no, dialled, address, greeting, now.mono_ms, joining=code is not None)
        entry.expected = peer
        self._board.all[no] = entry
        if dialled:
            first = entry.greeting.manner is Manner.KNOWN_PEER
            payload = self._hello(now, peer) if first else b""
            self._board.transmit(entry, greeting.write(payload))

    def greet(self, entry: Link, message: bytes, now: Now) -> None:
        """Go on with the handshake; hellos ride in it where the pattern lets them."""
        greeting = entry.greeting
        payload = greeting.read(message)
        known = greeting.manner is Manner.KNOWN_PEER
        if greeting.manner is Manner.ENROLMENT:
            self._greet_enrolment(entry, now)
        elif known and not entry.dialled:
            peer = self._judge_peer(entry, decode_hello(payload))
            self._board.transmit(entry, greeting.write(self._hello(now, peer)))
            self._begin(entry, peer, decode_hello(payload), now)
        elif known:
            hello = decode_hello(payload)
            self._begin(entry, self._judge_peer(entry, hello), hello, now)
        elif entry.dialled:
            hello = decode_hello(payload)
            peer = self._judge_peer(entry, hello)
            self._board.transmit(entry, greeting.write(self._hello(now, peer, chain=True)))
            self._begin(entry, peer, hello, now)
        elif greeting.channel is None:
            self._board.transmit(entry, greeting.write(self._hello(now, None, chain=True)))
        else:
            hello = decode_hello(payload)
            peer = self._judge_peer(entry, hello)
            self._begin(entry, peer, hello, now)
            if entry.session is not None:
                self._say_what_we_hold(entry.session)

    def _greet_enrolment(self, entry: Link, now: Now) -> None:
        greeting = entry.greeting
        if greeting.channel is None:
            self._board.transmit(entry, greeting.write(b""))
        if greeting.channel is not None and entry.dialled:
            binding = greeting.channel.handshake_hash
            request = admitting.request_to_join(self._ledger, binding, now.entropy)
            self._board.transmit(entry, greeting.channel.encrypt(pack(request)))

    def _judge_peer(self, entry: Link, hello: Hello) -> DeviceId:
        """Return whose link this is.

        Raises:
            PeerError: `other_operation`, `unknown_device` or why its certificate does not hold.
        """
        authority = self._ledger.authority
        if hello.operation != authority.operation:
            raise PeerError("other_operation")
        agree = entry.greeting.peer_agree
        claimed: DeviceId | None = None
        lower_ms = self._ledger.trusted_ms
        if hello.chain and authority.roster.charter is not None:
            certificate, _ = verify_chain(
                authority.roster.charter, authority.operation, hello.chain, lower_ms=lower_ms
            )
            if certificate.agree != agree:
                raise PeerError("unknown_device")
            claimed = DeviceId(certificate.subject)
            self._ledger.meet(hello.chain)
        peer = authority.roster.may_link(
            agree, claimed=claimed, epoch=hello.epoch, lower_ms=lower_ms, sealed=True
        )
        if peer is None:
            raise PeerError("unknown_device")
        if peer == authority.device:
            raise PeerError("own_key")
        self._ledger.peers.doubt_book(peer, Epoch(hello.epoch), hello.arrival)
        return peer

    def _hello(self, now: Now, peer: DeviceId | None, *, chain: bool = False) -> bytes:
        authority = self._ledger.authority
        known = self._ledger.peers.all.get(peer) if peer else None
        return encode_hello(
            Hello(
                version=MESH_VERSION,
                operation=bytes(authority.operation),
                epoch=bytes(authority.epoch),
                arrival=self._ledger.chain.last_arrival,
                wall_ms=max(now.wall_ms, 0),
                hold_epoch=bytes(known.epoch) if known else b"",
                hold=known.we_hold if known else 0,
                chain=authority.roster.chain(authority.device) if chain else (),
            )
        )

    def _begin(self, entry: Link, peer: DeviceId, hello: Hello, now: Now) -> None:
        """The handshake is done: open the session."""
        if not self._board.keep_one(entry, peer, hello.epoch):
            return
        ledger = self._ledger
        known = ledger.peers.meet(peer, Epoch(hello.epoch), now.wall_ms)
        known.clock_ahead_ms = hello.wall_ms - now.wall_ms
        ledger.peers.note_address(
            peer, entry.greeting.peer_agree, entry.address if entry.dialled else ""
        )
        they_hold: int | None = None
        if hello.hold_epoch:
            ours = hello.hold_epoch == ledger.authority.epoch
            # Who holds more than we ever numbered knew a book that we are an older copy of.
            they_hold = hello.hold if ours and hello.hold <= ledger.chain.last_arrival else 0
        entry.peer = peer
        entry.sealed = ledger.authority.roster.cut(peer, known.epoch)
        session = Session(ledger, self._runs, peer, known.epoch, they_hold)
        self._board.begin(entry, session)
        if they_hold is not None:
            session.begin()
        self._receipts.bring(session)
        if entry.dialled:
            self._board.effects.append(PeerKnown(peer, entry.address))
        self._board.effects.append(Notice("linked", {"peer": str(peer)}))
        self._board.tell()

    def _say_what_we_hold(self, session: Session) -> None:
        """In a first contact the responder learns too late who it is to say so in its hello."""
        session.say_hold(self._ledger.peers.all[session.peer].we_hold)

    def enrol(self, entry: Link, plain: bytes, now: Now) -> None:
        """Go on with an enrolment inside its channel: take our grant, or give one."""
        channel = entry.greeting.channel
        assert channel is not None
        if entry.dialled:
            device, lower_ms = self._ledger.authority.device, self._ledger.trusted_ms
            grant, *_ = open_grant(plain, device, lower_ms=lower_ms)
            self.join(grant, now, through=entry)
            self._board.effects += [Joined(entry.no), Hangup(entry.no, "joined")]
            return
        request = open_request(plain, channel.handshake_hash, static=channel.remote_static)
        given = self.admit(request, self._spend(entry, now).wish, now)
        self._board.transmit(entry, channel.encrypt(pack(given)))

    def admit(
        self, request: JoinRequest, wish: Wish, now: Now, *, name: str = "", carried: bool = False
    ) -> JoinGrant:
        """Let one device in; whoever is linked learns of it at once.

        Args:
            carried: The grant goes by hand.

        Raises:
            InputError: as `admitting.admit`.
        """
        return self.admit_all([Newcomer(request, wish, name)], now, carried=carried)[0]

    def admit_all(
        self, newcomers: Sequence[Newcomer], now: Now, *, carried: bool
    ) -> list[JoinGrant]:
        """Let several devices in, all or none.

        Raises:
            InputError: as `admitting.admit_all`.
        """
        given = admitting.admit_all(
            self._ledger, newcomers, now.entropy, now.wall_ms, carried=carried
        )
        for each in newcomers:
            device = str(DeviceId(each.request.device))
            self._board.effects.append(Notice("admitted", {"device": device}))
        self._board.grew(own_control(self._ledger))
        return given

    def join(self, grant: JoinGrant, now: Now, *, through: Link | None = None) -> None:
        """Take up membership; all other links end, for we greet as somebody else from now on.

        Raises:
            InputError: as `admitting.join`.
        """
        admitting.join(self._ledger, grant, now.wall_ms)
        for other in [each for each in self._board.all.values() if each is not through]:
            self._board.drop(other, LinkError("joined"))

    def _spend(self, entry: Link, now: Now) -> Invitation:
        for invitation in self.live_invitations(now):
            if code_psk(invitation.code) == entry.greeting.psk:
                self._invitations.remove(invitation)
                return invitation
        raise PeerError("no_invitation")

    def live_invitations(self, now: Now) -> list[Invitation]:
        """Codes that somebody may still enrol with."""
        self._invitations = [
            each
            for each in self._invitations
            if each.until_ms > now.mono_ms and each.tries < CODE_TRIES_MAX
        ]
        return self._invitations

    def count_try(self, entry: Link) -> None:
        """A wrong code shows in the last message; a link that broke before tried none."""
        greeting = entry.greeting
        enrols = greeting.manner is Manner.ENROLMENT and not entry.dialled
        if enrols and greeting.answered and greeting.channel is None:
            for invitation in self._invitations:
                invitation.tries += 1

    def alarm(self) -> int | None:
        """When to give up whoever has not greeted by then, monotonic milliseconds."""
        opened = [each.opened_ms for each in self._board.all.values() if each.session is None]
        return min(opened) + GREETING_MS if opened else None

    def give_up(self, now: Now) -> None:
        """Drop whoever has not greeted in time."""
        for entry in list(self._board.all.values()):
            if entry.session is None and now.mono_ms - entry.opened_ms >= GREETING_MS:
                self._board.drop(entry, LinkError("greeting_timeout"))

    def invite(self, code: bytes, now: Now, wish: Wish) -> None:
        """Let one device enrol with this code within a day.

        Raises:
            InputError: `too_many_invitations`; why we may not grant what is wished.
        """
        assert len(code) == CODE_BYTES
        admitting.may_grant(self._ledger, wish)
        if len(self.live_invitations(now)) >= INVITATIONS_MAX:
            raise InputError("too_many_invitations", allowed=(str(INVITATIONS_MAX),))
        self._invitations.append(Invitation(code, wish, now.mono_ms + INVITATION_MS))


def own_control(ledger: Ledger) -> list[FeedState]:
    """Return this device's control feeds, of all its epochs."""
    device = ledger.authority.device
    return [
        feed
        for feed in ledger.chain.feeds.values()
        if feed.genesis.device == device and feed.genesis.lane == Lane.CONTROL
    ]
