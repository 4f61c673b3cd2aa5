"""Two organisations and a relay organisation: found from files, work, part, and meet again.

The host ministry's law keeps identified data at home, sealed or not. The visiting team's law lets
its ciphertext travel, so that anybody may carry it. A third organisation carries between the two
halves of a camp that a flood has parted, and reads nothing. While they are apart a laptop is
stolen and sealed, a patient is erased and another released across the border; and in the end the
two organisations try to seal each other.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from protocols.errors import FieldmeshError, InputError
from protocols.ids import DeviceId, PatientId, ScopeId
from protocols.ledger import about, orders, releasing, scopekeys
from protocols.ledger.sealing import SealOrder
from protocols.mesh.effects import Effect, Now
from protocols.sim import borders, checkers
from protocols.sim.book import CONTROL, EntryName
from protocols.sim.borders import Theft
from protocols.sim.cast import ledger_of, node_of
from protocols.sim.clock import SECOND_US
from protocols.sim.coalition import Coalition, Member
from protocols.sim.drill import CANARY, Drill
from protocols.sim.forgery import erase_anyway, seal_anyway
from protocols.sim.generator import Workload
from protocols.sim.holdings import holdings
from protocols.sim.host import Host
from protocols.sim.machine import Computer
from protocols.sim.network import WIFI
from protocols.sim.report import Finding, Result
from protocols.sim.scenarios.two_ministries_people import OFFICER, SAFETY, People, Places
from protocols.sim.scenarios.two_ministries_people import TERMS as MORE_TERMS
from protocols.sim.witness import Saved
from protocols.trust.control import SealReason
from protocols.trust.granting import Wish

MINISTRY, TEAM, MULES = "Ministry", "Team", "Mules"
MEMBERS = (
    Member(MINISTRY, "KE", "moh-hq"),
    Member(TEAM, "JP", "jp-lead"),
    Member(MULES, "CH", "mule-base", carries=True),
)
HOME, AWAY, COUNTS = "ministry care", "team care", "counts"
TERMS = f"""
[[scope]]
name = "{HOME}"
jurisdictions = ["KE"]
ciphertext_may_leave = false

[[scope]]
name = "{AWAY}"
jurisdictions = ["JP"]

[[scope]]
name = "{COUNTS}"
sensitivity = "aggregate"
jurisdictions = ["JP", "KE"]

[[role]]
number = 1
name = "device"
kinds = []

[[role]]
number = 2
name = "hq"

[[role]]
number = 3
name = "relay"
kinds = []

[[role]]
number = 4
name = "care"
{MORE_TERMS}"""
CARE, COORDINATOR = Wish("device", roles=("care",)), Wish("coordinator")

WORDS = {MINISTRY: "Wxkeloria", TEAM: "Vqjapolia"}
"""In every record of an organisation; no word anybody would say, nor like each other."""
ERASED, RELEASED = "Yxloschira", "Zqfreilda"
"""In every record of the patient who is erased, and of the one who is released."""

MINUTE_US = 60 * SECOND_US
PARTS, HEALS, ENDS = 8, 28, 32
"""Minutes since work began."""
WRITES_PER_HOUR = 40.0


def run(
    seed: int, *, computer: type[Computer] = Computer, per_hour: float = WRITES_PER_HOUR
) -> Result:
    """Run it, with this software on every device."""
    return _TwoMinistries(seed, computer).play(per_hour)


class _Patient:
    """Somebody this drill follows: a hand of their own that puts a word into every record."""

    def __init__(self, drill: Drill, name: str, word: str) -> None:
        self.word = word
        self._drill = drill
        self._hand = Workload(drill.seed, f"{name}-", canary=f"{CANARY} {word}")
        self.records: list[Saved] = []

    def write(self, host: Host) -> None:
        """Register them, or write down some care once they are."""
        hand = self._hand
        lines = [hand.note(hand.tags[0]), hand.triage(hand.tags[0])] if hand.tags else []
        for line in lines or [hand.register()]:
            self._drill.write(host, line, told=False)
            self.records.append(self._drill.world.witness.records[-1])

    @property
    def answers(self) -> list[Any]:
        """What whoever wrote was told."""
        return [saved.answer for saved in self.records]

    @property
    def id(self) -> PatientId:
        """What the devices call them."""
        return PatientId.parse(self.answers[0].id)

    @property
    def tag(self) -> str:
        """What a person finds them by."""
        return self._hand.tags[0]


class _TwoMinistries:
    """The camp, and what happens in it."""

    def __init__(self, seed: int, computer: type[Computer]) -> None:
        self.drill = Drill("two-ministries", seed, shape=WIFI)
        self.world = self.drill.world
        self.drill.words = WORDS
        camp = Coalition.found_by_files(
            self.world, MEMBERS, TERMS.encode(), name="Lake camp", computer=computer
        )
        self.camp = camp
        self.apart_messages = self.world.carriage.messages
        self.hq, self.lead, self.base = (camp.leads[member.name] for member in MEMBERS)
        self.second = camp.admit("moh-second", MINISTRY, COORDINATOR)
        self.tents = [camp.enrol(f"moh-tent-{number}", MINISTRY, CARE) for number in (1, 2)]
        self.deputy = camp.admit("jp-deputy", TEAM, COORDINATOR)
        self.ward = camp.enrol("jp-ward", TEAM, Wish("device", roles=OFFICER))
        self.tablet = camp.enrol("jp-tablet", TEAM, CARE)
        self.stolen = camp.enrol("jp-laptop", TEAM, CARE)
        self.mule = camp.enrol("mule", MULES, Wish("relay"))
        self.erased = _Patient(self.drill, "erased", ERASED)
        self.released = _Patient(self.drill, "released", RELEASED)
        self.victim = _Patient(self.drill, "victim", WORDS[TEAM])
        self.other = _Patient(self.drill, "other", WORDS[TEAM])
        self.found = _Patient(self.drill, "found", WORDS[TEAM])
        """Somebody a medic writes down on the laptop, once it is sealed."""
        places = Places(camp, self.lead, self.deputy, self.ward, self.tablet)
        care = camp.laws[AWAY].scope
        self.people = People(self.drill, places, care, self._at, self._do)
        self._begun = Workload(seed, "begun-", canary=f"{CANARY} {WORDS[TEAM]}")
        self.begun_us = self.steps = 0
        self.failed: dict[str, str] = {}
        """Steps that some software refused, and why."""
        self.seal: EntryName | None = None
        self.late: Host | None = None
        self.mutual: list[str] = []
        self.file = b""
        """What carries the release over the border."""

    # --- what happens ---------------------------------------------------------------------

    def play(self, per_hour: float) -> Result:
        """Let it happen, and judge."""
        self.camp.begin()
        self.world.mesh(self.world.hosts)
        self.begun_us = self.world.at_us
        for host in self.world.hosts:
            if host.reads:
                until = PARTS - 1 if host in (self.stolen, self.tablet) else ENDS
                self.drill.staff(host, per_hour=per_hour, until_us=self._minute(until))
        self._together()
        self._apart()
        self.people.plan(HEALS)
        self._at(HEALS, self.world.heal)
        self._at(HEALS + 1, self._take_released)
        self.world.run_until(self._minute(ENDS))
        self._come_late()
        self._judge()
        return self.drill.finish(self.hq, demand_relay=True)

    def _together(self) -> None:
        at = self._at
        for minute in (1, 2, 3):
            at(minute, lambda: self.erased.write(self.ward))
            at(minute, lambda: self.released.write(self.tents[0]))
            at(minute, lambda: self.other.write(self.ward))
        at(4, lambda: self.erased.write(self.stolen))
        at(4.7, lambda: self.drill.write(self.stolen, self._begun.register(), told=False))
        for minute in (1, 2):
            at(minute, lambda: self.victim.write(self.lead))

    def _apart(self) -> None:
        """A flood: one half of the camp on each side, and a boat between them."""
        at, world = self._at, self.world
        near = [self.hq, self.tents[0], self.lead, self.base, self.tablet]
        far = [self.second, self.tents[1], self.deputy, self.ward, self.stolen]
        for minute, boat in ((PARTS, near), (14, far), (17, near), (20, far), (23, near)):
            sides = [[*side, self.mule] if side is boat else side for side in (near, far)]
            at(minute, partial(world.partition, *sides))
        at(PARTS + 1, self._steal)
        at(PARTS + 3, self._seal)
        at(12, lambda: world.crash(self.tents[1], down_us=7 * MINUTE_US))
        at(13, lambda: world.crash(self.ward, down_us=9 * MINUTE_US))
        for host in (self.lead, self.deputy, self.hq):
            at(13.5, partial(self._rotate, host))
        at(16, self._erase)
        at(21, lambda: self.found.write(self.stolen))
        at(18, self._release)
        at(HEALS - 2, self._seal_each_other)

    def _steal(self) -> None:
        """The thief writes as the device may, and beyond it: against whoever could seal it."""
        drill, stolen, victim = self.drill, self.stolen, self.victim
        stolen.honest = False
        attacked = {name for saved in victim.records for name in saved.entries}
        self.attacked = frozenset(bytes(name.hash) for name in attacked)
        drill.write(stolen, drill.workload(stolen).register(), told=False)
        for kind, data in (
            ("entry.retract", {"fact": victim.answers[1].facts[0]}),
            ("patient.link", {"other": str(self.other.id), "relation": "same"}),
            ("patient.identify", {"given_name": "Nobody", "village": "Nowhere"}),
            ("triage.record", {"category": "green", "problem": "none"}),
        ):
            line = {"v": 1, "kind": kind, "key": f"thief {kind}", "data": data}
            about = {} if kind == "entry.retract" else {"patient": {"tag": victim.tag}}
            why = {"reason": "none"} if kind in ("entry.retract", "patient.link") else {}
            drill.write(stolen, {**line, **about, **why})
        self._do("seal by the thief", stolen, lambda now: self._misuse(stolen, now, attacked))

    def _misuse(self, stolen: Host, now: Now, attacked: set[EntryName]) -> list[Effect]:
        ledger = ledger_of(stolen)
        seal_anyway(ledger, self.lead.machine.device, now.wall_ms)
        erase_anyway(ledger, [bytes(name.hash) for name in attacked], now.entropy, now.wall_ms)
        return node_of(stolen).wrote_control(now)

    def _seal(self) -> None:
        """The team's lead learns that a laptop is gone, and seals it at what is here of it."""
        lead, stolen = self.lead, bytes(self.stolen.machine.device)
        witness, before = self.world.witness, borders.held(self.world, lead)
        self.below = frozenset(name for name in before if witness.origin[name].device == stolen)
        device, order = self.stolen.machine.device, SealOrder(SealReason.LOST)
        self._do("seal", lead, lambda now: node_of(lead).seal(device, order, now))
        new = borders.held(self.world, lead) - before
        self.seal = min(new, key=lambda name: name.seq, default=None)

    def _rotate(self, host: Host) -> None:
        """Two coordinators who cannot reach each other give one scope a new key each."""

        def rotate(now: Now) -> list[Effect]:
            ledger = ledger_of(host)
            with ledger.atomic():
                for name in (AWAY if host.org == TEAM else HOME, COUNTS):
                    scope = ScopeId(self.camp.laws[name].scope)
                    scopekeys.new_key(ledger, scope, now.entropy, now.wall_ms)
            return node_of(host).wrote_control(now)

        self._do("rotate", host, rotate)

    def _erase(self) -> None:
        """The patient wants to be forgotten: asked by the lead, signed by the deputy."""
        lead, deputy = self.lead, self.deputy

        def apply(now: Now) -> list[Effect]:
            ledger = ledger_of(lead)
            documents = about.documents_about(ledger, self.erased.id)
            asked = orders.request(ledger, documents, orders.REASONS["asked"])
            orders.apply(ledger, orders.approve(ledger_of(deputy), asked), now.wall_ms)
            return node_of(lead).wrote_control(now)

        self._do("erase", lead, apply)
        self.world.witness.erased.update(saved.key for saved in self.erased.records)

    def _release(self) -> None:
        """The patient is handed over: asked by the ministry, signed by its second coordinator."""
        hq, second = self.hq, self.second

        def apply(now: Now) -> list[Effect]:
            ledger = ledger_of(hq)
            wish = releasing.Wish(
                tuple(about.documents_about(ledger, self.released.id)),
                (TEAM,),
                releasing.PURPOSES["transfer"],
                "agreement of both ministries, article 4",
            )
            asked = releasing.request(ledger, wish, now.entropy(64 * releasing.RELEASES_MAX))
            approved = releasing.approve(ledger_of(second), asked)
            written = releasing.apply(ledger, approved, now.wall_ms)
            self.file = releasing.export(ledger, [each.entry.hash for each in written])
            return node_of(hq).wrote_control(now)

        self._do("release", hq, apply)

    def _take_released(self) -> None:
        """The file goes over by hand to each of the team's devices that it is for."""
        names = {name for saved in self.released.records for name in saved.entries}
        for host in (self.lead, self.deputy, self.ward):

            def take(now: Now, host: Host = host) -> list[Effect]:
                releasing.import_file(ledger_of(host), self.file, now.wall_ms)
                return node_of(host).wrote_control(now)

            if self._do("take the release", host, take):
                host.released |= {n for n in names if not host.may_read(self._scope_of(n))}

    def _seal_each_other(self) -> None:
        """The two organisations fall out; what their own software refuses, they write past it."""
        for here, there in ((self.hq, self.lead), (self.lead, self.hq)):
            device = there.machine.device

            def seal(now: Now, here: Host = here, device: DeviceId = device) -> list[Effect]:
                try:
                    node_of(here).seal(device, SealOrder(SealReason.COMPROMISED), now)
                except InputError as error:
                    self.mutual.append(f"{error.code} {error.values.get('why')}")
                seal_anyway(ledger_of(here), device, now.wall_ms)
                return node_of(here).wrote_control(now)

            self._do("seal each other", here, seal)

    def _come_late(self) -> None:
        """Somebody new is handed all of it, and verifies it from its beginning."""
        self.steps += 1
        try:
            self.late = self.camp.enrol("jp-late", TEAM, CARE)
        except FieldmeshError as error:
            self.failed["enrol the latecomer"] = error.code
        self.world.mesh(self.camp.hosts)

    # --- what is found --------------------------------------------------------------------

    def _judge(self) -> None:
        world, drill, laws = self.world, self.drill, self.camp.laws
        stolen = bytes(self.stolen.machine.device)
        held = {name for host in checkers.holders(world) for name in borders.held(world, host)}
        above = frozenset(
            name
            for name in held - self.below
            if world.witness.origin[name].device == stolen
            and world.witness.scope_of(name) != CONTROL
        )
        words = {laws[HOME].scope: WORDS[MINISTRY], laws[AWAY].scope: WORDS[TEAM]}
        named = {law.scope: name for name, law in laws.items()}
        drill.notes["above the seal"] = len(above)
        drill.holdings = lambda: holdings(world, named)

        def theft() -> Theft:
            return Theft(self.stolen, above, self.attacked, self._known_us())

        drill.findings = self.people.findings(laws[SAFETY].scope) | {
            "founded_from_files": self._founded,
            "every_step_was_taken": self._taken,
            "nobody_holds_what_its_law_forbids": lambda: borders.nobody_holds_what_its_law_forbids(
                world
            ),
            "only_readers_read": lambda: borders.only_readers_read(world, words),
            "nothing_above_the_seal_counts": lambda: borders.nothing_above_the_seal_counts(
                world, theft()
            ),
            "sealed_gets_nothing": lambda: borders.sealed_gets_nothing(world, theft()),
            "sealed_reads_nothing_and_still_writes": lambda: (
                borders.sealed_reads_nothing_and_still_writes(
                    world, theft(), self.found.records, WORDS[TEAM]
                )
            ),
            "new_keys_are_kept_from_it": lambda: borders.new_keys_are_kept_from_it(world, theft()),
            "readers_share_a_key": lambda: borders.readers_share_a_key(world, laws[COUNTS].scope),
            "shared_scope_is_read": lambda: borders.shared_scope_is_read(world, laws[COUNTS].scope),
            "sealing_each_other_changes_nothing": self._mutual,
            "released_is_read": lambda: borders.released_is_read(
                world, self.released.records, RELEASED
            ),
            "erased_is_gone": lambda: borders.erased_is_gone(
                world, ERASED, away=self.ward, counts=laws[COUNTS].scope
            ),
        }

    def _founded(self) -> Finding:
        """From files alone: nothing passed between the organisations, and nobody began early."""
        operations = {ledger_of(host).authority.operation for host in self.world.hosts}
        if self.apart_messages:
            return Finding(False, f"{self.apart_messages} messages passed before all had signed")
        if not self.camp.refused_unsigned or len(operations) != 1:
            return Finding(False, f"{len(operations)} operations; begun before all had signed")
        return Finding(
            True, f"{len(MEMBERS)} organisations, one operation, no message between them"
        )

    def _taken(self) -> Finding:
        if self.failed:
            return Finding(False, ", ".join(f"{step}: {why}" for step, why in self.failed.items()))
        return Finding(True, f"{self.steps} steps")

    def _mutual(self) -> Finding:
        """Refused where asked for, written all the same: no effect, and everybody is told."""
        told = {
            tuple((seal.author, seal.subject, seal.reason) for seal in refused)
            for host in checkers.holders(self.world)
            for refused in [sorted(ledger_of(host).authority.roster.refused_seals())]
        }
        pair = {(self.hq.name, self.lead.name), (self.lead.name, self.hq.name)}
        if len(told) != 1 or self.mutual != 2 * ["may_not_seal seal_org"]:
            return Finding(False, f"{len(told)} opinions of it; refused as {self.mutual}")
        names = {host.machine.device: host.name for host in self.world.hosts}
        seen = {(names[author], names[subject]) for author, subject, _ in next(iter(told))}
        if not pair <= seen:
            return Finding(False, "not everybody was told of it")
        return borders.all_of_them_stand(self.world, (self.hq, self.lead))

    def _known_us(self) -> int | None:
        """When the last of the honest devices that the thief could meet learned of the seal."""
        seen = self.world.witness.seen
        moments = [
            seen[host.place].get(self.seal) if self.seal else None
            for host in checkers.holders(self.world)
            if host is not self.late
        ]
        known = [moment for moment in moments if moment is not None]
        return max(known) if len(known) == len(moments) else None

    # --- helpers --------------------------------------------------------------------------

    def _scope_of(self, name: EntryName) -> bytes:
        return self.world.witness.scope_of(name)

    def _minute(self, minute: float) -> int:
        return self.begun_us + round(minute * MINUTE_US)

    def _at(self, minute: float, act: Callable[[], object]) -> None:
        def happen() -> None:
            act()

        self.world.at(self._minute(minute), happen)

    def _do(self, step: str, host: Host, ask: Callable[[Now], list[Effect]]) -> bool:
        """Let somebody do something on a device; note why where it is refused."""
        self.steps += 1
        try:
            self.world.call(host, ask)
        except FieldmeshError as error:
            self.failed[step] = error.code
            return False
        return True
