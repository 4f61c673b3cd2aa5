"""Who belongs, as a coordinator sees and changes it at a shell: real nodes on loopback."""

import json
from contextlib import contextmanager

import pytest

from tests.process.commands import init, patient, run, serving, start, told


@contextmanager
def two_nodes(place):
    """A founder who serves, and a second node that joined it and serves too."""
    folders = place / "founder", place / "second"
    for folder in folders:
        init(folder)
    founder, second = folders
    with serving(founder) as said:
        code = run("fieldnode", "invite", "--data", founder).stdout.strip()
        peer = ("--peer", said["listening"])
        assert run("fieldnode", "join", "--data", second, *peer, "--code", code).returncode == 0
        with serving(second, *peer):
            yield founder, second


@pytest.fixture(scope="module")
def camp(tmp_path_factory):
    """For whoever only asks."""
    with two_nodes(tmp_path_factory.mktemp("camp")) as camp:
        yield camp


@pytest.fixture
def own_camp(tmp_path):
    """For whoever changes who belongs."""
    with two_nodes(tmp_path) as camp:
        yield camp


def test_a_lost_node_is_sealed_by_name_and_gets_nothing_more(own_camp):
    founder, second = own_camp
    members = told("fieldnode", "members", "--data", founder, "--json")
    assert [(each["name"], each["here"], each["sealed"]) for each in members] == [
        ("founder", True, ""),
        ("second", False, ""),
    ]
    follow = start("fieldnode", "rows", "patient", "--data", second, "--follow")
    told("fieldnode", "record", "--data", founder, lines=[patient("1", family_name="Before")])
    assert json.loads(follow.stdout.readline())["family"] == "Before"

    done = told(
        "fieldnode", "seal", "second", "--reason", "lost", "--note", "bus", "--data", founder,
        "--json",
    )  # fmt: skip
    assert done[0]["sealed"] == "lost"
    told("fieldnode", "record", "--data", founder, lines=[patient("2", family_name="After")])

    (status,) = told("fieldnode", "status", "--data", founder, "--json")
    assert not any(peer["linked"] for peer in status["peers"] if "linked" in peer)
    follow.kill()
    assert "After" not in follow.communicate()[0]
    shown = run("fieldnode", "members", "--data", founder).stdout.splitlines()
    assert "LOST" in shown[1] and "(this device)" in shown[0]
    nothing = run("fieldnode", "quarantine", "--data", founder)
    assert nothing.stdout == "No seal keeps anything back, and none was refused.\n"


def test_members_are_listed_page_by_page_in_one_order(camp):
    founder, _ = camp
    asked = ("fieldnode", "members", "--data", founder, "--json")

    def ids(*more):
        # When each was last linked goes on meanwhile.
        return [each["id"] for each in told(*asked, *more)]

    first, second = ids()
    assert ids("--limit", "1") == [first]
    assert ids("--limit", "1", "--after", first) == [second]
    assert ids("--after", second) == []
    assert "Nobody of this name" in run(*asked, "--after", "dev_NOBODY").stderr


def test_what_commands_say_is_said_in_french_where_that_is_asked_for(camp, monkeypatch):
    founder, second = camp
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")

    said = run("fieldnode", "members", "--data", founder).stdout
    assert "(cet appareil)" in said and "this device" not in said
    assert "Aucun scellé" in run("fieldnode", "quarantine", "--data", founder).stdout
    refused = run("fieldnode", "seal", "founder", "--reason", "lost", "--data", second)
    assert "rang plus élevé" in refused.stderr
    assert "reliés" in run("fieldnode", "status", "--data", founder).stdout
    assert "trace de" in run("fieldnode", "audit", "--data", founder).stdout


def test_whoever_may_not_seal_is_told_whom_to_ask(camp):
    founder, second = camp
    cases = [
        (("seal", "founder", "--reason", "lost"), "higher rank"),
        (("seal", "nobody", "--reason", "lost"), "Nobody of this name"),
        (("seal", "second", "--reason", "lost", "--since", "noon"), "time"),
        (("seal", "second", "--reason", "role-reduced", "--keep-role", "king"), "allowed"),
        (("unseal", "ent_1"), "id"),
    ]
    for args, words in cases:
        done = run("fieldnode", *args, "--data", second)
        assert done.returncode == 1, done.stdout
        assert done.stdout == ""
        assert len(done.stderr.splitlines()) == 1
        assert words in done.stderr, done.stderr
    assert run("fieldnode", "members", "--data", second).stdout.count("\n") == 2
    assert run("fieldnode", "forks", "--data", second).stdout.startswith("No device wrote two")
    (second.parent / "junk").write_bytes(b"\1junk")
    done = run("fieldnode", "forks", "--data", second, "--check", second.parent / "junk")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "proves nothing" in done.stderr
