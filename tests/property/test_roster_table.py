"""Tables of devices as people make them: read, or refused with the row, whatever is in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import InputError
from protocols.live.rostertable import COLUMNS, ROWS_MAX, Row, parse_table
from protocols.trust.granting import POSTS

CSV = """request,as,roles,scopes,name,until
a.req,device,care;nurse,care JP,Tent A,2027-01-01
b.req,,,,,
"""
TOML = """
[[device]]
request = "a.req"
as = "coordinator"
roles = ["care", "nurse"]
[[device]]
request = "b.req"
roles = "care;nurse"
"""


def refused(raw: str, *, toml: bool = False) -> InputError:
    with pytest.raises(InputError) as found:
        parse_table(raw.encode(), toml=toml)
    return found.value


def test_a_spreadsheet_and_toml_say_the_same():
    first, second = parse_table(CSV.encode(), toml=False)
    until, roles = "2027-01-01", ("care", "nurse")
    assert first == Row("a.req", "", "device", roles, ("care JP",), "Tent A", until)
    assert second == Row("b.req", "", "device", (), (), "", "")
    first, second = parse_table(TOML.encode(), toml=True)
    assert (first.post, first.roles, second.roles) == (
        "coordinator",
        ("care", "nurse"),
        first.roles,
    )
    assert parse_table(b"\xef\xbb\xbf" + CSV.encode(), toml=False)[0].request == "a.req"
    assert parse_table(CSV.replace("\n", "\r\n").encode(), toml=False)[1].request == "b.req"


def test_what_cannot_be_taken_is_named_by_row_and_column():
    assert refused(CSV.replace("device,", "king,")).field == "row 1 as"
    assert refused(CSV.replace("Tent A", "x" * 81)).field == "row 1 name"
    assert refused(CSV.replace("until", "colour")).field == "row 1"
    assert refused(CSV + "c.req,device,,,,,more\n").field == "row 3"
    assert refused("request\n").field == "rows"
    assert refused("request\n" + "a\n" * (ROWS_MAX + 1)).field == "rows"
    assert refused(TOML.replace('"care;nurse"', "3"), toml=True).field == "row 2 roles"
    assert refused("[device]\n", toml=True).field == "keys"
    assert refused("[[device\n", toml=True).code == "table_unreadable"
    assert refused("x" * 2_000_000).code == "table_unreadable"


@given(st.sampled_from((CSV, TOML)), st.text(max_size=80), st.integers(0, 200), st.integers(0, 40))
def test_any_change_is_read_or_refused(table, text, at, size):
    changed = table[:at] + text + table[at + size :]
    try:
        rows = parse_table(changed.encode("utf-8", "surrogatepass"), toml=table is TOML)
    except InputError:
        return
    assert rows
    assert all(row.request and row.post in POSTS for row in rows)


@given(st.lists(st.dictionaries(st.sampled_from(COLUMNS), st.text(max_size=20)), max_size=5))
def test_a_table_written_by_a_spreadsheet_is_read_as_it_was_meant(rows):
    quoted = [
        ",".join('"' + row.get(name, "").replace('"', '""') + '"' for name in COLUMNS)
        for row in rows
    ]
    raw = "\r\n".join([",".join(COLUMNS), *quoted]).encode("utf-8", "surrogatepass")
    try:
        read = parse_table(raw, toml=False)
    except InputError:
        return
    kept = [row for row in rows if any(row.values())]
    assert [row.request for row in read] == [row.get("request", "").strip() for row in kept]
