"""A disk that is really full: a small one of its own, where the system lets us mount one."""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
MOUNT = "mount -t tmpfs -o size={size} tmpfs /mnt"


def mountable():
    tried = subprocess.run(
        ["unshare", "-rm", "sh", "-c", MOUNT.format(size="1m")], capture_output=True, check=False
    )
    return tried.returncode == 0


pytestmark = pytest.mark.skipif(not mountable(), reason="no disk of its own can be mounted here")

BEGIN = """
import os
from pathlib import Path
from protocols.errors import FieldmeshError
from protocols.ledger.backup import backup, source_of
from protocols.ledger.folder import make_folder
from tests.unit.folders import HERE, WALL_MS, founded, hashes, made, names, opened, record

DISK, FILLER = Path("/mnt"), Path("/mnt/filler")
folder = made(DISK / "node")
ledger = opened(folder)
record(ledger, 1, 2, 3)


def fill():
    with FILLER.open("wb", buffering=0) as out:
        for size in (65536, 4096, 512, 1):
            try:
                while True:
                    out.write(bytes(size))
            except OSError:
                pass


def refusal(run):
    try:
        run()
    except FieldmeshError as error:
        return error.code
    except AssertionError as error:
        return str(error).split("error=")[1].split("'")[1]


def count():
    return ledger.store.one("SELECT count(*) FROM patient")[0]

"""


def on_small_disk(program, size="4m"):
    """Run a program whose /mnt is a small disk; return what it printed."""
    command = f'{MOUNT.format(size=size)} && exec "$0" -c "$1"'
    said = subprocess.run(
        ["unshare", "-rm", "sh", "-c", command, sys.executable, BEGIN + program],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert said.returncode == 0, said.stderr
    return said.stdout.split()


def test_a_full_disk_refuses_writes_and_nothing_that_was_saved_is_lost():
    said = on_small_disk(
        """
fill()
saved = 3
while (code := refusal(lambda: record(ledger, saved + 1))) is None:
    saved += 1
print(code, count() == saved, bool(ledger.store.all("SELECT * FROM patient")))
FILLER.unlink()
record(ledger, saved + 1)
print(count() == saved + 1)
ledger.close()
ledger = opened(folder)
print(count() == saved + 1)
"""
    )
    assert said == ["disk_full", "True", "True", "True", "True"]


def test_a_book_on_a_full_disk_still_opens_to_be_read_and_goes_on_in_its_epoch():
    said = on_small_disk(
        """
epoch = ledger.authority.epoch
ledger.close()
fill()
ledger = opened(folder)
print(count(), ledger.authority.epoch == epoch)
ledger.close()
FILLER.unlink()
ledger = opened(folder)
record(ledger, 4)
print(count(), ledger.authority.epoch == epoch)
"""
    )
    assert said == ["3", "True", "4", "True"]


def test_a_backup_that_does_not_fit_leaves_nothing():
    said = on_small_disk(
        """
source = source_of(ledger)
before = sorted(names(DISK) + names(folder))
room = bytes(8192)
FILLER.write_bytes(b"")
seen = set()
while True:
    code = refusal(lambda: backup(source, DISK / "backup", WALL_MS))
    if code is not None:
        assert not (DISK / "backup").exists()
        seen.add(code)
        break
    (DISK / "backup").unlink()
    with FILLER.open("ab") as out:
        out.write(bytes(200_000))
FILLER.unlink()
(folder / "last_backup").unlink(missing_ok=True)
print(*seen, sorted(names(DISK) + names(folder)) == before)
record(ledger, 4)
"""
    )
    assert said == ["disk_full", "True"]


@pytest.mark.parametrize("room", [0, 4096, 40_000, 120_000, 300_000, 600_000])
def test_a_folder_that_fits_in_part_is_refused_by_name_however_much_of_it_fits(room):
    said = on_small_disk(
        f"""
fill()
FILLER.write_bytes(bytes(max(FILLER.stat().st_size - {room}, 0)))
make = lambda: make_folder(DISK / "other", "correct horse", os.urandom, lambda _: HERE, founded)
print(refusal(make), names(DISK))
"""
    )
    assert said == ["disk_full", "['filler',", "'node']"]


def test_a_folder_that_does_not_fit_leaves_nothing():
    said = on_small_disk(
        """
fill()
make = lambda: make_folder(DISK / "other", "correct horse", os.urandom, lambda _: HERE, founded)
print(refusal(make), names(DISK))
"""
    )
    assert said == ["disk_full", "['filler',", "'node']"]
