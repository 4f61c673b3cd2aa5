"""The forms of medicines through a real pseudo-terminal: fast, slow, and with a blocked loop."""

from collections.abc import Iterator

import pytest

from tests.screens.fake_care import in_care
from tests.screens.fake_node import ward
from tests.screens.harness import NodeThread, Terminal

GAPS_S = (0.0, 0.03)

ORDER = ["c", "o", *"amox", "1", "enter", *"250", "enter", "1", "1", "3", "enter", *"5", "enter",
         *"cough", "enter", "enter"]  # fmt: skip
GIVE = ["g", "1", *"125", "enter", "tab", *"thigh", "enter", *"A1047", "enter", "3", "enter",
        "enter"]  # fmt: skip


@pytest.fixture
def node(tmp_path) -> Iterator[NodeThread]:
    ill = ward()
    in_care(ill)
    with NodeThread(ill, tmp_path / "n.sock") as running:
        yield running


@pytest.mark.parametrize("blocked", [False, True], ids=["free", "blocked"])
def test_no_key_of_an_order_or_a_dose_lands_in_another_field_at_any_speed(
    node: NodeThread, blocked
):
    with Terminal(node.path, blocked=blocked) as terminal:
        terminal.wait_for("Haddad")
        terminal.send("f3", *"haddad", "enter")
        terminal.wait_for("Find: haddad", "ACD EFH 001")
        terminal.look()
        terminal.send("enter")
        terminal.wait_for("m/8 medicines", "bed B-02  Haddad Nour")
        for gap_s in GAPS_S:
            node.node.written.clear()
            terminal.send(*ORDER, gap_s=gap_s)
            terminal.wait_until(lambda: len(node.node.written) == 1)
            assert node.node.written[0]["data"] == {
                "substance": "amoxicillin", "dose": {"value": "250", "unit": "mg"},
                "route": "oral", "frequency": {"way": "times-a-day", "every": 3},
                "duration": {"value": 5, "unit": "d"}, "indication": "cough",
                "weight": {"value": "12.5", "unit": "kg", "estimated": True},
            }, f"{gap_s * 1000:g} ms"  # fmt: skip
            terminal.wait_for("CARE: WHICH PAGE?")

            terminal.send("m")
            terminal.wait_for("MEDICINES")
            # Which medicine it is about is read before a dose of it is given.
            terminal.look()
            terminal.send(*GIVE, gap_s=gap_s)
            terminal.wait_until(lambda: len(node.node.written) == 2)
            assert node.node.written[1]["data"] == {
                "order": "fct_ord_amoxicillin.0", "status": "given",
                "dose": {"value": "125", "unit": "mg"}, "route": "im", "body_site": "thigh",
                "lot": "A1047",
            }, f"{gap_s * 1000:g} ms"  # fmt: skip
            terminal.wait_for("g/1 give")
            terminal.send("escape")
            terminal.wait_for("m/8 medicines")
