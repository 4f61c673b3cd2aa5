"""Release: whole documents cross a border by their own keys, and nothing else of the scope does."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from protocols.errors import InputError
from protocols.ids import PatientId
from protocols.ledger import orders, releasing
from protocols.ledger.about import documents_about
from protocols.ledger.inspection import check, inspect
from protocols.ledger.releasing import PURPOSES, Wish
from protocols.ledger.writing import Written
from protocols.records.shape import SubjectKind
from protocols.trust.release import approve_release
from protocols.trust.statements import pack, unpack
from tests.unit.founders import ROLES, TWO_LAWS, charter, member
from tests.unit.stage import WALL_MS, Device, Stage, admit, note, patient, triage
from tests.unit.test_erase import coordinator, erase, order, text_of

LEAVES = (
    ROLES
    + """
[[scope]]
name = "care JP"
jurisdictions = ["JP"]
ciphertext_may_leave = true
[[scope]]
name = "care KE"
jurisdictions = ["KE"]
ciphertext_may_leave = true
"""
)


def two_orgs(text: str) -> tuple[Stage, Device, Device, Device]:
    """Kenya's issuer, a second coordinator of Kenya, and Japan's issuer, all linked."""
    held = charter(("Kenya", "KE"), ("Japan", "JP"), text=text)
    ke, jp = member(held, "Kenya", "ke", law="KE"), member(held, "Japan", "jp", law="JP")
    second = Device.found("second")
    admit(ke, second)
    coordinator(ke, second)
    stage = Stage()
    for each in (second, jp):
        stage.link(ke, each)
    stage.link(second, jp)
    stage.run(5_000)
    return stage, ke, second, jp


def ward(stage: Stage, ke: Device) -> tuple[str, str]:
    """Two patients of Kenya; of the first more is written after the second."""
    shown = stage.write(ke, patient("Zebulon"))[0].id
    other = stage.write(ke, patient("Quuxley"))[0].id
    assert shown and other
    stage.write(ke, note(shown, "limps"), note(other, "coughs"), triage(shown), triage(other))
    stage.run(3_000)
    return shown, other


def wish(ke: Device, whom: str, *, to: str = "Japan") -> Wish:
    documents = documents_about(ke.ledger, PatientId.parse(whom))
    return Wish(tuple(documents), (to,), PURPOSES["transfer"], "Agreement 7, article 2")


def tell(stage: Stage, device: Device, written: list[Written]) -> None:
    stage.carry(device, device.node.wrote_control(stage.now(device)))
    stage.run(4_000)
    assert written


def release(stage: Stage, ke: Device, second: Device, whom: str) -> list[Written]:
    asked = releasing.request(ke.ledger, wish(ke, whom), ke.chance.randbytes(64 * 64))
    signed = releasing.approve(second.ledger, asked)
    written = releasing.apply(ke.ledger, signed, WALL_MS)
    tell(stage, ke, written)
    return written


def code_of(run) -> str:
    with pytest.raises(InputError) as refused:
        run()
    return refused.value.code


def sound(device: Device) -> bool:
    device.ledger.catch_up_all()
    return check(device.store).ok and inspect(device.ledger).ok


def test_who_holds_it_sealed_opens_exactly_what_was_released():
    stage, ke, second, jp = two_orgs(LEAVES)
    shown, _ = ward(stage, ke)
    assert jp.store.all("SELECT 1 FROM strand") == []
    assert jp.care.entries != b"" and b"Zebulon" not in text_of(jp)

    release(stage, ke, second, shown)

    jp.ledger.catch_up_all()
    text = text_of(jp)
    assert b"Zebulon" in text and b"limps" in text
    assert b"Quuxley" not in text and b"coughs" not in text
    assert jp.store.all("SELECT standing FROM patient") == [(0,)]
    assert releasing.released_patients(jp.ledger) == {PatientId.parse(shown)}
    assert releasing.released_patients(ke.ledger) == set()
    assert sound(jp) and sound(ke)
    (one, *_) = releasing.shown(jp.ledger)
    assert one.counts and one.recipients == ("Japan",) and one.basis == "Agreement 7, article 2"
    assert one.author == ke.id and one.approver == second.id
    assert sum(each.open_here for each in releasing.shown(jp.ledger)) == len(
        jp.store.all("SELECT 1 FROM strand")
    )


def test_a_restart_opens_no_more_and_no_less():
    stage, ke, second, jp = two_orgs(LEAVES)
    shown, _ = ward(stage, ke)
    release(stage, ke, second, shown)
    jp.ledger.catch_up_all()
    before = text_of(jp), jp.care
    jp.restarted()
    assert jp.care == before[1]
    jp.ledger.rebuild_rows()
    assert jp.care == before[1]
    assert b"Quuxley" not in text_of(jp)


def test_who_may_not_hold_the_scope_takes_a_file_that_verifies_as_at_home():
    stage, ke, second, jp = two_orgs(TWO_LAWS)
    shown, _ = ward(stage, ke)
    written = release(stage, ke, second, shown)
    # Two encounters are counted; of care nothing has crossed.
    assert jp.store.all("SELECT DISTINCT kind FROM subject") == [(SubjectKind.COUNTED,)]
    (counted,) = jp.store.all("SELECT count(*) FROM strand")
    assert counted == (2,)

    raw = releasing.export(ke.ledger, [each.entry.hash for each in written])
    brought = releasing.import_file(jp.ledger, raw, WALL_MS)

    text = text_of(jp)
    assert b"Zebulon" in text and b"Quuxley" not in text and b"coughs" not in text
    assert brought == len(jp.store.all("SELECT 1 FROM strand")) - 2
    assert jp.store.all("SELECT standing FROM patient") == [(0,)]
    assert sound(jp)
    assert releasing.import_file(jp.ledger, raw, WALL_MS) == brought
    assert sound(jp)


def test_a_later_release_of_the_same_feed_gives_held_headers_their_bodies():
    stage, ke, second, jp = two_orgs(TWO_LAWS)
    shown, other = ward(stage, ke)
    for whom in (shown, other):
        written = release(stage, ke, second, whom)
        raw = releasing.export(ke.ledger, [each.entry.hash for each in written])
        releasing.import_file(jp.ledger, raw, WALL_MS)
    assert b"Zebulon" in text_of(jp) and b"coughs" in text_of(jp)
    assert sound(jp)


def test_what_came_by_file_is_passed_to_nobody_and_cuts_no_link():
    stage, ke, second, jp = two_orgs(TWO_LAWS)
    shown, _ = ward(stage, ke)
    written = release(stage, ke, second, shown)
    raw = releasing.export(ke.ledger, [each.entry.hash for each in written])
    releasing.import_file(jp.ledger, raw, WALL_MS)
    late = Device.found("late")
    admit(ke, late)
    stage.cut(ke, jp)
    stage.cut(second, jp)
    jp.restarted()
    stage.link(ke, jp)
    stage.link(jp, late)
    stage.run(5_000)
    assert b"Zebulon" not in text_of(late)
    assert "detached_body" not in {*late.hangups.values(), *jp.hangups.values()}
    stage.link(ke, late)
    stage.run(5_000)
    assert b"Zebulon" in text_of(late) and b"Quuxley" in text_of(late)


def test_nobody_releases_alone_or_what_is_not_theirs():
    stage, ke, second, jp = two_orgs(LEAVES)
    shown, _ = ward(stage, ke)
    noise = ke.chance.randbytes(64 * 64)
    asked = releasing.request(ke.ledger, wish(ke, shown), noise)
    assert code_of(lambda: releasing.approve(ke.ledger, asked)) == "order_own"
    assert code_of(lambda: releasing.approve(jp.ledger, asked)) == "may_not_release"
    assert code_of(lambda: releasing.apply(ke.ledger, asked, WALL_MS)) == "order_unsigned"
    signed = releasing.approve(second.ledger, asked)
    assert code_of(lambda: releasing.apply(jp.ledger, signed, WALL_MS)) == "order_not_own"
    wanted = wish(ke, shown, to="Nowhere")
    assert code_of(lambda: releasing.request(ke.ledger, wanted, noise)) == "unknown_org"
    bare = Wish((), ("Japan",), 1, "law")
    assert code_of(lambda: releasing.request(ke.ledger, bare, noise)) == "nothing_to_release"
    lawless = Wish(wanted.documents, ("Japan",), 1, " ")
    assert code_of(lambda: releasing.request(ke.ledger, lawless, noise)) == "basis_missing"
    with ke.ledger.atomic():
        for each in releasing.read(ke.ledger, asked).releases:
            ke.ledger.write_control(each, WALL_MS)
    stage.carry(ke, ke.node.wrote_control(stage.now(ke)))
    stage.run(4_000)
    assert b"Zebulon" not in text_of(jp) and releasing.shown(jp.ledger) == []


def test_one_key_on_both_lines_of_a_release_is_no_release():
    stage, ke, second, jp = two_orgs(LEAVES)
    shown, _ = ward(stage, ke)
    asked = releasing.request(ke.ledger, wish(ke, shown), ke.chance.randbytes(64 * 64))
    own = ke.ledger.authority
    with ke.ledger.atomic():
        for each in releasing.read(ke.ledger, asked).releases:
            twice = approve_release(each, own.operation, ke.id, own.keys)
            ke.ledger.write_control(twice, WALL_MS)
    stage.carry(ke, ke.node.wrote_control(stage.now(ke)))
    stage.run(4_000)

    assert b"Zebulon" not in text_of(jp)
    for device in (ke, second, jp):
        assert releasing.shown(device.ledger) == []


def test_a_file_for_others_or_with_more_than_was_released_is_refused_whole():
    stage, ke, second, jp = two_orgs(TWO_LAWS)
    shown, other = ward(stage, ke)
    written = release(stage, ke, second, shown)
    raw = releasing.export(ke.ledger, [each.entry.hash for each in written])
    held = charter(("Kenya", "KE"), ("Japan", "JP"))
    stranger = member(held, "Japan", "stranger", law="JP")
    assert code_of(lambda: releasing.import_file(stranger.ledger, raw, WALL_MS)) == (
        "release_not_for_us"
    )
    assert stranger.store.all("SELECT 1 FROM entry WHERE kind = 0") == []
    file = unpack(releasing.ReleaseFile, raw[len(releasing.FILE_MAGIC) :])
    whole = [
        run
        for feed in ke.ledger.chain.feeds.values()
        if feed.genesis.lane and feed.tips
        for run in releasing._runs(ke.ledger, feed, None, feed.seq)
    ]
    more = releasing.FILE_MAGIC + pack(
        releasing.ReleaseFile(file.operation, file.control, tuple(whole))
    )
    assert code_of(lambda: releasing.import_file(jp.ledger, more, WALL_MS)) == "release_too_much"
    assert b"coughs" not in text_of(jp) and sound(jp)
    assert other


def test_an_erase_takes_what_was_released_too():
    stage, ke, second, jp = two_orgs(LEAVES)
    shown, _ = ward(stage, ke)
    release(stage, ke, second, shown)
    assert b"Zebulon" in text_of(jp)
    erase(stage, ke, order(ke, second, shown))
    stage.run(6_000)
    for each in (ke, second, jp):
        assert b"Zebulon" not in text_of(each) and sound(each)


def test_whom_it_was_released_to_by_file_has_to_confirm_an_erase_too():
    stage, ke, second, jp = two_orgs(TWO_LAWS)
    shown, _ = ward(stage, ke)
    written = release(stage, ke, second, shown)
    raw = releasing.export(ke.ledger, [each.entry.hash for each in written])
    releasing.import_file(jp.ledger, raw, WALL_MS)
    stage.cut(ke, jp)
    stage.cut(second, jp)
    erase(stage, ke, order(ke, second, shown))
    stage.run(6_000)
    (one,) = orders.progress(ke.ledger)
    assert [device for device, _ in one.missing] == [jp.id]
    stage.link(ke, jp)
    stage.run(6_000)
    (one,) = orders.progress(ke.ledger)
    assert one.missing == () and jp.id in {device for device, _ in one.confirmed}
    assert b"Zebulon" not in text_of(jp) and sound(jp)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 2**20), st.integers(0, 255))
def test_no_bytes_of_a_file_do_harm(noise, at, byte):
    jp, raw, asked = HARM
    before = jp.entries
    for known, run in (
        (raw, lambda file: releasing.import_file(jp.ledger, file, WALL_MS)),
        (CARD, lambda file: releasing.take_card(jp.ledger, file, WALL_MS)),
        (asked, lambda file: releasing.ordered(jp.ledger, releasing.read(jp.ledger, file))),
    ):
        changed = bytearray(known)
        changed[at % len(changed)] = byte
        magic = known.split(b"\n")[0] + b"\n"
        for tried in (noise, magic + noise, bytes(changed), known[: at % len(known)]):
            if tried != known:
                with suppress(InputError):
                    run(tried)
    assert b"Quuxley" not in text_of(jp)
    assert jp.entries >= before


def _harm() -> tuple[Device, bytes, bytes]:
    stage, ke, second, jp = two_orgs(TWO_LAWS)
    shown, _ = ward(stage, ke)
    asked = releasing.request(ke.ledger, wish(ke, shown), ke.chance.randbytes(64 * 64))
    written = release(stage, ke, second, shown)
    return jp, releasing.export(ke.ledger, [each.entry.hash for each in written]), asked


HARM = _harm()
CARD = releasing.card(HARM[0].ledger)


def test_a_second_signature_of_somebody_who_may_not_release_is_none():
    """A file can be signed by software of anybody's own: whoever applies it looks who it was."""
    stage, ke, second, jp = two_orgs(LEAVES)
    shown, _ = ward(stage, ke)
    asked = releasing.request(ke.ledger, wish(ke, shown), ke.chance.randbytes(64 * 64))
    held = releasing.read(ke.ledger, asked)
    operation, keys = ke.ledger.authority.operation, jp.ledger.authority.keys
    signed = tuple(approve_release(each, operation, ke.id, keys) for each in held.releases)
    forged = releasing.ORDER_MAGIC + pack(replace(held, releases=signed))
    before = ke.entries

    assert code_of(lambda: releasing.apply(ke.ledger, forged, WALL_MS)) == "order_approver"
    assert ke.entries == before
    assert releasing.apply(ke.ledger, releasing.approve(second.ledger, asked), WALL_MS)
