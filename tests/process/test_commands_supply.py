"""Shipments, recalls and the cold chain by commands, of a node that runs and one that does not."""

import json

import pytest

from tests.process.commands import init, patient, run, serving, told

ITEM, VACCINE = "ors-1l-sachet", "vaccine-mr-10"


def line(key, kind, data, **more):
    return {"v": 1, "kind": kind, "key": key, "data": data, **more}


@pytest.fixture(scope="module", params=["stopped", "served"])
def depot(request, tmp_path_factory):
    """A node with a store that has a vaccine and sachets, and a ward."""
    folder = tmp_path_factory.mktemp(request.param) / "depot"
    init(folder)
    sites = told(
        "fieldnode", "record", "--data", folder,
        lines=[
            line("a", "site.register", {"name": "Depot", "type": "store"}),
            line("b", "site.register", {"name": "Ward", "type": "ward"}),
            patient("p", given_name="Amina", tags=["B12"]),
        ],
    )  # fmt: skip
    store, ward = sites[0]["id"], sites[1]["id"]
    stocked = {"item": VACCINE, "lot": "V1", "units": 20}
    done = told(
        "fieldnode", "record", "--data", folder,
        lines=[
            line("c", "stock.receive", stocked, store=store, at="2018-06-01"),
            line("d", "stock.receive", {"item": ITEM, "lot": "A1", "units": 100}, store=store),
            line("e", "stock.dispense", {"item": ITEM, "lot": "A1", "units": 4}, store=store,
                 patient={"tag": "B12"}),
            line("f", "shipment.dispatch",
                 {"to": ward, "lines": [{"item": ITEM, "lot": "A1", "units": 30}]}, store=store),
        ],
    )  # fmt: skip
    assert all(answer["ok"] for answer in done), done
    if request.param == "stopped":
        yield folder, store
        return
    with serving(folder):
        yield folder, store


def logger(folder, *readings):
    """Write a HOBOware file of one reading every ten minutes."""
    head = '"Plot Title: F"\n"#","Date Time, GMT+00:00","Temp, °C (LGR S/N: 77, SEN S/N: 77)"\n'
    lines = []
    for at, value in enumerate(readings):
        minute, hour = at * 10 % 60, at * 10 // 60 % 24
        day = 19 + at * 10 // 1440
        lines.append(f"{at + 1},07/{day}/18 {hour:02}:{minute:02}:00,{value}")
    target = folder.parent / "logger.csv"
    target.write_text(head + "\n".join(lines) + "\n", "utf-8")
    return target


def test_a_loggers_file_is_shown_taken_in_once_and_its_alarm_holds_lots_back(depot):
    folder, store = depot
    file = logger(folder, *[5.1] * 600, *[-0.9] * 12, *[5.0] * 20)
    asked = ("--data", folder, "--unit", "Fridge 1", "--store", store, "--json")

    (dry,) = told("fieldnode", "coldchain", "import", file, *asked, "--dry-run")
    assert (dry["layout"], dry["serial"], dry["readings"]) == ("hoboware", "77", 632)
    assert (dry["fresh"], dry["written"], dry["low"], dry["high"]) == (632, 0, "-0.9", "5.1")
    (taken,) = told("fieldnode", "coldchain", "import", file, *asked, "--cold", "fridge")
    assert (taken["fresh"], taken["written"]) == (632, 2)
    (again,) = told("fieldnode", "coldchain", "import", file, *asked)
    assert (again["fresh"], again["written"]) == (0, 0)

    rows = told("fieldnode", "rows", "reading", "--data", folder)
    assert [row["readings"] for row in rows] == [512, 120]
    assert rows[0]["logger"] == "Onset HOBO 77" and rows[0]["run"][0][1] == 51
    (units,) = told("fieldnode", "coldchain", "list", "--data", folder, "--json")
    (alarm,) = [each for each in units["lines"][0]["episodes"] if each["limit"] == "freeze"]
    assert (alarm["minutes"], alarm["alarms"], alarm["worst_tenths"]) == (120, True, -9)
    assert [each["lot"] for each in alarm["lots"]] == ["V1"]
    assert units["approved"] is False
    said = run("fieldnode", "coldchain", "list", "--data", folder).stdout
    assert "ALARMS" in said and "NOT APPROVED" in said

    by_unit = ("--data", folder, "--unit", "fridge 1", "--store", store, "--json")
    (held,) = told("fieldnode", "coldchain", "quarantine", *by_unit)
    assert held == {"item": VACCINE, "lot": "V1", "quarantined": True}
    assert run("fieldnode", "coldchain", "quarantine", *by_unit).stdout == ""
    issue = line("q", "stock.issue", {"item": VACCINE, "lot": "V1", "units": 1}, store=store)
    done = run("fieldnode", "record", "--data", folder, lines=[issue])
    assert json.loads(done.stdout)["error"] == "lot_quarantined"


@pytest.mark.parametrize(
    ("text", "more", "words"),
    [
        ("a,b\n1,2\n", (), "no file of a temperature logger"),
        ("N,Time,Celsius(°C),High Alarm,Low Alarm,Serial Number\n1,2026-05-01 10:00:00,5\n", (),
         "no time zone"),
        ("N,Time,Celsius(°C),High Alarm,Low Alarm,Serial Number\n1,03/05/2026 10:00:00,5\n",
         ("--utc-offset", "+02:00"), "cannot be told apart"),
        ("N,Time,Celsius(°C),High Alarm,Low Alarm,Serial Number\n1,noon,5\n",
         ("--utc-offset", "+02:00"), "cannot be read"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_loggers_is_one_clear_sentence(depot, text, more, words):
    folder, store = depot
    file = folder.parent / "other.csv"
    file.write_text(text, "utf-8")

    done = run("fieldnode", "coldchain", "import", file, "--data", folder, "--unit", "x",
               "--store", store, *more)  # fmt: skip

    assert done.returncode != 0 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert words in done.stderr


def test_a_recall_is_answered_by_stores_and_names_patients_only_when_asked(depot):
    folder, store = depot
    (found,) = told(
        "fieldnode", "recall", "lot", ITEM, "a1", "--why", "contaminated", "--level", "harmful",
        "--data", folder, "--json",
    )  # fmt: skip

    assert (found["item"], found["lot"], found["patients"], found["transit"]) == (ITEM, "A1", 1, 30)
    (answer,) = found["stores"]
    assert (answer["name"], answer["low"], answer["gave"], answer["sent"]) == ("Depot", 66, 4, 30)
    assert "Amina" not in json.dumps(found)
    (listed,) = told("fieldnode", "recall", "list", "--data", folder, "--json")
    assert listed["recall"] == found["recall"]
    (named,) = told("fieldnode", "recall", "patients", ITEM, "A1", "--data", folder, "--json")
    assert named["total"] == 1 and named["lines"][0]["units"] == 4
    (row,) = told("fieldnode", "rows", "recall", "--data", folder)
    assert (row["lot"], row["level"], row["standing"]) == ("A1", "harmful", "stands")
    refused = run("fieldnode", "recall", "lot", ITEM, "A1", "--why", "other", "--data", folder)
    assert refused.returncode != 0


def test_a_lots_label_is_printed_and_its_code_says_what_it_is(depot):
    folder, _ = depot
    done = run("fieldnode", "print", "lot", ITEM, "a1", "--data", folder)
    assert done.returncode == 0, done.stderr
    assert "^FDLot A1^FS" in done.stdout and "$110A1" in done.stdout

    shown = run("fieldnode", "print", "lot", ITEM, "A1", "--data", folder, "--kind", "text",
                "--language", "fr").stdout  # fmt: skip
    assert "Lot A1" in shown and ITEM in shown
    refused = run("fieldnode", "print", "lot", "no-such-item", "A1", "--data", folder)
    assert refused.returncode != 0 and len(refused.stderr.splitlines()) == 1


def test_shipments_are_listed_for_people_and_programs(depot):
    folder, store = depot
    (found,) = told("fieldnode", "shipments", "--data", folder, "--store", store, "--json")
    (shipment,) = found["lines"]
    assert (shipment["state"], shipment["donor_name"], shipment["to_name"]) == (
        "dispatched", "Depot", "Ward",
    )  # fmt: skip
    assert shipment["parts"][0]["transit"] == 30
    said = run("fieldnode", "shipments", "--data", folder).stdout
    assert "on its way 30" in said and "Depot > Ward" in said
    (row,) = told("fieldnode", "rows", "shipment", "--data", folder)
    assert row["state"] == "dispatched" and row["donor"] == store
    assert row["shipment"] == shipment["shipment"]


def test_what_nobody_asked_for_is_set_aside_and_sent_by_lines_of_a_program(depot):
    folder, store = depot
    (ward,) = [row["id"] for row in told("fieldnode", "rows", "site", "--data", folder)
               if row.get("name") == "Ward"]  # fmt: skip
    lines = [{"item": ITEM, "lot": "P1", "units": 10}]

    def record(key, kind, data, **more):
        done = run("fieldnode", "record", "--data", folder, lines=[line(key, kind, data, **more)])
        return json.loads(done.stdout)

    record("push-0", "stock.receive", {"item": ITEM, "lot": "P1", "units": 100}, store=store)
    aside = record("push-1", "shipment.reserve", {"to": ward, "lines": lines}, store=store)
    assert aside["ok"], aside
    again = record("push-1", "shipment.reserve", {"to": ward, "lines": lines}, store=store)
    assert again["repeated"] and again["id"] == aside["id"]
    (row,) = [each for each in told("fieldnode", "rows", "shipment", "--data", folder)
              if each["state"] == "reserved"]  # fmt: skip
    assert (row["donor"], row["to_store"]) == (store, ward)

    # Of 100 are 90 left beside what is set aside.
    more = {"to": ward, "lines": [{**lines[0], "units": 95}]}
    doubt = record("push-2", "shipment.dispatch", more, store=store)
    assert (doubt["error"], doubt["confirm"], doubt["allowed"]) == (
        "confirm_needed", "beyond_stock", ["90"],
    )  # fmt: skip
    nobody = record("push-3", "shipment.reserve", {"lines": lines}, store=store)
    assert (nobody["error"], nobody["field"]) == ("missing_field", "data.to")

    sent = record("push-4", "shipment.dispatch", {"shipment": aside["id"], "carrier": "car 7"})
    assert sent["ok"], sent
    (held,) = [each for each in told("fieldnode", "rows", "balance", "--data", folder)
               if each["lot"] == "P1" and each["store"] == store]  # fmt: skip
    assert held["low"] == held["high"] == 90
