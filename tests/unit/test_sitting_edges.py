"""Sessions at a node's desk: what an override covers, what ends with an epoch or another person."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.errors import InputError
from protocols.ids import Epoch
from protocols.ledger import audit, founding, persons
from protocols.ledger.sealing import SealOrder, seal
from protocols.live.local import Caller
from protocols.records.kinds import KindNo
from protocols.trust.audit import Detail, What
from protocols.trust.control import SealReason
from tests.unit.people import CHEAP, PASSPHRASE, camp, enrol, founder, profile, sit
from tests.unit.stage import WALL_MS, Device, Stage
from tests.unit.test_foreign import Beside, answer_of, desk_on, shared

HOUR_MS = 3_600_000
HERE = Caller(7, 0)


class At:
    """A terminal at a device."""

    def __init__(self, device: Device, stage: Stage | None = None) -> None:
        self.stage = stage or Stage()
        self.device = device
        self._calls = desk_on(Beside(self.stage, device)).handlers()

    def ask(self, call: str, **args: Any) -> Any:
        return answer_of(self._calls[call](HERE, args))

    def refused(self, call: str, **args: Any) -> str:
        with pytest.raises(InputError) as error:
            self.ask(call, **args)
        return error.value.code

    def may(self, *kinds: str) -> list[str]:
        return [one.reason for one in self.ask("may", kinds=list(kinds))]


def test_an_override_covers_what_stopped_somebody_and_says_so_and_nothing_else() -> None:
    """What was free to write when it was given is asked about anew once it is not."""
    ann = founder()
    covered = (int(KindNo.ALLERGY_RECORD),)
    enrol(ann, profile(practice=covered, licence_until_ms=WALL_MS + HOUR_MS))
    at = At(ann)
    at.ask("login", person="1", passphrase=PASSPHRASE)
    both = ("note.add", "allergy.record")
    assert at.may(*both) == ["outside_practice", ""]
    at.ask("override", kinds=list(both), reason="nobody else is here")
    assert at.may(*both) == ["", ""]

    at.stage.run(2 * HOUR_MS)
    assert at.may(*both) == ["", "licence_ended"]
    at.ask("override", kinds=["allergy.record"], reason="nor now")
    assert at.may(*both) == ["", ""]
    told = [line.detail for line in audit.lines(ann.ledger) if line.what == What.OVERRIDE]
    assert sorted(detail.reason for detail in told if detail) == [
        "allergy.record: nor now",
        "note.add: nobody else is here",
    ]


def test_with_another_epoch_nobody_sits_there_and_nobody_overrides() -> None:
    ann = founder()
    enrol(ann, profile(practice=(int(KindNo.ALLERGY_RECORD),)))
    at = At(ann)
    at.ask("login", person="1", passphrase=PASSPHRASE)
    assert at.ask("whoami").name == "Amina Okoro"
    founding.new_epoch(ann.store, bytes(Epoch(b"another!")))
    ann.ledger.reload()

    assert at.ask("whoami").name == ""
    assert at.refused("override", kinds=["note.add"], reason="x") == "session_ended"
    assert [line for line in audit.lines(ann.ledger) if line.what == What.OVERRIDE] == []


def test_whoever_signs_in_next_says_why_again_though_nobody_locked_the_terminal() -> None:
    stage, ann, joe = shared()
    (whom,) = (line for line in At(ann, stage).ask("board").lines if line.name == "Zebulon")
    for name in ("Amina Okoro", "Jun Cho"):
        key = persons.new_key(PASSPHRASE, joe.chance.randbytes, CHEAP)
        role = min(ann.ledger.authority.roster.device(joe.id).roles)
        raw = persons.add(
            ann.ledger, key, profile(name), persons.Grant((role,)), ann.chance.randbytes, WALL_MS
        )
        persons.take_in(joe.ledger, raw, WALL_MS)
    at = At(joe, stage)
    at.ask("login", person="1", passphrase=PASSPHRASE)
    assert at.refused("chart", patient=whom.patient) == "other_team"
    at.ask("break_glass", patient=whom.patient, reason="care")
    assert at.ask("chart", patient=whom.patient)

    at.ask("login", person="2", passphrase=PASSPHRASE)
    assert at.refused("chart", patient=whom.patient) == "other_team"


def test_who_is_certified_anew_signs_in_under_the_new_certificate() -> None:
    """One attestation serves a shift, and a certificate: what one may not, another may."""
    ann, ben = camp("ben")
    persons.take_in(ben.ledger, enrol(ann), WALL_MS)
    first = sit(ben)
    assert sit(ben, at_ms=WALL_MS + 1).session == first.session
    ((held,),) = ben.store.all("SELECT session FROM person")
    earlier = held[:8] + b"c" * 32 + held[40:]
    with ben.store.atomic():
        ben.store.execute("UPDATE person SET session = ?", (earlier,))
    assert sit(ben, at_ms=WALL_MS + 2).session != first.session


def test_what_waits_to_be_written_names_no_session_of_an_epoch_that_is_over() -> None:
    waiting = audit.Waiting()
    waiting.add(audit.Event(What.LOGIN, WALL_MS, Detail(), session=9))
    waiting.forget_sessions()
    assert [event.session for event in waiting.all] == [0]


def test_an_item_of_another_kind_behind_a_seal_is_a_line_of_its_own() -> None:
    ann, ben = camp("ben")
    order = audit.Event(What.EXPORT, WALL_MS, Detail(reason="a copy"))
    seal(ann.ledger, ben.id, SealOrder(SealReason.LOST), ann.chance.randbytes(24), WALL_MS)
    audit.write(ann.ledger, [order], WALL_MS, ann.chance.randbytes)

    assert {line.what for line in audit.lines(ann.ledger)} == {What.SEAL, What.EXPORT}
