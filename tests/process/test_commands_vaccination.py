"""Proof of vaccination and card from the command line: printed, checked, taken over elsewhere."""

from __future__ import annotations

import json

import pytest

from tests.process.commands import init, patient, run, serving, told

NAME = "Zebulon"
LOT = "MR-0172B"
KEYS = iter(range(1_000))


def dose(who, vaccine, **data):
    more = {key: data.pop(key) for key in ("source", "at", "by", "confirm") if key in data}
    key = f"dose-{next(KEYS)}"
    data = {"vaccine": vaccine, **data}
    return {"v": 1, "kind": "dose.record", "key": key, "patient": who, "data": data, **more}


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    """A node with a vaccinated child and one without doses; the folder and both codes."""
    folder = tmp_path_factory.mktemp("vaccination") / "clinic"
    init(folder)
    known = {"sex": "female", "birth_date": "2025-05-10"}
    lines = [patient("one", given_name=NAME, tags=["KM-1"], **known)]
    lines.append(patient("two", given_name=NAME, family_name="Other", sex="male"))
    answers = told("fieldnode", "record", "--data", folder, lines=lines)
    first, second = (each["code"] for each in answers)
    doses = [
        dose(first, "penta", dose=1, lot="PE-1", source="paper", at="2025-07-01", place="Tala"),
        dose(first, "mr", dose=1, lot=LOT, at="2026-05-02", by="Amina Okoro"),
    ]
    told("fieldnode", "record", "--data", folder, lines=doses)
    return folder, first, second


def printed(folder, *args, language="en"):
    done = run("fieldnode", "print", *args, "--data", folder, "--language", language)
    assert done.returncode == 0, done.stderr
    return done.stdout


def square_of(sheet):
    """What a scanner would type of a sheet, read from its groups."""
    lines = sheet.splitlines()
    first = next(at for at, line in enumerate(lines) if line.strip().startswith("FM"))
    last = next(at for at in range(first, len(lines)) if not lines[at].strip())
    return "".join("".join(lines[first:last]).split())


def trail(folder):
    lines = told("fieldnode", "audit", "--data", folder, "--what", "print", "--json")
    return [each["reason"] for each in lines if each.get("item") == "print" and each["patient"]]


def test_a_proof_is_printed_checked_and_stands_in_the_trail(clinic):
    folder, code, _ = clinic
    sheet = printed(folder, "vaccination", code)
    assert "PROOF OF VACCINATION" in sheet
    assert "NOT APPROVED" in sheet
    assert LOT in sheet and "PE-1" in sheet
    assert "▀" in sheet, "the square stands on a page of its own"
    assert all(len(line) <= 80 for line in sheet.splitlines())
    assert trail(folder)[0] == "vaccination"
    square = square_of(sheet)
    assert len(square) <= 600

    with serving(folder):
        read = run("fieldnode", "paper", square, "--data", folder, "--language", "fr")
        assert read.returncode == 0, read.stderr
        assert "CERTIFICAT DE VACCINATION" in read.stdout
        assert NAME in read.stdout and LOT in read.stdout
        assert "Rougeole-rubéole 1" in read.stdout
        other = "0" if square[90] != "0" else "1"
        changed = square[:90] + other + square[91:]
        forged = run("fieldnode", "paper", changed, "--data", folder, "--language", "en")
    assert forged.returncode == 1
    assert "NOT GENUINE" in forged.stdout
    assert LOT not in forged.stdout + forged.stderr


def test_a_card_says_the_next_visit_and_every_lot_on_a_sheet_and_on_a_receipt(clinic, tmp_path):
    folder, code, _ = clinic
    sheet = printed(folder, "card", code, language="fr")
    assert "CARTE DE VACCINATION" in sheet
    assert "PROCHAINE VISITE" in sheet
    assert "NON APPROUVÉ" in sheet
    assert LOT in sheet and "PE-1" in sheet
    slip = tmp_path / "slip.bin"
    printed(folder, "card", code, "--kind", "escpos", "--columns", "42", "--to", slip)
    raw = slip.read_bytes()
    assert LOT.encode() in raw and b"NEXT VISIT" in raw
    assert slip.stat().st_mode & 0o777 == 0o600
    assert trail(folder)[0] == "card"
    picture = tmp_path / "proof.png"
    printed(folder, "vaccination", code, "--kind", "png", "--to", picture)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_doses_of_a_paper_are_written_only_when_somebody_says_so_and_once(clinic):
    folder, code, other = clinic
    square = square_of(printed(folder, "vaccination", code))
    asked = ("fieldnode", "paper", square, "--into", other, "--data", folder, "--language", "en")
    unasked = run(*asked)
    assert unasked.returncode == 1
    assert "THE SEX IS ANOTHER ONE" in unasked.stderr
    assert "nobody to ask" in unasked.stderr
    assert not doses_of(folder, other)

    done = run(*asked, "--yes")
    assert done.returncode == 0, done.stderr
    assert "2 doses written down" in done.stderr
    rows = doses_of(folder, other)
    assert [(row["vaccine"], row["dose"], row["lot"]) for row in rows] == [
        ("penta", 1, "PE-1"),
        ("mr", 1, LOT),
    ]
    assert all(row["elsewhere"] for row in rows)
    with serving(folder):
        again = run(*asked, "--yes")
        live = square_of(printed(folder, "vaccination", other))
        told_again = run("fieldnode", "paper", live, "--data", folder, "--json")
    assert again.returncode == 0
    assert "Nothing of it is new here" in again.stderr
    assert [dose["told"] for dose in json.loads(told_again.stdout)["proof"]["doses"]] == [True] * 2
    assert len(doses_of(folder, other)) == 2


def doses_of(folder, code):
    who = {row["id"]: row["code"] for row in told("fieldnode", "rows", "patient", "--data", folder)}
    rows = told("fieldnode", "rows", "dose", "--data", folder)
    return [row for row in rows if who[row["patient"]] == code]
