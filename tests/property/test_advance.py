"""What goes ahead of control: judged by all that is here, and in the end by control alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import structs

from protocols.feeds.advance import Advance, Lone
from protocols.feeds.body import encode_body
from protocols.feeds.entry import Entry, EntryKind, make_entry, sign_entry
from protocols.feeds.lane import Lane
from protocols.feeds.run import Run
from protocols.ids import DeviceId, Epoch, KeyId, ScopeId
from protocols.ledger import advancing, gathering
from protocols.trust.certificates import Rank, open_certificate, sign_certificate
from protocols.trust.control import (
    Attestation,
    Certificates,
    Record,
    Rotation,
    Seal,
    SealReason,
    attested,
    decode_control,
    encode_control,
)
from protocols.trust.identity import DeviceKeys
from protocols.trust.keyring import rotate
from protocols.trust.standing import Standing
from protocols.trust.statements import SignedStatement, statement_hash
from tests.unit.camps import CARE, CARE_ROLE, RELAY_ROLE, Camp
from tests.unit.forge import Author, opening, saying
from tests.unit.stage import WALL_MS, Device, copied
from tests.unit.trust_operation import keys

SCOPE = ScopeId(CARE.id)
PEER, OTHER = DeviceId(b"peer" * 8), DeviceId(b"else" * 8)
CAMP = Camp(CARE)
ISSUER, COORDINATOR = CAMP.issuers["ministry"], keys("coordinator of tents")
TENTS = [keys(f"tent {number}") for number in range(3)]
PEOPLE = [keys(f"person {number}") for number in range(3)]
EPOCHS = {bytes(each.device): Epoch(b"epoch  1") for each in (ISSUER, COORDINATOR, *TENTS)}


@cache
def blank() -> Device:
    """A newcomer: it knows the charter and its own certificates."""
    return CAMP.device("new", "ministry")


def paper(
    issuer: DeviceKeys, subject: DeviceKeys, rank: Rank, roles: tuple[int, ...], serial: int
) -> SignedStatement:
    made = CAMP._signed(issuer, subject, rank, roles, (SCOPE,), serial)
    if rank != Rank.PERSON:
        return made
    return sign_certificate(structs.replace(open_certificate(made), agree=b""), issuer)


class Operation:
    """Feeds of some devices: sound and unsound certificates, attestations, seals, urgent notes."""

    def __init__(self, seed: int, size: int = 18) -> None:
        self.chance = Random(seed)
        new, key = blank(), self.chance.randbytes(32)
        readers = [(new.id, new.ledger.authority.keys.agree_public)]
        self.rotation = rotate(
            SCOPE, key, parents={}, readers=readers, ephemeral_secret=self.chance.randbytes(32)
        )
        none = KeyId.zero()
        self.authors = {
            name: Author(who, SCOPE, none, key)
            for name, who in (("issuer", ISSUER), ("coordinator", COORDINATOR))
        } | {f"tent {at}": Author(each, SCOPE, none, key) for at, each in enumerate(TENTS)}
        self.written: list[tuple[Author, Entry]] = []
        self.papers: list[SignedStatement] = []
        self.sessions: dict[str, list[tuple[int, bytes]]] = {name: [] for name in self.authors}
        self.notes = 0
        self._certify("issuer", CAMP.certificate(ISSUER, "ministry")[:1])
        coordinates = CAMP._signed(ISSUER, COORDINATOR, Rank.COORDINATOR, (1, 2, 3), (SCOPE,), 1)
        self._certify("issuer", (coordinates,))
        key_id = KeyId(self._control("coordinator", self.rotation).hash)
        for author in self.authors.values():
            author.key_id = key_id
        for at, tent in enumerate(TENTS[: self.chance.choice((2, 3))], 1):
            issuer = self.chance.choice((COORDINATOR, COORDINATOR, ISSUER))
            self._certify("coordinator", (paper(issuer, tent, Rank.DEVICE, (CARE_ROLE,), at),))
        for at, person in enumerate(PEOPLE[: self.chance.choice((2, 3))], 11):
            roles = self.chance.choice(((CARE_ROLE,), (CARE_ROLE,), (RELAY_ROLE,)))
            self._certify("coordinator", (paper(COORDINATOR, person, Rank.PERSON, roles, at),))
        for _ in range(size):
            self._step()

    def _step(self) -> None:
        turn, tent = self.chance.random(), f"tent {self.chance.randrange(len(TENTS))}"
        if turn < 0.5:
            self._note(tent)
        elif turn < 0.75:
            self._sit(tent)
        elif turn < 0.9:
            self._seal()
        else:
            subject = self.chance.choice([*TENTS, *PEOPLE])
            rank = Rank.DEVICE if subject in TENTS else Rank.PERSON
            issuer = self.chance.choice((COORDINATOR, ISSUER, *TENTS))
            again = paper(issuer, subject, rank, (CARE_ROLE,), self.chance.randint(20, 40))
            self._certify(self.chance.choice(("issuer", "coordinator", tent)), (again,))

    def _control(self, name: str, record: Record) -> Entry:
        author = self.authors[name]
        entry = author.control(encode_control(record))
        self.written.append((author, entry))
        return entry

    def _certify(self, name: str, papers: tuple[SignedStatement, ...]) -> None:
        self.papers += papers
        self._control(name, Certificates(papers))

    def _sit(self, tent: str) -> None:
        entry = self._control(tent, self._attestation(self.authors[tent]))
        self.sessions[tent].append((entry.seq, bytes(entry.hash)[:4]))

    def _attestation(self, author: Author) -> Attestation:
        people = [each for each in self.papers if open_certificate(each).rank == Rank.PERSON]
        certificate = self.chance.choice(people)
        subject = open_certificate(certificate).subject
        signer = next(each for each in PEOPLE if each.device == subject)
        name = bytes(statement_hash(certificate))
        text = attested(bytes(author.keys.device), bytes(author.epoch), name, WALL_MS)
        return Attestation(name, WALL_MS, signer.sign(text))

    def _note(self, tent: str) -> None:
        author, self.notes = self.authors[tent], self.notes + 1
        session = self.chance.choice([(0, b""), *self.sessions[tent]])
        plain = encode_body(session, [], [opening(), saying(f"note {self.notes}")])
        self.written.append((author, author.seal(plain, lane=Lane.URGENT)))

    def _seal(self) -> None:
        chance = self.chance
        subject = chance.choice([*TENTS, *TENTS, *PEOPLE, COORDINATOR])
        heads = {
            (bytes(entry.feed), entry.seq, bytes(entry.hash))
            for author, entry in self.written
            if chance.random() < 0.5
        }
        latest = {feed: (feed, seq, digest) for feed, seq, digest in sorted(heads)}
        extra = chance.choice(((), (), (RELAY_ROLE,)))
        record = Seal(bytes(subject.device), chance.randint(1, 6), tuple(latest.values()), extra)
        self._control(chance.choice(("issuer", "coordinator", "tent 0")), record)

    def runs(self) -> list[tuple[Author, Entry]]:
        return self.written

    def lones(self) -> list[Lone]:
        """Every control entry that may go ahead, and some that are in no feed."""
        found = [
            lone(author, entry)
            for author, entry in self.written
            if entry.kind == EntryKind.CONTROL
            and isinstance(decode_control(entry.body), Attestation | Rotation)
        ]
        for name in ("tent 0", "tent 1"):
            author = self.authors[name]
            body = encode_control(self._attestation(author))
            feed = author.genesis(Lane.CONTROL).feed_id
            place = (feed, self.chance.choice((2, 900)), b"p" * 32, author.clock)
            found.append(lone(author, make_entry(EntryKind.CONTROL, 0, place, KeyId.zero(), body)))
        return found

    def advances(self) -> list[Advance]:
        """What some peers send ahead: any part of all this, and papers that are in no feed."""
        chance = self.chance
        stray = paper(COORDINATOR, TENTS[-1], Rank.DEVICE, (CARE_ROLE,), 99)
        papers, entries = [*self.papers, stray], self.lones()
        envelopes = [
            (bytes(self.authors["issuer"].key_id), self.rotation.ephemeral, sealed)
            for _, sealed in self.rotation.envelopes
        ]
        return [
            Advance(
                tuple(chance.sample(papers, chance.randint(0, len(papers)))),
                tuple(chance.sample(entries, chance.randint(0, len(entries)))),
                tuple(chance.sample(envelopes, chance.randint(0, 1))),
            )
            for _ in range(chance.randint(1, 3))
        ]


def lone(author: Author, entry: Entry) -> Lone:
    genesis = author.genesis(Lane.CONTROL).encode()
    signature = sign_entry(author.keys, entry)
    return Lone(genesis, entry.seq, bytes(entry.prev), entry.clock, entry.body, signature)


Step = Run | Advance


def taking(device: Device, step: Step, peer: DeviceId = PEER) -> None:
    if isinstance(step, Run):
        device.ledger.take([step], WALL_MS)
    else:
        advancing.take(device.ledger, step, peer)


def after(steps: Sequence[Step]) -> Device:
    device = Device("new", copied(blank().store), 0)
    for step in steps:
        taking(device, step)
    return device


def said(device: Device) -> tuple[object, ...]:
    return device.care, device.unopened()


def standings(device: Device) -> dict[str, int]:
    device.ledger.catch_up_all()
    return dict(device.store.all("SELECT text, standing FROM note"))


def merged(chance: Random, steps: Sequence[Step], advances: Sequence[Advance]) -> list[Step]:
    """The runs of each feed in their order, all feeds and what goes ahead in any."""
    queues: dict[bytes, list[Step]] = {}
    for step in steps:
        assert isinstance(step, Run)
        queues.setdefault(bytes(step.feed), []).append(step)
    out: list[Step] = []
    waiting = [*queues.values(), *(list[Step]([each]) for each in advances)]
    while waiting:
        queue = chance.choice(waiting)
        out.append(queue.pop(0))
        waiting = [each for each in waiting if each]
    return out


def control_first(runs: Sequence[Run]) -> list[Step]:
    return [*sorted(runs, key=lambda run: not run.lines[0].kind)]


@settings(max_examples=max(settings.default.max_examples // 2, 20))
@example(4, Random(0))
@example(149, Random(0))
@example(70562820, Random(0))
@given(st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_in_the_end_all_is_judged_as_by_who_had_control_first(seed: int, chance: Random):
    operation = Operation(seed)
    runs = [author.run(entry) for author, entry in operation.runs()]
    expected = said(after(control_first(runs)))
    steps = merged(chance, runs, operation.advances() * chance.choice((1, 2)))
    device = Device("new", copied(blank().store), 0)
    for step in steps:
        taking(device, step, chance.choice((PEER, OTHER)))
        if chance.random() < 0.3:
            device.ledger.catch_up_all()
        if chance.random() < 0.05:
            device = Device("new", copied(device.store), 0)

    settled(device, PEER, OTHER)
    settled(device, OTHER)

    assert said(device) == expected
    assert said(Device("new", copied(device.store), 0)) == expected
    assert not kept(device)


def settled(device: Device, peer: DeviceId, *others: DeviceId) -> None:
    """All that a peer has is here."""
    if advancing.settle(device.ledger, peer, others):
        device.ledger.reload()


def kept(device: Device) -> bool:
    """Whether anything that came ahead is believed or held, now or after a restart."""
    started = Device("new", copied(device.store), 0)
    held = device.store.one("SELECT 1 FROM meta WHERE name LIKE 'advance%'")
    return any(each.ledger.authority.advanced for each in (device, started)) or held is not None


def without_tent_2() -> Operation:
    """A small operation in whose feeds nobody ever certified one of the tents."""
    for seed in range(50):
        operation = Operation(seed, size=0)
        named = {open_certificate(each).subject for each in operation.papers}
        if bytes(TENTS[2].device) not in named:
            return operation
    raise AssertionError


STRAY = paper(COORDINATOR, TENTS[2], Rank.DEVICE, (CARE_ROLE,), 99)


@pytest.mark.parametrize("again", [False, True])
def test_what_a_certificate_let_stand_only_once_its_issuer_was_here_is_judged_again(again: bool):
    operation = without_tent_2()
    operation._note("tent 2")
    runs = control_first([author.run(entry) for author, entry in operation.runs()])
    device = after([Advance((STRAY,)), *runs])
    assert set(standings(device).values()) == {Standing.STANDS}

    if again:
        device = Device("new", copied(device.store), 0)
    settled(device, PEER)

    assert set(standings(device).values()) == {Standing.UNADMITTED}
    assert said(device) == said(after(runs)) and not kept(device)


def test_what_nothing_came_of_is_let_go_too_and_counts_for_nothing_later():
    operation = without_tent_2()
    operation._note("tent 2")
    runs = control_first([author.run(entry) for author, entry in operation.runs()])
    device = after([Advance((STRAY,))])
    settled(device, PEER)
    assert not kept(device)

    for run in runs:
        taking(device, run)

    assert set(standings(device).values()) == {Standing.UNADMITTED}
    assert said(device) == said(after(runs))


def test_a_seal_that_it_kept_from_counting_counts_once_it_is_let_go():
    operation = without_tent_2()
    tent, coordinator = operation.authors["tent 0"], operation.authors["coordinator"]
    operation._note("tent 0")
    held = coordinator.chains[Lane.CONTROL][-1]
    heads = ((bytes(held.feed), held.seq, bytes(held.hash)),)
    before = control_first([author.run(entry) for author, entry in operation.runs()])
    # An issuer who is in no feed seals the coordinator, whose seal on a tent then comes too late.
    issuer = CAMP._signed(CAMP.roots["ministry"], TENTS[2], Rank.ISSUER, (1, 2, 3), (SCOPE,), 9)
    operation.written.clear()
    operation._control("tent 2", Seal(bytes(COORDINATOR.device), SealReason.LOST, heads))
    operation._control("coordinator", Seal(bytes(tent.keys.device), SealReason.LOST, ()))
    seals = [author.run(entry) for author, entry in operation.runs()]

    device = after([*before, Advance((issuer,)), *seals])
    assert set(standings(device).values()) == {Standing.STANDS}
    settled(device, PEER)

    assert set(standings(device).values()) == {Standing.HELD}
    assert said(device) == said(after([*before, *seals])) and not kept(device)


@settings(max_examples=max(settings.default.max_examples // 2, 20))
@given(st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_at_every_moment_it_is_judged_by_all_that_is_here_in_whatever_order_it_came(
    seed: int, chance: Random
):
    operation = Operation(seed, size=12)
    runs = [author.run(entry) for author, entry in operation.runs()]
    steps = merged(chance, runs, operation.advances())
    steps = steps[: chance.randint(0, len(steps))]
    device = Device("new", copied(blank().store), 0)
    for step in steps:
        taking(device, step)
        if chance.random() < 0.5:
            device.ledger.catch_up_all()
    papers_first = sorted(
        steps, key=lambda step: 2 - isinstance(step, Advance) if not control(step) else 0
    )

    assert standings(device) == standings(after(papers_first))


def control(step: Step) -> bool:
    return isinstance(step, Run) and bool(step.lines[0].kind)


@settings(max_examples=max(settings.default.max_examples // 2, 20))
@given(st.integers(0, 2**32))
def test_what_is_gathered_for_an_author_has_it_judged_as_by_who_holds_everything(seed: int):
    operation = Operation(seed)
    runs = [author.run(entry) for author, entry in operation.runs()]
    holder = after(control_first(runs))
    whole = standings(holder)
    for feed in list(holder.ledger.chain.feeds.values()):
        if feed.genesis.lane != Lane.URGENT:
            continue
        found = gathering.gather(holder.ledger, feed, blank().id)
        if found is None:
            continue
        own = [run for run in runs if run.feed == feed.feed_id]
        shown = standings(after([found, *own]))
        assert shown.items() <= whole.items() and len(shown) == len(own)


def test_the_campaigns_meet_authors_who_may_go_early_and_some_who_may_not():
    early = late = 0
    for seed in range(30):
        operation = Operation(seed)
        runs = [author.run(entry) for author, entry in operation.runs()]
        holder = after(control_first(runs))
        for feed in holder.ledger.chain.feeds.values():
            if feed.genesis.lane == Lane.URGENT:
                found = gathering.gather(holder.ledger, feed, blank().id)
                early, late = early + (found is not None), late + (found is None)
    assert early >= 10 <= late


@settings(max_examples=max(settings.default.max_examples // 2, 20))
@example(82, Random(0))
@given(st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_entries_are_judged_alike_whether_they_come_before_who_wrote_them_or_after(
    seed: int, chance: Random
):
    """Of seed 82 a person's certificate comes last, and stands nowhere: it tells who sat there."""
    operation = Operation(seed, size=40)
    runs = [author.run(entry) for author, entry in operation.runs()]

    device = after(merged(chance, runs, []))

    assert standings(device) == standings(after(control_first(runs)))


@pytest.mark.slow
def test_a_thousand_operations():
    for seed in range(1000):
        chance = Random(seed)
        operation = Operation(seed, size=40)
        runs = [author.run(entry) for author, entry in operation.runs()]
        expected = said(after(control_first(runs)))
        device = after(merged(chance, runs, operation.advances()))
        settled(device, PEER)
        assert said(device) == expected, seed
