"""Two organisations found an operation from files alone, by real commands in own folders."""

import json
import shutil
import time
from pathlib import Path

import pytest

from tests.process.commands import (
    PASSPHRASE,
    PATIENCE_S,
    environment,
    finished,
    init,
    patient,
    run,
    serving,
    told,
)

ROOT_PASSPHRASE = "root of the matter"
TERMS = """
[[scope]]
name = "care JP"
jurisdictions = ["JP"]
ciphertext_may_leave = false
[[scope]]
name = "care KE"
jurisdictions = ["KE"]
ciphertext_may_leave = false
[[role]]
number = 1
name = "triage device"
kinds = ["patient.register", "encounter.open", "triage.record"]
[[role]]
number = 2
name = "hq"
[[role]]
number = 3
name = "relay"
kinds = []
[[role]]
number = 4
name = "care"
"""


class Side:
    """One organisation with a folder that nobody else reaches."""

    def __init__(self, place: Path) -> None:
        self.place = place
        place.mkdir(exist_ok=True)
        self.said = ""

    def __call__(self, app, *args, ok=True, language="en", given=""):
        kept = environment() | {
            "FIELDMESH_ROOT_PASSPHRASE": ROOT_PASSPHRASE,
            "FIELDMESH_LANGUAGE": language,
        }
        done = finished(app, *args, inherits=kept, given=given, folder=self.place)
        self.said += done.stdout + done.stderr
        assert (done.returncode == 0) == ok, done.stderr
        assert "Traceback" not in done.stderr
        return done

    def hand(self, name, other):
        """Carry a file over on a stick."""
        (other.place / name).write_bytes((self.place / name).read_bytes())


@pytest.fixture
def sides(signed, tmp_path):
    """Both have signed the same charter, each on its own copy."""
    shutil.copytree(signed, tmp_path, dirs_exist_ok=True)
    return Side(tmp_path / "jp"), Side(tmp_path / "ke")


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    """Two folders of two organisations, in which they founded an operation."""
    tmp_path = tmp_path_factory.mktemp("signed")
    jp, ke = Side(tmp_path / "jp"), Side(tmp_path / "ke")
    jp("hq", "org", "new", "--name", "Japan team", "--jurisdiction", "JP")
    ke("hq", "org", "new", "--name", "Ministry", "--jurisdiction", "KE")
    ke.hand("ministry.org", jp)
    (jp.place / "terms.toml").write_text(TERMS)
    jp("hq", "charter", "new", "camp.charter", "--name", "Camp 4", "--terms", "terms.toml")
    jp("hq", "org", "add", "camp.charter", "japan-team.org", "ministry.org")
    jp.hand("camp.charter", ke)
    heard = json.loads(jp("hq", "charter", "show", "camp.charter", "--json").stdout)["fingerprint"]
    ke("hq", "charter", "sign", "camp.charter", "--root", "ministry.root", "--heard", heard)
    jp("hq", "charter", "sign", "camp.charter", "--root", "japan-team.root")
    (jp.place / "theirs.charter").write_bytes((ke.place / "camp.charter").read_bytes())
    jp("hq", "charter", "collect", "camp.charter", "theirs.charter")
    jp.hand("camp.charter", ke)
    return tmp_path


def begun(side, app, name, root):
    names = ("--data", "node", "--charter", "camp.charter", "--root", root, "--name", name)
    made = json.loads(side(app, "init", *names, "--json").stdout)
    return made["device"]


def members(folder, app="fieldnode"):
    return {each["id"]: each for each in told(app, "members", "--data", folder, "--json")}


def until(asked, holds):
    deadline = time.monotonic() + PATIENCE_S
    while not holds(found := asked()):
        assert time.monotonic() < deadline, found
    return found


def test_two_organisations_found_an_operation_from_files_and_meet(sides):
    jp, ke = sides
    ours = begun(jp, "fieldnode", "Tent JP", "japan-team.root")
    theirs = begun(ke, "hq", "Ministry HQ", "ministry.root")
    shown = [json.loads(s("hq", "charter", "show", "camp.charter", "--json").stdout) for s in sides]
    assert shown[0] == shown[1]
    assert shown[0]["complete"]
    assert len(shown[0]["spoken"].split()) == 16

    ours_at, theirs_at = jp.place / "node", ke.place / "node"
    with (
        serving(theirs_at, app="hq") as hq,
        serving(ours_at, "--peer", hq["listening"]),
    ):
        status = until(
            lambda: told("fieldnode", "status", "--data", ours_at, "--json")[0],
            lambda found: any(peer["linked"] for peer in found["peers"]),
        )
        here, there = members(ours_at), members(theirs_at, "hq")
        lines = [patient("a", given_name="Jun")]
        (answer,) = told("fieldnode", "record", "--data", ours_at, lines=lines)

    assert answer["ok"]
    assert status["operation"] == shown[0]["operation"]
    assert here.keys() == there.keys() == {ours, theirs}
    for seen in (here, there):
        assert (seen[ours]["org"], seen[ours]["scopes"]) == ("Japan team", ["care JP"])
        assert (seen[theirs]["org"], seen[theirs]["scopes"]) == ("Ministry", ["care KE"])
        assert {each["rank"] for each in seen.values()} == {"issuer"}
    for side in sides:
        assert PASSPHRASE not in side.said
        assert ROOT_PASSPHRASE not in side.said
        for kept in side.place.glob("*.root"):
            assert kept.stat().st_mode & 0o077 == 0


def test_a_device_comes_in_by_files_with_no_network_at_all(sides):
    jp, _ = sides
    begun(jp, "fieldnode", "Tent JP", "japan-team.root")
    for name in ("lead", "tent"):
        init(jp.place / name)

    def enrol(name, admitter, *wish):
        asked = jp("fieldnode", "request", f"{name}.req", "--data", name, "--json")
        answer = jp(
            "fieldnode", "admit", f"{name}.req", "--out", f"{name}.grant", "--data", admitter,
            "--json", *wish,
        )  # fmt: skip
        made = json.loads(answer.stdout)
        assert made["fingerprint"] == json.loads(asked.stdout)["fingerprint"]
        jp("fieldnode", "join", "--grant", f"{name}.grant", "--data", name)
        return made

    lead = enrol("lead", "node", "--as", "coordinator")
    tent = enrol("tent", "lead", "--role", "care", "--name", "Tent one")
    assert (lead["rank"], lead["scopes"]) == ("coordinator", ["care JP"])
    assert (tent["rank"], tent["roles"], tent["name"]) == ("device", ["care"], "Tent one")

    for args, words in (
        (("request", "x.req", "--data", "nowhere"), "no node in this folder"),
        (("join", "--grant", "tent.grant", "--data", "tent"), "has not asked to join"),
        (("join", "--grant", "lead.grant", "--data", "tent"), "for another device"),
        (("join", "--grant", "tent.req", "--data", "tent"), "not a grant file"),
        (("join", "--data", "tent"), "either --peer, or --grant"),
        (("admit", "tent.grant", "--out", "y", "--data", "lead"), "not a request file"),
        (("admit", "tent.req", "--out", "lead.req", "--data", "lead"), "at this place already"),
        (("admit", "tent.req", "--out", "y", "--data", "tent"), "may not admit"),
        (("admit", "tent.req", "--out", "y", "--data", "lead", "--as", "hq"), "higher rank"),
        (("admit", "tent.req", "--out", "y", "--data", "node", "--as", "hq"), "may not grant"),
        (("admit", "tent.req", "--out", "y", "--data", "node", "--scope", "moon"), "no scope"),
    ):  # fmt: skip
        assert words in jp("fieldnode", *args, ok=False).stderr, args
        assert not (jp.place / "y").exists()


def test_a_roster_of_devices_is_admitted_from_a_table(sides):
    jp, _ = sides
    begun(jp, "fieldnode", "Tent JP", "japan-team.root")
    marks = {}
    for name in ("one", "two"):
        init(jp.place / name)
        asked = jp("fieldnode", "request", f"{name}.req", "--data", name, "--json")
        marks[name] = json.loads(asked.stdout)["fingerprint"]
    table = jp.place / "devices.csv"

    def imported(text, **more):
        table.write_text("request,fingerprint,as,roles\n" + text)
        return jp("hq", "roster", "import", table, "--out", "out", "--data", "node", **more)

    other = imported(f"one.req,,,care\ntwo.req,{marks['one']},,care\n", ok=False).stderr
    assert "row 2" in other and "Do not admit it" in other
    wide = imported("one.req,,,care\ntwo.req,,hq,\n", ok=False).stderr
    assert "row 2" in wide and "does not have itself" in wide
    assert not list((jp.place / "out").glob("*"))

    imported(f"one.req,{marks['one']},,care\ntwo.req,,coordinator,\n")

    for name in ("one", "two"):
        jp("fieldnode", "join", "--grant", f"out/{name}.grant", "--data", name)
    with serving(jp.place / "node"):
        ranks = sorted(each["rank"] for each in members(jp.place / "node").values())
    assert ranks == ["coordinator", "device", "issuer"]


def test_a_roster_of_persons_is_certified_in_one_record_from_a_table(sides):
    jp, _ = sides
    begun(jp, "fieldnode", "Tent JP", "japan-team.root")
    init(jp.place / "tent")
    jp("fieldnode", "request", "tent.req", "--data", "tent")
    jp("hq", "admit", "tent.req", "--out", "tent.grant", "--data", "node", "--role", "care")
    jp("fieldnode", "join", "--grant", "tent.grant", "--data", "tent")
    (jp.place / "secret").write_text("a long passphrase\n")
    for name in ("amina", "jun"):
        jp("fieldnode", "person", "request", "--data", "tent", "--person-passphrase-file",
           "secret", "--name", name, "--licence", "ASKED-1", "--to", f"{name}.asked")  # fmt: skip
    table = jp.place / "people.csv"
    head = "request,as,roles,name,licence,licence_until,practice,until\n"

    def imported(*rows, app="hq", **more):
        table.write_text(head + "".join(row + "\n" for row in rows))
        return jp(app, "roster", "import", table, "--out", "out", "--data", "node", **more)

    good = "jun.asked,person,care,,,,,"
    for row, words in (
        ("amina.asked,person,king,,,,,", "no role of this name"),
        ("amina.asked,person,care,,,soon,,", "A date is"),
        ("jun.asked,person,care,,,,,", "two rows"),
        ("tent.req,device,care,,KE-1,,,", "row 2 licence"),
    ):
        for app in ("hq", "fieldnode")[: 1 + ("king" in row)]:
            said = imported(good, row, app=app, ok=False).stderr
            assert "row 2" in said and words in said, (row, said)
    assert not list((jp.place / "out").glob("*"))

    imported("amina.asked,person,care,Amina Okoro,KE-7,2031-12-31,triage.record;note.add,", good)

    for name in ("amina", "jun"):
        jp("fieldnode", "person", "import", f"out/{name}.certificate", "--data", "tent")
    held = jp("fieldnode", "person", "list", "--data", "tent", "--json").stdout.splitlines()
    first, second = map(json.loads, held)
    assert (first["name"], first["licence"], first["certified"]) == ("Amina Okoro", "KE-7", True)
    assert first["licence_until"] == "2031-12-31T23:59:59.999Z"
    assert (second["name"], second["licence"], second["certified"]) == ("jun", "ASKED-1", True)


def test_a_running_node_admits_by_file_and_draws_a_code(sides):
    _, ke = sides
    begun(ke, "hq", "Ministry HQ", "ministry.root")
    init(ke.place / "tent")
    ke("fieldnode", "request", "tent.req", "--data", "tent")
    with serving(ke.place / "node", app="hq"):
        made = json.loads(
            ke("hq", "admit", "tent.req", "--out", "tent.grant", "--data", "node", "--json").stdout
        )
        assert made["device"] in members(ke.place / "node", "hq")
        drawn = ke("hq", "invite", "--data", "node", "--as", "coordinator", "--qr")
        assert len(drawn.stdout.strip()) == 19
        what_to_do, *lines = drawn.stderr.splitlines()
        assert "join --peer" in what_to_do
        assert len(lines) > 10
        assert set("".join(lines)) <= set("█▀▄ ")
        refused = ke("hq", "invite", "--data", "node", "--role", "king", ok=False)
        assert "no role of this name" in refused.stderr
    ke("fieldnode", "join", "--grant", "tent.grant", "--data", "tent")


def test_what_is_wrong_with_a_file_is_one_sentence_with_the_remedy(sides):
    jp, ke = sides
    (jp.place / "noise").write_bytes(b"\x00" * 200_000)
    ke.hand("ministry.org", jp)
    jp("hq", "charter", "new", "other.charter", "--name", "Other")
    jp("hq", "org", "add", "other.charter", "japan-team.org")
    refusals = (
        (("charter", "show", "noise"), "not a charter file", "pas un fichier de charte"),
        (("charter", "show", "japan-team.org"), "not a charter file", "pas un fichier de charte"),
        (("charter", "show", "nowhere"), "no such file", "no such file"),
        (("org", "add", "camp.charter", "ministry.org"), "Somebody has signed", "ne peut plus"),
        (("org", "add", "other.charter", "japan-team.org"), "in the charter already", "déjà"),
        (("org", "add", "other.charter", "japan-team.root"), "not an organisation", "organisation"),
        (("charter", "collect", "camp.charter", "other.charter"), "not copies", "pas des copies"),
        (
            ("charter", "sign", "camp.charter", "--root", "japan-team.root", "--heard",
             "0000-0000-0000-0000"), "do not sign", "ne signez pas",
        ),
        (
            ("init", "--data", "x", "--charter", "other.charter", "--root", "japan-team.root"),
            "Not every organisation", "n'ont pas signé",
        ),
        (("init", "--data", "x", "--charter", "camp.charter"), "--charter and --root", "--root"),
        (("org", "new", "--name", "Japan team"), "at this place already", "already"),
    )  # fmt: skip
    before = {path.name: path.read_bytes() for path in jp.place.iterdir() if path.is_file()}
    for args, english, french in refusals:
        said = jp("hq", *args, ok=False).stderr
        assert english in said
        assert len(said.splitlines()) == 1
        if args[0] == "init" or "sign" in args:
            assert french in jp("hq", *args, ok=False, language="fr").stderr
    assert before == {path.name: path.read_bytes() for path in jp.place.iterdir() if path.is_file()}
    assert not (jp.place / "x").exists()


def test_a_wrong_root_passphrase_founds_nothing(sides):
    jp, _ = sides
    (jp.place / "wrong").write_text("something else\n")
    names = ("--data", "node", "--charter", "camp.charter", "--root", "japan-team.root")
    said = jp(
        "fieldnode", "init", *names, "--root-passphrase-file", "wrong", "--name", "T", ok=False
    )
    assert "passphrase of this root key" in said.stderr
    assert not (jp.place / "node").exists()


def test_terms_that_are_printed_are_terms_that_are_taken(tmp_path):
    here = Side(tmp_path / "here")
    printed = here("hq", "charter", "terms").stdout
    (here.place / "terms.toml").write_text(printed)
    here("hq", "charter", "new", "a.charter", "--name", "A", "--terms", "terms.toml")
    shown = here("hq", "charter", "show", "a.charter").stdout
    french = here("hq", "charter", "show", "a.charter", language="fr").stdout
    assert "triage device (1)" in shown
    assert "may write nothing" in shown
    assert "ne peut rien écrire" in french
    (here.place / "terms.toml").write_text(printed.replace('"note.add"', '"note.ad"'))
    args = ("charter", "new", "b.charter", "--name", "B", "--terms", "terms.toml")
    said = here("hq", *args, ok=False).stderr
    assert "note.add" in said
    assert run("hq", "charter", "new", tmp_path / "c", lines=()).returncode == 1
