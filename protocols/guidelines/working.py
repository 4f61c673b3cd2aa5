"""Working out what a pack's expressions come to, and showing the arithmetic."""

from __future__ import annotations

from fractions import Fraction

from protocols.guidelines.expressions import (
    Absent,
    Both,
    Call,
    Const,
    Inputs,
    Missing,
    Name,
    Node,
    Pair,
    Value,
    is_of_input,
)


def work_out(node: Node, inputs: Inputs) -> Value | Missing:
    """Return what an expression comes to; never raises on inputs of the types it was read with."""
    match node:
        case Const():
            return node.value
        case Name():
            return _value(node.name, inputs)
        case Call():
            return _called(node, inputs)
        case Pair():
            return _paired(node, inputs)
        case Both():
            return _joined(node, inputs)


def holds(node: Node, inputs: Inputs) -> bool | Missing:
    """Return whether a condition holds."""
    found = work_out(node, inputs)
    return found if isinstance(found, Missing) else bool(found)


def number(node: Node, inputs: Inputs) -> Fraction | Missing:
    """Return what a formula comes to, exactly."""
    found = work_out(node, inputs)
    if isinstance(found, Missing):
        return found
    assert isinstance(found, Fraction)
    return found


def _value(name: str, inputs: Inputs) -> Value | Missing:
    found = inputs.get(name)
    if found is None or isinstance(found, Absent):
        return Missing(name, final=found is not None)
    return found


def _called(node: Call, inputs: Inputs) -> Value | Missing:
    first = node.args[0]
    if isinstance(first, Name) and is_of_input(node):
        return _of_input(node, first, inputs)
    found = [number(arg, inputs) for arg in node.args]
    for each in found:
        if isinstance(each, Missing):
            return each
    one, other = (each for each in found if isinstance(each, Fraction))
    match node.function:
        case "min":
            return min(one, other)
        case "max":
            return max(one, other)
        case "round_up":
            return -(-one // other) * other
        case _:
            return (one // other) * other


def _of_input(node: Call, name: Name, inputs: Inputs) -> Value | Missing:
    given = inputs.get(name.name)
    if given is None:
        return Missing(name.name, final=False)
    match node.function:
        case "known":
            return not isinstance(given, Absent)
        case "unrecordable":
            return given is Absent.UNRECORDABLE
    if not isinstance(given, frozenset):
        return Missing(name.name, final=True)
    if node.function == "count":
        return Fraction(len(given))
    choice = node.args[1]
    return isinstance(choice, Const) and choice.value in given


def _paired(node: Pair, inputs: Inputs) -> Value | Missing:
    left, right = work_out(node.left, inputs), work_out(node.right, inputs)
    if isinstance(left, Missing):
        return left
    if isinstance(right, Missing):
        return right
    if not (isinstance(left, Fraction) and isinstance(right, Fraction)):
        return (left == right) is (node.sign == "=")
    match node.sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left / right
    return _compared(node.sign, left, right)


def _compared(sign: str, left: Fraction, right: Fraction) -> bool:
    match sign:
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case ">=":
            return left >= right
        case "=":
            return left == right
        case _:
            return left != right


def _joined(node: Both, inputs: Inputs) -> bool | Missing:
    """Join in three values: what decides wins over what is not known, the rest is asked in turn."""
    if node.word == "not":
        inner = holds(node.parts[0], inputs)
        return inner if isinstance(inner, Missing) else not inner
    deciding = node.word == "or"
    lacking: Missing | None = None
    for part in node.parts:
        found = holds(part, inputs)
        if not isinstance(found, Missing):
            if found is deciding:
                return deciding
        elif lacking is None or (lacking.final and not found.final):
            lacking = found
    return not deciding if lacking is None else lacking


_SHOWN = {"*": "×", "/": "÷", "-": "−"}


def number_text(value: Fraction) -> str:
    """Return a number with thousands grouped by a space; `≈` in front of one that was cut."""
    shown, exact = value, True
    if (10**6 * value).denominator != 1:
        shown, exact = Fraction(round(value * 100), 100), False
    whole, rest = divmod(abs(shown), 1)
    text = f"{int(whole):,}".replace(",", " ")
    if rest:
        text += "." + str(int(rest * 10**6)).rjust(6, "0").rstrip("0")
    return ("" if exact else "≈ ") + ("−" if shown < 0 else "") + text


def arithmetic(node: Node, inputs: Inputs) -> str:
    """Return a formula with its values put in: `30 × 54`; '' when one of them is missing.

    What rounds is left out, since the result beside it shows that.
    """
    match node:
        case Const() | Name():
            found = work_out(node, inputs)
            return number_text(found) if isinstance(found, Fraction) else ""
        case Call() if node.function.startswith("round"):
            return arithmetic(node.args[0], inputs)
        case Call() if node.function in ("min", "max"):
            return _chosen(node, inputs)
        case Pair():
            left, right = _side(node, node.left, inputs), _side(node, node.right, inputs)
            return f"{left} {_SHOWN.get(node.sign, node.sign)} {right}" if left and right else ""
        case _:
            return ""


def _chosen(node: Call, inputs: Inputs) -> str:
    parts = [arithmetic(arg, inputs) for arg in node.args]
    return f"{node.function}({'; '.join(parts)})" if all(parts) else ""


def _side(of: Pair, node: Node, inputs: Inputs) -> str:
    text = arithmetic(node, inputs)
    looser = isinstance(node, Pair) and node.sign in "+-" and of.sign in "*/"
    nested = isinstance(node, Pair) and node.sign in "+-" and of.sign == "-" and node is of.right
    return f"({text})" if text and (looser or nested) else text
