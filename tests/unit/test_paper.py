"""A signed paper: what it says, who can check it, and how little may be changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import InputError
from protocols.feeds.dictionary import deflate
from protocols.ids import StatementHash, to_base32
from protocols.records.summary import Summary
from protocols.records.summary_bytes import fitted, from_body, to_body
from protocols.trust import paper
from protocols.trust.identity import DeviceKeys
from protocols.trust.paper import (
    BODY_BYTES_MAX,
    TEXT_CHARS_MAX,
    Paper,
    PaperKind,
    read_paper,
    sign_paper,
)

KEYS = DeviceKeys.from_entropy(bytes(range(64)))
OTHER = DeviceKeys.from_entropy(bytes(range(1, 65)))
CERTIFICATE = StatementHash(bytes(range(32)))
AT_MS = 1_795_000_020_000
GOLDEN = (
    "FM040G00820C20A1G7104GM2RC1M70Y0E8FQXG36XQVBCDJH6QSKE53NYJT5HKAS6G9G0K8H5M6B25VN"
    "Y0R30C9M48D64V32A24MHX7H0DR3Z3FD6XD42PX0TFK0R63G820R0153HNVQR463R0AEQR8DYNB84AZE"
    "AA9FYN0BAZCEP904ZWCRXEZGVMPP9DCRVPVX53N7XXG43DW113CJ960PRMCPXW6NTV4D3BX5E21M"
)
"""A paper of these keys at that minute; what was printed is read for ever."""
REFUSALS = ("not_a_paper", "paper_cut", "paper_newer")


def outcome(read: Callable[[Any], Any], asked: object) -> Any:
    """Return what was read, or the code it was refused with."""
    try:
        return read(asked)
    except InputError as refused:
        return refused.code


def signed(body: bytes) -> str:
    return sign_paper(KEYS, PaperKind.SUMMARY, CERTIFICATE, AT_MS, body)


@given(st.binary(max_size=BODY_BYTES_MAX))
def test_a_paper_is_read_as_it_was_signed(body: bytes) -> None:
    text = signed(body)
    assert len(text) <= TEXT_CHARS_MAX
    assert set(text) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"), "any scanner types it"
    read = read_paper(text)
    assert (read.kind, read.at_ms, read.body) == (PaperKind.SUMMARY, 1_795_000_020_000, body)
    assert CERTIFICATE.startswith(read.certificate)
    assert read.signed_by(KEYS.device)
    assert not read.signed_by(OTHER.device)


def test_the_longest_paper_fills_one_square() -> None:
    assert len(signed(bytes(BODY_BYTES_MAX))) <= TEXT_CHARS_MAX
    assert len(paper.MARK) + -(-(BODY_BYTES_MAX + 1 + 86) * 8 // 5) > TEXT_CHARS_MAX


def test_spaces_small_letters_and_letters_mistaken_are_forgiven() -> None:
    text = signed(b"said")
    assert read_paper(f" {text[:20].lower()} {text[20:]}\n").signed_by(KEYS.device)
    assert read_paper(text[:2] + text[2:].replace("1", "I").replace("0", "O")).body == b"said"


@given(st.data())
def test_one_sign_changed_is_never_believed(data: st.DataObject) -> None:
    text = signed(b"no known allergy")
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from(sorted(set("0123456789ABCDEFGHJKMNPQRSTVWXYZ") - {text[at]})))
    read = outcome(read_paper, text[:at] + other + text[at + 1 :])
    if isinstance(read, Paper):
        assert not (read.signed_by(KEYS.device) and read.certificate == CERTIFICATE[:16])
    else:
        assert read in REFUSALS


@given(st.text(max_size=700))
def test_whatever_is_scanned_is_a_paper_or_refused(text: str) -> None:
    for asked in (text, "FM" + text):
        read = outcome(read_paper, asked)
        assert isinstance(read, Paper) or read in REFUSALS


def test_a_paper_of_later_software_says_so() -> None:
    raw = b"\x02" + bytes(100)
    with pytest.raises(InputError, match="paper_newer"):
        read_paper(paper.MARK + to_base32(raw))


WORDS = st.text(max_size=60)
SUMMARIES = st.builds(
    Summary,
    code=st.text(alphabet="346789ACDEFHJK-", max_size=15),
    name=st.text(max_size=80),
    sex=st.sampled_from((1, 2, 3, 9)),
    triage=st.none() | st.integers(0, 4),
    allergy=st.integers(0, 2),
    allergies=st.lists(WORDS, max_size=8).map(tuple),
    problems=st.lists(WORDS, max_size=8).map(tuple),
    medicines=st.lists(WORDS, max_size=20).map(tuple),
    findings=st.lists(st.tuples(st.integers(0, 200), st.text(max_size=24)), max_size=20).map(tuple),
    advice=st.text(max_size=160),
)


@given(SUMMARIES)
def test_any_summary_fits_a_paper_and_says_what_it_left_out(whole: Summary) -> None:
    said = fitted(whole, BODY_BYTES_MAX)
    assert len(to_body(said)) <= BODY_BYTES_MAX
    assert (said.code, said.sex, said.triage, said.allergy) == (
        *(whole.code, whole.sex),
        *(whole.triage, whole.allergy),
    )
    lists = ("allergies", "problems", "medicines", "findings")
    gone = sum(len(getattr(whole, name)) - len(getattr(said, name)) for name in lists)
    assert said.left_out == gone + (whole.advice != said.advice)
    for name in lists:
        kept = getattr(said, name)
        assert kept == getattr(whole, name)[: len(kept)]
    if len(said.allergies) < len(whole.allergies):
        assert not (said.problems or said.medicines or said.findings), "allergies go last"


def test_a_usual_summary_is_whole() -> None:
    whole = Summary(
        code="3C4-67A-9AH",
        name="Haddad Nour",
        tag="TG-000412",
        sex=2,
        age="34 y",
        triage=1,
        allergy=2,
        allergies=("penicillin: rash",),
        problems=("blunt chest injury", "haemothorax left"),
        medicines=("ceftriaxone 1 g IV every 24 h", "morphine 5 mg IV as needed"),
        findings=((1, "26 /min"), (2, "93 %"), (4, "98/60 mmHg"), (5, "118 /min"), (7, "38.6 C")),
        written_by="A. Silva, Camp Nord",
        advice="Drain in since 14:20, 300 mL. Watch output.",
    )
    assert fitted(whole, BODY_BYTES_MAX) == whole
    assert from_body(to_body(whole)) == whole


@given(st.binary(max_size=300))
def test_a_hostile_body_is_refused_with_a_code(body: bytes) -> None:
    said = from_body(body)
    assert said is None or isinstance(said, Summary)


def test_texts_of_a_paper_are_made_safe_to_show() -> None:
    said = from_body(to_body(Summary(code="A", name="O\x1b[2J[/]B\u202eob", allergies=("a\nb",))))
    assert said is not None
    assert "\x1b" not in said.name
    assert "\u202e" not in said.name
    assert said.allergies == ("a b",)


def test_a_body_that_swells_does_not_read() -> None:
    swelling = deflate(bytes(2_000_000))[1]
    assert from_body(b"\x01" + swelling) is None


def test_the_bytes_of_a_paper_never_change() -> None:
    said = Summary(
        code="3C4-67A-9AH",
        name="Haddad Nour",
        tag="TG-000412",
        sex=2,
        age="34 y",
        triage=1,
        allergy=2,
        allergies=("penicillin: rash",),
    )
    assert signed(to_body(said)) == GOLDEN
    assert from_body(read_paper(GOLDEN).body) == said
