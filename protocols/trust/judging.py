"""Whether facts count: by their author's roles, by whom the session names, and by their place."""

from __future__ import annotations

from typing import NamedTuple

from protocols.ids import DeviceId, ScopeId
from protocols.trust.certificates import Authority
from protocols.trust.control import Place
from protocols.trust.membership import Membership
from protocols.trust.seals import Way
from protocols.trust.sessions import NOBODY, Session, Sessions
from protocols.trust.standing import Standing


class Judgement(NamedTuple):
    """Whether facts of one author, kind, scope and session count."""

    standing: Standing
    """STANDS: unless every way is closed by a seal. Otherwise the answer, wherever they lie."""
    ways: frozenset[Way] = frozenset({()})
    """For each authority that covers them, the seals they must lie below; see `seals.best`."""

    @property
    def sealed(self) -> bool:
        """Whether the place of an entry decides."""
        return self.standing == Standing.STANDS and () not in self.ways

    def closed(self, epoch: bytes) -> bool:
        """Whether what is written now lies above seals on every way; a reduction is one too.

        Args:
            epoch: Of the device; empty: in whichever of its lives.
        """
        return self.sealed and all(
            any(epoch not in bound.epochs if epoch else not bound.epochs for bound in way)
            for way in self.ways
        )


class Judging:
    """Judges facts of members by the roles that the charter lists."""

    def __init__(self, membership: Membership, sessions: Sessions) -> None:
        self._membership = membership
        self._sessions = sessions

    def judge(
        self, author: tuple[DeviceId, bytes], kind: int, scope: ScopeId, session: Session
    ) -> Judgement:
        """Judge facts of a kind in a scope of the operation, by a device that has certificates.

        Args:
            author: The device and its epoch.
        """
        of_device = self._membership.ways(author[0])
        here = [(each, way) for each, way in of_device if scope in each.scopes]
        if session != NOBODY:
            persons = self._sessions.persons(*author, session)
            taken = [each for each in persons if self._attested_within(each[0])]
            if taken:
                return self._judge_person(here, taken[0][1].subject, kind, scope)
        ways = self._ways_for(here, kind)
        if ways:
            return Judgement(Standing.STANDS, ways)
        # A session that nobody here knows of yet may turn out to be a person who may.
        unknown = session != NOBODY and here
        return Judgement(Standing.UNCHECKED if unknown else Standing.REFUSED)

    def _judge_person(
        self, here: list[tuple[Authority, Way]], person: bytes, kind: int, scope: ScopeId
    ) -> Judgement:
        """Judge by what the person may write, on a device that belongs to the scope."""
        of_person = [
            (each, way) for each, way in self._membership.ways(person) if scope in each.scopes
        ]
        ways = frozenset(
            (*_ends(device), *person_way)
            for _, device in here
            for person_way in self._ways_for(of_person, kind)
        )
        return Judgement(Standing.STANDS, ways) if ways else Judgement(Standing.REFUSED)

    def _attested_within(self, place: Place) -> bool:
        return bool(self._membership.authorities_at(place))

    def _ways_for(self, held: list[tuple[Authority, Way]], kind: int) -> frozenset[Way]:
        """The seals on each authority that may write a kind; a reduction that leaves it is none."""
        return frozenset(
            tuple(b for b in way if not (b.reduces and self._allows(b.roles & each.roles, kind)))
            for each, way in held
            if self._allows(each.roles, kind)
        )

    def _allows(self, roles: frozenset[int], kind: int) -> bool:
        charter = self._membership.charter
        assert charter is not None
        return any(
            not role.kinds or kind in role.kinds for role in charter.roles if role.number in roles
        )


def _ends(way: Way) -> Way:
    """The seals that end what a device may do at all: a reduction of its own role does not."""
    return tuple(bound for bound in way if not bound.reduces)
