"""The tables of the pages about bytes, drawn from the structures themselves.

A page is prose around blocks that this draws, each between `<!-- drawn: NAME -->` and
`<!-- end -->`. What stands beside a field is its own sentence in the code; bounds that a type
cannot say are in `wire_rules.py`.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect as shapes

from protocols.feeds.advance import Advance, Lone
from protocols.mesh.greeting import Hello
from protocols.records import attributes
from protocols.records.catalogue import KINDS as FACTS
from protocols.records.correction import ConflictSettle
from protocols.records.encounter import OUTCOMES
from protocols.records.shape import Kind, Statement
from protocols.trust.audit import Detail, What
from protocols.trust.certificates import Certificate
from protocols.trust.charter import Charter, Org, Role, Scope, SignedCharter
from protocols.trust.charterfile import CharterFile, OrgFile, RootFile
from protocols.trust.control import KINDS as CONTROL
from protocols.trust.control import AuditItem
from protocols.trust.enrolment import JoinGrant, JoinRequest
from protocols.trust.packs import PackApproval, PackStatement
from protocols.trust.persons import Credential, Profile, Request
from protocols.trust.statements import SignedStatement
from tests.vectors.wire_rules import RULES

ROOMS = Path(__file__).resolve().parents[2] / "protocols"
PAGES = (ROOMS / "trust" / "WIRE.md", ROOMS / "records" / "WIRE.md")
BLOCK = re.compile(r"(<!-- drawn: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

_Struct = type[msgspec.Struct]
_COMMON = 2
"""Fields that every fact value begins with, told of once."""


def drawn(page: str) -> str:
    """Return a page with each of its blocks as the code has it now."""
    return BLOCK.sub(lambda found: f"{found[1]}\n{BLOCKS[found[2]]()}\n\n{found[3]}", page)


def wire_type(node: Any) -> str:
    """Return what a field may hold, in the few words that the pages explain."""
    match node:
        case shapes.IntType():
            return _int(node)
        case shapes.StrType():
            return "text" + _length(node)
        case shapes.BytesType():
            return "bytes" + _length(node)
        case shapes.LiteralType():
            return " or ".join(map(str, node.values))
        case shapes.StructType():
            return f"[{node.cls.__name__}](#{node.cls.__name__.lower()})"
        case shapes.VarTupleType():
            return f"list{_length(node)} of {_one(node.item_type)}"
        case shapes.TupleType():
            inner = ", ".join(map(wire_type, node.item_types))
            return "ref" if inner == "bytes, int" else f"[{inner}]"
        case shapes.DictType():
            return f"map of {_one(node.key_type)} to {_one(node.value_type)}"
        case shapes.UnionType():
            return " or ".join(sorted(map(wire_type, node.types), key=lambda each: each == "nil"))
    return _PLAIN[type(node)]


def _one(node: Any) -> str:
    inner = wire_type(node)
    return f"({inner})" if " or " in inner else inner


_PLAIN = {shapes.NoneType: "nil", shapes.BoolType: "bool", shapes.AnyType: "any"}
_WIDTHS = {(0, 2**31 - 1): "u31", (0, 2**16 - 1): "u16"}


def _int(node: shapes.IntType) -> str:
    low = node.ge if node.gt is None else node.gt + 1
    high = node.le if node.lt is None else node.lt - 1
    if low is None or high is None:
        assert low is high is None
        return "int"
    return _WIDTHS.get((low, high)) or f"int {_power(low)}..{_power(high)}"


def _power(number: int) -> str:
    for bits in range(20, 64):
        if abs(number) == 2**bits:
            return f"{'-' if number < 0 else ''}2^{bits}"
        if number == 2**bits - 1:
            return f"2^{bits}-1"
    return str(number)


def _length(node: Any) -> str:
    low, high = node.min_length, node.max_length
    if low is high is None:
        return ""
    if low == high:
        return f" {low}"
    return f" {low or 0}..{'' if high is None else high}"


def wire_default(field: msgspec.structs.FieldInfo) -> str:
    """Return what a field holds that was left out; '' where none may be."""
    value = field.default
    if field.default_factory is not msgspec.NODEFAULT:
        value = field.default_factory()
    if value is msgspec.NODEFAULT:
        return ""
    return _literal(value)


def _literal(value: Any) -> str:
    match value:
        case None:
            return "nil"
        case bool():
            return str(value).lower()
        case int():
            return str(int(value))
        case bytes():
            return f"{len(value)} zeros" if value else "empty"
        case tuple() if value:
            return "[" + ", ".join(map(_literal, value)) + "]"
        case msgspec.Struct():
            return "[" + ", ".join(map(_literal, msgspec.structs.astuple(value))) + "]"
    assert not value
    return "empty"


def table(of: _Struct, skip: int = 0, *, defaults: bool = True) -> str:
    """Return one structure's fields in their order on the wire."""
    said, rules, states = sentences(of), rules_of(of), stated(of)
    heads = ["#", "field", "holds", *(["left out"] if defaults else []), "meaning"]
    lines = [_row(heads), "|---" * len(heads) + "|"]
    for at, field in enumerate(msgspec.structs.fields(of)[skip:], skip):
        holds = wire_type(shapes.type_info(field.type))
        if field.name in rules:
            holds += f"; {rules[field.name]}"
        meaning = " ".join(filter(None, (said.get(field.name, ""), states.get(field.name, ""))))
        lacking = [wire_default(field)] if defaults else []
        lines.append(_row([str(at), field.name, holds, *lacking, meaning]))
    if "" in rules:
        lines += ["", f"Beside that {rules['']}."]
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(each.replace("|", "\\|") for each in cells) + " |"


def stated(of: _Struct) -> dict[str, str]:
    """Return which attributes a fact states by which of its fields."""
    if not issubclass(of, Statement) or of.asserts in _BY_NUMBER:
        return {}
    found, bare = {}, set(of().asserts())
    for field in msgspec.structs.fields(of)[_COMMON:]:
        for sample in (2, 0, "x", b"x" * 16, ("x",), attributes.Age(1), (1, 2)):
            try:
                value = msgspec.convert(sample, field.type, builtin_types=(bytes,))
                told = set(of(**{field.name: value}).asserts()) - bare
            except (msgspec.ValidationError, ValueError):
                continue
            if told:
                names = sorted(number for number, _ in told)
                found[field.name] = "States " + ", ".join(map(str, names)) + "."
                break
    return found


_BY_NUMBER = (Statement.asserts, attributes.Restated.asserts, ConflictSettle.asserts)
"""They state nothing, or what they state is named in the value itself."""


def rules_of(of: _Struct) -> dict[str, str]:
    """Return what a structure asks of its fields beyond their types, by field."""
    found: dict[str, str] = {}
    for base in reversed(of.__mro__):
        found |= RULES.get(base.__name__, {})
    return found


@cache
def sentences(of: _Struct) -> dict[str, str]:
    """Return what the code says of each field of a structure, as one line."""
    found: dict[str, str] = {}
    for base in reversed(of.__mro__):
        found |= _sentences_at(base)
    return found


@cache
def _sentences_at(of: type) -> dict[str, str]:
    """Return the same of the fields that this class adds itself."""
    if not of.__module__.startswith("protocols."):
        return {}
    body = ast.parse(inspect.getsource(of)).body[0]
    assert isinstance(body, ast.ClassDef)
    found, last = {}, ""
    for node in body.body:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name)):
                last = name
            case ast.Expr(value=ast.Constant(value=str(text))) if last:
                found[last] = re.sub(r"\bNone\b", "nil", " ".join(text.split()))
            case _:
                last = ""
    return found


def titled(of: _Struct, *, defaults: bool = True) -> str:
    """Return a structure by its name: what it is, its fields, and the words they stand for."""
    told = [f"### {of.__name__}", _promise(of), table(of, defaults=defaults)]
    return "\n\n".join([*told, *words_of(of)])


def _promise(of: type) -> str:
    """Return the first paragraph of what the code says of it, without its number."""
    text = (inspect.getdoc(of) or "").split("\n\n")[0].replace("\n", " ")
    text = re.sub(r"^\d+: ", "", text)
    return text[0].upper() + text[1:]


def parts_of(structs: Iterable[_Struct]) -> list[_Struct]:
    """Return the structures that lie inside these, each once, in the order they come."""
    found: dict[_Struct, None] = {}

    def look(node: Any) -> None:
        if isinstance(node, shapes.StructType) and node.cls not in found:
            found[node.cls] = None
            for field in msgspec.structs.fields(node.cls):
                look(shapes.type_info(field.type))
        for name in ("item_type", "key_type", "value_type"):
            if hasattr(node, name):
                look(getattr(node, name))
        for name in ("types", "item_types"):
            for each in getattr(node, name, ()):
                look(each)

    for struct in structs:
        for field in msgspec.structs.fields(struct):
            look(shapes.type_info(field.type))
    return list(found)


def control_records() -> str:
    """Return every control record by number."""
    told = []
    for number, of in sorted(CONTROL.items()):
        begin = [f"### {number} {of.__name__}", _promise(of), table(of, defaults=False)]
        told.append("\n\n".join([*begin, *words_of(of)]))
    return "\n\n".join(told)


def fact_index() -> str:
    """Return every kind of fact by number, with the structure of its value."""
    lines = [_row([str(kind.number), _name(kind), _link(kind.value)]) for kind in _kinds()]
    return "\n".join(["| number | kind | value |", "|---|---|---|", *lines])


def fact_values() -> str:
    """Return the structure of each value, with the words its numbers stand for."""
    return "\n\n".join(map(_value, dict.fromkeys(_shape(kind.value) for kind in _kinds())))


def _shape(of: _Struct) -> _Struct:
    """Return the structure that this one only has another name for, or itself."""
    base = of.__mro__[1]
    same = of.__struct_fields__ == getattr(base, "__struct_fields__", ()) and base is not Statement
    return _shape(base) if same else of


def _value(of: _Struct) -> str:
    alike = [kind for kind in _kinds() if _shape(kind.value) is of]
    told = [f"### {of.__name__}"]
    if alike[0].value is of:
        told.append(f"{alike[0].number}. {_promise(of)}")
    else:
        told += [_promise(of), "\n".join(f"- {k.number}: {_promise(k.value)}" for k in alike)]
    return "\n\n".join([*told, table(of, _COMMON), *words_of(of)])


def fact_parts() -> str:
    """Return what lies inside values."""
    parts: list[_Struct] = [Statement, *parts_of([kind.value for kind in _kinds()])]
    return "\n\n".join(titled(each) for each in parts)


def words_of(of: _Struct) -> Iterator[str]:
    """Yield the closed lists that a structure's sentences name, as numbers and words."""
    seen = set[str]()
    for base in of.__mro__:
        space = LISTS | vars(sys.modules[base.__module__])
        for text in _sentences_at(base).values():
            for name in re.findall(r"`(?:audit\.)?([A-Za-z_]+)`", text):
                words = _words(space.get(name))
                if words and name not in seen:
                    seen.add(name)
                    yield f"`{name}`: {words}"


def _words(held: Any) -> str:
    if isinstance(held, tuple) and held and isinstance(held[0], tuple):
        held = tuple(each[0] for each in held)
    if isinstance(held, tuple) and held and all(isinstance(each, str) for each in held):
        return ", ".join(f"{at} {word or '(none)'}" for at, word in enumerate(held))
    if isinstance(held, type) and issubclass(held, IntEnum):
        return ", ".join(f"{each.value} {attributes.word(held, each)}" for each in held)
    return ""


LISTS: dict[str, Any] = {
    "Band": attributes.Band,
    "Category": attributes.Category,
    "OUTCOMES": OUTCOMES,
    "Relation": attributes.Relation,
    "Sex": attributes.Sex,
    "What": What,
}
"""Lists that a sentence names and its own file does not hold."""


def attribute_table() -> str:
    """Return every attribute that can be stated anew."""
    lines = ["| number | attribute | holds | several | words |", "|---|---|---|---|---|"]
    for each in attributes.ATTRIBUTES:
        holds = wire_type(shapes.type_info(each.type))
        several = "a set" if each.several else ""
        lines.append(
            f"| {each.number} | {each.name} | {holds} | {several} | {_words(each.words)} |"
        )
    return "\n".join(lines)


def _kinds() -> list[Kind]:
    return sorted(FACTS, key=lambda kind: kind.number)


def _name(kind: Kind) -> str:
    return kind.name or f"*{kind.value.__name__}*, by no command"


def _link(of: _Struct) -> str:
    shape = _shape(of)
    return f"[{shape.__name__}](#{shape.__name__.lower()})"


def _strict(*structs: _Struct) -> Callable[[], str]:
    return lambda: "\n\n".join(titled(each, defaults=False) for each in structs)


BLOCKS: dict[str, Callable[[], str]] = {
    "statement": _strict(SignedStatement),
    "charter": _strict(SignedCharter, Charter, Org, Scope, Role),
    "certificate": _strict(Certificate),
    "control": control_records,
    "audit": _strict(AuditItem, Detail),
    "links": _strict(Hello, Advance, Lone),
    "enrolment": _strict(JoinRequest, JoinGrant),
    "files": _strict(OrgFile, RootFile, CharterFile, Credential, Request, Profile),
    "packs": _strict(PackStatement, PackApproval),
    "fact_index": fact_index,
    "fact_values": fact_values,
    "fact_parts": fact_parts,
    "attributes": attribute_table,
}
