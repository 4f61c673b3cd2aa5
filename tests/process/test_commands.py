"""The commands of a node as other programs and tired people meet them: as processes."""

import json
import shutil
import signal
import socket
import stat

import automerge.core as automerge
import pytest

from protocols.ledger.store import LOCK_NAME
from protocols.live.unserved import opened as opened_book
from protocols.records.catalogue import ROW_TABLES
from protocols.records.codes import CONFIRMABLE, ERRORS, WARNINGS
from tests.process.commands import PASSPHRASE, init, note, patient, run, serving, start, told
from tests.unit.schema_words import faults

STATUS_KEYS = {
    "device", "version", "epoch", "feeds", "peers", "pending", "quarantined", "forks", "unsettled",
    "clock", "locked", "disk_free", "oldest_unsent", "last_backup", "digest",
}  # fmt: skip
ROW_KEYS = {
    "id", "standing", "supersedes", "author", "at", "recorded_at", "scope", "feed", "seq", "cursor",
}  # fmt: skip
SAVED_KEYS = {"line", "key", "ok", "id", "code", "feed", "seq", "warnings", "repeated"}
REFUSED_KEYS = {"line", "key", "ok", "error", "field", "allowed", "message"}


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A node that does not run, for tests that leave it as it is or write a little more."""
    folder = tmp_path_factory.mktemp("stopped") / "tent"
    init(folder)
    told("fieldnode", "record", "--data", folder, lines=[patient("first", family_name="Okoro")])
    return folder


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A node that serves, for the same."""
    folder = tmp_path_factory.mktemp("served") / "tent"
    init(folder)
    with serving(folder):
        yield folder


@pytest.fixture(params=["stopped", "served"])
def node(request):
    """Either."""
    return request.getfixturevalue(request.param)


def record(folder, *lines):
    done = run("fieldnode", "record", "--data", folder, lines=lines)
    assert done.stdout, done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


# One sentence instead of a traceback


def assert_one_sentence(done, code, words):
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert words in done.stderr


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("status", "--json"), 1),
        (("record",), 4),
        (("serve", "--listen", "127.0.0.1:0", "--no-discovery"), 1),
    ],
)
def test_a_wrong_passphrase_is_one_sentence(stopped, command, code):
    done = run("fieldnode", *command, "--data", stopped, passphrase="battery staple")
    assert_one_sentence(done, code, "not the passphrase")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("status",), 1),
        (("record",), 4),
        (("serve",), 1),
        (("open", "--line"), 1),
        (("join", "--peer", "127.0.0.1:9", "--code", "x"), 1),
        (("lock", "--panic"), 1),
        (("passphrase",), 1),
    ],
)
def test_a_folder_without_a_node_is_one_sentence_and_nobody_is_asked(tmp_path, command, code):
    folder = tmp_path / "none"
    done = run("fieldnode", *command, "--data", folder, passphrase=None)
    assert_one_sentence(done, code, "no node in this folder")
    assert not folder.exists()


@pytest.mark.parametrize("command", [("lock",), ("invite",)])
def test_what_needs_a_running_node_says_so(stopped, command):
    done = run("fieldnode", *command, "--data", stopped)
    assert_one_sentence(done, 1, "No node is running")


def test_without_a_passphrase_and_nobody_to_ask_it_says_how_to_give_one(stopped):
    done = run("fieldnode", "status", "--data", stopped, passphrase=None)
    assert_one_sentence(done, 1, "--passphrase-file")


def test_a_folder_is_never_made_over_another(stopped, tmp_path):
    names = ("--name", "x", "--org", "y")
    done = run("fieldnode", "init", "--data", stopped, *names)
    assert_one_sentence(done, 1, "already holds a node")
    (tmp_path / "file").write_text("mine")
    done = run("fieldnode", "init", "--data", tmp_path, *names)
    assert_one_sentence(done, 1, "not empty")
    done = run("fieldnode", "init", "--data", tmp_path / "new", *names, passphrase="short")
    assert_one_sentence(done, 1, "at least 8")
    assert not (tmp_path / "new").exists()


def test_rows_of_no_kind_name_those_there_are(node):
    done = run("fieldnode", "rows", "nothing", "--data", node)
    assert_one_sentence(done, 1, "patient")


# Passphrases


def test_the_first_line_of_standard_input_may_be_the_passphrase(stopped):
    lines = [f"{PASSPHRASE}\n", patient("stdin-1"), patient("stdin-2")]
    done = run(
        "fieldnode", "record", "--data", stopped, "--passphrase-file", "-", lines=lines,
        passphrase=None,
    )  # fmt: skip
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(answer["line"], answer["ok"]) for answer in answers] == [(1, True), (2, True)]


def test_a_passphrase_file_opens_the_node_and_a_missing_one_is_named(stopped, tmp_path):
    (tmp_path / "words").write_bytes(PASSPHRASE.encode() + b"\r\nmore\n")
    file = ("--passphrase-file", tmp_path / "words")
    assert run("fieldnode", "status", "--data", stopped, *file, passphrase=None).returncode == 0
    file = ("--passphrase-file", tmp_path / "none")
    done = run("fieldnode", "status", "--data", stopped, *file)
    assert_one_sentence(done, 1, "passphrase file")


@pytest.mark.safety(20)
def test_a_node_made_to_restart_alone_asks_for_nothing(tmp_path):
    folder = tmp_path / "tent"
    init(folder, "--unattended")
    done = run("fieldnode", "record", "--data", folder, lines=[patient("a")], passphrase=None)
    assert json.loads(done.stdout)["ok"], done.stderr
    with serving(folder, passphrase=None):
        assert run("fieldnode", "status", "--data", folder, passphrase=None).returncode == 0


def test_a_changed_passphrase_counts_and_the_old_one_does_not(tmp_path):
    folder = tmp_path / "tent"
    init(folder)
    (tmp_path / "words").write_text("battery staple\n")
    new = ("--new-passphrase-file", tmp_path / "words")
    with serving(folder):
        assert run("fieldnode", "passphrase", "--data", folder, *new).returncode == 0
    done = run("fieldnode", "status", "--data", folder)
    assert_one_sentence(done, 1, "not the passphrase")
    done = run("fieldnode", "status", "--data", folder, passphrase="battery staple")
    assert done.returncode == 0


# Record


def test_each_line_is_answered_before_the_next_is_sent(node):
    with start("fieldnode", "record", "--data", node) as process:
        for number in range(1, 4):
            process.stdin.write(json.dumps(patient(f"stream-{node.parent.name}-{number}")) + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            assert (answer["line"], answer["ok"]) == (number, True)
        assert process.communicate(timeout=30)[0] == ""
    assert process.returncode == 0


def test_it_goes_on_after_what_it_refuses_and_answers_in_order(node):
    code, answers = record(
        node,
        patient(f"order-{node.parent.name}", family_name="Musa"),
        "{broken\n",
        "\n",
        {"v": 1, "kind": "nothing.known", "key": "k"},
        '{"v":1,"kind":"patient.register","data":{"family_name":"' + "x" * 300_000 + '"}}\n',
        patient(f"after-{node.parent.name}", village="Gatumba"),
    )
    assert code == 3
    assert [answer["line"] for answer in answers] == [1, 2, 4, 5, 6]
    assert [answer["ok"] for answer in answers] == [True, False, False, False, True]
    refused = [answer for answer in answers if not answer["ok"]]
    assert [answer["error"] for answer in refused] == ["bad_json", "unknown_kind", "too_long"]
    assert all(set(answer) >= REFUSED_KEYS and answer["message"] for answer in refused)
    assert all(set(answer) >= SAVED_KEYS for answer in answers if answer["ok"])
    assert refused[1]["key"] == "k"
    assert "patient.register" in refused[1]["allowed"]


def test_a_line_that_could_not_be_sent_again_or_read_two_ways_is_refused(node):
    mark = node.parent.name
    keyless = {"v": 1, "kind": "patient.register", "data": {"village": "Kabo"}}
    turned = patient(f"\u202e{mark}", family_name="Haddad")
    twice = '{"v":1,"kind":"patient.register","key":"t","data":{"village":"A","village":"B"}}\n'
    done = run("fieldnode", "record", "--data", node, lines=[keyless, turned, twice])
    assert done.returncode == 3, done.stderr
    first, second, third = map(json.loads, done.stdout.splitlines())
    assert (first["error"], first["field"]) == ("missing_field", "key")
    assert (second["ok"], second["key"]) == (True, turned["key"])
    assert "\u202e" not in done.stdout
    assert (third["error"], third["field"]) == ("field_twice", "data.village")


def test_a_key_sent_again_gets_its_first_answer_and_another_content_none(node):
    line = patient(f"again-{node.parent.name}", family_name="Diallo")
    code, (first, second) = record(node, line, line)
    assert code == 0
    assert not first["repeated"]
    assert second == first | {"line": 2, "repeated": True}
    code, (third, other) = record(node, line, {**line, "data": {"family_name": "Other"}})
    assert third["id"] == first["id"]
    assert (other["error"], other["key"]) == ("key_reused", line["key"])
    assert code == 3


def test_a_patient_is_named_by_id_code_or_tag_and_several_are_ambiguous(node):
    mark = node.parent.name
    _, (one, two) = record(
        node,
        patient(f"{mark}-1", tags=[f"A1{mark}"]),
        patient(f"{mark}-2", tags=[f"B2{mark}"]),
    )
    code, answers = record(
        node,
        note(one["id"], "by id"),
        note(one["code"], "by code"),
        note({"tag": f"A1{mark}"}, "by tag"),
        note({"tag": "nobody"}, "no such"),
    )
    assert code == 3
    assert [answer["ok"] for answer in answers] == [True, True, True, False]
    assert answers[3]["error"] == "not_found"
    assert {answer["patient"] for answer in answers[:3]} == {one["id"]}
    shared = {
        **patient(f"{mark}-3", tags=[f"A1{mark}"]), "kind": "patient.identify",
        "patient": two["id"], "confirm": ["tag_in_use"],
    }  # fmt: skip
    code, (_, last) = record(node, shared, note({"tag": f"A1{mark}"}, "which"))
    assert last["error"] == "ambiguous"
    assert set(last["allowed"]) == {one["id"], two["id"]}


def test_nothing_writable_is_exit_4(tmp_path, stopped):
    with start("fieldnode", "record", "--data", stopped) as process:
        process.stdin.write(json.dumps(patient("holder")) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["ok"]

        second = run("fieldnode", "record", "--data", stopped, lines=[patient("late")])
        assert_one_sentence(second, 4, "Another process")
        other = run("fieldnode", "serve", "--data", stopped, "--listen", "127.0.0.1:0")
        assert_one_sentence(other, 4, "Another process")
    assert process.returncode == 0
    assert record(stopped, patient("late"))[0] == 0


def test_a_thousand_lines_at_once_are_all_answered(node):
    lines = [patient(f"many-{number}", family_name="é" * 40) for number in range(300)]
    code, answers = record(node, *lines)
    assert code == 0
    assert [answer["line"] for answer in answers] == list(range(1, 301))
    code, again = record(node, *lines)
    assert [answer["id"] for answer in again] == [answer["id"] for answer in answers]


def test_long_lines_sent_at_once_fit_the_socket(node):
    _, (who,) = record(node, patient(f"long-{node.parent.name}"))
    lines = [note(who["id"], "ward round " * 700) for _ in range(64)]
    code, answers = record(node, *lines)
    assert code == 0, answers
    rows = told("fieldnode", "rows", "note", "--data", node)
    assert len([row for row in rows if row["patient"] == who["id"]]) == 64


# Reading


def test_rows_carry_what_others_rely_on_and_a_cursor_to_go_on_from(node):
    mark = node.parent.name
    record(node, patient(f"rows-{mark}-1"))
    rows = told("fieldnode", "rows", "patient", "--data", node)
    assert all(set(row) >= ROW_KEYS for row in rows)
    record(node, patient(f"rows-{mark}-2", family_name="After"))
    later = told("fieldnode", "rows", "patient", "--data", node, "--since", rows[-1]["cursor"])
    assert [row["family"] for row in later] == ["After"]


def test_followed_rows_come_as_they_are_written_until_the_node_stops(tmp_path):
    folder = tmp_path / "tent"
    init(folder)
    with serving(folder) as node:
        record(folder, patient("before", family_name="Before"))
        process = start("fieldnode", "rows", "patient", "--data", folder, "--follow")
        assert json.loads(process.stdout.readline())["family"] == "Before"
        for name in ("One", "Two"):
            record(folder, patient(name, family_name=name))
            assert json.loads(process.stdout.readline())["family"] == name
        node["process"].send_signal(signal.SIGTERM)
        out, talk = process.communicate(timeout=30)
        assert (out, process.returncode) == ("", 1)
        assert "The node stopped" in talk


def test_following_a_stopped_node_says_that_nothing_more_comes(stopped):
    done = run("fieldnode", "rows", "patient", "--data", stopped, "--follow")
    assert done.returncode == 0
    assert done.stdout
    assert "nothing more will come" in done.stderr


def test_every_kind_has_a_schema_and_an_example_that_runs(tmp_path):
    (kinds,) = told("fieldnode", "kinds", "--json")
    folder = tmp_path / "tent"
    init(folder)
    _, held = record(
        folder,
        patient("p", tags=["B12"]),
        patient("o", given_name="Other"),
        {"v": 1, "kind": "encounter.open", "key": "e", "patient": {"tag": "B12"}},
        note({"tag": "B12"}, "x"),
        {"v": 1, "kind": "observation.record", "key": "d", "source": "device",
         "data": {"code": "spo2", "value": "94", "unit": "%"}},
        {"v": 1, "kind": "triage.record", "key": "t", "patient": {"tag": "B12"},
         "data": {"category": "green"}},
        {"v": 1, "kind": "order.place", "key": "r", "patient": {"tag": "B12"},
         "data": {"substance": "amoxicillin", "dose": {"value": "250", "unit": "mg"},
                  "route": "oral", "frequency": {"way": "times-a-day", "every": 2}}},
        {"v": 1, "kind": "transfer.offer", "key": "f", "patient": {"tag": "B12"},
         "data": {"to": {"organisation": "Red Crescent"}}},
        {"v": 1, "kind": "site.register", "key": "s", "data": {"name": "Store", "type": "store"}},
        {"v": 1, "kind": "site.register", "key": "w", "data": {"name": "Ward", "type": "ward"}},
    )  # fmt: skip
    assert all(answer["ok"] for answer in held), held
    store, ward = held[8]["id"], held[9]["id"]
    ors = {"item": "ors-1l-sachet", "lot": "A1047", "units": 200}
    _, stored = record(
        folder,
        {"v": 1, "kind": "stock.receive", "key": "s1", "store": store, "data": ors},
        {"v": 1, "kind": "stock.count", "key": "s2", "store": store,
         "data": {"item": "ors-1l-sachet", "lots": [{"lot": "A1047", "units": 200}]}},
        {"v": 1, "kind": "stock.issue", "key": "s3", "store": store, "at": "2026-01-01",
         "data": {**ors, "units": 4}},
        {"v": 1, "kind": "stock.receive", "key": "s4", "store": store,
         "data": {**ors, "lot": "A1"}},
        {"v": 1, "kind": "requisition.place", "key": "s5", "store": store,
         "data": {"lines": [{"item": "ors-1l-sachet", "units": 200}]}},
        {"v": 1, "kind": "shipment.dispatch", "key": "s6", "store": store,
         "data": {"to": ward, "lines": [{**ors, "lot": "A1", "units": 20}]}},
    )  # fmt: skip
    assert all(answer["ok"] for answer in stored), stored
    (opened,) = record(
        folder,
        {"v": 1, "kind": "session.open", "key": "v1",
         "data": {"vaccines": ["mr"], "cells": [{"vaccine": "mr", "dose": 1}]}},
    )[1]  # fmt: skip
    card = {"v": 1, "kind": "dose.record", "patient": {"tag": "B12"}, "source": "paper",
            "at": "2026-02-03", "data": {"vaccine": "bcg"}}  # fmt: skip
    _, given = record(
        folder,
        {"v": 1, "kind": "vial.open", "key": "v2",
         "data": {"session": opened["id"], "item": "vaccine-mr-10", "lot": "MR-0172B"}},
        {**card, "key": "v3"},
        {**card, "key": "v4", "confirm": ["dose_given_already"]},
    )  # fmt: skip
    assert all(answer["ok"] for answer in given), given
    ids = {
        "$other": held[1]["id"],
        "$note": held[3]["id"],
        "$unassigned": held[4]["id"],
        "$triage": held[5]["id"],
        "$order": held[6]["id"],
        "$offer": held[7]["id"],
        "$store": store,
        "$ward": ward,
        "$movement": stored[0]["id"],
        "$maybe": stored[2]["id"],
        "$request": stored[4]["id"],
        "$dispatch": stored[5]["id"],
        "$session": opened["id"],
        "$vial": given[0]["id"],
        "$dose": given[1]["id"],
        "$twin": given[2]["id"],
    }
    examples = []
    for name, kind in kinds.items():
        assert faults(kind["schema"], kind["example"]) == [], name
        text = json.dumps(kind["example"])
        for mark, value in ids.items():
            text = text.replace(mark, value)
        examples.append(json.loads(text))
        assert faults(kind["schema"], examples[-1]) == [], name
    # What ends a stay, a session or a vial comes after what needs it, and a count after what it
    # would settle.
    ends = ("encounter.close", "stock.count", "session.close", "vial.discard")
    examples.sort(key=lambda line: line["kind"] in ends)
    # Another example has stopped the order that this one gives of.
    for line in examples:
        if line["kind"] == "administration.record":
            line["confirm"] = ["order_stopped", "given_recently", "allergy_match"]
    code, answers = record(folder, *examples)
    # Nobody is signed in, and an offer is answered by whom it was made to.
    refused = [(answer["key"], answer["error"]) for answer in answers if not answer["ok"]]
    assert sorted(refused) == [
        ("example-23", "own_offer"),
        ("example-30", "person_needed"),
        ("example-38", "person_needed"),
        ("example-79", "person_needed"),
        ("example-95", "own_dispatch"),
    ]
    assert run("fieldnode", "kinds").stdout.split() == list(kinds)
    written = tables_of(folder)
    assert len([name for name, rows in written.items() if rows]) > 30
    for name, rows in written.items():
        assert all(set(row) >= ROW_KEYS for row in rows), name
        assert all(row["standing"] == "stands" for row in rows), name
        assert all(isinstance(row["supersedes"], list) for row in rows), name


def test_every_code_a_program_can_meet_is_listed_with_a_sentence():
    (listed,) = told("fieldnode", "kinds", "--errors", "--json")
    assert set(listed) == {"refused", "confirm", "warned", "ended"}
    assert listed["refused"] == ERRORS
    assert listed["confirm"] == CONFIRMABLE
    assert listed["warned"] == {code: WARNINGS[code] for code in WARNINGS.keys() - CONFIRMABLE}
    assert {"disk_full", "wrong_passphrase", "no_node"} <= set(listed["ended"])
    said = run("fieldnode", "kinds", "--errors").stdout
    assert f"confirm  tag_in_use  {CONFIRMABLE['tag_in_use']}\n" in said


def tables_of(folder):
    """Every row of every table as `rows` prints it, the book opened once for all."""
    with opened_book(folder, PASSPHRASE) as book:
        return {table.TABLE: book.rows(table.TABLE, 0)["rows"] for table in ROW_TABLES}


def test_status_has_every_key_that_others_rely_on(node):
    record(node, patient(f"status-{node.parent.name}", tags=[f"S{node.parent.name}"]))
    (found,) = told("fieldnode", "status", "--data", node, "--json")
    assert set(found) >= STATUS_KEYS
    assert found["running"] is (node.parent.name.startswith("served"))
    assert found["clock"] == "ok"
    # The keys of a stopped node are in nobody's memory; its passphrase opens it again.
    assert found["locked"] is not found["running"]
    assert found["disk_free"] > 0
    assert found["oldest_unsent"].endswith("Z")
    assert all({"feed", "device", "epoch", "lane", "seq", "hash"} <= set(f) for f in found["feeds"])
    assert len(found["digest"]) == 3, "care, counts and protection"
    for digest in found["digest"].values():
        assert set(digest) == {"entries", "control", "rows"}
        assert digest["rows"]


def test_an_export_opens_with_automerge(node, tmp_path):
    mark = node.parent.name
    _, (who, _) = record(
        node, patient(f"exp-{mark}", tags=[f"X{mark}"]), note({"tag": f"X{mark}"}, "hi")
    )
    out = tmp_path / "out"
    done = run("fieldnode", "export", who["id"], "--data", node, "--to", out)
    assert done.returncode == 0, done.stderr
    files = list(out.iterdir())
    assert files
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        keys = automerge.Document.load(file.read_bytes()).keys(automerge.ROOT)
        assert all(len(key) == 37 and key[32] == "." for key in keys)
    done = run("fieldnode", "export", who["id"], "--data", node, "--to", out)
    assert_one_sentence(done, 1, "already")
    done = run("fieldnode", "export", who["code"], "--data", node, "--to", tmp_path / "by-code")
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "by-code").iterdir())) == len(files)
    nobody = "pat_69MKJ8RBTYHK4S55TGGNWPAD9M"
    done = run("fieldnode", "export", nobody, "--data", node, "--to", tmp_path / "none")
    assert_one_sentence(done, 1, "Nothing here")
    assert not (tmp_path / "none").exists()


# Keeping


def test_a_backup_restores_to_a_node_that_has_everything_and_writes_on(node, tmp_path):
    target, folder = tmp_path / "backup", tmp_path / "restored"
    (made,) = told("fieldnode", "backup", "--data", node, "--to", target)
    assert made["bytes"] == target.stat().st_size
    (status,) = told("fieldnode", "status", "--data", node, "--json")
    assert status["last_backup"].endswith("Z")
    done = run("fieldnode", "restore", "--data", folder, "--from", target, passphrase="battery!")
    assert_one_sentence(done, 1, "not the passphrase")
    assert not folder.exists()
    (restored,) = told("fieldnode", "restore", "--data", folder, "--from", target)
    assert {name: restored[name] for name in made} == made
    first = run("fieldnode", "status", "--data", folder, "--json")
    assert "restored from a backup" in first.stderr
    again = json.loads(first.stdout)
    assert again["device"] == status["device"]
    assert again["epoch"] != status["epoch"]
    assert again["feeds"] == status["feeds"]
    assert [*again["digest"].values()] == [*status["digest"].values()]
    assert record(folder, patient("on it goes"))[0] == 0
    done = run("fieldnode", "doctor", "--data", folder, "--json")
    assert json.loads(done.stdout)["ok"]
    assert done.stderr == ""


def test_a_backup_never_takes_the_place_of_anything(node, tmp_path):
    (tmp_path / "photo").write_text("mine")
    done = run("fieldnode", "backup", "--data", node, "--to", tmp_path / "photo")
    assert_one_sentence(done, 1, "something at this place")
    done = run("fieldnode", "backup", "--data", node, "--to", tmp_path / "no" / "backup")
    assert_one_sentence(done, 1, "no such file or folder")
    assert (tmp_path / "photo").read_text() == "mine"


def test_the_doctor_finds_an_honest_book_well(node):
    (found,) = told("fieldnode", "doctor", "--data", node, "--json")
    assert found["ok"]
    assert found["problems"] == []
    assert found["entries"] > found["feeds"] > 0
    done = run("fieldnode", "doctor", "--data", node)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "all well")
    assert not [path for path in node.iterdir() if path.name.startswith(".")]


def test_the_doctor_finds_a_damaged_file(stopped, tmp_path):
    folder = shutil.copytree(stopped, tmp_path / "damaged")
    database = folder / "ledger.db"
    raw = bytearray(database.read_bytes())
    raw[-1000] ^= 1
    database.write_bytes(raw)
    done = run("fieldnode", "doctor", "--data", folder)
    assert done.returncode in (1, 4)
    # Which of them depends on what the damaged page held.
    said = ("damaged", "disk failed")
    assert "NOT WELL" in done.stdout or any(words in done.stderr for words in said)
    assert "Traceback" not in done.stderr


def test_a_copied_folder_says_so_once_and_goes_on_as_a_node_of_its_own(stopped, tmp_path):
    copy = shutil.copytree(stopped, tmp_path / "copy")
    first, second = (run("fieldnode", "status", "--data", copy, "--json") for _ in range(2))
    (original,) = told("fieldnode", "status", "--data", stopped, "--json")
    assert "copied or moved" in first.stderr
    assert second.stderr == ""
    epochs = {json.loads(done.stdout)["epoch"] for done in (first, second)}
    assert len(epochs) == 1
    assert original["epoch"] not in epochs


@pytest.mark.safety(20)
def test_a_lock_stops_the_node_and_the_passphrase_opens_it_again(tmp_path):
    folder = tmp_path / "tent"
    init(folder)
    with serving(folder) as node:
        assert run("fieldnode", "lock", "--data", folder, passphrase=None).returncode == 0
        # Its book is closed by the time the command ends.
        (open_again,) = told("fieldnode", "status", "--data", folder, "--json")
        assert node["process"].wait(30) == 0
    assert (open_again["locked"], open_again["running"]) == (True, False)
    done = run("fieldnode", "status", "--data", folder, "--json", passphrase=None)
    locked = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert (locked["locked"], locked["running"], locked["closed_by"]) == (
        True,
        False,
        "no_passphrase",
    )
    assert (locked["device"], locked["peers"], locked["digest"]) == (None, None, None)
    assert list(locked) == list(open_again)
    done = run("fieldnode", "status", "--data", folder, passphrase=None)
    assert_one_sentence(done, 1, "passphrase is needed")


def test_a_node_that_restarts_alone_is_not_called_locked_while_it_is_stopped(tmp_path):
    folder = tmp_path / "tent"
    init(folder, "--unattended")
    (found,) = told("fieldnode", "status", "--data", folder, "--json")
    assert (found["running"], found["locked"], found["closed_by"]) == (False, False, None)


def test_the_panic_key_ends_a_serving_node_and_locks_for_good(tmp_path):
    folder = tmp_path / "tent"
    init(folder, "--unattended")
    with serving(folder) as node:
        done = run("fieldnode", "lock", "--panic", "--data", folder, passphrase=None)
        assert (done.returncode, done.stderr) == (0, "Locked for good.\n")
        assert node["process"].wait(30) == 0
    assert {path.name for path in folder.iterdir()} == {"ledger.db", LOCK_NAME, "token"}
    done = run("fieldnode", "status", "--data", folder)
    assert_one_sentence(done, 1, "key file is gone")
    (lost,) = told("fieldnode", "status", "--data", folder, "--json")
    assert (lost["locked"], lost["closed_by"]) == (True, "no_key_file")


def test_a_second_node_on_a_folder_says_so_and_the_first_goes_on(served):
    done = run("fieldnode", "serve", "--data", served, "--listen", "127.0.0.1:0", "--no-discovery")
    assert_one_sentence(done, 4, "Another process")
    assert record(served, patient("still here"))[0] == 0


def test_an_address_that_is_taken_is_one_sentence(stopped):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "{}:{}".format(*taken.getsockname())
        done = run("fieldnode", "serve", "--data", stopped, "--listen", address, "--no-discovery")
    assert_one_sentence(done, 1, "Cannot listen")
    assert address in done.stderr
