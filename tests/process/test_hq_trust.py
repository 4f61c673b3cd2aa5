"""Who belongs, through HQ's real pages and a real terminal, over real nodes on loopback."""

from __future__ import annotations

import re
import urllib.parse
import urllib.request

import pytest

from tests.process.commands import init, patient, run, serving, told
from tests.process.test_commands_hq import log_in
from tests.process.test_open import Command


@pytest.fixture
def camp(tmp_path):
    """HQ that serves, with a browser logged in, and a node that joined it and serves too."""
    hq, tent = tmp_path / "hq", tmp_path / "tent"
    init(hq, app="hq")
    init(tent)
    with serving(hq, app="hq") as said:
        code = run("hq", "invite", "--data", hq, passphrase=None).stdout.strip()
        peer = ("--peer", said["listening"])
        assert run("fieldnode", "join", "--data", tent, *peer, "--code", code).returncode == 0
        browser, _ = log_in(said["login"], "lead")
        with serving(tent, *peer):
            yield hq, tent, browser, said["page"]


def fetch(browser, url):
    with browser.open(url, timeout=30) as page:
        return page.read().decode()


def send(browser, base, path, form, **fields):
    sent = urllib.request.Request(
        base + path, urllib.parse.urlencode({"form": form, **fields}).encode()
    )
    sent.add_header("Origin", base)
    with browser.open(sent, timeout=30) as page:
        return page.url, page.read().decode()


def test_a_node_is_sealed_on_the_page_and_the_trail_names_the_account(camp):
    hq, tent, browser, base = camp
    told("fieldnode", "record", "--data", tent, lines=[patient("1", family_name="Before")])
    for path in ("/organisations", "/quarantine", "/releases"):
        assert "<h1" in fetch(browser, base + path)
    page = fetch(browser, base + "/members")
    (member,) = re.findall(r'name="member" value="([^"]+)"', page)
    form = re.search(r'data-form="([0-9a-f]+)"', page)[1]

    _, sure = send(browser, base, "/members/seal", form, member=member, reason="lost", note="bus")
    assert "What will happen" in sure and "tent" in sure
    url, done = send(browser, base, "/members/seal/do", form, member=member, reason="lost")

    assert url.endswith("/members?done=lost") and "Sealed: lost" in done
    (line,) = [
        each for each in told("hq", "members", "--data", hq, "--json") if each["name"] == "tent"
    ]
    assert line["sealed"] == "lost"
    trail = fetch(browser, base + "/audit?what=seal")
    assert trail.count('<td data-label="Done">Seal') == 1 and "lead" in trail


def test_a_terminal_shows_members_scopes_and_what_is_kept_apart_of_a_real_node(camp):
    _, tent, _, _ = camp
    with Command("-m", "fieldnode", "open", "--data", tent, TERM="xterm-256color") as terminal:
        terminal.wait_for("no triage 0")
        terminal.send("f7")
        terminal.wait_for("linked", "Test", "Fingerprint")
        terminal.send("r")
        terminal.wait_for("WHO BELONGS: 2", "hq", "tent", "As of")
        terminal.send("a")
        terminal.wait_for("THOSE WHO DECIDE", "issuer")
        terminal.send("escape", "escape", "w")
        terminal.wait_for("WHERE MY DATA MAY GO", "This device writes and reads in it.")
        terminal.send("escape", "k")
        terminal.wait_for("Everything that is here counts.")
