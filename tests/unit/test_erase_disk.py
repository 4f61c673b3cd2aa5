"""What is erased is gone from the very pages of the file, from its log, and from backups."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from protocols.ledger.erasing import wipe_copy
from protocols.ledger.founding import found_book
from protocols.ledger.place import DATABASE_NAME
from protocols.ledger.store import copy_file, open_copy, open_file
from protocols.sim.disk import Disk
from protocols.sim.host import PowerCutError
from protocols.trust.control import Erase
from tests.unit.stage import WALL_MS, Device, Stage, admit, note, patient, triage
from tests.unit.test_erase import coordinator, erase, order, sound, text_of

KEY = b"k" * 32
PAGE, RESERVED, SALT = 4096, 80, 16
WORDS = ("Zebulon", "Quuxley", "Ypsilanti")


def pages(path: Path) -> bytes:
    """Every page of a book's file as it is under the cipher, freed ones and slack too."""
    raw = path.read_bytes()
    return b"".join(_clear(raw[at : at + PAGE], first=at == 0) for at in range(0, len(raw), PAGE))


def logged(path: Path) -> bytes:
    """Every page in the log beside it, whatever it is still good for."""
    raw, step = path.with_name(path.name + "-wal").read_bytes()[32:], 24 + PAGE
    frames = [raw[at : at + step] for at in range(0, len(raw), step)]
    return b"".join(_clear(frame[24:], first=frame[:4] == b"\0\0\0\1") for frame in frames)


def _clear(page: bytes, *, first: bool) -> bytes:
    body = page[SALT if first else 0 : PAGE - RESERVED]
    cipher = Cipher(algorithms.AES(KEY), modes.CBC(page[PAGE - RESERVED :][:16]))
    return cipher.decryptor().update(body)


def on_file(folder: Path) -> Device:
    """A founder whose book is a real file."""
    folder.mkdir()
    store = open_file(folder, KEY, create=True)
    found_book(
        store, name="ann", org="Test", jurisdiction="XX", hq=False,
        entropy=Random(1).randbytes, wall_ms=WALL_MS,
    )  # fmt: skip
    return Device("ann", store, 1)


def ward(folder: Path) -> tuple[Stage, Device, Device, list[str]]:
    """A founder on disk, a second coordinator, and a ward that was written and changed a lot."""
    stage, ann, ben = Stage(), on_file(folder), Device.found("ben")
    admit(ann, ben)
    coordinator(ann, ben)
    stage.link(ann, ben)
    stage.run(3_000)
    chance, named = Random(7), []
    for number in range(150):
        word = WORDS[number % 3] if number % 5 == 0 else f"Other{number}"
        whom = stage.write(ann, patient(f"{word} Kin{number}", sex="female"))[0].id
        if number % 5 == 0:
            named.append(whom)
        stage.write(ann, triage(whom), note(whom, f"{word} " + "walks " * chance.randrange(60)))
        if number % 7 == 0:
            stage.write(ben, note(whom, f"{word} again"))
    stage.run(3_000)
    return stage, ann, ben, named


def order_all(stage: Stage, ann: Device, ben: Device, named: list[str]) -> None:
    for whom in named:
        erase(stage, ann, order(ann, ben, whom))


def has_words(text: bytes) -> list[str]:
    """Which of the planted words a text holds; the index folds them to small letters."""
    return [word for word in WORDS if word.lower().encode() in text.lower()]


def test_nothing_of_it_is_left_in_any_page_or_in_the_log(tmp_path):
    stage, ann, ben, named = ward(tmp_path / "ann")
    path = tmp_path / "ann" / DATABASE_NAME
    assert has_words(logged(path)) == list(WORDS)
    ann.store.checkpoint()
    assert has_words(pages(path)) == list(WORDS)
    sealed = ann.store.all(
        "SELECT e.body FROM entry e JOIN strand t ON t.entry = e.arrival"
        " WHERE instr(t.plain, 'Zebulon')"
    )
    assert sealed and all(body[:16] in pages(path) for (body,) in sealed[:3])

    order_all(stage, ann, ben, named)
    stage.run(6_000)

    # Whoever comes to the scope's key later finds nothing to open with it.
    left = pages(path) + logged(path)
    assert not any(body[:16] in left for (body,) in sealed)

    assert has_words(pages(path) + logged(path)) == [] == has_words(text_of(ann))
    assert ann.ledger.authority.erasures.confirmed(ann.ledger.authority.erasures.erases()[0])
    assert b"Other1 " in pages(path)
    assert sound(ann)


def test_a_later_backup_has_none_of_it(tmp_path):
    stage, ann, ben, named = ward(tmp_path / "ann")
    order_all(stage, ann, ben, named)
    stage.run(6_000)
    copy = tmp_path / "copy"
    copy_file(tmp_path / "ann" / DATABASE_NAME, KEY, copy)
    assert has_words(pages(copy)) == []


def test_a_backup_made_before_the_file_is_written_anew_has_none_of_it_either(tmp_path):
    stage, ann, ben, named = ward(tmp_path / "ann")
    order_all(stage, ann, ben, named)
    assert ann.ledger.eraser.unwiped
    copy = tmp_path / "copy"
    copy_file(tmp_path / "ann" / DATABASE_NAME, KEY, copy)
    assert has_words(pages(copy)) != []
    store = open_copy(copy, KEY)
    wipe_copy(store)
    store.close()
    assert has_words(pages(copy)) == []


def test_a_book_opened_again_is_rid_of_it_before_it_says_a_word(tmp_path):
    stage, ann, ben, named = ward(tmp_path / "ann")
    with ann.ledger.atomic():
        # Written down, and the power goes before anything of it is carried out.
        for whom in named:
            ann.ledger.write_control(order(ann, ben, whom), WALL_MS)
    ann.restarted()
    assert has_words(text_of(ann))
    stage.carry(ann, ann.node.start(stage.now(ann)))
    assert not ann.store.all("SELECT 1 FROM strand WHERE instr(plain, 'Zebulon')")
    stage.run(6_000)
    assert not has_words(pages(tmp_path / "ann" / DATABASE_NAME) + text_of(ann))


def test_while_somebody_reads_the_file_it_is_not_confirmed_and_afterwards_it_is(tmp_path):
    stage, ann, ben, named = ward(tmp_path / "ann")
    reader = ann.store.reader()
    cursor = reader.execute("SELECT hash FROM entry")
    cursor.fetchone()
    order_all(stage, ann, ben, named[:1])
    stage.run(6_000)
    erasures = ann.ledger.authority.erasures
    (one,) = erasures.erases()
    assert ann.id not in {said.device for said in erasures.confirmed(one)}
    cursor.close()
    reader.close()
    stage.run(70_000)
    assert ann.id in {said.device for said in erasures.confirmed(one)}


def many(stage: Stage, device: Device, count: int) -> list[str]:
    return [
        stage.write(device, patient(f"Zebulon {number}"))[0].id or "" for number in range(count)
    ]


@pytest.fixture(scope="module")
def ordered() -> tuple[Disk, list[Erase]]:
    """A book of many patients, and orders to erase them that are not written down yet."""
    stage, ann, ben = Stage(), Device.found("ann"), Device.found("ben")
    admit(ann, ben)
    coordinator(ann, ben)
    orders = [order(ann, ben, whom) for whom in many(stage, ann, 140)]
    disk = Disk()
    ann.store.copy_to(disk.connection)
    return disk, orders


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("commit", range(1, 7))
def test_power_lost_around_any_commit_of_an_erase_is_made_good_at_the_next_start(
    ordered: tuple[Disk, list[Erase]], commit, after
):
    before, orders = ordered
    stage, disk = Stage(), before.copy()
    ann = Device("ann", disk, 0)
    disk.arm(commit, after=after)
    try:
        with ann.ledger.atomic():
            for record in orders:
                ann.ledger.write_control(record, WALL_MS)
        ann.ledger.catch_up_all()
        stage.carry(ann, ann.node.tick(stage.now(ann)))
        stage.run(6_000)
    except PowerCutError:
        pass
    disk.power_gone()

    again, stage = Device("ann", disk, 0), Stage()
    stage.carry(again, again.node.start(stage.now(again)))
    stage.run(6_000)

    erasures = again.ledger.authority.erasures
    assert erasures.any == ((commit, after) > (1, False))
    assert (b"Zebulon" in text_of(again)) != erasures.any
    assert all(erasures.confirmed(one) for one in erasures.erases())
    assert sound(again)


@pytest.mark.parametrize("seed", range(3))
def test_a_file_written_anew_holds_none_of_what_was_deleted_before(tmp_path, seed):
    """SQLCipher zeroes what it deletes, and yet pages that were split keep old copies between."""
    chance, store = Random(seed), open_file(tmp_path, KEY, create=True)
    store.execute("CREATE TABLE t (a INTEGER, b INTEGER, w TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID")
    for _ in range(40):
        with store.atomic():
            for _ in range(200):
                whom = chance.randrange(3000)
                text = ("Zebulon" if whom % 5 == 0 else "other") + " " * chance.randrange(900)
                store.execute(
                    "INSERT OR REPLACE INTO t VALUES (?,?,?)", (whom, chance.randrange(3), text)
                )
    store.execute("DELETE FROM t WHERE a % 5 = 0")
    store.checkpoint()
    path = tmp_path / DATABASE_NAME
    assert b"Zebulon" in pages(path)
    assert store.vacuum()
    assert b"Zebulon" not in pages(path)
    assert b"other" in pages(path)
    store.close()
