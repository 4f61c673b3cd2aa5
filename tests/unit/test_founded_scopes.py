"""A node that founded an operation by itself counts, and takes concerns for safety down."""

from __future__ import annotations

from random import Random

from protocols.ids import PatientId
from protocols.ledger import about, orders, reading
from protocols.ledger.counting import counts
from protocols.ledger.founding import found_member
from protocols.ledger.store import open_memory
from protocols.live import protecting
from protocols.trust.charter import Org, Role, Scope, Sensitivity, found
from protocols.trust.granting import Wish
from protocols.trust.identity import DeviceKeys
from tests.unit.camps import refused
from tests.unit.stage import WALL_MS, Device, Stage, agree, camp, line, patient, triage
from tests.unit.test_erase import text_of
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


def one_scope(name: str) -> Device:
    """A book as it was founded before there were counts and protection: care and nothing else."""
    chance, store = Random(f"one-{name}"), open_memory()
    root = DeviceKeys.from_entropy(chance.randbytes(64))
    signed = found(
        name="camp",
        org=Org("Test", bytes(root.device), "XX"),
        root=root,
        nonce=chance.randbytes(16),
        created_ms=WALL_MS,
        scopes=[Scope(chance.randbytes(16), "care", int(Sensitivity.IDENTIFIED))],
        roles=[Role(1, "care"), Role(2, "hq")],
    )
    found_member(
        store, name=name, charter=signed, root=root, hq=False,
        entropy=chance.randbytes, wall_ms=WALL_MS,
    )  # fmt: skip
    return Device(name, store, 0)


def test_a_book_of_one_scope_opens_and_goes_on_with_care_alone():
    stage, ann = Stage(), one_scope("ann")
    whom = stage.write(ann, patient("Amina"))[0].id or ""
    ann.restarted()
    assert stage.write(ann, triage(whom))[0].ok
    assert scopes(ann)["AGGREGATE"] is None and scopes(ann)["PROTECTION"] is None
    assert refused(ann, concern(whom)) == "no_protection_scope"
    assert counts(ann.ledger) == [] and concerns(ann) == []
    assert protecting.why_not(ann.ledger, 0) == "device"
    ann.ledger.rebuild_rows()
    assert reading.patient(ann.ledger, PatientId.parse(whom)).triage == 1


def test_a_book_of_one_scope_lets_others_in_and_they_sync_and_erase():
    stage, ann, ben = Stage(), one_scope("ann"), Device.found("ben")
    let_in(ann, ben, Wish("coordinator"))
    stage.link(ann, ben)
    stage.run(5_000)
    whom = stage.write(ben, patient("Zebulon"))[0].id or ""
    stage.write(ben, triage(whom))
    stage.run(5_000)
    assert agree(ann, ben) and b"Zebulon" in text_of(ann)
    documents = about.documents_about(ann.ledger, PatientId.parse(whom))
    raw = orders.approve(ben.ledger, orders.request(ann.ledger, documents, 1))
    orders.apply(ann.ledger, raw, WALL_MS)
    ann.ledger.catch_up_all()
    stage.carry(ann, ann.node.wrote_control(stage.now(ann)))
    stage.run(8_000)
    assert b"Zebulon" not in text_of(ann) + text_of(ben)


def test_a_book_of_one_scope_joins_an_operation_of_three_and_counts_there():
    stage, ann, old = Stage(), Device.found("ann"), one_scope("old")
    whom = stage.write(old, patient("Amina"))[0].id or ""
    stage.write(old, triage(whom))
    let_in(ann, old, Wish())
    stage.link(ann, old)
    stage.run(5_000)
    assert reading.patient(ann.ledger, PatientId.parse(whom)) is not None
    assert counts(ann.ledger) == []
    # A stay that began before names nothing it could be counted as; whoever comes now is counted.
    assert stage.write(old, triage(whom, "green"))[0].ok
    new = stage.write(old, patient("Osei"))[0].id or ""
    assert stage.write(old, triage(new, "green"))[0].ok
    stage.run(5_000)
    assert counts(ann.ledger)[0].left.margins["category"] == {"green": 1}
    assert agree(ann, old)
