"""Care over the socket of a real node: asked once, placed, given, due again, added to, and left."""

import asyncio
import time

import pytest

from protocols.errors import InputError
from protocols.ids import PatientId
from tests.process.live_desk import Clocks, made, served, terminal

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
AMOXICILLIN = {
    "substance": "Amoxicillin",
    "dose": {"value": "250", "unit": "mg"},
    "route": "oral",
    "frequency": {"way": "times-a-day", "every": 3},
}


@pytest.fixture
def folder(tmp_path):
    return made(tmp_path / "node")


class Bedside:
    """A terminal of one node, and one patient of its ward."""

    def __init__(self, node):
        self.node = node
        self.patient = ""
        self._keys = iter(range(1_000))

    async def say(self, kind, data, **more):
        """Write one record about the patient; return the answer as it came."""
        line = {"v": 1, "kind": kind, "key": f"k{next(self._keys)}", "data": data, **more}
        (answer,) = await self.node.record([{"patient": self.patient, **line}])
        return answer

    async def saved(self, kind, data, **more):
        """The same, for what nothing speaks against."""
        answer = await self.say(kind, data, **more)
        assert (answer.ok, answer.error) == (True, None), kind
        return answer

    async def medicine(self):
        """Return the only order, as it is told."""
        (found,) = (await self.node.care(self.patient)).medicines
        return found


async def begun(node) -> Bedside:
    """Register somebody who lies in a bed."""
    said = {"family_name": "Osei", "sex": "female", "age": {"value": "5", "unit": "y"}}
    line = {"v": 1, "kind": "patient.register", "key": "first", "data": said}
    (registered,) = await node.record([line])
    bedside = Bedside(node)
    bedside.patient = registered.patient
    await bedside.saved("encounter.open", {"problem": "cough", "ward": "B", "bed": "B4"})
    return bedside


def at_the_bedside(folder, story, clocks=None):
    """Tell a story at a node that runs."""

    async def told():
        clock = clocks.clock() if clocks else None
        async with served(folder, clock), terminal(folder) as node:
            return await story(await begun(node))

    return asyncio.run(told())


def today() -> Clocks:
    return Clocks(time.time_ns() // 1_000_000)


async def ordered(bedside):
    """Order amoxicillin for somebody who reacts to nothing; return the id of the order."""
    return (await bedside.saved("order.place", AMOXICILLIN)).facts[0]


def test_what_is_written_at_the_bedside_is_told_by_care(folder):
    async def story(bedside):
        weight = {"code": "weight", "value": "16.5", "unit": "kg"}
        await bedside.saved("observation.record", weight)
        await bedside.saved("allergy.record", {"code": "penicillins", "severity": "severe"})
        await bedside.saved("condition.record", {"code": "pneumonia", "status": "suspected"})
        return await bedside.node.care(bedside.patient)

    care = at_the_bedside(folder, story)

    assert (care.in_care, care.head.bed, care.head.name) == (True, "B4", "Osei")
    assert [(one.kg, one.estimated) for one in care.weights] == [("16.5", False)]
    assert [(one.code, one.severity, one.used) for one in care.allergies] == [
        ("penicillins", "severe", True)
    ]
    assert [(one.code, one.status) for one in care.conditions] == [("pneumonia", "suspected")]
    assert (care.medicines, care.doses) == ((), ())


@pytest.mark.safety(12)
def test_a_medicine_that_is_listed_asks_once_by_name_then_takes_a_reason_then_is_placed(folder):
    async def story(bedside):
        await bedside.saved("allergy.record", {"code": "penicillins"})
        against = (await bedside.node.dose_help(bedside.patient, "amoxicillin")).against
        sure = {"confirm": ["allergy_match"]}
        answers = [
            await bedside.say("order.place", AMOXICILLIN),
            await bedside.say("order.place", AMOXICILLIN, **sure),
            await bedside.say("order.place", {**AMOXICILLIN, "override": "given before"}, **sure),
        ]
        return against, answers, await bedside.medicine()

    against, (asked, unexplained, placed), medicine = at_the_bedside(folder, story)

    assert against == ("penicillins",)
    assert (asked.error, asked.confirm, asked.allowed) == (
        "confirm_needed", "allergy_match", ("penicillins",),
    )  # fmt: skip
    assert (unexplained.error, unexplained.field) == ("reason_needed", "data.override")
    assert placed.ok and medicine.order == placed.facts[0]
    assert (medicine.state, medicine.warnings) == ("due", ("allergy",))


def test_care_says_what_is_due_then_when_the_next_is_and_that_it_is_late(folder):
    clocks = today()

    async def story(bedside):
        order = await ordered(bedside)
        states = [await bedside.medicine()]
        await bedside.saved("administration.record", {"order": order})
        states.append(await bedside.medicine())
        for hours in (8, 4):
            clocks.go_on(hours * HOUR_MS)
            states.append(await bedside.medicine())
        return states

    first, given, due, late = at_the_bedside(folder, story, clocks)

    assert (first.state, first.given, first.last) == ("due", 0, None)
    assert (given.state, given.given, given.last.dose) == ("later", 1, "250 mg")
    assert given.due_ms == given.last_given_ms + 8 * HOUR_MS
    assert (due.state, late.state) == ("due", "late")
    assert due.due_ms == late.due_ms == given.due_ms


def test_a_second_dose_at_once_asks_and_names_the_first(folder):
    async def story(bedside):
        dose = {"order": await ordered(bedside)}
        first = await bedside.saved("administration.record", dose)
        asked = await bedside.say("administration.record", dose)
        before = await bedside.medicine()
        sure = {"confirm": ["given_recently"]}
        await bedside.saved("administration.record", dose, **sure)
        return first, asked, before, await bedside.medicine()

    first, asked, before, after = at_the_bedside(folder, story)

    assert (asked.error, asked.confirm) == ("confirm_needed", "given_recently")
    assert asked.allowed == first.facts
    assert (before.given, after.given) == (1, 2)


def test_a_stopped_order_is_due_no_more_and_says_why(folder):
    async def story(bedside):
        order = await ordered(bedside)
        await bedside.saved("order.stop", {"order": order}, reason="side-effect")
        return await bedside.medicine()

    stopped = at_the_bedside(folder, story)

    assert (stopped.state, stopped.due_ms, stopped.stop_reason) == ("stopped", None, "side-effect")


def test_an_addendum_names_its_note(folder):
    async def story(bedside):
        note = (await bedside.saved("note.add", {"text": "drinks little"})).facts[0]
        await bedside.saved("note.add", {"text": "drinks well since noon", "about": note})
        return note, (await bedside.node.chart(bedside.patient, 0, 20)).lines

    note, lines = at_the_bedside(folder, story)

    named = {dict(line.summary)["note"]: dict(line.summary).get("addendum")
             for line in lines if line.kind == "note.add"}  # fmt: skip
    assert named == {"drinks little": None, "drinks well since noon": note}


def test_who_is_discharged_leaves_the_board_and_the_bed_is_free(folder):
    async def story(bedside):
        async def places():
            beds = await bedside.node.beds()
            lying = {one.bed: len(one.patients) for one in beds.lines}
            return (await bedside.node.board(0, 20)).total, beds.free, beds.taken, lying

        before = await places()
        await bedside.saved("encounter.close", {"outcome": "discharged", "text": "eats, no fever"})
        return before, await places(), await bedside.node.care(bedside.patient)

    before, after, care = at_the_bedside(folder, story)

    assert before == (1, 0, 1, {"B4": 1})
    assert after == (0, 1, 0, {"B4": 0})
    assert not care.in_care


def test_nobody_is_told_of_a_patient_who_is_not_here(folder):
    async def story(bedside):
        codes = []
        for named in (str(PatientId(bytes(16))), "pat_nonsense", ""):
            for call in (bedside.node.care(named), bedside.node.dose_help(named, "amoxicillin")):
                with pytest.raises(InputError) as refused:
                    await call
                codes.append(refused.value.code)
        bedside.patient = str(PatientId(bytes(16)))
        return codes, await bedside.say("order.place", AMOXICILLIN)

    codes, written = at_the_bedside(folder, story)

    assert codes == ["not_found"] * 2 + ["bad_id"] * 4
    assert (written.ok, written.error, written.field) == (False, "not_found", "patient")


def test_care_is_the_same_after_the_node_was_started_again(folder):
    async def story(bedside):
        order = await ordered(bedside)
        await bedside.saved("administration.record", {"order": order})
        return bedside.patient, await bedside.node.care(bedside.patient)

    clocks = today()
    patient, before = at_the_bedside(folder, story, clocks)

    async def again():
        async with served(folder, clocks.clock()), terminal(folder) as node:
            return await node.care(patient)

    after = asyncio.run(again())
    assert after.medicines == before.medicines
    assert (after.head.patient, after.in_care) == (patient, True)
