"""The people of a measles campaign: HQ, stores that send vaccine, teams that vaccinate with it.

What really happens on the ground is counted here, apart from every book: units that lie in a store,
doses that went into an arm. At the end the books must say the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from protocols.sim import names
from protocols.sim.chance import seeded
from protocols.sim.clock import DRILL_BEGINS_MS, SECOND_US
from protocols.sim.drill import CANARY
from protocols.sim.errand import Errand
from protocols.sim.host import Answer, Host
from protocols.sim.witness import Line

MINUTE_US = 60 * SECOND_US
ITEM = "vaccine-mr-10"
VIAL_DOSES = 10
RECALLED, SOUND = "MR-0172B", "MR-0188A"
"""The lot that is recalled in the middle, and the one that is not."""
EXPIRY = "2027-03"
SENT = {RECALLED: 30, SOUND: 20}
"""Doses of each lot that a team is sent before it sets out."""
STOCK = 400
"""Doses of each lot that a store begins with."""
VITAMIN_A = "vitamin-a"
CAPSULE, CAPSULES_LOT = "vitamin-a-200k-cap", "VA-31"
"""Of which one is given to everybody from one to five years, as all children here are."""
CAPSULES = 40
"""That a team of those with vitamin A is sent; each store begins with ten times as many."""
PACE_US = 6 * MINUTE_US
"""Mean time between two children of one team, walking from house to house."""
WITH_VITAMIN_A = 2
"""The teams of so many stores give vitamin A too; the others have none."""
ROAD_US = 20 * MINUTE_US
"""From a store to its teams."""

Talk = Generator[Line | int, Answer, Answer]
Step = Generator[Line | int, Answer, None]


@dataclass(slots=True)
class Ground:
    """What really is and really happened."""

    lying: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Doses in closed vials by (store, lot)."""
    arms: Counter[str] = field(default_factory=Counter)
    """Doses that each child of the campaign had, by card."""
    crowd: int = 0
    """Doses given to children whose name nobody wrote down."""
    capsules: Counter[str] = field(default_factory=Counter)
    """Capsules of vitamin A that each child swallowed, by card: none of them is a dose."""
    capsules_lying: Counter[str] = field(default_factory=Counter)
    """Capsules by store."""
    met_apart: set[str] = field(default_factory=set)
    """Cards of children that two teams wrote the same dose of."""
    wasted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """What devices refused, by the code."""


@dataclass(slots=True)
class Team:
    """One team with its cold box, which is its store."""

    host: Host
    site: str = ""
    session: str = ""
    route: list[str] = field(default_factory=list)
    """Cards of the children it comes to, in order; `new` for one nobody knows yet."""
    vial: str = ""
    lot: str = ""
    left: int = 0
    vitamin_a: bool = False
    """Whether it gives that beside the vaccine."""
    done: int = 0


class Campaign:
    """Everybody's work, as errands."""

    def __init__(self, seed: int, hq: Host, stores: list[Host], teams: list[Host]) -> None:
        self.ground = Ground()
        self.hq = hq
        self.stores = stores
        self.teams = [
            Team(host, vitamin_a=number % len(stores) < WITH_VITAMIN_A)
            for number, host in enumerate(teams)
        ]
        self.store_site = dict.fromkeys((store.name for store in stores), "")
        self.cards: list[str] = []
        """Of the children that a census knew before the campaign."""
        self.recall: Answer | None = None
        self._chance = seeded(seed, "campaign")
        self._keys = 0
        self._born = 0

    def team_of(self, number: int) -> Host:
        """Return the store that sends vaccine to a team."""
        return self.stores[number % len(self.stores)]

    # at HQ, before it begins

    def found(self, children: int) -> Errand:
        """Register all places and the children of the census."""
        for store in self.stores:
            said = yield self._site(store.name, "store")
            self.store_site[store.name] = said.id or ""
        for number, team in enumerate(self.teams):
            above = self.store_site[self.team_of(number).name]
            said = yield self._site(team.host.name, "mobile-team", part_of=above)
            team.site = said.id or ""
        for _ in range(children):
            card = self._card()
            self.cards.append(card)
            yield self._child(card)

    def call_back(self) -> Errand:
        """Recall one lot."""
        self.recall = yield self._line(
            "lot.recall", data={"item": ITEM, "lot": RECALLED, "why": "broken-cold-chain"}
        )

    # in a store

    def open_store(self, store: Host) -> Errand:
        """Take in what the store begins with."""
        site = self.store_site[store.name]
        for lot in SENT:
            data = {"item": ITEM, "lot": lot, "expiry": EXPIRY, "units": STOCK}
            yield self._line("stock.receive", store=site, data=data | {"why": "opening-balance"})
            self.ground.lying[site, lot] += STOCK
        units = CAPSULES * 10
        data = {"item": CAPSULE, "lot": CAPSULES_LOT, "expiry": EXPIRY, "units": units}
        yield self._line("stock.receive", store=site, data=data | {"why": "opening-balance"})
        self.ground.capsules_lying[site] += units

    def send(
        self, store: Host, team: Team, sent: dict[str, int], then: list[str], capsules: int = 0
    ) -> Errand:
        """Send vaccine to a team; the shipment's id is put on the paper that goes along."""
        site = self.store_site[store.name]
        lines = [
            {"item": ITEM, "lot": lot, "expiry": EXPIRY, "units": units}
            for lot, units in sent.items()
        ]
        if capsules:
            line = {"item": CAPSULE, "lot": CAPSULES_LOT, "expiry": EXPIRY, "units": capsules}
            lines.append(line)
        data = {"to": team.site, "lines": lines, "carrier": "car"}
        said = yield self._line("shipment.dispatch", store=site, data=data)
        if not said.ok:
            self.ground.refused[said.error or "?"] += 1
            return
        for lot, units in sent.items():
            self.ground.lying[site, lot] -= units
        self.ground.capsules_lying[site] -= capsules
        then.append(said.id or "")

    # in a team

    def take_in(
        self, team: Team, sent: dict[str, int], paper: list[str], capsules: int = 0
    ) -> Step:
        """Take in what came; the paper may be there before the record is."""
        while True:
            yield ROAD_US
            if not paper:
                continue
            said = yield self._line(
                "shipment.receive", store=team.site, data={"shipment": paper[0]}
            )
            if said.ok:
                break
        for lot, units in sent.items():
            self.ground.lying[team.site, lot] += units
        self.ground.capsules_lying[team.site] += capsules

    def day(self, team: Team, tallies: int, later: list[str] | None) -> Errand:
        """One team's day: a session, its children one by one, a crowd at the end.

        Args:
            team: Whose.
            tallies: Doses that it gives in crowd mode.
            later: The paper of a second shipment, for who is sent one.
        """
        yield from self.take_in(team, SENT, self.papers[team.host.name], capsules_of(team))
        data = {
            "vaccines": ["mr"],
            "interventions": [VITAMIN_A] if team.vitamin_a else [],
            "place": f"route of {team.host.name}",
            "team": [f"{CANARY} {team.host.name}"],
            "cells": [{"vaccine": "mr", "dose": 1, "band": 2}],
            "targets": [{"antigen": "measles", "number": len(team.route) + tallies}],
        }
        said = yield self._line("session.open", store=team.site, data=data)
        team.session = said.id or ""
        for card in team.route:
            yield int(self._chance.expovariate(1) * PACE_US)
            known = card != "new"
            card = card if known else self._card()
            if not known:
                yield self._child(card)
            yield from self._vaccinate(team, card)
        for _ in range(tallies):
            yield int(self._chance.expovariate(1) * PACE_US / 4)
            yield from self._count_one(team)
        if later is not None:
            yield from self.take_in(team, {SOUND: VIAL_DOSES}, later)
        yield from self._discard(team, "session-end")
        yield self._line("session.close", data={"session": team.session})
        team.done = 1

    papers: dict[str, list[str]]
    """By team: the shipments it was sent."""

    def _vaccinate(self, team: Team, card: str) -> Step:
        for _ in range(3):
            if not (yield from self._ready(team)):
                return
            said = yield self._line(
                "dose.record",
                patient={"tag": card},
                data={"vaccine": "mr", "vial": team.vial, "body_site": "left-arm"},
            )
            if said.ok:
                team.left -= 1
                self.ground.arms[card] += 1
                if team.vitamin_a:
                    yield from self._capsule(team, card)
                return
            self.ground.refused[said.confirm or said.error or "?"] += 1
            if said.error != "lot_recalled":
                return  # the child has it already, or nobody knows the child here
            yield from self._discard(team, "recalled")

    def _capsule(self, team: Team, card: str) -> Step:
        """Give vitamin A beside the dose; who is known to have had it lately gets none."""
        if self.ground.capsules_lying[team.site] < 1:
            return
        data = {
            "session": team.session,
            "intervention": VITAMIN_A,
            "substance": "vitamin A",
            "dose": {"value": "200000", "unit": "[iU]"},
            "route": "oral",
            "item": CAPSULE,
            "lot": CAPSULES_LOT,
        }
        said = yield self._line(
            "administration.record", patient={"tag": card}, store=team.site, data=data
        )
        if said.ok:
            self.ground.capsules[card] += 1
            self.ground.capsules_lying[team.site] -= 1
            return
        self.ground.refused[said.confirm or said.error or "?"] += 1

    def _count_one(self, team: Team) -> Step:
        for _ in range(3):
            if not (yield from self._ready(team)):
                return
            data = {"session": team.session, "cell": 1, "vial": team.vial}
            said = yield self._line("tally.add", data=data)
            if said.ok:
                team.left -= 1
                self.ground.crowd += 1
                return
            self.ground.refused[said.confirm or said.error or "?"] += 1
            if said.error != "lot_recalled":
                return
            yield from self._discard(team, "recalled")

    def _ready(self, team: Team) -> Generator[Line | int, Answer, bool]:
        """Have an open vial with something in it; False: there is nothing that may be used."""
        if team.left:
            return True
        yield from self._discard(team, "empty")
        for lot in SENT:
            if self.ground.lying[team.site, lot] < VIAL_DOSES:
                continue
            data = {"session": team.session, "item": ITEM, "lot": lot, "expiry": EXPIRY}
            said = yield self._line("vial.open", data=data)
            if said.ok:
                self.ground.lying[team.site, lot] -= VIAL_DOSES
                team.vial, team.lot, team.left = said.id or "", lot, VIAL_DOSES
                return True
            self.ground.refused[said.confirm or said.error or "?"] += 1
        return False

    def _discard(self, team: Team, reason: str) -> Step:
        if not team.vial:
            return
        data = {"vial": team.vial, "reason": reason, "doses": team.left}
        said = yield self._line("vial.discard", data=data)
        if said.ok:
            self.ground.wasted += team.left
            team.vial, team.left = "", 0

    # lines

    def _line(self, kind: str, **fields: object) -> Line:
        self._keys += 1
        return {"v": 1, "kind": kind, "key": f"campaign-{self._keys}", **fields}

    def _site(self, name: str, what: str, **more: str) -> Line:
        return self._line("site.register", data={"name": name, "type": what, **more})

    def _card(self) -> str:
        self._born += 1
        return f"KM-{self._born:05d}"

    def _child(self, card: str) -> Line:
        pick: Random = self._chance
        begins = datetime.fromtimestamp(DRILL_BEGINS_MS / 1000, UTC)
        born = begins - timedelta(days=pick.randint(400, 1700))
        return self._line(
            "patient.register",
            data={
                "family_name": f"{CANARY} {pick.choice(names.FAMILY)}",
                "given_name": pick.choice(names.GIVEN),
                "sex": pick.choice(("male", "female")),
                "birth_date": born.date().isoformat(),
                "tags": [card],
            },
        )


def capsules_of(team: Team) -> int:
    """Return how many capsules a team is sent."""
    return CAPSULES if team.vitamin_a else 0


def routes(
    campaign: Campaign, children: int, shared: int, chance: Random
) -> Iterator[tuple[Team, list[str]]]:
    """Yield who comes to whom: half known by the census, half new, some to two teams of two stores.

    Args:
        campaign: With its census.
        children: Each team comes to so many.
        shared: So many children of the census are come to by a second team, far from the first.
        chance: Who and when.
    """
    left = list(campaign.cards)
    plans = []
    for _ in campaign.teams:
        mine = [left.pop() for _ in range(children // 2)]
        plans.append(mine + ["new"] * (children - len(mine)))
    stores = len(campaign.stores)
    for number in range(shared):
        one = number % len(plans)
        other = (one + 1) % len(plans)
        if one % stores == other % stores:
            other = (other + 1) % len(plans)
        card = plans[one][number // len(plans)]
        campaign.ground.met_apart.add(card)
        plans[other].append(card)
    for team, plan in zip(campaign.teams, plans, strict=True):
        chance.shuffle(plan)
        yield team, plan
