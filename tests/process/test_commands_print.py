"""Printing from the command line: what comes out, what the trail says of it, what is refused."""

from __future__ import annotations

import stat

import pytest

from protocols.live.client import LocalClient
from tests.process.commands import init, patient, run, serving, told

NAME = "Zebulon"


@pytest.fixture(scope="module")
def camp(tmp_path_factory):
    """A node with one patient in care; the folder and the patient's code."""
    folder = tmp_path_factory.mktemp("print") / "tent"
    init(folder)
    line = patient("one", given_name=NAME, sex="male")
    code = told("fieldnode", "record", "--data", folder, lines=[line])[0]["code"]
    opened = {"v": 1, "kind": "encounter.open", "key": "two", "patient": code, "data": {}}
    told("fieldnode", "record", "--data", folder, lines=[opened])
    return folder, code


def printed(folder, *args):
    return run("fieldnode", "print", *args, "--data", folder, "--language", "en")


def trail(folder):
    lines = told("fieldnode", "audit", "--data", folder, "--what", "print", "--json")
    return [(each["reason"], each["patient"]) for each in lines if each.get("item") == "print"]


def test_the_ward_list_is_a_sheet_and_stands_in_the_trail(camp, tmp_path):
    folder, code = camp
    before = len(trail(folder))
    target = tmp_path / "list.txt"
    done = printed(folder, "ward", "--to", target)
    assert done.returncode == 0, done.stderr
    sheet = target.read_text()
    assert code in sheet
    assert NAME in sheet
    assert "1 patient in care" in sheet
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert trail(folder)[0] == ("ward", "")
    assert len(trail(folder)) == before + 1


def test_nothing_is_printed_over_a_file_and_the_trail_says_nothing(camp, tmp_path):
    folder, _ = camp
    target = tmp_path / "kept.txt"
    target.write_text("kept")
    before = trail(folder)
    refused = printed(folder, "ward", "--to", target)
    assert refused.returncode == 1
    assert target.read_text() == "kept"
    assert trail(folder) == before


def test_a_wristband_for_each_kind_of_printer(camp):
    folder, code = camp
    with serving(folder):
        band = printed(folder, "wristband", code)
        assert band.stdout.startswith("^XA"), band.stderr
        assert code in band.stdout
        assert NAME in band.stdout
    names = [reason for reason, who in trail(folder) if who]
    assert names[0] == "wristband"


def test_a_picture_goes_to_a_file_and_a_sheet_to_whoever_asks(camp, tmp_path):
    folder, code = camp
    target = tmp_path / "band.png"
    assert printed(folder, "wristband", code, "--kind", "png", "--to", target).returncode == 0
    assert target.read_bytes().startswith(b"\x89PNG")
    sheet = printed(folder, "handover", code)
    assert "HAND-OVER" in sheet.stdout
    assert NAME in sheet.stdout
    french = run("fieldnode", "print", "handover", code, "--data", folder, "--language", "fr")
    assert "TRANSMISSION" in french.stdout


def test_somebody_unknown_is_refused_by_name_of_the_field(camp):
    folder, _ = camp
    refused = printed(folder, "handover", "333-333-33X")
    assert refused.returncode == 1
    assert NAME not in refused.stderr


def test_a_summary_goes_along_on_paper_and_is_checked_by_whoever_scans_it(camp, tmp_path):
    folder, code = camp
    made = printed(folder, "summary", code, "--advice", "Watch the drain.")
    assert made.returncode == 0, made.stderr
    assert "Allergies: NOT ASKED" in made.stdout
    square = "".join(line for line in made.stdout.splitlines() if line.startswith("FM"))
    rest = made.stdout[made.stdout.index("FM") :].split()
    scanned = "".join(rest)
    assert scanned.startswith(square)

    read = run("fieldnode", "paper", scanned, "--data", folder, "--language", "en")
    assert read.returncode == 0, read.stderr
    assert "Checked here, without a network." in read.stdout
    assert NAME in read.stdout

    typed = run("fieldnode", "paper", "--data", folder, "--json", lines=[scanned + "\n"])
    assert '"worth":"holds"' in typed.stdout
    wrong = scanned[:70] + ("0" if scanned[70] != "0" else "1") + scanned[71:]
    forged = run("fieldnode", "paper", wrong, "--data", folder, "--language", "en")
    assert forged.returncode == 1
    assert NAME not in forged.stdout + forged.stderr
    nothing = run("fieldnode", "paper", "TG-12", "--data", folder)
    assert nothing.returncode == 1
    assert "begins with FM" in nothing.stderr
    picture = tmp_path / "square.png"
    assert printed(folder, "summary", code, "--kind", "png", "--to", picture).returncode == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_letter_is_typed_back_from_its_groups_and_stands_in_the_trail(camp):
    folder, code = camp
    made = printed(folder, "letter", code, "--for", "Lycee ward")
    assert made.returncode == 0, made.stderr
    assert "REFERRAL LETTER" in made.stdout
    assert "To: Lycee ward" in made.stdout
    assert {"letter", "summary"} <= {reason for reason, _ in trail(folder)}
    lines = made.stdout.splitlines()
    first = next(at for at, line in enumerate(lines) if line.strip().startswith("FM"))
    last = next(at for at in range(first, len(lines)) if not lines[at].strip())
    groups = lines[first:last]
    read = run(
        "fieldnode", "paper", *" ".join(groups).split(), "--data", folder, "--language", "en"
    )
    assert read.returncode == 0, read.stdout + read.stderr
    assert NAME in read.stdout


def test_arabic_that_a_terminal_cannot_draw_is_what_is_printed(camp):
    folder, code = camp
    with serving(folder), LocalClient(folder) as terminal:
        terminal.call("settings", language="ar:fr")
        sheet = run("fieldnode", "print", "ward", "--data", folder).stdout
        asked = run("fieldnode", "print", "ward", "--data", folder, "--language", "uk").stdout

    assert "قائمة الجناح" in sheet
    assert "مريض واحد تحت الرعاية" in sheet and code in sheet
    assert "1 пацієнт під доглядом" in asked
