"""One fixed sample of every structure of the trust room that is signed, hashed or sealed."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from protocols.ids import DeviceId, EntryHash, Epoch, FeedId, KeyId, ScopeId
from protocols.trust.certificates import Rank, seal_name
from protocols.trust.charter import open_charter
from protocols.trust.charterfile import (
    ROOT_ENTROPY_BYTES,
    add_org,
    new_charter,
    new_org,
    open_charter_file,
    open_root,
    sign,
    unlock_root,
)
from protocols.trust.control import (
    Admission,
    Attestation,
    Audit,
    AuditItem,
    Capture,
    Certificates,
    Confirmation,
    Erase,
    Founding,
    Hold,
    Release,
    Seal,
    SealReason,
    approved,
    attested,
    encode_control,
)
from protocols.trust.enrolment import (
    JoinGrant,
    code_psk,
    code_text,
    grant_file,
    request_file,
    sign_request,
)
from protocols.trust.fingerprint import fingerprint
from protocols.trust.granting import root_serial
from protocols.trust.identity import passphrase_key, seal_recovery, seal_to, wrap
from protocols.trust.keyring import bridge, commitment, envelopes_for, rotate
from protocols.trust.noise import XXPSK3, Handshake
from protocols.trust.persons import (
    Cost,
    Credential,
    Profile,
    make_request,
    person_keys,
    profile_text,
    wrap_pin,
    write_credential,
    write_request,
)
from protocols.trust.receipts import Receipt, ReceiptHead, sign_receipt
from protocols.trust.release import make_release
from protocols.trust.statements import pack, statement_hash
from protocols.trust.terms import Terms
from tests.unit.trust_operation import CARE, FOUNDED, JAPAN, OLD, OPERATION, certify, entropy, keys

TENT, HQ = keys("tent"), keys("hq")
NONCE = entropy("n", 24)
TERMS = Terms(open_charter(FOUNDED).scopes, open_charter(FOUNDED).roles)
KEY, KEY_ID = entropy("key"), KeyId(entropy("key id"))
READERS = [(TENT.device, TENT.agree_public), (HQ.device, HQ.agree_public)]


def samples() -> dict[str, bytes]:
    """Every sample by name; the bytes are the wire's and the disk's."""
    name = seal_name("Tente 3", subject=TENT.device, key=KEY, key_id=KEY_ID, nonce=entropy("n", 24))
    certificate = certify(
        JAPAN,
        TENT,
        Rank.DEVICE,
        not_before_ms=1_790_000_000_000,
        not_after_ms=1_799_000_000_000,
        sealed_name=name,
    )
    certified = statement_hash(certificate)
    epochs = ((entropy("epoch", 8), entropy("feed")),)
    person = keys("person")
    taken = attested(HQ.device, entropy("epoch", 8), certified, 1_790_000_000_000)
    rotation = rotate(
        CARE, KEY, parents={KEY_ID: entropy("old")}, readers=READERS, ephemeral_secret=entropy("e")
    )
    request: dict[str, Any] = {
        "epochs": epochs,
        "scopes": (OLD,),
        "name": "Tente 3",
        "next_epoch": entropy("next", 8),
    }
    asked = sign_request(TENT, b"", **request)
    grant = JoinGrant(FOUNDED, (certificate,), HQ.device, (b"entry",))
    return {
        "device_id": TENT.device,
        "agree_public": TENT.agree_public,
        "signature": TENT.sign(b"fieldmesh test\0text"),
        "sealed_to": seal_to(HQ.agree_public, entropy("e"), b"text", b"context"),
        "recovery": seal_recovery(KEY, HQ.agree_public, entropy("e")),
        "passphrase_key": passphrase_key("h\u00f4pital", bytes(16), ops=1, mem=8192),
        "wrapped": wrap(KEY, "h\u00f4pital", entropy("wrap", 40), ops=1, mem=8192),
        "charter_body": FOUNDED.body,
        "operation_id": OPERATION,
        "certificate_statement": pack(certificate),
        "certificate_hash": certified,
        "control_founding": encode_control(Founding(FOUNDED)),
        "control_certificates": encode_control(Certificates((certificate,))),
        "control_admission": encode_control(
            Admission(TENT.device, epochs, certified, ((OLD, CARE),))
        ),
        "key_commitment": commitment(KEY),
        "control_rotation": encode_control(rotation),
        "control_envelopes": encode_control(envelopes_for(KEY_ID, KEY, READERS, entropy("e"))),
        "control_bridge": encode_control(bridge(KEY_ID, KEY, {KeyId(bytes(32)): entropy("old")})),
        "control_attestation": encode_control(
            Attestation(certified, 1_790_000_000_000, person.sign(taken))
        ),
        **_deeds(),
        **_persons(),
        **_releases(),
        "receipt": sign_receipt(_receipt(), HQ),
        "enrolment_code": code_text(entropy("code", 10)).encode(),
        "enrolment_psk": code_psk(entropy("code", 10)),
        "join_request": pack(sign_request(TENT, entropy("binding"), **request)),
        "join_grant": pack(grant),
        "join_request_file": request_file(asked),
        "join_grant_file": grant_file(grant),
        **_founding_files(),
        "noise_xxpsk3": _enrolment(),
    }


def _deeds() -> dict[str, bytes]:
    """What ends, shows, keeps or notes something: control records 9 to 15."""
    entries, documents = (entropy("entry a"), entropy("entry b")), (entropy("document", 16),)
    wrapped = ((bytes(TENT.device[:8]), entropy("envelope", 48)),)
    note = seal_name("left behind", subject=TENT.device, key=KEY, key_id=KEY_ID, nonce=NONCE)
    erase = Erase(tuple(sorted(entries)), documents, 1, HQ.device, bytes(64))
    release = Release(
        scope=CARE,
        documents=documents,
        purpose=2,
        basis="Agreement 7",
        recipients=(bytes(JAPAN.device),),
        approver=HQ.device,
        approval=bytes(64),
        commitment=commitment(KEY),
        ephemeral=TENT.agree_public,
        envelopes=wrapped,
        sealed_keys=entropy("keys", 80),
    )
    text = {each: approved(OPERATION, TENT.device, each) for each in (erase, release)}
    erase = structs.replace(erase, approval=HQ.sign(text[erase]))
    release = structs.replace(release, approval=HQ.sign(text[release]))
    seal = Seal(
        subject=TENT.device,
        reason=SealReason.LOST,
        heads=((entropy("feed"), 7, entropy("hash")),),
        roles=(1,),
        epochs=(entropy("epoch", 8),),
        certificates=(entropy("kept"),),
        extends=entropy("seal"),
        since_ms=1_790_000_000_000,
        sealed_note=note,
    )
    return {
        "control_seal": encode_control(seal),
        "control_erase": encode_control(erase),
        "control_release": encode_control(release),
        "control_audit": encode_control(Audit((AuditItem(5, 1_790_000_000_000, 3, note),))),
        "control_hold": encode_control(Hold(documents, entries, entropy("hold"))),
        "control_confirmation": encode_control(Confirmation(entries)),
        "control_capture": encode_control(
            Capture(CARE, commitment(KEY), TENT.agree_public, wrapped)
        ),
    }


def _persons() -> dict[str, bytes]:
    """A person's profile, files and PIN."""
    seed = entropy("person", 64)[:32]
    own = person_keys(seed)
    profile = Profile(
        1, "Amina Okoro", "nurse", "Nursing Council", "KE-1", (24, 40), "adult wards",
        1_900_000_000_000, "Ministry of Health",
    )  # fmt: skip
    certificate = certify(JAPAN, own, Rank.PERSON, agree=b"", roles=(1,), scopes=(CARE,))
    wrapped = wrap(seed, "h\u00f4pital", entropy("wrap", 40), ops=1, mem=8192)
    credential = Credential(1, bytes(OPERATION), bytes(own.device), (certificate,), wrapped)
    request = make_request(own, OPERATION, profile, 1_790_000_000_000)
    pin = wrap_pin(seed, "4817", entropy("pin", 64), book=KEY, cost=Cost(1, 8192))
    return {
        "person_profile": profile_text(profile).encode(),
        "person_credential": write_credential(credential),
        "person_request": write_request(request),
        "person_pin": pin,
    }


RELEASED = {entropy("released a"): entropy("body key a"), entropy("released b"): entropy("key b")}
"""Entry hash to body key, of what a release opens."""


def released() -> Release:
    """A release to `READERS`, with its keys sealed as they travel."""
    return make_release(
        ScopeId(CARE),
        (entropy("document", 16),),
        RELEASED,
        purpose=2,
        basis="Agreement 7",
        recipients=(bytes(JAPAN.device),),
        readers=READERS,
        key=entropy("release key"),
        ephemeral_secret=entropy("release ephemeral"),
    )


def _releases() -> dict[str, bytes]:
    record = released()
    return {
        "release_sealed_keys": record.sealed_keys,
        "release_to_readers": encode_control(record),
    }


def _founding_files() -> dict[str, bytes]:
    """What two organisations carry to each other; both have signed."""
    noise = entropy("root file", ROOT_ENTROPY_BYTES)
    root_file, org_file, org = new_org("Japan team", "JP", "h\u00f4pital", noise, ops=1, mem=8192)
    held = open_charter_file(new_charter("camp", TERMS, entropy("nonce", 16), 1_790_000_000_000))
    held = open_charter_file(add_org(held, org))
    signed = sign(held, unlock_root(open_root(root_file), "h\u00f4pital"))
    return {
        "root_file": root_file,
        "org_file": org_file,
        "charter_file": signed,
        "fingerprint": fingerprint(org.root).encode(),
        "root_serial": root_serial(TENT.device).to_bytes(2),
    }


def _receipt() -> Receipt:
    head = ReceiptHead(FeedId(entropy("feed")), 7, EntryHash(entropy("hash")))
    return Receipt(DeviceId(HQ.device), Epoch(entropy("epoch", 8)), 3, 1_790_000_000_000, (head,))


def _enrolment() -> bytes:
    """All three handshake messages and the first of the channel, one after the other."""
    sides = [
        Handshake(
            XXPSK3,
            initiator,
            b"fieldmesh test",
            (TENT if initiator else HQ).agree_secret,
            entropy(f"ephemeral {initiator}"),
            psk=code_psk(entropy("code", 10)),
        )
        for initiator in (True, False)
    ]
    messages = []
    for turn in range(3):
        messages.append(sides[turn % 2].write())
        sides[1 - turn % 2].read(messages[-1])
    return b"".join(messages) + sides[0].split().encrypt(b"request")
