"""Whatever bytes a stick holds: a code of ours, never another exception or another meaning."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import InputError
from protocols.records.catalogue import BY_NAME
from protocols.trust import charterfile
from protocols.trust.charter import ROLES_MAX
from protocols.trust.enrolment import (
    JoinGrant,
    grant_file,
    open_grant_file,
    open_request_file,
    request_file,
    sign_request,
)
from protocols.trust.terms import parse_terms
from tests.unit.founders import ENGINE, IDS, NAMED, TWO_LAWS, charter, org
from tests.unit.trust_operation import FOUNDED, JAPAN, OLD, certify, entropy, keys

TENT = keys("tent")
CERTIFIED = certify(JAPAN, TENT)
HELD = charter(("Japan team", "JP"), ("Ministry", "KE"))
REQUEST = sign_request(
    TENT,
    b"",
    epochs=((entropy("epoch", 8), entropy("feed")),),
    scopes=(OLD,),
    name="Tente 3",
    next_epoch=entropy("next", 8),
)
FILES: dict[str, tuple[bytes, Callable[[bytes], Any]]] = {
    "root": (org("Japan team", "JP")[0], charterfile.open_root),
    "org": (org("Japan team", "JP")[1], charterfile.open_org),
    "charter": (charterfile.charter_file(HELD.file), charterfile.open_charter_file),
    "request": (request_file(REQUEST), open_request_file),
    "grant": (
        grant_file(JoinGrant(FOUNDED, (CERTIFIED,), TENT.device, (b"entry",))),
        lambda raw: open_grant_file(raw, TENT.device),
    ),
}
SIGNED_WHOLE = ("org", "charter", "request")
"""Every byte of these is signed, or is a signature: no change goes unseen."""


@st.composite
def mutated(draw):
    """One of the files with some of its bytes changed, cut out, doubled or added."""
    name = draw(st.sampled_from(sorted(FILES)))
    raw = bytearray(FILES[name][0])
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(raw)))
        match draw(st.sampled_from(("flip", "cut", "add", "double"))):
            case "flip" if at < len(raw):
                raw[at] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del raw[at : at + draw(st.integers(1, 40))]
            case "add":
                raw[at:at] = draw(st.binary(min_size=1, max_size=40))
            case _:
                raw[at:at] = raw[at : at + 40]
    return name, bytes(raw)


@given(mutated())
def test_a_changed_file_is_refused_or_says_what_it_said(case):
    name, raw = case
    whole, opener = FILES[name]
    try:
        found = opener(raw)
    except InputError:
        return
    if name in SIGNED_WHOLE:
        # What is left is fewer signatures of the same text.
        assert raw == whole or (name == "charter" and found.file.body == HELD.file.body)


@given(st.sampled_from(sorted(FILES)), st.binary(max_size=400))
def test_any_bytes_after_the_first_line_are_refused(name, noise):
    whole, opener = FILES[name]
    head = whole[: whole.index(b"\n") + 1]
    for raw in (noise, head + noise):
        if raw != whole:
            with pytest.raises(InputError):
                opener(raw)


@given(st.text(max_size=200), st.integers(0, len(TWO_LAWS)), st.integers(0, 60))
def test_any_terms_are_refused_or_fit_a_charter(text, at, size):
    changed = TWO_LAWS[:at] + text + TWO_LAWS[at + size :]
    try:
        made = parse_terms(changed.encode("utf-8", "surrogatepass"), NAMED, IDS, ENGINE)
        raw = charterfile.new_charter("Camp", made, bytes(16), 1)
    except InputError:
        return
    held = charterfile.open_charter_file(raw)
    assert (held.charter.scopes, held.charter.roles) == (made.scopes, made.roles)


_KINDS = st.lists(st.sampled_from(sorted(BY_NAME)), max_size=6) | st.just("all")


@given(st.lists(_KINDS, min_size=1, max_size=ROLES_MAX - 3))
def test_a_role_writes_what_its_terms_name(kinds):
    text = TWO_LAWS + "".join(
        f'[[role]]\nnumber = {at}\nname = "r{at}"\nkinds = {listed!r}\n'.replace("'", '"')
        for at, listed in enumerate(kinds, 10)
    )
    made = parse_terms(text.encode(), NAMED, IDS, ENGINE)
    for at, listed in enumerate(kinds, 10):
        (role,) = (role for role in made.roles if role.number == at)
        named = {int(BY_NAME[name].number) for name in listed} if listed != "all" else set()
        assert set(role.kinds) - set(ENGINE) - {0} == named
        assert bool(role.kinds) == (listed != "all")
