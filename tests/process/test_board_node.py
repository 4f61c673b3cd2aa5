"""The board over the socket of a real node: score, order, beds, and what a device measured."""

import asyncio

from fieldnode.tui import printer
from tests.process.live_desk import made, served, terminal
from tests.process.test_care_node import begun

SET = [
    {"code": "respiratory-rate", "value": "26", "unit": "/min"},
    {"code": "spo2", "value": "93", "unit": "%"},
    {"code": "oxygen", "value": "0", "unit": "L/min"},
    {"code": "systolic", "value": "98", "unit": "mm[Hg]"},
    {"code": "heart-rate", "value": "118", "unit": "/min"},
    {"code": "consciousness", "value": "alert"},
    {"code": "temperature", "value": "38.6", "unit": "Cel"},
]


async def looked(node):
    bedside = await begun(node)
    await bedside.saved("patient.identify", {"age": {"value": "34", "unit": "y"}})
    written = await bedside.saved(
        "observation.record", {"set": SET}, source="device", confirm=["unusual_value"]
    )
    (waits,) = (await node.board(0, 50, "", "score", "B")).lines
    line = {"v": 1, "kind": "result.accept", "key": "yes", "data": {"results": written.facts}}
    (accepted,) = await node.record([line])
    (scored,) = (await node.board(0, 50, sort="due")).lines
    assert (await node.board(0, 50, scored.code, "due")).lines == (scored,)
    await bedside.saved("intake.record", {"what": "ors", "volume_ml": "200"})
    found, beds = await node.observed(bedside.patient), await node.beds()
    _, chart = await printer.chart(node, bedside.patient, printer.HANDOVER)
    return waits, accepted, scored, found, beds, chart


def test_a_devices_set_is_scored_once_accepted_and_everything_about_it_is_told(tmp_path):
    folder = made(tmp_path / "node")

    async def run():
        async with served(folder), terminal(folder) as node:
            return await looked(node)

    waits, accepted, scored, found, beds, chart = asyncio.run(run())
    assert (waits.score, waits.ward) == (None, "B")
    assert accepted.ok
    assert scored.score == 3 + 2 + 2 + 2 + 1
    assert scored.due_ms > scored.last_set_ms
    assert found.day.in_tenths == 2000
    assert {each.code for each in found.series} == {each["code"] for each in SET}
    assert [(one.ward, one.bed, len(one.patients)) for one in beds.lines] == [("B", "B4", 1)]
    assert chart.head.score == 10
