"""Real nodes on ledgers in memory, wired by hand: what a test cuts, drops or forges is its own.

Time is virtual and in milliseconds; a message takes `one_way_ms`. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any

from protocols.ids import DeviceId
from protocols.ledger import admitting
from protocols.ledger.book import Ledger
from protocols.ledger.founding import found_book
from protocols.ledger.recording import Answer
from protocols.ledger.store import Store, open_memory
from protocols.mesh.effects import Effect, Hangup, Notice, Now, PeerKnown, Transmit, WakeAt
from protocols.mesh.node import Node
from protocols.trust.granting import Wish

WALL_MS = 1_790_000_000_000
"""September 2026."""
Line = dict[str, Any]


def copied(store: Store) -> Store:
    """Another store with the same pages: a backup, or a cloned card."""
    other = open_memory()
    store.copy_to(other.connection)
    return other


class Device:
    """One node with its book."""

    def __init__(self, name: str, store: Store, seed: int) -> None:
        self.name = name
        self.store = store
        self.chance = Random(f"{seed}-{name}")
        self.ledger = Ledger(store)
        self.node = Node(self.ledger)
        self.links: dict[int, tuple[Device, int]] = {}
        self.notices: list[Notice] = []
        self.hangups: dict[int, str] = {}
        self.known: dict[str, DeviceId] = {}
        self.next_link = 1
        self.wake_ms: int | None = None
        self.sent: list[bytes] = []

    @classmethod
    def found(cls, name: str, *, seed: int = 0, hq: bool = False) -> Device:
        chance, store = Random(f"found-{seed}-{name}"), open_memory()
        found_book(
            store,
            name=name,
            org="Test",
            jurisdiction="XX",
            hq=hq,
            entropy=chance.randbytes,
            wall_ms=WALL_MS,
        )
        return cls(name, store, seed)

    def restarted(self) -> None:
        """Forget everything in memory and open the same store again."""
        self.ledger = Ledger(self.store)
        self.node = Node(self.ledger)
        self.links.clear()

    def copy(self, name: str) -> Device:
        return Device(name, copied(self.store), 1)

    @property
    def id(self) -> DeviceId:
        return self.ledger.authority.device

    @property
    def care(self) -> Any:
        self.ledger.catch_up_all()
        return self.ledger.digest(self.ledger.authority.care_scope)

    @property
    def entries(self) -> set[bytes]:
        return {row[0] for row in self.store.all("SELECT hash FROM entry")}

    def unopened(self) -> list[tuple[Any, ...]]:
        self.ledger.catch_up_all()
        return sorted(
            self.store.all(
                "SELECT e.hash, u.void, u.reason FROM unopened u"
                " JOIN entry e ON e.arrival = u.entry"
            )
        )


def admit(admitter: Device, joiner: Device, *, hq: bool = False) -> None:
    """Make `joiner` a member of `admitter`'s operation, past the network."""
    binding = b"b" * 32
    request = admitting.request_to_join(joiner.ledger, binding, joiner.chance.randbytes)
    wish = Wish("hq" if hq else "device")
    grant = admitting.admit(admitter.ledger, request, admitter.chance.randbytes, WALL_MS, wish=wish)
    admitting.join(joiner.ledger, grant, WALL_MS)
    joiner.ledger.reload()
    joiner.node = Node(joiner.ledger)


def camp(names: Sequence[str] = ("ann", "ben"), *, seed: int = 0, hq: bool = False) -> list[Device]:
    """Devices of one operation, the first its founder; nothing is synced yet."""
    devices = [Device.found(name, seed=seed, hq=hq and not at) for at, name in enumerate(names)]
    for device in devices[1:]:
        admit(devices[0], device)
    return devices


@dataclass
class Stage:
    """The wire between devices."""

    one_way_ms: int = 1
    at_ms: int = 0
    carried_bytes: int = 0
    messages: int = 0
    bytes_a_ms: float = 1e9
    """What a line carries in each direction."""
    spoil: Callable[[Device, Device, bytes], Iterable[bytes]] | None = None
    """What happens to a message on its way: none, one or several come out."""
    _busy: dict[tuple[str, str], float] = field(default_factory=dict)
    _events: list[tuple[int, int, Callable[[], None]]] = field(default_factory=list)
    _order: Any = field(default_factory=count)

    def now(self, device: Device) -> Now:
        return Now(WALL_MS + self.at_ms, self.at_ms, device.chance.randbytes)

    def link(self, here: Device, there: Device, *, code: bytes | None = None, **expect: Any) -> int:
        """`here` dials `there`; return `here`'s link number."""
        ours, theirs = here.next_link, there.next_link
        here.next_link, there.next_link = ours + 1, theirs + 1
        here.links[ours], there.links[theirs] = (there, theirs), (here, ours)
        now = self.now(there)
        self.carry(there, there.node.opened(theirs, now, dialled=False, address="caller"))
        expect.setdefault("peer", here.known.get(there.name))
        dialled = here.node.opened(
            ours, self.now(here), dialled=True, address=there.name, code=code, **expect
        )
        self.carry(here, dialled)
        return ours

    def carry(self, device: Device, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case Transmit(link, message):
                    self._send(device, link, message)
                case Hangup(link, code):
                    device.hangups[link] = code
                    self._after_messages(device, link)
                case WakeAt(mono_ms):
                    self._wake_at(device, mono_ms)
                case Notice():
                    device.notices.append(effect)
                case PeerKnown(peer, address):
                    device.known[address] = peer

    def _send(self, device: Device, link: int, message: bytes) -> None:
        if link not in device.links:
            return
        there, theirs = device.links[link]
        self.carried_bytes += len(message)
        self.messages += 1
        device.sent.append(message)
        line = (device.name, there.name)
        free_ms = max(self._busy.get(line, 0.0), self.at_ms) + len(message) / self.bytes_a_ms
        self._busy[line] = free_ms
        wait_ms = round(free_ms) - self.at_ms + self.one_way_ms
        for each in self.spoil(device, there, message) if self.spoil else (message,):
            self._at(wait_ms, self._arrival(there, theirs, each))

    def _arrival(self, device: Device, link: int, message: bytes) -> Callable[[], None]:
        return lambda: self._arrive(device, link, message)

    def _arrive(self, device: Device, link: int, message: bytes) -> None:
        if link in device.links:
            self.carry(device, device.node.received(link, message, self.now(device)))

    def _after_messages(self, device: Device, link: int) -> None:
        held = device.links.pop(link, None)
        if held is not None:
            there, theirs = held
            self._at(self.one_way_ms, lambda: self._closed(there, theirs))

    def _closed(self, device: Device, link: int) -> None:
        if device.links.pop(link, None) is not None:
            self.carry(device, device.node.closed(link, self.now(device)))

    def cut(self, here: Device, there: Device) -> None:
        """Cut every link between two devices now; what was under way is lost."""
        for one, other in ((here, there), (there, here)):
            for link, (far, _) in list(one.links.items()):
                if far is other:
                    del one.links[link]
                    self.carry(one, one.node.closed(link, self.now(one)))

    def _wake_at(self, device: Device, mono_ms: int) -> None:
        device.wake_ms = due = max(mono_ms, self.at_ms)
        node = device.node

        def wake() -> None:
            if device.wake_ms == due and device.node is node:
                device.wake_ms = None
                self.carry(device, node.tick(self.now(device)))

        self._at(due - self.at_ms, wake)

    def _at(self, pause_ms: int, action: Callable[[], None]) -> None:
        heappush(self._events, (self.at_ms + pause_ms, next(self._order), action))

    def run(self, for_ms: int = 2_000, *, until: Callable[[], bool] | None = None) -> None:
        """Let time pass, or stop as soon as `until` holds."""
        end, steps = self.at_ms + for_ms, 0
        while self._events and self._events[0][0] <= end:
            due, _, action = heappop(self._events)
            steps = steps + 1 if due == self.at_ms else 0
            assert steps < 50_000, "a node never rests"
            self.at_ms = due
            action()
            if until is not None and until():
                return
        self.at_ms = end

    def write(self, device: Device, *lines: Line) -> list[Answer]:
        answers, effects = device.node.record(lines, self.now(device), rows_later=True)
        self.carry(device, effects)
        self.carry(device, device.node.catch_up_left(self.now(device)))
        return answers


def linked(*names: str, one_way_ms: int = 1, hq: bool = False) -> tuple[Stage, list[Device]]:
    """A camp where the first dials all others, and everybody is up to date."""
    stage, devices = Stage(one_way_ms=one_way_ms), camp(names or ("ann", "ben"), hq=hq)
    for other in devices[1:]:
        stage.link(devices[0], other)
    stage.run(3_000)
    return stage, devices


def meshed(names: Sequence[str], *, seed: int = 0, hq: bool = False) -> tuple[Stage, list[Device]]:
    """A camp where every two are linked, and everybody is up to date."""
    stage, devices = Stage(), camp(names, seed=seed, hq=hq)
    for at, here in enumerate(devices):
        for there in devices[at + 1 :]:
            stage.link(here, there)
    stage.run(5_000)
    return stage, devices


def size(device: Device) -> int:
    """How many entries it has numbered."""
    return device.ledger.chain.last_arrival


def agree(*devices: Device) -> bool:
    """Whether all of them say the same of what they hold."""
    return all(each.care == devices[0].care for each in devices)


_keys = count(1)


def line(kind: str, data: Any, **more: Any) -> Line:
    """A line under a key of its own."""
    return {"v": 1, "kind": kind, "key": f"line-{next(_keys)}", "data": data, **more}


def patient(name: str = "Amina", **data: Any) -> Line:
    return line("patient.register", {"given_name": name, **data})


def note(whom: str, text: str = "seen") -> Line:
    return line("note.add", {"text": text}, patient=whom)


def triage(whom: str, category: str = "red") -> Line:
    return line("triage.record", {"category": category, "problem": "bleeding"}, patient=whom)


def speak(stage: Stage, device: Device, link: int, plain: bytes, pause_ms: int = 50) -> None:
    """Let a member say these very bytes inside its channel, past its own node."""
    channel = device.node._links[link].greeting.channel
    assert channel is not None
    stage._send(device, link, channel.encrypt(plain))
    stage.run(pause_ms)


def fill(device: Device, count: int, *, start: int = 0) -> list[Answer]:
    """Register patients without telling any peer, and see that all are saved."""
    lines = [patient(f"Patient {number}", sex="female") for number in range(start, start + count)]
    answers, _, _ = device.node._recorder.record(lines, WALL_MS, device.chance.randbytes)
    assert all(answer.ok for answer in answers)
    return answers
