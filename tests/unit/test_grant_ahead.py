"""A grant carried by hand out of a large operation brings its keys, whatever control weighs."""

from __future__ import annotations

import pytest

from protocols.errors import PeerError
from protocols.feeds.advance import ADVANCE_MARK
from protocols.feeds.run import Gap, decode_run
from protocols.ledger import admitting, gathering
from protocols.ledger.admitting import Newcomer
from protocols.trust.charter import CHARTER_BYTES_MAX, SignedCharter
from protocols.trust.control import Confirmation
from protocols.trust.enrolment import GRANT_BYTES_MAX, open_grant_file
from protocols.trust.granting import Wish
from protocols.trust.standing import Standing
from protocols.trust.statements import pack
from tests.unit.stage import WALL_MS, Device, Stage, camp, patient, triage
from tests.unit.test_mesh_early import even, swell, triages


def large() -> tuple[Stage, Device, Device]:
    """A founder whose control feed no grant could hold, and a member that is away."""
    stage, (ann, eve) = Stage(), camp(("ann", "eve"))
    stage.link(ann, eve)
    stage.run(3_000)
    stage.cut(ann, eve)
    swell(ann)
    return stage, ann, eve


def carried(stage: Stage, admitter: Device, name: str = "new") -> tuple[Device, bytes]:
    """A device with care of its own that joins by files; and the grant."""
    joiner = Device.found(name)
    stage.write(joiner, triage(stage.write(joiner, patient("Before"))[0].code or ""))
    asked = joiner.node.ask(stage.now(joiner))
    grant, effects = admitter.node.admit(asked, Wish(), stage.now(admitter))
    stage.carry(admitter, effects)
    stage.carry(joiner, joiner.node.join(grant, stage.now(joiner)))
    return joiner, grant


def writes_with_the_operation(device: Device) -> bool:
    """Whether care is written where the operation's others will read it."""
    authority = device.ledger.authority
    charter = authority.roster.charter
    assert charter is not None
    return charter.scope(authority.writable_scope()[0]) is not None


def test_it_writes_and_reads_with_the_operation_before_it_has_met_anybody():
    stage, ann, _ = large()
    new, grant = carried(stage, ann)

    assert len(grant) < GRANT_BYTES_MAX and writes_with_the_operation(new)
    stage.write(new, triage(stage.write(new, patient("After"))[0].code or ""))
    # What it wrote before belongs to the operation as well, and its readers can open it.
    assert triages(new) == [Standing.STANDS] * 2
    new.restarted()
    assert writes_with_the_operation(new)

    stage.link(new, ann)
    stage.run(8_000)
    assert triages(ann) == [Standing.STANDS] * 2 and even(ann, new)


def test_whom_it_meets_first_takes_nothing_of_it_away():
    stage, ann, eve = large()
    new, _ = carried(stage, ann)
    stage.write(new, triage(stage.write(new, patient("After"))[0].code or ""))

    # Eve was away: she knows neither of the admission nor of the keys for the newcomer.
    stage.link(new, eve)
    stage.run(8_000)
    assert writes_with_the_operation(new) and new.ledger.authority.advanced
    assert triages(new) == [Standing.STANDS] * 2

    stage.link(new, ann)
    stage.link(eve, ann)
    stage.run(20_000)
    assert even(ann, new, eve) and triages(eve) == [Standing.STANDS] * 2


def test_over_the_network_the_grant_stays_small_for_the_rest_follows_at_once():
    stage, ann, _ = large()
    new, code = Device.found("new"), bytes(range(10))
    ann.node.invite(code, stage.now(ann))
    before = stage.carried_bytes

    stage.link(new, ann, code=code)
    stage.run(2_000)

    assert stage.carried_bytes - before < 4_000 and not new.ledger.authority.advanced
    stage.link(new, ann)
    stage.run(8_000)
    assert even(ann, new) and writes_with_the_operation(new)


def test_beside_a_long_charter_a_grant_over_a_link_leaves_out_what_one_message_does_not_hold():
    (ann,) = camp(("ann",))
    for _ in range(19):
        ann.ledger.write_control(Confirmation((bytes(32),) * 64), WALL_MS)
    asked = admitting.request_to_join(Device.found("new").ledger, b"", ann.chance.randbytes)
    newcomer = [Newcomer(asked, Wish())]

    (short,) = admitting.admit_all(ann.ledger, newcomer, ann.chance.randbytes, WALL_MS)
    longest = pack(SignedCharter(bytes(CHARTER_BYTES_MAX), ()))
    ann.store.execute("UPDATE meta SET value = ? WHERE name = 'charter'", (longest,))
    (long,) = admitting.admit_all(ann.ledger, newcomer, ann.chance.randbytes, WALL_MS)

    assert len(short.entries) == 1 and long.entries == ()
    assert len(pack(long)) <= GRANT_BYTES_MAX


def test_where_the_whole_feed_fits_it_is_carried_as_ever():
    stage, (ann,) = Stage(), camp(("ann",))
    new, grant = carried(stage, ann)

    (run,) = open_grant_file(grant, new.id).entries
    assert not run.startswith(ADVANCE_MARK)
    assert writes_with_the_operation(new) and not new.ledger.authority.advanced


def test_older_software_takes_it_for_a_run_that_does_not_read_and_waits_for_the_sync():
    stage, ann, _ = large()
    new, grant = carried(stage, ann)
    (entry,) = open_grant_file(grant, new.id).entries

    assert entry.startswith(ADVANCE_MARK)
    with pytest.raises((PeerError, Gap)):
        decode_run(entry, 0, new.ledger.chain.genesis_of, new.ledger.chain.prev_of)


def test_of_many_keys_as_many_come_along_as_fit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gathering, "GRANTED_BYTES_MAX", 800)
    stage, ann, _ = large()
    new, _ = carried(stage, ann)

    assert not writes_with_the_operation(new)
    stage.write(new, triage(stage.write(new, patient("After"))[0].code or ""))
    stage.link(new, ann)
    stage.run(8_000)
    assert even(ann, new) and triages(ann) == [Standing.STANDS] * 2
