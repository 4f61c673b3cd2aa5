"""Packs at the command line: checked by line, signed, approved, published and in use."""

from __future__ import annotations

import json

import pytest

from protocols.guidelines.guideline import SHIPPED
from tests.process.commands import init, run, serving, told

SECRET = "amina's passphrase"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("packs") / "hq"
    init(place)
    return place


@pytest.fixture(scope="module")
def source(folder):
    text = run("fieldnode", "pack", "show", "cholera-a", "--text", "--data", folder).stdout
    path = folder.parent / "cholera-a.toml"
    path.write_text(text.replace('version = "1"', 'version = "2.1"', 1))
    return path


def pack(*args):
    return run("fieldnode", "pack", *args)


def test_lint_names_file_and_line_and_needs_no_node(source, tmp_path):
    broken = tmp_path / "broken.toml"
    broken.write_text(source.read_text().replace('unit = "mL"', 'unit = "ml"', 1))

    clean, wrong = pack("lint", source), pack("lint", broken)

    assert clean.returncode == 0
    assert wrong.returncode == 1
    line = broken.read_text().splitlines().index("[[step]]") + 1
    assert wrong.stdout.startswith(f"broken.toml:{line}: ors: unknown unit 'ml'")
    (told_line,) = {
        json.loads(each)["line"] for each in pack("lint", broken, "--json").stdout.splitlines()
    }
    assert told_line == line


def test_what_has_faults_is_not_signed(folder, source, tmp_path):
    broken = tmp_path / "broken.toml"
    broken.write_text(source.read_text().replace('unit = "mL"', 'unit = "ml"', 1))

    done = pack("sign", broken, "--data", folder, "--to", tmp_path / "x.pack")

    assert done.returncode == 1 and "pack lint" in done.stderr
    assert not (tmp_path / "x.pack").exists()


def test_a_pack_goes_from_a_file_to_in_use_and_approved(folder, source, tmp_path):
    secret, file = tmp_path / "secret", tmp_path / "cholera.pack"
    secret.write_text(SECRET + "\n")
    told(
        "fieldnode", "person", "add", "--data", folder, "--person-passphrase-file", secret,
        "--name", "Amina", "--profession", "MD", "--to", tmp_path / "amina", "--json",
    )  # fmt: skip

    assert pack("sign", source, "--data", folder, "--to", file).returncode == 0
    assert "NOT APPROVED" in pack("show", file).stdout
    assert pack("publish", file, "--data", folder).returncode == 0
    (first,) = _versions(folder, "2.1")
    assert first["in_use"] and not first["approved"] and first["org"] == "Test"

    approved = pack(
        "approve", file, "--data", folder, "--person", "1", "--role", "clinical lead",
        "--person-passphrase-file", secret,
    )  # fmt: skip
    assert approved.returncode == 0, approved.stderr
    assert json.loads(pack("show", file, "--json").stdout)["approvals"] == [
        {"person": "Amina, MD", "role": "clinical lead"}
    ]
    assert pack("publish", file, "--data", folder).returncode == 0
    (second,) = _versions(folder, "2.1")
    assert second["approved_by"] == "Amina, MD, clinical lead"
    (older,) = _versions(folder, "1")
    assert (older["shipped"], older["in_use"], older["why"]) == (True, False, "older")

    assert pack("use", "--data", folder).returncode == 0
    (told_of,) = _versions(folder, "2.1")
    assert [user["name"] for user in told_of["users"]] == [folder.name]
    again = pack("use", "--data", folder)
    assert "0" in again.stdout + again.stderr


def test_a_running_node_answers_the_same(folder, source):
    with serving(folder):
        assert {
            each["name"] for each in told("fieldnode", "pack", "list", "--data", folder, "--json")
        } >= set(SHIPPED)
        assert pack("show", "news2", "--data", folder).stdout.startswith("news2 1 | IN USE | ")
        unknown = pack("show", "no-such-pack", "--data", folder)

    assert unknown.returncode == 1 and "pack list" in unknown.stderr


def test_a_running_node_says_by_itself_which_version_it_works_by(folder, source, tmp_path):
    later, file = tmp_path / "later.toml", tmp_path / "later.pack"
    later.write_text(source.read_text().replace('name = "cholera-a"', 'name = "our-plan"', 1))

    with serving(folder):
        assert pack("sign", later, "--data", folder, "--to", file).returncode == 0
        assert pack("publish", file, "--data", folder).returncode == 0
        (line,) = told("fieldnode", "pack", "show", "our-plan", "--data", folder, "--json")

    assert [user["name"] for user in line["users"]] == [folder.name]


def test_a_changed_file_is_refused(folder, source, tmp_path):
    file = tmp_path / "cholera.pack"
    pack("sign", source, "--data", folder, "--to", file)
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    file.write_bytes(raw)

    assert pack("show", file).returncode == 1
    assert "signed" in pack("publish", file, "--data", folder).stderr


def _versions(folder, version):
    return [
        each
        for each in told("fieldnode", "pack", "list", "--data", folder, "--json")
        if (each["name"], each["version"]) == ("cholera-a", version)
    ]
