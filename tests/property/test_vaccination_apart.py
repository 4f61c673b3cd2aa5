"""Vaccination over any history of five teams: the same totals for every order of delivery.

What was really given and tallied is kept beside the books, so that it trusts none of their code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.feeds.lane import Lane
from protocols.feeds.run import decode_run
from protocols.ids import FactRef, PatientId, SessionId
from protocols.ledger import coverage, immunization, vials
from protocols.ledger.book import Ledger
from protocols.ledger.given import GivenBook
from tests.unit.stage import WALL_MS, Device, camp, copied, line

NODES = 5
STEPS = 24
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
BORN = "2025-05-10"
CELLS = [{"vaccine": "mr", "dose": 1, "band": 2, "sex": sex} for sex in ("female", "male")]
TARGETS = [{"antigen": "measles", "number": 50, "band": 2}]
ANYWAY = [
    "dose_given_already",
    "dose_before_interval",
    "dose_near_live",
    "dose_other_vaccine",
    "session_closed",
    "vial_empty",
    "vial_discarded",
    "vial_past_limit",
    "future_time",
]

WEIGHTS = {"dose": 8, "tally": 5, "minus": 1, "vial": 2, "discard": 1, "undo": 2, "meet": 5,
           "decide": 1, "close": 1, "child": 2}  # fmt: skip

BASE = camp(tuple("abcde"))


def deliver(here: Device, there: Device, chance: Random, *, part: bool = False) -> None:
    """Carry what one device holds to another: feeds in any order, in runs of any length.

    Args:
        part: The link may break after any run.
    """
    source, target = here.ledger.chain, there.ledger.chain
    heads = sorted(source.heads(), key=lambda each: (each[0].genesis.lane != Lane.CONTROL,
                                                     chance.random()))  # fmt: skip
    for feed, tip in heads:
        while True:
            held = target.feeds.get(feed.feed_id)
            after = held.seq if held is not None else 0
            found = source.run_after(feed, tip, after, chance.choice((1, 2_000, 1 << 20)))
            if found is None:
                break
            run, _ = decode_run(found[0], 0, target.genesis_of, target.prev_of)
            there.ledger.take([run], WALL_MS)
            if chance.random() < 0.3:
                there.ledger.catch_up_all()
            if part and chance.random() < 0.1:
                there.ledger.catch_up_all()
                return
    there.ledger.catch_up_all()


@dataclass
class Given:
    """One dose or tally as it was really given, and by whom it was known."""

    session: str
    child: str
    n: int
    seen: frozenset[str]
    """Doses of the child that its writer held."""


@dataclass
class Story:
    """What people did, beside the books."""

    devices: list[Device]
    chance: Random
    hours: int = 0
    sessions: list[str] = field(default_factory=list)
    children: list[str] = field(default_factory=list)
    vials: list[str] = field(default_factory=list)
    given: dict[str, Given] = field(default_factory=dict)
    undone: set[str] = field(default_factory=set)
    decided: bool = False

    def write(self, at: int, kind: str, data: Any, **more: Any) -> Any:
        device = self.devices[at]
        record, about = device.node._recorder.record, {"confirm": ANYWAY, **more}
        now_ms = WALL_MS + self.hours * HOUR_MS
        ((answer,), _, _) = record([line(kind, data, **about)], now_ms, device.chance.randbytes)
        return answer

    def known(self, at: int, facts: Iterable[str]) -> list[str]:
        """Those of some facts that a device holds."""
        find = self.devices[at].ledger.chain.names.find
        return [each for each in facts if find(FactRef.parse(each).entry) is not None]

    def held(self, at: int, table: str, column: str, kind: Any) -> list[str]:
        rows = self.devices[at].store.all(f"SELECT {column} FROM {table} WHERE replaced < 2")
        return sorted(str(kind(bytes(row[0]))) for row in rows)

    def step(self, what: str) -> None:
        chance, at = self.chance, self.chance.randrange(NODES)
        self.hours += chance.choice((0, 0, 1, 7))
        sessions = self.held(at, "session", "id", SessionId)
        children = self.held(at, "patient", "id", PatientId)
        bottles = self.known(at, self.vials)
        if what == "meet":
            deliver(self.devices[at], self.devices[chance.randrange(NODES)], chance, part=True)
        elif what == "child":
            made = self.write(at, "patient.register", {"birth_date": BORN, "sex": "female"})
            self.children.append(made.patient)
        elif what == "session" or not sessions:
            data = {"vaccines": ["mr", "penta"], "cells": CELLS, "targets": TARGETS}
            self.sessions.append(self.write(at, "session.open", data).id)
        elif what == "dose" and children:
            self._dose(at, chance.choice(children), chance.choice(sessions), bottles)
        elif what in ("tally", "minus"):
            n = chance.randint(1, 3) if what == "tally" else -1
            session = chance.choice(sessions)
            about = {"session": session, "cell": chance.randint(1, 2), "n": n}
            made = self.write(at, "tally.add", about, reason="pressed twice")
            self.given[made.id] = Given(session, "", n, frozenset())
        elif what == "vial":
            about = {"session": chance.choice(sessions), "item": "vaccine-mr-10", "lot": "MR-1"}
            self.vials.append(self.write(at, "vial.open", about).id)
        elif what == "discard" and bottles:
            about = {"vial": chance.choice(bottles), "reason": "time-limit", "doses": 2}
            self.write(at, "vial.discard", about)
        elif what == "close":
            self.write(at, "session.close", {"session": chance.choice(sessions)})
        elif what == "undo" and (known := self.known(at, self.given)):
            fact = chance.choice(known)
            if self.write(at, "entry.retract", {"fact": fact}, reason="wrong").ok:
                self.undone.add(fact)

    def _dose(self, at: int, child: str, session: str, bottles: list[str]) -> None:
        about: dict[str, Any] = {
            "vaccine": self.chance.choice(("mr", "mr", "penta")),
            "dose": self.chance.randint(1, 2),
        }
        if about["vaccine"] == "mr" and bottles and self.chance.random() < 0.6:
            bottle = self.chance.choice(bottles)
            about["vial"] = bottle
        else:
            about["session"] = session
        seen = self.known(at, [each for each, one in self.given.items() if one.child == child])
        made = self.write(at, "dose.record", about, patient=child)
        assert made.ok, made
        row = self.devices[at].store.one(
            "SELECT session FROM dose d JOIN entry e ON e.arrival = d.entry WHERE e.hash >= ?"
            " AND e.hash < ?",
            _between(FactRef.parse(made.id).entry),
        )
        assert row is not None
        of = str(SessionId(bytes(row[0])))
        self.given[made.id] = Given(of, child, 1, frozenset(seen))

    def plainly(self) -> dict[str, int]:
        """What each session really comes to: tallies as pressed, doses that may be one once."""
        totals: dict[str, int] = dict.fromkeys(self.sessions, 0)
        standing = {each: one for each, one in self.given.items() if each not in self.undone}
        for one in standing.values():
            if not one.child:
                totals[one.session] += one.n
        return totals


def _between(prefix: bytes) -> tuple[bytes, bytes]:
    return bytes(prefix), bytes(prefix) + b"\xff" * 20


def told(device: Device) -> tuple[Any, ...]:
    """Everything that a page about vaccination says, on one node."""
    ledger, late = device.ledger, WALL_MS + 400 * HOUR_MS
    return (
        device.care,
        coverage.counts(ledger),
        coverage.coverage(ledger),
        coverage.zero_doses(ledger, ("measles", "rubella", "dtp", "hepb", "hib")),
        coverage.drop_out(ledger),
        [coverage.pace(ledger, bytes(row.id), late) for row in coverage.sessions(ledger)],
        vials.vials(ledger, late),
        vials.wastage(ledger, late),
        [(each.patients, each.doses, each.why) for each in immunization.doubled(ledger)],
        sorted(immunization.not_counted(ledger)),
        _doubts(ledger),
    )


def _doubts(ledger: Ledger) -> Any:
    """What HQ is told of doses that may be one: remembered of whoever did not change."""
    found = immunization.doubts(ledger, immunization.in_doubt(ledger))
    assert found.spare == immunization.not_counted(ledger)
    ordered = sorted(found.doubled, key=lambda each: (each.rows[0].at_ms, each.doses))
    assert ordered == immunization.doubled(ledger)
    return found.spare


def story_of(seed: int) -> Story:
    chance = Random(seed)
    devices = [Device(each.name, copied(each.store), seed) for each in BASE]
    for each in devices:
        # From here on what is given is counted as it comes.
        each.ledger.rows.given.kept(immunization.plan_in_use(each.ledger))
    story = Story(devices, chance)
    deliver_all(story)
    story.step("session")
    story.step("child")
    deliver_all(story)
    for at, what in enumerate(chance.choices(list(WEIGHTS), list(WEIGHTS.values()), k=STEPS)):
        story.step(what)
        if not at % 16:
            _doubts(devices[at // 16 % NODES].ledger)
    return story


def deliver_all(story: Story) -> None:
    order = list(range(1, NODES))
    story.chance.shuffle(order)
    for at in order:
        deliver(story.devices[at], story.devices[0], story.chance)
    for at in order:
        deliver(story.devices[0], story.devices[at], story.chance)


def check(seed: int) -> None:
    story = story_of(seed)
    deliver_all(story)
    every = [told(device) for device in story.devices]
    assert all(one == every[0] for one in every), seed
    for device in story.devices:
        plan = immunization.plan_in_use(device.ledger)
        assert device.ledger.rows.given.kept(plan) == GivenBook(device.store).kept(plan), seed

    counted = coverage.counts(story.devices[0].ledger)
    # What a drive asks of its own session is that part of what is asked of all of them.
    for session in {SessionId.parse(each) for each in story.sessions}:
        own = [each for each in counted if each.session == bytes(session)]
        assert coverage.counts(story.devices[0].ledger, session) == own, seed
    tallied: dict[str, int] = dict.fromkeys(story.sessions, 0)
    for each in counted:
        if each.tallied:
            tallied[str(SessionId(each.session))] += each.doses
    assert tallied == story.plainly(), seed

    # Every dose that nobody took back is counted, or stands beside one that is.
    standing = [each for each, one in story.given.items()
                if one.child and each not in story.undone]  # fmt: skip
    spare = {str(ref) for ref in immunization.not_counted(story.devices[0].ledger)}
    named = sum(each.doses for each in counted if not each.tallied)
    assert spare <= set(standing) and named == len(standing) - len(spare), seed
    for group in immunization.doubled(story.devices[0].ledger):
        assert set(map(str, group.doses)) <= set(standing)
        # None of a group was written by somebody who knew of all the others.
        facts = [story.given[str(ref)] for ref in group.doses]
        assert any(
            str(one) not in other.seen and str(two) not in facts[at].seen
            for at, one in enumerate(group.doses)
            for two, other in zip(group.doses, facts, strict=True)
            if one != two
        ), seed


@settings(max_examples=max(settings.default.max_examples // 20, 4))
@given(st.integers(0, 2**32))
def test_totals_coverage_and_vials_are_equal_for_every_order_of_delivery(seed: int):
    check(seed)


@pytest.mark.slow
def test_a_hundred_stories_of_vaccination():
    for seed in range(100):
        check(seed)


ZONES = ("Europe/Paris", "America/Bogota", "Pacific/Apia", "Africa/Bujumbura", "-03:30", None)


@settings(max_examples=max(settings.default.max_examples // 8, 6))
@given(
    st.sampled_from(ZONES),
    st.integers(0, 400 * 24 * 60),
    st.lists(st.tuples(st.integers(0, 40 * 60), st.sampled_from(("right", "lost", "ahead"))),
             min_size=1, max_size=12),
)  # fmt: skip
def test_a_session_at_any_hour_anywhere_counts_each_dose_once_on_a_day_it_was_open(
    zone: str | None, start_min: int, doses: list[tuple[int, str]]
):
    """Over midnight, over a change of the clock, and with clocks that cannot be right."""
    chance = Random(start_min)
    by_clock = dict(
        zip(
            ("right", "lost", "ahead"),
            [Device(each.name, copied(each.store), 0) for each in BASE],
            strict=False,
        )
    )
    device = by_clock["right"]
    for other in (by_clock["lost"], by_clock["ahead"]):
        deliver(device, other, chance)
        deliver(other, device, chance)
    opened_ms = WALL_MS + start_min * 60_000

    def write(now_ms: int, kind: str, data: Any, clock: str = "right", **more: Any) -> Any:
        by, about = by_clock[clock], {"confirm": ANYWAY, **more}
        lines = [line(kind, data, **about)]
        ((answer,), _, _) = by.node._recorder.record(lines, now_ms, by.chance.randbytes)
        assert answer.ok, answer
        return answer

    data = {"vaccines": ["mr"], "cells": CELLS, **({"zone": zone} if zone else {})}
    session = write(opened_ms, "session.open", data).id
    for other in (by_clock["lost"], by_clock["ahead"]):
        deliver(device, other, chance)
    last_ms = opened_ms
    for minute, clock in sorted(doses):
        now_ms = opened_ms + minute * 60_000
        last_ms = max(last_ms, now_ms)
        said_ms = {"right": now_ms, "lost": 5_000, "ahead": now_ms + 9 * DAY_MS}[clock]
        child = write(said_ms, "patient.register", {"birth_date": BORN}, clock).patient
        about = {"vaccine": "mr", "session": session}
        write(said_ms, "dose.record", about, clock, patient=child)
        write(said_ms, "tally.add", {"session": session, "cell": 1}, clock)
    write(last_ms + 60_000, "session.close", {"session": session})
    for other in (by_clock["lost"], by_clock["ahead"]):
        deliver(other, device, chance)
    found = coverage.counts(device.ledger, SessionId.parse(session))
    place = ZoneInfo(zone) if zone and "/" in zone else None
    days = [_day(opened_ms, zone, place), _day(last_ms + 60_000, zone, place)]

    assert sum(each.doses for each in found) == 2 * len(doses)
    assert all(each.day is not None and days[0] <= each.day <= days[1] for each in found)
    right = Counter(
        _day(opened_ms + minute * 60_000, zone, place) for minute, clock in doses
        if clock == "right"
    )  # fmt: skip
    by_day = Counter[int]()
    for each in found:
        by_day[each.day or 0] += each.doses
    assert all(by_day[day] >= 2 * number for day, number in right.items())
    pace = coverage.pace(device.ledger, SessionId.parse(session), last_ms)
    assert sum(one + two for _, one, two in pace.by_hour) == 2 * len(doses)


def _day(at_ms: int, zone: str | None, place: ZoneInfo | None) -> int:
    if place is None:
        minutes = -210 if zone == "-03:30" else 0
        return (at_ms + minutes * 60_000) // DAY_MS
    return datetime.fromtimestamp(at_ms / 1000, place).date().toordinal() - 719_163
