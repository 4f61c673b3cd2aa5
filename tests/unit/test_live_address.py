"""HOST:PORT as people type it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import InputError
from protocols.live.address import PORT_MAX, Address
from protocols.live.sentences import sentence


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:7400", "127.0.0.1", 7400),
        (" HQ.example:0 ", "hq.example", 0),
        ("[2001:db8::1]:65535", "2001:db8::1", 65535),
    ],
)
def test_what_people_type_is_read(text, host, port):
    assert Address.parse(text) == (host, port)


@pytest.mark.parametrize(
    "text",
    ["", ":1", "host", "host:", "host:65536", "host:-1", "host:٣", "[::1:7", "[zz]:7", "a b:7",
     "a/b:7", "http://a:7", "x" * 254 + ":7", "2001:db8::1:7"],
)  # fmt: skip
def test_anything_else_is_refused_by_name(text):
    with pytest.raises(InputError, match="bad_address"):
        Address.parse(text)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("text", ["192.168.1.20", "192.168.1.20:99999"])
def test_whoever_is_refused_is_told_what_an_address_and_a_port_are(text, language, monkeypatch):
    monkeypatch.setenv("FIELDMESH_LANGUAGE", language)
    with pytest.raises(InputError) as refused:
        Address.parse(text)
    said = sentence(refused.value)
    assert "192.168.1.20:7400" in said, "an example beside the form"
    assert str(PORT_MAX) in said


@given(st.text(max_size=40))
def test_no_text_breaks_it_and_what_is_read_prints_back(text):
    try:
        address = Address.parse(text)
    except InputError:
        return
    assert Address.parse(str(address)) == address
