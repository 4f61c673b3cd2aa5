"""The node: one device among its peers. It decides; whoever drives it carries out the effects.

`live` drives it over real sockets, `sim` over virtual ones. Every call takes the instant and
returns effects; nothing here waits, reads a clock or draws randomness.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from protocols.errors import FieldmeshError, LedgerError, PeerError
from protocols.feeds.lane import Lane
from protocols.ids import DeviceId, EntryHash
from protocols.ledger import admitting, advancing, audit, founding, remembered, sealing
from protocols.ledger.admitting import Newcomer
from protocols.ledger.audit import Event
from protocols.ledger.book import Ledger, Taken
from protocols.ledger.chain import FeedState
from protocols.ledger.recording import UNKNOWN, Answer, Recorder, Seat
from protocols.ledger.sealing import SealOrder
from protocols.mesh.auditing import Auditing
from protocols.mesh.confirming import Confirming
from protocols.mesh.door import Door, own_control
from protocols.mesh.effects import Changed, Effect, Notice, Now, WakeAt
from protocols.mesh.frames import MESSAGE_BYTES_MAX, Ack, Bye, Lacks, decode_frame
from protocols.mesh.frames import Receipt as ReceiptFrame
from protocols.mesh.greeting import Manner
from protocols.mesh.handing import Handing
from protocols.mesh.keeping import Keeping
from protocols.mesh.links import Link, Switchboard
from protocols.mesh.passing import Passing
from protocols.mesh.receipts import Receipts
from protocols.mesh.refusals import Refusals
from protocols.mesh.session import Session
from protocols.records.catalogue import ROW_TABLES
from protocols.trust.enrolment import (
    grant_file,
    open_grant_file,
    open_request_file,
    request_file,
)
from protocols.trust.granting import Wish
from protocols.trust.identity import NONCE_BYTES

QUIET_MS = 300
"""A long delivery that pauses this long has ended."""
OVERDUE_MS = 3_000
"""During a long delivery, what came first is merged after this time all the same."""
SMALL_ENTRIES = 64
"""A delivery this small is merged before its call returns."""


@dataclass(slots=True)
class _Timers:
    last_data_ms: int = -OVERDUE_MS
    behind_since: int | None = None


class Node:
    """One device: its ledger, its links and what passes over them."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._recorder = Recorder(ledger)
        self._board = Switchboard(ledger)
        self._links = self._board.all
        self._receipts = Receipts(ledger, self._board)
        self._door = Door(ledger, self._board, self._receipts)
        self._auditing = Auditing(ledger, self._board)
        self._confirming = Confirming(ledger, self._board)
        self._handing = Handing(ledger, self._board)
        self._keeping = Keeping(ledger, self._board)
        self._passing = Passing(ledger, self._board, self._keeping)
        self._timers = _Timers()
        self._closed = ledger.authority.keyring.closed
        self._met = False
        self.refusals = Refusals()
        """What links were refused for."""

    # Driving

    def start(self, now: Now) -> list[Effect]:
        """Begin: take up what the last run left undone."""
        for _, tip in self.ledger.chain.heads():
            self.ledger.chain.observe(tip.clock, now.wall_ms)
        while self.ledger.eraser.due:
            # Nothing is shown or sent before: this may be an older copy, opened again.
            self.ledger.catch_up()
        self._build_bridge(now)
        self._receipts.start(now)
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
        self._door.open(link, now, dialled=dialled, peer=peer, address=address, code=code)
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
            if error.code == "noise_failed":
                self._door.count_try(entry)
            self.refusals.note(error, entry.peer, entry.address, now.wall_ms)
            self._board.drop(entry, error)
        return self._settle(now)

    def may_glimpse(self, link: int) -> bool:
        """Whether messages of a link may be looked at before their turn."""
        entry = self._links.get(link)
        return entry is not None and entry.session is not None

    def glimpse(self, link: int, messages: Sequence[bytes], now: Now) -> list[Effect]:
        """Take what is urgent in messages that wait behind others of their link.

        They are the next ones that will come by `received`, in this order, and come all the
        same: what is found here is known by then.
        """
        entry = self._links[link]
        assert entry.session is not None
        entry.session.wall_ms = now.wall_ms
        try:
            assert entry.greeting.channel is not None
            for message in messages:
                plain = entry.greeting.channel.decrypt(message)
                entry.opened.append(plain)
                taken = entry.session.take_urgent(decode_frame(plain))
                if taken is not None:
                    self._took(entry.session, taken, now)
        except FieldmeshError as error:
            self.refusals.note(error, entry.peer, entry.address, now.wall_ms)
            self._board.drop(entry, error)
        return self._settle(now)

    def closed(self, link: int, now: Now) -> list[Effect]:
        """A link is gone."""
        entry = self._board.forget(link)
        if entry is not None:
            self._board.doubt_key(entry)
            if entry.session is not None:
                self._board.tell()
        return self._settle(now)

    def tick(self, now: Now) -> list[Effect]:
        """The instant that was asked for has come; does a bounded piece of work."""
        self._door.give_up(now)
        self._passing.tick(now)
        self._catch_up(now)
        self._receipts.tick(now)
        self._confirming.tick(now)
        self._handing.tick(now)
        self._auditing.tick(now)
        self._keeping.tick(now)
        return self._settle(now)

    def record(
        self,
        lines: Sequence[Mapping[str, object]],
        now: Now,
        seat: Seat = UNKNOWN,
        *,
        rows_later: bool = False,
    ) -> tuple[list[Answer], list[Effect]]:
        """Write down what a person or a device says, one answer a line, durable on return.

        Args:
            seat: Who writes.
            rows_later: What the lines set off, peers told of them too, and the rows of a single
                line are left for `catch_up_left`: whoever drives this node calls it next, before
                anything else, and can let the answer leave first. No effects are returned here.
        """
        answers, feeds, tables = self._recorder.record(
            lines, now.wall_ms, now.entropy, seat, rows_later=rows_later
        )
        self._grew(feeds, tables)
        return answers, [] if rows_later else self._settle(now)

    def catch_up_left(self, now: Now) -> list[Effect]:
        """Make the rows that `record` left for later; return what the record sets off, too.

        Rows that cannot be made are told by a notice, and tried again like those of others.
        """
        try:
            self._grew((), self.ledger.catch_up_left())
            self._grew(*self._recorder.restate(now.entropy))
        except LedgerError as error:
            # The entry is saved: others have to hear of it though the disk is full by now.
            self._board.effects.append(Notice(error.code, {}))
        return self._settle(now)

    def catch_up_last(self, now: Now) -> list[Effect]:
        """Make the rows that a crash took of the last record here; called next after `start`.

        Somebody was told that it is saved, and looks for it first. On a full disk it waits.
        """
        try:
            self._grew((), self.ledger.catch_up_last())
        except LedgerError as error:
            self._board.effects.append(Notice(error.code, {}))
        return self._settle(now)

    def _grew(self, feeds: Sequence[FeedState], tables: Collection[str]) -> None:
        self._board.grew(feeds)
        if tables:
            self._board.effects.append(Changed(frozenset(tables)))

    def record_together(
        self, lines: Sequence[Mapping[str, object]], now: Now, seat: Seat = UNKNOWN
    ) -> tuple[list[Answer], list[Effect]]:
        """As `record`, but all lines are written or none is; see `Recorder.together`."""
        answers, feeds, tables = self._recorder.together(lines, now.wall_ms, now.entropy, seat)
        self._grew(feeds, tables)
        return answers, self._settle(now)

    def seal(
        self, subject: DeviceId, order: SealOrder, now: Now, *, said: Sequence[Event] = ()
    ) -> list[Effect]:
        """Seal a device or person, durable on return; live sessions with it end at once.

        Args:
            said: What stands right behind it in the audit trail: who it was.

        Raises:
            InputError: As `sealing.seal`.
        """
        with self.ledger.atomic():
            sealing.seal(self.ledger, subject, order, now.entropy(NONCE_BYTES), now.wall_ms)
            audit.write(self.ledger, said, now.wall_ms, now.entropy)
        self._board.grew(own_control(self.ledger))
        self._board.cut_sealed()
        self._handing.rotate(now)
        return self._settle(now)

    def wrote_control(self, now: Now) -> list[Effect]:
        """Tell peers of what was just written into our control feed past this node."""
        self._board.grew(own_control(self.ledger))
        return self._settle(now)

    def extend_seal(
        self, seal: EntryHash, upto_ms: int | None, now: Now, *, said: Sequence[Event] = ()
    ) -> list[Effect]:
        """Let through what a seal keeps back, all that is here or up to an instant.

        Args:
            said: As in `seal`.

        Raises:
            InputError: As `sealing.extend`.
        """
        with self.ledger.atomic():
            sealing.extend(self.ledger, seal, now.wall_ms, upto_ms=upto_ms)
            audit.write(self.ledger, said, now.wall_ms, now.entropy)
        self._board.grew(own_control(self.ledger))
        return self._settle(now)

    def audit(self, events: Sequence[Event], now: Now) -> list[Effect]:
        """Write into the audit trail what is about to happen; durable on return.

        Raises:
            LedgerError: It could not be written, so it must not happen.
        """
        self._auditing.write(events, now)
        return self._settle(now)

    def note(self, event: Event, now: Now) -> list[Effect]:
        """Write into the audit trail what has happened, soon."""
        self._auditing.note(event, now)
        return self._settle(now)

    def invite(self, code: bytes, now: Now, wish: Wish = Wish()) -> None:  # noqa: B008 - frozen
        """Let one device enrol with this code within a day.

        Raises:
            InputError: `too_many_invitations`; why we may not grant what is wished.
        """
        self._door.invite(code, now, wish)

    def ask(self, now: Now) -> bytes:
        """Return the file by which this device asks to be admitted, carried by hand."""
        return request_file(admitting.request_to_join(self.ledger, b"", now.entropy))

    def admit(
        self, asked: bytes, wish: Wish, now: Now, *, name: str = ""
    ) -> tuple[bytes, list[Effect]]:
        """Admit the device that a request file asks for; return the grant's file.

        Raises:
            InputError: as `open_request_file` and `admitting.admit`.
        """
        grant = self._door.admit(open_request_file(asked), wish, now, name=name, carried=True)
        return grant_file(grant), self._settle(now)

    def admit_all(
        self, newcomers: Sequence[Newcomer], now: Now
    ) -> tuple[list[bytes], list[Effect]]:
        """Admit several devices, all or none; return the files of their grants.

        Raises:
            InputError: as `admitting.admit_all`.
        """
        grants = self._door.admit_all(newcomers, now, carried=True)
        return [grant_file(each) for each in grants], self._settle(now)

    def join(self, granted: bytes, now: Now) -> list[Effect]:
        """Take up membership by a grant file.

        Raises:
            InputError: as `open_grant_file` and `admitting.join`.
        """
        device, lower_ms = self.ledger.authority.device, self.ledger.trusted_ms
        self._door.join(open_grant_file(granted, device, lower_ms=lower_ms), now)
        return self._settle(now)

    def stop(self) -> None:
        """Write down what the trail lacks and what is known of peers; the ledger stays open."""
        self._auditing.stop()
        self._keeping.flush()

    @property
    def linked(self) -> list[DeviceId]:
        """Devices linked right now, sorted."""
        return self._board.linked

    # Messages

    def _take_message(self, entry: Link, message: bytes, now: Now) -> None:
        channel = entry.greeting.channel
        if channel is None:
            self._door.greet(entry, message, now)
            return
        plain = entry.opened.popleft() if entry.opened else channel.decrypt(message)
        if entry.greeting.manner is Manner.ENROLMENT:
            self._door.enrol(entry, plain, now)
        elif entry.session is not None:
            self._take_frame(entry, entry.session, plain, now)

    def _take_frame(self, entry: Link, session: Session, plain: bytes, now: Now) -> None:
        frame = decode_frame(plain)
        if isinstance(frame, Bye):
            raise PeerError("peer_said_bye", reason=frame.code)
        if isinstance(frame, ReceiptFrame):
            self._receipts.take(session.peer, frame)
            return
        session.wall_ms = now.wall_ms
        taken = session.take(frame, len(plain), now.mono_ms)
        if session.parted:
            lost = {each for each in session.parted if self._passing.is_next_to(session, each)}
            self._receipts.carry_on(session, lost)
            self._passing.parted(session, now)
        if session.own_ahead:
            session.own_ahead = False
            self._begin_new_epoch(now)
        if isinstance(frame, Ack):
            if session.settled:
                self._board.effects.append(Changed(frozenset(("peer",))))
        elif isinstance(frame, Lacks):
            self._board.lacks_said += 1
        if taken is not None:
            self._took(session, taken, now)
        if session.came_whole:
            session.came_whole = False
            self.ledger.peers.note_whole(session.peer, now.wall_ms)
            self._settle_advanced(session)

    def _settle_advanced(self, session: Session) -> None:
        """A peer's control is here whole: let go what it sent ahead that is nowhere in it."""
        if not self._met:
            remembered.note_met(self.ledger)
            self._met = True
        waiting = {each.peer for each in self._board.sessions() if not each.whole}
        if advancing.settle(self.ledger, session.peer, waiting):
            self._load_anew()

    def _load_anew(self) -> None:
        self.ledger.reload()
        self._recorder = Recorder(self.ledger)

    def _took(self, session: Session, taken: Taken, now: Now) -> None:
        self._timers.last_data_ms = now.mono_ms
        if taken.tables:
            self._board.effects.append(Changed(taken.tables))
        if not taken.entries:
            return
        try:
            if any(feed.genesis.lane == Lane.CONTROL for feed in taken.feeds):
                self._build_bridge(now)
                self._board.cut_sealed()
                if self.ledger.reopens:
                    self._load_anew()
        finally:
            # They are on the disk: if it is full now, the others still have to hear of them.
            self._passing.pass_on(session, taken.feeds, now)
            self._receipts.took(now, session.peer)
        if taken.entries <= SMALL_ENTRIES or taken.urgent:
            self._merge_now(session)
        self._receipts.look_again()

    def _tell_if_closed(self) -> None:
        """Say that every row is another when the book was closed for a seal, or opened again."""
        closed = self.ledger.authority.keyring.closed
        if closed != self._closed:
            self._closed = closed
            tables = frozenset(table.TABLE for table in ROW_TABLES)
            self._board.effects.append(Changed(tables))

    # Merging

    def _merge_now(self, session: Session) -> None:
        tables: set[str] = set()
        urgent_only = session.streaming or self.ledger.behind > 4 * SMALL_ENTRIES
        while self.ledger.behind_in(urgent_only=urgent_only):
            tables |= self.ledger.catch_up(urgent_only=urgent_only)
        if tables:
            self._board.effects.append(Changed(frozenset(tables)))

    def _catch_up(self, now: Now) -> None:
        timers, ledger = self._timers, self.ledger
        if not ledger.behind:
            timers.behind_since = None
            return
        timers.behind_since = timers.behind_since or now.mono_ms
        streaming = any(session.streaming for session in self._board.sessions())
        quiet = now.mono_ms - timers.last_data_ms >= QUIET_MS
        overdue = now.mono_ms - timers.behind_since >= OVERDUE_MS
        if ledger.full and ledger.only_merging_left:
            tables = ledger.make_room()
        else:
            tables = ledger.catch_up(merge=not streaming or quiet or overdue)
        if tables:
            self._board.effects.append(Changed(frozenset(tables)))

    def _build_bridge(self, now: Now) -> None:
        if admitting.build_bridge(self.ledger, now.wall_ms):
            self._board.grew(own_control(self.ledger))

    def _begin_new_epoch(self, now: Now) -> None:
        """A peer knows more of our feed than we do: this is an older copy of ourselves."""
        founding.new_epoch(self.ledger.store, now.entropy(8))
        self._keeping.flush()
        self._auditing.forget_sessions()
        self._load_anew()
        self._board.effects.append(Notice("new_epoch", {"reason": "peer_knows_more"}))

    # Settling

    def _settle(self, now: Now) -> list[Effect]:
        """Move frames out, set the next alarm, hand over the effects."""
        self._tell_if_closed()
        self._handing.look(now)
        self._board.pump(now.mono_ms)
        wake = self._next_alarm(now)
        if wake is not None:
            self._board.effects.append(WakeAt(wake, self.ledger.full))
        return self._board.take_effects()

    def _next_alarm(self, now: Now) -> int | None:
        # Asked after every message: what nobody set costs next to nothing.
        set_ = [
            self._passing.at_ms,
            self._receipts.at_ms,
            self._auditing.at_ms,
            self._handing.at_ms,
            self._confirming.alarm(now),
            *self._keeping.alarms(now),
        ]
        if len(self._board.sessions()) < len(self._links):
            set_.append(self._door.alarm())
        if self.ledger.behind:
            set_.append(self._when_to_catch_up(now))
        return min([at for at in set_ if at is not None], default=None)

    def _when_to_catch_up(self, now: Now) -> int:
        ledger = self.ledger
        pausing = ledger.only_merging_left and not ledger.full
        waiting = pausing and any(s.streaming for s in self._board.sessions())
        return self._timers.last_data_ms + QUIET_MS if waiting else now.mono_ms
