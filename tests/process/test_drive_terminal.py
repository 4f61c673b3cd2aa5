"""A whole drive by keystrokes: a real terminal on a real node, from the session to its end."""

import asyncio
from datetime import UTC, datetime, timedelta

from protocols.live.drive import Sessions
from tests.process.commands import init, serving
from tests.process.live_desk import terminal
from tests.screens.harness import OpenedTerminal


def answered(folder, work):
    async def run():
        async with terminal(folder) as node:
            return await work(node)

    return asyncio.run(run())


def struck(screen, keys, *texts):
    """Strike keys that answer no question, and wait for what they lead to."""
    screen.send(*keys)
    return screen.wait_for(*texts)


def replied(screen, keys, *texts):
    """Read the question that stands there as a person does, and strike what answers it."""
    screen.look()
    return struck(screen, keys, *texts)


def card(number):
    return f"]C0KM-{number}\r"


def open_session(screen):
    screen.wait_for("no triage")
    struck(screen, ["f4"], "VACCINATION SESSIONS")
    struck(screen, ["n"], "NEW VACCINATION SESSION", "8 mr")
    struck(screen, ["8", "enter", "Kome school", "enter", "R. Amin", "enter"], "[ R. Amin")
    screen.send("tab", "tab", "measles/2 300", "tab", "mr 1 2 f, mr 1 2 m", "\x0f")
    screen.wait_for("DRIVE", "Kome school", "No vial is open")


def open_vial(screen):
    struck(screen, ["*"], "MORE")
    struck(screen, ["1"], "OPEN A VIAL")
    screen.send("1", "MR-0172B", "enter", "2031-03", "enter", "enter")
    screen.wait_for("DRIVE", "MR-0172B 10/10")


def vaccinate(screen):
    """Two new children, the first of them again, one who is refused, one taken back."""
    struck(screen, [card(1)], "NEW CARD KM-1")
    struck(screen, ["22", "enter", "2"], "[x] Measles-rubella 1", "NOT APPROVED")
    replied(screen, ["enter"], "WRITE ON CARD KM-1", "9/10")
    struck(screen, [card(2)], "NEW CARD KM-2")
    struck(screen, ["3y", "enter", "1"], "[x] Measles-rubella 1", "3 y")
    # The next card saves this child and shows who comes.
    replied(screen, [card(1)], "22 mo", "KM-1", "[ ] Measles-rubella 2", "not yet", "8/10")
    replied(screen, ["enter"], "Card")
    struck(screen, [card(3)], "NEW CARD KM-3")
    struck(screen, ["30", "enter", "1"], "[x] Measles-rubella 1")
    replied(screen, ["0"], "WHY IS IT NOT GIVEN")
    replied(screen, ["1"], "NOT GIVEN: refused")
    replied(screen, ["enter"], "not given 1")
    struck(screen, [card(4)], "NEW CARD KM-4")
    struck(screen, ["12", "enter", "2"], "[x] Measles-rubella 1")
    replied(screen, ["enter"], "7/10", "KM-4")
    struck(screen, ["f8"], "Measles-rubella 1 card KM-4")
    replied(screen, ["enter"], "DRIVE", "8/10")


def count(screen):
    struck(screen, ["*"], "MORE")
    struck(screen, ["3"], "CROWD MODE")
    struck(screen, ["1"], "7/10")
    struck(screen, ["2"], "6/10")
    struck(screen, ["1"], "5/10", "TOTAL 3")
    struck(screen, ["escape"], "DRIVE", "5/10")


def end(screen):
    struck(screen, ["*"], "MORE")
    struck(screen, ["2"], "VIALS OF THIS SESSION", "5/10")
    replied(screen, ["x"], "THROW A VIAL AWAY")
    struck(screen, ["2", "enter", "enter"], "session ends")
    struck(screen, ["escape"], "DRIVE", "No vial is open", "wasted 5")
    struck(screen, ["*"], "MORE")
    struck(screen, ["6"], "CLOSE THE SESSION")
    struck(screen, ["enter"], "Session closed")


def test_a_drive_is_worked_from_its_first_key_to_its_last(tmp_path):
    folder = tmp_path / "tent"
    init(folder)
    with serving(folder, whole=True), OpenedTerminal(folder) as screen:
        open_session(screen)
        open_vial(screen)
        vaccinate(screen)
        count(screen)
        end(screen)

        async def told(node):
            found: Sessions = await node.sessions(closed=True)
            (session,) = found.lines
            return session, await node.drive(session.id), await node.vaccination_coverage("")

        session, drive, cover = answered(folder, told)

    assert session.closed_ms is not None
    assert (session.place, session.team, session.vaccines) == ("Kome school", "R. Amin", ("mr",))
    assert (drive.children, drive.not_given, drive.wasted) == (3, 1, 5)
    assert [one.given for one in drive.vaccines] == [2 + 3]
    assert [cell.counted for cell in drive.cells] == [2, 1]
    (line,) = [one for one in cover.lines if (one.antigen, one.band) == ("measles", 2)]
    assert (line.doses, line.target) == (5, 300)


def test_a_card_that_a_new_child_brings_counts_in_what_is_due_and_in_no_total(tmp_path):
    folder = tmp_path / "tent"
    init(folder)
    with serving(folder, whole=True), OpenedTerminal(folder) as screen:
        open_session(screen)
        open_vial(screen)
        struck(screen, [card(9)], "NEW CARD KM-9")
        struck(screen, ["22", "enter", "2"], "[x] Measles-rubella 1")
        listed = replied(screen, ["d"], "DOSES ON THE CARD", "0 doses known", "01 BCG", "25 ")
        assert "…" not in listed
        # The month alone, as the card has it.
        month = f"{datetime.now(UTC) - timedelta(days=180):%Y-%m}"
        struck(screen, ["measles-r", "1", month, "enter"], ">Dose number")
        struck(screen, ["enter", "L-7", "enter"], "1 dose known", month, "L-7")
        struck(screen, ["escape"], "DRIVE", "KM-9", "] Measles-rubella 2")

        async def told(node):
            (session,) = (await node.sessions()).lines
            (head,) = (await node.tagged("KM-9")).lines
            return await node.drive(session.id), await node.child(head.patient, session.id)

        drive, child = answered(folder, told)

    assert (drive.children, [one.given for one in drive.vaccines]) == (0, [0])
    assert [(vial.drawn, vial.left) for vial in drive.vials] == [(0, 10)]
    (dose,) = child.doses
    assert (dose.vaccine, dose.day, dose.lot) == ("mr", month, "L-7")
