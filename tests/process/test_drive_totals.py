"""What a drive shows of its sums and its last ten after each save, undo and switch: a real node."""

import asyncio

from tests.process.commands import init, serving
from tests.process.live_desk import terminal
from tests.process.test_drive_terminal import card, open_vial, replied, struck
from tests.screens.harness import OpenedTerminal

KEYS = iter(range(1_000))


def on_node(folder, work):
    async def run():
        async with terminal(folder) as node:
            return await work(node)

    return asyncio.run(run())


def begin(screen, place):
    struck(screen, ["f4"], "VACCINATION SESSIONS")
    struck(screen, ["n"], "NEW VACCINATION SESSION", "8 mr")
    struck(screen, ["8", "enter", place, "\x0f"], "DRIVE", place)
    screen.wait_for("DRIVE", place, "0 children", "Measles-rubella 0")


def vaccinate(screen, number, *texts):
    struck(screen, [card(number)], f"NEW CARD KM-{number}")
    struck(screen, ["22", "enter", "2"], "[x] Measles-rubella 1", "NOT APPROVED")
    replied(screen, ["enter"], "LAST TEN", f"WRITE ON CARD KM-{number}", *texts)


def another_team(folder, place, tag):
    """Somebody beside this terminal writes a child into the same session."""

    async def write(node):
        (session,) = [one.id for one in (await node.sessions()).lines if one.place == place]
        who = {"sex": "male", "age": {"value": "20", "unit": "mo"}, "tags": [tag]}
        lines = [
            {"v": 1, "kind": "patient.register", "key": f"t{next(KEYS)}", "data": who},
            {"v": 1, "kind": "dose.record", "key": f"t{next(KEYS)}", "patient": {"line": 1},
             "data": {"vaccine": "mr", "session": session}},
        ]  # fmt: skip
        answers = await node.record(lines, together=True)
        assert all(one.ok for one in answers), answers

    on_node(folder, write)


def test_sums_and_the_last_ten_are_right_after_every_save_undo_and_switch(tmp_path):
    folder = tmp_path / "tent"
    init(folder)
    with serving(folder, whole=True), OpenedTerminal(folder) as screen:
        screen.wait_for("no triage 0")
        begin(screen, "Kome school")
        open_vial(screen)
        vaccinate(screen, 1, "1 child ", "Measles-rubella 1", "MR-0172B 9/10")
        vaccinate(screen, 2, "2 children", "Measles-rubella 2", "MR-0172B 8/10")

        # Without a key: the node says that its rows changed, and the page asks anew.
        another_team(folder, "Kome school", "KM-77")
        screen.wait_for("3 children", "Measles-rubella 3", "KM-77", "MR-0172B 8/10")

        struck(screen, ["f8"], "TAKE BACK", "KM-2")
        shown = replied(screen, ["enter"], "DRIVE", "2 children", "Measles-rubella 2", "9/10")
        last = shown[shown.index("LAST TEN") :]
        assert "KM-1 " in last and "KM-77" in last and "KM-2 " not in last

        struck(screen, ["*"], "MORE")
        struck(screen, ["7"], "VACCINATION SESSIONS", "Kome school")
        struck(screen, ["n"], "NEW VACCINATION SESSION", "8 mr")
        struck(screen, ["8", "enter", "Market", "\x0f"], "DRIVE", "Market")
        shown = screen.wait_for("DRIVE", "Market", "0 children", "Measles-rubella 0")
        assert "KM-1 " not in shown and "MR-0172B" not in shown
        another_team(folder, "Kome school", "KM-78")
        open_vial(screen)
        vaccinate(screen, 9, "1 child ", "Measles-rubella 1", "MR-0172B 9/10")

        struck(screen, ["*"], "MORE")
        struck(screen, ["7"], "VACCINATION SESSIONS", "Kome school")
        struck(screen, ["down"], ">")
        shown = replied(screen, ["enter"], "DRIVE", "Kome school", "Measles-rubella 3")
        assert "3 children" in shown and "KM-9 " not in shown
        assert "WRITE ON CARD" not in shown
