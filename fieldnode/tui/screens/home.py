"""Which page is home, and which page each F-key opens: the same on every screen."""

from __future__ import annotations

from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Page
from fieldnode.tui.screens.alerts import AlertsPage
from fieldnode.tui.screens.board import WardPage
from fieldnode.tui.screens.clock import ClockPage
from fieldnode.tui.screens.help import HelpPage
from fieldnode.tui.screens.lock import LockPage
from fieldnode.tui.screens.mass import MassPage
from fieldnode.tui.screens.menu import MenuPage
from fieldnode.tui.screens.panic import PanicPage
from fieldnode.tui.screens.paper import PaperPage
from fieldnode.tui.screens.peers import PeersPage
from fieldnode.tui.screens.retract import UndoPage
from fieldnode.tui.screens.search import SearchPage
from fieldnode.tui.screens.sessions import immunise
from fieldnode.tui.screens.shelf import ShelfPage
from fieldnode.tui.shell import CLOCK, PANIC_KEY, PAPER, Opener


def page(desk: Desk) -> Page:
    """Return the page a terminal starts on."""
    return WardPage(desk)


def openers() -> dict[str, Opener]:
    """Return what each F-key opens, what asks the time, and what reads a paper."""
    return {
        "f1": HelpPage,
        "f2": MassPage,
        "f3": SearchPage,
        "f4": immunise,
        "f5": ShelfPage,
        "f6": AlertsPage,
        "f7": PeersPage,
        "f8": UndoPage,
        "f9": LockPage,
        "f10": MenuPage,
        PANIC_KEY: PanicPage,
        CLOCK: ClockPage,
        PAPER: PaperPage,
    }
