"""The persons of this device: their locked keys, their certificates and their PINs.

All of it works with no network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from protocols.errors import InputError, PeerError
from protocols.ids import CROCKFORD, DeviceId, PersonId
from protocols.ledger.book import Ledger
from protocols.ledger.certifying import Grant as Grant
from protocols.ledger.certifying import certificate_of, held_already, must_hold
from protocols.trust.certificates import (
    open_name,
)
from protocols.trust.control import Certificates
from protocols.trust.identity import KEY_BYTES, WRAP_ENTROPY_BYTES, DeviceKeys, wrap
from protocols.trust.persons import (
    COST,
    CREDENTIAL_VERSION,
    PIN_ENTROPY_BYTES,
    PROFILE_VERSION,
    WRAPPED_SEED_BYTES,
    Cost,
    Credential,
    Profile,
    Request,
    make_request,
    person_keys,
    pin_refusal,
    read_credential,
    read_profile,
    read_request,
    unlock,
    unlock_pin,
    wrap_pin,
    write_credential,
    write_request,
)
from protocols.trust.statements import pack, unpack

PERSONS_MAX = 99
"""Enrolled on one device: their numbers have two digits at most."""
PIN_WRONG_MAX = 10
"""Wrong tries in a row after which a PIN is thrown away and only the passphrase opens."""

Entropy = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One person whose locked key lies in this book."""

    number: int
    """Under which a terminal lists them; it stays theirs."""
    person: PersonId
    profile: Profile | None
    """None where the scope's key is not here."""
    has_pin: bool
    wrong: int
    """Wrong tries in a row."""
    certified: bool
    """False while a request of theirs is not answered."""


@dataclass(frozen=True, slots=True)
class Made:
    """A person's public key, and their key locked by their passphrase: what the book is told."""

    person: PersonId
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class NewKey(Made):
    """The same where it was made: the key itself never crosses a socket."""

    keys: DeviceKeys


@dataclass(frozen=True, slots=True)
class Lock:
    """What one try needs; opening it takes long, so it happens beside the node's thread."""

    person: PersonId
    wrapped: bytes
    pin: bytes | None
    book: bytes

    def by_pin(self, pin: str) -> bytes | None:
        """Return the person's seed; None for a wrong PIN."""
        return unlock_pin(self.pin or b"", pin, self.person, book=self.book)

    def by_passphrase(self, passphrase: str) -> bytes | None:
        """Return the person's seed; None for a wrong passphrase."""
        return unlock(self.wrapped, passphrase, self.person)


# Who there is


def enrolled(ledger: Ledger) -> list[Enrolled]:
    """Return the persons of this device by their numbers."""
    rows = ledger.store.all("SELECT no, key, profile, pin, wrong FROM person ORDER BY no")
    return [_enrolled(ledger, *row) for row in rows]


def count(ledger: Ledger) -> int:
    """Return how many persons this device has."""
    row = ledger.store.one("SELECT count(*) FROM person")
    return int(row[0]) if row else 0


def one(ledger: Ledger, named: str) -> Enrolled:
    """Return the person of this device with this number, or whose id begins so.

    Raises:
        InputError: `unknown_person`.
    """
    prefix = PersonId.PREFIX + "_"
    wanted = named.strip().upper().removeprefix(prefix.upper())
    found = [
        each
        for each in enrolled(ledger)
        if named.strip() == str(each.number)
        or (len(wanted) >= 8 and str(each.person).removeprefix(prefix).startswith(wanted))
    ]
    if len(found) != 1 or not set(wanted) <= set(CROCKFORD):
        raise InputError("unknown_person", field="person")
    return found[0]


def profile_of(ledger: Ledger, person: bytes) -> Profile | None:
    """Return what the newest standing certificate says of a person; None without the key to it."""
    key, keys = DeviceId(person), ledger.authority.keyring.keys
    for _, certificate in ledger.authority.roster.certificates(key):
        text = open_name(certificate.sealed_name, subject=key, keys=keys)
        profile = read_profile(text) if text is not None else None
        if profile is not None:
            return profile
    return None


# Certifying


def new_key(passphrase: str, entropy: Entropy, cost: Cost = COST) -> NewKey:
    """Make a key for a person. Takes as long as a passphrase does: not on the node's thread."""
    seed = entropy(KEY_BYTES)
    wrapped = wrap(seed, passphrase, entropy(WRAP_ENTROPY_BYTES), ops=cost.ops, mem=cost.mem)
    keys = person_keys(seed)
    return NewKey(PersonId(keys.device), wrapped, keys)


def add(
    ledger: Ledger, made: Made, profile: Profile, grant: Grant, entropy: Entropy, wall_ms: int
) -> bytes:
    """Certify a person by this device, enrol them here; return what their credential file holds.

    Raises:
        InputError: `may_not_admit`, `may_not_grant`, `too_many_persons`, or of the profile.
    """
    with ledger.atomic():
        _certify(ledger, made.person, profile, grant, entropy, wall_ms)
        _enrol(ledger, made.person, profile, made.wrapped)
    return credential_of(ledger, made.person, made.wrapped)


def known_key(person: bytes, wrapped: bytes) -> Made:
    """Return the key of somebody who is here, as the book tells of it."""
    return Made(PersonId(person), wrapped)


def opened(made: Made, passphrase: str) -> NewKey:
    """Open a key where its passphrase is typed. Takes as long as a passphrase does.

    Raises:
        InputError: `wrong_person_passphrase`.
    """
    seed = unlock(made.wrapped, passphrase, made.person)
    if seed is None:
        raise InputError("wrong_person_passphrase")
    return NewKey(made.person, made.wrapped, person_keys(seed))


def key_of(ledger: Ledger, person: PersonId) -> tuple[Made, Profile]:
    """Return a person's locked key and what is known of them, to ask for a new certificate.

    Raises:
        InputError: `unknown_person`.
    """
    lock = _lock(ledger, person)
    found = next(each for each in enrolled(ledger) if each.person == person)
    return Made(person, lock.wrapped), found.profile or Profile(PROFILE_VERSION, "?")


def request_of(made: NewKey, operation: bytes, profile: Profile, wall_ms: int) -> bytes:
    """Return the file that asks to certify a new key, for a coordinator elsewhere.

    Raises:
        InputError: Of the profile.
    """
    return write_request(make_request(made.keys, operation, profile, max(wall_ms, 0)))


def wait_for(ledger: Ledger, request: Request, wrapped: bytes) -> None:
    """Keep the key of a request here until its certificate comes.

    Raises:
        InputError: `too_many_persons`, `not_a_credential` for a key that is none.
    """
    if len(wrapped) != WRAPPED_SEED_BYTES:
        raise InputError("not_a_credential")
    with ledger.atomic():
        _enrol(ledger, PersonId(request.person), request.profile, wrapped)


def read_asked(ledger: Ledger, raw: bytes) -> Request:
    """Return a request that was carried here, for whoever decides on it.

    Raises:
        InputError: `not_a_request`, `other_operation`.
    """
    try:
        request = read_request(raw)
    except PeerError as error:
        raise InputError("not_a_request", why=error.code) from None
    if request.operation != ledger.authority.operation:
        raise InputError("other_operation")
    return request


def answer(ledger: Ledger, request: Request, grant: Grant, entropy: Entropy, wall_ms: int) -> bytes:
    """Certify who asked; return the certificate file to carry back.

    Raises:
        InputError: As `add`.
    """
    person = PersonId(request.person)
    with ledger.atomic():
        _certify(ledger, person, request.profile, grant, entropy, wall_ms)
    return credential_of(ledger, person)


def credential_of(ledger: Ledger, person: PersonId, wrapped: bytes = b"") -> bytes:
    """Return what a credential file of a certified person holds.

    Raises:
        InputError: `not_certified`.
    """
    chain = ledger.authority.roster.newest_chain(DeviceId(person))
    if not chain:
        raise InputError("not_certified")
    operation = bytes(ledger.authority.operation)
    held = Credential(CREDENTIAL_VERSION, operation, bytes(person), chain, wrapped)
    return write_credential(held)


def carried(ledger: Ledger, person: PersonId) -> bytes:
    """Return the credential file of a person of this device, to carry to another.

    Raises:
        InputError: `unknown_person`, `not_certified`.
    """
    return credential_of(ledger, person, _lock(ledger, person).wrapped)


def take_in(ledger: Ledger, raw: bytes, wall_ms: int) -> Enrolled:
    """Enrol who brings a credential file, or complete who waits for a certificate file.

    What it certifies is written down here too, so that everybody met from now on can judge it.

    Raises:
        InputError: `not_a_credential`, `other_operation`, `not_certified` when nothing known here
            stands behind it, `no_key_here`, `too_many_persons`.
    """
    try:
        credential, _ = read_credential(raw)
    except PeerError as error:
        raise InputError("not_a_credential", why=error.code) from None
    if credential.operation != ledger.authority.operation:
        raise InputError("other_operation")
    person = PersonId(credential.person)
    with ledger.atomic():
        new = [each for each in credential.chain if not held_already(ledger, each)]
        if new:
            ledger.write_control(Certificates(tuple(new)), wall_ms)
        if not ledger.authority.roster.certificates(DeviceId(person)):
            raise InputError("not_certified")
        if credential.wrapped:
            _enrol(ledger, person, profile_of(ledger, person), credential.wrapped)
    found = [each for each in enrolled(ledger) if each.person == person]
    if not found:
        raise InputError("no_key_here")
    return found[0]


def leave(ledger: Ledger, person: PersonId) -> None:
    """Forget a person's key and PIN on this device; what they wrote stays.

    Raises:
        InputError: `unknown_person`.
    """
    _lock(ledger, person)
    with ledger.atomic():
        ledger.store.execute("DELETE FROM person WHERE key = ?", (bytes(person),))


# Opening


def begin_try(ledger: Ledger, person: PersonId, *, by_pin: bool) -> Lock:
    """Return what a try needs. It counts as wrong, durably, until `right` says otherwise.

    So neither a pulled plug nor many terminals at once give a try for nothing.

    Raises:
        InputError: `unknown_person`; `no_pin` when there is none, or none any more.
    """
    lock = _lock(ledger, person)
    row = ledger.store.one("SELECT wrong FROM person WHERE key = ?", (bytes(person),))
    spent = row is not None and row[0] >= PIN_WRONG_MAX
    with ledger.atomic():
        if spent:
            ledger.store.execute("UPDATE person SET pin = NULL WHERE key = ?", (bytes(person),))
        ledger.store.execute("UPDATE person SET wrong = wrong + 1 WHERE key = ?", (bytes(person),))
    if by_pin and (spent or lock.pin is None):
        raise InputError("no_pin")
    return lock


def right(ledger: Ledger, person: PersonId) -> None:
    """A try was right: the wrong ones before it are forgotten."""
    with ledger.atomic():
        ledger.store.execute("UPDATE person SET wrong = 0 WHERE key = ?", (bytes(person),))


def lock_by_pin(
    ledger_secret: bytes, seed: bytes, pin: str, entropy: Entropy, cost: Cost = COST
) -> bytes:
    """Return a person's key under a PIN. Takes long: not on the node's thread.

    Raises:
        InputError: `pin_digits`, `pin_length`, `pin_pattern`.
    """
    refused = pin_refusal(pin)
    if refused:
        raise InputError(refused, field="pin")
    return wrap_pin(seed, pin, entropy(PIN_ENTROPY_BYTES), book=ledger_secret, cost=cost)


def keep_pin(ledger: Ledger, person: PersonId, locked: bytes) -> None:
    """Keep what `lock_by_pin` made, in place of any other."""
    with ledger.atomic():
        ledger.store.execute(
            "UPDATE person SET pin = ?, wrong = 0 WHERE key = ?", (locked, bytes(person))
        )


def pin_secret(ledger: Ledger, entropy: Entropy) -> bytes:
    """Return the book's own part of every PIN here, made when first needed."""
    row = ledger.store.one("SELECT value FROM meta WHERE name = 'pin_secret'")
    if row is not None:
        return bytes(row[0])
    secret = entropy(KEY_BYTES)
    with ledger.atomic():
        ledger.store.execute("INSERT INTO meta VALUES ('pin_secret', ?)", (secret,))
    return secret


# Inside


def _certify(
    ledger: Ledger,
    person: PersonId,
    profile: Profile,
    grant: Grant,
    entropy: Entropy,
    wall_ms: int,
) -> None:
    authority = ledger.authority
    serial = authority.roster.next_serial(authority.device)
    statement = certificate_of(ledger, person, (profile, grant, serial), entropy, wall_ms)
    ledger.write_control(Certificates((statement,)), wall_ms)
    must_hold(ledger, statement)


def _enrol(ledger: Ledger, person: PersonId, profile: Profile | None, wrapped: bytes) -> None:
    """Keep a locked key; of a person who is here already, in place of the one before."""
    numbers = dict(ledger.store.all("SELECT no, key FROM person"))
    known = next((no for no, key in numbers.items() if key == person), None)
    kept = pack(profile) if profile else b""
    if known is not None:
        ledger.store.execute(
            "UPDATE person SET wrapped = ?, profile = ? WHERE no = ?", (wrapped, kept, known)
        )
        return
    free = next((no for no in range(1, PERSONS_MAX + 1) if no not in numbers), None)
    if free is None:
        raise InputError("too_many_persons", limit=PERSONS_MAX)
    ledger.store.execute(
        "INSERT INTO person (no, key, profile, wrapped, wrong) VALUES (?,?,?,?,0)",
        (free, bytes(person), kept, wrapped),
    )


def _enrolled(
    ledger: Ledger, number: int, key: bytes, kept: bytes, pin: bytes | None, wrong: int
) -> Enrolled:
    certified = bool(ledger.authority.roster.certificates(DeviceId(key)))
    profile = profile_of(ledger, key) or (unpack(Profile, kept) if kept else None)
    has_pin = pin is not None and wrong < PIN_WRONG_MAX
    return Enrolled(number, PersonId(key), profile, has_pin, wrong, certified)


def _lock(ledger: Ledger, person: PersonId) -> Lock:
    row = ledger.store.one("SELECT wrapped, pin FROM person WHERE key = ?", (bytes(person),))
    if row is None:
        raise InputError("unknown_person", field="person")
    secret = ledger.store.one("SELECT value FROM meta WHERE name = 'pin_secret'")
    return Lock(person, row[0], row[1], bytes(secret[0]) if secret else bytes(KEY_BYTES))
