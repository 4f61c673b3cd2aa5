"""What the one door to automerge promises, one claim at a time."""

import hashlib

import automerge.core as automerge
import pytest

from protocols.errors import LedgerError
from protocols.feeds.document import Document, Strand, encode_change, fact_key
from protocols.ids import EntryPrefix, FactRef

A, B, C, D = (bytes((letter,)) * 16 for letter in b"abcd")

ROOT_FACTS = Strand(A, (), (b"pulse", b""))
LATER = Strand(B, (A,), (b"88",))
BESIDE = Strand(C, (A,), (b"90",))
JOINED = Strand(D, (B, C), (b"settled",))
FAMILY = [ROOT_FACTS, LATER, BESIDE, JOINED]


def merged(*strands) -> Document:
    document = Document()
    assert document.extend(strands) == []
    return document


def facts_of(*strands):
    return {(s.prefix, i): value for s in strands for i, value in enumerate(s.values)}


def test_a_fact_key_is_the_prefix_a_point_and_the_index():
    assert fact_key(bytes(range(16)), 1023) == "000102030405060708090a0b0c0d0e0f.03ff"


def test_the_bytes_of_a_change_never_move():
    change, digest = encode_change(Strand(bytes(range(16)), (), (b"a", b"bb")), [b"\x99" * 32], 300)

    hashed = (
        "019d0101"
        + "99" * 32
        + "10000102030405060708090a0b0c0d0e0f01ac02000000"
        + "06154d340142025603570370027e25"
        + b"000102030405060708090a0b0c0d0e0f.0000".hex()
        + "25"
        + b"000102030405060708090a0b0c0d0e0f.0001".hex()
        + "0202017e17276162620200"
    )
    assert digest == hashlib.sha256(bytes.fromhex(hashed)).digest()
    assert change.hex() == "856f4a83" + digest[:4].hex() + hashed


def test_dependency_hashes_are_sorted_by_the_encoder():
    low, high = b"\x01" * 32, b"\x02" * 32

    assert encode_change(JOINED, [high, low], 9) == encode_change(JOINED, [low, high], 9)


def test_heads_are_the_entries_that_nothing_depends_on():
    document = merged(ROOT_FACTS, BESIDE, LATER)

    assert document.heads == (B, C)
    assert document.max_op == 3
    assert set(document.entries) == {A, B, C}
    assert len(document.change_heads) == 2


def test_an_empty_document_has_nothing():
    document = Document()

    assert (document.heads, document.max_op, document.facts()) == ((), 0, {})


def test_entries_given_backwards_are_merged_at_once():
    assert merged(*reversed(FAMILY)).change_heads == merged(*FAMILY).change_heads
    assert merged(*reversed(FAMILY)).facts() == facts_of(*FAMILY)


def test_an_entry_waits_for_what_it_depends_on():
    document = Document()

    assert document.extend([JOINED, ROOT_FACTS, LATER]) == [JOINED]
    assert document.facts() == facts_of(ROOT_FACTS, LATER)

    assert document.extend([JOINED, BESIDE]) == []
    assert document.heads == (D,)
    assert document.facts() == facts_of(*FAMILY)


def test_an_entry_that_waits_changes_nothing():
    document = merged(ROOT_FACTS)
    before = document.change_heads

    assert document.extend([JOINED]) == [JOINED]
    assert document.change_heads == before


def test_entries_that_name_themselves_or_each_other_wait_for_ever():
    circle = [Strand(A, (A,), (b"1",)), Strand(B, (C,), (b"2",)), Strand(C, (B,), (b"3",))]

    assert Document().extend(circle) == circle


def test_an_entry_given_twice_counts_once():
    document = merged(ROOT_FACTS, ROOT_FACTS)
    first = document.export()

    assert document.extend([ROOT_FACTS, LATER, LATER]) == []
    assert document.facts() == facts_of(ROOT_FACTS, LATER)
    assert document.extend([LATER, ROOT_FACTS]) == []
    assert document.export() != first
    assert document.extend([BESIDE, ROOT_FACTS]) == []
    assert document.heads == merged(ROOT_FACTS, LATER, BESIDE).heads == (B, C)


def test_an_entry_given_twice_waits_once():
    assert Document().extend([LATER, LATER]) == [LATER]


def test_a_long_chain_given_backwards_needs_no_depth_and_no_patience():
    names = [bytes((n >> 8, n & 255)) * 8 for n in range(400)]
    chain = [Strand(names[0], (), (b"",))]
    chain += [Strand(name, (names[n],), (b"",)) for n, name in enumerate(names[1:])]

    document = merged(*reversed(chain))

    assert document.heads == (names[-1],)
    assert document.max_op == 400


def test_an_entry_without_facts_is_a_change_without_operations():
    silent, after = Strand(B, (A,), ()), Strand(C, (B,), (b"x",))

    document = merged(ROOT_FACTS, silent, after)

    assert document.heads == (C,)
    assert document.max_op == 3
    assert document.facts() == facts_of(ROOT_FACTS, after)
    assert sorted(automerge.Document.load(document.export()).get_heads()) == [
        *document.change_heads
    ]


def test_a_document_may_begin_without_facts():
    assert merged(Strand(A, (), ()), LATER).facts() == facts_of(LATER)


def test_a_few_facts_can_be_asked_for_alone():
    document = merged(*FAMILY)

    assert document.facts([(A, 0), (D, 0)]) == {(A, 0): b"pulse", (D, 0): b"settled"}
    assert document.facts([]) == {}


def test_a_fact_reference_finds_its_fact():
    reference = FactRef(EntryPrefix(A), 0)

    assert merged(*FAMILY).facts()[reference] == b"pulse"
    assert merged(*FAMILY).facts([reference])[reference] == b"pulse"


def test_asking_for_a_fact_that_is_not_here_is_our_fault():
    with pytest.raises(AssertionError):
        merged(ROOT_FACTS).facts([(A, 2)])
    with pytest.raises(KeyError):
        merged(ROOT_FACTS).facts([(B, 0)])


def test_the_export_is_an_automerge_file_and_the_same_in_any_order():
    one, other = merged(*FAMILY), Document()
    for strand in (ROOT_FACTS, BESIDE, LATER, JOINED):
        other.extend([strand])

    opened = automerge.Document.load(one.export())

    assert one.export() == other.export()
    assert sorted(opened.get_heads()) == list(one.change_heads)
    assert opened.keys(automerge.ROOT) == sorted(fact_key(*fact) for fact in one.facts())


def test_a_released_document_opens_itself_again():
    document = merged(*FAMILY)

    document.release()

    assert document.facts() == facts_of(*FAMILY)
    assert document.extend([Strand(b"e" * 16, (D,), (b"more",))]) == []
    assert document.heads == (b"e" * 16,)


def test_a_refusal_of_automerge_is_a_ledger_error_and_merges_nothing():
    document = merged(ROOT_FACTS)
    short_name = Strand(b"short", (A,), (b"x",))

    with pytest.raises(LedgerError, match="document_rebuild"):
        document.extend([LATER, short_name])

    assert document.heads == (A,)
    assert document.facts() == facts_of(ROOT_FACTS)


def unreadable_book():
    """A document whose one value is of a type the binding has not implemented: reading panics."""
    change, _ = encode_change(Strand(A, (), (b"abcd",)), [], 1)
    hashed = change[8:].replace(b"\x7f\x47abcd", b"\x7f\x4cabcd")
    assert hashed != change[8:]
    return automerge.Document.load(change[:4] + hashlib.sha256(hashed).digest()[:4] + hashed)


def test_a_panic_is_a_ledger_error_and_the_poisoned_object_is_dropped(capfd):
    strand = Strand(A, (), (b"abcd",))
    document = merged(strand)
    document._book = unreadable_book()

    with pytest.raises(LedgerError) as caught:
        document.facts()

    assert caught.value.code == "document_rebuild"
    assert caught.value.values == {"reason": "PanicException"}
    assert document.facts() == facts_of(strand)
    assert "not yet implemented" in capfd.readouterr().err


def test_a_book_that_holds_other_facts_is_refused():
    document = merged(ROOT_FACTS)
    document._book = merged(ROOT_FACTS, LATER)._book

    with pytest.raises(LedgerError) as caught:
        document.facts()

    assert caught.value.values["reason"] == "facts"
    assert document.facts() == facts_of(ROOT_FACTS)


def test_heads_that_automerge_does_not_share_are_refused():
    document = merged(ROOT_FACTS)
    held = document._changes[A]
    document._changes[A] = (bytes(32), *held[1:])
    document.release()

    with pytest.raises(LedgerError) as caught:
        document.facts()

    assert caught.value.values["reason"] == "heads"
