"""The gate on a real node: counts at a locked screen, links, and settings that are kept."""

import asyncio

import pytest

from protocols.errors import InputError
from tests.process.live_desk import made, served, terminal


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return made(tmp_path_factory.mktemp("gate") / "node")


def line(kind, data, key, **more):
    return {"v": 1, "kind": kind, "key": key, "data": data, **more}


def test_a_locked_terminal_triages_and_is_told_numbers_and_nothing_else(folder):
    async def seen():
        async with served(folder), terminal(folder) as node:
            await node.lock()
            (answer,) = await node.record([line("triage.record", {"category": "red"}, "a")])
            tally = await node.tally()
            with pytest.raises(InputError) as refused:
                await node.relations(answer.patient)
            return answer.ok, tally, refused.value.code

    ok, tally, refused = asyncio.run(seen())
    assert ok and refused == "locked"
    assert (tally.counts, tally.last_minute) == ({"1": 1}, 1)
    assert tally.since_ms is not None


def test_two_records_are_linked_and_the_link_is_taken_back(folder):
    async def seen():
        async with served(folder), terminal(folder) as node:
            one, two = await node.record(
                [
                    line("patient.register", {"family_name": "Awa"}, "b"),
                    line("patient.register", {"sex": "unknown"}, "c"),
                ]
            )
            said = {"other": one.patient, "relation": "same"}
            await node.record([line("patient.link", said, "d", patient=two.patient)])
            linked = await node.relations(one.patient)
            await node.record(
                [line("patient.unlink", said, "e", patient=two.patient, reason="another scar")]
            )
            return linked.lines, (await node.relations(one.patient)).lines

    (linked,), (after,) = asyncio.run(seen())
    assert (linked.relation, linked.linked, linked.disputed) == ("same", True, False)
    assert not after.linked


def test_prefix_and_sound_are_kept_over_a_restart(folder):
    async def chosen():
        async with served(folder), terminal(folder) as node:
            await node.settings(tag_prefix="ZX-00", sound="off")

    async def kept():
        async with served(folder), terminal(folder) as node:
            greeting = await node.hello()
            return greeting.tag_prefix, greeting.sound

    asyncio.run(chosen())
    assert asyncio.run(kept()) == ("ZX-00", "off")
