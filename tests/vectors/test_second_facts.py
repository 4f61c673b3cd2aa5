"""Fact values read and written by somebody who has only `protocols/records/WIRE.md`.

The reader knows the page's tables and the sentences beside them; ours is asked for bytes and for
what it makes of them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from copy import deepcopy
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
import pytest

from protocols.ids import DeviceId, Epoch
from protocols.records.barcode import barcode_subject
from protocols.records.catalogue import decode_fact, encode_fact
from protocols.records.identity import code_tag, short_code
from protocols.records.movement import stock_subject
from protocols.records.reading import cold_subject
from tests.vectors.records_samples import VALUES
from tests.vectors.second_msgpack import Refused, read, write
from tests.vectors.second_tables import (
    FACTS,
    Field,
    Reader,
    keeps,
    kinds,
    options,
    split,
    tables,
)

HELD = json.loads(Path(__file__).with_name("records.json").read_text())
READER = Reader(FACTS, strict=False)
LONGEST = 40_960
ROUNDS = 200
"""Values made up of each kind; about half of them read."""


def second(kind: int, raw: bytes) -> list[Any] | None:
    """Return what a value says, or None where it does not read as its kind."""
    name = kinds()[kind]
    try:
        if len(raw) > LONGEST:
            return None
        value = READER.read(name, raw)
    except Refused:
        return None
    beside = BESIDE.get(name)
    return value if beside is None or beside(READER.named(name, value), kind) else None


@pytest.mark.parametrize("name", sorted(VALUES))
def test_a_second_reader_finds_in_the_golden_values_what_ours_does(name: str) -> None:
    kind, value = VALUES[name]
    raw = bytes.fromhex(HELD[name])

    found = second(kind, raw)

    assert found == plain(value)
    assert READER.write(kinds()[kind], found) == raw


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_both_take_and_refuse_the_same_values_of_a_kind(kind: int) -> None:
    chance = random.Random(kind)
    taken = 0
    for _ in range(ROUNDS):
        raw = write(made_up(kind, chance))
        ours, theirs = decode_fact(kind, raw), second(kind, raw)

        assert (ours is None) == (theirs is None), (kinds()[kind], raw.hex(), ours, theirs)
        if ours is not None and theirs is not None:
            taken += 1
            if not {"Restated", "ConflictSettle"} & {kinds()[kind]}:
                assert theirs == plain(ours)
                assert READER.write(kinds()[kind], theirs) == encode_fact(kind, ours)

    assert taken, "nothing was read"


def test_numbers_may_be_wider_than_needed_and_later_fields_are_passed_over() -> None:
    short = write([None, [], "x", 0])
    wide = b"\x97\xc0\x90\xd9\x01x\xcf" + bytes(8) + b"\xc0\x81\x01\xc3\x93\x01\x02\x03"

    assert second(40, short) == second(40, wide) == plain(decode_fact(40, wide))


def test_what_follows_a_value_or_is_of_another_sort_makes_it_unreadable() -> None:
    for raw in (
        b"\x90\x00",
        b"\x80",
        b"\xc1",
        b"",
        write([None, [], b"x"]),
        write([None, [], "x", 0.0]),
    ):
        assert second(40, raw) is None
        assert decode_fact(40, raw) is None


def test_text_is_no_id_where_an_attribute_is_one() -> None:
    for value, read_as in ((b"s" * 16, True), ("cw==", False)):
        raw = write([None, [], {66: value}])

        assert (decode_fact(18, raw) is not None) is read_as is (second(18, raw) is not None)


def test_ids_that_follow_from_what_they_name_are_worked_out_alike() -> None:
    store = b"s" * 16

    assert stock_subject(store, "zinc") == short_hash(store + b"zinc", b"fm-stock-1")
    assert cold_subject(store, "Réfri  N°1") == short_hash(store + b"refri n 1", b"fm-cold-1")
    assert barcode_subject("0401") == short_hash(b"0401", b"fm-barcode-1")


@pytest.mark.parametrize("number", [0, 22, 23, 12_166, 12_167, 300_000])
def test_a_short_code_is_worked_out_alike(number: int) -> None:
    device, epoch = bytes(range(32)), b"epoch 12"
    tag = int.from_bytes(short_hash(device + epoch, b"fm-code-1")) % 23**5
    digits = [*base_23(tag, 5), *base_23(number, 3)]
    digits.append(-sum(weight * digit for weight, digit in enumerate(digits[::-1], 2)) % 23)
    code = "".join("346789ACDEFHJKMNPQRTWXY"[digit] for digit in digits)

    told = short_code(code_tag(DeviceId(device), Epoch(epoch)), number)

    assert told == "-".join(code[at : at + 3] for at in range(0, len(code), 3))


def base_23(number: int, least: int) -> list[int]:
    """Return the digits of a number, the first the greatest, at least so many."""
    digits: list[int] = []
    while number or len(digits) < least:
        number, digit = divmod(number, 23)
        digits.insert(0, digit)
    return digits


def short_hash(text: bytes, person: bytes) -> bytes:
    """Return BLAKE2b-128."""
    return blake2b(text, digest_size=16, person=person).digest()


def plain(value: Any) -> Any:
    """Return what ours read as lists, numbers, text and bytes."""
    if isinstance(value, msgspec.Struct):
        return [plain(each) for each in msgspec.structs.astuple(value)]
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {plain(key): plain(held) for key, held in value.items()}
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    return bytes(value) if isinstance(value, bytes) else value


# What the page says beside its tables


def attribute_fits(number: int, value: Any) -> bool:
    """Whether an attribute can hold a value."""
    if not 0 <= number <= 127:
        return False
    holds = attributes().get(number)
    if holds is None or value is None:
        return True
    try:
        kept = READER.fitting(holds, value)
    except Refused:
        return False
    parts = kept if isinstance(kept, list) else [kept]
    return all(abs(each) < 2**31 for each in parts if type(each) is int)


def attributes() -> dict[int, str]:
    """Return what each listed attribute holds."""
    text = FACTS.read_text()
    lines = text[text.index("### Attributes") : text.index("## 6.")].splitlines()
    rows = [line.strip("|").split("|") for line in lines if line.startswith("| ")]
    return {int(row[0]): row[2].strip() for row in rows[1:]}


def _step(said: dict[str, Any], _: int) -> bool:
    wanted = [row.name for row in tables(FACTS)["Wanted"].fields]
    parcel = [row.name for row in tables(FACTS)["Parcel"].fields]
    lines = [
        dict(zip(wanted if len(line) == len(wanted) else parcel, line, strict=False))
        for line in said.get("lines", [])
    ]
    return len(lines) <= 64 and all(
        1 <= len(line["item"]) <= 40
        and line["units"] <= 100_000_000
        and len(line.get("lot", "")) <= 20
        for line in lines
    )


def _reading(said: dict[str, Any], _: int) -> bool:
    gaps, tenths = said["run"][::2], said["run"][1::2]
    return (
        1 <= len(gaps) == len(tenths) <= 512
        and gaps[0] == 0 <= min(gaps)
        and max(map(abs, tenths)) <= 1000
    )


def _drawn(said: dict[str, Any], _: int) -> bool:
    return not said["item"] or (len(said["item"]) <= 40 and len(said["store"] or b"") == 16)


BESIDE: dict[str, Callable[[dict[str, Any], int], bool]] = {
    "AdministrationRecord": _drawn,
    "AllotmentGrant": lambda said, _: (
        bool(said["to"]) and all(len(device) == 32 and units > 0 for device, units in said["to"])
    ),
    "ConflictSettle": lambda said, _: attribute_fits(said["attribute"], said["value"]),
    "DoseDecide": lambda said, _: len(said["doses"]) >= 2,
    "Movement": lambda said, kind: said["units"] > 0 or kind in (141, 143),
    "ReadingRecord": _reading,
    "RequisitionApprove": _step,
    "RequisitionPlace": _step,
    "Restated": lambda said, _: all(attribute_fits(*pair) for pair in said["values"].items()),
    "ShipmentDispatch": _step,
    "ShipmentReceive": _step,
    "ShipmentReserve": _step,
    "Step": _step,
    "StockCount": lambda said, _: all(len(lot[0]) <= 20 for lot in said["lots"]),
}
"""By structure: what its table alone cannot say, given the fields by name and the kind."""


def test_every_sentence_beside_a_table_was_read() -> None:
    said = {table.name for table in tables(FACTS).values() if table.beside}

    assert said == set(BESIDE)


# Values that keep the page, and values that just do not


def made_up(kind: int, chance: random.Random) -> list[Any]:
    """Return a value of a kind as the page has it, mostly; somewhere it may be wrong."""
    value = structure(kinds()[kind], chance)
    if chance.random() < 0.4:
        spoil(value, chance)
    return value


def structure(name: str, chance: random.Random) -> list[Any]:
    """Return the fields of a structure, some of those at the end left out or more added."""
    if name == "Granted":
        return [b"d" * chance.choice([32, 32, 32, 31]), chance.choice([1, 5, 5, 0])]
    rows = READER.rows(name)
    full = [fit(row, chance) for row in rows]
    least = sum(not row.left_out for row in rows)
    if chance.random() < 0.3:
        full = full[: chance.randint(least, len(full))]
    return [*full, "later", {"a": [1]}] if chance.random() < 0.1 else full


def fit(row: Field, chance: random.Random) -> Any:
    """Return something that a field holds, its rules kept as a rule."""
    if row.left_out and not row.rules and chance.random() < 0.4:
        return READER.lacking(row)
    value = None
    for _ in range(20):
        value = one(chance.choice(options(row.holds)), chance, row.rules)
        try:
            kept = READER.fitting(row.holds, value)
        except Refused:
            continue
        if all(keeps(rule, kept) for rule in row.rules) or chance.random() < 0.01:
            break
    return value


def one(option: str, chance: random.Random, rules: tuple[str, ...] = ()) -> Any:
    """Return something of one type, at its bounds as often as not."""
    word = option.split()[0]
    if option.startswith("["):
        if option.endswith(")"):
            return structure(option[1 : option.index("]")], chance)
        return [one(each, chance) for each in split(option[1:-1], ", ")]
    match word:
        case "ref":
            return [
                chance.choice([b"e" * 16, bytes(16), b"f" * 16, b""]),
                chance.choice([0, 65535]),
            ]
        case "list":
            of = option.split(" of ", 1)[1]
            if of == RUN:
                return list(chance.choice(RUNS))
            return [one(of, chance) for _ in range(chance.choice([0, 1, 2, 2, 4]))]
        case "map":
            key, of = option.removeprefix("map of ").split(" to ", 1)
            keys: list[Any] = ["a", "b", ""]
            if key == "int":
                keys = [0, 2, 4, 6, 66, 101, 120, 128, -1]
            return {chance.choice(keys): one(options(of.strip("()"))[0], chance) for _ in range(2)}
        case "nil":
            return None
        case "any":
            return deepcopy(chance.choice(PIECES))
        case "text":
            return "é" * chance.choice([0, 1, 1, 7, 20, 21, 40, 41, 64])
        case "bytes":
            return b"b" * chance.choice([0, 16, 16, 16, 32, 15])
    return number(word, option, rules, chance)


def number(word: str, option: str, rules: tuple[str, ...], chance: random.Random) -> int:
    """Return a whole number of a type, a small one as a rule."""
    low, high = {"u31": (0, 2**31 - 1), "int": (-(2**63), 2**64 - 1)}[word]
    if ".." in option:
        texts = option.split()[1].split("..")
        low, high = (eval(text.replace("^", "**")) for text in texts)
    within = [at for at in (0, 1, 2, 4, 5, 6, 7, 100, 1000, low, high) if low <= at <= high]
    return chance.choice([*within, 1, 1, 1]) if rules else chance.choice(within)


RUN = "int -1000..2^20"
"""Temperatures, which hardly ever keep what is asked of them when they are drawn."""
RUNS = ((0, 37), (0, -1000, 5, 1000), (1, 37), (0, 1001), (0, 37, 5))
PIECES: list[Any] = [
    None, True, -1, 0, 1, 5, 127, 2**31 - 1, 2**31, 2**63, 1.0, "", "x", "é" * 21, b"", b"x" * 16,
    b"x" * 32, [], [0], [b"x" * 16, 0], [b"", 0], [b"x" * 16, -1], [b"x" * 16, 65536], ["a", "b"],
    [3, 4], [2**31], {}, {1: 2}, {"a": "b"}, {"a": None},
]  # fmt: skip


def spoil(value: list[Any], chance: random.Random) -> None:
    """Put something else in one place of a value, at any depth."""
    at: Any = value
    while True:
        inner = [each for each in at if isinstance(each, list) and each]
        if not inner or chance.random() < 0.5:
            break
        at = chance.choice(inner)
    if at:
        at[chance.randrange(len(at))] = deepcopy(chance.choice(PIECES))


def test_what_the_second_writer_writes_its_reader_reads() -> None:
    assert all(read(write(piece)) == piece for piece in PIECES)
