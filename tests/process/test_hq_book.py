"""The pages' own connection: reads while the node is busy, sees what is saved, writes nothing."""

from __future__ import annotations

import asyncio
import io
import threading

import pytest

from hq.accounts import Accounts
from hq.book import LedgerBook
from hq.queries import newest
from protocols.errors import LedgerError
from protocols.ledger.store import open_memory
from protocols.live.journal import Journal
from protocols.live.service import Service
from tests.process.live_node import factory, found, patient, quiet
from tests.unit.hq_book import CHEAP, Entropy

COUNT = "select count(*) from patient"


@pytest.fixture
async def served(tmp_path):
    found(tmp_path / "hq", hq=True)
    service = Service(factory(tmp_path / "hq"), quiet(tmp_path / "hq"), Journal(io.StringIO()))
    await service.start()
    book = LedgerBook(service)
    await book.open()
    yield service, book
    await book.close()
    await service.stop()


async def record(service, *numbers):
    return await service.call(lambda node, now: node.record([patient(n) for n in numbers], now))


async def test_pages_are_read_while_the_node_is_busy_with_something_else(served):
    service, book = served
    await record(service, 1, 2)
    begun, done = threading.Event(), threading.Event()

    def busy(node, now):
        begun.set()
        done.wait(30)
        return None, ()

    holding = asyncio.ensure_future(service.call(busy))
    await asyncio.to_thread(begun.wait, 30)
    try:
        async with asyncio.timeout(20):
            assert await book.read(COUNT, {}) == [(2,)]
        assert not holding.done()
    finally:
        done.set()
        await holding


async def test_what_is_saved_is_read_at_once_and_accounts_go_through_the_node(served):
    service, book = served
    for number in range(3):
        await record(service, number)
        assert await book.read(COUNT, {}) == [(number + 1,)]
    accounts = Accounts(book, entropy=Entropy(), cost=CHEAP)
    link = await accounts.issue_link(0)
    await accounts.create(link, "lead", "four unrelated words", 0)

    assert await accounts.names() == ["lead"]
    assert await accounts.remove("lead")
    assert await accounts.names() == []


async def test_pages_are_told_when_the_newest_of_a_patient_happened_as_soon_as_it_is_saved(served):
    service, book = served
    (answer,) = await record(service, 1)
    for number in range(3):
        before_ms = service.clock.now().wall_ms
        while service.clock.now().wall_ms == before_ms:
            pass
        line = {"v": 1, "kind": "note.add", "key": f"note-{number}", "data": {"text": "seen"}}
        line["patient"] = str(answer.id)
        await service.call(lambda node, now, line=line: node.record([line], now))
        ((written_ms,),) = await book.read("select max(at_ms) from note", {})

        assert list((await newest(book)).values()) == [written_ms]


async def test_the_connection_of_the_pages_writes_nothing(served):
    service, _ = served
    reader = await service.call(lambda node, _: (node.ledger.store.reader(), ()))

    with pytest.raises(LedgerError):
        reader.execute("delete from hq_account")

    reader.close()
    assert await record(service, 9)


async def test_without_a_second_connection_the_node_is_asked(served):
    service, _ = served
    other = LedgerBook(service)
    await record(service, 1)

    assert await other.read(COUNT, {}) == [(1,)]
    await other.close()


def test_a_book_in_memory_has_no_second_connection():
    with pytest.raises(LedgerError, match="no_reader"):
        open_memory().reader()
