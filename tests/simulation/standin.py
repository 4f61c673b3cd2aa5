"""A toy node that floods entries, until the real one can be driven."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

from protocols.ids import FeedId
from protocols.live.api import Recorded
from protocols.mesh.effects import Changed, Transmit, WakeAt
from protocols.sim.book import Arrival, EntryName


@dataclass
class Disk:
    device: bytes
    entries: dict[EntryName, tuple[int, str]] = field(default_factory=dict)  # lane, payload
    order: list[EntryName] = field(default_factory=list)
    answers: dict[str, tuple[EntryName, str]] = field(default_factory=dict)

    def put(self, name: EntryName, lane: int, payload: str) -> bool:
        if name in self.entries:
            return False
        self.entries[name] = (lane, payload)
        self.order.append(name)
        return True


class ToyBook:
    def __init__(self, disk: Disk) -> None:
        self.disk = disk

    def arrivals(self, after: int):
        return [
            Arrival(n + 1, name, bytes(name.feed), self.disk.entries[name][0])
            for n, name in enumerate(self.disk.order[after:], after)
        ]

    def rows(self):
        return {
            "note": sorted(
                (b"", n.hash, json.loads(self.disk.entries[n][1])["data"].get("text", ""))
                for n in self.disk.order
            )
        }

    def judged(self):
        return {}

    def digests(self):
        every = hashlib.sha256(b"".join(sorted(n.hash for n in self.disk.order))).hexdigest()
        return {"care": (every, "", every)}

    def content(self):
        for _, payload in self.disk.entries.values():
            yield payload.encode()


class ToyMachine:
    def __init__(self, device: bytes) -> None:
        self.device = device
        self.disk = Disk(device)

    @property
    def book(self):
        return ToyBook(self.disk)

    def boot(self, now):
        return ToyNode(self.disk)

    def halt(self):
        pass


class ToyNode:
    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.links: set[int] = set()

    def start(self, now):
        return [WakeAt(now.mono_ms + 1000)]

    def tick(self, now):
        return [WakeAt(now.mono_ms + 60_000)]

    def opened(self, link, now, *, dialled, peer, address, code):
        self.links.add(link)
        return [Transmit(link, self._all())]

    def closed(self, link, now):
        self.links.discard(link)
        return []

    def received(self, link, message, now):
        new = []
        for feed, seq, entry, lane, payload in json.loads(message):
            name = EntryName(FeedId(bytes.fromhex(feed)), seq, bytes.fromhex(entry))
            if self.disk.put(name, lane, payload):
                new.append(name)
        if not new:
            return []
        out = self._pack(new)
        return [Changed(frozenset({"note"}))] + [
            Transmit(other, out) for other in sorted(self.links) if other != link
        ]

    def record(self, lines, now):
        answers, new = [], []
        for number, line in enumerate(lines):
            if line["key"] in self.disk.answers:
                name, _ = self.disk.answers[line["key"]]
                answers.append(self._answer(number, line, name, repeated=True))
                continue
            payload = json.dumps(line, sort_keys=True)
            seq = 1 + sum(1 for n in self.disk.order if n.feed == self.disk.device)
            entry = hashlib.sha256(payload.encode() + now.entropy(4)).digest()
            name = EntryName(FeedId(self.disk.device), seq, entry)
            self.disk.put(name, 1 if line["kind"] == "triage.record" else 2, payload)
            self.disk.answers[line["key"]] = (name, payload)
            new.append(name)
            answers.append(self._answer(number, line, name))
        return answers, [Transmit(link, self._pack(new)) for link in sorted(self.links)]

    def _answer(self, number, line, name, repeated=False):
        return Recorded(
            number, True, key=line["key"], feed=str(name.feed), seq=name.seq, repeated=repeated
        )

    def _all(self):
        return self._pack(self.disk.order)

    def _pack(self, names):
        return json.dumps(
            [(n.feed.hex(), n.seq, n.hash.hex(), *self.disk.entries[n]) for n in names]
        ).encode()


def toy_digests(self):
    return {}


ToyMachine.digests = toy_digests
