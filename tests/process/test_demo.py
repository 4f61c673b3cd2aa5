"""The demo as a machine runs it, and that it does not call a camp well which is not."""

import asyncio
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import termios
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from fieldnode.demo.arrivals import Arrivals
from fieldnode.demo.camp import Camp
from fieldnode.demo.cli import exit_status, print_result
from fieldnode.demo.shift import Walked
from fieldnode.demo.story import Result, Story
from protocols.live import talk
from tests.process.test_commands_hq import log_in

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120
F10 = b"\x1b[21~"
PROMISED = {"written", "at_hq", "lost", "duplicated", "converge_s", "bytes_per_record"}


@pytest.fixture
def place():
    """A short TMPDIR: pytest's own is too deep for a node's socket."""
    with tempfile.TemporaryDirectory(prefix="fm-") as folder:
        yield Path(folder)


def demo(folder, *words, closed=False):
    """Start the demo with a TMPDIR of its own, and a HOME that nobody can write to."""
    start = f'exec "$0" -m fieldnode.demo "$@" {"<&-" if closed else ""}'
    return subprocess.Popen(
        ["/bin/sh", "-c", start, sys.executable, *words],
        cwd=PROJECT,
        env=os.environ | {"HOME": "/dev/null/nowhere", "TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def processes_of(folder):
    """Command lines of processes that name this folder, as far as the system tells."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return [line for line in lines if f"--data {folder}" in line]


def test_four_ledgers_agree_and_the_figures_are_told(place):
    with demo(place, "--headless", "--seconds", "3", "--json", closed=True) as running:
        out, talk = running.communicate(timeout=PATIENCE_S)

    assert running.returncode == 0, talk
    told = json.loads(out)
    assert told.keys() >= PROMISED
    assert told["written"] == told["at_hq"] > 50
    assert told["lost"] == told["duplicated"] == told["refused"] == 0
    assert told["converged"]
    assert 0 < told["converge_s"] < 60
    assert 0 < told["bytes_per_record"] < 5_000
    assert list(place.iterdir()) == []
    assert processes_of(place) == []


def test_a_shift_ends_well_only_if_every_balance_reconciles(place):
    with demo(place, "--walk", "shift", "--json", closed=True) as running:
        out, talk = running.communicate(timeout=PATIENCE_S)

    assert running.returncode == 0, talk
    told = json.loads(out)
    assert told["ok"] and told["reconciled"] and told["converged"] and told["refused"] == []
    tablets = told["balances"]["paracetamol-500-tab P4471"]
    # 100 less a dose of 2, less 60 and 7 to wards, less 5 that the count already lacked.
    assert set(tablets.values()) == {100 - 2 - 60 - 7 - 5}
    assert told["negative_named"] >= 2
    assert told["range_shown"] == [21, 26]
    assert list(place.iterdir()) == []


def test_a_shift_whose_books_say_otherwise_is_no_good_one():
    walked = Walked(converged=True, reconciled=True, negative_named=2, range_shown=(21, 26),
                    ward_list_lines=60)  # fmt: skip
    assert walked.good
    for worse in (
        {"reconciled": False},
        {"converged": False},
        {"refused": ["x"]},
        {"negative_named": 0},
        {"range_shown": (26, 26)},
        {"ward_list_lines": 0},
    ):
        assert not replace(walked, **worse).good


def test_it_ends_well_only_if_all_agree_and_nothing_is_lost_doubled_or_refused():
    result = Result(9, 9, 0, 0, 0, True, 0.5, 700.0)
    assert exit_status(result) == 0
    for worse in ({"lost": 1}, {"duplicated": 1}, {"refused": 1}, {"converged": False}):
        assert exit_status(replace(result, **worse)) == 1


def test_what_is_told_fits_a_terminal_of_80_columns(capsys):
    result = Result(99_999, 99_999, 99_999, 99_999, 99_999, False, 99.99, 9999.9)
    print_result(result)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


@pytest.mark.slow
def test_ended_from_outside_it_leaves_no_process_and_no_file(place):
    with demo(place, "--headless", "--seconds", "60") as running:
        for line in running.stderr:
            if "Every cable" in line or "All linked" in line:
                break
        assert len(processes_of(place)) == 4
        running.send_signal(signal.SIGINT)
        _, talk = running.communicate(timeout=PATIENCE_S)

    assert running.returncode == 128 + signal.SIGINT
    assert "Traceback" not in talk
    assert list(place.iterdir()) == []
    assert processes_of(place) == []


class TentForgotten(Camp):
    """The third tent's cables stay cut when all others heal."""

    def heal(self):
        super().heal()
        for (near, far), wire in self.wires.items():
            if "tent-c" in (near, far):
                wire.cut()


@pytest.mark.slow
@contextmanager
def walked(folder):
    """The demo at a terminal of its own: what types into it and what reads until a prompt.

    The first tent's terminal opens by itself, and is left.
    """
    master, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    running = subprocess.Popen(
        [sys.executable, "-m", "fieldnode.demo", "--seconds", "1"],
        cwd=PROJECT,
        env=os.environ | {"TMPDIR": str(folder)},
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)

    def until(end):
        told = b""
        while end not in told:
            ready, _, _ = select.select([master], [], [], PATIENCE_S)
            assert ready, told
            told += os.read(master, 4096)
        return told.decode(errors="replace")

    def said(typed):
        os.write(master, typed.encode())
        return until(b"demo> ")

    try:
        told = until(b"TRIAGE")
        os.write(master, F10)
        told += until(b"Leave the terminal")
        yield told + said("0"), said
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(PATIENCE_S)
        os.close(master)


def test_the_prompt_gives_a_link_that_works_after_the_first_was_used(place):
    with walked(place) as (told, said):
        (first,) = re.findall(r"http://\S+/first/\S+", told)
        log_in(first, "lead")

        (second,) = re.findall(r"http://\S+/first/\S+", said("?\n"))

        assert second != first
        _, page = log_in(second, "other")
        assert "In care now" in page


def test_a_tent_that_stays_cut_off_is_never_called_agreement(tmp_path):
    async def tell():
        camp = TentForgotten(tmp_path)
        try:
            await camp.build()
            return await Story(camp, seed=3, patience_s=3).tell(1.0, lambda _: None)
        finally:
            await camp.stop()

    result = asyncio.run(tell())

    assert not result.converged
    assert result.lost > 0
    assert exit_status(result) == 1


@pytest.mark.slow
def test_every_line_of_a_long_shift_is_taken(tmp_path, monkeypatch):
    monkeypatch.setenv(talk.PASSPHRASE_ENV, "only a test")
    node = [sys.executable, "-m", "fieldnode"]
    init = ["init", "--data", str(tmp_path / "n"), "--name", "n", "--org", "o"]
    subprocess.run([*node, *init], check=True, cwd=PROJECT, capture_output=True)
    lines = list(islice(Arrivals(7, "Stadium", "A").lines(), 300))

    answered = subprocess.run(
        [*node, "record", "--data", str(tmp_path / "n")],
        cwd=PROJECT,
        input="\n".join(map(json.dumps, lines)),
        capture_output=True,
        text=True,
        check=False,
    )

    refused = [line for line in answered.stdout.splitlines() if '"ok":true' not in line]
    assert refused == []
    assert answered.returncode == 0
