"""The local socket: real Unix sockets, the waiting client, and who may not use it."""

import asyncio
import contextlib
import io
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

import pytest

from protocols.errors import FieldmeshError, InputError, LedgerError, LinkError
from protocols.live import local
from protocols.live.api import BoardLine, BoardPage
from protocols.live.client import LocalClient
from protocols.live.commands import LocalDoor, print_rows
from protocols.live.journal import Journal
from protocols.live.lines import LINE_BYTES_MAX, POINTER_NAME, SOCKET_NAME, find_socket
from protocols.live.local import CLIENTS_MAX, LocalServer

PATIENCE_S = 10


class Node:
    """A local server with a few calls, and what it was asked."""

    def __init__(self, folder):
        self.folder = folder
        self.log = io.StringIO()
        self.left = []
        self.go_on = asyncio.Event()
        self.begun = asyncio.Event()
        calls = {
            "echo": self.echo,
            "board": self.board,
            "fail": self.fail,
            "hold": self.hold,
            "large": self.large,
            "rows": self.rows,
        }
        self.journal = Journal(self.log)
        self.server = LocalServer(calls, self.journal, left=self.left.append)

    async def __aenter__(self) -> Self:
        await self.server.start(self.folder)
        return self

    async def __aexit__(self, *exc):
        async with asyncio.timeout(PATIENCE_S):
            await self.server.stop()
        self.journal.close()

    async def echo(self, caller, args):
        return {"caller": caller.number, **args}

    async def board(self, caller, args) -> BoardPage:
        return BoardPage(1, 0, (BoardLine("pat_1", "346-789", "Ám-ina"),), {"1": 1})

    async def fail(self, caller, args):
        errors = {
            "person": InputError("ambiguous", field="patient", allowed=("a code",), count=2),
            "device": LedgerError("disk_full", free=0),
            "us": RuntimeError("Amina Diallo, 34 y"),
        }
        raise errors[args["whose"]]

    async def hold(self, caller, args):
        self.begun.set()
        await self.go_on.wait()
        return "held"

    async def large(self, caller, args):
        return "x" * args["size"]

    async def rows(self, caller, args):
        if self.begun.is_set():
            raise LinkError("node_stopping")
        self.begun.set()
        return {"rows": [], "cursor": 0}


@pytest.fixture
async def node(tmp_path) -> AsyncIterator[Node]:
    async with Node(tmp_path) as node:
        yield node


async def waiting(work, *args):
    async with asyncio.timeout(PATIENCE_S):
        return await asyncio.to_thread(work, *args)


def with_client(folder, work):
    with LocalClient(folder, call_s=PATIENCE_S) as client:
        return work(client)


async def test_a_call_is_answered_with_what_the_handler_returned(node: Node, tmp_path):
    page = await waiting(with_client, tmp_path, lambda client: client.call("board", offset=0))

    assert page["lines"][0]["name"] == "Ám-ina"
    assert page["counts"] == {"1": 1}


async def test_calls_of_one_client_come_from_one_caller_who_leaves_once(node: Node, tmp_path):
    def twice(client):
        return [client.call("echo", n=n) for n in (1, 2)]

    answers = await waiting(with_client, tmp_path, twice)
    more = await waiting(with_client, tmp_path, twice)

    assert answers == [{"caller": 1, "n": 1}, {"caller": 1, "n": 2}]
    assert {answer["caller"] for answer in more} == {2}
    while len(node.left) < 2:
        await waiting(with_client, tmp_path, lambda client: client.call("echo"))
    assert node.left[0].number == 1
    assert node.left[0].pid == os.getpid()


@pytest.mark.parametrize(
    ("whose", "kind", "code"),
    [
        ("person", InputError, "ambiguous"),
        ("device", LedgerError, "disk_full"),
        ("us", InputError, "fault"),
    ],
)
async def test_a_refusal_is_the_same_error_at_the_other_end(
    node: Node, tmp_path, whose, kind, code
):
    def fail(client):
        with pytest.raises(FieldmeshError) as caught:
            client.call("fail", whose=whose)
        assert client.call("echo", n=1)["n"] == 1
        return caught.value

    error = await waiting(with_client, tmp_path, fail)

    assert (type(error), error.code) == (kind, code)
    if whose == "person":
        assert (error.field, error.allowed, error.values) == ("patient", ("a code",), {"count": 2})


async def test_a_fault_of_ours_says_nothing_about_a_patient(node: Node, tmp_path, capfd):
    def fail(client):
        with pytest.raises(FieldmeshError) as caught:
            client.call("fail", whose="us")
        return repr(caught.value)

    told = await waiting(with_client, tmp_path, fail)
    node.journal.close()

    assert "Amina" not in told + node.log.getvalue() + "".join(capfd.readouterr())
    assert json.loads(node.log.getvalue())["code"].startswith("fault_test_live_local_")


async def test_an_unknown_call_is_refused_by_name(node: Node, tmp_path):
    def ask(client):
        with pytest.raises(InputError, match="unknown_call"):
            client.call("exec", code="1")

    await waiting(with_client, tmp_path, ask)


@pytest.mark.parametrize(
    "line",
    [b"{}\n", b"[]\n", b"\n", b'{"id":0,"call":"echo"}\n', b"\xff\xfe\n", b"[" * 5000 + b"\n"],
)
async def test_a_line_that_is_no_request_ends_that_connection_only(node: Node, tmp_path, line):
    reader, writer = await asyncio.open_unix_connection(find_socket(tmp_path))
    writer.write(line)
    async with asyncio.timeout(PATIENCE_S):
        answer = json.loads(await reader.readline())
        assert await reader.read() == b""
    writer.close()

    assert answer["error"]["code"] == "bad_line"
    assert (await waiting(with_client, tmp_path, lambda client: client.call("echo", n=1)))["n"] == 1


@pytest.mark.parametrize(("over", "code"), [(0, None), (1, "line_too_long")])
async def test_a_line_may_be_as_long_as_the_limit_and_no_byte_longer(
    node: Node, tmp_path, over, code
):
    frame = b'{"id":1,"call":"echo","args":{"t":"%s"}}\n'
    text = b"x" * (LINE_BYTES_MAX + over - len(frame) + 2)
    reader, writer = await asyncio.open_unix_connection(find_socket(tmp_path), limit=2**22)
    writer.write(frame % text)
    async with asyncio.timeout(PATIENCE_S):
        answer = json.loads(await reader.readline())
    writer.close()

    # The answer to the longest line is longer than a line: refused, and said so.
    refused = answer["error"]
    assert refused["code"] == "line_too_long"
    assert answer["id"] == (1 if code is None else 0)


async def test_an_answer_too_long_for_a_line_is_an_error_and_not_half_an_answer(
    node: Node, tmp_path
):
    def ask(client):
        with pytest.raises(InputError, match="line_too_long"):
            client.call("large", size=LINE_BYTES_MAX)
        return len(client.call("large", size=LINE_BYTES_MAX - 100))

    assert await waiting(with_client, tmp_path, ask) == LINE_BYTES_MAX - 100


async def test_changes_reach_subscribers_of_their_tables(node: Node, tmp_path):
    with LocalClient(tmp_path) as client:
        changes = await waiting(client.follow, "patient")
        node.server.publish({"note"})
        node.server.publish({"patient", "triage"})

        assert await waiting(next, changes) == {"patient"}


@pytest.mark.parametrize("first", [True, False])
async def test_whoever_follows_and_asks_while_the_node_stops_hears_that_it_stopped(
    tmp_path, first: bool
):
    async with Node(tmp_path) as node:
        if first:
            # The first page is asked for as it stops, too.
            node.begun.set()
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()

        class Asking(LocalDoor):
            """Says when it has heard that the node is stopping."""

            def rows(self, table, since):
                try:
                    return super().rows(table, since)
                except LinkError:
                    loop.call_soon_threadsafe(stopping.set)
                    raise

        def follow(client):
            with pytest.raises(LinkError) as caught:
                print_rows(Asking(client), "patient", 0, follow=True)
            return caught.value.code

        following = asyncio.create_task(waiting(with_client, tmp_path, follow))
        async with asyncio.timeout(PATIENCE_S):
            while not (stopping.is_set() or following.done()):
                node.server.publish(["patient"])
                await asyncio.sleep(0)
        await node.server.stop()

        assert await following == "node_left"


async def test_a_subscriber_that_does_not_read_costs_one_set_of_names(node: Node, tmp_path):
    reader, writer = await asyncio.open_unix_connection(find_socket(tmp_path), limit=64)
    writer.write(b'{"id":1,"call":"subscribe"}\n')
    await reader.readline()
    assert isinstance(writer.transport, asyncio.Transport)
    writer.transport.pause_reading()
    client = next(iter(node.server._clients.values()))
    for number in range(20_000):
        node.server.publish({"patient", f"t{number % 50}"})
        if number % 100 == 0:
            await asyncio.sleep(0)

    assert len(client._pending) <= 51
    assert client._writer.transport.get_write_buffer_size() <= 128 * 1024
    writer.transport.abort()


async def test_the_socket_is_for_its_owner_and_goes_with_the_node(tmp_path):
    async with Node(tmp_path) as node:
        path = node.server.path
        assert path == tmp_path / SOCKET_NAME
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()
    with pytest.raises(LinkError, match="no_node"):
        LocalClient(tmp_path)


async def test_a_socket_left_by_a_killed_node_is_replaced(tmp_path):
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(tmp_path / SOCKET_NAME))
    async with Node(tmp_path):
        answer = await waiting(with_client, tmp_path, lambda client: client.call("echo", n=1))

    assert answer["n"] == 1


async def test_a_folder_too_deep_for_a_socket_gets_one_elsewhere(tmp_path, monkeypatch, request):
    # Not below tmp_path, which is too deep for a socket itself where user names are long.
    runtime = Path(tempfile.mkdtemp(prefix="fm-"))
    request.addfinalizer(lambda: shutil.rmtree(runtime))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    deep = tmp_path / ("x" * 100) / ("é" * 50)
    deep.mkdir(parents=True)
    async with Node(deep) as node:
        assert node.server.path.parent == runtime / "fieldmesh"
        assert stat.S_IMODE(node.server.path.parent.stat().st_mode) == 0o700
        monkeypatch.delenv("XDG_RUNTIME_DIR")
        answer = await waiting(with_client, deep, lambda client: client.call("echo", n=1))
        assert answer["n"] == 1
    assert not (deep / POINTER_NAME).exists()
    with pytest.raises(LinkError, match="no_node"):
        LocalClient(deep)


AS_NOBODY = """
import os, socket, sys
os.setgid(65534); os.setuid(65534)
link = socket.socket(socket.AF_UNIX)
try:
    link.connect(sys.argv[1])
except PermissionError:
    print("kept out"); sys.exit()
try:
    link.sendall(b'{"id":1,"call":"echo"}\\n')
except BrokenPipeError:
    pass  # refused and closed before we said anything; the refusal is still there to read
print(link.makefile().readline(), end="")
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
@pytest.mark.parametrize("opened", [False, True])
async def test_another_user_is_refused_by_the_file_and_then_by_the_node(opened):
    # pytest's own temporary folder is closed to others already; the node must not rely on that.
    folder = f"/tmp/fm-local-{os.getpid()}"
    os.mkdir(folder, 0o755)
    try:
        async with Node(Path(folder)) as node:
            if opened:
                node.server.path.chmod(0o666)
            ran = await waiting(
                lambda: subprocess.run(
                    [sys.executable, "-c", AS_NOBODY, str(node.server.path)],
                    capture_output=True, text=True, timeout=PATIENCE_S, check=False,
                )
            )  # fmt: skip
            assert node.left == []
    finally:
        os.rmdir(folder)

    if opened:
        assert ran.stdout, ran.stderr
        assert json.loads(ran.stdout)["error"]["code"] == "other_user"
    else:
        assert ran.stdout == "kept out\n"


async def test_one_client_more_than_there_may_be_is_told_so(node: Node, tmp_path):
    with contextlib.ExitStack() as stack:
        for _ in range(CLIENTS_MAX):
            client = stack.enter_context(LocalClient(tmp_path))
            await waiting(client.call, "echo")
        late = stack.enter_context(LocalClient(tmp_path))

        with pytest.raises(InputError, match="too_many_clients"):
            await waiting(late.call, "echo")


async def test_a_stopping_node_answers_the_call_it_has_begun(tmp_path):
    async with Node(tmp_path) as node:
        call = asyncio.create_task(
            waiting(with_client, tmp_path, lambda client: client.call("hold"))
        )
        await asyncio.wait_for(node.begun.wait(), PATIENCE_S)
        stopping = asyncio.create_task(node.server.stop())
        await asyncio.sleep(0)
        node.go_on.set()

        assert await call == "held"
        await stopping


async def test_a_call_that_does_not_end_holds_a_stop_up_for_a_bounded_time(tmp_path, monkeypatch):
    monkeypatch.setattr(local, "LAST_CALL_S", 0.05)

    def hold(client):
        with pytest.raises(LinkError, match="node_left"):
            client.call("hold")

    async with Node(tmp_path) as node:
        call = asyncio.create_task(waiting(with_client, tmp_path, hold))
        await asyncio.wait_for(node.begun.wait(), PATIENCE_S)
        async with asyncio.timeout(2):
            await node.server.stop()
        await call
