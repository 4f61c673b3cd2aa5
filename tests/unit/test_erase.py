"""Erasing over real nodes: bodies, strands and rows go everywhere, chains go on verifying."""

from __future__ import annotations

from protocols.feeds.lane import Lane
from protocols.feeds.run import decode_run
from protocols.ids import EntryHash, PatientId
from protocols.ledger import reading
from protocols.ledger.founding import new_epoch
from protocols.ledger.inspection import check, inspect
from protocols.mesh.runs import RecentRuns
from protocols.trust.certificates import CERTIFICATE_VERSION, Certificate, Rank, sign_certificate
from protocols.trust.control import Certificates, Erase, Hold
from protocols.trust.erasure import approve_erase
from tests.unit.stage import (
    WALL_MS,
    Device,
    Stage,
    admit,
    agree,
    linked,
    note,
    patient,
    triage,
)


def coordinator(issuer: Device, device: Device) -> None:
    """Make a member a coordinator of all that its issuer is one of."""
    authority, keys = issuer.ledger.authority, device.ledger.authority.keys
    certificate = Certificate(
        version=CERTIFICATE_VERSION,
        operation=bytes(authority.operation),
        subject=bytes(keys.device),
        agree=keys.agree_public,
        rank=int(Rank.COORDINATOR),
        roles=tuple(sorted(authority.roster.device(authority.device).roles)),
        scopes=tuple(sorted(authority.roster.device(authority.device).scopes)),
        depth=1,
        count=100,
        serial=authority.roster.next_serial(authority.device),
    )
    with issuer.ledger.atomic():
        statement = sign_certificate(certificate, authority.keys)
        issuer.ledger.write_control(Certificates((statement,)), WALL_MS)


def hashes_of(device: Device, patient_id: str) -> tuple[list[bytes], list[bytes]]:
    """Entries and documents of a patient as a device holds them."""
    subject = bytes(PatientId.parse(patient_id))
    rows = device.store.all(
        "SELECT e.hash, d.doc_id FROM strand t JOIN entry e ON e.arrival = t.entry"
        " JOIN document d ON d.no = t.doc JOIN subject s ON s.no = d.subject WHERE s.id = ?",
        (subject,),
    )
    return sorted(row[0] for row in rows), sorted({row[1] for row in rows})


def order(author: Device, approver: Device, patient_id: str, *, documents: bool = True) -> Erase:
    entries, docs = hashes_of(author, patient_id)
    bare = Erase(tuple(entries), tuple(docs) if documents else (), 1, bytes(32), bytes(64))
    authority = author.ledger.authority
    return approve_erase(
        bare, authority.operation, authority.device, approver.ledger.authority.keys
    )


def erase(stage: Stage, author: Device, record: Erase | Hold) -> EntryHash:
    """Write an erase as its author and tell whoever is linked."""
    with author.ledger.atomic():
        written = author.ledger.write_control(record, WALL_MS)
    author.ledger.catch_up_all()
    author.node._board.grew([written.feed])
    stage.carry(author, author.node.tick(stage.now(author)))
    return written.entry.hash


def text_of(device: Device) -> bytes:
    """Everything a book holds that could be read: every value of every table."""
    names = [
        name
        for (name,) in device.store.all("SELECT name FROM sqlite_master WHERE type = 'table'")
        if name != "patient_search"
    ]
    parts = []
    for name in names:
        for row in device.store.all(f"SELECT * FROM {name}"):
            parts += [
                v.encode() if isinstance(v, str) else bytes(v)
                for v in row
                if isinstance(v, (str, bytes))
            ]
    return b"\0".join(parts)


def sound(device: Device) -> bool:
    device.ledger.catch_up_all()
    found = inspect(device.ledger)
    return found.ok and check(device.store).ok


def crew() -> tuple[Stage, list[Device]]:
    """Ann the founder, Ben a coordinator, Cleo a device: all linked through Ann."""
    stage, devices = linked("ann", "ben", "cleo")
    coordinator(devices[0], devices[1])
    for device in devices[1:]:
        stage.cut(devices[0], device)
        stage.link(devices[0], device)
    stage.run(3_000)
    return stage, devices


def test_an_erase_reaches_all_and_the_chains_still_verify():
    stage, (ann, ben, cleo) = crew()
    whom = stage.write(cleo, patient("Zebulon"))[0].id
    kept = stage.write(cleo, patient("Amina"))[0].id
    stage.write(ann, note(whom, "limps"), triage(whom), note(kept, "well"))
    stage.run(3_000)
    assert all(b"Zebulon" in text_of(each) for each in (ann, ben, cleo))

    erase(stage, ann, order(ann, ben, whom))
    stage.run(3_000)

    for each in (ann, ben, cleo):
        assert b"Zebulon" not in text_of(each) and b"limps" not in text_of(each)
        assert b"Amina" in text_of(each)
        assert sound(each)
        assert reading.set_aside(each.ledger) == {}
    assert agree(ann, ben, cleo)


def test_a_device_that_never_had_it_takes_headers_only():
    stage, (ann, ben, cleo) = crew()
    whom = stage.write(cleo, patient("Zebulon"))[0].id
    stage.run(3_000)
    erase(stage, ann, order(ann, ben, whom))
    stage.write(cleo, patient("Amina"))
    stage.run(3_000)
    dan = Device.found("dan")
    admit(ann, dan)
    stage.link(ann, dan)
    stage.run(3_000)
    assert b"Amina" in text_of(dan)
    assert b"Zebulon" not in text_of(dan)
    assert dan.entries == ann.entries
    assert agree(ann, dan) and ann.care.rows == cleo.care.rows
    assert sound(dan)


def test_one_that_was_away_with_the_text_drops_it_at_its_next_contact_and_spreads_none():
    stage, (ann, ben, cleo) = crew()
    whom = stage.write(cleo, patient("Zebulon"))[0].id
    stage.run(3_000)
    stage.cut(ann, cleo)
    erase(stage, ann, order(ann, ben, whom))
    stage.write(cleo, note(whom, "late limp"), patient("Amina"))
    stage.run(3_000)
    assert b"Zebulon" in text_of(cleo)
    stage.link(cleo, ann)
    stage.run(5_000)
    for each in (ann, ben, cleo):
        assert b"Zebulon" not in text_of(each) and b"late limp" not in text_of(each)
        assert sound(each)
    assert agree(ann, ben, cleo)
    assert [len(each.ledger.eraser.late()) for each in (ann, ben, cleo)] == [1, 1, 1]


def test_a_body_left_out_without_an_order_ends_the_link():
    stage, (ann, ben, cleo) = crew()
    whom = stage.write(cleo, patient("Zebulon"))[0].id
    stage.run(3_000)
    dan = Device.found("dan")
    admit(ann, dan)
    row = ann.store.one(
        "SELECT arrival, body FROM entry WHERE substr(hash, 1, 16) = ?",
        (bytes(PatientId.parse(whom)),),
    )
    with ann.store.atomic():
        ann.ledger.eraser._drop_bodies([row])
    ann.restarted()
    stage.link(ann, dan)
    stage.run(3_000)
    assert "detached_body" in dan.hangups.values()
    assert b"Zebulon" not in text_of(dan)


def test_a_hold_keeps_the_text_and_lifting_it_lets_the_erase_go_on():
    stage, (ann, ben, cleo) = crew()
    whom = stage.write(cleo, patient("Zebulon"))[0].id
    stage.run(3_000)
    record = order(ann, ben, whom)
    hold = erase(stage, ann, Hold(record.documents, ()))
    erase(stage, ann, record)
    stage.run(3_000)
    assert all(b"Zebulon" in text_of(each) for each in (ann, ben, cleo))
    erase(stage, ann, Hold((), (), hold))
    stage.run(3_000)
    assert not any(b"Zebulon" in text_of(each) for each in (ann, ben, cleo))
    assert agree(ann, ben, cleo)


def test_whoever_is_erased_can_be_written_about_again():
    stage, (ann, ben, cleo) = crew()
    whom = stage.write(cleo, patient("Zebulon"))[0].id
    stage.run(3_000)
    erase(stage, ann, order(ann, ben, whom))
    stage.run(3_000)
    assert not stage.write(cleo, note(whom, "again"))[0].ok
    again = stage.write(cleo, patient("Zeb"))[0]
    assert again.ok and stage.write(cleo, note(again.id, "again"))[0].ok
    stage.run(3_000)
    assert all(b"again" in text_of(each) for each in (ann, ben, cleo))


def test_part_of_a_document_takes_with_it_what_depends_on_it():
    stage, (ann, ben, cleo) = crew()
    whom = stage.write(cleo, patient("Zebulon"))[0].id
    stage.run(1_000)
    stage.write(cleo, note(whom, "first"))
    stage.run(1_000)
    stage.write(ann, note(whom, "second"))
    stage.run(3_000)
    entries, _ = hashes_of(ann, whom)
    first = next(
        digest
        for digest, plain in ann.store.all(
            "SELECT e.hash, t.plain FROM strand t JOIN entry e ON e.arrival = t.entry"
        )
        if b"first" in plain
    )
    authority = ann.ledger.authority
    record = approve_erase(
        Erase((first,), (), 1, bytes(32), bytes(64)),
        authority.operation,
        authority.device,
        ben.ledger.authority.keys,
    )
    assert first in entries
    erase(stage, ann, record)
    stage.run(3_000)
    for each in (ann, ben, cleo):
        assert b"Zebulon" in text_of(each) and b"first" not in text_of(each)
        assert sound(each)
    assert agree(ann, ben, cleo)


def test_each_holder_confirms_once_and_says_so_to_all():
    stage, (ann, ben, cleo) = crew()
    whom = stage.write(cleo, patient("Zebulon"))[0].id
    stage.run(3_000)
    entry = erase(stage, ann, order(ann, ben, whom))
    stage.run(6_000)
    for each in (ann, ben, cleo):
        said = each.ledger.authority.erasures.confirmed(entry)
        assert sorted(one.device for one in said) == sorted((ann.id, ben.id, cleo.id))
    cleo.restarted()
    stage.link(ann, cleo)
    stage.run(6_000)
    assert len(ann.ledger.authority.erasures.confirmed(entry)) == 3
    assert agree(ann, ben, cleo)


def test_what_is_held_is_not_confirmed():
    stage, (ann, ben, cleo) = crew()
    whom = stage.write(cleo, patient("Zebulon"))[0].id
    stage.run(3_000)
    record = order(ann, ben, whom)
    erase(stage, ann, Hold((), record.entries[:1]))
    entry = erase(stage, ann, record)
    stage.run(6_000)
    assert ann.ledger.authority.erasures.confirmed(entry) == []


def test_an_older_copy_that_comes_back_drops_it_again_and_confirms_again():
    stage, (ann, ben, cleo) = crew()
    whom = stage.write(cleo, patient("Zebulon"))[0].id
    stage.run(3_000)
    old = cleo.copy("cleo")
    entry = erase(stage, ann, order(ann, ben, whom))
    stage.run(6_000)
    stage.cut(ann, cleo)
    assert b"Zebulon" in text_of(old)
    new_epoch(old.store, b"restored")
    old.restarted()
    stage.link(old, ann)
    stage.run(8_000)
    assert b"Zebulon" not in text_of(old) and sound(old)
    said = [one for one in ann.ledger.authority.erasures.confirmed(entry) if one.device == old.id]
    assert {one.epoch for one in said} == {bytes(cleo.ledger.authority.epoch), b"restored"}
    assert agree(ann, ben, old)


def test_a_relay_without_keys_drops_what_it_cannot_read():
    stage, (ann, ben, cleo) = crew()
    whom = stage.write(cleo, patient("Zebulon"))[0].id
    stage.run(3_000)
    relay = Device.found("relay")
    admit(ann, relay)
    relay.ledger.opener._key_of = lambda _: None
    stage.link(ann, relay)
    stage.run(3_000)
    record = order(ann, ben, whom)
    (named,) = record.entries
    held = "SELECT body FROM entry WHERE hash = ?"
    assert relay.store.one(held, (named,))[0] and not relay.store.all("SELECT * FROM strand")
    entry = erase(stage, ann, record)
    stage.run(6_000)
    assert relay.store.one(held, (named,)) == (None,)
    assert relay.id in {said.device for said in ann.ledger.authority.erasures.confirmed(entry)}
    assert check(relay.store).ok and relay.care.entries == ann.care.entries


def test_a_device_with_a_fork_drops_the_body_on_every_branch_and_keeps_both():
    stage, (ann, ben, cleo) = crew()
    stage.write(cleo, patient("Amina"))
    stage.run(3_000)
    clone = cleo.copy("clone")
    stage.cut(ann, cleo)
    mine = stage.write(cleo, patient("Zebulon"))[0].id
    theirs = stage.write(clone, patient("Yolanda"))[0].id
    for each in (cleo, clone):
        stage.link(each, ann)
        stage.run(4_000)
        stage.cut(each, ann)
    assert mine != theirs
    for whom in (mine, theirs):
        erase(stage, ann, order(ann, ben, whom))
    stage.run(6_000)
    for each in (cleo, clone):
        stage.link(each, ann)
        stage.run(6_000)
    for each in (ann, ben, cleo, clone):
        text = text_of(each)
        assert b"Zebulon" not in text and b"Yolanda" not in text and b"Amina" in text
        assert any(len(feed.tips) == 2 for feed in each.ledger.chain.feeds.values())
        assert sound(each)
    assert agree(ann, ben, cleo)


def run_of(device: Device, named: bytes) -> bytes:
    """The feed that an entry stands in, encoded from its start."""
    (no,) = device.store.one("SELECT feed FROM entry WHERE hash = ?", (named,))
    feed = device.ledger.chain.by_no[no]
    found = device.ledger.chain.run_after(feed, feed.tips[0], 0, 60_000)
    assert found is not None
    return found[0]


def test_a_body_that_comes_after_its_erase_is_never_stored():
    stage, (ann, ben, cleo) = crew()
    stage.cut(ann, ben)
    whom = stage.write(cleo, patient("Zebulon"))[0].id
    stage.run(3_000)
    record = order(ann, ben, whom)
    old = run_of(cleo, record.entries[0])
    with ben.ledger.atomic():
        ben.ledger.write_control(
            approve_erase(
                record, ben.ledger.authority.operation, ben.id, ann.ledger.authority.keys
            ),
            WALL_MS,
        )
    chain = ben.ledger.chain
    run, _ = decode_run(old, 0, chain.genesis_of, chain.prev_of)
    ben.ledger.take([run], WALL_MS)
    ben.ledger.catch_up_all()
    assert b"Zebulon" not in text_of(ben)
    assert [reason for *_, reason in ben.unopened()] == ["erased"]
    assert not any(body for (body,) in ben.store.all("SELECT body FROM entry WHERE kind = 0"))


def test_from_the_record_on_no_body_leaves_even_before_it_is_dropped():
    stage, (ann, ben, cleo) = crew()
    whom = stage.write(cleo, patient("Zebulon"))[0].id
    stage.run(3_000)
    record = order(ann, ben, whom)
    (named,) = record.entries
    (no,) = ann.store.one("SELECT feed FROM entry WHERE hash = ?", (named,))
    feed, runs = ann.ledger.chain.by_no[no], RecentRuns(ann.ledger)
    before = runs.after(feed, feed.tips[0], 0, 60_000)
    with ann.ledger.atomic():
        ann.ledger.write_control(record, WALL_MS)
    assert ann.store.one("SELECT body FROM entry WHERE hash = ?", (named,))[0]
    after = runs.after(feed, feed.tips[0], 0, 60_000)
    chain = ben.ledger.chain
    for encoded, there in ((before, True), (after, False)):
        assert encoded is not None
        run, _ = decode_run(encoded.run, 0, chain.genesis_of, chain.prev_of)
        assert [line.body is not None for line in run.lines if line.hash == named] == [there]


def test_all_of_a_named_document_goes_though_not_every_entry_of_it_is_named():
    stage, (ann, ben, cleo) = crew()
    whom = stage.write(cleo, patient("Zebulon"))[0].id
    stage.run(1_000)
    stage.write(ann, note(whom, "second"))
    stage.run(3_000)
    last = next(
        digest
        for digest, plain in ann.store.all(
            "SELECT e.hash, t.plain FROM strand t JOIN entry e ON e.arrival = t.entry"
        )
        if b"second" in plain
    )
    document = (bytes(PatientId.parse(whom)),)
    authority = ann.ledger.authority
    record = approve_erase(
        Erase((last,), document, 1, bytes(32), bytes(64)),
        authority.operation,
        authority.device,
        ben.ledger.authority.keys,
    )
    erase(stage, ann, record)
    stage.run(5_000)
    for each in (ann, ben, cleo):
        assert b"Zebulon" not in text_of(each) and sound(each)
        each.restarted()
        each.ledger.rebuild_rows()
        assert b"Zebulon" not in text_of(each)
    assert agree(ann, ben, cleo)


def test_what_was_answered_about_it_and_drafts_go_too():
    stage, (ann, ben, cleo) = crew()
    whom = stage.write(cleo, patient("Zebulon"))[0].id
    other = stage.write(cleo, patient("Amina"))[0].id
    stage.write(cleo, note(whom, "limps"))
    stage.run(3_000)
    for subject, about in (("one", whom), ("two", other)):
        cleo.store.execute(
            "INSERT INTO draft VALUES ('note', ?, ?, 0)", (subject, f'{{"patient":"{about}"}}')
        )
    cleo.ledger.answers._write_down()
    erase(stage, ann, order(ann, ben, whom))
    stage.run(3_000)
    assert cleo.store.all("SELECT subject FROM draft") == [("two",)]
    kept = cleo.store.all("SELECT slot, no FROM answered ORDER BY slot")
    assert cleo.store.all("SELECT slot, no FROM answer_place ORDER BY slot") == kept
    answered = b"".join(answer for (answer,) in cleo.store.all("SELECT answer FROM answered"))
    assert whom.encode() not in answered and other.encode() in answered


def test_a_large_erase_goes_in_pieces_and_what_is_urgent_does_not_wait_for_it():
    stage, (ann, ben, cleo) = crew()
    named = [stage.write(ann, patient(f"Zebulon {number}"))[0].id for number in range(150)]
    stage.run(5_000)
    orders = [order(ann, ben, whom) for whom in named]
    with ann.ledger.atomic():
        for record in orders:
            ann.ledger.write_control(record, WALL_MS)
    assert ann.ledger.eraser.due == 300
    assert ann.ledger.catch_up(urgent_only=True) == set()
    left = []
    while ann.ledger.eraser.due:
        ann.ledger.catch_up()
        left.append(text_of(ann).count(b"Zebulon"))
    assert len(left) == 3 and left == sorted(left, reverse=True)
    ann.node._board.grew(
        [feed for feed in ann.ledger.chain.feeds.values() if feed.genesis.lane == Lane.CONTROL]
    )
    stage.carry(ann, ann.node.tick(stage.now(ann)))
    stage.run(8_000)
    assert not any(b"Zebulon" in text_of(each) for each in (ann, ben, cleo))
    assert agree(ann, ben, cleo)


def test_an_erase_by_whoever_may_not_is_confirmed_by_nobody():
    """It would be told as done everywhere, and no two who may ever asked for it."""
    stage, (ann, ben, cleo) = crew()
    bare = Erase((bytes(range(32)),), (), 1, bytes(32), bytes(64))
    record = approve_erase(bare, ann.ledger.authority.operation, cleo.id, ben.ledger.authority.keys)
    entry = erase(stage, cleo, record)
    stage.run(6_000)
    for each in (ann, ben, cleo):
        assert entry in each.ledger.authority.erasures.erases()
        assert each.ledger.authority.erasures.confirmed(entry) == []
