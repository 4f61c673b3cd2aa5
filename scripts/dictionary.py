"""Builds `protocols/feeds/dictionary-1.bin`, the preset dictionary that bodies are compressed with.

    scripts/dictionary.py [--write]     without --write: exit 1 when the file is another one

It is made of two things only: the word lists in `scripts/vocabulary`, and what the records room
itself writes for plausible values, so that the frame of each kind is one back reference. What is
used most comes last, where deflate reaches it with the fewest bits. Invented people of drills,
demo and bench are never read: a dictionary that knew them would flatter the bench.

These bytes are part of the protocol from the first release: afterwards a change takes a new id.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from protocols.feeds.body import encode_body
from protocols.ids import DocId
from protocols.records.attributes import Age
from protocols.records.catalogue import encode_fact
from protocols.records.document import DocumentOpen
from protocols.records.encounter import EncounterClose, EncounterMove, EncounterOpen
from protocols.records.kinds import KindNo
from protocols.records.note import NoteAdd
from protocols.records.observation import ObservationRecord
from protocols.records.patient import PatientIdentify, PatientRegister
from protocols.records.shape import Circumstances, Statement
from protocols.records.triage import TriageRecord

ROOT = Path(__file__).resolve().parent
TARGET = ROOT.parent / "protocols" / "feeds" / "dictionary-1.bin"
BYTES_MAX = 8 * 1024
"""Inflating copies the dictionary each time: more costs every reader time."""
DAY_2026 = 20_454
"""2026-01-01, counted from 1970; the high byte of a stated day holds until 2039."""
_ZERO = bytes(16)
_DOCUMENT = DocId(_ZERO)


def dictionary() -> bytes:
    """Return the bytes, rarest first."""
    parts = [*_words("names", short=True), *_words("places", short=False)]
    parts += [*_words("care", short=False), *_registrations(), *_rare(), *_edits()]
    whole = b"".join(dict.fromkeys(parts))
    assert len(whole) <= BYTES_MAX, len(whole)
    return whole


def _words(name: str, *, short: bool) -> Iterator[bytes]:
    """Yield what a list holds: names as the records room writes a text, phrases as they are."""
    for line in (ROOT / "vocabulary" / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        if not short:
            yield line.encode() + b" "
            continue
        for word in line.split():
            yield _text(word)


def _text(word: str) -> bytes:
    raw = word.encode()
    return bytes((0xA0 | len(raw),)) + raw


def _body(*facts: tuple[int, Statement], follows: bool = True) -> bytes:
    """Return the part of a plain body that does not differ from one patient to the next."""
    document = _DOCUMENT if follows else None
    values = [(kind, encode_fact(kind, value, document)) for kind, value in facts]
    dependencies = [_ZERO] if follows else []
    return encode_body((0, b""), dependencies, values).replace(_ZERO, b"")


def _registrations() -> Iterator[bytes]:
    """Yield registrations as different clerks fill them in, the fullest last."""
    opening = (int(KindNo.DOCUMENT_OPEN), DocumentOpen())
    for language, sex, unit, estimated in (
        ("ti", 9, 0, 1), ("my", 3, 1, 1), ("bn", 2, 1, 0), ("ps", 1, 0, 1), ("uk", 2, 0, 0),
        ("es", 1, 0, 1), ("ha", 2, 0, 0), ("so", 1, 0, 1), ("sw", 2, 0, 0), ("ht", 1, 0, 1),
        ("en", 2, 0, 1), ("fr", 1, 0, 0), ("ar", 2, 0, 0),
    ):  # fmt: skip
        record = PatientRegister(
            code_no=300, family_name="", given_name="", sex=sex,
            age=Age(30, DAY_2026, unit, estimated), band=4, tags=("1",), phone="+249 9",
            village="", district="", address="zone 1", nationality="SDN",
            language=language, national_id=("national", "1"), occupation="farmer", kin_name="",
            kin_relation=1 + unit, kin_phone="+211 9", consent_treat=1, consent_share=estimated,
            guardian="", marks="", other_names="", mother_name="", household="1",
            displacement=2 + unit,
        )  # fmt: skip
        yield _body(opening, (int(KindNo.PATIENT_REGISTER), record), follows=False)


def _rare() -> Iterator[bytes]:
    """Yield encounters, triage and values with circumstances."""
    device = Circumstances(source=2, device=("", "", ""))
    late = Circumstances(at_s=DAY_2026 * 86_400, precision="hour")
    opening = (int(KindNo.DOCUMENT_OPEN), DocumentOpen(encounter=b""))
    yield _body((int(KindNo.OBSERVATION_RECORD), ObservationRecord(device, (), 3, 97)))
    yield _body((int(KindNo.NOTE_ADD), NoteAdd(late, (), "")))
    yield _body((int(KindNo.ENCOUNTER_CLOSE), EncounterClose(None, (), 1)))
    yield _body((int(KindNo.ENCOUNTER_MOVE), EncounterMove(None, ((b"", 1),), {65: "A1"})))
    opened = EncounterOpen(None, (), None, 1, "fever", "A1")
    yield _body(opening, (int(KindNo.ENCOUNTER_OPEN), opened), follows=False)
    for category in (0, 4, 1, 2, 3):
        yield _body((int(KindNo.TRIAGE_RECORD), TriageRecord(category=category)))


def _edits() -> Iterator[bytes]:
    """Yield the frames of what is written most: corrections, notes, and above all vital signs."""
    for number in (65, 24, 23, 15, 17, 4, 14, 10, 9, 1, 0, 7, 8):
        value = Age(30, DAY_2026) if number == 4 else ""
        record = PatientIdentify(None, ((b"", 1),), {number: value})
        yield _body((int(KindNo.PATIENT_IDENTIFY), record))[2:]
    for letters in (300, 60, 40, 30, 20):
        text = _body((int(KindNo.NOTE_ADD), NoteAdd(None, (), "x" * letters)))
        yield text.replace(b"x", b"")[2:]
    usual = (
        ("choice", 12, 0, 0), ("value", 17, 15, 0), ("value", 9, 125, 0), ("value", 10, 54, 1),
        ("value", 8, 165, 0), ("value", 7, 60, 0), ("value", 7, 605, 1), ("value", 5, 70, 0),
        ("value", 4, 110, 0), ("value", 4, 130, 0), ("value", 6, 37, 0), ("value", 6, 375, 1),
        ("value", 2, 18, 0), ("value", 1, 130, 0), ("value", 1, 80, 0), ("value", 3, 97, 0),
    )  # fmt: skip
    for sort, code, number, scale in usual:
        value = (
            ObservationRecord(None, (), code, None, 0, 0, number)
            if sort == "choice"
            else ObservationRecord(None, (), code, number, scale)
        )
        whole = _body((int(KindNo.OBSERVATION_RECORD), value))[2:]
        yield whole[: -1 - (number > 127) - (number > 255)] if sort == "value" else whole


def main() -> int:
    """Compare, or write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true")
    made = dictionary()
    if parser.parse_args().write:
        TARGET.write_bytes(made)
        print(f"{len(made)} bytes")
        return 0
    same = TARGET.read_bytes() == made
    print("dictionary: the same" if same else "dictionary: another one; see --write")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
