"""One fixed sample of every structure of feeds and mesh that is hashed, signed or sent.

Nothing here is deflated: what a compressor makes of a body is not fixed, what it means is (see
`DEFLATED`).
"""

from __future__ import annotations

from hashlib import blake2b

from protocols.feeds.advance import Advance, Lone
from protocols.feeds.body import encode_body
from protocols.feeds.entry import header_of, sign_entry, signed_text
from protocols.feeds.feed import Genesis, Head
from protocols.feeds.lane import Lane
from protocols.feeds.run import encode_run
from protocols.ids import EntryHash, Epoch, FeedId, KeyId, ScopeId
from protocols.mesh import frames
from protocols.trust.statements import SignedStatement
from tests.unit.forge import Author, device_keys

SCOPE, KEY_ID, KEY = ScopeId(b"a scope of tests"), KeyId(b"i" * 32), b"k" * 32
NOISE = b"".join(blake2b(bytes((number,))).digest() for number in range(2))
"""Does not compress, so it is stored."""
PLAIN = encode_body(
    (3, b"hash"), sorted([NOISE[:16], NOISE[16:32]]), [(40, NOISE[32:]), (300, b"")]
)
DEFLATED = bytes.fromhex("cb48ccc9c957c840228b12cb13f3206c00")
"""A raw deflate stream of some writer, and what every reader must make of it."""
DEFLATED_MEANS = b"hallo hallo hallo rawan hallo"


def author() -> Author:
    return Author(device_keys("vectors"), SCOPE, KEY_ID, KEY, Epoch(b"epoch  7"))


STATEMENT = SignedStatement(1, b"\x90", b"i" * 32, b"s" * 64)
ENVELOPE = (b"k" * 32, b"e" * 32, b"w" * 48)


def lone(made: Author) -> Lone:
    """The last control entry of an author by itself."""
    entry = made.chains[Lane.CONTROL][-1]
    signature = sign_entry(made.keys, entry)
    genesis = made.genesis(Lane.CONTROL).encode()
    return Lone(genesis, entry.seq, bytes(entry.prev), entry.clock, entry.body, signature)


def samples() -> dict[str, bytes]:
    """Every sample by name; the bytes are the wire's and the disk's."""
    routine = author()
    for number in range(3):
        routine.key_id = KeyId(bytes((number % 2,)) * 32)
        routine.seal(PLAIN)
    first, *_, last = routine.chains[Lane.ROUTINE]
    control = author()
    control.control(b"\x63\x90")
    head = Head(FeedId(b"f" * 32), 9, EntryHash(b"h" * 32))
    later = Genesis(routine.keys.device, Epoch(b"epoch  8"), SCOPE, Lane.URGENT, (head,))
    bare = [routine.outgoing(each)._replace(body=None) for each in routine.chains[Lane.ROUTINE]]
    genesis = routine.genesis()
    place = frames.Place(FeedId(b"f" * 32), 300, b"8 bytes!")
    sent: dict[str, frames.Frame] = {
        "have": frames.Have(True, 1_000, (place,)),
        "want": frames.Want((place,)),
        "ladder": frames.Ladder((place, place)),
        "data": frames.Data(b"runs"),
        "mark": frames.Mark(300),
        "ack": frames.Ack(70_000, 300),
        "links": frames.Links((routine.keys.device,)),
        "receipt": frames.Receipt(b"statement"),
        "lacks": frames.Lacks((KeyId(b"k" * 32),)),
        "bye": frames.Bye("duplicate"),
        "vouch": frames.Vouch(Advance((STATEMENT,), (lone(control),), (ENVELOPE,))),
    }
    return {
        "genesis": genesis.encode(),
        "genesis with a head": later.encode(),
        "feed id": bytes(later.feed_id),
        "body": PLAIN,
        "header": header_of(first),
        "entry hash": bytes(first.hash),
        "sealed body": first.body,
        "signed text": signed_text(last.feed, last.seq, last.hash, last.clock),
        "signature": sign_entry(routine.keys, last),
        "run": routine.encoded(every=2),
        "run from the middle": routine.encoded(first=2),
        "run without bodies": encode_run(
            genesis.feed_id, genesis.encode(), 1, genesis.feed_id, bare
        ),
        "control run": control.encoded(Lane.CONTROL),
        **{f"frame {name}": frames.encode_frame(frame) for name, frame in sent.items()},
    }
