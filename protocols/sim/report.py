"""What a drill comes to: figures, findings and the trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict of one checker."""

    ok: bool
    detail: str
    """What was counted, or the first thing found wrong; never patient data."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something took, in seconds; None when it never happened."""

    p50: float | None
    p95: float | None
    max: float | None

    @classmethod
    def of_us(cls, spans_us: Sequence[int]) -> Spread:
        """Return the spread of these spans, given in microseconds."""
        if not spans_us:
            return cls(None, None, None)
        order = sorted(spans_us)
        ranks = (len(order) // 2, len(order) * 95 // 100, len(order) - 1)
        return cls(*(round(order[min(rank, len(order) - 1)] / 1e6, 3) for rank in ranks))


@dataclass(frozen=True, slots=True)
class Result:
    """One drill. Keys are stable; other tools read them."""

    scenario: str
    seed: int
    nodes: int
    virtual_s: float
    written: int
    """Records that a device called saved."""
    at_hq: int
    lost: int
    """Saved, and missing or unreadable on a device that should have it."""
    duplicated: int
    converged: bool
    converged_s: float | None
    """From the last cut, heal, crash or write until the last entry reached the last disk."""
    urgent_to_hq_s: Spread
    urgent_to_nodes_s: Spread
    routine_to_hq_s: Spread
    wire_bytes: int
    messages: int
    checks: dict[str, Finding]
    trace_hash: str
    notes: dict[str, int] = field(default_factory=dict)
    """Counts that explain the drill: crashes, refusals, forks and the like."""
    holdings: list[dict[str, Any]] = field(default_factory=list)
    """For each node what it holds, can read and refused; see `holdings.py`. Empty where all
    devices are of one organisation."""
    reconciled: dict[str, dict[str, int]] = field(default_factory=dict)
    """What happened and what the books say of it, such as `movements` {expected, found}; printed
    beside the other keys."""

    @property
    def ok(self) -> bool:
        """Whether every check holds."""
        return all(finding.ok for finding in self.checks.values())

    def as_dict(self) -> dict[str, object]:
        """Return what `drill run --json` prints."""
        said: dict[str, object] = asdict(self)
        del said["reconciled"]
        return said | self.reconciled


def in_words(result: Result) -> str:
    """Return a drill for people: one line a figure, one a check."""
    lines = [
        f"{result.scenario}, seed {result.seed}: {result.nodes} devices, "
        f"{result.virtual_s / 3600:.1f} virtual hours",
        f"  written {result.written}, at HQ {result.at_hq}, lost {result.lost}, "
        f"twice {result.duplicated}",
        f"  agree {_span(result.converged_s)} after the last disturbance, "
        f"{result.wire_bytes / 1000:.0f} kB in {result.messages} messages",
    ]
    for name in ("urgent_to_hq_s", "urgent_to_nodes_s", "routine_to_hq_s"):
        spread: Spread = getattr(result, name)
        words = name.removesuffix("_s").replace("_", " ")
        lines.append(
            f"  {words}: half within {_span(spread.p50)}, 95 % {_span(spread.p95)}, "
            f"all {_span(spread.max)}"
        )
    if result.notes:
        lines.append("  " + ", ".join(f"{word} {count}" for word, count in result.notes.items()))
    for what, counts in result.reconciled.items():
        lines.append(f"  {what}: {_counts(counts)}")
    for node in result.holdings:
        lines += _holding_words(node)
    for name, finding in result.checks.items():
        lines.append(f"  {'ok  ' if finding.ok else 'FAIL'} {name}: {finding.detail}")
    lines.append(f"  trace {result.trace_hash}")
    return "\n".join(lines)


def _holding_words(node: dict[str, Any]) -> list[str]:
    """Return one node's holdings, one line a question."""
    seals = (
        f"seal of {seal['by']} on {seal['on']} ({seal['why']})" for seal in node["refused_seals"]
    )
    said = [
        ("holds", _counts(node["holds"])),
        ("without body", _counts(node["without_body"])),
        ("reads", _counts(node["reads"]) or "nothing"),
        ("released to it", str(node["released_to_it"] or "")),
        ("shown, not counted", _counts(node["not_counted"])),
        ("not merged", _counts(node["not_merged"])),
        ("refused", ", ".join([*seals, *filter(None, [_counts(node["refused_lines"])])])),
        ("said", _counts(node["notices"])),
        ("erases confirmed", str(node["erases_confirmed"] or "")),
    ]
    honest = "" if node["honest"] else ", stolen"
    return [
        f"  {node['node']} ({node['org']}{honest})",
        *(f"    {words}: {what}" for words, what in said if what),
    ]


def _counts(counted: dict[str, int]) -> str:
    return ", ".join(f"{word} {count}" for word, count in counted.items())


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
