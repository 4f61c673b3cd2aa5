"""Names that want to be commands, on every screen, through a real pseudo-terminal."""

import re

import pytest

from protocols.live.alike import AlikeLine
from protocols.live.api import Asserted, Attribute, ChartLine, PeerLine
from protocols.live.dispute import Dispute, DisputeSide
from protocols.live.handing import OfferLine, PartyLine
from protocols.live.relation import RelationLine
from tests.screens.fake_node import NOW_MS, FakeNode
from tests.screens.fake_trust import hostile
from tests.screens.harness import NodeThread, Terminal

HOSTILE = [
    "O[/]Brien [red]x[/red] [@click=app.quit]y[/]",
    "\x1b[2J\x1b[31m\x1b]0;title\x07\x9b5;5H",
    "\x1b]52;c;YWJj\x07\x1bP+q\x1b\\",
    "\u202eevil\u2066x\u200b\u200d\U000e0041\ufeff",
    "x" * 10_000,
    "\u0301" * 500 + "\r\n\t\0\x7f",
]
CONTROL = re.compile(
    rb"\x1b(?:\][^\x07\x1b]*(?:\x07|\x1b\\)?|\[[0-?]*[ -/]*[@-~]|P[^\x1b]*\x1b\\|.)"
)
TRUST = ["r", "down", "up", "s", "2", *"1130", "enter", "enter", *["escape"] * 4, "a",
         "escape", "escape", "w", "down", "escape", "k", "down", "down", "down", "up", "up", "up",
         "e", "escape", "escape"]  # fmt: skip
ANSWERS = {"enter", "s", "2", "e", "x", "t", "d"}
"""Keys that answer a question: struck once it was seen."""
GATE = ["f2", "9", "enter", "1", "4", "1", "enter", "escape", "f6", "enter", "escape", "escape",
        "t", "escape", "n", "x", "enter", "escape", "f1", "escape"]  # fmt: skip
TEAMS = ["f6", "u", "enter", "escape", "escape", "o", "enter", "d", "escape", "escape", "escape",
         "f10", "9", "3", "enter", "escape", "escape", "escape", "escape"]  # fmt: skip
TOUR = [*TEAMS, "enter", "r", "enter", "\x19", "escape", "escape", "escape",
        "down", "enter", "v", "escape", "u", "escape", "l", "x", "escape", "escape", "t", "escape",
        "escape", *GATE, "f3", "x", "enter", "escape", "f7", *TRUST, "escape", "d", "escape",
        "f9"]  # fmt: skip


def world(text) -> FakeNode:
    node = FakeNode()
    for number in range(3):
        patient = node.add(text, triage=number, sex=1, age=text, tag=text, bed=text, problem=text)
        said = (Asserted("f1", text, text, 0, 0), Asserted("f2", text + "b", text, 0, 0))
        node.patients[patient].attributes = (Attribute("village", said), Attribute(text, said))
        node.patients[patient].lines = [
            ChartLine("f1", NOW_MS, NOW_MS, text, ((text, text), ("note", text)), text, saved=text),
            ChartLine(
                "f3", NOW_MS, NOW_MS, "triage.record", (("triage", text), ("algorithm", text)), text
            ),
        ]
        node.related[patient] = [RelationLine(node.patients[patient].head, text, True)]
        between(node, patient, text)
    node.peers = (PeerLine(text, text, text, True, NOW_MS, 0, True, text, text, text),)
    node._trust = hostile(text, NOW_MS)
    node.greeting = type(node.greeting)("dev", text, text, text, drill=text)
    return node


def between(node, patient, text):
    """What happens between teams, every word of it somebody's."""
    head = node.patients[patient].head
    side = DisputeSide("f1", (text, text), True, text, (text, text), text, NOW_MS, NOW_MS, ())
    node.disputed[patient] = [
        Dispute(head, "allergy", "allergy", text, NOW_MS, "", (side, side)),
        Dispute(head, text, text, text, NOW_MS, "", (side,)),
    ]
    node.offered.append(
        OfferLine(patient, head, text, text, True, False, NOW_MS, text, text,
                  (("mechanism", text), (text, text)))
    )  # fmt: skip
    node.parties = (PartyLine("device", text, text, text), PartyLine("site", text, text))
    node.suggested = {"mechanism": text}
    node.doubles.append(AlikeLine(head, 50, ("name", text), head))


def tour(path, text):
    """Return every control sequence the terminal sent, and the rest of its bytes."""
    with NodeThread(world(text), path) as node, Terminal(node.path) as terminal:
        terminal.wait_for("n/1 new patient", "RED")
        for key in TOUR:
            if key in ANSWERS:
                terminal.look()
            terminal.send(key)
            terminal.wait_until(lambda: not terminal.read(0.06))
        terminal.wait_for("LOCKED since")
        # The emulator takes Textual's own OSC 22 for a title; ours never sets one.
        assert terminal.screen.title in ("", ";default")
        found = {re.sub(rb"\d+", b"n", one) for one in CONTROL.findall(bytes(terminal.output))}
        return found, CONTROL.sub(b"", bytes(terminal.output))


def shapes(sequences):
    """Fold colours and cursor moves: what varies with the text's place, never by its content."""
    return {re.sub(rb"^\x1b\[[n;]*([mH])$", rb"\1", one) for one in sequences}


@pytest.fixture(scope="module")
def innocuous(tmp_path_factory):
    return shapes(tour(tmp_path_factory.mktemp("calm") / "n.sock", "Calm Name")[0])


# A tour takes a minute, for each question on it is seen first. What runs always: the tour of care
# through a terminal, and every agreed screen with hostile words (`test_hostile_everywhere.py`).
@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    HOSTILE,
    ids=["markup", "csi", "osc52", "bidi", "long", "marks"],
)  # fmt: skip
def test_no_name_steers_a_terminal(name, innocuous, tmp_path):
    sequences, rest = tour(tmp_path / "n.sock", name)

    assert shapes(sequences) <= innocuous
    text = rest.decode()
    assert not {char for char in text if ord(char) < 32 or 127 <= ord(char) < 160} - {"\n", "\r"}
    assert not set(text) & set("\u202e\u2066\u200b\ufeff\U000e0041")
