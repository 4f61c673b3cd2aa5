"""What a drive gives beside its vaccines, over the socket of a node: due, stock, sums, undo."""

from datetime import UTC, datetime, timedelta

import pytest

from fieldnode.tui.cores.drive import DriveCore
from fieldnode.tui.cores.fields import Coded
from fieldnode.tui.screens.choices import SEX
from tests.process.test_drive_node import on_node, saved, say

OFFERED = ["vitamin-a", "deworming", "muac"]
CELLS = [
    {"vaccine": "mr", "dose": 1, "band": 2, "sex": "female"},
    {"intervention": "vitamin-a", "band": 2, "sex": "female"},
]


async def stocked(node, *items):
    """Register a store that has some items; return its id."""
    await saved(node, "site.register", {"name": "Pharmacy", "type": "store"})
    (store,) = [one.id for one in (await node.session_choices()).sites
                if one.words["en"] == "Pharmacy"]  # fmt: skip
    for item, lot, expiry in items:
        received = {"item": item, "lot": lot, "units": 50, "expiry": expiry}
        await saved(node, "stock.receive", received, store=store)
    return store


async def held(node, store):
    """Return how many units of each item a store has."""
    items = ["vitamin-a-200k-cap", "mebendazole-500-tab"]
    lots = (await node.lots_held(store, items)).lines
    return {one.lot: one.low for one in lots}


async def begun(node, **more):
    line = {"store": more.pop("store")} if "store" in more else {}
    data = {"vaccines": ["mr"], "interventions": OFFERED, "cells": CELLS, "place": "Kome", **more}
    await saved(node, "session.open", data, **line)
    (session,) = (await node.sessions()).lines
    return session.id


async def registered(node, months):
    who = {"sex": "female", "age": {"value": str(months), "unit": "mo"}}
    return (await saved(node, "patient.register", who)).patient


async def give(node, patient, session, line, **more):
    """Write down what a line of the child's page proposes, as that page does."""
    told = line.medicine
    data = {"session": session, "intervention": line.code, "substance": told.substance,
            "dose": {"value": told.value, "unit": told.unit}, "route": told.route}  # fmt: skip
    if told.store:
        data |= {"item": told.item, "lot": told.lot}
        more["store"] = told.store
    return await saved(node, "administration.record", data, patient=patient, **more)


def beside(child):
    return {line.code: line for line in child.beside}


def test_what_is_due_is_told_with_the_right_lot_and_too_soon_once_it_was_given(tmp_path):
    async def work(node):
        store = await stocked(
            node,
            ("vitamin-a-200k-cap", "VA-2", "2031-05"),
            ("vitamin-a-200k-cap", "VA-1", "2030-02"),
            ("mebendazole-500-tab", "MB-1", "2030-02"),
        )
        session = await begun(node, store=store)
        patient = await registered(node, 22)
        before = await node.child(patient, session)
        for code in ("vitamin-a", "deworming"):
            await give(node, patient, session, beside(before)[code])
        after = await node.child(patient, session)
        return before, after, await node.drive(session), await held(node, store)

    before, after, drive, rows = on_node(tmp_path, work)
    vitamin, worms = beside(before)["vitamin-a"], beside(before)["deworming"]
    assert [line.state for line in before.beside] == ["due"] * 3
    assert (vitamin.medicine.value, vitamin.medicine.lot) == ("200000", "VA-1")
    assert (worms.medicine.substance, worms.medicine.lot) == ("mebendazole", "MB-1")
    assert (before.beside_pack, before.beside_approved) == ("interventions 1", False)
    now = beside(after)["vitamin-a"]
    assert (now.state, now.last) == ("too-soon", datetime.now(UTC).date().isoformat())
    assert now.day > now.last
    assert rows == {"VA-1": 49, "VA-2": 50, "MB-1": 49}
    assert [(one.code, one.number) for one in drive.beside] == [
        ("vitamin-a", 1), ("deworming", 1), ("muac", 0),
    ]  # fmt: skip
    assert (drive.children, drive.vaccines[0].given) == (1, 0)
    assert drive.last[0].given == (("vitamin-a", None), ("deworming", None))


def test_no_lot_is_proposed_that_is_empty_over_held_back_or_recalled(tmp_path):
    item = "vitamin-a-200k-cap"

    async def work(node):
        lots = (("A-USED", "2029-01"), ("B-HELD", "2029-02"), ("C-BACK", "2029-03"),
                ("D-GOOD", "2029-04"))  # fmt: skip
        store = await stocked(node, *((item, lot, expiry) for lot, expiry in lots))
        # What is over came in all the same.
        old = {"item": item, "lot": "0-OLD", "units": 50, "expiry": "2020-01"}
        await saved(node, "stock.receive", old, store=store, confirm=["expired_received"])
        session = await begun(node, store=store)
        used = {"item": item, "lot": "A-USED", "units": 50}
        await saved(node, "stock.loss", {**used, "why": "damaged"}, store=store)
        held_back = {"item": item, "lot": "B-HELD", "why": "suspected"}
        await saved(node, "lot.quarantine", held_back, store=store)
        await saved(node, "lot.recall", {"item": item, "lot": "C-BACK", "why": "contaminated"})
        first = beside(await node.child_of_age(22, "mo", session))["vitamin-a"]
        gone = {"item": item, "lot": "D-GOOD", "units": 50}
        await saved(node, "stock.loss", {**gone, "why": "damaged"}, store=store)
        then = beside(await node.child_of_age(22, "mo", session))["vitamin-a"]
        for lot in ("C-BACK", "B-HELD", "0-OLD"):
            lost = {"item": item, "lot": lot, "units": 50, "why": "damaged"}
            await saved(node, "stock.loss", lost, store=store)
            told.append(beside(await node.child_of_age(22, "mo", session))["vitamin-a"].stop)
        return first, then

    told = []
    first, then = on_node(tmp_path, work)
    assert (first.medicine.lot, first.stop) == ("D-GOOD", "")
    # It may be given all the same, and takes nothing from a store that has none. But what lies
    # there is stopped: that is said, the worst first, as long as something does.
    assert (then.state, then.medicine.lot, then.medicine.store) == ("due", "", "")
    assert [then.stop, *told] == ["lot_recalled", "lot_quarantined", "lot_expired", ""]


def test_what_was_given_is_taken_back_with_its_stock_and_is_due_again(tmp_path):
    async def work(node):
        store = await stocked(node, ("vitamin-a-200k-cap", "VA-1", "2030-02"))
        session = await begun(node, store=store)
        patient = await registered(node, 22)
        line = beside(await node.child(patient, session))["vitamin-a"]
        answer = await give(node, patient, session, line)
        for fact in answer.facts or (answer.id,):
            await saved(node, "entry.retract", {"fact": fact}, reason="undo")
        child = await node.child(patient, session)
        return child, await node.drive(session), await held(node, store)

    child, drive, rows = on_node(tmp_path, work)
    assert beside(child)["vitamin-a"].state == "due"
    assert rows == {"VA-1": 50}
    assert (drive.beside[0].number, drive.children, drive.last) == (0, 0, ())


@pytest.mark.safety(2)
def test_an_age_that_spans_a_limit_is_told_as_unsure_and_nothing_is_proposed(tmp_path):
    async def work(node):
        session = await begun(node)
        guessed = await node.child_of_age(11, "mo", session, estimated=True)
        young = await node.child_of_age(5, "mo", session)
        sure = await node.child_of_age(11, "mo", session)
        return guessed, young, sure

    guessed, young, sure = on_node(tmp_path, work)
    assert beside(guessed)["vitamin-a"].state == "unsure"
    assert beside(guessed)["vitamin-a"].medicine is None
    assert beside(guessed)["vitamin-a"].maybe == ("100000 [iU]", "200000 [iU]")
    assert {line.state for line in young.beside} == {"too-young"}
    assert beside(sure)["vitamin-a"].medicine.value == "100000"


@pytest.mark.safety(12)
def test_it_is_in_no_coverage_no_zero_dose_and_in_no_tally_of_doses(tmp_path):
    async def work(node):
        session = await begun(node)
        patient = await registered(node, 22)
        empty = await node.vaccination_coverage(session)
        line = beside(await node.child(patient, session))["vitamin-a"]
        await give(node, patient, session, line)
        arm = {"code": "muac", "value": "112", "unit": "mm", "session": session}
        await saved(node, "observation.record", arm | {"intervention": "muac"}, patient=patient)
        for cell in (1, 2, 2):
            await saved(node, "tally.add", {"session": session, "cell": cell})
        return empty, await node.vaccination_coverage(session), await node.drive(session)

    empty, cover, drive = on_node(tmp_path, work)
    assert cover.series == empty.series
    assert cover.beside == drive.beside
    assert {(one.antigen, one.doses) for one in cover.lines} == {("measles", 1), ("rubella", 1)}
    assert (cover.last_hour, drive.last_hour) == (1, 1)
    assert [(cell.digit, cell.intervention, cell.counted) for cell in drive.cells] == [
        (1, "", 1), (2, "vitamin-a", 2),
    ]  # fmt: skip
    assert [(one.code, one.number) for one in drive.beside] == [
        ("vitamin-a", 3), ("deworming", 0), ("muac", 1),
    ]  # fmt: skip
    assert drive.vaccines[0].given == 1


def test_a_session_without_any_is_told_as_it_always_was(tmp_path):
    async def work(node):
        session = await begun(node, interventions=[], cells=[])
        return await node.drive(session), await node.child_of_age(22, "mo", session)

    drive, child = on_node(tmp_path, work)
    assert (drive.beside, child.beside, child.beside_pack) == ((), (), "")


def test_who_gave_it_a_while_ago_is_due_again_after_the_interval(tmp_path):
    async def work(node):
        session = await begun(node)
        found = []
        for days in (100, 200):
            patient = await registered(node, 40)
            at = (datetime.now(UTC) - timedelta(days=days)).date().isoformat()
            given = {"substance": "vitamin a", "route": "oral",
                     "dose": {"value": "200000", "unit": "[iU]"}}  # fmt: skip
            await saved(node, "administration.record", given, patient=patient, at=at)
            found.append(beside(await node.child(patient, session))["vitamin-a"].state)
        return found

    assert on_node(tmp_path, work) == ["too-soon", "due"]


def test_what_the_screen_writes_the_node_takes_for_a_known_child_a_new_one_and_a_refusal(tmp_path):
    """The state machine of the screen, over the answers of a real node and back."""

    async def work(node):
        store = await stocked(
            node,
            ("vitamin-a-200k-cap", "VA-1", "2030-02"),
            ("mebendazole-500-tab", "MB-1", "2030-02"),
            ("vaccine-mr-10", "MR-1", "2030-02"),
        )
        session = await begun(node, store=store)
        box = {"session": session, "item": "vaccine-mr-10", "lot": "MR-1", "expiry": "2030-02"}
        await saved(node, "vial.open", box)
        core, all_ok = DriveCore(Coded("sex", "field.sex", required=True, choices=SEX)), []

        async def enter(key):
            answers = await node.record(core.records(key, session, "absent"), together=True)
            all_ok.extend((answer.ok, answer.error) for answer in answers)

        core.show(await node.child(await registered(node, 22), session))
        core.beside.take("muac", "112", unusual=False)
        await enter("a")
        core.restart()
        core.begin("KM-9")
        for key in (*"22", "enter", "2"):
            core.key(key)
        core.show(await node.child_of_age(22, "mo", session))
        await enter("b")
        core.restart()
        core.show(await node.child(await registered(node, 30), session))
        core.stop = "absent"
        await enter("c")
        return all_ok, await node.drive(session), await held(node, store)

    all_ok, drive, rows = on_node(tmp_path, work)
    assert all_ok == [(True, None)] * (4 + 4 + 3)
    assert {one.code: one.number for one in drive.beside} == {
        "vitamin-a": 2, "deworming": 2, "muac": 1,
    }  # fmt: skip
    assert (drive.children, drive.vaccines[0].given, drive.not_given) == (3, 2, 3)
    assert rows == {"VA-1": 48, "MB-1": 48}


@pytest.mark.parametrize("stop", ["lot_recalled", "lot_quarantined", "lot_expired"])
def test_a_lot_that_is_stopped_over_a_child_is_told_refused_and_written_once_it_was_given(
    tmp_path, stop
):
    item = "vitamin-a-200k-cap"

    async def work(node):
        expiry = "2020-01" if stop == "lot_expired" else "2030-02"
        store = await stocked(node)
        received = {"item": item, "lot": "VA-1", "units": 50, "expiry": expiry}
        over = ["expired_received"] if stop == "lot_expired" else []
        await saved(node, "stock.receive", received, store=store, confirm=over)
        session = await begun(node, store=store)
        patient = await registered(node, 22)
        before = (await node.drive(session)).beside[0].stops
        if stop != "lot_expired":
            recalled = stop == "lot_recalled"
            kind, why = ("lot.recall", "contaminated") if recalled else (
                "lot.quarantine", "suspected")  # fmt: skip
            of = {} if recalled else {"store": store}
            await saved(node, kind, {"item": item, "lot": "VA-1", "why": why}, **of)
        told = (await node.drive(session)).beside
        data = {"session": session, "intervention": "vitamin-a", "item": item, "lot": "VA-1"}
        line = {"patient": patient, "store": store}
        refused = await say(node, "administration.record", data, **line)
        confirm = ["lot_given_already"]
        given = await say(node, "administration.record", data, confirm=confirm, **line)
        return before, told, refused, given, await held(node, store)

    before, told, refused, given, rows = on_node(tmp_path, work)
    assert before == (((item, "VA-1", stop),) if stop == "lot_expired" else ())
    assert told[0].stops == ((item, "VA-1", stop),)
    assert told[1].stops == told[2].stops == ()
    assert (refused.ok, refused.error) == (False, stop)
    assert (given.ok, given.error) == (True, None), given
    assert "lot_given_already" in given.warnings
    assert rows == {"VA-1": 49}, "and it is gone from its store"
