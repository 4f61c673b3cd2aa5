"""Persons, a concern for somebody's safety, a legal hold and a device that came back, in a drill.

What people see of a person's acts is asked of the software, since that is what is judged here; what
it has to be the drill knows, because it let them write.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from protocols.ids import DeviceId, EntryHash, PatientId
from protocols.ledger import about, orders, persons, practice
from protocols.ledger.persons import Grant
from protocols.ledger.recording import Seat
from protocols.ledger.sealing import SealOrder
from protocols.ledger.sitting import Sitting, sit_down
from protocols.mesh.effects import Effect, Now
from protocols.sim import borders, checkers
from protocols.sim.book import EntryName
from protocols.sim.cast import ledger_of, node_of
from protocols.sim.host import Host
from protocols.sim.report import Finding
from protocols.sim.witness import Line, Saved
from protocols.sim.world import World
from protocols.trust.control import SealReason
from protocols.trust.persons import PROFILE_VERSION, Cost, Profile

CHEAP = Cost(1, 8192)
"""The least that locks a person's key: what takes a person a second takes a drill no time."""


@dataclass(slots=True)
class Person:
    """Somebody with a credential, who sits at one device."""

    name: str
    host: Host
    sitting: Sitting
    records: list[Saved] = field(default_factory=list)
    """What they wrote, oldest first."""


def enrol(world: World, name: str, by: Host, at: Host, role: int) -> Person:
    """Certify somebody at one device, carry the credential to another by hand, and sit down."""
    made: list[bytes] = []
    seated: list[Sitting] = []

    def certify(now: Now) -> list[Effect]:
        key = persons.new_key(f"passphrase of {name}", now.entropy, CHEAP)
        profile = Profile(PROFILE_VERSION, name, "nurse", recognised_by="Ministry", licence=name)
        grant = Grant((role,))
        made.append(persons.add(ledger_of(by), key, profile, grant, now.entropy, now.wall_ms))
        made.append(bytes(key.keys.sign_seed))
        return node_of(by).wrote_control(now)

    def sit(now: Now) -> list[Effect]:
        enrolled = persons.take_in(ledger_of(at), made[0], now.wall_ms)
        seated.append(sit_down(ledger_of(at), enrolled.person, made[1], now.wall_ms))
        return node_of(at).wrote_control(now)

    world.call(by, certify)
    world.call(at, sit)
    return Person(name, at, seated[0])


def write(world: World, person: Person, line: Line) -> None:
    """Let a person write one line where they sit."""
    before = len(world.witness.records)

    def record(now: Now) -> list[Effect]:
        answers, effects = node_of(person.host).record([line], now, Seat(person.sitting))
        world.witness.answered(person.host, world.at_us, line, answers[0])
        return effects

    world.call(person.host, record)
    person.records += world.witness.records[before:]


def end_licence(person: Person, by: Host, since_ms: int, now: Now) -> list[Effect]:
    """Find a licence revoked since a while ago."""
    order = SealOrder(SealReason.LICENCE_ENDED, since_ms=since_ms)
    return node_of(by).seal(DeviceId(person.sitting.person), order, now)


def acts_in_doubt_are_listed(
    world: World, doubted: Sequence[Saved], others: Sequence[Saved], scope: bytes
) -> Finding:
    """Every reader lists what a person did since the licence ended, that alone, and counts it.

    Args:
        doubted: What they wrote since then; others: what they wrote before, and what others did.
        scope: Where all of it lies.
    """
    wanted, spared = _hashes(world, doubted, scope), _hashes(world, others, scope)
    hosts = _readers(world, scope)
    for host in hosts:
        listed = {bytes(act.entry.entry) for act in practice.for_review(ledger_of(host))}
        if listed != {name[:16] for name in wanted}:
            return Finding(False, f"{len(listed)} acts of {len(wanted)} are listed at {host.name}")
        rows = [row for row in host.machine.book.standings() if row.entry in wanted | spared]
        if any(row.standing for row in rows) or not wanted <= {row.entry for row in rows}:
            return Finding(False, f"an act does not count any more at {host.name}")
    if not wanted or not spared or len(hosts) < 2:
        return Finding(False, "nothing was in doubt, or all was: the drill proved nothing")
    return Finding(True, f"{len(wanted)} acts at {len(hosts)} readers")


def persons_are_named(world: World, people: Sequence[Person], scope: bytes) -> Finding:
    """Every reader knows which person wrote what, wherever the credential was carried."""
    named = 0
    for host in _readers(world, scope):
        roster, book = ledger_of(host).authority.roster, host.machine.book
        shown = {row.entry for row in book.standings()}
        for person in people:
            sitting = person.sitting
            who = roster.person(person.host.machine.device, sitting.epoch, sitting.session)
            if who is None or bytes(who) != bytes(sitting.person):
                return Finding(False, f"{host.name} does not know who wrote on {person.host.name}")
            sessions = _sessions(host, _hashes(world, person.records, scope) & shown)
            if sessions != {sitting.session}:
                return Finding(False, f"what a person wrote is somebody else's at {host.name}")
            named += 1
    return Finding(bool(named), f"{named} times a person was known by what they signed")


def _sessions(host: Host, entries: Collection[bytes]) -> set[tuple[int, bytes]]:
    ledger = ledger_of(host)
    return {
        fact.session
        for (subject,) in ledger.store.all("SELECT no FROM subject ORDER BY no")
        for fact in ledger.merger.facts_of(subject)
        if any(bytes(fact.prefix) == entry[:16] for entry in entries)
    }


# A concern for somebody's safety


def concerns_are_for_those_entitled(world: World, scope: bytes, word: str) -> Finding:
    """Only who may hold the protection scope has it, and only who may read it finds the words."""
    blind = seeing = 0
    for host in world.hosts:
        mine = [each for each in host.machine.book.arrivals(0) if each.scope == scope]
        if mine and not host.may_hold(scope):
            return Finding(False, f"{host.name} holds a concern that it may not")
        if borders.holds_word(host, word) and not host.may_read(scope):
            return Finding(False, f"{host.name} reads a concern that it may not")
        if host in checkers.readers(world) and host.may_read(scope):
            if not borders.holds_word(host, word):
                return Finding(False, f"{host.name} may read a concern and cannot")
            seeing += 1
        blind += not host.may_read(scope)
    if seeing < 2 or not blind:
        return Finding(False, "nobody, or everybody, reads concerns: the drill proved nothing")
    return Finding(True, f"read at {seeing} devices, kept from {blind}")


# A hold


@dataclass(slots=True)
class Held:
    """A patient whose erase was ordered while a hold stood."""

    patient: Callable[[], PatientId]
    word: str
    kept_at: dict[str, bool] = field(default_factory=dict)
    """While it stood, by reader: whether the words were still there."""
    holds: list[bytes] = field(default_factory=list)

    def hold(self, by: Host, now: Now) -> list[Effect]:
        """Keep what is known of the patient from being erased."""
        documents = about.documents_about(ledger_of(by), self.patient())
        written = orders.hold(ledger_of(by), documents, now.wall_ms)
        self.holds = [bytes(each.entry.hash) for each in written]
        return node_of(by).wrote_control(now)

    def look(self, world: World, scope: bytes) -> None:
        """See what is left of them while the hold stands."""
        for host in _readers(world, scope):
            self.kept_at[host.name] = borders.holds_word(host, self.word)

    def release(self, by: Host, now: Now) -> list[Effect]:
        """Lift the hold."""
        for entry in self.holds:
            orders.unhold(ledger_of(by), EntryHash(entry), now.wall_ms)
        return node_of(by).wrote_control(now)


def a_hold_stops_an_erase(world: World, held: Held) -> Finding:
    """While it stood every reader kept the words; lifted, they are gone from every honest disk."""
    lost = [name for name, kept in sorted(held.kept_at.items()) if not kept]
    if lost:
        return Finding(False, f"erased against a hold at {', '.join(lost)}")
    left = [h.name for h in checkers.holders(world) if borders.holds_word(h, held.word)]
    if left:
        return Finding(False, f"still there after the hold was lifted at {', '.join(left)}")
    if len(held.kept_at) < 2:
        return Finding(False, "nobody had anything to keep: the drill proved nothing")
    return Finding(True, f"kept at {len(held.kept_at)} readers until it was lifted")


# A device that came back


def readmitted_syncs(
    world: World, host: Host, since: Sequence[Saved], told: Sequence[Saved], scope: bytes
) -> Finding:
    """What it wrote since counts at every reader, and it reads what others wrote since.

    Args:
        since: What was written on it since it was admitted again.
        told: What others wrote since then.
    """
    wanted = _hashes(world, since, scope)
    for reader in _readers(world, scope):
        standing = {row.entry: row.standing for row in reader.machine.book.standings()}
        wrong = [entry for entry in wanted if standing.get(entry, -1) != 0]
        if wrong:
            return Finding(False, f"{len(wrong)} of its entries do not count at {reader.name}")
    mine = set(host.machine.book.opened().get(scope, ()))
    missing = [n for saved in told for n in saved.entries if _in(world, n, scope) - mine]
    if missing:
        return Finding(False, f"it cannot read {len(missing)} entries written since")
    if not wanted or not told:
        return Finding(False, "nothing was written since: the drill proved nothing")
    return Finding(True, f"{len(wanted)} entries of it, {len(told)} records of others")


def _in(world: World, name: EntryName, scope: bytes) -> set[EntryName]:
    return {name} if world.witness.scope_of(name) == scope else set()


def _hashes(world: World, records: Sequence[Saved], scope: bytes) -> set[bytes]:
    names = (name for saved in records for name in saved.entries)
    return {bytes(name.hash) for name in names if world.witness.scope_of(name) == scope}


def _readers(world: World, scope: bytes) -> list[Host]:
    return [host for host in checkers.readers(world) if host.may_read(scope)]
