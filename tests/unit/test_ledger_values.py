"""What is written into the book comes back as it is, by the quick way through SQLite's binding."""

from hypothesis import given
from hypothesis import strategies as st
from sqlcipher3 import dbapi2

from protocols import ids
from protocols.ids import Id
from protocols.ledger.store import open_memory

_KINDS = [kind for kind in vars(ids).values() if isinstance(kind, type) and issubclass(kind, Id)]


def test_every_kind_of_id_is_told_to_the_binding() -> None:
    told = {kind for kind, _ in dbapi2.adapters}
    assert {bytes, type(None), *_KINDS} <= told
    assert len(_KINDS) > 10


@given(
    raw=st.binary(max_size=40),
    number=st.integers(-(2**63), 2**63 - 1),
    text=st.text(st.characters(exclude_categories=["Cs"])),
    nothing=st.none(),
)
def test_values_come_back_as_they_went_in(
    raw: bytes, number: int, text: str, nothing: None
) -> None:
    store = open_memory()
    asked = (raw, number, text, nothing)
    assert store.one("SELECT ?, ?, ?, ?", asked) == asked
    assert store.one("SELECT typeof(?), typeof(?)", (raw, nothing)) == ("blob", "null")
    store.close()


def test_an_id_comes_back_as_its_bytes() -> None:
    store = open_memory()
    for kind in _KINDS:
        raw = bytes(range(kind.SIZE))
        row = store.one("SELECT ?, typeof(?)", (kind(raw), kind(raw)))
        assert row == (raw, "blob")
        assert type(row[0]) is bytes
    store.close()
