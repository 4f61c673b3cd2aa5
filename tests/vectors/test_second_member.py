"""A device of another make joins by a code, greets, and writes down a patient.

It is built from the pages and from libraries for Noise, Ed25519 and msgpack; on the other end is
a whole node of ours.
"""

from __future__ import annotations

from typing import Any

from noise.connection import Keypair, NoiseConnection

from protocols.mesh.effects import Hangup, Transmit
from tests.unit.stage import WALL_MS, Device, Stage, patient
from tests.vectors.second_crypto import agreed, blake, keyed, opened, public_of, sign, verify_key
from tests.vectors.second_msgpack import write
from tests.vectors.second_runs import Cursor, Feed, facts_of, run_of, runs_of, varint
from tests.vectors.second_tables import CONTROL, FACTS, Reader
from tests.vectors.test_second_control import NUMBERS, second

CODE = b"0123456789"
STRICT, VALUES = Reader(CONTROL, strict=True), Reader(FACTS, strict=False)
SEED, SECRET, EPOCH = b"s" * 32, b"x" * 32, b"epoch 12"


class Newcomer:
    """A device that knows the pages, on a wire to a node of ours."""

    def __init__(self, host: Device) -> None:
        self.host, self.stage, self.links = host, Stage(), 0
        self.hung_up = ""
        self.inbox: list[bytes] = []
        self.device = verify_key(SEED)

    def dial(self, manner: int, pattern: str, psk: bytes = b"") -> None:
        """Begin a link."""
        self.links += 1
        self.noise = NoiseConnection.from_name(f"Noise_{pattern}_25519_ChaChaPoly_BLAKE2s".encode())
        self.noise.set_as_initiator()
        self.noise.set_prologue(b"fieldmesh mesh 1" + bytes((manner,)))
        self.noise.set_keypair_from_private_bytes(Keypair.STATIC, SECRET)
        if psk:
            self.noise.set_psks(psk)
        self.noise.start_handshake()
        self.take(
            self.host.node.opened(self.links, self.stage.now(self.host), dialled=False, address="x")
        )
        self.say(bytes((manner,)) + bytes(self.noise.write_message(b"")))

    def say(self, message: bytes) -> None:
        """Put a message on the link; what comes back is in `inbox`."""
        self.take(self.host.node.received(self.links, message, self.stage.now(self.host)))

    def take(self, effects: Any) -> None:
        """Do what the node asks of its driver."""
        for effect in effects:
            if isinstance(effect, Transmit) and effect.link == self.links:
                self.inbox.append(effect.message)
            if isinstance(effect, Hangup):
                self.hung_up = effect.code

    def plain(self) -> list[bytes]:
        """Return what has come inside the channel."""
        sealed, self.inbox = self.inbox, []
        return [bytes(self.noise.decrypt(each)) for each in sealed]

    def frame(self, number: int, body: bytes) -> None:
        """Send one frame."""
        self.say(bytes(self.noise.encrypt(bytes((number,)) + body)))

    def join(self) -> dict[str, Any]:
        """Enrol with the code; return the grant."""
        self.dial(3, "XXpsk3", blake(CODE, "fm-enrol-1"))
        self.noise.read_message(self.inbox.pop())
        self.say(bytes(self.noise.write_message(b"")))
        binding = self.noise.get_handshake_hash()
        asked = [self.device, public_of(SECRET), [], [], "Zelt 9", EPOCH, bytes(64)]
        text = b"fieldmesh join 1\0" + (32).to_bytes(2) + binding
        asked[-1] = sign(SEED, text + STRICT.write("JoinRequest", asked))
        self.say(bytes(self.noise.encrypt(STRICT.write("JoinRequest", asked))))
        [grant] = self.plain()
        return STRICT.named("JoinGrant", STRICT.read("JoinGrant", grant))

    def greet(self, grant: dict[str, Any]) -> bytes:
        """Greet at first contact; return the hello of the other end."""
        self.dial(1, "XX")
        hello = bytes(self.noise.read_message(self.inbox.pop()))
        operation = blake(grant["charter"][0], "fm-charter-1")
        ours = [1, operation, EPOCH, 0, WALL_MS, b"", 0, grant["chain"]]
        self.say(bytes(self.noise.write_message(STRICT.write("Hello", ours))))
        return hello


def scope_key(grant: dict[str, Any], scope: bytes) -> tuple[bytes, bytes]:
    """Return the key of a scope and its id, out of the control feed that came with a grant."""
    rotations: dict[bytes, dict[str, Any]] = {}
    handed: list[tuple[bytes, bytes, bytes]] = []
    device = STRICT.named("Certificate", STRICT.read("Certificate", grant["chain"][-1][1]))
    for entry in run_of(grant["entries"][0], grant["admitter"]):
        assert entry.body is not None
        number, value = second(entry.body)
        said = STRICT.named(NUMBERS[number], value)
        if number == 4 and said["scope"] == scope:
            rotations[entry.hash] = said
        if number in (4, 5):
            key_id = said.get("key_id", entry.hash)
            mine = [text for prefix, text in said["envelopes"] if prefix == device["subject"][:8]]
            handed += [(key_id, said["ephemeral"], text) for text in mine]
    for key_id, ephemeral, text in handed:
        if key_id in rotations:
            committed = rotations[key_id]["commitment"]
            beside = ephemeral + public_of(SECRET) + committed
            key = opened(
                keyed(agreed(SECRET, ephemeral), "fm-envelope-1", beside), bytes(24), b"", text
            )
            assert blake(key, "fm-scopekey-1") == committed
            return key_id, key
    raise AssertionError("no key")


def care_scope(grant: dict[str, Any]) -> bytes:
    """Return the identified scope that the newcomer may write in."""
    charter = STRICT.named("Charter", STRICT.read("Charter", grant["charter"][0]))
    certified = STRICT.named("Certificate", STRICT.read("Certificate", grant["chain"][-1][1]))
    [scope] = [
        each[0] for each in charter["scopes"] if each[2] == 0 and each[0] in certified["scopes"]
    ]
    return bytes(scope)


def feeds_of(newcomer: Newcomer, grant: dict[str, Any]) -> tuple[Feed, Feed]:
    """Return the newcomer's control feed and a routine one with a patient in it."""
    scope = care_scope(grant)
    head = b"\1" + newcomer.device + EPOCH
    control = Feed(SEED, head + bytes(16) + b"\0\0")
    routine = Feed(SEED, head + scope + b"\2\0")
    control.control(b"\1" + write([grant["charter"]]), WALL_MS)
    control.control(b"\2" + write([grant["chain"]]), WALL_MS)
    left_out = [VALUES.lacking(row) for row in VALUES.rows("PatientRegister")]
    named = [None, [], 0, "Okoro", "Amina", *left_out[5:]]
    facts = [(1, b"\x90"), (8, VALUES.write("PatientRegister", named))]
    plain = varint(0) + varint(0) + varint(len(facts))
    for kind, value in facts:
        plain += varint(kind) + varint(len(value)) + value
    routine.data(plain, WALL_MS, *scope_key(grant, scope), b"8 random")
    return control, routine


def test_a_device_of_another_make_joins_and_what_it_writes_is_seen_and_stands():
    ann = Device.found("ann")
    newcomer = Newcomer(ann)
    ann.node.invite(CODE, newcomer.stage.now(ann))

    grant = newcomer.join()
    hello = STRICT.named("Hello", STRICT.read("Hello", newcomer.greet(grant)))
    control, routine = feeds_of(newcomer, grant)
    first = newcomer.plain()
    places = b"".join(
        feed.id + varint(len(feed.entries)) + feed.entries[-1].hash[:8]
        for feed in (control, routine)
    )
    newcomer.frame(1, b"\1" + varint(3) + varint(2) + places)
    newcomer.frame(4, varint(0) + control.run())
    newcomer.frame(4, varint(3) + routine.run())

    assert (
        hello["operation"]
        == ann.ledger.authority.operation
        == blake(grant["charter"][0], "fm-charter-1")
    )
    assert ann.node.linked == [newcomer.device]
    assert {frame[0] for frame in first} <= {1, 5, 6, 7, 8, 11}
    ann.ledger.catch_up_all()
    row = "SELECT name, standing FROM patient"
    assert ann.store.all(row) == [("Okoro Amina", 0)]
    assert not newcomer.hung_up
    acks = [Cursor(frame[1:]) for frame in newcomer.plain() if frame[0] == 6]
    told = [(ack.varint(), ack.varint()) for ack in acks]
    assert told and told[-1][1] == 3


def test_it_reads_what_a_node_of_ours_sends_it():
    ann = Device.found("ann")
    newcomer = Newcomer(ann)
    newcomer.stage.write(ann, patient("Early"))
    ann.node.invite(CODE, newcomer.stage.now(ann))
    grant = newcomer.join()
    newcomer.greet(grant)

    newcomer.frame(1, b"\1" + varint(1) + varint(0))
    sent = [Cursor(frame[1:]) for frame in newcomer.plain() if frame[0] == 4]
    runs = [run for cursor in sent for run in runs_of(cursor, ann.id)]
    _, key = scope_key(grant, care_scope(grant))
    facts = [fact for run in runs for each in run for fact in facts_of(each, key)]

    told = [VALUES.read("PatientRegister", value) for kind, value in facts if kind == 8]
    assert [VALUES.named("PatientRegister", each)["given_name"] for each in told] == ["Early"]
    assert {entry.hash for run in runs for entry in run} == ann.entries


def test_a_wrong_code_shows_in_the_last_message_and_ends_the_link_without_a_word():
    ann = Device.found("ann")
    newcomer = Newcomer(ann)
    ann.node.invite(b"9876543210", newcomer.stage.now(ann))

    newcomer.dial(3, "XXpsk3", blake(CODE, "fm-enrol-1"))
    newcomer.noise.read_message(newcomer.inbox.pop())
    newcomer.say(bytes(newcomer.noise.write_message(b"")))

    assert newcomer.hung_up == "noise_failed" and newcomer.inbox == []
