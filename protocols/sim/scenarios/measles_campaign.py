"""A measles campaign: twenty teams from three stores, cut apart, with a recall in the middle.

Each store and its teams are cut off from HQ and from each other for most of the day, and every
team is out of reach of everybody for a while. Some children are come to by two teams that know
nothing of each other; one lot is recalled while nobody hears of it; some vaccine is sent before a
cut and taken in after it. Some teams give vitamin A beside the vaccine. What counts: the books say
to the unit what lies where, to the dose what went into an arm, and to the capsule who had one.
"""

from __future__ import annotations

from collections import Counter

from protocols.ids import EntryPrefix, FactRef, SiteId
from protocols.ledger import interventions, shipments
from protocols.ledger.immunization import doubled, not_counted
from protocols.sim.campaign import (
    CAPSULE,
    ITEM,
    MINUTE_US,
    RECALLED,
    SENT,
    SOUND,
    VIAL_DOSES,
    VITAMIN_A,
    Campaign,
    Team,
    capsules_of,
    routes,
)
from protocols.sim.cast import Cast, ledger_of
from protocols.sim.chance import seeded
from protocols.sim.drill import Drill
from protocols.sim.errand import Errands
from protocols.sim.host import Host
from protocols.sim.machine import Computer
from protocols.sim.network import SATELLITE, WIFI
from protocols.sim.report import Finding, Result

TEAMS, STORES = 20, 3
CHILDREN = 12
"""Each team comes to so many and writes their names down."""
TALLIES = 8
SHARED = 10
CUT_US = 15 * MINUTE_US
RECALL_US = 55 * MINUTE_US
HEAL_US = 85 * MINUTE_US
ENDS_US = 240 * MINUTE_US
OUT_US = (5 * MINUTE_US, 25 * MINUTE_US)
"""How long a team is out of reach at a time."""
OUT_EVERY_US = 50 * MINUTE_US


def run(
    seed: int,
    *,
    teams: int = TEAMS,
    children: int = CHILDREN,
    computer: type[Computer] = Computer,
) -> Result:
    """Run it; the first device is HQ, then the stores."""
    drill = Drill("measles-campaign", seed, shape=WIFI)
    world = drill.world
    stores = [f"store-{letter}" for letter in "abc"[:STORES]]
    cast = Cast.found(
        world, ["hq", *stores, *(f"team-{n + 1:02d}" for n in range(teams))], computer=computer
    )
    hq, places, people = cast.hq, cast.hosts[1 : 1 + STORES], cast.hosts[1 + STORES :]
    campaign, errands = Campaign(seed, hq, places, people), Errands(drill)
    neighbours = _lines(drill, campaign)
    errands.send(hq, campaign.found(teams * children // 2))
    _until_done(drill, errands)
    for store in places:
        errands.send(store, campaign.open_store(store))
    _until_done(drill, errands)
    begins_us = world.at_us
    chance = seeded(seed, "routes")
    for team, route in routes(campaign, children, min(SHARED, teams), chance):
        team.route = route
    _send_out(drill, errands, campaign, begins_us)
    _cuts(drill, campaign, neighbours, begins_us)
    world.at(begins_us + RECALL_US, lambda: errands.send(hq, campaign.call_back()))
    world.run_until(begins_us + ENDS_US)
    drill.notes |= {"teams": teams, "errands_open": errands.open} | {
        f"refused_{code}": count for code, count in sorted(campaign.ground.refused.items())
    }
    drill.findings |= {
        "everybody_is_done": lambda: _all_done(campaign, errands),
        "stock_is_what_lies_there": lambda: _stock(campaign),
        "doses_are_what_was_given": lambda: _doses(campaign),
        "children_met_twice_are_listed": lambda: _twice(campaign),
        "no_vial_after_the_recall": lambda: _recall(drill, campaign),
        "vitamin_a_is_what_was_given": lambda: _vitamin_a(campaign),
        "nothing_is_on_the_way": lambda: _on_the_way(campaign),
    }
    drill.reconciled = lambda: _reconciled(campaign)
    return drill.finish(hq)


def _lines(drill: Drill, campaign: Campaign) -> dict[int, list[Host]]:
    """Link stores with HQ by satellite, each team with its store and with the next team."""
    world = drill.world
    near: dict[int, list[Host]] = {team.host.place: [] for team in campaign.teams}
    for store in campaign.stores:
        world.network.shape(store.place, campaign.hq.place, SATELLITE)
        world.dial(store, campaign.hq)
    for number, team in enumerate(campaign.teams):
        store = campaign.team_of(number)
        world.dial(team.host, store)
        near[team.host.place].append(store)
        following = number + len(campaign.stores)
        if following < len(campaign.teams):
            other = campaign.teams[following].host
            world.dial(team.host, other)
            near[team.host.place].append(other)
            near[other.place].append(team.host)
    return near


def _until_done(drill: Drill, errands: Errands) -> None:
    """Let time pass until all errands are done and everybody has heard of it."""
    world = drill.world
    while errands.open:
        world.run_until(world.at_us + MINUTE_US)
    world.run_until(world.at_us + 5 * MINUTE_US)


def _send_out(drill: Drill, errands: Errands, campaign: Campaign, begins_us: int) -> None:
    """Send every team its vaccine; one team of each store gets more, from behind a cut."""
    world = drill.world
    campaign.papers = {team.host.name: [] for team in campaign.teams}
    for number, team in enumerate(campaign.teams):
        store = campaign.team_of(number)
        paper = campaign.papers[team.host.name]
        errands.send(store, campaign.send(store, team, SENT, paper, capsules_of(team)))
        later: list[str] | None = None
        if number < len(campaign.stores):
            later = []
            more = campaign.send(store, team, {SOUND: VIAL_DOSES}, later)
            world.at(
                begins_us + CUT_US + 10 * MINUTE_US,
                lambda store=store, more=more: errands.send(store, more),  # type: ignore[misc]
            )
        errands.send(team.host, campaign.day(team, TALLIES, later))


def _cuts(drill: Drill, campaign: Campaign, near: dict[int, list[Host]], begins_us: int) -> None:
    """Cut HQ off from the stores and each team off from everybody, again and again."""
    world, chance = drill.world, seeded(drill.seed, "cuts")
    for team in campaign.teams:
        # They enrolled at HQ; from here on their only way there is their store.
        world.cut(team.host, campaign.hq)
    for store in campaign.stores:
        world.at(begins_us + CUT_US, lambda store=store: world.cut(store, campaign.hq))  # type: ignore[misc]
        world.at(begins_us + HEAL_US, lambda store=store: world.mend(store, campaign.hq))  # type: ignore[misc]

    def reach(team: Team, *, out: bool) -> None:
        for other in near[team.host.place]:
            (world.cut if out else world.mend)(team.host, other)

    for team in campaign.teams:
        at_us = begins_us + CUT_US + int(chance.random() * OUT_EVERY_US)
        while at_us < begins_us + ENDS_US:
            back_us = at_us + chance.randint(*OUT_US)
            world.at(at_us, lambda team=team: reach(team, out=True))  # type: ignore[misc]
            world.at(back_us, lambda team=team: reach(team, out=False))  # type: ignore[misc]
            at_us = back_us + int(chance.expovariate(1) * OUT_EVERY_US)


# what the books say, at HQ: every other reader says the same, which every drill checks


def _balances(campaign: Campaign, item: str = ITEM) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for site, lot, low, high in ledger_of(campaign.hq).store.all(
        "SELECT store, lot, low, high FROM balance WHERE item = ?", (item,)
    ):
        if low == high:
            found[str(SiteId(site)), lot] += low
    return found


def _counted(campaign: Campaign) -> tuple[int, int]:
    """Return how many doses of children with a name count, and how many of a crowd."""
    ledger = ledger_of(campaign.hq)
    spare = not_counted(ledger)
    given = ledger.store.all(
        "SELECT e.hash, d.idx FROM dose d JOIN entry e ON e.arrival = d.entry"
        " WHERE d.status = 'given' AND d.standing = 0 AND d.replaced = 0"
    )
    named = {FactRef(EntryPrefix(entry[:16]), idx) for entry, idx in given} - spare
    crowd = ledger.store.one("SELECT sum(n) FROM tally WHERE standing = 0 AND replaced = 0")
    return len(named), int((crowd and crowd[0]) or 0)


def _reconciled(campaign: Campaign) -> dict[str, dict[str, int]]:
    ground, found = campaign.ground, _balances(campaign)
    named, crowd = _counted(campaign)
    return {
        "movements": {"expected": sum(ground.lying.values()), "found": sum(found.values())},
        "doses": {"given": len(ground.arms) + ground.crowd, "counted": named + crowd},
        "vitamin_a": {"given": sum(ground.capsules.values()), "counted": _capsules(campaign)[0]},
    }


def _stock(campaign: Campaign) -> Finding:
    """Each lot in each store is what lies there, and no balance is a range."""
    expected, found = +campaign.ground.lying, +_balances(campaign)
    wrong = [key for key in expected | found if expected[key] != found[key]]
    if wrong:
        store, lot = sorted(wrong)[0]
        there, said = expected[store, lot], found[store, lot]
        return Finding(False, f"{len(wrong)} differ, first {lot}: {there} lie there, {said} said")
    return Finding(bool(expected), f"{sum(expected.values())} doses in {len(expected)} lots")


def _doses(campaign: Campaign) -> Finding:
    """Each child counts once, however often it was written down, and each of the crowd."""
    ground, (named, crowd) = campaign.ground, _counted(campaign)
    ok = named == len(ground.arms) and crowd == ground.crowd
    words = f"{len(ground.arms)} children and {ground.crowd} in crowds; {named} and {crowd} counted"
    return Finding(ok, words)


def _capsules(campaign: Campaign) -> tuple[int, int]:
    """Return how many capsules count at HQ, and how many of these may be one given twice."""
    rows = interventions.counts(ledger_of(campaign.hq))
    own = [one for one in rows if one.code == VITAMIN_A]
    return sum(one.number for one in own), sum(one.twice for one in own)


def _vitamin_a(campaign: Campaign) -> Finding:
    """Each capsule that was swallowed counts, also those of two teams for one child, and is gone.

    None is a dose. Exactly those that two teams gave apart are marked as possibly one given twice.
    """
    ground, (counted, marked) = campaign.ground, _capsules(campaign)
    given = sum(ground.capsules.values())
    twice = sum(times for times in ground.capsules.values() if times > 1)
    lying = +ground.capsules_lying
    found: Counter[str] = Counter()
    for (store, _), units in _balances(campaign, CAPSULE).items():
        found[store] += units
    ok = 0 < given == counted and 0 < twice == marked and lying == +found
    words = f"{given} given, {twice} of them by two teams; {counted} and {marked} at HQ"
    return Finding(ok, f"{words}; {sum(lying.values())} capsules lie there, {found.total()} said")


def _twice(campaign: Campaign) -> Finding:
    """Exactly the children that two teams wrote down apart wait for a person to decide."""
    listed = len(doubled(ledger_of(campaign.hq)))
    really = sum(times > 1 for times in campaign.ground.arms.values())
    return Finding(0 < really == listed, f"{really} written down twice, {listed} listed")


def _recall(drill: Drill, campaign: Campaign) -> Finding:
    """No device opens a vial of the lot once it has heard of the recall, and all hear of it."""
    witness = drill.world.witness
    recall = next((r for r in witness.records if r.line["kind"] == "lot.recall"), None)
    if recall is None:
        return Finding(False, "nothing was recalled")
    opened = [
        saved
        for saved in witness.records
        if saved.line["kind"] == "vial.open" and saved.line["data"]["lot"] == RECALLED
    ]
    heard = {
        host.place: witness.arrival_us(host.place, recall.entries) for host in drill.world.hosts
    }
    late = [saved for saved in opened if (heard[saved.place] or saved.at_us) < saved.at_us]
    racing = sum(saved.at_us > recall.at_us for saved in opened)
    refused = campaign.ground.refused["lot_recalled"]
    ok = not late and refused > 0 and None not in heard.values()
    return Finding(ok, f"{racing} opened before they heard of it, {refused} refused after")


def _on_the_way(campaign: Campaign) -> Finding:
    left = shipments.on_the_way(ledger_of(campaign.hq).store)
    sent = ledger_of(campaign.hq).store.one("SELECT count(*) FROM shipment")
    return Finding(not left and sent is not None and sent[0] > 0, f"{len(left)} lots on a road")


def _all_done(campaign: Campaign, errands: Errands) -> Finding:
    done = sum(team.done for team in campaign.teams)
    ok = done == len(campaign.teams) and not errands.open
    return Finding(ok, f"{done} of {len(campaign.teams)} teams closed their session")
