"""A hand-over sheet on paper: one patient, what is known, what was done last, room to sign."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo

from fieldnode.prints.safety import whole
from fieldnode.prints.sheet import WIDTH, Block, Head, pages, ruled
from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.cores.display import fit, text_of, wrap
from fieldnode.tui.timeline import Happening, happenings, summary, when
from fieldnode.tui.wording import full_identity, value_text
from protocols.live.api import Attribute, Chart
from protocols.records.display import clean_text

WRITING_LINES = 6
"""Empty lines to write on."""
AT_CELLS = 12
AUTHOR_CELLS = 24


@dataclass(frozen=True, slots=True)
class Reader:
    """Whoever reads the sheet: the language, the hour it was printed at, and where."""

    words: Catalogue
    now_ms: int
    """Unix milliseconds."""
    zone: tzinfo


def handover_sheet(reader: Reader, head: Head, chart: Chart) -> str:
    """Return the sheet; what is unsettled shows every value, what does not count is marked.

    Args:
        reader: For whom it is worded.
        head: Title and so on.
        chart: The patient with the newest facts of the timeline.
    """
    words = reader.words
    safety = wrap(whole(words, chart.head), WIDTH)
    blocks: list[Block] = [[*map(text_of, full_identity(words, chart.head)), *safety, ""]]
    blocks += [list(_attribute(words, each)) for each in chart.attributes]
    blocks.append(["", words("print.timeline"), "-" * WIDTH])
    blocks += [_told(reader, each) for each in happenings(chart.lines) if not each.line.replaced]
    if chart.total > len(chart.lines):
        blocks.append([words("print.more", n=chart.total - len(chart.lines))])
    blocks.append(["", *[ruled("", WIDTH)] * WRITING_LINES])
    blocks.append(["", ruled(words("print.gave")), "", ruled(words("print.took"))])
    return pages(words, head, blocks)


def _attribute(words: Catalogue, attribute: Attribute) -> Iterator[str]:
    key = f"field.{attribute.name}"
    label = words(key) if words.has(key) else clean_text(attribute.name, 24)
    values = [
        value_text(words, clean_text(each.text)) + (" (?)" if each.standing else "")
        for each in attribute.values
    ]
    if len(values) > 1:
        values.append(words("print.unsettled"))
    text = f"{label}: {' / '.join(values)}"
    for number, shown in enumerate(wrap(text, WIDTH - 4)):
        yield ("  " if number == 0 else "    ") + shown


def _told(reader: Reader, happening: Happening) -> Block:
    row, words = happening.line, reader.words
    kind = words(f"kind.{row.kind}") if words.has(f"kind.{row.kind}") else clean_text(row.kind)
    mark = f" ({words('print.doubtful')})" if row.standing else ""
    author = clean_text(row.author, AUTHOR_CELLS)
    said = f"{kind}{mark}: {summary(reader, row)}  [{author}]"
    first, *rest = wrap(said, WIDTH - AT_CELLS)
    return [fit(when(reader, row), AT_CELLS) + first, *(" " * AT_CELLS + text for text in rest)]
