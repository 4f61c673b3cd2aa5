"""What two nodes say to each other inside the secure channel.

One frame is one channel message: a type byte and a body. Every count is bounded before it is
believed; what cannot be read is the peer's fault.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from protocols.errors import PeerError
from protocols.feeds.advance import ADVANCE_MARK, Advance
from protocols.feeds.varint import put_varint, take_varint
from protocols.ids import DeviceId, FeedId, KeyId
from protocols.trust.statements import pack, unpack

MESSAGE_BYTES_MAX = 65_519
"""A WebSocket message with the channel's tag."""
FRAME_BYTES_MAX = MESSAGE_BYTES_MAX - 16
DATA_BYTES = 32 * 1024
"""Aim for a data frame: about 330 entries, some 10 ms of a receiver's work."""
HEADS_MAX = 1200
"""Heads in one HAVE; a longer vector goes out in several."""
LINKS_MAX = 256
LACKS_MAX = 64
"""Keys that one frame asks for; more come once these are here."""
DATA_HEAD_BYTES = 10
"""Type and mark before the runs of a data frame, at most."""
STUB_BYTES = 8
ZERO_STUB = bytes(STUB_BYTES)


class Place(NamedTuple):
    """One branch of a feed up to one entry."""

    feed: FeedId
    seq: int
    """0: nothing of it."""
    stub: bytes
    """First 8 bytes of the entry's hash; zero for seq 0."""


class Have(msgspec.Struct, frozen=True, gc=False):
    """What I hold that changed since you acknowledged; answered by data or WANT."""

    full: bool
    """True: every feed I may tell you of, so what is not listed I do not hold."""
    upto: int
    """My arrival number that this list reaches; 0 while more frames of it follow."""
    places: tuple[Place, ...]


class Want(msgspec.Struct, frozen=True, gc=False):
    """Send me these feeds after these places."""

    places: tuple[Place, ...]


class Ladder(msgspec.Struct, frozen=True, gc=False):
    """My branch at growing distances from its end: find our last common entry."""

    places: tuple[Place, ...]
    """All of one feed, ascending."""


class Data(msgspec.Struct, frozen=True, gc=False):
    """Runs of entries, one after another, of one lane."""

    runs: bytes
    mark: int = 0
    """As a MARK that follows at once, where these are the last; 0 = more to come."""


class Mark(msgspec.Struct, frozen=True, gc=False):
    """With all that came before this frame you hold everything of mine up to here."""

    upto: int


class Ack(msgspec.Struct, frozen=True, gc=False):
    """I have durably stored this much; send on."""

    taken: int
    """Bytes of data frames stored since the session began."""
    upto: int
    """Highest mark of yours reached; 0 = none yet."""
    mark: int = 0
    """A mark of ours that needs no answer: what you just sent is all we hold up to there."""


class Links(msgspec.Struct, frozen=True, gc=False):
    """Devices I am linked to right now: no need to offer me what they wrote."""

    devices: tuple[DeviceId, ...]


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """A signed statement of what its giver holds; anybody may carry it."""

    statement: bytes


class Bye(msgspec.Struct, frozen=True, gc=False):
    """I close this session, for this reason."""

    code: str


class Lacks(msgspec.Struct, frozen=True, gc=False):
    """Scope keys I am entitled to and cannot open, all of them: whoever has one, seal it to me."""

    keys: tuple[KeyId, ...]


class Vouch(msgspec.Struct, frozen=True, gc=False):
    """Control records that vouch for the urgent entries that follow, ahead of their feeds."""

    advance: Advance


class Unknown(msgspec.Struct, frozen=True, gc=False):
    """A frame of a newer protocol; passed over."""

    type: int


Frame = Have | Want | Ladder | Data | Mark | Ack | Links | Receipt | Bye | Lacks | Vouch | Unknown


def encode_frame(frame: Frame) -> bytes:
    """Return the bytes of a frame."""
    match frame:
        case Have(full, upto, places):
            return b"\1" + bytes((full,)) + put_varint(upto) + _put_places(places)
        case Want(places):
            return b"\2" + _put_places(places)
        case Ladder(places):
            return b"\3" + _put_places(places)
        case Data(runs, mark):
            return b"\4" + put_varint(mark) + runs
        case Mark(upto):
            return b"\5" + put_varint(upto)
        case Ack(taken, upto, mark):
            return b"\6" + put_varint(taken) + put_varint(upto) + put_varint(mark)
        case Links(ids) | Lacks(ids):
            number = b"\7" if isinstance(frame, Links) else b"\x0b"
            return number + put_varint(len(ids)) + b"".join(ids)
        case Receipt(statement):
            return b"\x08" + statement
        case Bye(code):
            return b"\x0a" + code.encode()
        case Vouch(advance):
            return ADVANCE_MARK + pack(advance)
        case Unknown():
            raise AssertionError("an unknown frame is never sent")


def decode_frame(raw: bytes) -> Frame:
    """Read a frame.

    Raises:
        PeerError: `malformed` when a count, length or character is wrong, `not_canonical`.
    """
    if not raw:
        raise PeerError("malformed", what="frame")
    reader = _READERS.get(raw[0])
    return Unknown(raw[0]) if reader is None else reader(raw)


def _put_places(places: Sequence[Place]) -> bytes:
    parts = [put_varint(len(places))]
    for place in places:
        parts += (place.feed, put_varint(place.seq), place.stub)
    return b"".join(parts)


def _take_places(raw: bytes, at: int) -> tuple[Place, ...]:
    count, at = take_varint(raw, at)
    if count > HEADS_MAX:
        raise PeerError("malformed", what="places")
    places = []
    for _ in range(count):
        feed = raw[at : at + 32]
        seq, at = take_varint(raw, at + 32)
        stub = raw[at : at + STUB_BYTES]
        at += STUB_BYTES
        if at > len(raw):
            raise PeerError("malformed", what="places")
        places.append(Place(FeedId(feed), seq, stub))
    if at != len(raw):
        raise PeerError("malformed", what="trailing")
    return tuple(places)


def _take_have(raw: bytes) -> Have:
    if len(raw) < 2 or raw[1] > 1:
        raise PeerError("malformed", what="have")
    upto, at = take_varint(raw, 2)
    return Have(bool(raw[1]), upto, _take_places(raw, at))


def _take_numbers(raw: bytes, count: int) -> list[int]:
    numbers, at = [], 1
    for _ in range(count):
        number, at = take_varint(raw, at)
        numbers.append(number)
    if at != len(raw):
        raise PeerError("malformed", what="trailing")
    return numbers


def _take_links(raw: bytes) -> Links:
    count, at = take_varint(raw, 1)
    if count > LINKS_MAX or len(raw) != at + count * 32:
        raise PeerError("malformed", what="links")
    return Links(tuple(DeviceId(raw[place : place + 32]) for place in range(at, len(raw), 32)))


def _take_lacks(raw: bytes) -> Lacks:
    count, at = take_varint(raw, 1)
    if count > LACKS_MAX or len(raw) != at + count * 32:
        raise PeerError("malformed", what="lacks")
    return Lacks(tuple(KeyId(raw[place : place + 32]) for place in range(at, len(raw), 32)))


def _take_bye(raw: bytes) -> Bye:
    code = raw[1:65]
    if not code.isascii():
        raise PeerError("malformed", what="bye")
    return Bye("".join(letter for letter in code.decode() if letter.isalnum() or letter == "_"))


def _take_data(raw: bytes) -> Data:
    mark, at = take_varint(raw, 1)
    return Data(raw[at:], mark)


_READERS: dict[int, Callable[[bytes], Frame]] = {
    1: _take_have,
    2: lambda raw: Want(_take_places(raw, 1)),
    3: lambda raw: Ladder(_take_places(raw, 1)),
    4: _take_data,
    5: lambda raw: Mark(_take_numbers(raw, 1)[0]),
    6: lambda raw: Ack(*_take_numbers(raw, 3)),
    7: _take_links,
    8: lambda raw: Receipt(raw[1:]),
    10: _take_bye,
    11: _take_lacks,
    ADVANCE_MARK[0]: lambda raw: Vouch(unpack(Advance, raw[1:])),
}
