"""An HQ that is really sealed: its open pages and its disk, over real processes."""

from __future__ import annotations

import time

from tests.process.commands import init, patient, run, serving, told
from tests.process.test_commands_hq import log_in
from tests.process.test_hq_trust import fetch

WAIT_S = 40.0
"""A busy machine takes its time."""


def until(ask, fits):
    """Ask again until it fits; return what was said last."""
    ends, said = time.monotonic() + WAIT_S, ask()
    while not fits(said) and time.monotonic() < ends:
        said = ask()
    return said


def test_an_hq_that_another_seals_shows_no_patient_any_more_and_says_why(tmp_path):
    hq, first, ask, grant = (tmp_path / name for name in ("hq", "first", "ask", "grant"))
    init(first, app="hq")
    init(hq, app="hq")
    told("hq", "request", ask, "--data", hq, "--json")
    told("hq", "admit", ask, "--out", grant, "--as", "hq", "--data", first, "--json")
    assert run("hq", "join", "--grant", grant, "--data", hq).returncode == 0

    with (
        serving(first, app="hq") as there,
        serving(hq, "--peer", there["listening"], app="hq") as said,
    ):
        browser, _ = log_in(said["login"], "lead")
        base = said["page"]
        whom = told("fieldnode", "record", "--data", first, lines=[patient("1", family_name="Q")])
        code = whom[0]["code"]
        opens = {"v": 1, "kind": "triage.record", "key": "t", "patient": whom[0]["id"],
                 "data": {"category": "red"}}  # fmt: skip
        told("fieldnode", "record", "--data", first, lines=[opens])
        page = until(lambda: fetch(browser, base + "/patients"), lambda page: code in page)
        assert code in page
        counted = until(lambda: fetch(browser, base + "/counts"), lambda page: "RED" in page)
        assert "RED" in counted

        sealed = run("hq", "seal", "hq", "--reason", "lost", "--data", first)
        assert sealed.returncode == 0, sealed.stderr

        page = until(lambda: fetch(browser, base + "/patients"), lambda page: code not in page)
        assert "This HQ is sealed" in page and code not in page
        for path in ("/", "/counts", "/results", "/devices"):
            page = fetch(browser, base + path)
            assert "This HQ is sealed" in page and code not in page and "RED" not in page, path
        for path in ("/organisations", "/releases", "/audit"):
            assert "This HQ is sealed" in fetch(browser, base + path)
        # The node behind it has dropped the rows, not the page alone.
        assert run("hq", "rows", "patient", "--data", hq).stdout.strip() == ""
