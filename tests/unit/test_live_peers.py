"""Whom to dial and when: growing pauses, double links, strangers at a known address."""

import asyncio
from typing import Self

import pytest

from protocols.errors import LinkError
from protocols.ids import DeviceId
from protocols.live import peers as room
from protocols.live.address import Address
from protocols.live.peers import JITTER, PAUSE_RECENT_S_MAX, PAUSE_S_MAX, PAUSE_S_MIN, Pauses, Peers

PATIENCE_S = 5
THERE = Address("10.0.0.1", 7400)
DEVICE = DeviceId(bytes(range(32)))


def test_pauses_grow_from_the_shortest_to_the_longest():
    pauses = Pauses(lambda: 0.5)

    assert [pauses.longer() for _ in range(4)] == [0.5, 0.75, 1.125, 1.6875]
    assert [pauses.longer() for _ in range(9)][-2:] == [PAUSE_S_MAX, PAUSE_S_MAX]
    pauses.anew()
    assert pauses.longer() == PAUSE_S_MIN


@pytest.mark.parametrize("drawn", [0, 0.5, 0.999_999])
def test_whoever_was_linked_lately_is_dialled_every_few_seconds(drawn):
    pauses = Pauses(lambda: drawn)

    assert max(pauses.longer(PAUSE_RECENT_S_MAX) for _ in range(40)) <= PAUSE_RECENT_S_MAX
    assert pauses.longer() <= 2 * PAUSE_RECENT_S_MAX, "it grows from there on"


@pytest.mark.parametrize("drawn", [0, 0.5, 0.999_999])
@pytest.mark.parametrize("away_s", [3, 5, 15, 40])
def test_whoever_comes_back_is_dialled_within_half_of_the_time_it_was_away(away_s, drawn):
    pauses, at_s = Pauses(lambda: drawn), 0.0
    while at_s < away_s:
        at_s += pauses.longer()

    # The jitter and the first pause come on top.
    assert at_s - away_s <= away_s * 0.5 * (1 + JITTER) + PAUSE_S_MIN


@pytest.mark.parametrize(("drawn", "share"), [(0, 0.8), (0.999_999, 1.2)])
def test_pauses_differ_by_a_fifth_and_never_pass_the_longest(drawn, share):
    pauses = Pauses(lambda: drawn)
    taken = [pauses.longer() for _ in range(10)]

    assert taken[0] == pytest.approx(PAUSE_S_MIN * share, rel=1e-3)
    assert max(taken) <= PAUSE_S_MAX


class Line:
    """A link as Peers sees one."""

    def __init__(self):
        self.code = "link_closed"
        self.ended = asyncio.Event()

    def end(self, code="link_closed"):
        self.code = code
        self.ended.set()


class Exchange:
    """Answers dials from a list: a link, or nobody there."""

    def __init__(self, monkeypatch, *, pause_s=0.001):
        monkeypatch.setattr(room, "PAUSE_S_MIN", pause_s)
        self.dialled = []
        self.links = []
        self.absent = False
        self._more = asyncio.Event()
        self.peers = Peers(self._dial, lambda: 0.5)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc):
        await self.peers.stop()

    async def _dial(self, address, peer):
        self.dialled.append((address, peer))
        self._more.set()
        if self.absent:
            raise LinkError("unreachable")
        self.links.append(Line())
        return self.links[-1]

    async def until_dialled(self, times):
        async with asyncio.timeout(PATIENCE_S):
            while len(self.dialled) < times:
                self._more.clear()
                await self._more.wait()
        await asyncio.sleep(0)


async def test_an_address_is_dialled_again_when_its_link_ends(monkeypatch):
    async with Exchange(monkeypatch) as exchange:
        exchange.peers.keep(THERE)
        exchange.peers.keep(THERE)
        for times in (1, 2, 3):
            await exchange.until_dialled(times)
            exchange.links[-1].end()

        await exchange.until_dialled(4)


async def test_a_peer_that_answered_is_greeted_by_name_until_somebody_else_does(monkeypatch):
    async with Exchange(monkeypatch) as exchange:
        exchange.peers.keep(THERE)
        await exchange.until_dialled(1)
        exchange.peers.known(DEVICE, str(THERE))
        exchange.links[0].end()
        await exchange.until_dialled(2)
        exchange.links[1].end("link_closed")
        await exchange.until_dialled(3)

    assert [peer for _, peer in exchange.dialled] == [None, DEVICE, None]


async def test_a_link_too_many_is_not_dialled_again_until_one_ends(monkeypatch):
    async with Exchange(monkeypatch) as exchange:
        exchange.peers.keep(THERE)
        await exchange.until_dialled(1)
        exchange.links[0].end("duplicate")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await exchange.until_dialled(2)

        exchange.peers.link_ended("duplicate")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await exchange.until_dialled(2)

        exchange.peers.link_ended("link_closed")
        await exchange.until_dialled(2)


async def test_a_member_that_links_ends_the_pause_of_those_nobody_answered_for(monkeypatch):
    async with Exchange(monkeypatch, pause_s=30) as exchange:
        exchange.absent = True
        exchange.peers.keep(THERE)
        await exchange.until_dialled(1)
        exchange.peers.reached()
        await exchange.until_dialled(2)


async def test_a_member_that_links_hurries_nobody_whose_link_broke_at_once(monkeypatch):
    async with Exchange(monkeypatch, pause_s=30) as exchange:
        exchange.peers.keep(THERE)
        await exchange.until_dialled(1)
        exchange.links[0].end()
        await asyncio.sleep(0)
        exchange.peers.reached()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await exchange.until_dialled(2)


async def test_an_address_heard_of_again_is_dialled_at_once(monkeypatch):
    async with Exchange(monkeypatch, pause_s=30) as exchange:
        exchange.absent = True
        exchange.peers.keep(THERE)
        await exchange.until_dialled(1)
        exchange.peers.keep(THERE)
        await exchange.until_dialled(2)


async def test_a_change_of_the_network_ends_all_pauses(monkeypatch):
    async with Exchange(monkeypatch, pause_s=30) as exchange:
        exchange.absent = True
        exchange.peers.keep(THERE)
        await exchange.until_dialled(1)
        exchange.peers.hurry()
        await exchange.until_dialled(2)


async def test_a_hint_is_given_up_after_its_attempts_and_can_be_heard_again(monkeypatch):
    monkeypatch.setattr(room, "PAUSE_S_MAX", 0.001)
    async with Exchange(monkeypatch) as exchange:
        exchange.absent = True
        exchange.peers.keep(THERE, attempts=3)
        kept = exchange.peers._tasks[THERE]
        async with asyncio.timeout(PATIENCE_S):
            await kept
        assert len(exchange.dialled) == 3
        assert THERE not in exchange.peers

        exchange.peers.keep(THERE)
        await exchange.until_dialled(4)


async def test_a_dropped_address_is_not_dialled_again_and_its_link_stays(monkeypatch):
    async with Exchange(monkeypatch) as exchange:
        exchange.peers.keep(THERE)
        await exchange.until_dialled(1)
        exchange.peers.drop(THERE)
        await asyncio.sleep(0)

        assert THERE not in exchange.peers
        assert not exchange.links[0].ended.is_set()
