"""The bytes of the local socket: hostile lines, and errors that cross as themselves."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import (
    FieldmeshError,
    InputError,
    LedgerError,
    LinkError,
    PeerError,
    SetupError,
)
from protocols.live.api import Reply, Request
from protocols.live.lines import (
    LINE_BYTES_MAX,
    decode_reply,
    decode_request,
    encode,
    failure,
    raised,
)

values = st.dictionaries(
    st.from_regex(r"[a-z]{1,8}", fullmatch=True).filter(
        lambda name: name not in ("code", "self", "field", "allowed")
    ),
    st.integers(-(2**53), 2**53) | st.text(max_size=20),
    max_size=4,
)


@given(
    st.binary(max_size=200)
    | st.from_regex(rb'\{"id":-?[0-9]{1,25},"call":"[a-z]{0,5}","args":[\[{"0-9a-z:,}\]]{0,20}\}')
)
def test_no_bytes_break_either_end(line):
    for decode, refusal in ((decode_request, InputError), (decode_reply, LinkError)):
        with suppress(refusal):
            decode(line)


def test_a_request_that_may_be_read_as_two_is_refused():
    line = b'{"id":1,"call":"record","args":{"lines":[{"kind":"note.add","kind":"triage.record"}]}}'

    with pytest.raises(InputError) as refused:
        decode_request(line)

    assert (refused.value.code, refused.value.field) == ("field_twice", "args.lines.0.kind")


@given(st.integers(1, 2**53), st.text(max_size=20), values)
def test_a_request_crosses_unchanged(number, call, args):
    request = Request(number, call, args)

    assert decode_request(encode(request)) == request
    assert encode(request).count(b"\n") == 1


@given(
    st.sampled_from([InputError, PeerError, LinkError, LedgerError, SetupError]),
    st.from_regex(r"[a-z_]{1,20}", fullmatch=True),
    values,
)
def test_an_error_crosses_as_the_kind_it_is(kind, code, given_values):
    error: FieldmeshError = kind(code, **given_values)

    reply = decode_reply(encode(Reply(1, error=failure(error))))

    crossed = raised(reply.error)
    assert (type(crossed), crossed.code, crossed.values) == (kind, code, given_values)


@pytest.mark.parametrize("name", ["code", "self", "field", "allowed"])
def test_a_value_with_a_name_of_ours_does_not_break_the_reader(name):
    line = b'{"id":1,"error":{"code":"x","values":{"%s":"y"}}}' % name.encode()

    assert raised(decode_reply(line).error).code == "x"


def test_a_line_longer_than_the_limit_is_not_sent():
    spare = LINE_BYTES_MAX - len(encode(Reply(1, result="")))
    assert len(encode(Reply(1, result="x" * spare))) == LINE_BYTES_MAX

    with pytest.raises(InputError, match="line_too_long"):
        encode(Reply(1, result="x" * (spare + 1)))
