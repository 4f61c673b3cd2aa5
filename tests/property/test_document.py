"""Our changes are automerge's own, byte for byte, and add up the same in any order."""

import random

import automerge.core as automerge
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.feeds.body import DEPENDENCIES_MAX, FACTS_MAX
from protocols.feeds.document import Document, Strand, encode_change, fact_key

COUNTS = (1, 1, 1, 2, 2, 2, 3, 5, 8, 63, 64, 65, 130)
LENGTHS = (0, 0, 1, 1, 7, 7, 7, 8, 60, 127, 128, 200)
MAGIC = b"\x85\x6f\x4a\x83"


class Authors:
    """A history as automerge writes it, with the strands that say the same."""

    def __init__(self, seed, *, authors):
        self.random = random.Random(seed)
        self.books = [automerge.Document() for _ in range(authors)]
        self.strands = []
        self.changes = {}
        self._prefix_of = {}

    def write(self, book, values):
        """Let automerge itself write one entry."""
        prefix = self.random.randbytes(16)
        before = book.get_heads()
        book.set_actor(prefix)
        with book.transaction() as transaction:
            for index, value in enumerate(values):
                key = fact_key(prefix, index)
                transaction.put(automerge.ROOT, key, automerge.ScalarType.Bytes, value)
        [change] = book.get_changes(before)
        deps = tuple(sorted(self._prefix_of[digest] for digest in before))
        self._prefix_of[change.hash] = prefix
        self.changes[prefix] = (change.raw_bytes, change.hash)
        self.strands.append(Strand(prefix, deps, tuple(values)))

    def wander(self, entries):
        """Write at random places, now and then hearing from each other."""
        for _ in range(entries):
            book, other = self.random.choice(self.books), self.random.choice(self.books)
            if book is not other and self.random.random() < 0.4:
                book.merge(other)
            self.write(book, self.some_values())

    def some_values(self):
        lengths = self.random.choices(LENGTHS, k=self.random.choice(COUNTS))
        if self.random.random() < 0.3:
            lengths = sorted(lengths)
        return [self.random.randbytes(length) for length in lengths]

    def together(self):
        first, *rest = self.books
        for other in rest:
            first.merge(other)
        return first

    def shuffled(self):
        return self.random.sample(self.strands, len(self.strands))

    def facts(self):
        return {(s.prefix, i): value for s in self.strands for i, value in enumerate(s.values)}


def assert_ours_equals_automerge(authors):
    """Encode every entry, merge them in another order, and compare with automerge's own."""
    last_op = {}
    for strand in authors.strands:
        start = 1 + max((last_op[dep] for dep in strand.deps), default=0)
        last_op[strand.prefix] = start + len(strand.values) - 1
        hashes = [authors.changes[dep][1] for dep in strand.deps]
        assert encode_change(strand, hashes, start) == authors.changes[strand.prefix]

    document = Document()
    assert document.extend(authors.shuffled()) == []
    book = authors.together()
    assert list(document.change_heads) == sorted(book.get_heads())
    assert document.max_op == max(last_op.values())
    assert document.facts() == authors.facts()
    opened = automerge.Document.load(document.export())
    assert opened.get_heads() == book.get_heads()
    assert values_of(opened) == values_of(book) == [value for _, value in sorted(by_key(authors))]


def values_of(book):
    """Values in the order of their keys; their type must be bytes."""
    held = [scalar for scalar, _ in book.values(automerge.ROOT)]
    assert all(kind == automerge.ScalarType.Bytes for kind, _ in held)
    return [bytes(value) for _, value in held]


def by_key(authors):
    return [(fact_key(*fact), value) for fact, value in authors.facts().items()]


def history(seed) -> Authors:
    authors = Authors(seed, authors=1 + seed % 4)
    authors.wander(1 + seed % 13)
    return authors


@pytest.mark.parametrize("block", range(4))
def test_our_changes_are_automerges_own(block):
    for seed in range(block * 25, block * 25 + 25):
        assert_ours_equals_automerge(history(seed))


@pytest.mark.slow
@pytest.mark.parametrize("block", range(20))
def test_our_changes_are_automerges_own_in_a_long_campaign(block):
    for seed in range(1000 + block * 150, 1000 + block * 150 + 150):
        assert_ours_equals_automerge(history(seed))


@pytest.mark.parametrize(
    "values",
    [
        [b""],
        [b""] * 3,
        [b"", b"x", b"", b""],
        [b"\0" * 64 * 1024],
        [b"x" * 64 * 1024, b"", b"y" * 7],
        [bytes(3)] * FACTS_MAX,
        [bytes(n % 5) for n in range(FACTS_MAX)],
        [bytes(n // 3 % 7) for n in range(FACTS_MAX)],
        [bytes(n % 2) for n in range(64)],
        [bytes(n % 2) for n in range(65)],
    ],
    ids=lambda values: f"{len(values)}x{len(values[0])}",
)
def test_the_edges_of_values_and_counts(values):
    authors = Authors(1, authors=1)
    authors.write(authors.books[0], [b"before"])
    authors.write(authors.books[0], values)

    assert_ours_equals_automerge(authors)


@pytest.mark.parametrize("others", [127, 128, DEPENDENCIES_MAX])
def test_one_entry_may_join_as_many_as_the_limit(others):
    authors = Authors(others, authors=1)
    [root] = authors.books
    authors.write(root, [b"root"])
    branches = [root.fork() for _ in range(others)]
    for branch in branches:
        authors.write(branch, [b"beside"])
    for branch in branches:
        root.merge(branch)

    authors.write(root, [b"joined"])

    assert len(authors.strands[-1].deps) == others
    assert_ours_equals_automerge(authors)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_any_order_and_any_portions_give_the_same_document(seed, chance):
    authors = history(seed)
    whole = Document()
    whole.extend(authors.strands)

    document, waiting = Document(), []
    strands = authors.shuffled()
    while strands:
        size = chance.randint(1, len(strands))
        portion, strands = strands[:size], strands[size:]
        waiting = document.extend(waiting + portion)

    assert waiting == []
    assert (document.heads, document.change_heads) == (whole.heads, whole.change_heads)
    assert document.max_op == whole.max_op
    assert document.facts() == whole.facts() == authors.facts()
    assert document.export() == whole.export()


hostile = st.lists(
    st.one_of(
        st.binary(max_size=300),
        st.binary(max_size=40).map(lambda rest: MAGIC + rest),
        st.builds(
            lambda value, lie: encode_change(Strand(bytes(16), (), (value,)), [], lie)[0],
            st.binary(max_size=40),
            st.integers(1, 2**40),
        ),
    ),
    max_size=12,
)


@settings(max_examples=100, deadline=None)
@given(st.lists(hostile, min_size=1, max_size=5))
def test_hostile_values_are_only_values(bodies):
    strands = []
    for number, values in enumerate(bodies):
        deps = (strands[-1].prefix,) if strands else ()
        strands.append(Strand(bytes((number,)) * 16, deps, tuple(values)))

    document = Document()
    document.extend(strands)

    expected = {(s.prefix, i): value for s in strands for i, value in enumerate(s.values)}
    assert document.facts() == expected
    assert document.facts(list(expected)) == expected
    again = automerge.Document.load(document.export())
    assert sorted(again.get_heads()) == list(document.change_heads)
    assert values_of(again) == [expected[fact] for fact in sorted(expected)]
