"""kill -9 at any moment while writing and while syncing: what was promised is there.

It says nothing of a power cut, which also loses what the system had not written yet; see
`test_power.py`.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

import pytest

from protocols.errors import LedgerError
from protocols.feeds.lane import Lane
from protocols.ledger import admitting
from protocols.ledger.book import Ledger
from protocols.ledger.store import Store, open_file
from protocols.mesh.effects import Transmit, WakeAt
from protocols.mesh.node import Node
from tests.process import ledger_child
from tests.process.ledger_child import KEY, answered, found, now
from tests.unit.stage import Device, admit, fill

KILLS = 50
KILLS_SLOW = 500
LAST_S = 20
"""Longest that the sync after the last kill may take on a busy machine."""
QUIET_S = 0.3


@pytest.fixture(scope="module")
def processes() -> Any:
    """Processes forked from one clean server that has everything imported already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.process.ledger_child"])
    return context


def sound(folder: Path) -> tuple[Store, Ledger]:
    """Open a book after its process was killed, and see that it is whole."""
    store = open_file(folder, KEY)
    assert store.one("PRAGMA quick_check") == ("ok",)
    ledger = Ledger(store)
    ledger.catch_up_all()
    held = store.one("SELECT count(*) FROM entry WHERE kind = 0")
    judged = store.one("SELECT (SELECT count(*) FROM strand) + (SELECT count(*) FROM unopened)")
    assert held == judged
    return store, ledger


def holes(store: Store) -> list[Any]:
    """Feeds whose entries do not count from 1 to their end."""
    return store.all("SELECT feed FROM entry GROUP BY feed HAVING count(*) <> max(seq)")


def told_before_death(ours: Connection) -> list[str]:
    words: list[str] = []
    try:
        while ours.poll(0):
            words += ours.recv()
    except (EOFError, ConnectionResetError):
        pass
    return words


def kill(process: Any, after_s: float) -> None:
    time.sleep(after_s)
    os.kill(process.pid, signal.SIGKILL)
    process.join()


def kill_while_writing(processes: Any, folder: Path, kills: int) -> int:
    chance, promised = Random(kills), set[str]()
    found(folder)
    for number in range(kills):
        ours, theirs = processes.Pipe()
        process = processes.Process(
            target=ledger_child.write, args=(folder, theirs, number, 2_000), daemon=True
        )
        process.start()
        theirs.close()
        assert ours.poll(30), "nothing was written"
        kill(process, chance.uniform(0, 0.06))
        promised |= set(told_before_death(ours))
        store, ledger = sound(folder)
        assert promised <= answered(store)
        assert not holes(store)
        if number % 8 == 0:
            # As an idle node does; else each start merges whomever all of them wrote about.
            ledger.write_down()
        store.close()
    return len(promised)


def test_nothing_answered_is_lost_when_the_writer_is_killed(processes: Any, tmp_path: Path):
    assert kill_while_writing(processes, tmp_path / "ann", KILLS) > KILLS


@pytest.mark.slow
def test_nothing_answered_is_lost_in_hundreds_of_kills(processes: Any, tmp_path: Path):
    assert kill_while_writing(processes, tmp_path / "ann", KILLS_SLOW) > KILLS_SLOW


class Pump:
    """Drives a node in this process against one in another, over a pipe."""

    def __init__(self, device: Device, ours: Connection) -> None:
        self.device, self.ours = device, ours
        self.wake: int | None = None
        self.link = device.next_link
        device.next_link += 1

    def carry(self, effects: list[Any]) -> None:
        for effect in effects:
            match effect:
                case Transmit(link, message) if link == self.link:
                    self.ours.send_bytes(message)
                case WakeAt(mono_ms):
                    self.wake = mono_ms

    def run(self, until_s: float, node: Node, peer: Any, *, to_the_end: bool = False) -> None:
        """Dial and talk until that instant of the monotonic clock, or until the line breaks.

        Args:
            to_the_end: Or until the peer promised all there is, and nothing was said for a while.
        """
        heard_s = time.monotonic()
        try:
            self.carry(node.opened(self.link, now(), dialled=True, peer=peer, address="pipe"))
            while (left := until_s - time.monotonic()) > 0:
                if self.ours.poll(min(left, 0.002)):
                    heard_s = time.monotonic()
                    self.carry(node.received(self.link, self.ours.recv_bytes(), now()))
                elif self.wake is not None and self.wake <= now().mono_ms:
                    self.wake = None
                    self.carry(node.tick(now()))
                elif to_the_end and time.monotonic() > heard_s + QUIET_S and self.told(peer):
                    break
        except (EOFError, OSError):
            pass
        self.carry(node.closed(self.link, now()))

    def told(self, peer: Any) -> bool:
        """Whether the peer promised all there is."""
        return promised_by(self.device, peer) == self.device.ledger.chain.last_arrival


def promised_by(ann: Device, peer: Any) -> int:
    """How far the peer said it holds what `ann` has, in `ann`'s numbers."""
    known = ann.ledger.peers.all.get(peer)
    return known.they_hold if known else 0


def kill_while_syncing(processes: Any, folder: Path, kills: int) -> None:
    chance = Random(kills)
    ann = Device.found("hub")
    found(folder, "ben")
    store = open_file(folder, KEY)
    ben = Device("ben", store, 0)
    admit(ann, ben)
    peer = ben.id
    store.close()
    for number in range(kills):
        fill(ann, 12, start=1_000 * number)
        ours, theirs = processes.Pipe()
        process = processes.Process(target=ledger_child.mesh, args=(folder, theirs), daemon=True)
        process.start()
        theirs.close()
        pump = Pump(ann, ours)
        last = number == kills - 1
        lasts_s = LAST_S if last else chance.uniform(0.03, 0.25)
        pump.run(time.monotonic() + lasts_s, ann.node, peer, to_the_end=last)
        kill(process, 0)
        store, ledger = sound(folder)
        arrivals = "SELECT hash FROM entry WHERE arrival <= ?"
        promised = {row[0] for row in ann.store.all(arrivals, (promised_by(ann, peer),))}
        held = {row[0] for row in store.all("SELECT hash FROM entry")}
        assert promised <= held
        assert not holes(store)
        ledger_digest = ledger.digest(ledger.authority.care_scope)
        store.close()
    assert ann.entries == held
    assert ann.care == ledger_digest


def test_nothing_acknowledged_is_lost_when_the_receiver_is_killed(processes: Any, tmp_path: Path):
    kill_while_syncing(processes, tmp_path / "ben", KILLS)


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_in_hundreds_of_syncs(processes: Any, tmp_path: Path):
    kill_while_syncing(processes, tmp_path / "ben", KILLS_SLOW)


def test_a_second_process_on_one_folder_is_told_so(processes: Any, tmp_path: Path):
    folder = tmp_path / "ann"
    found(folder)
    ours, theirs = processes.Pipe()
    process = processes.Process(
        target=ledger_child.write, args=(folder, theirs, 1, 100_000), daemon=True
    )
    process.start()
    assert ours.poll(30)

    with pytest.raises(LedgerError, match="in_use"):
        open_file(folder, KEY)

    kill(process, 0)
    open_file(folder, KEY).close()


def test_a_wrong_key_and_a_damaged_file_are_named(tmp_path: Path):
    folder = tmp_path / "ann"
    found(folder)
    with pytest.raises(LedgerError, match="wrong_key"):
        open_file(folder, bytes(32))
    (folder / "ledger.db").write_bytes(b"SQLite format 3\0" + bytes(4096))
    with pytest.raises(LedgerError, match=r"wrong_key|damaged"):
        open_file(folder, KEY)


def test_every_record_of_a_killed_writer_can_be_read_and_built_again(
    processes: Any, tmp_path: Path
):
    folder = tmp_path / "ann"
    kill_while_writing(processes, folder, 3)
    _, ledger = sound(folder)
    care = ledger.authority.care_scope
    before = ledger.digest(care)

    ledger.rebuild_rows()

    assert ledger.digest(care) == before
    assert {feed.genesis.lane for feed, _ in ledger.chain.heads()} >= {Lane.CONTROL, Lane.ROUTINE}
    assert admitting.own_right(ledger)[1].key == ledger.authority.device
