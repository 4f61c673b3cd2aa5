"""What must be true where organisations and laws meet: judged from disks, by what people agreed on.

As in `checkers`, no node is asked. Who may hold and read what was worked out from the text of the
charter (`coalition.py`); what was sealed, released and erased the drill itself did.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from protocols.sim import checkers
from protocols.sim.book import CONTROL, EntryName
from protocols.sim.host import Host
from protocols.sim.report import Finding
from protocols.sim.witness import Saved
from protocols.sim.world import World

FOLDED_AWAY = 2
"""So many first letters of a word may be missing in a search index, which shares them."""
ROTATION, ENVELOPES, CONFIRMATION = 4, 5, 14
"""Kind numbers of control records: a new scope key, that key for further devices, an erase carried
out. How they are laid out the protocol says; here they are read by themselves."""
ADDRESS_BYTES = 8
"""Of a device, by which an envelope is addressed to it."""
SETTLED_US = 60_000_000
"""After a seal is known everywhere, the scope has a new key within this."""
IN_FLIGHT_US = 2_000_000
"""What left a device before it learned of a seal arrives within this."""


def nobody_holds_what_its_law_forbids(world: World) -> Finding:
    """No disk of any device has an entry of a scope that its law keeps from it.

    Of a history released to it it has headers, which verify, and the bodies that were released.
    """
    withheld = 0
    everything = {name for host in checkers.holders(world) for name in held(world, host)}
    for host in world.hosts:
        if host.holds is None:
            continue
        bare = host.machine.book.bare() if host.released else frozenset()
        for arrival in host.machine.book.arrivals(0):
            lawful = host.may_hold(arrival.scope) or arrival.name in host.released | bare
            if not lawful:
                return Finding(False, f"seq {arrival.name.seq} is at {host.name}")
        withheld += sum(not host.may_hold(world.witness.scope_of(name)) for name in everything)
    if not withheld:
        return Finding(False, "nothing was there to be withheld: the drill proved nothing")
    return Finding(True, f"{withheld} entries withheld from {len(world.hosts)} devices")


def only_readers_read(world: World, words: Mapping[bytes, str]) -> Finding:
    """No device opens what it may not read, and none holds words of others in clear.

    Args:
        words: A word that is in every record of a scope, by scope.
    """
    opened = 0
    for host in world.hosts:
        for scope, names in host.machine.book.opened().items():
            wrong = not host.may_read(scope) and set(names) - host.released
            if wrong:
                return Finding(False, f"{len(wrong)} entries are open at {host.name}")
            opened += len(names)
    for scope, word in words.items():
        blind = [host for host in world.hosts if not host.may_read(scope)]
        seeing = [host for host in checkers.readers(world) if host.may_read(scope)]
        leak = next((host for host in blind if holds_word(host, word)), None)
        if leak is not None:
            return Finding(False, f"{leak.name} holds words that it may not read")
        if not all(holds_word(host, word) for host in seeing) or not seeing or not blind:
            return Finding(False, "a word is nowhere to be read: the drill proved nothing")
    return Finding(True, f"{opened} entries open, each where it may be")


def holds_word(host: Host, word: str) -> bool:
    """Whether a word can be found anywhere on a disk, in the search index too."""
    needle = word[FOLDED_AWAY:].lower().encode()
    return any(needle in value.lower() for value in host.machine.book.content())


# A stolen device


@dataclass(frozen=True, slots=True)
class Theft:
    """A device that was stolen and sealed."""

    stolen: Host
    above: frozenset[EntryName]
    """What it wrote that whoever sealed it did not have."""
    attacked: frozenset[bytes]
    """Hashes of entries of others that the thief retracted, linked or corrected."""
    known_us: int | None
    """When the last honest device within its reach learned of the seal."""


def nothing_above_the_seal_counts(world: World, theft: Theft) -> Finding:
    """What the thief wrote counts on no reader's screen, changes nobody, and is still kept."""
    stolen, witness = bytes(theft.stolen.machine.device), world.witness
    above = {bytes(name.hash) for name in theft.above}
    marked = stood = unharmed = 0
    for host in _team_readers(world, theft):
        rows = host.machine.book.standings()
        if theft.attacked - {row.entry for row in rows}:
            return Finding(False, f"the thief took something away at {host.name}")
        for row in rows:
            if row.entry in above and not row.standing:
                return Finding(False, f"a row in {row.table} of the thief counts at {host.name}")
            if row.entry in theft.attacked and (row.standing or row.replaced):
                return Finding(False, f"the thief changed a row in {row.table} at {host.name}")
            marked += row.entry in above
            unharmed += row.entry in theft.attacked
    for host in checkers.readers(world):
        below = {
            bytes(name.hash)
            for name in held(world, host)
            if witness.origin[name].device == stolen and name not in theft.above
        }
        for row in host.machine.book.standings():
            if row.entry in below and row.standing:
                return Finding(False, f"a row in {row.table} from before counts not at {host.name}")
            stood += row.entry in below
    for host in checkers.holders(world):
        lawful = {name for name in theft.above if host.may_hold(witness.scope_of(name))}
        if lawful - held(world, host):
            return Finding(False, f"{host.name} dropped what lies above the seal")
    if not (marked and stood and unharmed):
        return Finding(False, "nothing above or below the seal was shown: the drill proved nothing")
    return Finding(True, f"{len(theft.above)} entries above it, {marked} rows set apart")


def _team_readers(world: World, theft: Theft) -> list[Host]:
    """Return those who may read all that the thief attacked."""
    names = [name for name in world.witness.origin if bytes(name.hash) in theft.attacked]
    return [
        host
        for host in checkers.readers(world)
        if all(host.may_read(world.witness.scope_of(name)) for name in names)
    ]


def sealed_gets_nothing(world: World, theft: Theft) -> Finding:
    """Once all in its reach know of the seal, nothing that others wrote comes to the device."""
    if theft.known_us is None:
        return Finding(False, "some device in reach never heard of the seal")
    stolen, witness = bytes(theft.stolen.machine.device), world.witness
    ends_us = theft.known_us + IN_FLIGHT_US
    later = [
        name
        for name, came_us in witness.seen.get(theft.stolen.place, {}).items()
        if came_us > ends_us
        and witness.origin[name].device != stolen
        and witness.scope_of(name) != CONTROL
    ]
    written = sum(saved.at_us > ends_us for saved in witness.records)
    if later or not written:
        return Finding(False, f"{len(later)} entries came after it, of {written} records")
    return Finding(True, f"nothing of {written} records written after it")


def sealed_reads_nothing_and_still_writes(
    world: World, theft: Theft, records: Collection[Saved], word: str
) -> Finding:
    """The sealed device opens nothing; what it takes down all the same, every reader can read.

    Args:
        records: Written on it once it knew of its seal.
        word: A word that is in every record it could ever read.
    """
    written = {name for saved in records for name in saved.entries}
    names = {name for name in written if world.witness.scope_of(name) != CONTROL}
    if any(theft.stolen.machine.book.opened().values()) or holds_word(theft.stolen, word):
        return Finding(False, f"{theft.stolen.name} can still be read")
    if not names:
        return Finding(False, "nothing was taken down on it any more")
    readers = _team_readers(world, theft)
    for host in readers:
        if names - _opened(host):
            return Finding(False, f"what was taken down on it is shut at {host.name}")
    return Finding(True, f"{len(names)} entries taken down, open to {len(readers)} readers")


def new_keys_are_kept_from_it(world: World, theft: Theft) -> Finding:
    """What is written after a seal lies under keys that nobody gave to the sealed device."""
    if theft.known_us is None:
        return Finding(False, "some device in reach never heard of the seal")
    witness, address = world.witness, _address(theft.stolen)
    given = {
        key.id
        for host in checkers.holders(world)
        for key in envelopes(host)
        if address in key.addresses
    }
    scopes = {witness.scope_of(name) for name in theft.above}
    later = {
        key_id
        for host in checkers.holders(world)
        for name, key_id in host.machine.book.keys().items()
        if witness.scope_of(name) in scopes
        and name in witness.origin
        and witness.origin[name].at_us > theft.known_us + SETTLED_US
    }
    if later & given:
        return Finding(False, f"{len(later & given)} keys in use are open to the sealed device")
    if not later or not given:
        return Finding(False, "nothing was written under a new key: the drill proved nothing")
    return Finding(True, f"{len(later)} keys in use since, {len(given)} known to the thief")


def readers_share_a_key(world: World, scope: bytes) -> Finding:
    """Of a scope that several organisations read, there is a key that each of their devices got."""
    sent: dict[bytes, set[bytes]] = {}
    own: set[bytes] = set()
    for host in checkers.holders(world):
        for key in envelopes(host):
            sent.setdefault(key.id, set()).update(key.addresses)
            own.update([key.id] if key.scope == scope else [])
    entitled = [host for host in checkers.holders(world) if host.may_read(scope)]
    if len({host.org for host in entitled}) < 2:
        return Finding(False, "no two organisations read it: the drill proved nothing")
    everybody = {_address(host) for host in entitled}
    shared = [key for key in own if everybody <= sent[key]]
    if not shared:
        return Finding(False, f"of {len(own)} keys none is with all {len(entitled)} readers")
    return Finding(True, f"{len(shared)} of {len(own)} keys are with all {len(entitled)} readers")


def shared_scope_is_read(world: World, scope: bytes) -> Finding:
    """What several organisations write in a shared scope is open to every reader of each."""
    entitled = [host for host in checkers.readers(world) if host.may_read(scope)]
    open_at = {host.name: set(host.machine.book.opened().get(scope, ())) for host in entitled}
    everything = set[EntryName]().union(*open_at.values())
    origin = world.witness.origin
    writers = {world.hosts[origin[name].place].org for name in everything}
    behind = [name for name, opened in open_at.items() if opened != everything]
    if behind:
        return Finding(False, f"{behind[0]} cannot read all that others can")
    if len(writers) < 2:
        return Finding(False, "no two organisations wrote in it: the drill proved nothing")
    return Finding(True, f"{len(everything)} entries of {len(writers)} organisations")


class SentKey(NamedTuple):
    """A scope key in one control record."""

    id: bytes
    scope: bytes | None
    """None where the record only hands it on."""
    addresses: frozenset[bytes]


def envelopes(host: Host) -> Iterator[SentKey]:
    """Yield each key with the addresses that it was sent to, as the control records here say."""
    for _, entry, body in host.machine.book.control():
        if body and body[0] in (ROTATION, ENVELOPES):
            fields = msgspec.msgpack.decode(body[1:])
            addresses = frozenset(address for address, _ in fields[-1])
            if body[0] == ROTATION:
                yield SentKey(entry, fields[0], addresses)
            else:
                yield SentKey(fields[0], None, addresses)


def _address(host: Host) -> bytes:
    return bytes(host.machine.device)[:ADDRESS_BYTES]


def all_of_them_stand(world: World, hosts: Iterable[Host]) -> Finding:
    """Everything that these devices wrote counts on every reader's screen."""
    devices = {bytes(host.machine.device) for host in hosts}
    shown = 0
    for host in checkers.readers(world):
        theirs = {
            bytes(name.hash)
            for name in held(world, host)
            if world.witness.origin[name].device in devices
        }
        for row in host.machine.book.standings():
            if row.entry in theirs and row.standing:
                return Finding(False, f"a row in {row.table} does not count at {host.name}")
            shown += row.entry in theirs
    if not shown:
        return Finding(False, "nothing of theirs was shown: the drill proved nothing")
    return Finding(True, f"{shown} rows of {len(devices)} devices")


# Release and erase


def released_is_read(world: World, records: Collection[Saved], word: str) -> Finding:
    """Released records are open at each recipient, verified, and at nobody else who may not read.

    Args:
        word: A word that is in each of them and in nothing else.
    """
    names = {name for saved in records for name in saved.entries}
    recipients = [host for host in checkers.holders(world) if host.released]
    home = [
        host
        for host in checkers.readers(world)
        if all(host.may_read(world.witness.scope_of(name)) for name in names)
    ]
    if not (names and recipients and home):
        return Finding(False, "nothing was released: the drill proved nothing")
    wanted = _rows_of(home[0], names)
    for host in recipients:
        if not names <= _opened(host):
            return Finding(False, f"{len(names - _opened(host))} entries are shut at {host.name}")
        if _rows_of(host, names) != wanted:
            return Finding(False, f"{host.name} shows other rows than {home[0].name}")
        problem = host.machine.book.problem()
        if problem:
            return Finding(False, f"{host.name} cannot verify what it holds: {problem}")
    for host in world.hosts:
        if host not in recipients and host not in home and holds_word(host, word):
            return Finding(False, f"{host.name} got what was not released to it")
    return Finding(True, f"{len(names)} entries at {len(recipients)} devices")


def erased_is_gone(
    world: World, word: str, *, away: Host | None = None, counts: bytes = b""
) -> Finding:
    """The words are on no honest disk, the chains hold, and each holder has said that it is done.

    Args:
        word: A word that was in every erased record and in nothing else.
        counts: The scope of what was counted by it, which names nobody and stays.
        away: A device that was off when it was ordered, and has to have come back to it.
    """
    witness = world.witness
    gone = [saved for saved in witness.records if saved.key in witness.erased]
    written = {name for saved in gone for name in saved.entries}
    names = {name for name in written if witness.scope_of(name) != counts}
    holders = [
        host
        for host in checkers.holders(world)
        if any(host.may_hold(witness.scope_of(name)) for name in names)
    ]
    confirmed = {bytes(host.machine.device): frozenset(confirmations(host)) for host in holders}
    blind = 0
    for host in holders:
        mine = {name for name in names if host.may_hold(witness.scope_of(name))}
        left = len(mine - host.machine.book.bare()) + len(mine & _opened(host))
        problem = host.machine.book.problem()
        if left or holds_word(host, word):
            return Finding(False, f"{left} bodies or their words are still at {host.name}")
        if problem:
            return Finding(False, f"a chain does not verify at {host.name}: {problem}")
        if any(bytes(host.machine.device) not in said for said in confirmed.values()):
            return Finding(False, f"not everybody heard that {host.name} has erased")
        blind += not host.reads
    if not blind or (away is not None and away not in holders):
        return Finding(False, "no blind or no absent device had to erase: the drill proved nothing")
    return Finding(True, f"{len(names)} entries at {len(holders)} devices, {blind} of them blind")


def confirmations(host: Host) -> Iterator[bytes]:
    """Yield the devices that have said, on this disk, that they carried an erase out."""
    for device, _, body in host.machine.book.control():
        if body and body[0] == CONFIRMATION and msgspec.msgpack.decode(body[1:])[0]:
            yield device


def held(world: World, host: Host) -> set[EntryName]:
    """Return what a disk has had since it was put in."""
    return set(world.witness.seen.get(host.place, {}))


def _opened(host: Host) -> set[EntryName]:
    return {name for names in host.machine.book.opened().values() for name in names}


def _rows_of(host: Host, names: Collection[EntryName]) -> list[tuple[object, ...]]:
    wanted = {name.hash for name in names}
    tables = host.machine.book.rows().items()
    return [(table, *row) for table, rows in tables for row in rows if row[1] in wanted]
