"""Whole nodes: real ledgers, real sockets, and real processes that are stopped and killed."""

import asyncio
import io
import json
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from functools import cached_property, partial
from pathlib import Path
from typing import Self

import pytest

from protocols.errors import LedgerError, LinkError
from protocols.ids import PatientId
from protocols.ledger.book import Ledger
from protocols.ledger.store import Store, open_file
from protocols.live.address import Address
from protocols.live.client import LocalClient
from protocols.live.journal import Journal
from protocols.live.lines import SOCKET_NAME
from protocols.live.service import LOG_BYTES, Service, Settings
from protocols.mesh.effects import Hangup, Notice
from tests.process.live_node import CODE, HERE, KEY, calls, enrol_both, factory, found, patient
from tests.unit.stage import note

PATIENCE_S = 30
STOP_S = 2


class Program:
    """A node in a process of its own."""

    def __init__(self, folder, *options):
        self.folder = folder
        self.log = folder.with_suffix(".log")
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.process.live_node", str(folder), *options],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    @cached_property
    def address(self):
        """Where it listens, once it does; None when it could not start."""
        said = self.process.stdout.readline()
        return json.loads(said)["address"] if said else None

    def client(self) -> LocalClient:
        assert self.address
        return LocalClient(self.folder, call_s=PATIENCE_S)

    def codes(self):
        return [json.loads(line)["code"] for line in self.log.read_text().splitlines()]

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=PATIENCE_S)


@contextmanager
def members(folder):
    """Two members of one operation, the second keeping a link to the first."""
    asyncio.run(enrol_both(folder / "one", folder / "two"))
    with Program(folder / "one") as one, Program(folder / "two", "--peer", one.address) as two:
        until(two, lambda status: status["linked"])
        yield one, two


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two linked nodes for all tests that leave them as they were."""
    with members(tmp_path_factory.mktemp("pair")) as pair:
        yield pair


@pytest.fixture
def own_pair(tmp_path):
    """Two linked nodes for a test that stops one."""
    with members(tmp_path) as pair:
        yield pair


def until(program, fits, tables=()):
    """Wait, woken by each change, until the node's status fits; return it."""
    with program.client() as watcher, program.client() as asker:
        changes = watcher.follow(*tables)
        deadline = time.monotonic() + PATIENCE_S
        while not fits(status := asker.call("status")):
            assert time.monotonic() < deadline, status
            # Not every step of a status is a change of rows.
            watcher._socket.settimeout(0.2)
            wait_for_change(changes, watcher)
        return status


def wait_for_change(changes, watcher):
    try:
        next(changes)
    except (LinkError, StopIteration):
        watcher._socket.settimeout(None)


def record(program, *numbers):
    with program.client() as client:
        answers = client.call("record", lines=[patient(number) for number in numbers])
    assert all(answer["ok"] for answer in answers), answers
    return answers


def test_what_is_saved_on_one_is_seen_on_the_other_both_ways(pair):
    for writer, reader, number in ((*pair, 1), (*reversed(pair), 2)):
        with reader.client() as client:
            before = client.call("status")["patients"]
        record(writer, number)
        until(reader, lambda status, before=before: status["patients"] > before, ("patient",))


def test_a_killed_peer_is_linked_again_and_nothing_saved_is_lost(own_pair):
    one, two = own_pair
    record(one, 1, 2, 3)
    one.stop(signal.SIGKILL)
    record(two, 4)
    with Program(one.folder, "--listen", one.address) as again:
        status = until(again, lambda status: status["patients"] == 4, ("patient",))
        assert len(status["linked"]) == 1
        until(two, lambda status: status["patients"] == 4, ("patient",))


def test_a_stop_under_load_is_quick_and_keeps_all_that_was_said_to_be_saved(own_pair):
    one, _ = own_pair
    saved, begun = [], threading.Event()
    writers = [
        threading.Thread(target=write_until_gone, args=(one, 1000 * who, saved, begun))
        for who in range(3)
    ]
    for writer in writers:
        writer.start()
    assert begun.wait(PATIENCE_S)

    asked_s = time.monotonic()
    assert one.stop() == 0
    took_s = time.monotonic() - asked_s
    for writer in writers:
        writer.join(PATIENCE_S)

    assert took_s < STOP_S
    assert not (one.folder / SOCKET_NAME).exists()
    kept = names_in(one.folder)
    assert set(saved) <= kept
    assert len(saved) >= 20


def write_until_gone(program, start, saved, begun):
    with program.client() as client:
        for number in range(start, start + 1000, 2):
            try:
                answers = client.call("record", lines=[patient(number), patient(number + 1)])
            except LinkError:
                return
            # One that was refused because the node stops was never said to be saved.
            saved += [answer["id"] for answer in answers if answer["ok"]]
            if len(saved) >= 20:
                begun.set()


def names_in(folder):
    store = open_file(folder, KEY)
    try:
        assert store.one("PRAGMA integrity_check") == ("ok",)
        ledger = Ledger(store)
        while ledger.behind:
            ledger.catch_up()
        return {str(PatientId(row[0])) for row in store.all("SELECT id FROM patient")}
    finally:
        store.close()


def test_the_second_node_on_a_folder_says_so_and_does_not_disturb_the_first(pair):
    one, _ = pair
    with Program(one.folder) as second:
        assert second.process.wait(PATIENCE_S) != 0
        assert second.address is None
        assert "in_use" in second.log.read_text()
    record(one, 3)


def test_two_nodes_that_dial_each_other_keep_one_link(own_pair):
    one, two = own_pair
    with one.client() as client:
        client.call("dial", address=two.address)
    for writer, reader, number in ((one, two, 1), (two, one, 2)):
        record(writer, number)
        until(reader, lambda status, number=number: status["patients"] == number, ("patient",))

    assert [len(linked_to(each)) for each in own_pair] == [1, 1]
    # Once before, and at most once more each way; dialling again and again would be many.
    assert one.codes().count("linked") <= 3
    assert [each.stop(signal.SIGINT) for each in own_pair] == [0, 0]


def linked_to(program):
    with program.client() as client:
        return client.call("status")["linked"]


def test_a_node_says_nothing_about_patients_in_its_log(pair):
    one, two = pair
    record(one, 4)
    for program in pair:
        written = program.log.read_text()
        assert "Amina" not in written
        assert "Name4" not in written
    assert set(two.codes()) == {"linked"}


def test_a_node_writes_no_core_and_no_file_for_others(pair):
    one, _ = pair
    proc = Path("/proc") / str(one.process.pid)
    limits = (proc / "limits").read_text().splitlines()
    core = next(line.split() for line in limits if line.startswith("Max core file size"))

    assert core[4:6] == ["0", "0"]
    assert "Umask:\t0077" in (proc / "status").read_text()


async def test_what_cannot_start_leaves_nothing_running(tmp_path):
    found(tmp_path / "one")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = Address(*taken.getsockname())
        service = service_of(tmp_path / "one", listen=address)
        with pytest.raises(LinkError, match="cannot_listen"):
            await service.start()
    again = service_of(tmp_path / "one", listen=HERE)
    await again.start()
    await again.stop()


async def test_a_wrong_code_admits_nobody_and_a_right_one_does(tmp_path):
    for name in ("one", "two"):
        found(tmp_path / name)
    one, two = (service_of(tmp_path / name, listen=HERE) for name in ("one", "two"))
    await one.start(calls(one))
    await two.start(calls(two))
    try:
        await one.call(lambda node, now: (node.invite(CODE, now), []))
        with pytest.raises(LinkError, match="not_admitted"):
            await two.enrol(one.address, bytes(10))
        await two.enrol(one.address, CODE)
        operations = [
            await each.call(lambda node, now: (node.ledger.authority.operation, []))
            for each in (one, two)
        ]
        assert operations[0] == operations[1]
    finally:
        await asyncio.gather(one.stop(), two.stop())


async def test_who_was_turned_away_as_a_stranger_is_dialled_at_once_when_a_member(
    tmp_path, monkeypatch
):
    for name in ("one", "two"):
        found(tmp_path / name)
    monkeypatch.setattr("protocols.live.peers.PAUSE_S_MIN", 600.0)
    monkeypatch.setattr("protocols.live.peers.PAUSE_S_MAX", 600.0)
    one = service_of(tmp_path / "one", listen=HERE)
    await one.start(calls(one))
    two = service_of(tmp_path / "two", listen=HERE, peers=(one.address,))
    turned, linked = asyncio.Event(), asyncio.Event()

    def heard(effect):
        if isinstance(effect, Hangup):
            turned.set()
        if isinstance(effect, Notice) and effect.code == "linked":
            linked.set()

    two.listen_to(heard)
    await two.start(calls(two))
    try:
        async with asyncio.timeout(PATIENCE_S):
            await turned.wait()
            await one.call(lambda node, now: (node.invite(CODE, now), []))
            await two.enrol(one.address, CODE)
            await linked.wait()
    finally:
        await asyncio.gather(one.stop(), two.stop())


def test_members_on_one_network_link_up_without_being_told(tmp_path):
    asyncio.run(enrol_both(tmp_path / "one", tmp_path / "two"))
    with Program(tmp_path / "one", "--discovery"), Program(tmp_path / "two", "--discovery") as two:
        until(two, lambda status: status["linked"])


async def test_a_node_folds_a_long_log_when_idle_and_has_room_in_it(tmp_path, monkeypatch):
    rested, rest = queue.SimpleQueue(), Store.rest

    def noted(store, least):
        rest(store, least)
        owed = store.one("SELECT 1 FROM meta WHERE name = 'sums_from'")
        rested.put((least, store.log.used(), store.log.length(), owed))

    monkeypatch.setattr("protocols.live.worker.IDLE_S", 0.01)
    monkeypatch.setattr(Store, "rest", noted)
    found(tmp_path / "one")
    one = service_of(tmp_path / "one")
    await one.start(calls(one))
    try:
        (answer,) = await one.call(lambda node, now: node.record([patient(1)], now))
        for number in range(2):
            await one.call(partial(said, line=note(answer.id, f"note {number}")))
        used = 0
        while not used or not rested.empty():
            least, used, length, owed = await asyncio.to_thread(rested.get, timeout=PATIENCE_S)
        assert least == LOG_BYTES
        assert length - used >= 1024 * 1024
        assert owed is None, "what patients come to is written down before"
    finally:
        await one.stop()


async def test_a_running_node_has_room_in_its_log_once_a_command_is_answered(tmp_path):
    found(tmp_path / "one")
    one = service_of(tmp_path / "one")
    await one.start(calls(one))
    try:
        await one.call(lambda node, now: node.record([patient(1)], now))
        room = await one.call(lambda node, _: (room_in(node.ledger.store.log), ()))
        assert room >= ROOM_BYTES
    finally:
        await one.stop()


def said(node, now, line):
    return node.record([line], now)


ROOM_BYTES = 31 * 4096
"""About 32 pages: what a log near its end is lengthened for."""


def room_in(log) -> int:
    return log.length() - log.used()


async def test_the_second_service_in_one_process_is_refused_too(tmp_path):
    found(tmp_path / "one")
    first = service_of(tmp_path / "one")
    await first.start()
    with pytest.raises(LedgerError, match="in_use"):
        await service_of(tmp_path / "one").start()
    await first.stop()


def service_of(folder, **settings) -> Service:
    asked = Settings(folder=folder, discovery=False, **settings)
    return Service(factory(folder), asked, Journal(io.StringIO()))
