"""The node: one device among its peers. It decides; whoever drives it carries out the effects.

`live` drives it over real sockets, `sim` over virtual ones. Every call takes the instant and
returns effects; nothing here waits, reads a clock or draws randomness.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from protocols.errors import FieldmeshError, InputError, LinkError, PeerError
from protocols.feeds.lane import Lane
from protocols.ids import DeviceId, EntryHash, Epoch
from protocols.ledger import founding
from protocols.ledger.book import Ledger, Taken
from protocols.ledger.chain import FeedState
from protocols.ledger.recording import Answer, Recorder
from protocols.mesh.effects import (
    Changed,
    Effect,
    Hangup,
    Joined,
    Notice,
    Now,
    PeerKnown,
    Transmit,
    WakeAt,
)
from protocols.mesh.frames import (
    FRAME_BYTES_MAX,
    LINKS_MAX,
    MESSAGE_BYTES_MAX,
    Ack,
    Bye,
    Frame,
    Links,
    decode_frame,
    encode_frame,
)
from protocols.mesh.frames import Receipt as ReceiptFrame
from protocols.mesh.greeting import (
    EPHEMERAL_BYTES,
    MESH_VERSION,
    Greeting,
    Hello,
    Manner,
    decode_hello,
    encode_hello,
)
from protocols.mesh.runs import RecentRuns
from protocols.mesh.session import Session
from protocols.trust.certificates import verify_chain
from protocols.trust.enrolment import CODE_BYTES, CODE_TRIES_MAX, code_psk, open_grant, open_request
from protocols.trust.receipts import Receipt, ReceiptHead, sign_receipt
from protocols.trust.statements import pack

OFFER_MS = (50, 200)
"""An offer waits this long, at random, so that ten nodes do not all offer one entry."""
SUPPRESSED_OFFER_MS = (30 * 60_000, 32 * 60_000)
"""When the author is linked to the peer itself, our offer is only a safety net. At random, so that
of two who heard the same at one moment the first to offer tells the other that it need not."""
RECEIPT_MS = 5_000
"""A giver of receipts signs at most one in this time."""
RECEIPT_SOON_MS = 100
RECEIPT_HEADS_MAX = 880
"""Heads in one receipt frame; the newest go first when there are more."""
QUIET_MS = 300
"""A long delivery that pauses this long has ended."""
OVERDUE_MS = 3_000
"""During a long delivery, what came first is merged after this time all the same."""
INVITATIONS_MAX = 8
INVITATION_MS = 24 * 3600_000
GREETING_MS = 10_000
"""A handshake that takes longer is given up."""
SMALL_ENTRIES = 64
"""A delivery this small is merged before its call returns."""
FLUSH_MS = 60_000
"""What is known of peers is written down at least this often."""


@dataclass(slots=True)
class _Link:
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


@dataclass(slots=True)
class Invitation:
    """One code that a device may enrol with."""

    code: bytes
    hq: bool
    until_ms: int
    """Monotonic milliseconds."""
    tries: int = 0


@dataclass(slots=True)
class _Timers:
    receipt_at: int | None = None
    receipt_ms: int = -RECEIPT_MS
    last_data_ms: int = -OVERDUE_MS
    behind_since: int | None = None
    flush_at: int | None = None
    invitations: list[Invitation] = field(default_factory=list)


class Node:
    """One device: its ledger, its links and what passes over them."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._recorder = Recorder(ledger)
        self._runs = RecentRuns(ledger)
        self._links: dict[int, _Link] = {}
        self._timers = _Timers()
        self._effects: list[Effect] = []

    # Driving

    def start(self, now: Now) -> list[Effect]:
        """Begin: take up what the last run left undone."""
        for _, tip in self.ledger.chain.heads():
            self.ledger.chain.observe(tip.clock, now.wall_ms)
        self._build_bridge(now)
        return self._settle(now)

    def opened(
        self,
        link: int,
        now: Now,
        *,
        dialled: bool,
        peer: DeviceId | None = None,
        address: str = "",
        code: bytes | None = None,
    ) -> list[Effect]:
        """A carrier link is up.

        Args:
            peer: Whom we expect there, when we dialled somebody known.
            address: Where we dialled, or where it came from.
            code: Enrol with this one-time code instead of greeting as a member.
        """
        known = self.ledger.peers.all.get(peer) if peer and dialled else None
        agree = known.agree if known and known.agree and code is None else None
        psks = [code_psk(code)] if code else []
        if not dialled:
            psks = [code_psk(each.code) for each in self._live_invitations(now)]
        greeting = Greeting(
            self.ledger.authority.keys,
            now.entropy(EPHEMERAL_BYTES),
            peer_agree=agree,
            psks=psks,
            dialled=dialled,
        )
        entry = _Link(link, dialled, address, greeting, now.mono_ms, joining=code is not None)
        entry.expected = peer
        self._links[link] = entry
        if dialled:
            first = entry.greeting.manner is Manner.KNOWN_PEER
            payload = self._hello(now, peer) if first else b""
            self._transmit(entry, greeting.write(payload))
        return self._settle(now)

    def received(self, link: int, message: bytes, now: Now) -> list[Effect]:
        """One whole message came in over a link."""
        entry = self._links.get(link)
        if entry is None:
            return []
        try:
            if len(message) > MESSAGE_BYTES_MAX:
                raise PeerError("too_long", size=len(message))
            self._take_message(entry, message, now)
        except FieldmeshError as error:
            # Whoever is at fault, a full disk too, it ends this link and nothing else.
            self._drop(entry, error)
        return self._settle(now)

    def closed(self, link: int, now: Now) -> list[Effect]:
        """A link is gone."""
        entry = self._links.pop(link, None)
        if entry is not None:
            self._doubt_key(entry)
            if entry.session is not None:
                self._tell_links()
        return self._settle(now)

    def tick(self, now: Now) -> list[Effect]:
        """The instant that was asked for has come; does a bounded piece of work."""
        self._give_up_greetings(now)
        for session in self._sessions():
            if session.offer_at is not None and session.offer_at <= now.mono_ms:
                session.offer()
        self._catch_up(now)
        timers = self._timers
        if timers.receipt_at is not None and timers.receipt_at <= now.mono_ms:
            self._give_receipt(now)
        if timers.flush_at is not None and timers.flush_at <= now.mono_ms:
            timers.flush_at = None
            for session in self._sessions():
                session.remark()
            with self.ledger.store.atomic():
                self.ledger.peers.flush()
        return self._settle(now)

    def record(
        self, lines: Sequence[Mapping[str, object]], now: Now
    ) -> tuple[list[Answer], list[Effect]]:
        """Write down what a person or a device says, one answer a line, durable on return."""
        answers, feeds, tables = self._recorder.record(lines, now.wall_ms, now.entropy)
        self._grew(feeds, now)
        if tables:
            self._effects.append(Changed(frozenset(tables)))
        return answers, self._settle(now)

    def record_together(
        self, lines: Sequence[Mapping[str, object]], now: Now
    ) -> tuple[list[Answer], list[Effect]]:
        """As `record`, but all lines are written or none is; see `Recorder.together`."""
        answers, feeds, tables = self._recorder.together(lines, now.wall_ms, now.entropy)
        self._grew(feeds, now)
        if tables:
            self._effects.append(Changed(frozenset(tables)))
        return answers, self._settle(now)

    def invite(self, code: bytes, now: Now, *, hq: bool = False) -> None:
        """Let one device enrol with this code within a day.

        Raises:
            InputError: `too_many_invitations`; `may_not_admit` when we may not certify anybody.
        """
        assert len(code) == CODE_BYTES
        founding.must_admit(self.ledger)
        if len(self._live_invitations(now)) >= INVITATIONS_MAX:
            raise InputError("too_many_invitations", allowed=(str(INVITATIONS_MAX),))
        self._timers.invitations.append(Invitation(code, hq, now.mono_ms + INVITATION_MS))

    def stop(self) -> None:
        """Write down what is known of peers; the ledger stays open."""
        with self.ledger.store.atomic():
            self.ledger.peers.flush()

    @property
    def linked(self) -> list[DeviceId]:
        """Devices linked right now, sorted."""
        return sorted(session.peer for session in self._sessions())

    # Messages

    def _take_message(self, entry: _Link, message: bytes, now: Now) -> None:
        channel = entry.greeting.channel
        if channel is None:
            self._greet(entry, message, now)
            return
        plain = channel.decrypt(message)
        if entry.greeting.manner is Manner.ENROLMENT:
            self._enrol(entry, plain, now)
        elif entry.session is not None:
            self._take_frame(entry, entry.session, plain, now)

    def _greet(self, entry: _Link, message: bytes, now: Now) -> None:
        """Go on with the handshake; hellos ride in it where the pattern lets them."""
        greeting = entry.greeting
        payload = greeting.read(message)
        known = greeting.manner is Manner.KNOWN_PEER
        if greeting.manner is Manner.ENROLMENT:
            self._greet_enrolment(entry)
        elif known and not entry.dialled:
            peer = self._judge_peer(entry, decode_hello(payload))
            self._transmit(entry, greeting.write(self._hello(now, peer)))
            self._begin(entry, peer, decode_hello(payload), now)
        elif known:
            hello = decode_hello(payload)
            self._begin(entry, self._judge_peer(entry, hello), hello, now)
        elif entry.dialled:
            hello = decode_hello(payload)
            peer = self._judge_peer(entry, hello)
            self._transmit(entry, greeting.write(self._hello(now, peer, chain=True)))
            self._begin(entry, peer, hello, now)
        elif greeting.channel is None:
            self._transmit(entry, greeting.write(self._hello(now, None, chain=True)))
        else:
            hello = decode_hello(payload)
            peer = self._judge_peer(entry, hello)
            self._begin(entry, peer, hello, now)
            if entry.session is not None:
                self._say_what_we_hold(entry.session)

    def _greet_enrolment(self, entry: _Link) -> None:
        greeting = entry.greeting
        if greeting.channel is None:
            self._transmit(entry, greeting.write(b""))
        if greeting.channel is not None and entry.dialled:
            request = founding.request_to_join(self.ledger, greeting.channel.handshake_hash)
            self._transmit(entry, greeting.channel.encrypt(pack(request)))

    def _judge_peer(self, entry: _Link, hello: Hello) -> DeviceId:
        """Return whose link this is.

        Raises:
            PeerError: `other_operation`, `unknown_device` or why its certificate does not hold.
        """
        authority = self.ledger.authority
        if hello.operation != authority.operation:
            raise PeerError("other_operation")
        agree = entry.greeting.peer_agree
        claimed: DeviceId | None = None
        lower_ms = self.ledger.trusted_ms
        if hello.chain and authority.roster.charter is not None:
            certificate, _ = verify_chain(
                authority.roster.charter, authority.operation, hello.chain, lower_ms=lower_ms
            )
            if certificate.agree != agree:
                raise PeerError("unknown_device")
            claimed = DeviceId(certificate.subject)
            authority.roster.certify(hello.chain)
        peer = authority.roster.may_link(agree, claimed=claimed, lower_ms=lower_ms)
        if peer is None:
            raise PeerError("unknown_device")
        if peer == authority.device:
            raise PeerError("own_key")
        self.ledger.peers.doubt_book(peer, Epoch(hello.epoch), hello.arrival)
        return peer

    def _hello(self, now: Now, peer: DeviceId | None, *, chain: bool = False) -> bytes:
        authority = self.ledger.authority
        known = self.ledger.peers.all.get(peer) if peer else None
        return encode_hello(
            Hello(
                version=MESH_VERSION,
                operation=bytes(authority.operation),
                epoch=bytes(authority.epoch),
                arrival=self.ledger.chain.last_arrival,
                wall_ms=max(now.wall_ms, 0),
                hold_epoch=bytes(known.epoch) if known else b"",
                hold=known.we_hold if known else 0,
                chain=authority.roster.chain(authority.device) if chain else (),
            )
        )

    def _begin(self, entry: _Link, peer: DeviceId, hello: Hello, now: Now) -> None:
        """The handshake is done: open the session."""
        if not self._keep_one(entry, peer, hello.epoch):
            return
        ledger = self.ledger
        known = ledger.peers.meet(peer, Epoch(hello.epoch), now.wall_ms)
        ledger.peers.note_address(
            peer, entry.greeting.peer_agree, entry.address if entry.dialled else ""
        )
        they_hold: int | None = None
        if hello.hold_epoch:
            ours = hello.hold_epoch == ledger.authority.epoch
            # Who holds more than we ever numbered knew a book that we are an older copy of.
            they_hold = hello.hold if ours and hello.hold <= ledger.chain.last_arrival else 0
        entry.peer = peer
        entry.session = session = Session(ledger, self._runs, peer, known.epoch, they_hold)
        if they_hold is not None:
            session.begin()
        own = ledger.authority.device, ledger.authority.epoch
        for (giver, epoch), (_, raw) in ledger.peers.receipts.items():
            if giver != peer and (giver != own[0] or epoch == own[1]):
                session.out.append(ReceiptFrame(raw))
        if entry.dialled:
            self._effects.append(PeerKnown(peer, entry.address))
        self._effects.append(Notice("linked", {"peer": str(peer)}))
        self._tell_links()

    def _say_what_we_hold(self, session: Session) -> None:
        """In a first contact the responder learns too late who it is to say so in its hello."""
        session.say_hold(self.ledger.peers.all[session.peer].we_hold)

    def _keep_one(self, entry: _Link, peer: DeviceId, epoch: bytes) -> bool:
        """Of two links between the same two devices keep what the lower id dialled.

        Two epochs of one device are two disks, a card and its copy: both have something to say.
        """
        lower = min(peer, self.ledger.authority.device)
        for other in list(self._links.values()):
            if other is entry or other.session is None or other.peer != peer:
                continue
            if other.session.epoch != epoch:
                continue
            ours_lower = lower == self.ledger.authority.device
            if other.dialled != entry.dialled and other.dialled == ours_lower:
                self._drop(entry, PeerError("duplicate"))
                return False
            self._drop(other, PeerError("duplicate"))
        return True

    def _take_frame(self, entry: _Link, session: Session, plain: bytes, now: Now) -> None:
        frame = decode_frame(plain)
        if isinstance(frame, Bye):
            raise PeerError("peer_said_bye", reason=frame.code)
        if isinstance(frame, ReceiptFrame):
            self._take_receipt(session, frame)
            return
        session.wall_ms = now.wall_ms
        taken = session.take(frame, len(plain), now.mono_ms)
        if session.own_ahead:
            session.own_ahead = False
            self._begin_new_epoch(now)
        if isinstance(frame, Ack) and session.settled:
            self._effects.append(Changed(frozenset(("peer",))))
        if taken is not None:
            self._took(session, taken, now)

    def _took(self, session: Session, taken: Taken, now: Now) -> None:
        self._timers.last_data_ms = now.mono_ms
        if taken.tables:
            self._effects.append(Changed(taken.tables))
        if not taken.entries:
            return
        if any(feed.genesis.lane == Lane.CONTROL for feed in taken.feeds):
            self._build_bridge(now)
        self._pass_on(session, taken.feeds, now)
        if taken.entries <= SMALL_ENTRIES or taken.urgent:
            self._merge_now(session)
        if self.ledger.authority.is_hq(self.ledger.authority.device):
            soon = max(now.mono_ms + RECEIPT_SOON_MS, self._timers.receipt_ms + RECEIPT_MS)
            self._timers.receipt_at = self._timers.receipt_at or soon

    def _pass_on(self, source: Session, feeds: Iterable[FeedState], now: Now) -> None:
        late = now.mono_ms + _between(SUPPRESSED_OFFER_MS, now)
        for session in self._sessions():
            if session is source:
                continue
            for feed in feeds:
                author = feed.genesis.device
                if author == session.peer and feed.genesis.epoch == session.epoch:
                    continue
                if author in session.links:
                    session.heard(feed, late)
                elif feed.genesis.lane <= Lane.URGENT:
                    session.grew(feed)
                else:
                    session.heard(feed, now.mono_ms + _between(OFFER_MS, now))

    def _merge_now(self, session: Session) -> None:
        tables: set[str] = set()
        urgent_only = session.streaming or self.ledger.behind > 4 * SMALL_ENTRIES
        while self.ledger.behind_in(urgent_only=urgent_only):
            tables |= self.ledger.catch_up(urgent_only=urgent_only)
        if tables:
            self._effects.append(Changed(frozenset(tables)))

    def _catch_up(self, now: Now) -> None:
        timers, ledger = self._timers, self.ledger
        if not ledger.behind:
            timers.behind_since = None
            return
        timers.behind_since = timers.behind_since or now.mono_ms
        streaming = any(session.streaming for session in self._sessions())
        quiet = now.mono_ms - timers.last_data_ms >= QUIET_MS
        overdue = now.mono_ms - timers.behind_since >= OVERDUE_MS
        if ledger.full and ledger.only_merging_left:
            tables = ledger.make_room()
        else:
            tables = ledger.catch_up(merge=not streaming or quiet or overdue)
        if tables:
            self._effects.append(Changed(frozenset(tables)))

    # Enrolment

    def _enrol(self, entry: _Link, plain: bytes, now: Now) -> None:
        channel = entry.greeting.channel
        assert channel is not None
        if entry.dialled:
            device, lower_ms = self.ledger.authority.device, self.ledger.trusted_ms
            grant, *_ = open_grant(plain, device, lower_ms=lower_ms)
            founding.join(self.ledger, grant, now.entropy(8), now.wall_ms)
            for other in [each for each in self._links.values() if each is not entry]:
                self._drop(other, LinkError("joined"))
            self._effects += [Joined(entry.no), Hangup(entry.no, "joined")]
            return
        request = open_request(plain, channel.handshake_hash, static=channel.remote_static)
        invitation = self._spend(entry, now)
        given = founding.admit(self.ledger, request, now.entropy, now.wall_ms, hq=invitation.hq)
        self._transmit(entry, channel.encrypt(pack(given)))
        self._effects.append(Notice("admitted", {"device": str(DeviceId(request.device))}))
        self._grew(self._own_control(), now)

    def _own_control(self) -> list[FeedState]:
        authority = self.ledger.authority
        return [
            feed
            for feed in self.ledger.chain.feeds.values()
            if feed.genesis.device == authority.device and feed.genesis.lane == Lane.CONTROL
        ]

    def _spend(self, entry: _Link, now: Now) -> Invitation:
        for invitation in self._live_invitations(now):
            if code_psk(invitation.code) == entry.greeting.psk:
                self._timers.invitations.remove(invitation)
                return invitation
        raise PeerError("no_invitation")

    def _live_invitations(self, now: Now) -> list[Invitation]:
        timers = self._timers
        timers.invitations = [
            each
            for each in timers.invitations
            if each.until_ms > now.mono_ms and each.tries < CODE_TRIES_MAX
        ]
        return timers.invitations

    def _build_bridge(self, now: Now) -> None:
        if founding.build_bridge(self.ledger, now.wall_ms):
            self._grew(self._own_control(), now)

    def _begin_new_epoch(self, now: Now) -> None:
        """A peer knows more of our feed than we do: this is an older copy of ourselves."""
        founding.new_epoch(self.ledger.store, now.entropy(8))
        self.stop()
        self.ledger.reload()
        self._recorder = Recorder(self.ledger)
        self._effects.append(Notice("new_epoch", {"reason": "peer_knows_more"}))

    # Receipts

    def _take_receipt(self, session: Session, frame: ReceiptFrame) -> None:
        receipt = self.ledger.peers.take_receipt(frame.statement)
        if receipt is None:
            return
        self._effects.append(Changed(frozenset(("receipt",))))
        for other in self._sessions():
            told = other is session or other.peer == receipt.giver
            if not told and receipt.giver not in other.links:
                other.out.append(frame)

    def _give_receipt(self, now: Now) -> None:
        timers, ledger = self._timers, self.ledger
        timers.receipt_at, timers.receipt_ms = None, now.mono_ms
        heads = sorted(ledger.chain.heads(), key=lambda head: -head[1].arrival)
        listed = sorted(
            ReceiptHead(feed.feed_id, tip.seq, EntryHash(tip.hash))
            for feed, tip in heads[:RECEIPT_HEADS_MAX]
        )
        device, epoch = ledger.authority.device, ledger.authority.epoch
        kept = ledger.peers.receipts.get((device, epoch))
        number = kept[0].number + 1 if kept else 1
        receipt = Receipt(device, epoch, number, max(now.wall_ms, 0), tuple(listed))
        raw = sign_receipt(receipt, ledger.authority.keys)
        ledger.peers.keep_receipt(receipt, raw)
        for session in self._sessions():
            session.out.append(ReceiptFrame(raw))

    # Sending

    def _grew(self, feeds: Iterable[FeedState], now: Now) -> None:
        feeds = list(feeds)
        for session in self._sessions():
            for feed in feeds:
                session.grew(feed)

    def _tell_links(self) -> None:
        """Say who is linked now, to every peer and to whoever shows it here."""
        self._effects.append(Changed(frozenset(("peer",))))
        linked = self.linked
        for session in self._sessions():
            others = tuple(device for device in linked if device != session.peer)
            session.out.append(Links(others[:LINKS_MAX]))

    def _sessions(self) -> list[Session]:
        return [entry.session for entry in self._links.values() if entry.session is not None]

    def _transmit(self, entry: _Link, message: bytes) -> None:
        self._effects.append(Transmit(entry.no, message))

    def _send(self, entry: _Link, frame: Frame) -> None:
        channel = entry.greeting.channel
        assert channel is not None
        plain = encode_frame(frame)
        assert len(plain) <= FRAME_BYTES_MAX
        self._transmit(entry, channel.encrypt(plain))

    def _drop(self, entry: _Link, error: FieldmeshError) -> None:
        """End a link, saying why when there is a channel to say it in."""
        self._links.pop(entry.no, None)
        greeted = entry.session is not None or entry.greeting.manner is not Manner.ENROLMENT
        if entry.greeting.channel is not None and greeted and error.code != "peer_said_bye":
            self._send(entry, Bye(error.code))
        if error.code == "noise_failed":
            self._count_try(entry)
        self._doubt_key(entry)
        # Whoever keeps a link up by dialling must know that there is one already.
        doubled = error.code == "peer_said_bye" and error.values.get("reason") == "duplicate"
        self._effects.append(Hangup(entry.no, "duplicate" if doubled else error.code))
        values = {"peer": str(entry.peer)} if entry.peer else {}
        self._effects.append(Notice("dropped", {"code": error.code, **values}))
        if entry.session is not None:
            self._tell_links()

    def _count_try(self, entry: _Link) -> None:
        """A wrong code shows in the last message; a link that broke before tried none."""
        greeting = entry.greeting
        enrols = greeting.manner is Manner.ENROLMENT and not entry.dialled
        if enrols and greeting.answered and greeting.channel is None:
            for invitation in self._timers.invitations:
                invitation.tries += 1

    def _doubt_key(self, entry: _Link) -> None:
        """A short handshake that came to nothing: greet as strangers next time."""
        if entry.dialled and entry.session is None and entry.expected is not None:
            known = self.ledger.peers.all.get(entry.expected)
            if known is not None and entry.greeting.manner is Manner.KNOWN_PEER:
                known.agree = b""

    def _give_up_greetings(self, now: Now) -> None:
        for entry in list(self._links.values()):
            if entry.session is None and now.mono_ms - entry.opened_ms >= GREETING_MS:
                self._drop(entry, LinkError("greeting_timeout"))

    def _settle(self, now: Now) -> list[Effect]:
        """Move frames out, set the next alarm, hand over the effects."""
        for entry in list(self._links.values()):
            session = entry.session
            if session is None or session.quiet:
                continue
            session.pump(now.mono_ms)
            for frame in session.out:
                self._send(entry, frame)
            session.out.clear()
        wake = self._next_alarm(now)
        if wake is not None:
            self._effects.append(WakeAt(wake))
        effects, self._effects = self._effects, []
        return effects

    def _next_alarm(self, now: Now) -> int | None:
        timers = self._timers
        if self.ledger.peers.dirty and timers.flush_at is None:
            timers.flush_at = now.mono_ms + FLUSH_MS
        alarms = [session.offer_at for session in self._sessions()]
        alarms += [timers.receipt_at, timers.flush_at]
        alarms += [
            entry.opened_ms + GREETING_MS for entry in self._links.values() if entry.session is None
        ]
        if self.ledger.behind:
            alarms.append(self._when_to_catch_up(now))
        return min((alarm for alarm in alarms if alarm is not None), default=None)

    def _when_to_catch_up(self, now: Now) -> int:
        ledger = self.ledger
        pausing = ledger.only_merging_left and not ledger.full
        waiting = pausing and any(s.streaming for s in self._sessions())
        return self._timers.last_data_ms + QUIET_MS if waiting else now.mono_ms


def _between(limits_ms: tuple[int, int], now: Now) -> int:
    """Return a moment between these, even and at random."""
    low, high = limits_ms
    return low + int.from_bytes(now.entropy(4)) % (high - low)
