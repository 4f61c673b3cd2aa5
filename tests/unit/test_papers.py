"""A signed summary on paper: read on another node, and worth what its signer is worth there."""

from __future__ import annotations

import pytest

from protocols.errors import InputError
from protocols.ledger.sealing import SealOrder
from protocols.live import paper, papers
from protocols.live.printed import Printed
from protocols.trust.audit import What
from protocols.trust.control import SealReason
from protocols.trust.paper import TEXT_CHARS_MAX
from tests.unit.stage import Device, Stage, agree, line, linked, patient

NAME = "Zebulon"


def begun() -> tuple[Stage, Device, Device, str]:
    """Two members, and a patient with an allergy, an order and a measurement at the second."""
    stage, (ann, ben) = linked("ann", "ben")
    (registered,) = stage.write(ben, patient(NAME, sex="female", tags=["TG-12"]))
    whom = registered.patient or ""
    substance = {"status": "active", "text": "penicillin", "reaction": "rash"}
    answers = stage.write(
        ben,
        line("allergy.record", substance, patient=whom),
        line("condition.record", {"text": "haemothorax left", "status": "active"}, patient=whom),
        line("condition.record", {"text": "old fracture", "status": "resolved"}, patient=whom),
        line("observation.record", {"code": "spo2", "value": "93", "unit": "%"}, patient=whom),
    )
    assert all(each.ok for each in answers), answers
    stage.run(5_000)
    assert agree(ann, ben)
    return stage, ann, ben, registered.code or ""


def printed(stage: Stage, device: Device, code: str, **more: object) -> Printed:
    asked = {"patient": code, "advice": "Watch the drain.", **more}
    found, effects = papers.printed(device.node, stage.now(device), asked)
    stage.carry(device, effects)
    return found


def read(stage: Stage, device: Device, text: str) -> paper.PaperRead:
    return papers.read(device.node, stage.now(device), {"text": text})


def test_a_paper_of_one_node_is_checked_and_read_on_another() -> None:
    stage, ann, ben, code = begun()
    made = printed(stage, ben, code)
    assert len(made.text) <= TEXT_CHARS_MAX

    found = read(stage, ann, made.text)

    assert (found.worth, found.device) == (paper.HOLDS, "ben")
    assert found.said is not None
    assert found.said == made.said
    assert (found.said.code, found.said.name, found.said.tag) == (code, NAME, "TG-12")
    assert (found.said.allergy, found.said.allergies) == (2, ("penicillin",))
    assert [value for _, value in found.said.findings] == ["93 %"]
    assert found.said.problems == ("haemothorax left",)
    assert found.said.advice == "Watch the drain."
    assert found.patient, "the patient is known here too"


def test_what_is_printed_stands_in_the_trail_first() -> None:
    stage, _, ben, code = begun()
    before = ben.ledger.chain.last_arrival
    printed(stage, ben, code)
    assert ben.ledger.chain.last_arrival == before + 1
    from protocols.ledger.audit import Asked, lines

    newest = next(iter(lines(ben.ledger, Asked(what=frozenset({int(What.PRINT)})))))
    assert newest.detail is not None
    assert newest.detail.reason == "summary"


def test_a_changed_letter_is_forged_and_says_nothing() -> None:
    stage, ann, ben, code = begun()
    text = printed(stage, ben, code).text
    at = len(text) // 2
    other = "0" if text[at] != "0" else "1"

    found = read(stage, ann, text[:at] + other + text[at + 1 :])

    assert (found.worth, found.said) == (paper.FORGED, None)


def test_a_paper_of_a_stranger_cannot_be_checked_and_shows_nothing() -> None:
    stage, ann, _, _ = begun()
    away, (eve, _) = linked("eve", "joe")
    (registered,) = away.write(eve, patient("Elsewhere"))
    text = printed(away, eve, registered.code or "").text

    found = read(stage, ann, text)

    assert (found.worth, found.said, found.device) == (paper.UNKNOWN, None, "")


def test_a_paper_of_a_device_that_was_sealed_since_is_doubtful() -> None:
    stage, ann, ben, code = begun()
    text = printed(stage, ben, code).text
    stage.carry(ann, ann.node.seal(ben.id, SealOrder(SealReason.LOST), stage.now(ann)))

    found = read(stage, ann, text)

    assert found.worth == paper.SEALED
    assert found.said is not None


def test_nobody_there_is_refused_and_nothing_is_written_down() -> None:
    stage, _, ben, _ = begun()
    before = ben.ledger.chain.last_arrival
    with pytest.raises(InputError, match="not_found"):
        printed(stage, ben, "333-333-33X")
    with pytest.raises(InputError, match="too_long"):
        printed(stage, ben, "333-333-33X", advice="x" * 161)
    assert ben.ledger.chain.last_arrival == before
