"""The closed language of packs: conditions and formulas over named inputs. No code is run.

    resp_rate > 30 or not radial_pulse          a condition
    round_up(75 * weight, 10)                   a formula
    count(red_signs) > 0 or has(signs, 'fits')  answers to a list

What is read is checked against the inputs there are and their types, so working it out never
raises; what is not known yet makes the result `Missing`, which names what to ask next.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from fractions import Fraction
from typing import NamedTuple

TEXT_CHARS_MAX = 600
"""Of one expression: longer ones are several rules."""
DEPTH_MAX = 12
"""Brackets inside each other."""
DIGITS_MAX = 9
"""Of a number in an expression, before and after its point together."""


class Type(Enum):
    """What a value is."""

    NUMBER = "number"
    TRUTH = "yes or no"
    CHOICE = "choice"
    SEVERAL = "several choices"


class Input(NamedTuple):
    """What an expression may name."""

    type: Type
    choices: tuple[str, ...] = ()
    """Of a choice, and of several."""


class Absent(Enum):
    """Why an input that was asked for has no value."""

    SKIPPED = "skipped"
    UNRECORDABLE = "unrecordable"


class Missing(NamedTuple):
    """It cannot be worked out for want of an input."""

    name: str
    final: bool
    """Whether it was asked and will not be had."""


Value = Fraction | bool | str | frozenset[str]
Inputs = Mapping[str, Value | Absent]
"""What is known by now; a value has the type of its input."""


class ExpressionFault(ValueError):
    """An expression cannot be read."""


class Const(NamedTuple):
    """A number, a yes or no, or a word, as written."""

    value: Value
    text: str
    type: Type


class Name(NamedTuple):
    """An input."""

    name: str
    type: Type


class Call(NamedTuple):
    """One of the functions there are."""

    function: str
    args: tuple[Node, ...]
    type: Type


class Pair(NamedTuple):
    """Arithmetic or a comparison."""

    sign: str
    left: Node
    right: Node
    type: Type


class Both(NamedTuple):
    """`and` or `or` over two or more conditions; `not` over one."""

    word: str
    parts: tuple[Node, ...]
    type: Type = Type.TRUTH


Node = Const | Name | Call | Pair | Both

_NUMERIC = {"min": 2, "max": 2, "round_up": 2, "round_down": 2}
"""Functions of numbers with how many they take."""
_OF_INPUT = {
    "known": (Type.NUMBER, Type.TRUTH, Type.CHOICE, Type.SEVERAL),
    "unrecordable": (Type.NUMBER,),
    "count": (Type.SEVERAL,),
    "has": (Type.SEVERAL,),
}
"""Functions of one input by its name, with the types they take."""

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<word>[a-z][a-z0-9_]*)|'(?P<text>[a-z0-9][a-z0-9-]*)'"
    r"|(?P<sign><=|>=|!=|[<>=+*/(),-]))",
    re.ASCII,
)

# reading


def read(text: str, inputs: Mapping[str, Input], wanted: Type) -> Node:
    """Return an expression of the wanted type over these inputs.

    Raises:
        ExpressionFault: saying what is wrong.
    """
    if len(text) > TEXT_CHARS_MAX:
        raise ExpressionFault(f"longer than {TEXT_CHARS_MAX} characters")
    reader = _Reader(_tokens(text), inputs)
    node = reader.either(0)
    if reader.peek() != ("end", ""):
        raise ExpressionFault(f"{reader.peek()[1]!r} is not expected there")
    if node.type is not wanted:
        raise ExpressionFault(f"is {node.type.value}, not {wanted.value}")
    return node


def names(node: Node) -> tuple[str, ...]:
    """Return every input an expression names, each once, in the order of writing."""
    match node:
        case Name():
            return (node.name,)
        case Call():
            inside: tuple[Node, ...] = node.args
        case Pair():
            inside = (node.left, node.right)
        case Both():
            inside = node.parts
        case Const():
            inside = ()
    return tuple(dict.fromkeys(name for part in inside for name in names(part)))


def is_of_input(node: Call) -> bool:
    """Return whether a function looks at an input itself, not at its value."""
    return node.function in _OF_INPUT


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise ExpressionFault(f"{text[at:].strip()[:12]!r} is not understood")
        kind = match.lastgroup or ""
        if kind == "number" and len(match[kind].replace(".", "")) > DIGITS_MAX:
            raise ExpressionFault(f"{match[kind][:12]!r} has more than {DIGITS_MAX} digits")
        found.append((kind, match[kind]))
        at = match.end()
    return found


class _Reader:
    """One expression being read, token by token."""

    def __init__(self, tokens: list[tuple[str, str]], inputs: Mapping[str, Input]) -> None:
        self._tokens = tokens
        self._inputs = inputs
        self._at = 0

    def peek(self) -> tuple[str, str]:
        """Return the next token without taking it."""
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def either(self, depth: int) -> Node:
        """Read conditions joined by `or`, or whatever stands there alone."""
        return self._joined("or", depth)

    def _joined(self, word: str, depth: int) -> Node:
        parts = [self._part(word, depth)]
        while self.peek() == ("word", word):
            self._at += 1
            parts.append(self._part(word, depth))
        if len(parts) == 1:
            return parts[0]
        for part in parts:
            _want(part, Type.TRUTH)
        return Both(word, tuple(parts))

    def _part(self, word: str, depth: int) -> Node:
        return self._joined("and", depth) if word == "or" else self._inverse(depth)

    def _inverse(self, depth: int) -> Node:
        _bound(depth)
        if self.peek() != ("word", "not"):
            return self._comparison(depth)
        self._at += 1
        return Both("not", (_want(self._inverse(depth + 1), Type.TRUTH),))

    def _comparison(self, depth: int) -> Node:
        left = self._sum(depth)
        sign = self.peek()
        if sign[0] != "sign" or sign[1] not in ("<", "<=", ">", ">=", "=", "!="):
            return left
        self._at += 1
        right = self._sum(depth)
        if left.type is Type.CHOICE and sign[1] in ("=", "!="):
            self._is_choice(left, right)
        else:
            _want(left, Type.NUMBER)
            _want(right, Type.NUMBER)
        return Pair(sign[1], left, right, Type.TRUTH)

    def _is_choice(self, left: Node, right: Node) -> None:
        if not isinstance(left, Name) or not isinstance(right, Const):
            raise ExpressionFault("a choice is compared as NAME = 'word'")
        if right.value not in self._inputs[left.name].choices:
            raise ExpressionFault(f"{right.text!r} is no choice of {left.name}")

    def _sum(self, depth: int) -> Node:
        return self._chain(("+", "-"), depth)

    def _chain(self, signs: tuple[str, ...], depth: int) -> Node:
        def part() -> Node:
            return self._chain(("*", "/"), depth) if "+" in signs else self._atom(depth)

        left = part()
        while self.peek()[0] == "sign" and self.peek()[1] in signs:
            sign = self.peek()[1]
            self._at += 1
            right = _want(part(), Type.NUMBER)
            if sign == "/" and (not isinstance(right, Const) or not right.value):
                raise ExpressionFault("is divided by something else than a number above 0")
            left = Pair(sign, _want(left, Type.NUMBER), right, Type.NUMBER)
        return left

    def _atom(self, depth: int) -> Node:
        _bound(depth)
        kind, text = self.peek()
        self._at += 1
        if kind == "number":
            return Const(Fraction(text), text, Type.NUMBER)
        if kind == "text":
            return Const(text, text, Type.CHOICE)
        if kind == "word" and text in ("yes", "no"):
            return Const(text == "yes", text, Type.TRUTH)
        if (kind, text) == ("sign", "("):
            inside = self.either(depth + 1)
            self._take(")")
            return inside
        if kind == "word" and self.peek() == ("sign", "("):
            return self._call(text, depth)
        if kind == "word" and text not in ("and", "or", "not"):
            return self._name(text)
        raise ExpressionFault(f"{text!r} is not expected there" if text else "ends too early")

    def _call(self, function: str, depth: int) -> Node:
        self._take("(")
        if function in _OF_INPUT:
            return self._of_input(function)
        if function not in _NUMERIC:
            raise ExpressionFault(f"there is no function {function!r}")
        args = [_want(self.either(depth + 1), Type.NUMBER)]
        while self.peek() == ("sign", ","):
            self._at += 1
            args.append(_want(self.either(depth + 1), Type.NUMBER))
        self._take(")")
        if len(args) != _NUMERIC[function]:
            raise ExpressionFault(f"{function} takes {_NUMERIC[function]} values")
        if function.startswith("round") and not (isinstance(args[1], Const) and args[1].value):
            raise ExpressionFault(f"{function} rounds to a number above 0")
        return Call(function, tuple(args), Type.NUMBER)

    def _of_input(self, function: str) -> Node:
        kind, text = self.peek()
        self._at += 1
        if kind != "word":
            raise ExpressionFault(f"{function} takes the name of an input")
        args: tuple[Node, ...] = (self._name(text),)
        if args[0].type not in _OF_INPUT[function]:
            raise ExpressionFault(f"{function} does not take {args[0].type.value}")
        if function == "has":
            self._take(",")
            kind, choice = self.peek()
            self._at += 1
            if kind != "text" or choice not in self._inputs[text].choices:
                raise ExpressionFault(f"{choice!r} is no choice of {text}")
            args = (*args, Const(choice, choice, Type.CHOICE))
        self._take(")")
        return Call(function, args, Type.NUMBER if function == "count" else Type.TRUTH)

    def _name(self, name: str) -> Name:
        found = self._inputs.get(name)
        if found is None:
            raise ExpressionFault(f"there is no input {name!r}")
        return Name(name, found.type)

    def _take(self, sign: str) -> None:
        if self.peek() != ("sign", sign):
            raise ExpressionFault(f"{sign!r} is lacking")
        self._at += 1


def _want(node: Node, wanted: Type) -> Node:
    if node.type is not wanted:
        raise ExpressionFault(f"has {node.type.value} where {wanted.value} is needed")
    return node


def _bound(depth: int) -> None:
    if depth > DEPTH_MAX:
        raise ExpressionFault(f"nests deeper than {DEPTH_MAX}")
