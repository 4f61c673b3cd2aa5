"""Every screen as text at 80x24, in every language: what a person sees, line by line.

`FIELDMESH_GOLDEN=write` writes the files anew; look at the difference before committing it.
"""

import os
import re
from datetime import UTC
from pathlib import Path

import msgspec
import pytest

from fieldnode.text.catalogue import load, pseudo
from fieldnode.tui.cores.display import Size, cells, line_cells, text_of
from fieldnode.tui.cores.glance import GLANCE_MS
from fieldnode.tui.desk import Desk
from fieldnode.tui.frame import FUNCTION_KEYS
from fieldnode.tui.screens import home
from fieldnode.tui.shell import Shell
from protocols.errors import FieldmeshError
from protocols.live.api import Greeting
from protocols.live.crossing import Concerns
from tests.screens import care_screens, stock_screens, vaccine_screens
from tests.screens.between_screens import SCREENS as BETWEEN
from tests.screens.between_screens import TEAMS, between_teams
from tests.screens.consigned_screens import CONSIGNED, OTHERS
from tests.screens.consigned_screens import SCREENS as CONSIGNED_SCREENS
from tests.screens.fake_care import in_care
from tests.screens.fake_consigned import consigned_all, others_received
from tests.screens.fake_guidance import guided, published_packs
from tests.screens.fake_node import (
    NOW_MS,
    at_once,
    refusing,
    staff,
    unsigned_triage,
    waiting_results,
    ward,
)

GOLDEN = Path(__file__).with_name("golden")
SIZE = Size(80, 24)

SCREENS = {
    "board": [],
    "board-filter": ["/", *"li"],
    "board-filtered": ["/", *"li", "enter"],
    "register": ["n", *"Diallo", "enter", *"Awa", "enter", "2", *"300", "enter"],
    "triage": ["f2", *"412", "enter", "1"],
    "triage-known-tag": ["f2", *"TG-000412", "enter"],
    "triage-known": ["f2", *"TG-000412", "enter", "enter"],
    "triage-saved": ["f2", *"431", "enter", "1", "4", "2", "enter", *"432", "enter", "0", "5", "9",
                     "enter"],
    "triage-next": ["f2", *"431", "enter", "1", "4", "2", "enter", *"432", "enter", "3", "2", "1",
                    "enter"],
    "retriage": ["down", "down", "t"],
    "guide-which": ["f2", *"431", "enter", "9"],
    "guide-looks": ["f2", *"431", "enter", "9", "1"],
    "guide-number": ["f2", *"431", "enter", "9", "1", "2", "2", "1", "3"],
    "guide-signs": ["f2", *"431", "enter", "9", "2", "2", "0", "6"],
    "guide-category": ["f2", *"431", "enter", "9", "1", "2", "2", "1", *"36", "enter"],
    "register-known-tag": ["n", "tab", "tab", "9", "tab", "tab", *"TG-000412", "enter"],
    "shared-tag-board": [],
    "shared-tag-chart": ["down", "down", "enter"],
    "shared-tag-take-off": ["down", "down", "enter", "u"],
    "shared-tag-carriers": ["f2", *"TG-000412", "enter"],
    "chart": ["down", "down", "enter"],
    "vitals": ["down", "down", "enter", "v", *"26", "enter", "-", *"98"],
    "vitals-unusual": ["down", "down", "enter", "v", "tab", "tab", "tab", "tab", *"20", "enter"],
    "note": ["down", "down", "enter", "n"],
    "settle": ["down", "down", "enter", "u"],
    "saved": ["down", "enter", "n", *"pale", "enter"],
    "undo": ["down", "enter", "n", *"pale", "enter", "f8"],
    "undo-nothing": ["f8"],
    "drafts": ["n", *"Diallo", "enter", "escape", "d"],
    "search": ["f3", *"haddad", "enter"],
    "sync": ["f7"],
    "help": ["f1"],
    "menu": ["f10"],
    "when": ["down", "enter", "v", "ctrl+t", "tab", *"1405", "enter"],
    "paper": ["f10", "7", "n", *"2026-05-19", "enter", *"14", "enter", "2", *"J. Cho", "enter"],
    "paper-board": ["f10", "7"],
    "settings": ["f10", "6"],
    "lock-after": ["f10", "6", "3"],
    "language": ["f10", "6", "1"],
    "translation": ["f10", "6", "1", "9"],
    "theme": ["f10", "6", "2"],
    "lock": ["n", *"Diallo", "enter", "f9", *"secret"],
    "scan-other": ["enter", "v", *"]C1TG-000412", "enter"],
}  # fmt: skip
DOUBTFUL = "a node whose clock cannot be right"
SCREENS["clock"] = [DOUBTFUL]
WAITING = "a node with results that wait for a patient"
SCREENS["board-results"] = [WAITING]
SCREENS["results"] = [WAITING, "r", "down"]
SCREENS["result-owner"] = [WAITING, "r", "enter", *"haddad", "enter"]
SCREENS["result-assign"] = [WAITING, "r", "enter", *"haddad", "enter", "enter"]
SCREENS["panic"] = ["ctrl+k", "9", "9"]
SCREENS["alerts"] = [WAITING, "f6"]
SCREENS["register-candidates"] = ["n", *"Li", "enter", *"Wei", "enter", "2", *"~40", "enter"]
SCREENS["candidates"] = ["n", *"Li", "enter", *"Wei", "enter", "ctrl+l"]
SCREENS["links-none"] = ["enter", "l"]
SCREENS["in-error"] = ["down", "down", "enter", "e", "2"]
SCREENS["identify"] = ["down", "down", "enter", "l", "i", "enter", "enter", "3", *"~41"]
SCREENS["link-other"] = ["enter", "l", "n", *"haddad", "enter"]
SCREENS["link-confirm"] = ["enter", "l", "n", *"haddad", "enter", "enter", "1"]
SCREENS["links"] = [
    *SCREENS["link-confirm"],
    "enter",
    "n",
    *"okoro",
    "enter",
    "enter",
    "4",
    "enter",
]
SCREENS["links-other-side"] = [*SCREENS["links"], "down", "enter", "l"]
SCREENS["unlink"] = [*SCREENS["links"], "x"]
SCREENS["unlinked"] = [*SCREENS["unlink"], "enter"]
SCREENS["prefix"] = ["f10", "6", "5"]
SCREENS["key-test"] = ["f10", "6", "7", "a", "é", "ш", "٣", "enter", "ctrl+t", "unknown", "\x1d"]
SCREENS["test-card"] = ["f10", "6", "8"]
SCREENS["test-card-wrong"] = ["f10", "6", "8", *"FM1", "tab", *"]Q1FM39", "enter", "enter"]
SCREENS["test-card-good"] = ["f10", "6", "8", *"]Q1FM1", "enter", *"]Q1FM3\x1d9", "enter"]
SCREENS["retract"] = ["down", "down", "enter", "e"]
SCREENS |= vaccine_screens.SCREENS
SCREENS["help-triage"] = ["f2", "f1"]
SCREENS["help-triage-more"] = ["f2", "f1", "pagedown"]
SCREENS["help-chart"] = ["enter", "f1"]
OTHER_TEAM = "a node where somebody on the board is another organisation's patient"
SCREENS["glass"] = [OTHER_TEAM, "down", "down", "enter"]
SCREENS["glass-other"] = [OTHER_TEAM, "down", "down", "enter", "4", *"his mother asks"]
SEAL = ["f7", "r", "down", "s"]
TABLET = ["f7", "r", "down", "s", "2"]
SCREENS["peer-other"] = ["f7", "down"]
SCREENS["roster"] = ["f7", "r"]
SCREENS["roster-sealed"] = ["f7", "1", "down", "down"]
SCREENS["roster-person"] = ["f7", "r", "down", "down", "down"]
SCREENS["roster-filter"] = ["f7", "r", "/", *"am"]
SCREENS["roster-ask"] = ["f7", "r", "end", "up", "s"]
SCREENS["coordinators"] = ["f7", "r", "a"]
SCREENS["scopes"] = ["f7", "w"]
SCREENS["scopes-home"] = ["f7", "2", "down"]
SCREENS["crossed"] = ["f7", "w", "x"]
SCREENS["crossed-erase"] = ["f7", "w", "x", "down"]
SCREENS["crossed-not-counting"] = ["f7", "2", "1", "down", "down"]
SCREENS["counts"] = ["f7", "w", "n"]
SCREENS["counts-away"] = ["f7", "2", "2", "end"]
SCREENS["concerns"] = ["f7", "w", "p"]
SCREENS["concern"] = ["down", "enter", "l", "s", "1", *"aunt in the other camp"]
BY_RELEASE = "a node that knows somebody by another organisation's release"
SCREENS["board-released"] = [BY_RELEASE, "down"]
SCREENS["chart-released"] = [BY_RELEASE, "down", "enter"]
SCREENS["search-released"] = [BY_RELEASE, "f3", *"acd", "enter"]
NOT_ENTRUSTED = "a node whose person may not read concerns"
SCREENS["concerns-refused"] = [NOT_ENTRUSTED, "f7", "w", "p"]
SCREENS["kept"] = ["f7", "k"]
SCREENS["kept-held"] = ["f7", "3", "down", "down"]
SCREENS["kept-seal"] = ["f7", "3", "down", "down", "down"]
SCREENS["reviews"] = ["f7", "a"]
SCREENS["reviews-done"] = ["f7", "a", "end"]
SCREENS["kept-role"] = ["f7", "3", *["down"] * 4]
SCREENS["extend"] = ["f7", "k", "e"]
SCREENS["seal"] = SEAL
SCREENS["seal-since"] = [*TABLET, *"1405"]
SCREENS["seal-not-yet"] = [*TABLET, *"2026-05-20 15:00", "enter"]
SCREENS["seal-roles"] = [*SEAL, "5", "enter", "1"]
SCREENS["seal-note"] = [*TABLET, *"1405", "enter", *"left in the bus"]
SCREENS["seal-confirm"] = [*TABLET, *"1405", "enter", *"left in the bus", "enter", "4"]
SCREENS["seal-reduce"] = [*SEAL, "o", "enter", "1", "enter", "enter"]
SCREENS["seal-person"] = ["f7", "r", "down", "down", "down", "s", "6", *"1100", "enter", "enter"]
STAFF = "a device with people"
SCREENS["sign-in"] = [STAFF]
SCREENS["sign-in-pin"] = [STAFF, "1", *"4817"]
SCREENS["sign-in-passphrase"] = [STAFF, "2", *"correct"]
SIGNED_IN = [STAFF, "1", *"4817", "enter"]
SCREENS["gate"] = [*SIGNED_IN, "enter", "n"]
SCREENS["gate-reason"] = [*SIGNED_IN, "enter", "n", "o", *"nobody else is here"]
SCREENS["gate-role"] = [*SIGNED_IN, "enter", "v"]
SCREENS["who"] = [*SIGNED_IN, "f10", "6", "4"]
SCREENS["pin"] = [*SIGNED_IN, "f10", "6", "4", "p", *"correct horse", "enter", *"60"]
NIGHT = "a device with people, after triage by nobody"
SCREENS["sign-in-unconfirmed"] = [NIGHT]
SCREENS["board-unconfirmed"] = [NIGHT, *SIGNED_IN[1:]]
SCREENS["unconfirmed"] = [NIGHT, *SIGNED_IN[1:], "c", "down"]
SCREENS["verdict"] = [*SIGNED_IN, "f7", "4", "enter"]
SCREENS["verdict-note"] = [*SIGNED_IN, "f7", "4", "enter", "p", *"dose by weight"]
LI_VITALS = ["down", "down", "down", "enter", "v"]
FOUR = [*"26", "enter", *"93", "enter", "-", *"98/60", "enter"]
SCREENS["vitals-score"] = ["down", "down", "enter", "v", *FOUR]
SCREENS["vitals-pregnant"] = [*LI_VITALS, *FOUR, *"150", "enter", "1"]
SCREENS["vitals-child"] = ["down", "enter", "v", *"50", "enter", *"93", "enter", "-", "/", *"180",
                           "enter", "1"]  # fmt: skip
SCREENS["protocols"] = ["down", "down", "down", "enter", "p"]
PLAN_C = [*SCREENS["protocols"], *["down"] * 3, "enter"]
SCREENS["protocol-asks"] = PLAN_C
SCREENS["protocol"] = [*PLAN_C, "2", "1", *"54", "enter"]
SCREENS["protocol-ticked"] = [*SCREENS["protocol"], " ", "2"]
SCREENS["protocol-skip"] = [*SCREENS["protocol-ticked"], "down", "-", "1"]
SCREENS["protocol-no-skip"] = [*SCREENS["protocol"], "-"]
SCREENS["protocol-stopped"] = [*PLAN_C, "1"]
SCREENS["protocol-no-weight"] = [*PLAN_C, "2", "1", "-"]
SCREENS["protocol-text"] = [*PLAN_C, "d"]
SCREENS["protocol-result"] = [*SCREENS["protocols"], "enter", "1", "2", "enter"]
SCREENS["help-protocol"] = [*PLAN_C, "f1"]
SCREENS["packs"] = ["f10", "6", "0", "down"]
PACKS = "a node with packs that were published, one of them by somebody who may not"
SCREENS["packs-published"] = [PACKS, "f10", "6", "0"]
GUIDED = "a node where plan C was begun by two people, and has two versions"
SCREENS["protocols-begun"] = [GUIDED, *SCREENS["protocols"]]
SCREENS["protocol-begun"] = [GUIDED, *SCREENS["protocols"], "enter"]
SCREENS["protocol-late"] = [*SCREENS["protocol-begun"], *"52", "enter", "up"]
SCREENS["protocol-version"] = [*SCREENS["protocol-late"], "f"]
OWN_SEAL = "a device that is sealed itself"
SCREENS["board-sealed"] = [OWN_SEAL]
RESTORED = "a node restored from a backup that has met nobody since"
SCREENS["board-restored"] = [RESTORED]
SCREENS["board-by-score"] = ["s"]
SCREENS["board-ward"] = ["right"]
SCREENS["observed"] = ["down", "down", "enter", "c", "8"]
SCREENS["scale"] = [*SCREENS["observed"], "o", "2"]
SCREENS["intake"] = [*SCREENS["observed"], "i"]
SCREENS["intake-form"] = [*SCREENS["intake"], "n", "1", *"200", "enter"]
SCREENS["point-of-care"] = [*SCREENS["observed"], "r", "2", "down", *"72", "enter"]
SCREENS["printing"] = ["down", "down", "enter", "c", "0"]
SCREENS["printing-none"] = ["down", "down", "enter", "ctrl+p"]
SCREENS["printer"] = ["0", "5"]
SCREENS["beds"] = ["down", "b"]
SCREENS["bed"] = ["down", "b", "n"]
SCREENS |= care_screens.SCREENS | stock_screens.SCREENS
BOOKS = {
    BY_RELEASE: ("by_release", "Ministry of Health"),
    NOT_ENTRUSTED: ("crossing", {"concerns": Concerns(why_not="role")}),
    OWN_SEAL: ("sealed", True),
    RESTORED: ("restored_ms", NOW_MS - 3 * 86_400_000),
}
"""What is the matter with the node's book, and how the node shows it."""
SCREENS |= BETWEEN
SCREENS |= CONSIGNED_SCREENS
SETUPS = {
    TEAMS: between_teams,
    CONSIGNED: consigned_all,
    OTHERS: others_received,
    care_screens.CARED: in_care,
    GUIDED: guided,
    OTHER_TEAM: lambda node: setattr(
        node, "foreign", dict.fromkeys(node.patients, ("Red Cross", "MoH"))
    ),
    PACKS: lambda node: setattr(node, "packs_here", published_packs()),
    WAITING: lambda node: setattr(node, "waiting", waiting_results()),
}
"""What else happens at the node before the first key."""
LANGUAGES = {"en": load("en"), "fr": load("fr"), "pseudo": pseudo()}


def shell_on(name, words, **greeting) -> Shell:
    node = ward()
    if name.startswith("shared-tag"):
        node.patients["pat_00003"].tags = ("TG-000412",)
    return shell_after(SCREENS[name], words, node, **greeting)


def _by_night(node, keys):
    if keys[:1] != [NIGHT]:
        return keys
    node.unsigned = unsigned_triage(4)
    return [STAFF, *keys[1:]]


def shell_after(keys, words, node=None, **greeting) -> Shell:
    node = node or ward()
    if keys[:1] == [DOUBTFUL]:
        keys, node.clock, node.newest_ms = keys[1:], "implausible", NOW_MS
    if keys and keys[0] in SETUPS:
        SETUPS[keys[0]](node)
        keys = keys[1:]
    keys = _by_night(node, keys)
    if keys[:1] == [STAFF]:
        keys, node.staff = keys[1:], staff()
        node.greeting = msgspec.structs.replace(node.greeting, people=len(node.staff))
        node.stopped = {
            "note.add": refusing("note.add", "outside_practice", overridable=True),
            "observation.record": refusing("observation.record", "role_refused"),
        }
    if keys and keys[0] in BOOKS:
        setattr(node, *BOOKS[keys[0]])
        keys = keys[1:]
    if greeting:
        node.greeting = Greeting(device="dev", name="nord-b", **greeting)
    numbers = iter(range(1000))
    desk = Desk(words, UTC, lambda: f"key{next(numbers)}", NOW_MS, node.greeting)
    shell = Shell(desk, home.page(desk), home.openers())
    shell.begin()
    for number, key in enumerate([None, *keys]):
        if key is not None:
            shell.key(key, number * GLANCE_MS)
        while shell.asks:
            ask = shell.asks.pop(0)
            try:
                answer = at_once(ask.call(node))
            except FieldmeshError as failure:
                shell.fail(ask, failure)
            else:
                shell.answer(ask, answer)
        shell.shown(number * GLANCE_MS)
    return shell


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("name", SCREENS)
def test_each_screen_looks_as_agreed(name, language):
    drawn = shell_on(name, LANGUAGES[language]).draw(SIZE)
    shown = "\n".join(text_of(line).rstrip() for line in drawn) + "\n"
    if name in ("language", "translation"):
        # How far a translation has come changes with every word that is added.
        shown = re.sub(r"\d+/\d+ *", "N/N ", re.sub(r"\d+ %", "NN %", shown))
    file = GOLDEN / language / f"{name}.txt"
    if os.environ.get("FIELDMESH_GOLDEN") == "write":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(shown)

    assert shown == file.read_text()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", SCREENS)
def test_every_line_fills_the_screen_exactly(name, language):
    shell = shell_on(name, LANGUAGES[language])
    # One walk to a page for all sizes: a terminal that is resized walks nowhere either.
    for size in (Size(80, 24), Size(100, 30), Size(132, 43), Size(40, 12)):
        lines = shell.draw(size)

        assert len(lines) == size.height
        assert {line_cells(line) for line in lines} == {size.width}


@pytest.mark.parametrize("name", SCREENS)
def test_an_exercise_says_so_in_the_first_and_the_last_row(name):
    lines = shell_on(name, LANGUAGES["en"], drill="SPRING-26").draw(SIZE)

    assert len(lines) == SIZE.height
    for row in (lines[0], lines[-1]):
        assert text_of(row).startswith(" EXERCISE  EXERCISE  EXERCISE   SPRING-26")
    assert "F/Ctrl+G" in text_of(lines[-2])


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("name", SCREENS)
def test_keys_and_actions_are_never_cut(name, language):
    words = LANGUAGES[language]
    shell = shell_on(name, words)
    lines = shell.draw(SIZE)

    for _, digit, word in FUNCTION_KEYS:
        assert f" {digit}{words(word)} " in f"{text_of(lines[-1])} "
    assert "…" not in text_of(lines[-2])
    assert sum(
        cells(hint.word) > 0 and hint.word in text_of(lines[-2]) for hint in shell.page.hints()
    ) == sum(cells(hint.word) > 0 for hint in shell.page.hints())


@pytest.mark.safety(20)
def test_no_name_is_on_a_locked_screen():
    shown = "\n".join(map(text_of, shell_after(SCREENS["lock"], LANGUAGES["en"]).draw(SIZE)))

    for name in ("Haddad", "Osei", "Diallo", "secret"):
        assert name not in shown


def test_keys_typed_on_a_locked_screen_open_nothing():
    shell = shell_after(["f9", "f3", "f10", "ctrl+g", "3", "]", "C", "1"], LANGUAGES["en"])

    assert shell.page.name == "lock"
