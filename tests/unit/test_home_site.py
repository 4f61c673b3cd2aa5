"""Where a device works is where its encounters are, from the book to the patient's row."""

import pytest

from tests.unit.stage import Device, Stage, line, patient


def site(name):
    return line("site.register", {"name": name})


@pytest.mark.parametrize("kind", ["encounter.open", "triage.record"])
def test_care_begins_at_the_site_this_device_registered_first(kind):
    ann, stage = Device.found("ann"), Stage()
    first, _second, who = stage.write(ann, site("Stadium"), site("Market hall"), patient())
    said = {"encounter.open": {"class": "emergency"}, "triage.record": {"category": "red"}}

    stage.write(ann, line(kind, said[kind], patient=who.id))

    (held,) = ann.store.all("SELECT id FROM site ORDER BY entry LIMIT 1")
    assert first.ok
    assert ann.store.all("SELECT site FROM patient") == [held]
    assert ann.store.all("SELECT site FROM encounter") == [held]


def test_a_site_that_somebody_names_is_kept():
    ann, stage = Device.found("ann"), Stage()
    _first, second, who = stage.write(ann, site("Stadium"), site("Market hall"), patient())

    data = {"class": "emergency", "site": second.id}
    stage.write(ann, line("encounter.open", data, patient=who.id))

    held = ann.store.all("SELECT id FROM site ORDER BY entry")[1]
    assert ann.store.all("SELECT site FROM encounter") == [held]
