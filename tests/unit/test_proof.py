"""The bytes of a proof of vaccination: nothing is lost that fits, and the oldest goes first."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from protocols.feeds.dictionary import deflate
from protocols.guidelines.vaccines import shipped_vaccines
from protocols.ids import StatementHash
from protocols.records.display import clean_text
from protocols.records.proof import DOSES_MAX, WHO_CHARS_MAX, Counts, Proof, ProofDose
from protocols.records.proof_bytes import KNOWN, fitted, from_body, to_body
from protocols.records.vaccination import BODY_SITES
from protocols.trust.identity import DeviceKeys
from protocols.trust.paper import (
    BODY_BYTES_MAX,
    TEXT_CHARS_MAX,
    PaperKind,
    read_paper,
    sign_paper,
)

KEYS = DeviceKeys.from_entropy(bytes(range(64)))
CERTIFICATE = StatementHash(bytes(range(32)))
AT_MS = 1_795_000_020_000
GOLDEN = (
    "FM041000820C20A1G7104GM2RC1M70Y0E8FQXG3EY342WDNP6S8KBWSQ2HTZ9D2RSNCKC4R09W93JEVA"
    "VBCHG6JV68EKV5SHW2JPG7272G1F2Z1M3AY0G960KRN2FP3GQ4574FRKDYK5WSKH95R1F07C01WP8SN6"
    "2KJARXM6YRPS9MG1NP60SS63TDB7Q5B6N7W2E42P11459M704X67MB1JD1D69WZYH960R06J9F0RB216"
    "E610H9P62R4YFZBDV0C8194VRRK278G04K3WNH65RF1JSZ02FJ14EH248M208080H14080C0GGAFR8G2"
    "1K2SR778WKPEXTW08GE0WZJ1T030FAWM26G2NSZBM1J6JGJH0ARG4703M3621FRGX048G3A9MPA3PJ01"
    "JR1P402NG32R0TJCDK621TG09HR1N4035G388C6CR05BH1Q93BD1MPDG0NX7N06R800P68V3406K8184"
    "0301CCG4X0MMXN7PCD1Q2PHH78VCMN470ZMSPY5A6TW9TX2GQ1YV6NJM9GVGWP8HZR8V5ZSCFJ54SVNX"
    "HJGGMWW6JSZMMTTZMRYZZNBYR2"
)
"""A proof signed by these keys at that minute; what was printed is read for ever."""


def given_on(day: int, *doses: tuple[str, str, int], **more: object) -> list[ProofDose]:
    about: dict[str, Any] = {
        "by": "Amina Okoro",
        "org": "Ministry of Health",
        "place": "Kome clinic",
        "body_site": "left-thigh",
        "counts": 1,
        **more,
    }
    return [
        ProofDose(code, cvx, number, day, f"{code[:3].upper()}-{day * 7 % 10_000:04d}", **about)
        for code, cvx, number in doses
    ]


def childs() -> Proof:
    """Twenty doses of a child of 15 months, given at six visits by two people at two places."""
    doses = given_on(20_000, ("bcg", "19", 1), ("bopv", "178", 0), ("hepb", "08", 0))
    for number, day in enumerate((20_042, 20_070, 20_098), 1):
        basic = (("penta", "198", number), ("bopv", "178", number), ("pcv", "152", number))
        by = "Jun Cho" if number == 2 else "Amina Okoro"
        doses += given_on(day, *basic, ("rota-5", "116", number), by=by)
    doses += given_on(20_098, ("ipv", "10", 1))
    doses += given_on(20_280, ("mr", "04", 1), ("yellow-fever", "37", 1), place="Tala school")
    doses += given_on(20_460, ("mr", "04", 2), ("mena", "", 1))
    return Proof(
        code="3C4-67A-9AH",
        name="Haddad Nour",
        tag="KM-20931",
        sex=2,
        born="2024-10-04",
        schedule="schedule-routine 1",
        written_by="Amina Okoro",
        doses=tuple(doses),
    )


WHO = st.text(max_size=WHO_CHARS_MAX).map(clean_text)
LOTS = st.text(alphabet="ABCDEFGHJ0123456789-/. É", max_size=20).map(
    lambda text: clean_text(text).strip()
)
OTHERS = st.tuples(
    st.from_regex(r"\A[a-z0-9]{1,9}(-[a-z0-9]{1,9})?\Z"), st.sampled_from(["", "05", "213"])
)
DOSES = st.builds(
    lambda vaccine, **more: ProofDose(vaccine[0], vaccine[1], **more),
    vaccine=st.sampled_from(KNOWN) | OTHERS,
    dose=st.none() | st.integers(0, 12),
    day=st.none() | st.integers(-36_500, 73_000),
    lot=LOTS,
    by=WHO,
    org=WHO,
    place=WHO,
    body_site=st.sampled_from(("", *BODY_SITES)),
    told=st.booleans(),
    counts=st.sampled_from([int(each) for each in Counts]),
)
PROOFS = st.builds(
    Proof,
    code=st.text(alphabet="346789ACDEFHJK-", max_size=15),
    name=st.text(max_size=40).map(lambda text: clean_text(text, 40)),
    tag=st.text(alphabet="KMTG-0123456789", max_size=40),
    sex=st.sampled_from((1, 2, 3, 9)),
    born=st.sampled_from(["", "2025", "2025-05", "2025-05-10", "1931-12-31"]),
    age=st.sampled_from(["", "~22 mo", "5-17 y"]),
    schedule=st.sampled_from(["", "schedule-routine 1", "schedule-outbreak 12"]),
    approved=st.booleans(),
    written_by=st.text(max_size=40).map(lambda text: clean_text(text, 40)),
    doses=st.lists(DOSES, max_size=DOSES_MAX).map(tuple),
    left_out=st.integers(0, 9_000),
)


@given(PROOFS)
def test_a_proof_is_read_as_it_was_packed(proof: Proof) -> None:
    assert from_body(to_body(proof)) == proof


@given(PROOFS)
def test_any_proof_fits_a_paper_and_leaves_out_the_oldest_doses_alone(whole: Proof) -> None:
    said = fitted(whole, BODY_BYTES_MAX)

    assert len(to_body(said)) <= BODY_BYTES_MAX
    kept = len(said.doses)
    assert said.doses == whole.doses[len(whole.doses) - kept :], "the newest are kept, in order"
    assert said.left_out == whole.left_out + len(whole.doses) - kept
    assert (said.code, said.sex, said.born) == (whole.code, whole.sex, whole.born)
    if kept:
        assert replace(said, doses=(), left_out=0) == replace(whole, doses=(), left_out=0)
        one_more = replace(said, doses=whole.doses[-kept - 1 :], left_out=max(said.left_out - 1, 0))
        assert said.left_out == whole.left_out or len(to_body(one_more)) > BODY_BYTES_MAX
    text = sign_paper(KEYS, PaperKind.VACCINATION, CERTIFICATE, AT_MS, to_body(said))
    assert len(text.encode()) <= TEXT_CHARS_MAX
    assert from_body(read_paper(text).body) == said


def test_all_doses_of_a_child_of_fifteen_months_fit() -> None:
    whole = childs()
    assert len(whole.doses) == 20
    assert fitted(whole, BODY_BYTES_MAX) == whole


def test_more_doses_than_fit_are_counted_and_the_last_ones_stay() -> None:
    whole = childs()
    more = (("tcv", "190", 1), ("hpv", "137", 1), ("malaria", "", 1))
    many = replace(whole, doses=(*whole.doses, *given_on(20_700, *more, place="Kome school")))
    said = fitted(many, BODY_BYTES_MAX)
    assert said.left_out == len(many.doses) - len(said.doses) > 0
    assert said.doses[-1] == many.doses[-1]


@given(st.binary(max_size=300))
def test_a_hostile_body_is_refused_or_read(body: bytes) -> None:
    said = from_body(body)
    assert said is None or isinstance(said, Proof)


def wire(**changes: object) -> bytes:
    """A body with some fields of a good one put otherwise."""
    from protocols.records import proof_bytes

    good = proof_bytes._packed(replace(childs(), doses=childs().doses[:3]))
    dictionary, packed = deflate(msgspec.msgpack.encode(replace(good, **changes)))
    return bytes([dictionary]) + packed


@pytest.mark.parametrize(
    "changes",
    [
        {"vaccines": b"\x00\x01"},
        {"vaccines": b"\x00\x01\x80"},
        {"vaccines": b"\x00\x01\x7f"},
        {"teams": ()},
        {"visits": ((20_000, 5, 3),)},
        {"visits": ((20_000, 0, 64), (20_001, 0, 64))},
        {"visits": ((99_999, 0, 3),)},
        {"numbers": b""},
        {"lots": "A\nB"},
        {"sites": bytes(65)},
        {"spelled": (("x" * 21, ""),)},
        {"spelled": (("x", "1;2"),)},
        {"sex": 10},
    ],
)
def test_columns_that_do_not_agree_do_not_read(changes: dict[str, object]) -> None:
    assert from_body(wire()) is not None
    assert from_body(wire(**changes)) is None


def test_words_of_later_software_are_told_as_not_known() -> None:
    said = from_body(wire(sites=b"\x7f\xff\x01", numbers=b"\xf1\x1f\x21"))
    assert said is not None
    assert [dose.body_site for dose in said.doses] == ["", "", BODY_SITES[1]]
    assert [(dose.counts, dose.dose) for dose in said.doses] == [(0, 1), (1, None), (2, 1)]


def test_a_body_that_swells_does_not_read() -> None:
    assert from_body(b"\x01" + deflate(bytes(2_000_000))[1]) is None


def test_texts_are_made_safe_to_show() -> None:
    dose = ProofDose("mr", "04", 1, 20_000, "A\nB\x1b[2J", by="\u202eX", place="[/]")
    said = from_body(to_body(Proof("A", name="O\x1b[2J\u202eob", doses=(dose,))))
    assert said is not None
    (one,) = said.doses
    for text in (said.name, one.lot, one.by, one.place):
        assert text.isprintable()
        assert "\u202e" not in text
    assert one.lot.startswith("A B")


def test_every_vaccine_of_the_shipped_pack_is_known_by_number() -> None:
    assert {(row.code, row.cvx) for row in shipped_vaccines().vaccine} <= set(KNOWN)
    assert len(set(KNOWN)) == len(KNOWN) < 128


def test_the_bytes_of_a_proof_never_change() -> None:
    text = sign_paper(KEYS, PaperKind.VACCINATION, CERTIFICATE, AT_MS, to_body(childs()))
    assert text == GOLDEN
    assert from_body(read_paper(GOLDEN).body) == childs()
    assert read_paper(GOLDEN).kind == PaperKind.VACCINATION == 2
