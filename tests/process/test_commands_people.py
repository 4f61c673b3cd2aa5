"""Persons at the command line: made, carried, certified and logged in with no network at all."""

import json
import os
import stat

import pytest

from tests.process.commands import environment, finished, init, run, serving, told

SECRET = "amina's passphrase"
PAPERS = (
    "--name", "Zzyxwvanary", "--profession", "nurse", "--authority", "Council",
    "--licence", "KE-1", "--practice", "triage.record", "--practice-text", "triage only",
    "--licence-until", "2031-12-31", "--recognised-by", "Ministry",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("people") / "ann"
    init(place)
    return place


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret"
    path.write_text(SECRET + "\n")
    return path


def person(folder, *args):
    return told("fieldnode", "person", args[0], "--data", folder, *args[1:])


def test_a_person_is_made_listed_carried_and_forgotten(folder, secret, tmp_path):
    file = tmp_path / "carried"
    (made,) = person(
        folder, "add", "--person-passphrase-file", secret, *PAPERS, "--to", file, "--json"
    )
    (listed,) = person(folder, "list", "--json")

    assert listed["id"] == made["person"] and listed["certified"] and not listed["pin"]
    assert (listed["name"], listed["roles"]) == ("Zzyxwvanary", ["care"])
    assert listed["licence_until"] == "2031-12-31T23:59:59.999Z"
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert b"Zzyxwvanary" not in file.read_bytes() and SECRET.encode() not in file.read_bytes()

    again = run("fieldnode", "person", "add", "--data", folder, "--person-passphrase-file", secret,
                *PAPERS, "--to", file)  # fmt: skip
    assert again.returncode == 1 and "something at this place" in again.stderr
    assert len(person(folder, "list", "--json")) == 1

    other = tmp_path / "again"
    person(folder, "export", "1", "--to", other)
    person(folder, "leave", "1")
    assert person(folder, "list", "--json") == []
    (back,) = person(folder, "import", other, "--json")
    assert back["id"] == made["person"]
    person(folder, "leave", back["id"][:16])


def test_a_request_is_answered_by_files_alone(folder, secret, tmp_path):
    asked, given = tmp_path / "asked", tmp_path / "given"
    (made,) = person(
        folder, "request", "--person-passphrase-file", secret, *PAPERS, "--to", asked, "--json"
    )
    assert [one["certified"] for one in person(folder, "list", "--json")] == [False]

    shown = run("fieldnode", "person", "certify", "--data", folder, asked, "--to", given, "--yes")
    assert shown.returncode == 0 and "licence         KE-1 (Council)" in shown.stderr
    (done,) = person(folder, "import", given, "--json")
    assert (done["id"], done["certified"]) == (made["person"], True)
    assert stat.S_IMODE(os.stat(given).st_mode) == 0o600
    person(folder, "leave", "1")


def test_a_licence_is_renewed_under_the_same_key(folder, secret, tmp_path):
    asked, given = tmp_path / "asked", tmp_path / "given"
    (made,) = person(folder, "add", "--person-passphrase-file", secret, *PAPERS,
                     "--to", tmp_path / "carried", "--json")  # fmt: skip
    person(folder, "renew", "1", "--person-passphrase-file", secret, "--licence", "KE-2",
           "--licence-until", "2035-01-31", "--to", asked)  # fmt: skip
    person(folder, "certify", asked, "--to", given, "--yes")
    (done,) = person(folder, "import", given, "--json")

    assert done["id"] == made["person"]
    assert (done["name"], done["licence"], done["licence_until"]) == (
        "Zzyxwvanary", "KE-2", "2035-01-31T23:59:59.999Z",
    )  # fmt: skip
    wrong = tmp_path / "wrong"
    wrong.write_text("another\n")
    again = run("fieldnode", "person", "renew", "--data", folder, "1",
                "--person-passphrase-file", wrong, "--to", tmp_path / "none")  # fmt: skip
    assert again.returncode == 1 and "not the passphrase of this person" in again.stderr
    person(folder, "leave", "1")


def test_hq_looks_after_persons_too(tmp_path, secret):
    hq = tmp_path / "hq"
    init(hq, app="hq")
    (made,) = told("hq", "person", "add", "--data", hq, "--person-passphrase-file", secret,
                   *PAPERS, "--to", tmp_path / "carried", "--json")  # fmt: skip
    (listed,) = told("hq", "person", "list", "--data", hq, "--json")

    assert listed["id"] == made["person"]
    assert told("hq", "review", "--data", hq) == []


def scripted(folder, *args, token="", lines=()):
    return finished(
        "fieldnode", *args, "--data", folder,
        inherits=environment() | {"FIELDMESH_SESSION": token},
        given="".join(json.dumps(one) + "\n" for one in lines),
    )  # fmt: skip


def test_an_act_in_doubt_is_reviewed_by_somebody_else_who_is_logged_in(tmp_path, secret):
    folder = tmp_path / "node"
    init(folder)
    for name in ("Zzyxwvanary", "Jun Cho"):
        person(folder, "add", "--person-passphrase-file", secret, "--name", name,
               "--to", tmp_path / name)  # fmt: skip
    with serving(folder):
        sessions = [
            told("fieldnode", "login", number, "--data", folder, "--person-passphrase-file",
                 secret, "--json")[0]
            for number in ("1", "2")
        ]  # fmt: skip
        one, two = (each["session"] for each in sessions)
        line = {"v": 1, "kind": "patient.register", "key": "k1", "data": {"given_name": "Musa"}}
        assert json.loads(scripted(folder, "record", token=one, lines=[line]).stdout)["ok"]
        told("fieldnode", "seal", "Zzyxwvanary", "--data", folder, "--reason", "licence-ended",
             "--since", "2020-01-01T00:00Z", "--json")  # fmt: skip
        (act,) = told("fieldnode", "review", "--data", folder)
        said = ("--fact", act["fact"], "--outcome", "follow_up", "--note", "seen by nobody else")
        nobody = scripted(folder, "review", *said)
        done = scripted(folder, "review", *said, token=two)
        (after,) = told("fieldnode", "review", "--data", folder)
        trail = told("fieldnode", "audit", "--data", folder, "--what", "review", "--json")

    assert (act["kinds"], act["reason"], act["reviews"]) == (
        ["patient.register"], "licence_ended", [],
    )  # fmt: skip
    assert nobody.returncode == 1 and "Log in first" in nobody.stderr
    assert done.returncode == 0, done.stderr
    (review,) = after["reviews"]
    assert (review["by"], review["outcome"]) == ("Jun Cho", "follow_up")
    assert review["note"] == "seen by nobody else" and review["at"].endswith("Z")
    assert "seen by nobody else" in json.dumps(trail)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("import", "FILE"), "not the credential"),
        (("certify", "FILE", "--to", "x", "--yes"), "not a person's request"),
        (("leave", "7"), "no such person"),
        (("export", "7", "--to", "x"), "no such person"),
    ],
)
def test_a_refusal_says_what_to_do(folder, tmp_path, args, said):
    file = tmp_path / "file"
    file.write_bytes(b"nothing of ours")
    given = [str(file) if arg == "FILE" else arg for arg in args]

    done = run("fieldnode", "person", args[0], "--data", folder, *given[1:])

    assert done.returncode == 1 and said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--practice", "no.such.kind"), "no such kind"),
        (("--role", "pilot"), "no role of this name"),
        (("--licence-until", "soon"), "A date is"),
        (("--licence", "x" * 50), "part of the profile"),
    ],
)
def test_wrong_papers_are_refused_before_a_file_is_written(folder, secret, tmp_path, more, said):
    file = tmp_path / "none"
    done = run("fieldnode", "person", "add", "--data", folder, "--person-passphrase-file", secret,
               "--name", "A", *more, "--to", file)  # fmt: skip

    assert done.returncode == 1 and said in done.stderr
    assert not file.exists() and person(folder, "list", "--json") == []


def test_a_script_logs_in_records_and_logs_out(folder, secret, tmp_path):
    person(folder, "add", "--person-passphrase-file", secret, "--name", "Zzyxwvanary",
           "--to", tmp_path / "carried")  # fmt: skip
    pin = tmp_path / "pin"
    pin.write_text("4817\n")

    with serving(folder):
        person(folder, "pin", "1", "--person-passphrase-file", secret, "--pin-file", pin)
        (me,) = told("fieldnode", "login", "1", "--data", folder, "--pin-file", pin, "--json")
        token = me["session"]
        line = {"v": 1, "kind": "patient.register", "key": "k1", "data": {"given_name": "Musa"}}
        answered = scripted(folder, "record", token=token, lines=[line])
        out = scripted(folder, "logout", token=token)
        after = scripted(folder, "record", token=token, lines=[{**line, "key": "k2"}])
        rows = told("fieldnode", "rows", "patient", "--data", folder)

    assert json.loads(answered.stdout)["ok"], answered.stderr
    assert out.returncode == 0
    assert after.returncode != 0 and "log in again" in after.stderr
    assert [row["person_name"] for row in rows] == ["Zzyxwvanary"]
    assert [row["person"] for row in rows] == [me["person"]]
