"""What settles is often of another kind than `conflict.settle`, and takes the licence for that."""

from __future__ import annotations

from protocols.ledger import persons
from protocols.ledger.conflicts import unsettled
from protocols.records.kinds import KindNo
from tests.unit.people import camp, enrol, profile, sit, write
from tests.unit.stage import WALL_MS, line, patient


def test_whoever_may_settle_but_not_decline_settles_no_custody():
    ann, ben = camp("ben")
    may = tuple(sorted(map(int, (KindNo.TRANSFER_OFFER, KindNo.CONFLICT_SETTLE))))
    persons.take_in(ben.ledger, enrol(ann, profile("Jun Cho", practice=may)), WALL_MS)
    sitting = sit(ben)
    (first,) = write(ben, sitting, patient("Musa"))
    for to in ("Red Star", "Red Moon"):
        data = {"to": {"organisation": to}}
        more = {"patient": first.patient, "confirm": ["offer_stands"]}
        assert write(ben, sitting, line("transfer.offer", data, **more))[0].ok
    ben.ledger.catch_up_all()
    (doubt,) = unsettled(ben.ledger)
    keep = {"attribute": "custody", "keep": str(doubt.sides[0].fact)}
    settle = {"patient": first.patient, "reason": "asked"}

    (answer,) = write(ben, sitting, line("conflict.settle", keep, **settle))

    assert (answer.ok, answer.error, answer.kind) == (False, "outside_practice", "transfer.decline")
    kind = frozenset({int(KindNo.TRANSFER_DECLINE)})
    assert write(ben, sitting, line("conflict.settle", keep, **settle), overridden=kind)[0].ok
    ben.ledger.catch_up_all()
    assert unsettled(ben.ledger) == []
