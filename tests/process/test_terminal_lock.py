"""A locked terminal on a real node: what it may ask, and how often a passphrase may be tried."""

import asyncio

import pytest

from protocols.errors import InputError
from protocols.live.tries import FREE_TRIES
from tests.process.live_desk import PASSPHRASE, made, served, terminal


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return made(tmp_path_factory.mktemp("lock") / "node")


def test_a_locked_terminal_asks_nothing_and_others_go_on(folder):
    async def seen():
        async with served(folder), terminal(folder) as one, terminal(folder) as other:
            await one.lock()
            greeting = await one.hello()
            refused = []
            for call in (one.board(0, 10), one.search("a", 10), one.draft_list(), one.sync()):
                try:
                    await call
                except InputError as error:
                    refused.append(error.code)
            status = await other.call("status")
            opened = await one.unlock(PASSPHRASE)
            after = await one.board(0, 10)
            return greeting.locked, refused, status["terminals_locked"], opened, after.total

    assert asyncio.run(seen()) == (True, ["locked"] * 4, 1, True, 0)


def test_wrong_passphrases_are_counted_for_the_whole_node(folder):
    async def seen():
        async with served(folder), terminal(folder) as one, terminal(folder) as other:
            await one.lock()
            await other.lock()
            # At once and from two terminals: each is counted before the next is tried.
            tried = await asyncio.gather(
                *(who.unlock("wrong") for who in [one, other] * FREE_TRIES),
                return_exceptions=True,
            )
            with pytest.raises(InputError) as refused:
                await other.unlock(PASSPHRASE)
            return tried, refused.value

    tried, refused = asyncio.run(seen())
    assert tried[:FREE_TRIES] == [False] * FREE_TRIES
    assert [error.code for error in tried[FREE_TRIES:]] == ["too_many_tries"] * FREE_TRIES
    assert refused.code == "too_many_tries"
    assert 25 <= refused.values["wait_s"] <= 30


def test_how_long_a_terminal_may_stand_idle_is_kept_on_the_node(folder):
    async def seen():
        async with served(folder), terminal(folder) as node:
            before = (await node.hello()).lock_after_min
            await node.settings(lock_after="10")
            chosen = (await node.hello()).lock_after_min
            await node.settings(lock_after="999")
            return before, chosen, (await node.hello()).lock_after_min

    assert asyncio.run(seen()) == (3, 10, 3)
