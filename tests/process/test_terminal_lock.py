"""A locked terminal on a real node: what it may ask, and how often a passphrase may be tried."""

import asyncio

import pytest

from protocols.errors import InputError, SetupError
from protocols.live.tries import FREE_TRIES
from tests.process.live_desk import PASSPHRASE, made, served, terminal


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return made(tmp_path_factory.mktemp("lock") / "node")


@pytest.mark.safety(20)
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
            # Triage goes on, guided too: of a pack everybody may know.
            assert (await one.pack_in_use("triage")).text
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


def test_passphrases_tried_at_a_locked_terminal_are_in_the_audit_trail(folder):
    async def tried():
        async with served(folder), terminal(folder) as one, terminal(folder) as other:
            await one.lock()
            for word in ("wrong", "wrong again", PASSPHRASE):
                await one.unlock(word)
            page = await other.call("audit", what=["failed_login", "login"])
            return [(line["what"], line["sealed"]) for line in page["lines"]]

    # The first wrong one is written at once, whatever happens to the plug afterwards.
    assert ("failed_login", False) in asyncio.run(tried())

    async def after():
        async with served(folder), terminal(folder) as one:
            page = await one.call("audit", what=["failed_login", "login"])
            return {(line["what"], line["count"]) for line in page["lines"]}

    # The other and the right one were written when the node stopped.
    assert {("failed_login", 1), ("login", 1)} <= asyncio.run(after())


def test_what_is_no_question_about_the_trail_is_refused(folder):
    async def asked():
        async with served(folder), terminal(folder) as one:
            refused = []
            for args in (
                {"what": ["breakfast"]},
                {"what": "export"},
                {"since_ms": -1},
                {"since_ms": "yesterday"},
                {"limit": True},
            ):
                with pytest.raises(InputError) as error:
                    await one.call("audit", **args)
                refused.append(error.value.code)
            for args in ({"patient": "pat_1", "reason": "x"}, {"patient": 1}, {}):
                with pytest.raises(InputError) as error:
                    await one.call("break_glass", **args)
                refused.append(error.value.code)
            nobody = "pat_" + "0" * 26
            for reason in ("", " ", "x" * 141, "care"):
                with pytest.raises(InputError) as error:
                    await one.call("break_glass", patient=nobody, reason=reason)
                refused.append(error.value.code)
            return refused

    assert asyncio.run(asked()) == [
        "bad_value", "bad_line", "bad_line", "bad_line", "bad_line",
        "bad_id", "bad_line", "bad_line",
        "reason_needed", "reason_needed", "too_long", "not_found",
    ]  # fmt: skip


def test_the_panic_key_destroys_the_key_at_a_locked_terminal_too_and_stops_the_node(tmp_path):
    folder = made(tmp_path / "node")

    async def panicked():
        async with served(folder) as desk, terminal(folder) as node:
            await node.lock()
            await node.panic()
            return desk._service._stop.is_set()

    assert asyncio.run(panicked())
    assert not (folder / "ledger.key").exists()

    async def opened():
        async with served(folder):
            pass

    with pytest.raises(SetupError) as refused:
        asyncio.run(opened())
    assert refused.value.code == "no_key_file"
