"""Vitamin A and an arm by keystrokes: a real terminal on a real node, given and taken back."""

from __future__ import annotations

from tests.process.commands import init, serving
from tests.process.test_drive_terminal import card, replied, struck
from tests.screens.harness import OpenedTerminal


def test_vitamin_a_and_an_arm_are_written_with_a_new_child_and_taken_back(tmp_path):
    folder = tmp_path / "tent"
    init(folder)
    with serving(folder, whole=True), OpenedTerminal(folder) as screen:
        screen.wait_for("no triage")
        struck(screen, ["f4"], "VACCINATION SESSIONS")
        struck(screen, ["n"], "NEW VACCINATION SESSION", "8 mr")
        screen.send("8 vitamin-a muac", "enter", "Kome school", "\x0f")
        screen.wait_for("DRIVE", "Kome school", "VitA 0")

        struck(screen, [card(1)], "NEW CARD KM-1")
        struck(screen, ["22", "enter", "2"], "2 [x] Vitamin A 200 000 IU", "3 [ ] Upper arm")
        replied(screen, ["3"], "Millimetres")
        struck(screen, ["112", "enter"], "112 mm", "severe acute malnutrition", "REFER")
        replied(screen, ["enter"], "VitA 1", "MUAC 1", "KM-1")
        struck(screen, [card(1)], "too soon", "[ ] Vitamin A")
        replied(screen, ["escape"], "LAST TEN")
        struck(screen, ["f8"], "Vitamin A", "Upper arm")
        replied(screen, ["enter"], "VitA 0", "MUAC 0")
