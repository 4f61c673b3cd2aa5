"""The client against a node on a real socket: answers, refusals, absence, return."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC
from typing import Any

import pytest

from fieldnode.client import NodeClient
from fieldnode.text.catalogue import load
from fieldnode.tui.app import Driver
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens import home
from fieldnode.tui.shell import Shell
from protocols.errors import InputError, LinkError
from protocols.live.api import Draft
from tests.screens.fake_node import NOW_MS, PASSPHRASE, Served, ward


@pytest.fixture
async def served(tmp_path) -> AsyncIterator[Served]:
    running = Served(ward(), tmp_path / "n.sock")
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def client(served: Served) -> AsyncIterator[NodeClient]:
    found = NodeClient(served.path)
    yield found
    await found.close()


async def test_every_call_comes_back_typed(client: NodeClient):
    patient = (await client.board(0, 1)).lines[0].patient
    draft = Draft("note", "d1", {"text": "pale"}, patient)
    await client.draft_put(draft)

    assert (await client.hello()).name == "nord-b"
    assert (await client.search("haddad", 5)).total == 1
    assert (await client.chart(patient, 0, 10)).head.patient == patient
    assert (await client.sync()).peers[0].name == "nord-a"
    assert await client.draft_list() == [draft]
    assert await client.unlock("other") is False
    assert await client.unlock(PASSPHRASE) is True


async def test_a_refusal_is_raised_as_the_node_meant_it(client: NodeClient):
    with pytest.raises(InputError) as refused:
        await client.chart("pat_none", 0, 1)

    assert (refused.value.code, refused.value.field) == ("not_found", "patient")


async def test_calls_at_once_each_get_their_own_answer(client: NodeClient):
    boards = await asyncio.gather(*(client.board(0, number) for number in range(1, 9)))

    assert [len(board.lines) for board in boards] == list(range(1, 9))


async def test_a_node_that_is_not_there_is_a_link_error(tmp_path):
    with pytest.raises(LinkError) as missing:
        await NodeClient(tmp_path / "none.sock").hello()

    assert missing.value.code == "no_node"


async def test_the_client_comes_back_when_the_node_does(client: NodeClient, served: Served):
    await client.hello()
    await served.stop()
    with pytest.raises(LinkError):
        await client.hello()
    await served.start()

    assert (await client.hello()).name == "nord-b"


async def test_changes_tell_of_absence_and_return(client: NodeClient, served: Served):
    changes = client.changes()
    assert await anext(changes) == {"*"}
    await served.change("patient")
    assert await anext(changes) == {"patient"}
    await served.stop()
    assert await anext(changes) == frozenset()
    await served.start()
    assert await anext(changes) == {"*"}


async def test_changes_that_came_meanwhile_are_told_together(served: Served, client: NodeClient):
    changes = client.changes()
    assert await anext(changes) == {"*"}
    for table in ("patient", "triage", "note"):
        await served.change(table)
    # What was sent before an answer is here when the answer is.
    await client.hello()

    assert await anext(changes) == {"patient", "triage", "note"}


async def test_a_node_that_changes_all_the_time_is_asked_again_once_it_has_answered():
    node, counted = ward(), []

    class Busy:
        def __init__(self):
            self.answers = asyncio.Event()

        async def changes(self):
            for _ in range(50):
                yield frozenset({"patient"})

        def __getattr__(self, name):
            async def call(*given, **named):
                counted.append(name)
                await self.answers.wait()
                return await getattr(node, name)(*given, **named)

            return call

    busy: Any = Busy()
    keys = iter(range(99))
    desk = Desk(load("en"), UTC, lambda: f"key{next(keys)}", NOW_MS, node.greeting)
    driver = Driver(Shell(desk, home.page(desk), home.openers()), busy, lambda: None)
    driver.start()
    for _ in range(20):
        await asyncio.sleep(0)
    # Once when it began, and once for the first change of which it told.
    assert counted.count("board") <= 2

    busy.answers.set()
    for _ in range(400):
        await asyncio.sleep(0)
    assert counted.count("board") > 10
    for task in list(driver._tasks):
        task.cancel()
