"""Hand-over, doubts, doubles and papers on a real node, asked over its socket."""

import asyncio

import pytest

from fieldnode.client import NodeClient
from protocols.errors import InputError
from tests.process.live_desk import made, served, terminal


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return made(tmp_path_factory.mktemp("between") / "node")


def line(kind, data, key, **more):
    return {"v": 1, "kind": kind, "key": key, "data": data, **more}


async def somebody(node: NodeClient, key: str, **data) -> str:
    known = {"family_name": "Okoro", "given_name": "Amina", "sex": "female", **data}
    (answer,) = await node.record([line("patient.register", known, key)])
    await node.record([line("encounter.open", {}, f"{key}-care", patient=answer.patient)])
    return answer.patient


def test_doubts_of_one_device_are_told_and_settled(folder):
    async def seen():
        async with served(folder), terminal(folder) as node:
            who = await somebody(node, "a")
            for key, value in (("w1", "40"), ("w2", "60")):
                weight = {"code": "weight", "value": value, "unit": "kg"}
                await node.record([line("observation.record", weight, key, patient=who)])
            listed = await node.unsettled(10)
            (one,) = (await node.disputes(who)).lines
            settle = {"attribute": one.what, "keep": one.sides[1].fact}
            (done,) = await node.record(
                [line("conflict.settle", settle, "s", patient=who, reason="weighed again")]
            )
            return listed, one, done, await node.unsettled(10)

    listed, one, done, after = asyncio.run(seen())
    assert (listed.total, listed.lines[0].risk, listed.lines[0].sides) == (1, "weight", ())
    assert [side.parts for side in one.sides] == [("40 kg",), ("60 kg",)]
    assert one.sides[1].had_seen == (0,)
    assert done.ok, done
    assert after.total == 0


def test_an_offer_stands_and_is_taken_back(folder):
    async def seen():
        async with served(folder), terminal(folder) as node:
            who = await somebody(node, "b", family_name="Diallo", given_name="Awa")
            before = await node.handing(who)
            data = {"to": {"organisation": "Red Star"}, "mechanism": "fell"}
            (offer,) = await node.record([line("transfer.offer", data, "o", patient=who)])
            standing = await node.offers(10)
            back = {"answers": standing.lines[0].offer}
            await node.record([line("transfer.decline", back, "d", patient=who, reason="better")])
            return before, offer, standing, await node.offers(10)

    before, offer, standing, after = asyncio.run(seen())
    assert before.head.name
    assert offer.ok
    (one,) = standing.lines
    assert (one.from_here, one.to, dict(one.said)) == (True, "Red Star", {"mechanism": "fell"})
    assert after.lines == ()


def test_doubles_are_found_while_typing_and_in_the_ward(folder):
    async def seen():
        async with served(folder), terminal(folder) as node:
            one = await somebody(node, "c", family_name="Haddad", given_name="Nour")
            two = await somebody(node, "again", family_name="Hadad", given_name="Nour")
            typed = await node.alike(["Haddad", "Nour"], 2, tag="")
            pairs = await node.lookalikes(10)
            return {one, two}, typed, pairs

    both, typed, pairs = asyncio.run(seen())
    assert both <= {each.head.patient for each in typed.lines}
    assert both in [{each.head.patient, each.other.patient} for each in pairs.lines]


def test_a_paper_that_was_printed_here_is_read_and_a_tag_is_none(folder):
    async def seen():
        async with served(folder), terminal(folder) as node:
            who = await somebody(node, "e", family_name="Silva", given_name="Pedro")
            made = await node.call("print_summary", patient=who, advice="", reason="")
            read = await node.paper_read(made["text"])
            with pytest.raises(InputError) as refused:
                await node.paper_read("TG-000412")
            await node.lock()
            locked = []
            for call in (node.unsettled(1), node.offers(1), node.lookalikes(1),
                         node.disputes(who), node.handing(who), node.alike(["x"])):  # fmt: skip
                with pytest.raises(InputError) as closed:
                    await call
                locked.append(closed.value.code)
            return who, read, refused.value.code, locked

    who, read, refused, locked = asyncio.run(seen())
    assert (read.worth, read.patient) == ("holds", who)
    assert "Silva" in read.said.name
    assert refused == "not_a_paper"
    assert set(locked) == {"locked"}
