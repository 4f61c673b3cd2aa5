"""The list of concerns for safety on a real node: for whoever is entitled, and nobody else."""

from __future__ import annotations

import pytest

from protocols.ids import ScopeId
from protocols.ledger import audit
from protocols.ledger.sealing import SealOrder
from protocols.live import answers, protecting
from protocols.live.crossing import Concerns
from protocols.trust.audit import What
from protocols.trust.certificates import Rank
from protocols.trust.charter import Scope, Sensitivity
from protocols.trust.control import SealReason
from tests.unit.camps import CARE, CARE_ROLE, HQ_ROLE, Camp, know, new_key
from tests.unit.stage import WALL_MS, Device, Stage, line, patient, triage
from tests.unit.test_protection import SAFE, WORD, told

pytestmark = pytest.mark.safety(18)


def concerns(stage: Stage, device: Device) -> Concerns:
    found, _ = protecting.listed(device.node, stage.now(device), {})
    assert isinstance(found, Concerns)
    return found


def test_who_is_entrusted_is_listed_it_and_who_is_not_only_why():
    stage, ann, pat, kim, child, _ = told()
    for each in (ann, pat):
        found = concerns(stage, each)
        (one,) = found.lines
        assert (one.concern, one.text, one.code, one.name) == (
            "unaccompanied-child", WORD, child, "Amina",
        )  # fmt: skip
        assert one.author == "ann" or one.device
        assert found.why_not == "" and found.total == 1
    assert concerns(stage, kim) == Concerns(why_not="device")


def test_board_search_and_chart_of_the_entrusted_say_nothing_of_it_either():
    stage, ann, _, _, child, _ = told()
    whom = concerns(stage, ann).lines[0].patient
    chart = answers.chart(ann.ledger, whom, 0, 100, WALL_MS)
    search = answers.search(ann.ledger, child, 10, WALL_MS)
    assert WORD not in repr(chart) + repr(search)
    assert "protection" not in repr(chart)
    assert answers.search(ann.ledger, WORD, 10, WALL_MS).total == 0


def test_a_device_that_is_sealed_is_told_nothing():
    stage, ann, pat, *_ = told()
    stage.carry(ann, ann.node.seal(pat.id, SealOrder(SealReason.LOST), stage.now(ann)))
    stage.run(2_000)
    stage.link(pat, ann)
    stage.run(2_000)
    assert concerns(stage, pat) == Concerns(why_not="device")


def test_reading_other_teams_concerns_stands_in_the_trail_and_our_own_do_not():
    camp = Camp(CARE, SAFE)
    ann = camp.device("ann", "ministry", rank=Rank.COORDINATOR)
    joe = camp.device("joe", "japan")
    know(ann, joe)
    for scope in (CARE, SAFE):
        new_key(ann, ScopeId(scope.id))
    stage = Stage()
    stage.link(ann, joe)
    child = stage.write(ann, patient("Amina"))[0].code or ""
    stage.write(ann, triage(child, "green"))
    said = {"concern": "separated-child", "text": WORD}
    assert stage.write(ann, line("protection.record", said, patient=child))[0].ok
    stage.run(3_000)
    assert concerns(stage, ann).total == concerns(stage, joe).total == 1
    assert read_outside(ann) == 0
    assert read_outside(joe) == 1


def read_outside(device: Device) -> int:
    return sum(
        each.what == What.READ_OUTSIDE_TEAM and each.device == device.id
        for each in audit.lines(device.ledger)
    )


def test_where_the_charter_names_readers_a_device_without_such_a_role_reads_nothing():
    narrow = Scope(b"safe" * 4, "safe", Sensitivity.PROTECTION, (), True, (HQ_ROLE,))
    camp = Camp(CARE, narrow)
    ann = camp.device("ann", "ministry", rank=Rank.COORDINATOR, roles=(CARE_ROLE, HQ_ROLE))
    pat = camp.device("pat", "ministry", roles=(CARE_ROLE,))
    know(ann, pat)
    for scope in (CARE, narrow):
        new_key(ann, ScopeId(scope.id))
    stage = Stage()
    stage.link(ann, pat)
    stage.run(2_000)
    assert concerns(stage, ann).why_not == ""
    assert concerns(stage, pat).why_not == "device"
