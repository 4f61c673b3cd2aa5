"""Headers of what was released follow it over real sessions, where the charter lets them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from protocols.errors import PeerError
from protocols.feeds.run import decode_run
from protocols.ids import DeviceId, PatientId
from protocols.ledger import releasing, showing
from protocols.ledger.about import documents_about
from protocols.mesh.door import own_control
from protocols.mesh.frames import Data, decode_frame
from protocols.trust.control import Seal, SealReason
from tests.unit.camps import overheard, tell
from tests.unit.forge import opening
from tests.unit.founders import ROLES, charter, member
from tests.unit.stage import WALL_MS, Device, Stage, admit, note, patient
from tests.unit.test_erase import coordinator, erase, order, text_of
from tests.unit.test_ledger_crash import far
from tests.unit.test_release import release, sound, ward


def laws(may: str) -> str:
    return (
        ROLES
        + f"""
[[scope]]
name = "care JP"
jurisdictions = ["JP"]
ciphertext_may_leave = {may}
[[scope]]
name = "care KE"
jurisdictions = ["KE"]
ciphertext_may_leave = {may}
"""
    )


class Border:
    """Kenya's issuer and second, Japan's issuer, and a relay of Japan between them."""

    def __init__(self, may: str = '"headers"') -> None:
        held = charter(("Kenya", "KE"), ("Japan", "JP"), text=laws(may))
        self.ke = member(held, "Kenya", "ke", law="KE")
        self.jp = member(held, "Japan", "jp", law="JP")
        self.second, self.relay = Device.found("second"), Device.found("relay")
        admit(self.ke, self.second)
        coordinator(self.ke, self.second)
        admit(self.jp, self.relay)
        self.stage = Stage()
        self.stage.link(self.ke, self.second)
        self.stage.link(self.ke, self.relay)
        self.stage.link(self.relay, self.jp)
        self.stage.run(5_000)

    def released(self, *, taken: bool = True) -> str:
        """Release one of two patients to Japan; Japan's issuer takes the file."""
        self.shown, self.other = ward(self.stage, self.ke)
        self.written = release(self.stage, self.ke, self.second, self.shown)
        if taken:
            self.take()
        return self.shown

    def take(self) -> int:
        raw = releasing.export(self.ke.ledger, [each.entry.hash for each in self.written])
        return releasing.import_file(self.jp.ledger, raw, WALL_MS)


def care_feeds(device: Device, of: Device) -> dict[bytes, int]:
    """How far a device holds the care feeds of another."""
    care = of.ledger.authority.care_scope
    return {
        bytes(feed.feed_id): feed.seq
        for feed in device.ledger.chain.feeds.values()
        if feed.genesis.scope == care and feed.genesis.device == of.id
    }


def bodies(device: Device, of: Device) -> int:
    care = bytes(of.ledger.authority.care_scope)
    return len(
        device.store.all(
            "SELECT 1 FROM entry e JOIN feed f ON f.no = e.feed"
            " WHERE f.scope = ? AND f.device = ? AND e.body IS NOT NULL",
            (care, bytes(of.id)),
        )
    )


def seqs(border: Border, said: list[tuple[DeviceId, bytes]]) -> list[int]:
    """Places of the care entries that crossed to the relay."""
    chain, found = border.ke.ledger.chain, []
    care = border.ke.ledger.authority.care_scope
    for peer, raw in said:
        frame, at = decode_frame(raw), 0
        while peer == border.relay.id and isinstance(frame, Data) and at < len(frame.runs):
            run, at = decode_run(frame.runs, at, chain.genesis_of, chain.prev_of)
            if chain.feeds[run.feed].genesis.scope == care:
                found += [line.seq for line in run.lines]
    return found


def hangups(*devices: Device) -> set[str]:
    return {reason for device in devices for reason in device.hangups.values()}


def test_the_chain_of_what_was_released_goes_on_over_a_relay_without_a_body():
    border = Border()
    shown = border.released()
    opened = bodies(border.jp, border.ke)
    assert opened and b"Zebulon" in text_of(border.jp)

    for turn in range(40):
        border.stage.write(border.ke, note(border.shown, f"further {turn}"), note(border.other))
    border.stage.run(10_000)

    assert care_feeds(border.jp, border.ke) == care_feeds(border.ke, border.ke)
    assert care_feeds(border.relay, border.ke) == care_feeds(border.ke, border.ke)
    assert bodies(border.jp, border.ke) == opened and bodies(border.relay, border.ke) == 0
    assert b"further" not in text_of(border.jp) and b"Quuxley" not in text_of(border.relay)
    assert hangups(border.ke, border.relay, border.jp) <= {""}
    assert all(sound(each) for each in (border.ke, border.relay, border.jp))
    # What is released later opens behind the headers that are here.
    border.written = release(border.stage, border.ke, border.second, shown)
    assert border.take() > opened
    assert b"further 39" in text_of(border.jp) and b"Quuxley" not in text_of(border.jp)
    assert sound(border.jp)


def test_no_ciphertext_crosses_in_any_frame():
    border = Border()
    border.stage.run(1_000)
    said = overheard(border.ke)
    border.released()
    border.stage.write(border.ke, note(border.shown, "further"))
    border.stage.run(5_000)
    crossed = b"".join(frame for peer, frame in said if peer == border.relay.id)
    hashes = border.ke.store.all(
        "SELECT e.body, e.body_hash FROM entry e JOIN feed f ON f.no = e.feed"
        " WHERE f.lane > 0 AND f.scope = ?",
        (bytes(border.ke.ledger.authority.care_scope),),
    )
    assert hashes and not any(body[:24] in crossed for body, _ in hashes)
    assert care_feeds(border.relay, border.ke) == care_feeds(border.ke, border.ke)


def test_where_the_charter_keeps_headers_at_home_nothing_goes():
    border = Border("false")
    border.stage.run(1_000)
    said = overheard(border.ke)
    border.released()
    before = care_feeds(border.jp, border.ke)
    border.stage.write(border.ke, note(border.shown, "further"))
    border.stage.run(90_000)
    assert care_feeds(border.relay, border.ke) == {}
    assert care_feeds(border.jp, border.ke) == before != care_feeds(border.ke, border.ke)
    crossed = b"".join(frame for peer, frame in said if peer == border.relay.id)
    assert not any(feed in crossed for feed in care_feeds(border.ke, border.ke))


def test_feeds_of_which_nothing_was_released_are_not_named():
    border = Border()
    border.released()
    # The second writes about the other patient alone.
    border.stage.write(border.second, note(border.other, "by the second"))
    border.stage.run(8_000)
    assert care_feeds(border.second, border.second) != {}
    assert care_feeds(border.relay, border.second) == care_feeds(border.jp, border.second) == {}
    # A document of his own about the same patient was not released either, until it is.
    border.stage.write(border.second, note(border.shown, "into what was shown"))
    border.stage.run(8_000)
    assert care_feeds(border.relay, border.second) == {}
    release(border.stage, border.ke, border.second, border.shown)
    border.stage.run(8_000)
    assert care_feeds(border.relay, border.second) == care_feeds(border.second, border.second)
    assert bodies(border.relay, border.second) == 0


def test_a_release_of_one_scope_shows_no_feed_of_another():
    border = Border()
    border.released()
    documents: set[bytes] = set(documents_about(border.ke.ledger, PatientId.parse(border.shown)))
    here = border.ke.ledger.authority.care_scope
    there = border.jp.ledger.authority.care_scope
    assert showing.feeds_of(border.ke.ledger, {here: documents})
    assert showing.feeds_of(border.ke.ledger, {there: documents}) == set()


def test_a_release_whose_author_was_sealed_before_it_shows_nothing_further():
    border = Border()
    border.shown, border.other = ward(border.stage, border.ke)
    border.stage.link(border.second, border.relay)
    epoch = border.second.ledger.authority.epoch
    (control,) = (f for f in own_control(border.second.ledger) if f.genesis.epoch == epoch)
    tip = control.tips[0]
    release(border.stage, border.second, border.ke, border.shown)
    border.stage.run(5_000)
    assert care_feeds(border.relay, border.ke) == care_feeds(border.ke, border.ke) != {}
    head = (bytes(control.feed_id), tip.seq, bytes(tip.hash))
    with border.ke.ledger.atomic():
        seal = Seal(bytes(border.second.id), int(SealReason.COMPROMISED), (head,))
        border.ke.ledger.write_control(seal, WALL_MS)
    border.ke.ledger.catch_up_all()
    tell(border.stage, border.ke)
    border.stage.run(3_000)
    before = care_feeds(border.relay, border.ke)
    border.stage.write(border.ke, note(border.shown, "further"))
    border.stage.run(8_000)
    assert care_feeds(border.relay, border.ke) == before != care_feeds(border.ke, border.ke)


def test_a_sealed_device_is_shown_nothing():
    border = Border()
    border.stage.cut(border.ke, border.relay)
    border.released(taken=False)
    with border.jp.ledger.atomic():
        border.jp.ledger.write_control(
            Seal(bytes(border.relay.id), int(SealReason.LOST), ()), WALL_MS
        )
    tell(border.stage, border.jp)
    border.stage.link(border.ke, border.jp)
    border.stage.run(5_000)
    border.stage.link(border.ke, border.relay)
    border.stage.run(5_000)
    assert care_feeds(border.relay, border.ke) == {}
    assert care_feeds(border.jp, border.ke) == care_feeds(border.ke, border.ke)


def test_a_restart_and_another_session_bring_what_was_written_meanwhile_once():
    border = Border()
    border.released()
    for turn in range(300):
        border.stage.write(border.ke, note(border.shown, f"before {turn}"))
    border.stage.run(8_000)
    border.stage.cut(border.ke, border.relay)
    for turn in range(10):
        border.stage.write(border.ke, note(border.shown, f"meanwhile {turn}"))
    border.relay.restarted()
    said = overheard(border.ke)
    border.stage.link(border.ke, border.relay)
    border.stage.link(border.relay, border.jp)
    border.stage.run(8_000)
    assert care_feeds(border.jp, border.ke) == care_feeds(border.ke, border.ke)
    assert seqs(border, said) == list(range(305, 315))
    said.clear()
    border.stage.cut(border.ke, border.relay)
    border.stage.link(border.ke, border.relay)
    border.stage.run(8_000)
    assert seqs(border, said) == []
    assert care_feeds(border.relay, border.ke) == care_feeds(border.ke, border.ke)


def test_who_may_hold_all_of_a_scope_still_refuses_a_body_left_out():
    border = Border()
    border.released()
    late = Device.found("late")
    admit(border.ke, late)
    border.stage.link(late, border.jp)
    border.stage.link(late, border.relay)
    border.stage.run(5_000)
    # Whoever has headers only tells of them to nobody who may have all.
    assert care_feeds(late, border.ke) == {} and "detached_body" not in hangups(late, border.jp)
    border.stage.link(late, border.ke)
    border.stage.run(8_000)
    assert care_feeds(late, border.ke) == care_feeds(border.ke, border.ke)
    assert bodies(late, border.ke) == sum(care_feeds(late, border.ke).values())


def test_an_erase_of_what_was_shown_leaves_headers_that_go_on():
    border = Border()
    shown = border.released()
    erase(border.stage, border.ke, order(border.ke, border.second, shown))
    border.stage.run(8_000)
    assert b"Zebulon" not in text_of(border.jp)
    border.stage.write(border.ke, patient("Amina"))
    border.stage.run(8_000)
    assert care_feeds(border.jp, border.ke) == care_feeds(border.ke, border.ke)
    assert sound(border.jp) and hangups(border.ke, border.relay, border.jp) <= {""}


@pytest.mark.parametrize("at", range(3))
def test_a_body_left_out_anywhere_in_a_run_is_seen(at: int):
    ann = Device.found("ann")
    author = far(ann)
    run = author.run(*[author.write([opening()]) for _ in range(3)])
    lines = list(run.lines)
    lines[at] = replace(lines[at], body=None)

    with pytest.raises(PeerError) as refused:
        showing.take(ann.ledger, [replace(run, lines=tuple(lines))], WALL_MS)

    assert refused.value.code == "detached_body"


def test_no_receipt_says_that_what_is_here_as_headers_alone_is_held():
    border = Border()
    border.released()
    border.stage.run(5_000)
    hollow = border.jp.ledger.chain.hollow
    assert hollow

    border.jp.node._receipts._give(border.stage.now(border.jp))

    given = [each for each, _ in border.jp.ledger.peers.receipts.values()]
    own = [each for each in given if each.giver == border.jp.id]
    assert own and not hollow & {head.feed for each in own for head in each.heads}
