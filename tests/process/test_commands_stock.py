"""A packing list goes in whole or not at all; what it came to comes out, on paper and as CSV."""

from __future__ import annotations

import csv
import io

import pytest

from protocols.live.client import LocalClient
from tests.process.commands import init, run, serving, told

LIST = """item;lot;expiry;units;packs;pack_size
ors-1l-sachet;A1;2031-03;;10;100
morphine-10-amp;M7;2031-01-31;20;;
=tourniquet;;;5;;
"""
GOOD = LIST.replace("=tourniquet", "tourniquet")


@pytest.fixture(scope="module")
def camp(tmp_path_factory):
    """A node that runs and has one store; its folder."""
    folder = tmp_path_factory.mktemp("stock") / "tent"
    init(folder)
    site = {"v": 1, "kind": "site.register", "key": "s", "data": {"name": "Main store"}}
    told("fieldnode", "record", "--data", folder, lines=[site])
    with serving(folder):
        yield folder


def stock(folder, *args):
    return run("fieldnode", "stock", *args, "--data", folder, "--store", "main STORE")


def table(folder, *args):
    done = stock(folder, *args, "--csv")
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout, newline="")))


def received(folder, tmp_path, text, *more):
    file = tmp_path / "list.csv"
    file.write_text(text)
    return stock(folder, "import", file, *more)


def movements(folder):
    return told("fieldnode", "rows", "movement", "--data", folder)


def test_a_list_goes_in_whole_and_once(camp, tmp_path):
    faulty = received(camp, tmp_path, LIST)
    assert faulty.returncode == 3
    assert "line 4 item" in faulty.stderr
    assert movements(camp) == []

    dry = received(camp, tmp_path, GOOD, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert "10 x 100 = 1000" in dry.stdout
    assert "3 lines, 1025 units" in dry.stdout
    assert movements(camp) == []

    done = received(camp, tmp_path, GOOD)
    assert done.returncode == 0, done.stderr
    assert [row["units"] for row in movements(camp)] == [1000, 20, 5]
    assert {row["why"] for row in movements(camp)} == {"opening-balance"}
    assert "received this list before" in received(camp, tmp_path, GOOD).stdout.replace(
        "had received", "received"
    )
    assert len(movements(camp)) == 3

    # A doubt about one line holds back all of them, until somebody has looked.
    more = GOOD.replace("10;100", "10;9") + "ors-1l-sachet;A2;2019-01;4;;\n"
    doubted = received(camp, tmp_path, more, "--why", "donation")
    assert doubted.returncode == 3
    assert "line 5" in doubted.stderr
    assert "--confirm expired_received" in doubted.stderr
    assert len(movements(camp)) == 3
    sure = ("--why", "donation", "--confirm", "expired_received")
    assert received(camp, tmp_path, more, *sure).returncode == 0
    assert len(movements(camp)) == 7


def test_a_doubt_about_a_line_is_said_in_words_with_the_way_on(camp, tmp_path):
    over = GOOD.replace("2031-03", "2020-03").replace("A1", "A9")
    asked = received(camp, tmp_path, over)
    assert asked.returncode == 3
    assert "line 2 expiry: this lot is past its last day already." in asked.stderr
    assert "--confirm expired_received" in asked.stderr and "in `confirm`" not in asked.stderr


def test_a_long_list_is_one_receipt_of_a_running_node(camp, tmp_path):
    before = len(movements(camp))
    text = "item,lot,units\n" + "".join(f"glove-exam-m,G{at},100\n" for at in range(60))
    done = received(camp, tmp_path, text)
    assert done.returncode == 0, done.stderr
    assert len(movements(camp)) == before + 60


def test_reports_say_what_was_received(camp, tmp_path):
    received(camp, tmp_path, GOOD)  # whatever ran before; received once
    card = table(camp, "card", "--item", "ors-1l-sachet")
    assert card[0]["units"] == "1000"
    assert card[0]["balance"] == "1000"
    assert {row["item"] for row in table(camp, "register")} == {"morphine-10-amp"}
    assert {"later"} <= {row["bucket"] for row in table(camp, "expiry")}
    assert table(camp, "losses") == []
    assert len(table(camp, "ledger")) == len(movements(camp))
    (ors,) = [row for row in table(camp, "cover") if row["item"] == "ors-1l-sachet"]
    assert ors["method"] == "ewma-7-in-stock-28"
    assert ors["rate"] == ""  # nothing of today is over
    shown = stock(camp, "card", "--item", "ors-1l-sachet")
    assert "balance" in shown.stdout


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("card",), "item"),
        (("card", "--store", "nowhere", "--item", "x"), "Nothing here has this id"),
    ],
)
def test_what_cannot_be_told_is_one_sentence(camp, args, words):
    done = run("fieldnode", "stock", *args, "--data", camp, *(
        () if "--store" in args else ("--store", "Main store")
    ))  # fmt: skip
    assert done.returncode != 0
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_scan_is_looked_up_over_the_socket(camp):
    box = "]d20105901234123457" + "17310331" + "10L7"
    teach = {"barcode": box, "item": "ors-1l-sachet", "units": 50}
    line = {"v": 1, "kind": "barcode.teach", "key": "teach", "data": teach}
    told("fieldnode", "record", "--data", camp, lines=[line])
    with LocalClient(camp) as client:
        found = client.call("scan", code=box)
    assert found["means"] == [{"item": "ors-1l-sachet", "units": 50, "taught": True}]
    assert (found["lot"], found["expiry"], found["separator_lost"]) == ("L7", "2031-03-31", False)


def test_a_node_that_does_not_run_receives_a_list_too(tmp_path):
    folder = tmp_path / "alone"
    init(folder)
    site = {"v": 1, "kind": "site.register", "key": "s", "data": {"name": "Main store"}}
    told("fieldnode", "record", "--data", folder, lines=[site])

    done = received(folder, tmp_path, GOOD)

    assert done.returncode == 0, done.stderr
    assert [row["units"] for row in movements(folder)] == [1000, 20, 5]
