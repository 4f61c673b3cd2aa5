"""Drafts that a terminal keeps at its node, of somebody who is erased meanwhile."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from protocols.errors import InputError
from protocols.ledger.sealing import SealOrder
from protocols.live.api import Draft
from protocols.live.local import Caller
from protocols.trust.control import SealReason
from tests.unit.stage import Device, Stage, meshed, patient
from tests.unit.test_erase import crew, erase, order, text_of
from tests.unit.test_foreign import Beside, answer_of, desk_on


def put(stage: Stage, device: Device, **parts: Any) -> None:
    """Keep a draft as a terminal does whose form is open."""
    draft = Draft(**{"form": "note", "subject": "k1", "fields": {"text": "limps"}, **parts})
    desk = desk_on(Beside(stage, device))
    answer_of(desk.handlers()["draft_put"](Caller(7, 0), msgspec.to_builtins(draft)))


def test_a_form_left_open_keeps_nothing_of_somebody_who_was_erased():
    """The form stands on a screen, with their name as its label, while the order comes in."""
    stage, (ann, ben, cleo) = crew()
    whom = stage.write(cleo, patient("Zebulon"))[0].id
    stage.run(3_000)
    put(stage, cleo, patient=whom, label="Zebulon 7 y")
    erase(stage, ann, order(ann, ben, whom))
    stage.run(3_000)
    assert b"Zebulon" not in text_of(cleo)

    with pytest.raises(InputError) as refused:
        put(stage, cleo, patient=whom, label="Zebulon 7 y")
    assert refused.value.code == "not_found"
    assert b"Zebulon" not in text_of(cleo) and b"limps" not in text_of(cleo)


def test_of_somebody_new_and_on_a_device_that_knows_nobody_drafts_are_kept():
    stage, (ann, ben) = meshed(("ann", "ben"))
    whom = stage.write(ann, patient("Amina"))[0].id
    stage.run(3_000)
    put(stage, ben)
    put(stage, ben, subject="k2", patient=whom)
    stage.carry(ann, ann.node.seal(ben.id, SealOrder(SealReason.LOST), stage.now(ann)))
    stage.run(2_000)
    if not ben.ledger.authority.keyring.closed:
        # The link went with the seal: the next one tells it.
        stage.link(ben, ann)
        stage.run(2_000)
    assert ben.ledger.authority.keyring.closed
    put(stage, ben, subject="k3", patient=whom)

    assert ben.store.all("SELECT subject FROM draft") == [("k3",)]
