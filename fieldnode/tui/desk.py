"""What all pages share: the words, the node's greeting, the time as last told, what was saved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import tzinfo

from fieldnode.text.catalogue import Catalogue, load
from fieldnode.tui.occasion import Occasion
from protocols.live.api import Draft, Greeting, SyncState

SAVES_MAX = 20
"""Saves of this terminal that F8 can take back, one after the other."""


@dataclass(frozen=True, slots=True)
class Save:
    """One save of this terminal, as F8 names it."""

    label: str
    """What was saved and for whom, in words."""
    facts: tuple[str, ...]
    """The facts it wrote, newest last."""
    at_ms: int
    patient: str = ""
    """Whom it is about, so that taking it back names them in full."""
    form: str = ""
    """Name of the form that wrote it."""


@dataclass(slots=True)
class Desk:
    """The state of one terminal that belongs to no page."""

    words: Catalogue
    zone: tzinfo
    """In which times are shown."""
    new_key: Callable[[], str]
    """Random ids for idempotency keys and drafts, drawn outside."""
    now_ms: int
    """Wall clock as last told by the driver, once a minute and with every key."""
    greeting: Greeting
    sync: SyncState | None = None
    drafts: list[Draft] = field(default_factory=list)
    saves: list[Save] = field(default_factory=list)
    """Oldest first."""
    away: bool = False
    """True while the node does not answer."""
    theme: str = "night"
    paper: bool = False
    """True while what was written by hand is typed up: each record is asked when and by whom."""
    triaged: int = 0
    """Casualties that whoever is here has triaged on this terminal."""
    tag_prefix: str = ""
    """What the last scanned tag began with, where the node keeps no prefix."""
    sound: bool = True
    """Whether the terminal rings; what it rings for always stands on the screen too."""
    session: str = ""
    """Id of the vaccination session that this terminal works in; '' = none."""
    guide: str = ""
    """Id of the triage guide that was used last here."""
    asked_from: str = ""
    """Name of the page on which help was asked for."""
    chosen: str = ""
    """Language as kept on the node; '' = the one shown. Another one where this terminal cannot
    draw it: then what is printed speaks it."""
    second: str = ""
    """Complete language that was chosen for what another one lacks; '' = English."""
    term: str = ""
    """As in TERM."""
    encoding: str = "utf-8"
    """Of the terminal's character set."""
    store: str = ""
    """Id of the store that whoever is here works in (SAFETY 23); '' = none was chosen."""
    store_name: str = ""
    store_kept: bool = False
    """Whether that is the choice of an earlier day, which nobody here was told of yet."""
    last_paper: Occasion | None = None
    """What was last stated in that mode: offered for the next record."""

    def __post_init__(self) -> None:
        """Work where this device worked last."""
        self.take_store()

    def take_store(self) -> None:
        """Take up the store that was last chosen on this device, where none is chosen here."""
        if not self.store and self.greeting.store:
            self.store, self.store_name = self.greeting.store, self.greeting.store_name
            self.store_kept = True

    @property
    def prefix(self) -> str:
        """What typed digits of a tag are completed with."""
        return self.greeting.tag_prefix or self.tag_prefix

    @property
    def paper_words(self) -> Catalogue:
        """What printed sheets are worded in: the language chosen, drawn on this terminal or not."""
        return load(self.chosen) if self.chosen else self.words

    def saved(self, save: Save) -> None:
        """Remember a save for F8."""
        self.saves = [*self.saves, save][-SAVES_MAX:]
