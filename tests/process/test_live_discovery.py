"""Multicast DNS for real: on loopback, and in network namespaces where the machine lets us."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys

import pytest

from protocols.ids import OperationId
from protocols.live.announcement import SERVICE, announce, discovery_key
from protocols.live.discovery import Discovery
from protocols.live.interfaces import site_addresses

PATIENCE_S = 10
KEY = discovery_key(OperationId(bytes(32)))
HERE = "127.0.0.1"


class Seeker:
    """One node's discovery, and whom it found."""

    def __init__(self, port, key=KEY):
        self.heard = []
        self._more = asyncio.Event()
        self.discovery = Discovery(
            key, port, entropy=os.urandom, found=self._found, crowded_out=self.heard.append
        )

    def _found(self, candidate):
        self.heard.append(candidate)
        self._more.set()

    async def until_found(self, port):
        async with asyncio.timeout(PATIENCE_S):
            while port not in [candidate.address.port for candidate in self.heard]:
                self._more.clear()
                await self._more.wait()


@contextlib.asynccontextmanager
async def seeking(*seekers):
    try:
        for seeker in seekers:
            assert await seeker.discovery.start([HERE])
        yield
    finally:
        await asyncio.gather(*(seeker.discovery.stop() for seeker in seekers))


async def test_members_find_each_other_and_strangers_are_not_found():
    one, two = Seeker(17401), Seeker(17402)
    stranger = Seeker(17403, discovery_key(OperationId(b"x" * 32)))
    async with seeking(stranger, one, two):
        await asyncio.gather(one.until_found(17402), two.until_found(17401))

    assert {candidate.address.port for candidate in one.heard} == {17402}
    assert {candidate.address.host for candidate in one.heard} == {HERE}
    assert stranger.heard == []


@pytest.mark.slow
async def test_a_node_that_leaves_is_no_news_and_one_that_comes_back_has_another_name():
    one, two = Seeker(17411), Seeker(17412)
    async with seeking(one):
        async with seeking(two):
            await one.until_found(17412)
            first = two.discovery.instance
        heard = list(one.heard)
        one.heard.clear()
        async with seeking(two):
            await one.until_found(17412)
            assert two.discovery.instance != first

    assert {candidate.address.port for candidate in heard} == {17412}


async def test_what_goes_over_the_network_names_nobody():
    seeker = Seeker(17421)
    async with seeking(seeker):
        service = seeker.discovery._service
        told = [service.name, service.server, *service.decoded_properties]
        host = os.uname().nodename

        assert service.name == f"{seeker.discovery.instance}.{SERVICE}"
        assert not any(host in text for text in told)
        assert set(service.decoded_properties) == {"v", "p", "n"}


@pytest.mark.slow
async def test_hostile_announcements_are_not_found(monkeypatch):
    """Forged by a member's key even: an address elsewhere and a system port stay unheard."""
    one = Seeker(17431)
    forgers = [Seeker(22), Seeker(17433)]
    fields = dict(announce(KEY, 17433, os.urandom), x="y" * 200, z="y" * 200)
    monkeypatch.setattr("protocols.live.discovery.announce", lambda *_: fields)
    async with seeking(*forgers):
        monkeypatch.undo()
        last = Seeker(17434)
        async with seeking(one, last):
            await one.until_found(17434)

    assert {candidate.address.port for candidate in one.heard} == {17434}


async def test_no_interface_is_no_discovery_and_no_fault():
    assert not await Seeker(17441).discovery.start([])
    assert not await Seeker(17441).discovery.start(["203.0.113.7"])


def test_the_addresses_of_a_site_are_announced_and_no_others():
    assert site_addresses("127.0.0.1") == ["127.0.0.1"]
    assert site_addresses("8.8.8.8") == []
    assert not any(address.startswith("127.") for address in site_addresses("0.0.0.0"))


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def namespaces():
    """Two namespaces joined by a cable; gone afterwards."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("needs root and the ip command to make network namespaces")
    names = [f"fm{os.getpid()}{end}" for end in "ab"]
    try:
        for name in names:
            try:
                ip("netns", "add", name)
            except subprocess.CalledProcessError:
                pytest.skip("this machine does not let us make network namespaces")
        ip("-n", names[0], "link", "add", "eth0", "type", "veth",
           "peer", "name", "eth0", "netns", names[1])  # fmt: skip
        for number, name in enumerate(names, 1):
            ip("-n", name, "link", "set", "lo", "up")
            ip("-n", name, "addr", "add", f"10.77.0.{number}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
            ip("-n", name, "route", "add", "224.0.0.0/4", "dev", "eth0")
        yield names
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


SEEK = """
import asyncio, os, sys
from protocols.live.discovery import Discovery
from protocols.live.interfaces import site_addresses
async def main():
    found = asyncio.get_running_loop().create_future()
    seeker = Discovery(bytes(32), int(sys.argv[1]), entropy=os.urandom,
                       found=lambda c: found.done() or found.set_result(c),
                       crowded_out=print)
    assert await seeker.start(site_addresses("0.0.0.0"))
    print((await asyncio.wait_for(found, 20)).address, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await seeker.stop()
asyncio.run(main())
"""


def test_two_machines_on_one_cable_find_each_other(namespaces):
    seekers = [
        subprocess.Popen(
            ["ip", "netns", "exec", name, sys.executable, "-c", SEEK, str(17450 + number)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for number, name in enumerate(namespaces, 1)
    ]  # fmt: skip
    try:
        assert [seeker.stdout.readline() for seeker in seekers] == [
            "10.77.0.2:17452\n",
            "10.77.0.1:17451\n",
        ]
    finally:
        for seeker in seekers:
            seeker.communicate(timeout=PATIENCE_S)


WATCH = """
import asyncio
from protocols.live.interfaces import NetworkWatch, site_addresses
async def main():
    changed = asyncio.Event()
    watch = NetworkWatch(changed.set)
    assert watch.start()
    print(site_addresses("0.0.0.0"), flush=True)
    await asyncio.wait_for(changed.wait(), 20)
    print(site_addresses("0.0.0.0"), flush=True)
    watch.stop()
asyncio.run(main())
"""


def test_a_network_that_comes_later_is_noticed_without_asking(namespaces):
    watcher = subprocess.Popen(
        ["ip", "netns", "exec", namespaces[0], sys.executable, "-c", WATCH],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert watcher.stdout.readline() == "['10.77.0.1']\n"
    ip("-n", namespaces[0], "link", "add", "eth1", "type", "veth", "peer", "name", "eth2")
    ip("-n", namespaces[0], "addr", "add", "192.168.7.1/24", "dev", "eth1")

    assert watcher.stdout.readline() == "['10.77.0.1', '192.168.7.1']\n"
    watcher.communicate(timeout=PATIENCE_S)
