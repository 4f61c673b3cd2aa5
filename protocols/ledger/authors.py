"""Who wrote an entry: the person its session names, as far as we can read it, and the device.

Names are in no row: two nodes that hold other keys hold the same rows. They are looked up here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from protocols.feeds.body import decode_session
from protocols.ids import DeviceId, PersonId
from protocols.ledger import persons
from protocols.ledger.book import Ledger
from protocols.ledger.chain import FeedState
from protocols.trust.sessions import NOBODY, Session

ENTRIES_MAX = 500
"""Asked for in one statement."""


class Author(NamedTuple):
    """Who wrote something."""

    device: DeviceId
    device_name: str
    """Its id, shortened, where it has no name we can read."""
    person: PersonId | None
    """None when nobody is identified, or nobody we know of yet."""
    name: str
    """The person's; '' when it is not known here."""
    profession: str
    identified: bool
    """Whether the entry names a session at all."""

    @property
    def label(self) -> str:
        """Who it was in the fewest words: the person, else the device."""
        return self.name or self.device_name


class Authors:
    """Looks up authors for one answer; knows them again while it lasts."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[tuple[int, Session], Author] = {}

    def of(self, feed: FeedState, session: Session) -> Author:
        """Return who wrote under a session in a feed."""
        asked = (feed.no, session)
        known = self._known.get(asked)
        if known is None:
            known = self._known[asked] = _author(self._ledger, feed, session)
        return known

    def of_entries(self, entries: Iterable[int]) -> dict[int, Author]:
        """Return who wrote each of these entries, by their local numbers."""
        wanted = list(dict.fromkeys(entries))
        found: dict[int, Author] = {}
        for start in range(0, len(wanted), ENTRIES_MAX):
            piece = wanted[start : start + ENTRIES_MAX]
            marks = ",".join("?" * len(piece))
            for entry, feed, begins in self._ledger.store.all(
                "SELECT e.arrival, e.feed, substr(t.plain, 1, 16) FROM entry e"
                " LEFT JOIN strand t ON t.doc = e.doc AND t.entry = e.arrival"
                f" WHERE e.arrival IN ({marks})",
                piece,
            ):
                session = decode_session(begins) if begins else NOBODY
                found[entry] = self.of(self._ledger.chain.by_no[feed], session)
        return found


def _author(ledger: Ledger, feed: FeedState, session: Session) -> Author:
    authority, genesis = ledger.authority, feed.genesis
    device = genesis.device
    device_name = authority.name_of(device) or str(device)[:12]
    if session == NOBODY:
        return Author(device, device_name, None, "", "", identified=False)
    person = authority.roster.person(device, bytes(genesis.epoch), session)
    if person is None:
        return Author(device, device_name, None, "", "", identified=True)
    profile = persons.profile_of(ledger, person)
    name, profession = (profile.name, profile.profession) if profile else ("", "")
    return Author(device, device_name, PersonId(person), name, profession, identified=True)
