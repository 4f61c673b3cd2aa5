"""Vaccination over the socket of a real node: session, vial, children, what is due and what was."""

import asyncio
from datetime import UTC, datetime

import pytest

from protocols.errors import InputError
from tests.process.live_desk import made, served, terminal

KEYS = iter(range(100_000))


async def say(node, kind, data, **more):
    line = {"v": 1, "kind": kind, "key": f"d{next(KEYS)}", "data": data, **more}
    (answer,) = await node.record([line])
    return answer


async def saved(node, kind, data, **more):
    answer = await say(node, kind, data, **more)
    assert (answer.ok, answer.error) == (True, None), (kind, answer)
    return answer


async def begun(node, **more):
    """Open a session with one vial of measles-rubella; return the id of the session."""
    cells = [{"vaccine": "mr", "dose": 1, "band": 2, "sex": "female"}]
    data = {"vaccines": ["mr", "bopv"], "place": "Kome school", "cells": cells, **more}
    await saved(node, "session.open", data)
    (line,) = (await node.sessions()).lines
    await saved(
        node, "vial.open",
        {"session": line.id, "item": "vaccine-mr-10", "lot": "MR-0172B", "expiry": "2031-03"},
    )  # fmt: skip
    return line.id


def on_node(tmp_path, work):
    folder = made(tmp_path / "node")

    async def run():
        async with served(folder), terminal(folder) as node:
            return await work(node)

    return asyncio.run(run())


def test_what_is_due_and_has_a_vial_is_told_of_a_child_known_or_new(tmp_path):
    async def work(node):
        session = await begun(node)
        new = await node.child_of_age(22, "mo", session)
        who = {"sex": "female", "age": {"value": "22", "unit": "mo"}, "tags": ["KM-20931"]}
        registered = await saved(node, "patient.register", who)
        (known,) = (await node.tagged("KM-20931")).lines
        before = await node.child(known.patient, session)
        vial = before.give[0].vial
        await saved(
            node, "dose.record", {"vaccine": "mr", "vial": vial, "session": session},
            patient=registered.patient,
        )  # fmt: skip
        after = await node.child(known.patient, session)
        return new, before, after, await node.drive(session), await node.session_vials(session)

    new, before, after, drive, vials = on_node(tmp_path, work)
    told = [(line.vaccine, line.state, line.number, bool(line.vial)) for line in before.give]
    assert told == [("mr", "overdue", 1, True), ("bopv", "overdue", 1, False)]
    assert [line.state for line in new.give] == ["overdue", "overdue"]
    assert (before.approved, before.schedule) == (False, "schedule-routine 1")
    assert after.give[0].state == "not-yet"
    assert after.give[0].rule.pack == "schedule-routine"
    (given,) = after.doses
    assert (given.vaccine, given.dose, given.lot) == ("mr", 1, "MR-0172B")
    assert ("measles", "valid") in given.states
    assert after.next_day > datetime.now(UTC).date().isoformat()
    assert [words["en"] for words in after.still] == ["Oral polio"]
    assert (drive.children, drive.vials[0].left, drive.vaccines[0].given) == (1, 9, 1)
    assert drive.last[0].tag == "KM-20931"
    assert drive.last[0].given == (("mr", 1),)
    assert [(vial.drawn, vial.left) for vial in vials] == [(1, 9)]


def test_a_code_is_a_box_a_taught_one_or_neither(tmp_path):
    async def work(node):
        await begun(node)
        data = {"barcode": "LOCAL-77", "item": "vaccine-mr-10", "units": 10}
        await saved(node, "barcode.teach", data)
        gs1 = "]d201095060001343521728013110MR-1"
        found = [await node.vial_code(code) for code in ("]C0LOCAL-77", "]C0KM-1", gs1)]
        with pytest.raises(InputError) as refused:
            await node.vial_code("]d2010950600013435317")
        return found, refused.value.code

    (taught, card, box), wrong = on_node(tmp_path, work)
    assert (taught[0].items, taught[0].vaccine) == (("vaccine-mr-10",), "mr")
    assert card == []
    assert (box[0].lot, box[0].expiry, box[0].items) == ("MR-1", "2028-01-31", ())
    assert wrong


def test_coverage_and_doubles_are_answered_and_a_session_is_counted_by_digits(tmp_path):
    async def work(node):
        session = await begun(node, targets=[{"antigen": "measles", "number": 300, "band": 2}])
        for _ in range(3):
            await saved(node, "tally.add", {"session": session, "cell": 1})
        choices = await node.session_choices()
        cover = await node.vaccination_coverage(session)
        return await node.drive(session), cover, await node.doubled_doses(), choices

    drive, cover, doubled, choices = on_node(tmp_path, work)
    assert [(cell.digit, cell.vaccine, cell.counted) for cell in drive.cells] == [(1, "mr", 3)]
    (line,) = [one for one in cover.lines if (one.antigen, one.band) == ("measles", 2)]
    assert (line.doses, line.target) == (3, 300)
    assert cover.last_hour == 3
    assert doubled.lines == ()
    assert "vaccine-mr-10" in [item[0] for item in choices.items]
