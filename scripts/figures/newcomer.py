"""What crosses a line before a newcomer of a large operation shows its first urgent entry."""

from __future__ import annotations

from random import Random
from typing import Any

from figures.books import BEGINS_MS
from figures.figure import Reading
from figures.pipe import Pipe
from protocols.feeds.lane import Lane
from protocols.ledger.admitting import admit, join, request_to_join
from protocols.ledger.book import Ledger
from protocols.ledger.founding import found_book
from protocols.ledger.recording import Recorder
from protocols.ledger.scopekeys import rotate_due
from protocols.ledger.store import open_memory
from protocols.mesh.node import Node
from protocols.trust.control import Attestation, attested
from protocols.trust.granting import Wish
from protocols.trust.identity import DeviceKeys
from protocols.trust.statements import SignedStatement, pack, statement_hash

PATIENTS = 40
SITTERS = 3
"""People who took the tent's terminal: a newcomer is told of each."""
RUN_BYTES = 32 * 1024
SYNC_MS = 120_000
Person = tuple[DeviceKeys, SignedStatement]
"""The keys of somebody and the certificate of them."""


def first_urgent(hq: Ledger, people: list[Person]) -> Reading:
    """All bytes, grant and handshake included, until a newcomer shows a triage that counts.

    A tent of the operation wrote it, under two generations of the key, with people at its terminal.
    """
    chance = Random(2)
    tent = _joined(hq, "tent", chance)
    _synced(tent, hq, chance)
    _triage(tent, chance)
    with hq.atomic():
        # Some readers are sealed: what is written from here on is under a key of all the others.
        rotate_due(hq, chance.randbytes, BEGINS_MS)
    for person in people[:SITTERS]:
        _sit_down(tent, person)
    _synced(tent, hq, chance)
    _triage(tent, chance)
    _synced(tent, hq, chance)
    newcomer, granted = _let_in(hq, "newcomer", chance)
    pipe = Pipe(Node(newcomer), Node(hq), chance)
    assert pipe.run(SYNC_MS, lambda: _counted(newcomer) > 0)
    first = granted + pipe.bytes
    assert pipe.run(SYNC_MS, lambda: _counted(newcomer) == _counted(hq))
    parts = {"grant kB": granted / 1_000, "all urgent kB": (granted + pipe.bytes) / 1_000}
    parts |= {"control feeds kB": _control_bytes(hq) / 1_000}
    pipe.run(SYNC_MS)
    scope = hq.authority.care_scope
    assert newcomer.digest(scope) == hq.digest(scope), "the books differ"
    return Reading("first urgent entry of a newcomer", first / 1_000, "kB", 60, 30, parts)


def _joined(hq: Ledger, name: str, chance: Random) -> Ledger:
    return _let_in(hq, name, chance)[0]


def _let_in(hq: Ledger, name: str, chance: Random) -> tuple[Ledger, int]:
    """A new device with a book of its own, admitted as over a network; and bytes of its grant."""
    store = open_memory()
    found_book(
        store, name=name, org="Large", jurisdiction="KE", hq=False, entropy=chance.randbytes,
        wall_ms=BEGINS_MS,
    )  # fmt: skip
    ledger = Ledger(store)
    request = request_to_join(ledger, b"", chance.randbytes)
    grant = admit(hq, request, chance.randbytes, BEGINS_MS, wish=Wish())
    join(ledger, grant, BEGINS_MS)
    ledger.reload()
    return ledger, len(pack(grant))


def _synced(here: Ledger, there: Ledger, chance: Random) -> None:
    """Let two books come to hold the same."""
    Pipe(Node(here), Node(there), chance).run(SYNC_MS)
    scope = there.authority.care_scope
    assert here.digest(scope) == there.digest(scope), "the books differ"


def _triage(tent: Ledger, chance: Random) -> None:
    recorder = Recorder(tent)
    for number in range(PATIENTS // 2):
        who = recorder.record(
            [_line("patient.register", number, {"given_name": f"P{number}"}, chance)],
            BEGINS_MS,
            chance.randbytes,
        )[0][0]
        data = {"category": "red", "problem": "bleeding"}
        line = _line("triage.record", number, data, chance, patient=who.code)
        answers, *_ = recorder.record([line], BEGINS_MS, chance.randbytes)
        assert answers[0].ok, answers[0]


def _line(
    kind: str, number: int, data: dict[str, str], chance: Random, **more: Any
) -> dict[str, Any]:
    return {"v": 1, "kind": kind, "key": f"{number}-{chance.random()}", "data": data, **more}


def _sit_down(tent: Ledger, person: Person) -> None:
    keys, certificate = person
    name, authority = statement_hash(certificate), tent.authority
    text = attested(authority.device, bytes(authority.epoch), name, BEGINS_MS)
    with tent.atomic():
        tent.write_control(Attestation(bytes(name), BEGINS_MS, keys.sign(text)), BEGINS_MS)


def _counted(ledger: Ledger) -> int:
    """Triages that are shown and count."""
    row = ledger.store.one("SELECT count(*) FROM triage WHERE standing = 0")
    assert row is not None
    return int(row[0])


def _control_bytes(ledger: Ledger) -> int:
    """Bytes of all control feeds as they travel."""
    total = 0
    for feed, tip in ledger.chain.heads():
        after = 0
        while feed.genesis.lane == Lane.CONTROL and after < tip.seq:
            found = ledger.chain.run_after(feed, tip, after, RUN_BYTES)
            if found is None:
                break
            total, after = total + len(found[0]), found[1]
    return total
