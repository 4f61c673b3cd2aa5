"""Proofs and cards on paper: every lot stands there, and nothing is a command to a printer."""

from __future__ import annotations

import re

import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fieldnode.prints import along, vaccination
from fieldnode.prints.sheet import FORM_FEED, Head
from fieldnode.prints.square import blocks
from fieldnode.prints.vaccination_sheet import card_sheet, proof_sheet
from fieldnode.text.catalogue import Catalogue, load, pseudo
from fieldnode.tui.cores.display import cells
from protocols.live.paper import PaperRead
from protocols.live.proof import NextLine, PaperDose, PaperDoses, PrintedProof
from protocols.records.display import clean_text
from protocols.records.proof import Proof, ProofDose
from tests.unit.test_prints import HOSTILE, LANGUAGES, is_a_sheet
from tests.unit.test_proof import GOLDEN, childs

HEAD = Head("PROOF OF VACCINATION", "nord-b", "2026-05-20 14:32", "")
TODAY_MS = 20_593 * 86_400_000
"""2026-05-20."""
MR = {"en": "Measles-rubella", "fr": "Rougeole-rubéole"}
COMING = (
    NextLine({"en": "Measles", "fr": "Rougeole"}, 2, "overdue", "2026-05-01"),
    NextLine({"en": "Typhoid", "fr": "Typhoïde"}, 1, "not-yet", "2026-08-01"),
    NextLine({"en": "HPV"}, 1, "unsure", "", sure=False),
)
MADE = PrintedProof(
    node="nord-b",
    at_ms=TODAY_MS,
    text=GOLDEN,
    said=childs(),
    names={"mr": MR},
    next_day="2026-05-20",
    coming=COMING,
)
CARD = replace(MADE, text="")
TEXT = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40)).map(clean_text)
ANY = st.builds(
    lambda name, lot, by, place, words: replace(
        MADE,
        said=replace(
            childs(),
            name=name,
            doses=(ProofDose("mr", "04", 1, 20_000, lot[:20], by, by, place, told=True, counts=2),),
        ),
        names={"mr": {"en": words}},
    ),
    *([TEXT] * 5),
)
EN, FR = load("en"), load("fr")


def receipt_text(raw: bytes) -> str:
    """What a receipt says, without our own commands; anything else of one fails."""
    for ours in (b"\x1b@", b"\x1bt\x10", b"\x1d!\x00", b"\x1d!\x01", b"\x1dVB\x00"):
        raw = raw.replace(ours, b"")
    raw = re.sub(rb"\x1d\(k\x04\x001A2\x00|\x1d\(k\x03\x001[CEQ].", b"", raw)
    raw = re.sub(rb"\x1d\(k..1P0FM[0-9A-Z]+", b"", raw, flags=re.DOTALL)
    assert all(byte >= 0x20 or byte == 0x0A for byte in raw)
    return raw.decode("cp1252", "replace")


@pytest.mark.parametrize("words", [EN, FR], ids=["en", "fr"])
def test_every_dose_stands_on_both_with_its_day_and_lot(words: Catalogue) -> None:
    proof, card = proof_sheet(words, HEAD, MADE), card_sheet(words, HEAD, CARD)
    for sheet in (proof, card):
        is_a_sheet(sheet)
        for dose in MADE.said.doses:
            assert vaccination.day_of(words, dose.day) in sheet
            assert dose.lot in sheet
        for part in ("Haddad Nour", "3C4-67A-9AH", "KM-20931", "2024-10-04", MR[words.language]):
            assert part in sheet
    assert "CVX 04" in proof
    assert "Amina Okoro, Ministry of Health, Tala school" in proof


@pytest.mark.parametrize("words", [EN, FR], ids=["en", "fr"])
def test_safety_08_an_unsigned_schedule_says_so_on_proof_card_and_receipt(words: Catalogue) -> None:
    said = words("proof.not_approved")
    signed = [replace(each, said=replace(each.said, approved=True)) for each in (MADE, CARD)]
    for made, clear in zip((MADE, CARD), signed, strict=True):
        for columns in vaccination.RECEIPT_COLUMNS:
            told = receipt_text(vaccination.receipt_of(words, made, columns))
            assert said in told
            assert said not in receipt_text(vaccination.receipt_of(words, clear, columns))
    assert said in proof_sheet(words, HEAD, MADE)
    assert said in card_sheet(words, HEAD, CARD)
    assert said not in card_sheet(words, HEAD, signed[1])


def test_a_card_says_when_to_come_and_for_what() -> None:
    lines = vaccination.card_in_words(EN, CARD)
    at = lines.index("NEXT VISIT: NOW")
    assert lines[at + 1 : at + 4] == ["  Measles 2  LATE", "Later:", "  2026-08-01  Typhoid 1"]
    later = replace(CARD, next_day="2026-08-01", coming=COMING[1:])
    assert "NEXT VISIT: 2026-08-01" in vaccination.card_in_words(EN, later)
    unsure = replace(CARD, next_day="", coming=COMING[2:])
    assert EN("proof.day_unsure") in vaccination.card_in_words(EN, unsure)
    done = replace(CARD, next_day="", coming=())
    assert EN("proof.nothing") in vaccination.card_in_words(EN, done)
    assert EN("proof.day_unsure") in vaccination.card_in_words(EN, replace(CARD, next_sure=False))


def test_what_did_not_fit_what_was_told_and_what_does_not_count_is_said() -> None:
    dose = replace(childs().doses[0], told=True, counts=2, day=None, lot="")
    said = replace(childs(), doses=(dose,), left_out=3)
    told = "\n".join(vaccination.in_words(EN, said, {}))
    for part in ("3 older doses did not fit", "as a card says", "DOES NOT COUNT", "day not known",
                 "lot ?", "Issued by Amina Okoro"):  # fmt: skip
        assert part in told, part
    assert "No dose" in "\n".join(vaccination.in_words(EN, Proof("A"), {}))


@pytest.mark.parametrize("columns", vaccination.RECEIPT_COLUMNS)
@pytest.mark.parametrize("words", [EN, FR], ids=["en", "fr"])
def test_a_receipt_says_every_word_within_its_columns(words: Catalogue, columns: int) -> None:
    proof = [words("proof.title"), *vaccination.in_words(words, MADE.said, MADE.names)]
    card = [words("proof.card"), *vaccination.card_in_words(words, CARD)]
    for made, told in ((MADE, proof), (CARD, card)):
        shown = receipt_text(vaccination.receipt_of(words, made, columns))
        assert shown.split() == " ".join(told).split()
        assert all(len(line) <= columns for line in shown.split("\n"))


@settings(max_examples=40)
@given(ANY, st.sampled_from(LANGUAGES), st.sampled_from(vaccination.RECEIPT_COLUMNS))
def test_nothing_on_it_is_a_command_to_a_printer(
    made: PrintedProof, words: Catalogue, columns: int
) -> None:
    is_a_sheet(proof_sheet(words, HEAD, made))
    is_a_sheet(card_sheet(words, HEAD, replace(made, text="")))
    for each in (made, replace(made, text="")):
        shown = receipt_text(vaccination.receipt_of(words, each, columns))
        assert all(len(line) <= columns for line in shown.split("\n"))
    label = vaccination.zpl(words, made).decode()
    assert label.count("^XZ") == 1
    known = re.compile(r"XA|XZ|CI28|PW800|LL600|FS|FH_|FO\d+,\d+|BQN,2,4|A0N,28,24|FD.*", re.DOTALL)
    for command in label.replace("\n", "").split("^")[1:]:
        assert known.fullmatch(command), command
    assert "~" not in label


def test_the_square_fits_a_page_of_its_own_with_its_quiet_zone() -> None:
    drawn = blocks("FM" + "0" * 598)
    assert {cells(line) for line in drawn} == {77}
    assert len(drawn) == 39
    assert not drawn[0].strip() and not drawn[-1].strip()
    signs = {" ": (0, 0), "▀": (1, 0), "▄": (0, 1), "█": (1, 1)}
    read = [[signs[sign][half] for sign in line] for line in drawn for half in (0, 1)]
    made = segno.make_qr("FM" + "0" * 598, error="l", boost_error=False)
    assert read[:77] == [[bool(one) for one in row] for row in made.matrix_iter()]
    sheet = proof_sheet(EN, HEAD, MADE)
    assert sheet.split(FORM_FEED)[-1].count("▀") > 200
    is_a_sheet(proof_sheet(pseudo(), HEAD, MADE))


def test_a_scanned_proof_says_what_it_is_worth_then_its_doses() -> None:
    read = PaperRead("holds", TODAY_MS, "nord-a", "Red Cross", "ab" * 16, 2, None, "pat_1",
                     proof=childs(), names={"mr": MR})  # fmt: skip
    shown = along.shown(EN, read, "2026-05-20 10:00")
    assert "Signed by nord-a (Red Cross)" in shown[0]
    assert "PROOF OF VACCINATION" in shown
    assert any("Measles-rubella 2" in line for line in shown)
    forged = replace(read, worth="forged", proof=None, patient="")
    assert len(along.shown(EN, forged, "2026-05-20 10:00")) == 1


def test_what_would_be_taken_over_is_one_line_a_dose() -> None:
    first, second, third, *_ = childs().doses
    found = PaperDoses(
        patient="pat_1",
        name="Haddad Nour",
        born="2024-10-04",
        differs=("sex",),
        doses=(PaperDose(first, "new"), PaperDose(second, "here"), PaperDose(third, "differs")),
        names={},
        lines=({},),
        left_out=2,
    )
    lines = vaccination.taking(EN, found)
    assert sum(line.startswith("+ ") for line in lines) == 1
    assert sum(line.startswith("- ") for line in lines) == 2
    assert "here already" in lines[3]
    assert any("SEX" in line for line in lines)
    assert "1 dose" in vaccination.to_take(EN, found)
    assert "Nothing" in vaccination.taking(EN, replace(found, lines=()))[-1]
