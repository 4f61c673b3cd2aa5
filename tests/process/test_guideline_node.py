"""Working by a guideline on a real node: over the socket, over a restart, and not when locked."""

import asyncio

import pytest

from protocols.errors import InputError
from protocols.records.kinds import KindNo
from tests.process.live_desk import PASSPHRASE, made, served, terminal


def line(kind, key, data, **more):
    return {"v": 1, "kind": kind, "key": key, "data": data, **more}


def step(key, patient, **data):
    of = {"name": "cholera-c", "version": "1", "step": "first", "answers": {"weight": "54"}}
    return line("guideline.step", key, {**of, **data}, patient=patient)


def test_a_step_is_told_over_the_socket_outlives_a_restart_and_is_unticked(tmp_path):
    folder = made(tmp_path / "node")

    async def begun():
        async with served(folder), terminal(folder) as node:
            (person,) = await node.record([line("patient.register", "p", {"tags": ["B12"]})])
            patient = person.patient
            written = await node.record(
                [
                    line("encounter.open", "e", {}, patient=patient),
                    step("s1", patient, amounts=["30 × 54 = 1 620 mL"]),
                    step("s2", patient, step="ors"),
                ]
            )
            assert [one.ok for one in written] == [True] * 3
            listed = (await node.guidelines(patient)).lines
            return patient, written[2].facts[0], listed[0].name, listed[0].done

    async def went_on(patient, wrong):
        async with served(folder), terminal(folder) as node:
            before = await node.guideline(patient, "cholera-c")
            taken = line("entry.retract", "r", {"fact": wrong}, reason="other bed")
            assert (await node.record([taken]))[0].ok
            after = await node.guideline(patient, "cholera-c")
            chart = await node.chart(patient, 0, 50)
            await node.lock()
            refused = []
            for call in (node.guidelines(patient), node.guideline(patient, "cholera-c")):
                with pytest.raises(InputError) as error:
                    await call
                refused.append(error.value.code)
            assert await node.unlock(PASSPHRASE)
            return before, after, chart, refused

    patient, wrong, name, done = asyncio.run(begun())
    before, after, chart, refused = asyncio.run(went_on(patient, wrong))

    assert (name, done) == ("cholera-c", 2)
    assert [one.step for one in before.steps] == ["first", "ors"]
    assert [one.step for one in after.steps] == ["first"]
    assert (after.steps[0].amounts, after.steps[0].answers) == (
        "30 × 54 = 1 620 mL",
        {"weight": "54"},
    )
    assert after.versions[0].approved_by == ""
    assert refused == ["locked", "locked"]
    said = [dict(one.summary) for one in chart.lines if one.kind == "guideline.step"]
    assert {one["approval"] for one in said} == {"not-approved"}
    assert KindNo.GUIDELINE_STEP == 124
