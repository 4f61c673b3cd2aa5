"""Real WebSockets on loopback: what a peer can do to a node, and what it cannot."""

import asyncio
import base64
import contextlib
import hashlib
import os
import re
import socket
from typing import Self

import aiohttp
import pytest

from protocols.errors import LinkError
from protocols.live import door, link
from protocols.live.address import Address
from protocols.live.door import HALF_OPEN_PER_HOST, Limits
from protocols.live.link import MESSAGE_BYTES_MAX, UNREAD_MAX
from protocols.live.links import Links

HERE = Address("127.0.0.1", 0)
PATIENCE_S = 10


class Heard:
    """What links brought, in order; takes each message at once unless told not to."""

    def __init__(self):
        self.events = []
        self.takes = True
        self.untaken = []
        self._more = asyncio.Event()

    def opened(self, link, hail):
        self._note(("opened", link, hail.dialled))

    def received(self, link, message, taken):
        self._note(("received", link, message))
        if self.takes:
            taken()
        else:
            self.untaken.append(taken)

    def closed(self, link):
        self._note(("closed", link))

    def _note(self, event):
        self.events.append(event)
        self._more.set()

    def messages(self):
        return [event[2] for event in self.events if event[0] == "received"]

    async def until(self, fits) -> Self:
        async with asyncio.timeout(PATIENCE_S):
            while not fits(self):
                self._more.clear()
                await self._more.wait()
        return self


def seen(name, times=1):
    return lambda heard: sum(event[0] == name for event in heard.events) >= times


class End:
    """One node's links and what they brought."""

    def __init__(self, limits=None):
        self.heard = Heard()
        self.links = Links(self.heard, limits)

    async def __aenter__(self) -> Self:
        self.address = await self.links.listen(HERE)
        return self

    async def __aexit__(self, *exc):
        async with asyncio.timeout(PATIENCE_S):
            await self.links.stop()

    @property
    def url(self):
        return f"http://{self.address}/mesh"


@contextlib.asynccontextmanager
async def linked(limits=None):
    """Two ends and the link between them, spoken over once so that it stays."""
    async with End(limits) as left, End() as right:
        await right.links.dial(left.address)
        await right.heard.until(seen("opened"))
        right.links.send(1, b"hello")
        await left.heard.until(seen("received"))
        left.links.send(1, b"welcome")
        await right.heard.until(seen("received"))
        yield left, right


@contextlib.asynccontextmanager
async def stranger(end):
    """A client of our own making that has upgraded."""
    async with aiohttp.ClientSession() as session, session.ws_connect(end.url) as ws:
        yield ws


async def test_messages_cross_whole_and_in_order_both_ways():
    sent = [os.urandom(size) for size in (1, 200, MESSAGE_BYTES_MAX)] * 5
    async with linked() as (left, right):
        for message in sent:
            left.links.send(1, message)
            right.links.send(1, message)
        await left.heard.until(seen("received", 16))
        await right.heard.until(seen("received", 16))

    assert left.heard.messages() == [b"hello", *sent]
    assert right.heard.messages() == [b"welcome", *sent]
    assert left.heard.events[0] == ("opened", 1, False)
    assert right.heard.events[0] == ("opened", 1, True)
    assert left.heard.events[-1] == right.heard.events[-1] == ("closed", 1)


async def test_a_hang_up_lets_what_was_given_before_go_out():
    async with linked() as (left, right):
        for number in range(50):
            left.links.send(1, bytes([number]) * 60_000)
        left.links.hang_up(1, "duplicate")
        left.links.send(1, b"too late")
        await right.heard.until(seen("closed"))
        await left.heard.until(seen("closed"))

        assert [message[0] for message in right.heard.messages()[1:]] == list(range(50))
        assert len(left.links) == len(right.links) == 0


@pytest.mark.parametrize("size", [MESSAGE_BYTES_MAX + 1, 3_000_000])
async def test_a_message_above_the_limit_costs_the_link_and_nothing_else(size):
    async with linked() as (left, right):
        async with stranger(left) as ws:
            await ws.send_bytes(b"x")
            await ws.send_bytes(bytes(size))
            await left.heard.until(seen("closed"))

        right.links.send(1, b"still here")
        await left.heard.until(lambda heard: heard.messages()[-1] == b"still here")
        assert max(map(len, left.heard.messages())) <= MESSAGE_BYTES_MAX


@pytest.mark.parametrize("message", ["text", b""])
async def test_what_is_no_message_costs_the_link(message):
    async with linked() as (left, _), stranger(left) as ws:
        await ws.send_bytes(b"x")
        if isinstance(message, str):
            await ws.send_str(message)
        else:
            await ws.send_bytes(message)

        assert (await ws.receive(PATIENCE_S)).type is aiohttp.WSMsgType.CLOSE
        await left.heard.until(seen("closed"))


async def test_a_peer_that_opens_a_link_and_says_nothing_is_let_go(monkeypatch):
    monkeypatch.setattr(link, "FIRST_MESSAGE_S", 0.05)
    async with End() as left, stranger(left) as ws:
        assert (await ws.receive(PATIENCE_S)).type is aiohttp.WSMsgType.CLOSE
        await left.heard.until(seen("closed"))


async def test_a_peer_that_does_not_read_is_cut_and_costs_bounded_memory(monkeypatch):
    monkeypatch.setattr(link, "CLOSE_S", 0.1)
    async with linked() as (left, _):
        reader, writer = await asyncio.open_connection(*left.address, limit=1024)
        writer.write(UPGRADE)
        await left.heard.until(seen("opened", 2))
        writer.write(b"\x82\x81\0\0\0\0x")
        await left.heard.until(seen("received", 2))
        assert isinstance(writer.transport, asyncio.Transport)
        writer.transport.pause_reading()
        for _ in range(400):
            left.links.send(2, bytes(60_000))

        await left.heard.until(seen("closed"))
        left_over = left.links._links
        assert list(left_over) == [1]
        writer.transport.abort()


async def test_what_the_node_has_not_taken_is_left_in_the_socket():
    async with linked() as (left, right):
        left.heard.takes = False
        for number in range(4 * UNREAD_MAX):
            right.links.send(1, bytes([number]))
        await left.heard.until(seen("received", 1 + UNREAD_MAX))
        right.links.send(1, b"end")
        await answered(left, right)

        assert len(left.heard.untaken) == UNREAD_MAX
        left.heard.takes = True
        for taken in left.heard.untaken:
            taken()
        await left.heard.until(lambda heard: heard.messages()[-1] == b"end")
        assert left.heard.messages()[1:-1] == [bytes([n]) for n in range(4 * UNREAD_MAX)]


async def answered(left, right):
    """One message the other way: all that could arrive before it has."""
    count = len(right.heard.messages())
    left.links.send(1, b"ping")
    await right.heard.until(seen("received", count + 1))


async def test_links_are_limited_for_each_address_and_one_that_ends_makes_room():
    async with linked(Limits(links_per_host=2)) as (left, right):
        await right.links.dial(left.address)
        await left.heard.until(seen("opened", 2))

        with pytest.raises(LinkError, match="refused"):
            await right.links.dial(left.address)
        right.links.hang_up(1, "enough")
        await left.heard.until(seen("closed"))
        await right.links.dial(left.address)


async def test_links_are_limited_in_all():
    async with linked(Limits(links_max=1)) as (left, right):
        with pytest.raises(LinkError, match="refused"):
            await right.links.dial(left.address)


async def test_a_hundred_silent_connections_do_not_keep_a_peer_out():
    async with linked() as (left, right):
        silent = [await asyncio.open_connection(*left.address) for _ in range(100)]
        for _, writer in silent[::2]:
            writer.write(b"GET /mesh HTTP/1.1\r\nHost: a\r\nX-Slow: ")

        async with asyncio.timeout(1):
            await right.links.dial(left.address)
            right.links.send(1, b"still here")
            await left.heard.until(lambda heard: b"still here" in heard.messages())
        assert left.links.half_open <= HALF_OPEN_PER_HOST
        for _, writer in silent:
            writer.transport.abort()


async def test_a_connection_that_asks_for_nothing_is_cut_in_time(monkeypatch):
    monkeypatch.setattr(door, "ASK_S", 0.05)
    async with End() as left:
        for opening in (b"", b"GET /mesh HTT"):
            reader, writer = await asyncio.open_connection(*left.address)
            writer.write(opening)
            async with asyncio.timeout(PATIENCE_S):
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
            writer.close()
        assert left.links.half_open == 0


async def test_peers_that_do_not_answer_hold_a_stop_up_for_a_bounded_time():
    async with End() as left:
        dumb = await asyncio.start_server(answer_an_upgrade_and_nothing_more, "127.0.0.1", 0)
        async with dumb:
            await left.links.dial(Address(*dumb.sockets[0].getsockname()))
            _, writer = await asyncio.open_connection(*left.address)
            writer.write(UPGRADE)
            await left.heard.until(seen("opened", 2))

            async with asyncio.timeout(1.8):
                await left.links.stop()
            writer.transport.abort()
    assert len(left.links) == 0
    assert sum(event[0] == "closed" for event in left.heard.events) == 2


async def answer_an_upgrade_and_nothing_more(reader, writer):
    asked = (await reader.readuntil(b"\r\n\r\n")).decode()
    key = re.search("(?i)sec-websocket-key: *(.*)\r", asked)[1]
    accept = base64.b64encode(hashlib.sha1((key + WS_GUID).encode()).digest()).decode()
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept.encode() + b"\r\n\r\n"
    )
    with contextlib.suppress(ConnectionError):
        await reader.read()
        await asyncio.Event().wait()


WS_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
UPGRADE = (
    b"GET /mesh HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)


@pytest.mark.parametrize(
    "garbage",
    [
        b"\0" * 5000,
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /mesh HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /mesh HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 5000,
        b"GET /mesh HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 9000 + b"\r\n\r\n",
        b"GET /mesh HTTP/1.1\r\n" + b"A: b\r\n" * 500 + b"\r\n",
        UPGRADE + b"\x82\xfe\xff\xff\0\0\0\0" + b"\0" * 70_000,
        UPGRADE + b"\x82\xff\x7f" + b"\xff" * 7 + b"\0" * 1000,
        UPGRADE + b"\xc2\x81\0\0\0\0x",
        UPGRADE + b"\x82\x01x",
        UPGRADE + b"\x81\x82\0\0\0\0\xff\xfe",
        UPGRADE + b"\x82\x81\0\0\0\0x" + os.urandom(2000),
    ],
)
async def test_garbage_costs_its_own_connection_and_is_not_repeated_to_anybody(garbage, capfd):
    async with linked() as (left, right):
        reader, writer = await asyncio.open_connection(*left.address)
        writer.write(garbage)
        writer.write_eof()
        async with asyncio.timeout(PATIENCE_S):
            with contextlib.suppress(ConnectionError):
                answer = await reader.read()
                assert b"aiohttp" not in answer
                assert b"Python" not in answer
        writer.close()

        right.links.send(1, b"still here")
        await left.heard.until(lambda heard: b"still here" in heard.messages())
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "garbage",
    [b"\xff\x01" * 5000 + b"\r\n\r\n", b"\0secret\r\n\r\n", b"GET secret \xff HTTP/9\r\n\r\n"],
)
async def test_what_is_no_request_is_answered_with_a_status_alone(garbage):
    async with End() as end:
        reader, writer = await asyncio.open_connection(*end.address)
        writer.write(garbage)
        async with asyncio.timeout(PATIENCE_S):
            answer = await reader.read()
        writer.close()
    assert answer.startswith(b"HTTP/1.0 400 ")
    assert len(answer) < 120
    assert b"Python" not in answer and b"secret" not in answer and b"\xff" not in answer


async def test_a_stranger_cannot_send_us_elsewhere():
    async with End() as victim:

        async def redirect(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            where = f"Location: {victim.url}\r\n".encode()
            writer.write(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n" + where + b"\r\n")
            writer.close()

        server = await asyncio.start_server(redirect, "127.0.0.1", 0)
        async with End() as dialler, server:
            with pytest.raises(LinkError, match="refused"):
                await dialler.links.dial(Address(*server.sockets[0].getsockname()))
        assert victim.heard.events == []


async def test_nobody_there_is_one_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with End() as end:
            with pytest.raises(LinkError, match="unreachable"):
                await end.links.dial(Address(*taken.getsockname()))
            with pytest.raises(LinkError, match="cannot_listen"):
                await end.links.listen(end.address)


async def test_an_upgrade_costs_few_bytes_both_ways():
    counted = {"up": 0, "down": 0}
    async with End() as left, End() as right:

        async def pipe(reader, writer, way):
            while chunk := await reader.read(65_536):
                counted[way] += len(chunk)
                writer.write(chunk)
            writer.close()

        async def relay(reader, writer):
            onward = await asyncio.open_connection(*left.address)
            await asyncio.gather(pipe(reader, onward[1], "up"), pipe(onward[0], writer, "down"))

        async with await asyncio.start_server(relay, "127.0.0.1", 0) as server:
            await right.links.dial(Address(*server.sockets[0].getsockname()))
            await right.heard.until(seen("opened"))
            assert counted["up"] <= 200
            assert counted["down"] <= 200
            right.links.hang_up(1, "enough")
            await left.heard.until(seen("closed"))
