"""Releasing from the command line: two organisations that never share a network."""

from __future__ import annotations

import pytest

from protocols.trust import charterfile
from tests.process.commands import init, run, told
from tests.unit.founders import PASSPHRASE, charter, org, root

PATIENT = {"v": 1, "kind": "patient.register", "data": {"given_name": "Zebulon"}}
OTHER = {"v": 1, "kind": "patient.register", "key": "two", "data": {"given_name": "Quuxley"}}


@pytest.fixture(scope="module")
def orgs(tmp_path_factory):
    """Kenya's founder and second coordinator, and Japan's founder, under one charter."""
    place = tmp_path_factory.mktemp("orgs")
    held = charter(("Kenya", "KE"), ("Japan", "JP"))
    (place / "charter").write_bytes(charterfile.sign(held, root("Kenya", "KE")))
    (place / "root-passphrase").write_text(PASSPHRASE)
    for name, law in (("Kenya", "KE"), ("Japan", "JP")):
        (place / f"{name}.root").write_bytes(org(name, law)[0])
        told(
            "fieldnode", "init", "--data", place / name, "--name", name, "--json",
            "--charter", place / "charter", "--root", place / f"{name}.root",
            "--root-passphrase-file", place / "root-passphrase",
        )  # fmt: skip
    second = place / "second"
    init(second)
    ask, grant, ke = place / "ask", place / "grant", place / "Kenya"
    told("fieldnode", "request", ask, "--data", second, "--json")
    told("fieldnode", "admit", ask, "--out", grant, "--as", "coordinator", "--data", ke, "--json")
    assert run("fieldnode", "join", "--grant", grant, "--data", second).returncode == 0
    return place


def test_a_patient_crosses_a_border_in_a_file(orgs):
    ke, jp, second = orgs / "Kenya", orgs / "Japan", orgs / "second"
    lines = [{**PATIENT, "key": "one"}, OTHER]
    whom = told("fieldnode", "record", "--data", ke, lines=lines)[0]["id"]
    order, file, card = orgs / "order", orgs / "file", orgs / "card"
    assert run("fieldnode", "release", "card", "--to", card, "--data", jp).returncode == 0
    unknown = ("--for", "Japan", "--purpose", "transfer", "--basis", "x", "--to", order)
    refused = run("fieldnode", "release", "request", whom, *unknown, "--data", ke)
    assert refused.returncode == 1 and "release card" in refused.stderr
    asked = run(
        "fieldnode", "release", "request", whom, "--for", "Japan", "--purpose", "transfer",
        "--basis", "Agreement 7", "--card", card, "--to", order, "--data", ke,
    )  # fmt: skip
    assert asked.returncode == 0, asked.stderr
    assert "to Japan" in asked.stdout and "Agreement 7" in asked.stdout
    signed = run("fieldnode", "release", "approve", order, "--yes", "--data", second)
    assert signed.returncode == 0, signed.stderr
    done = told("fieldnode", "release", "apply", order, "--yes", "--json", "--data", ke)
    ids = [each["id"] for each in done]
    written = run("fieldnode", "release", "export", *ids, "--to", file, "--data", ke)
    assert written.returncode == 0, written.stderr

    taken = run("fieldnode", "release", "import", file, "--data", jp)
    assert taken.returncode == 0, taken.stderr
    rows = run("fieldnode", "rows", "patient", "--data", jp).stdout
    assert "Zebulon" in rows and "Quuxley" not in rows
    listed = run("fieldnode", "release", "list", "--data", jp)
    assert "patient goes there" in listed.stdout
    trail = run("fieldnode", "audit", "--data", ke, "--json").stdout
    assert trail.count('"what":"release"') >= 2 * len(ids)


def test_what_is_no_release_is_refused_in_both_languages(orgs, monkeypatch):
    noise = orgs / "noise"
    noise.write_bytes(b"\0" * 100)
    for language, words in (("en", "not a release file"), ("fr", "pas un fichier")):
        monkeypatch.setenv("LC_ALL", language)
        done = run("fieldnode", "release", "import", noise, "--data", orgs / "Japan")
        assert done.returncode == 1 and words in done.stderr
