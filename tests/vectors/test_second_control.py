"""Control bytes read, checked and written by somebody who has only `protocols/trust/WIRE.md`.

Ours is asked for bytes, and for what it makes of those of the second implementer.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from protocols.errors import PeerError
from protocols.feeds.advance import Advance
from protocols.mesh.greeting import Hello, decode_hello, encode_hello
from protocols.trust.audit import Detail, open_detail, seal_detail
from protocols.trust.certificates import Certificate, open_name, verify_chain
from protocols.trust.charter import SignedCharter, open_charter
from protocols.trust.control import Audit, AuditItem, UnknownControl, decode_control
from protocols.trust.enrolment import code_psk, open_grant, open_request, parse_code
from protocols.trust.receipts import open_receipt
from protocols.trust.statements import SignedStatement, pack, unpack
from tests.unit.trust_operation import CARE, FOUNDED, JAPAN, OPERATION, certify, entropy, keys
from tests.vectors.second_crypto import (
    agreed,
    blake,
    keyed,
    opened,
    public_of,
    sealed,
    sign,
    signed,
)
from tests.vectors.second_msgpack import Refused, read, write
from tests.vectors.second_tables import CONTROL, Reader, tables
from tests.vectors.test_second_facts import PIECES, plain
from tests.vectors.trust_samples import HQ, KEY, KEY_ID, RELEASED, TENT

GOLDEN = {
    name: bytes.fromhex(text)
    for name, text in json.loads(Path(__file__).with_name("trust.json").read_text()).items()
}
READER = Reader(CONTROL, strict=True)
NUMBERS = {table.number: name for name, table in tables(CONTROL).items() if table.number}
RECORDS = sorted(name for name in GOLDEN if name.startswith("control_"))
TEXTS = {"certificate_statement": "SignedStatement", "join_request": "JoinRequest"}


def second(body: bytes) -> tuple[int, Any]:
    """Return the number of a control record and its fields, or bytes where it is not known."""
    number, size = 0, 0
    for size, byte in enumerate(body[:3], 1):
        number |= (byte & 127) << 7 * (size - 1)
        if byte < 128:
            break
    else:
        raise Refused("malformed")
    if number > 65_535 or (size > 1 and not body[size - 1]) or len(body) > 48_128:
        raise Refused("malformed")
    name = NUMBERS.get(number)
    return number, READER.read(name, body[size:]) if name else body[size:]


def record(name: str) -> dict[str, Any]:
    """Return a golden control record by the names of its fields."""
    number, value = second(GOLDEN[name])
    return READER.named(NUMBERS[number], value)


def code_of(work: Callable[..., Any], *given: Any, **named: Any) -> str:
    """Return the code that something is refused with, or ''."""
    try:
        work(*given, **named)
    except (Refused, PeerError) as error:
        return str(error.args[0])
    return ""


@pytest.mark.parametrize("name", RECORDS)
def test_a_second_reader_finds_in_a_control_record_what_ours_does(name: str) -> None:
    number, value = second(GOLDEN[name])

    assert value == plain(decode_control(GOLDEN[name]))
    assert bytes((number,)) + READER.write(NUMBERS[number], value) == GOLDEN[name]


@pytest.mark.parametrize("name", RECORDS)
def test_both_refuse_the_same_control_records(name: str) -> None:
    chance = random.Random(name)
    seen = set[str]()
    for _ in range(300):
        body = GOLDEN[name][:1] + spoilt(read(GOLDEN[name][1:]), chance)

        theirs, ours = code_of(second, body), code_of(decode_control, body)

        assert bool(theirs) == bool(ours), (body.hex(), theirs, ours)
        seen.add(theirs)

    assert seen == {"", "malformed", "not_canonical"}


def spoilt(value: list[Any], chance: random.Random) -> bytes:
    """Return a structure with one place changed, one element too many or few, or spelled longer."""
    at: Any = value
    while inner := [each for each in at if isinstance(each, list) and each]:
        if chance.random() < 0.4:
            break
        at = chance.choice(inner)
    match chance.randrange(5):
        case 0:
            at[chance.randrange(len(at))] = chance.choice(PIECES)
        case 1:
            at.append(chance.choice(PIECES))
        case 2:
            at.pop()
        case 3:
            return longer(value)
    return write(value) + b"\0" * (chance.random() < 0.1)


def longer(value: list[Any]) -> bytes:
    """Return a structure whose array is spelled with a width too many."""
    return b"\xdc" + len(value).to_bytes(2) + write(value)[1:]


def test_an_unknown_record_is_kept_and_a_number_has_one_spelling() -> None:
    assert second(b"\x63\x90") == (99, b"\x90")
    assert decode_control(b"\x63\x90") == UnknownControl(99, b"\x90")
    assert second(b"\xff\xff\x03") == (65_535, b"")
    for body in (b"", b"\x80", b"\x81\x00", b"\x80\x80\x04", b"\xff\xff\xff\x01"):
        assert code_of(second, body) == code_of(decode_control, body) == "malformed"


# Charters, statements and certificates


def charter_reason(raw: bytes) -> str:
    """Return why a signed charter does not hold, by section 3, or ''."""
    try:
        body, signatures = READER.read("SignedCharter", raw)
        said = READER.named("Charter", READER.read("Charter", body))
    except Refused as error:
        return str(error.args[0])
    if said["version"] != 1:
        return "charter_version"
    orgs, scopes, roles = ([*said[name]] for name in ("orgs", "scopes", "roles"))
    lists = [[org[1] for org in orgs], [each[0] for each in scopes], [each[0] for each in roles]]
    lists += [each[at] for each in scopes for at in (3, 5)] + [each[2] for each in roles]
    if any(each != sorted(set(each)) for each in lists) or bytes(16) in lists[1]:
        return "charter_order"
    if any(role not in lists[2] for each in scopes for role in each[5]):
        return "charter_role_unknown"
    pairs = list(zip(orgs, signatures, strict=False))
    whole = bool(orgs) and len(orgs) == len(signatures)
    good = all(signed(org[1], b"fieldmesh charter 1\0" + body, name) for org, name in pairs)
    return "" if whole and good else "charter_signature"


def test_a_charter_is_named_and_judged_alike() -> None:
    raw = pack(FOUNDED)

    assert blake(FOUNDED.body, "fm-charter-1") == OPERATION
    assert charter_reason(raw) == "" == code_of(open_charter, FOUNDED)


def test_both_refuse_the_same_charters_for_the_same_reason() -> None:
    def change(at: tuple[int, ...], value: Any) -> bytes:
        said = read(FOUNDED.body)
        place = said
        for step in at[:-1]:
            place = place[step]
        place[at[-1]] = value
        return write(said)

    bodies = [
        change((0,), 2),
        change((5, 0, 0), bytes(16)),
        change((5, 0, 3), ["KE", "JP"]),
        change((5, 0, 4), 2),
        change((5, 0, 4), 1),
        change((5, 0, 5), [9]),
        change((4,), []),
        change((1,), "another"),
        change((6, 0, 2), [5, 5]),
        change((4, 0, 1), b"short"),
        FOUNDED.body + b"\0",
        longer(read(FOUNDED.body)),
    ]
    seen = set()
    for body in bodies:
        made = SignedCharter(body, FOUNDED.signatures)
        reason = charter_reason(pack(made))
        seen.add(reason)
        assert reason == code_of(open_charter, made)
    assert len(seen) == 6


def chain_reason(raws: list[bytes], now_ms: int = 0) -> str:
    """Return why a chain of statements does not hold, by section 4, or ''."""
    charter = READER.named("Charter", READER.read("Charter", FOUNDED.body))
    links = [READER.named("SignedStatement", READER.read("SignedStatement", raw)) for raw in raws]
    if not 1 <= len(links) <= 4:
        return "certificate_depth"
    if links[0]["issuer"] not in [org[1] for org in charter["orgs"]]:
        return "certificate_issuer"
    above: dict[str, Any] = {
        "subject": links[0]["issuer"], "rank": 0, "depth": 4, "count": 65_535,
        "roles": [each[0] for each in charter["roles"]],
        "scopes": [each[0] for each in charter["scopes"]],
        "not_before_ms": 0, "not_after_ms": 0,
    }  # fmt: skip
    for link in links:
        if link["kind"] != 1:
            return "certificate_kind"
        try:
            said = READER.named("Certificate", READER.read("Certificate", link["body"]))
        except Refused as error:
            return str(error.args[0])
        reason = next((why for why, is_so in asked(link, said, above, now_ms) if is_so), "")
        if reason:
            return reason
        above = said
    return ""


def asked(
    link: dict[str, Any], said: dict[str, Any], above: dict[str, Any], now_ms: int
) -> list[tuple[str, bool]]:
    """Return the rows of the table of section 4, each with whether it refuses."""
    begins, ends = said["not_before_ms"], said["not_after_ms"]
    outside = (
        begins < above["not_before_ms"]
        or 0 < ends < begins
        or (above["not_after_ms"] and not 0 < ends <= above["not_after_ms"])
    )
    lists = said["roles"], said["scopes"]
    text = b"fieldmesh statement 1\0\0\1" + link["issuer"] + link["body"]
    return [
        ("certificate_version", said["version"] != 1),
        ("certificate_order", any(each != sorted(set(each)) for each in lists)),
        ("certificate_agree_key", len(said["agree"]) not in (0, 32)),
        ("certificate_issuer", link["issuer"] != above["subject"]),
        ("certificate_operation", said["operation"] != OPERATION),
        ("certificate_rank", said["rank"] <= above["rank"]),
        ("certificate_roles", not set(said["roles"]) <= set(above["roles"])),
        ("certificate_scopes", not set(said["scopes"]) <= set(above["scopes"])),
        ("certificate_depth", said["depth"] >= above["depth"]),
        ("certificate_count", not 1 <= said["serial"] <= above["count"]),
        ("certificate_count", said["depth"] == 0 and said["count"] > 0),
        ("certificate_time", bool(outside)),
        ("certificate_expired", 0 < ends < now_ms),
        ("certificate_signature", not signed(link["issuer"], text, link["signature"])),
    ]


CHANGES: list[dict[str, Any]] = [
    {},
    {"version": 2},
    {"roles": (2, 1)},
    {"agree": b"short"},
    {"operation": bytes(32)},
    {"rank": 2},
    {"roles": (1, 9)},
    {"scopes": (b"else" * 4,)},
    {"depth": 2},
    {"serial": 0},
    {"serial": 501},
    {"count": 1},
    {"not_before_ms": 1},
    {"not_before_ms": 50, "not_after_ms": 40},
    {"not_before_ms": 50, "not_after_ms": 60},
    {"not_before_ms": 50, "not_after_ms": 90},
    {"not_before_ms": 50, "not_after_ms": 101},
    {"not_before_ms": 50, "not_after_ms": 0},
]
"""Of a device's certificate under a coordinator's that lasts from 10 to 100."""


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_a_chain_is_judged_alike(changes: dict[str, Any]) -> None:
    issuer, coordinator = keys("issuer"), keys("coordinator")
    lasting = {"not_before_ms": 10, "not_after_ms": 100}
    chain = [
        certify(JAPAN, issuer, rank=1, not_after_ms=200),  # type: ignore[arg-type]
        certify(issuer, coordinator, rank=2, **lasting),  # type: ignore[arg-type]
        certify(coordinator, TENT, **(lasting | changes)),
    ]
    swapped = [chain[0], chain[2], chain[1]]
    forged = [*chain[:2], SignedStatement(1, chain[2].body, chain[2].issuer, bytes(64))]
    other = [*chain[:2], SignedStatement(2, chain[2].body, chain[2].issuer, chain[2].signature)]
    charter = open_charter(FOUNDED)

    for each in (chain, swapped, forged, other, chain[1:], chain[:1] * 5):
        ours = code_of(verify_chain, charter, OPERATION, each, lower_ms=70)

        assert chain_reason([pack(link) for link in each], 70) == ours


def test_a_statement_is_written_and_named_as_by_ours() -> None:
    raw = GOLDEN["certificate_statement"]
    kind, body, issuer, _ = READER.read("SignedStatement", raw)
    text = b"fieldmesh statement 1\0" + kind.to_bytes(2) + issuer + body
    seed = entropy("root japan", 64)[:32]

    made = READER.write("SignedStatement", [kind, body, issuer, sign(seed, text)])

    assert made == raw
    assert blake(text, "fm-statement-1") == GOLDEN["certificate_hash"]
    assert READER.read("Certificate", body) == plain(unpack(Certificate, body))


# Keys, names and what is sealed


def envelope_for(own: Any, said: dict[str, Any]) -> bytes:
    """Return what an envelope of a record opens to for a device."""
    [wrapped] = [held for prefix, held in said["envelopes"] if prefix == own.device[:8]]
    committed = said.get("commitment", blake(KEY, "fm-scopekey-1"))
    text = said["ephemeral"] + public_of(own.agree_secret) + committed
    key = keyed(agreed(own.agree_secret, said["ephemeral"]), "fm-envelope-1", text)
    return opened(key, bytes(24), b"", wrapped)


def test_envelopes_parents_and_bridges_open() -> None:
    rotation, bridge = record("control_rotation"), record("control_bridge")
    [(parent, wrapped)], [(old, bridged)] = rotation["parents"], bridge["keys"]

    for own in (TENT, HQ):
        assert envelope_for(own, rotation) == KEY == envelope_for(own, record("control_envelopes"))
    assert rotation["commitment"] == blake(KEY, "fm-scopekey-1") == GOLDEN["key_commitment"]
    assert opened(keyed(KEY, "fm-parent-1", parent), bytes(24), b"", wrapped) == entropy("old")
    assert opened(keyed(KEY, "fm-bridge-1", old), bytes(24), b"", bridged) == entropy("old")


def test_released_keys_open() -> None:
    number, value = second(GOLDEN["release_to_readers"])
    said = READER.named(NUMBERS[number], value)

    key = keyed(envelope_for(HQ, said), "fm-release-1")
    pairs = opened(key, bytes(24), said["scope"], said["sealed_keys"])

    assert blake(envelope_for(HQ, said), "fm-scopekey-1") == said["commitment"]
    assert pairs == b"".join(entry + RELEASED[entry] for entry in sorted(RELEASED))


def test_a_sealed_name_and_an_audit_detail_open_both_ways() -> None:
    nonce, author, at_ms = entropy("n", 24), TENT.device, 1_790_000_000_000
    text = b"Tente 3"
    padded = len(text).to_bytes(2) + text + bytes(-(2 + len(text)) % 32)
    name = KEY_ID + nonce + sealed(keyed(KEY, "fm-name-1"), nonce, TENT.device, padded)
    detail = READER.write("Detail", [b"p" * 16, b"", b"", "", "why", 1])
    bound = bytes(author) + (5).to_bytes(2) + at_ms.to_bytes(8) + (3).to_bytes(8)
    block = len(detail).to_bytes(2) + detail + bytes(-(2 + len(detail)) % 128)
    made = KEY_ID + nonce + sealed(keyed(KEY, "fm-audit-1"), nonce, bound, block)
    item = AuditItem(5, at_ms, 3, made)
    said = Detail(patient=b"p" * 16, reason="why")

    assert open_name(name, subject=TENT.device, keys={KEY_ID: KEY}) == "Tente 3"
    assert open_detail(item, author, {KEY_ID: KEY}) == said
    assert seal_detail(said, author, item, (KEY_ID, KEY), nonce) == made
    assert second(b"\x0c" + pack(Audit((item,)))) == (12, [[[5, at_ms, 3, made]]])


def test_sessions_and_approvals_are_over_the_text_of_the_page() -> None:
    session = record("control_attestation")
    started, person = session["started_ms"].to_bytes(8), session["person"]
    text = b"fieldmesh session 1\0" + HQ.device + entropy("epoch", 8) + person + started
    number, erase = second(GOLDEN["control_erase"])
    bare = [*erase[:4], bytes(64), *erase[5:]]
    approval = b"fieldmesh approval 1\0" + OPERATION + TENT.device + bytes((number,))

    assert signed(keys("person").device, text, session["signature"])
    assert signed(erase[3], approval + READER.write("Erase", bare), erase[4])


# Receipts


def receipt_reason(raw: bytes) -> str:
    """Return why a receipt is refused, by section 6, or ''."""
    if len(raw) < 125:
        return "malformed"
    if raw[0] != 1:
        return "receipt_version"
    count, heads, signature = int.from_bytes(raw[57:61]), raw[61:-64], raw[-64:]
    if count > 16_384 or len(heads) != 72 * count:
        return "malformed"
    if not signed(raw[1:33], b"fieldmesh receipt 1\0" + raw[:-64], signature):
        return "receipt_signature"
    each = [heads[at : at + 72] for at in range(0, len(heads), 72)]
    if each != sorted(set(each)) or any(head[32:40] == bytes(8) for head in each):
        return "not_canonical"
    return ""


def receipt(heads: list[tuple[bytes, int, bytes]], version: int = 1) -> bytes:
    """Return a receipt of HQ, as a second implementer writes it."""
    body = bytes((version,)) + HQ.device + entropy("epoch", 8) + (3).to_bytes(8)
    body += (1_790_000_000_000).to_bytes(8) + len(heads).to_bytes(4)
    body += b"".join(feed + seq.to_bytes(8) + last for feed, seq, last in heads)
    return body + sign(entropy("hq", 64)[:32], b"fieldmesh receipt 1\0" + body)


def test_receipts_are_written_and_judged_alike() -> None:
    head, later = (entropy("feed"), 7, entropy("hash")), (b"\xff" * 32, 1, bytes(32))
    raw = receipt([head])
    tried = [
        raw, raw[:-1], raw[:124], b"", raw[:-1] + b"\0", raw[:57] + bytes(4) + raw[61:],
        receipt([head], 2), receipt([]), receipt([head, later]), receipt([later, head]),
        receipt([head, head]), receipt([(head[0], 0, head[2])]),
    ]  # fmt: skip

    assert raw == GOLDEN["receipt"]
    for each in tried:
        assert receipt_reason(each) == code_of(open_receipt, each)


# Enrolment, and what goes over links


def join_request(binding: bytes) -> bytes:
    """Return the tent's request as a second implementer writes it."""
    epochs = [[entropy("epoch", 8), entropy("feed")]]
    scopes, next_epoch = [b"old!" * 4], entropy("next", 8)
    head = [TENT.device, TENT.agree_public, epochs, scopes, "Tente 3", next_epoch]
    bare = READER.write("JoinRequest", [*map(plain, head), bytes(64)])
    text = b"fieldmesh join 1\0" + len(binding).to_bytes(2) + binding + bare
    return READER.write("JoinRequest", [*map(plain, head), sign(entropy("tent", 64)[:32], text)])


def test_a_request_is_written_as_ours_and_bound_to_its_channel() -> None:
    binding = entropy("binding")
    raw = join_request(binding)

    assert raw == GOLDEN["join_request"]
    assert b"fieldmesh request 1\n" + join_request(b"") == GOLDEN["join_request_file"]
    assert open_request(raw, binding, static=TENT.agree_public).name == "Tente 3"
    assert code_of(open_request, raw, b"", static=TENT.agree_public) == "join_proof"
    assert code_of(open_request, raw, binding, static=HQ.agree_public) == "join_proof"


def test_a_grant_is_read_and_judged_alike() -> None:
    charter, chain, admitter, entries = READER.read("JoinGrant", GOLDEN["join_grant"])
    links = [READER.write("SignedStatement", link) for link in chain]
    subject = READER.named("Certificate", READER.read("Certificate", chain[-1][1]))["subject"]

    assert b"fieldmesh grant 1\n" + GOLDEN["join_grant"] == GOLDEN["join_grant_file"]
    assert charter_reason(READER.write("SignedCharter", charter)) == chain_reason(links) == ""
    assert subject == TENT.device
    assert plain(open_grant(GOLDEN["join_grant"], TENT.device)[0])[2:] == [admitter, entries]
    assert code_of(open_grant, GOLDEN["join_grant"], HQ.device) == "join_grant"


def test_a_code_becomes_the_same_key() -> None:
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    letters = GOLDEN["enrolment_code"].decode().replace("-", "")
    number = sum(alphabet.index(letter) << 5 * at for at, letter in enumerate(letters[::-1]))
    code = number.to_bytes(10)

    assert parse_code(letters.lower()) == code
    assert blake(code, "fm-enrol-1") == code_psk(code) == GOLDEN["enrolment_psk"]


def test_a_hello_and_an_advance_are_read_and_written_alike() -> None:
    raw = READER.write("Hello", [1, OPERATION, b"epoch  1", 7, 9, b"", 0, []])
    held = json.loads(Path(__file__).with_name("feeds.json").read_text())
    vouch = bytes.fromhex(held["frame vouch"])

    assert encode_hello(decode_hello(raw)) == raw
    assert encode_hello(Hello(1, bytes(OPERATION), b"epoch  1", 7, 9)) == raw
    assert vouch[0] == 12
    assert READER.read("Advance", vouch[1:]) == plain(unpack(Advance, vouch[1:]))
    assert code_of(decode_hello, b"\x98\x02" + raw[2:]) == "version"


def test_files_begin_with_their_line() -> None:
    for name, line, table in (
        ("org_file", "organisation", "OrgFile"),
        ("root_file", "root key", "RootFile"),
        ("charter_file", "charter", "CharterFile"),
        ("person_credential", "person", "Credential"),
        ("person_request", "person request", "Request"),
    ):
        first, _, rest = GOLDEN[name].partition(b"\n")

        assert first == f"fieldmesh {line} 1".encode()
        assert READER.write(table, READER.read(table, rest)) == rest
    org, signature = READER.read("OrgFile", GOLDEN["org_file"].partition(b"\n")[2])
    assert signed(org[1], b"fieldmesh org 1\0" + READER.write("Org", org), signature)
    assert CARE
