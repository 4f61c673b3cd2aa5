"""A serving HQ of real processes: rows of stores and doses as commands tell them, and its pages."""

from __future__ import annotations

import csv
import io

import pytest

from tests.process.commands import init, serving, told
from tests.process.test_commands_hq import log_in

ITEM = "vaccine-mr-10"


@pytest.fixture(scope="module")
def camp(tmp_path_factory):
    """An HQ where stock came in, was counted, and a session vaccinated; logged in to its page."""
    folder = tmp_path_factory.mktemp("hq") / "hq"
    init(folder, app="hq")
    with serving(folder, app="hq") as said:
        browser, _ = log_in(said["login"], "lead")
        number = 0

        def write(kind, data, **more):
            nonlocal number
            number += 1
            line = {"v": 1, "kind": kind, "key": f"line-{number}", "data": data, **more}
            (answer,) = told("fieldnode", "record", "--data", folder, lines=[line])
            assert answer["ok"], answer
            return answer

        store = write("site.register", {"name": "Kome store", "type": "store"})["id"]
        came = {"item": ITEM, "units": 50, "lot": "MR-1", "expiry": "2028-03"}
        write("stock.receive", came, store=store)
        write("stock.issue", {"item": ITEM, "units": 5, "lot": "MR-1"}, store=store)
        targets = [{"antigen": "measles", "number": 8}]
        cells = [{"vaccine": "mr", "dose": 1, "band": 2, "sex": "female"}]
        opened = {"vaccines": ["mr"], "targets": targets, "cells": cells, "place": "Kome school"}
        session = write("session.open", opened, store=store, site=store)["id"]
        vial = {"session": session, "item": ITEM, "lot": "MR-1", "expiry": "2028-03"}
        vial = write("vial.open", vial)["id"]
        child = {"given_name": "Aline", "birth_date": "2025-05-10", "sex": "female"}
        child = write("patient.register", child)["patient"]
        write("dose.record", {"vaccine": "mr", "dose": 1, "vial": vial}, patient=child)
        write("tally.add", {"session": session, "cell": 1, "n": 3, "vial": vial})
        yield folder, said["page"], browser


def page(camp, path):
    with camp[2].open(camp[1] + path, timeout=30) as found:
        return found.read().decode()


def test_rows_of_stores_and_doses_are_told_as_a_node_tells_them(camp):
    folder = camp[0]
    tables = ("movement", "balance", "stock", "session", "vial", "dose", "tally")
    found = {table: told("hq", "rows", table, "--data", folder) for table in tables}

    assert [(row["type"], row["units"]) for row in found["movement"]] == [
        ("receive", 50), ("issue", -5), ("issue", -10),
    ]  # fmt: skip
    assert [(row["item"], row["low"], row["high"]) for row in found["stock"]] == [(ITEM, 35, 35)]
    assert [row["lot"] for row in found["balance"]] == ["MR-1"]
    assert [row["doses"] for row in found["vial"]] == [10]
    assert [row["vaccine"] for row in found["dose"]] == ["mr"]
    assert [row["n"] for row in found["tally"]] == [3]
    assert found["movement"] == told("fieldnode", "rows", "movement", "--data", folder)


def test_its_pages_say_the_same_over_the_connection_that_only_reads(camp):
    stock = list(csv.DictReader(io.StringIO(page(camp, "/stock.csv"))))
    assert [(line["item"], line["site_name"], line["low"]) for line in stock] == [
        (ITEM, "Kome store", "35")
    ]
    card = page(camp, f"/stock/card?site={site_of(camp)}&item={ITEM}")
    assert ">+50<" in card and ">-10<" in card

    drive = page(camp, "/vaccination")
    assert "4 of 8: <b>50 %</b>" in drive and "1 by name, 3 in tallies" in drive
    assert "Aline" not in drive
    assert "Nothing is asked for" in page(camp, "/logistics")


def site_of(camp):
    """The store's id as addresses have it."""
    listed = page(camp, "/stock")
    return listed.partition("/stock/card?site=")[2][:32]
