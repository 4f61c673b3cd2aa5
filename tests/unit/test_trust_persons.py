"""A person's credential: profiles strict, files hostile, keys that open for nobody else."""

import contextlib

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import InputError, PeerError
from protocols.ids import KeyId
from protocols.trust.certificates import Rank, open_name, seal_name
from protocols.trust.control import Attestation, Certificates, Seal, attested
from protocols.trust.identity import WRAP_ENTROPY_BYTES, wrap
from protocols.trust.persons import (
    CREDENTIAL_BYTES_MAX,
    PIN_ENTROPY_BYTES,
    PROFILE_BYTES_MAX,
    Cost,
    Credential,
    Profile,
    make_request,
    person_keys,
    pin_refusal,
    profile_text,
    read_credential,
    read_profile,
    read_request,
    shown_name,
    unlock,
    unlock_pin,
    wrap_pin,
    write_credential,
    write_request,
)
from protocols.trust.roster import Roster
from protocols.trust.standing import Standing
from protocols.trust.statements import statement_hash
from tests.unit.trust_operation import (
    CARE,
    CLINICIAN,
    JAPAN,
    LOGISTICIAN,
    OPERATION,
    STOCK,
    TRIAGE,
    camp,
    certify,
    entropy,
    keys,
)

CHEAP = Cost(1, 8192)
SEED = entropy("amina")
AMINA = person_keys(SEED)
BOOK = entropy("book")
NURSE = Profile(
    1, "Amina Okoro", "nurse", "Nursing Council of Kenya", "KE-1234", (TRIAGE, 40), "adult wards",
    1_900_000_000_000, "Ministry of Health",
)  # fmt: skip


def wrapped(passphrase="correct horse", seed=SEED):
    return wrap(seed, passphrase, entropy("wrap", WRAP_ENTROPY_BYTES), ops=1, mem=8192)


def chain(**changes):
    issuer, coordinator = keys("issuer"), keys("coordinator")
    person = {"agree": b"", "roles": (CLINICIAN,), **changes}
    return (
        certify(JAPAN, issuer, Rank.ISSUER),
        certify(issuer, coordinator, Rank.COORDINATOR),
        certify(coordinator, AMINA, Rank.PERSON, **person),
    )


def credential(**changes) -> Credential:
    fields = {
        "version": 1, "operation": bytes(OPERATION), "person": bytes(AMINA.device),
        "chain": chain(), "wrapped": wrapped(),
    } | changes  # fmt: skip
    return Credential(**fields)


# Profiles


def test_a_profile_is_sealed_in_place_of_a_name_and_reads_as_one():
    text = profile_text(NURSE)
    key, key_id = entropy("scope key"), KeyId(entropy("key id"))
    sealed = seal_name(
        text, subject=AMINA.device, key=key, key_id=key_id, nonce=entropy("nonce", 24)
    )

    opened = open_name(sealed, subject=AMINA.device, keys={key_id: key})
    assert opened is not None and read_profile(opened) == NURSE
    assert shown_name(opened) == "Amina Okoro"
    assert open_name(sealed, subject=keys("other").device, keys={key_id: key}) is None
    assert b"Amina" not in sealed


def test_a_plain_name_stays_a_name():
    assert shown_name("Tent B") == "Tent B"
    assert shown_name("[Tent]") == "[Tent]"
    assert shown_name(None) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"name": " Amina"}, {"name": "Ami\nna"}, {"profession": "nurse\x1b[2J"},
        {"practice": (40, TRIAGE)}, {"practice": (40, 40)}, {"version": 2},
        {"licence": "a\ud800"}, {"recognised_by": "Min\u2028istry"},
    ],
)  # fmt: skip
def test_a_profile_that_is_not_as_we_write_it_is_none(changes):
    with pytest.raises(InputError):
        profile_text(msgspec.structs.replace(NURSE, **changes))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(",", ", ", 1),
        lambda text: text.replace("nurse", "n\\u0075rse"),
        lambda text: text[:-1] + ",1]",
        lambda text: text.replace("[1,", "[1.0,"),
        lambda text: text[: len(text) // 2],
    ],
)
def test_one_profile_has_one_text(change):
    assert read_profile(change(profile_text(NURSE))) is None


def test_a_profile_has_to_fit_a_sealed_name():
    wide = {"name": "ጥ" * 80, "authority": "ጥ" * 80, "practice_text": "ጥ" * 80}
    with pytest.raises(InputError, match="profile_too_long"):
        profile_text(msgspec.structs.replace(NURSE, **wide, recognised_by="ጥ" * 80))
    room = PROFILE_BYTES_MAX - len(profile_text(msgspec.structs.replace(NURSE, **wide)).encode())
    assert room > 0
    full = msgspec.structs.replace(NURSE, **wide, recognised_by="")
    key_id = KeyId(entropy("key id"))
    seal_name(profile_text(full), subject=AMINA.device, key=SEED, key_id=key_id, nonce=bytes(24))


@given(st.text(max_size=200))
def test_no_text_makes_reading_a_profile_fail(text):
    read_profile(text)
    shown_name(text)


# Files


def test_a_credential_opens_by_its_passphrase_alone():
    held, certificate = read_credential(write_credential(credential()))

    assert certificate.subject == AMINA.device and certificate.rank == Rank.PERSON
    assert unlock(held.wrapped, "correct horse", held.person) == SEED
    assert unlock(held.wrapped, "correct horses", held.person) is None
    assert unlock(wrapped(seed=entropy("mallory")), "correct horse", held.person) is None


def test_a_credential_without_its_key_is_an_answer_to_a_request():
    held, _ = read_credential(write_credential(credential(wrapped=b"")))
    assert held.wrapped == b""


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"person": bytes(keys("other").device)},
        {"operation": entropy("another")},
        {"chain": chain()[:2]},
        {"chain": (chain()[0], chain()[2])},
        {"chain": (*chain()[:2], certify(keys("coordinator"), AMINA, Rank.DEVICE))},
        {"chain": (*chain()[:2], certify(keys("mallory"), AMINA, Rank.PERSON, agree=b""))},
        {"wrapped": wrapped()[:-1]},
        {"wrapped": wrapped()[:5] + b"\xff\xff\xff\xff" + wrapped()[9:]},
    ],
)
def test_a_credential_that_does_not_hold_together_is_refused(changes):
    with pytest.raises(PeerError):
        read_credential(write_credential(credential(**changes)))


def test_a_signature_of_the_chain_that_does_not_verify_is_refused():
    *above, own = chain()
    forged = msgspec.structs.replace(own, signature=bytes(64))
    with pytest.raises(PeerError, match="credential_chain"):
        read_credential(write_credential(credential(chain=(*above, forged))))


WHOLE = write_credential(credential())
ASKED = write_request(make_request(AMINA, OPERATION, NURSE, 1_790_000_000_000))


@settings(max_examples=300)
@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_no_changed_byte_of_a_credential_gives_another_key(place, change):
    spoiled = bytearray(WHOLE)
    spoiled[place] ^= change
    try:
        held, certificate = read_credential(bytes(spoiled))
    except PeerError:
        return
    # Only the locked key can differ and still read; then it opens for nobody.
    assert certificate.subject == AMINA.device
    with contextlib.suppress(PeerError):
        assert unlock(held.wrapped, "correct horse", held.person) is None


@settings(max_examples=200)
@given(st.integers(0, len(ASKED) - 1), st.integers(1, 255))
def test_no_changed_byte_of_a_request_is_taken(place, change):
    spoiled = bytearray(ASKED)
    spoiled[place] ^= change
    with pytest.raises(PeerError):
        read_request(bytes(spoiled))


@given(st.binary(max_size=400))
def test_no_bytes_make_reading_fail_otherwise(raw):
    for begin in (b"", b"fieldmesh person 1\n", b"fieldmesh person request 1\n"):
        for read in (read_credential, read_request):
            with pytest.raises(PeerError):
                read(begin + raw)


def test_a_file_longer_than_any_credential_is_not_read():
    with pytest.raises(PeerError, match="malformed"):
        read_credential(WHOLE + bytes(CREDENTIAL_BYTES_MAX))


def test_a_request_says_who_asks_and_that_the_key_is_theirs():
    request = read_request(ASKED)
    assert (request.person, request.profile) == (AMINA.device, NURSE)

    stolen = write_request(msgspec.structs.replace(request, person=bytes(keys("other").device)))
    with pytest.raises(PeerError, match="request_signature"):
        read_request(stolen)


# PINs


@pytest.mark.parametrize(
    ("pin", "why"),
    [
        ("1111", "pin_pattern"), ("1234", "pin_pattern"), ("9876", "pin_pattern"),
        ("7890", "pin_pattern"), ("2468", "pin_pattern"), ("1212", "pin_pattern"),
        ("123123", "pin_pattern"), ("1984", "pin_pattern"), ("2580", "pin_pattern"),
        ("1221", "pin_pattern"), ("123321", "pin_pattern"), ("112", "pin_length"),
        ("4817290461833", "pin_length"), ("48l7", "pin_digits"), ("", "pin_digits"),
        ("٤٨١٧", "pin_digits"), ("4817", ""), ("60412", ""), ("907314", ""),
    ],
)  # fmt: skip
def test_a_pin_that_people_try_first_cannot_be_chosen(pin, why):
    assert pin_refusal(pin) == why


def test_a_pin_is_worth_nothing_outside_its_book():
    locked = wrap_pin(SEED, "4817", entropy("pin", PIN_ENTROPY_BYTES), book=BOOK, cost=CHEAP)
    person = bytes(AMINA.device)

    assert unlock_pin(locked, "4817", person, book=BOOK) == SEED
    assert unlock_pin(locked, "4818", person, book=BOOK) is None
    assert unlock_pin(locked, "4817", person, book=entropy("thief's own book")) is None
    assert unlock_pin(locked, "4817", bytes(keys("other").device), book=BOOK) is None
    # What a list of PINs would be tried on is sealed too: not even its salt is in the clear.
    inner = wrap(SEED, "4817", entropy("pin", PIN_ENTROPY_BYTES)[:WRAP_ENTROPY_BYTES],
                 ops=1, mem=8192)  # fmt: skip
    assert inner[9:25] not in locked


def test_two_people_of_one_pin_have_nothing_in_common():
    one = wrap_pin(SEED, "4817", entropy("a", PIN_ENTROPY_BYTES), book=BOOK, cost=CHEAP)
    two = wrap_pin(SEED, "4817", entropy("b", PIN_ENTROPY_BYTES), book=BOOK, cost=CHEAP)
    assert not {one[at : at + 8] for at in range(len(one) - 7)} & {
        two[at : at + 8] for at in range(len(two) - 7)
    }


# In the roster


def attested_camp(roles=(CLINICIAN,), session_epoch="epoch"):
    """The camp, where Amina takes the tent."""
    written, tent = camp(), keys("tent")
    own = certify(keys("coordinator"), AMINA, Rank.PERSON, agree=b"", roles=roles)
    written.write(keys("coordinator"), Certificates((own,)))
    name, epoch = statement_hash(own), entropy(session_epoch, 8)
    signature = AMINA.sign(attested(tent.device, epoch, name, 5))
    written.write(tent, Attestation(name, 5, signature), epoch=session_epoch)
    place = written.records[-1][1]
    return written, (place.seq, place.entry[:4])


def roster_of(written) -> Roster:
    roster = Roster(OPERATION)
    for record, place in written.records:
        roster.add(record, place)
    return roster


def test_what_may_be_written_now_is_the_persons_where_one_is_named():
    written, session = attested_camp(roles=(LOGISTICIAN,))
    roster, tent, epoch = roster_of(written), keys("tent").device, entropy("epoch", 8)

    assert roster.standing(tent, TRIAGE, CARE) == Standing.STANDS
    assert roster.standing(tent, TRIAGE, CARE, session, epoch=epoch) == Standing.REFUSED
    assert roster.standing(tent, STOCK, CARE, session, epoch=epoch) == Standing.STANDS
    assert roster.person(tent, epoch, session) == AMINA.device
    assert roster.person(tent, entropy("other", 8), session) is None
    assert [place.entry for place in roster.sessions_of(AMINA.device)] == [
        written.records[-1][1].entry
    ]


def test_what_a_reduced_role_leaves_out_is_not_promised_to_count():
    written, session = attested_camp(roles=(CLINICIAN, LOGISTICIAN))
    head = (*written.head(keys("tent")),)
    written.write(
        keys("coordinator"),
        Seal(bytes(AMINA.device), 5, heads=(head,), roles=(LOGISTICIAN,)),
    )
    roster, tent, epoch = roster_of(written), keys("tent").device, entropy("epoch", 8)

    assert roster.standing(tent, STOCK, CARE, session, epoch=epoch) == Standing.STANDS
    assert roster.standing(tent, TRIAGE, CARE, session, epoch=epoch) == Standing.QUARANTINED


def test_nobody_is_named_by_a_certificate_that_does_not_stand():
    written, _ = attested_camp()
    mallory, tent, epoch = keys("mallory"), keys("tent"), entropy("epoch", 8)
    forged = certify(mallory, mallory, Rank.PERSON, agree=b"")
    written.write(tent, Certificates((forged,)))
    name = statement_hash(forged)
    signature = mallory.sign(attested(tent.device, epoch, name, 9))
    written.write(tent, Attestation(name, 9, signature))
    place = written.records[-1][1]

    found = roster_of(written).person(tent.device, epoch, (place.seq, place.entry[:4]))
    assert found is None
