"""SAFETY, *Who, when, where from*: what no older test says of rules 13 to 15."""

from __future__ import annotations

import msgspec
import pytest

from protocols.ledger import reading
from protocols.live import answers
from protocols.records.catalogue import KINDS
from protocols.records.shape import Circumstances, Statement
from tests.property.test_records_merging import WARD
from tests.unit.stage import WALL_MS, Device, Stage, line, note, patient

AT, AT_MS = "2026-05-01T14:30Z", 1_777_645_800_000
SOURCES = ("typed", "scanned", "device", "paper", "import")


@pytest.mark.safety(13)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_safety_13_every_kind_of_fact_says_when_by_whom_and_where_from(kind):
    assert issubclass(kind.value, Statement)
    says = {field.name for field in msgspec.structs.fields(Circumstances)}
    assert says >= {"at_s", "precision", "by", "source", "device"}


@pytest.mark.safety(13)
def test_safety_13_every_written_fact_has_a_time_and_an_author():
    for subject in WARD.kinds:
        for fact in WARD.facts(subject):
            assert fact.at_ms > 0
            assert fact.clock_ms > 0
            assert isinstance(fact.author, int)


@pytest.mark.safety(13)
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("precision", [None, "hour", "day", "month", "year", "about"])
def test_safety_13_a_chart_says_what_was_stated_and_that_nobody_was_identified(source, precision):
    ann, stage = Device.found("ann"), Stage()
    code = stage.write(ann, patient("Amina"))[0].code
    stated = {"at": AT, "by": "J. Cho", "source": source}
    if precision:
        stated["at_precision"] = precision
    (answer,) = stage.write(ann, {**note(code), **stated})
    assert answer.ok, answer

    chart = answers.chart(ann.ledger, answer.patient, 0, 50, WALL_MS)
    (told,) = [each for each in chart.lines if each.kind == "note.add"]
    said = dict(told.summary)

    assert told.at_ms == AT_MS
    assert said["by"] == "J. Cho"
    assert said.get("source", "typed") == source
    assert said.get("precision") == precision
    (row,) = reading.rows(ann.ledger, "note", 0, 10)
    assert row.recorded_ms == WALL_MS
    assert row.author == ann.id
    assert (told.recorded_ms, told.author) == (WALL_MS, told.device)


@pytest.mark.safety(14)
def test_safety_14_a_time_to_come_is_asked_about_once_and_marked_for_every_reader():
    ann, stage = Device.found("ann"), Stage()
    code = stage.write(ann, patient("Amina"))[0].code
    ahead = {**note(code), "at": "2031-01-01T00:00Z"}

    (asked,) = stage.write(ann, ahead)
    (taken,) = stage.write(ann, {**ahead, "key": "sure", "confirm": ["future_time"]})

    assert (asked.ok, asked.confirm) == (False, "future_time")
    assert taken.ok and "future_time" in taken.warnings


@pytest.mark.safety(15)
def test_safety_15_a_value_of_a_device_is_marked_as_one_in_the_chart():
    ann, stage = Device.found("ann"), Stage()
    code = stage.write(ann, patient("Amina"))[0].code
    spo2 = {"code": "spo2", "value": "88", "unit": "%"}
    found = stage.write(ann, line("observation.record", spo2, patient=code, source="device"))[0]
    assert found.ok

    chart = answers.chart(ann.ledger, found.patient, 0, 50, WALL_MS)
    (told,) = [each for each in chart.lines if each.kind == "observation.record"]

    assert dict(told.summary)["source"] == "device"
