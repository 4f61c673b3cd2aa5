"""A node that founded an operation by itself counts, and takes concerns for safety down."""

from __future__ import annotations

from protocols.ledger.counting import counts
from protocols.trust.charter import Sensitivity
from protocols.trust.granting import Wish
from tests.unit.camps import refused
from tests.unit.stage import Device, Stage, agree, camp, line, patient, triage
from tests.unit.test_ledger_members import let_in
from tests.unit.test_protection import concerns


def concern(whom: str, text: str = "alone since the river") -> dict[str, object]:
    data = {"concern": "unaccompanied-child", "text": text}
    return line("protection.record", data, patient=whom)


def scopes(device: Device) -> dict[str, object]:
    """The device's scopes by sensitivity."""
    return {each.name: device.ledger.authority.scope_for(each) for each in Sensitivity}


def test_a_node_that_is_alone_counts_and_takes_concerns_down():
    stage, ann = Stage(), Device.found("ann")
    charter = ann.ledger.authority.roster.charter
    assert charter is not None
    assert {each.name for each in charter.scopes} == {"care", "counts", "protection"}
    assert len(set(scopes(ann).values())) == 3
    whom = stage.write(ann, patient("Amina"))[0].id or ""
    assert stage.write(ann, triage(whom))[0].ok and stage.write(ann, concern(whom))[0].ok
    assert concerns(ann) == [("unaccompanied-child", "alone since the river", 0)]
    (own,) = counts(ann.ledger)
    assert own.home and own.left.total == 1 and own.left.margins["category"] == {"red": 1}
    ann.restarted()
    assert stage.write(ann, concern(whom, "found her aunt"))[0].ok


def test_who_joins_counts_and_is_entrusted_with_concerns_by_name_only():
    ann, ben = camp(("ann", "ben"))
    pat = Device.found("pat")
    let_in(ann, pat, Wish("device", scopes=("care", "counts", "protection")))
    stage = Stage()
    for other in (ben, pat):
        stage.link(ann, other)
    stage.run(5_000)
    whom = stage.write(ben, patient("Amina"))[0].id or ""
    assert stage.write(ben, triage(whom))[0].ok
    assert refused(ben, concern(whom)) == "no_protection_scope"
    stage.run(3_000)
    assert stage.write(pat, concern(whom))[0].ok
    stage.run(5_000)
    assert len(concerns(ann)) == len(concerns(pat)) == 1 and concerns(ben) == []
    assert all(counts(each.ledger)[0].left.total == 1 for each in (ann, ben, pat))
    assert agree(ann, ben, pat)


def test_what_was_counted_and_told_before_joining_is_the_operations_once_it_is_granted():
    ann, ben = Device.found("ann"), Device.found("ben")
    stage = Stage()
    whom = stage.write(ben, patient("Amina"))[0].id or ""
    stage.write(ben, triage(whom), concern(whom))
    let_in(ann, ben, Wish())
    stage.link(ann, ben)
    stage.run(5_000)
    assert counts(ann.ledger)[0].left.total == 1
    assert concerns(ann) == [] and len(concerns(ben)) == 1
    stage.cut(ann, ben)
    let_in(ann, ben, Wish("device", scopes=("care", "counts", "protection")))
    stage.link(ann, ben)
    stage.run(8_000)
    assert len(concerns(ann)) == 1
    assert stage.write(ben, concern(whom, "found her aunt"))[0].ok
    stage.run(5_000)
    assert len(concerns(ann)) == 2 and agree(ann, ben)
