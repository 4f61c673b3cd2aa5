"""The commands of headquarters, and how a node joins it: as processes."""

import json
import re
import urllib.parse
import urllib.request

import pytest

from protocols.ledger.keyfile import RECOVERY_NAME
from tests.process.commands import PASSPHRASE, init, note, patient, run, serving, start, told

PASSWORD = "four unrelated words"


@pytest.fixture(scope="module")
def hq(tmp_path_factory):
    """A serving HQ: its folder and what it said."""
    folder = tmp_path_factory.mktemp("hq") / "hq"
    init(folder, app="hq")
    with serving(folder, app="hq") as said:
        yield folder, said


def invited(folder):
    done = run("hq", "invite", "--data", folder, passphrase=None)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def join(folder, said, code):
    return run("fieldnode", "join", "--data", folder, "--peer", said["listening"], "--code", code)


def test_it_says_where_it_listens_and_how_to_log_in(hq):
    _, said = hq
    assert said["login"].startswith(said["page"])
    with urllib.request.urlopen(said["login"], timeout=30) as page:
        assert page.status == 200


def log_in(link, name):
    """Use up a login link as a browser would."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with browser.open(link, timeout=30) as page:
        form = re.search(r'name="form" value="([0-9a-f]+)"', page.read().decode())[1]
    fields = {"form": form, "name": name, "password": PASSWORD, "again": PASSWORD}
    sent = urllib.request.Request(link, urllib.parse.urlencode(fields).encode())
    sent.add_header("Origin", "/".join(link.split("/")[:3]))
    with browser.open(sent, timeout=30) as page:
        return browser, page.read().decode()


def test_accounts_are_added_listed_and_removed_at_the_machine(tmp_path):
    folder = tmp_path / "hq"
    init(folder, app="hq")
    with serving(
        folder, "--title", "Delta response", "--zone", "Africa/Bujumbura", app="hq"
    ) as said:
        added = run("hq", "account", "add", "--data", folder, passphrase=None).stdout.strip()
        _, page = log_in(said["login"], "lead")
        assert "Delta response" in page
        assert "times in CAT" in page
        browser, _ = log_in(added, "second")
        assert told("hq", "account", "list", "--data", folder, "--json") == [
            {"accounts": ["lead", "second"]}
        ]
        done = run("hq", "account", "remove", "second", "--data", folder, passphrase=None)
        assert (done.returncode, done.stderr) == (0, "Removed.\n")
        with browser.open(said["page"], timeout=30) as left:
            assert left.url.endswith("/login")
        found = told("hq", "audit", "--data", folder, "--json")
        done = [(each["what"], each["account"]) for each in found if "item" in each]
        assert [one for one in done[::-1] if one[0].startswith("account")] == [
            ("account_added", "lead"), ("account_added", "second"), ("account_removed", "second"),
        ]  # fmt: skip
        again = run("hq", "account", "remove", "second", "--data", folder, passphrase=None)
        assert (again.returncode, len(again.stderr.splitlines())) == (1, 1)
        assert "no account" in again.stderr
        assert run("hq", "account", "list", "--data", folder).stdout == "lead\n"
    done = run("hq", "account", "list", "--data", folder)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)


def test_a_zone_that_is_not_known_is_one_sentence(tmp_path):
    done = run("hq", "serve", "--data", tmp_path, "--zone", "../Mars", "--listen", "127.0.0.1:0")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "zone" in done.stderr


def test_a_node_joins_with_a_code_once_and_what_it_wrote_before_arrives(hq, tmp_path):
    folder, said = hq
    tent, late = tmp_path / "tent", tmp_path / "late"
    init(tent)
    told("fieldnode", "record", "--data", tent, lines=[patient("before", family_name="Before")])
    asked = run("hq", "invite", "--data", folder)
    code = asked.stdout.strip()
    assert len(asked.stderr.splitlines()) == 1
    assert "`join --peer HOST:PORT --code" in asked.stderr

    wrong = ("1" if code[0] != "1" else "2") + code[1:]
    done = join(tent, said, wrong)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "code" in done.stderr

    assert join(tent, said, code).stderr == "Joined.\n"
    init(late)
    used = join(late, said, code)
    assert (used.returncode, used.stdout) == (1, "")
    assert "used up" in used.stderr

    follow = start("hq", "rows", "patient", "--data", folder, "--follow")
    with serving(tent, "--peer", said["listening"]):
        arrived = json.loads(follow.stdout.readline())
        assert arrived["family"] == "Before"
        lines = [note(arrived["id"], "seen"), patient("after", family_name="After")]
        told("fieldnode", "record", "--data", tent, lines=lines)
        while arrived["family"] != "After":
            arrived = json.loads(follow.stdout.readline())
    follow.kill()
    follow.communicate()

    (here,) = told("fieldnode", "status", "--data", tent, "--json")
    (there,) = told("hq", "status", "--data", folder, "--json")
    assert here["operation"] == there["operation"]
    peer = next(peer for peer in there["peers"] if peer["device"] == here["device"])
    assert peer["last_contact"].endswith("Z")
    families = {row["family"] for row in told("hq", "rows", "patient", "--data", folder)}
    assert {"Before", "After"} <= families
    recovers(folder, tent, tmp_path)


def test_a_node_that_joined_says_by_itself_what_it_works_by_and_hq_too(hq, tmp_path):
    folder, said = hq
    tent = tmp_path / "tent"
    init(tent)
    assert join(tent, said, invited(folder)).stderr == "Joined.\n"
    (own,) = told("fieldnode", "status", "--data", tent, "--json")
    (there,) = told("hq", "status", "--data", folder, "--json")

    follow = start("hq", "rows", "pack_use", "--data", folder, "--follow")
    wanted, seen = {own["device"], there["device"]}, set()
    with serving(tent, "--peer", said["listening"]):
        while not wanted <= seen:
            row = json.loads(follow.stdout.readline())
            assert row["name"] == "*"
            seen.add(row["author"])
    follow.kill()
    follow.communicate()

    (news2,) = told("fieldnode", "pack", "show", "news2", "--data", folder, "--json")
    assert wanted <= {user["device"] for user in news2["users"]}


def recovers(folder, tent, place):
    """A passphrase that nobody knows is made anew at HQ, which goes on serving."""
    (place / "words").write_text("battery staple\n")
    done = run(
        "hq", "recover", "--data", folder, "--from", tent / RECOVERY_NAME,
        "--to", place / "ledger.key", "--new-passphrase-file", place / "words", passphrase=None,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    again = run(
        "hq", "recover", "--data", folder, "--from", tent / RECOVERY_NAME,
        "--to", place / "ledger.key", "--new-passphrase-file", place / "words", passphrase=None,
    )  # fmt: skip
    assert again.returncode == 1
    trail = told("hq", "audit", "--data", folder, "--what", "recover", "--json")
    assert [each["device_name"] for each in trail if "item" in each] == ["hq"]
    (place / "ledger.key").replace(tent / "ledger.key")
    assert run("fieldnode", "status", "--data", tent, passphrase=PASSPHRASE).returncode == 1
    assert run("fieldnode", "status", "--data", tent, passphrase="battery staple").returncode == 0


def test_a_code_that_is_none_and_an_address_where_nobody_is_are_one_sentence(hq, tmp_path):
    _, said = hq
    init(tmp_path / "tent")
    done = join(tmp_path / "tent", said, "hello")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    done = join(tmp_path / "tent", {"listening": "127.0.0.1:1"}, "0000-0000-0000-0000")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)


@pytest.mark.parametrize("command", [("status",), ("rows", "patient"), ("serve",)])
def test_a_folder_without_hq_is_one_sentence(tmp_path, command):
    done = run("hq", *command, "--data", tmp_path / "none", passphrase=None)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no node in this folder" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_stopped_hq_answers_too_and_one_made_to_restart_alone_asks_nothing(tmp_path):
    folder = tmp_path / "hq"
    init(folder, "--unattended", app="hq")
    done = run("hq", "status", "--data", folder, "--json", passphrase=None)
    assert json.loads(done.stdout)["running"] is False, done.stderr
    assert told("hq", "rows", "patient", "--data", folder) == []
    done = run("hq", "invite", "--data", folder)
    assert done.returncode == 1
    assert "No node is running" in done.stderr
