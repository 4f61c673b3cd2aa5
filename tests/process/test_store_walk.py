"""A store-keeper at a real terminal on a real node: receive, issue, count, settle; every key."""

import contextlib
import json
import time

from protocols.live.client import LocalClient
from tests.process.commands import init, run, serving
from tests.screens.harness import OpenedTerminal

BOX = "]d201050123456789001731123110C9"
CODE = "]E05012345678900"


def test_a_store_is_received_into_issued_from_counted_and_settled_by_keys(tmp_path):
    folder = tmp_path / "store"
    init(folder)
    with serving(folder, whole=True), OpenedTerminal(folder) as terminal:
        site = '{"v": 1, "kind": "site.register", "key": "s1", "data": {"name": "Camp Nord"}}\n'
        done = run("fieldnode", "record", "--data", folder, lines=(site,))
        assert done.returncode == 0, done.stderr
        terminal.wait_for("no triage 0")
        terminal.send("f5")
        terminal.wait_for("STOCK   Camp Nord", "Nothing is known to be here")

        # A code that nobody knows is taught, then the box is read whole.
        terminal.send("r")
        terminal.wait_for("RECEIVE", "STORE Camp Nord")
        terminal.send(*CODE, "enter")
        terminal.wait_for("Nobody knows the code 5012345678900")
        terminal.look()
        terminal.send(*"oral r", "1", *"20", "enter")
        terminal.wait_for("RECEIVE", "Read: Oral rehydration")
        terminal.send(*BOX, "enter")
        terminal.wait_for("[ C9", "[ 2031-12-31", "[ 20")
        terminal.send("5")
        terminal.wait_for("5 x 20 = 100 sachets")
        terminal.send("enter")
        terminal.wait_for("SAVED HERE", "100 sachets")
        terminal.send("escape")
        terminal.wait_for("Oral rehydration salts", "100")

        # The lot that expires first is chosen: item, number, Enter.
        terminal.send("i")
        terminal.wait_for("ISSUE")
        terminal.send(*"oral r", "1", *"30", "enter")
        terminal.wait_for("SAVED HERE", "Issued 30 sachets  lot C9")
        terminal.send("escape")
        terminal.wait_for("STOCK   Camp Nord")

        # Counted blind: the book's figure comes after.
        terminal.send("c")
        terminal.wait_for("COUNT", "never")
        terminal.look()
        terminal.send("enter")
        shown = terminal.wait_for("Count what is on the shelf", "C9")
        assert "70" not in shown.replace("2031", "")
        terminal.send(*"68", "enter", "enter")
        terminal.wait_for("counted 68, the book said 70")

        terminal.send("escape")
        terminal.wait_for("STOCK   Camp Nord", " 68 ")
        terminal.look()
        terminal.send("enter")
        terminal.wait_for("68 sachets", "Counted stock", "Issued", "Received")

        # An issue of an hour ago that is written down only now may have been in the count.
        late = {
            "v": 1, "kind": "stock.issue", "key": "late", "store": store_of(folder),
            "at": hour_ago(), "data": {"item": "ors-1l-sachet", "lot": "C9", "units": 3},
        }  # fmt: skip
        done = run("fieldnode", "record", "--data", folder, lines=(json.dumps(late) + "\n",))
        assert done.returncode == 0, done.stderr
        terminal.wait_for("65..68 sachets", "counted already?")
        while "counted already?" not in (row := marked(terminal)):
            terminal.send("down")
            terminal.wait_until(lambda was=row: marked(terminal) not in ("", was))
        terminal.look()
        terminal.send("y")
        terminal.wait_for("68 sachets", "In the count:")

        # What was said is taken back by name, and the figure is a range again.
        terminal.send("f8")
        terminal.wait_for("In the count:", "Issued")
        terminal.look()
        terminal.send("enter")
        terminal.wait_for("65..68 sachets")


def marked(terminal):
    return "".join(row for row in terminal.text.splitlines() if row.startswith(">"))


def hour_ago():
    return time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(time.time() - 3600))


def store_of(folder):
    """The id of the store, as another program reads it."""
    with contextlib.closing(LocalClient(folder)) as node:
        return node.call("store_named", store="Camp Nord")["id"]
