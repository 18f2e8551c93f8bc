"""`webcare demo` as a new user meets it: one command, a day, figures, and nothing left behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from tests.support.patience import PATIENCE
from tests.support.processes import wait_until_gone

COMMAND = (sys.executable, "-m", "app.cli", "demo")


def environment(temporary: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WEBCARE_")}
    return {**kept, "TMPDIR": str(temporary), "COLUMNS": "120"}


def rows(printed: str, title: str) -> dict[str, list[str]]:
    """The lines of a table of figures, by the text in their first column."""
    lines = printed.split(title, 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return {line.split("  ")[0].strip(): line.split()[1:] for line in lines}


def test_a_day_is_played_to_the_end_and_told(tmp_path: Path) -> None:
    played = subprocess.run(
        [*COMMAND, "--quick"], env=environment(tmp_path), capture_output=True, text=True, timeout=180, check=False
    )
    printed = played.stdout
    assert played.returncode == 0, printed + played.stderr

    for told in (
        "Supply Chain (live): webhook verified, Supply Chain answers first-hand",
        "draft by Billing",
        "Billing hands it back",
        "one of our own accounts posted this",
        "counted as a signal on its original",
        "edited:",
        "deleted by its author",
        "reopened",
        "★ @stefan_nh was asked, and gives 9 out of 10",
    ):
        assert told in printed, told

    opened, first_hand, by_webcare, still_open = map(int, rows(printed, "Tickets")["all"])
    assert opened == 58
    assert first_hand >= 7
    assert first_hand + by_webcare == opened - 1, "all but the one that was taken back were answered"
    assert still_open == 0

    promises = rows(printed, "SLA: promises kept")
    assert promises.keys() >= {"first_reply", "resolution", "acceptance", "ownership"}
    assert int(promises["first_reply"][0]) >= 57

    asked, answers, *_ = rows(printed, "NPS: would customers")["all"]
    assert 10 <= int(answers) <= int(asked)
    assert " to " in " ".join(rows(printed, "NPS: would customers")["all"]), "a figure comes with its interval"
    assert "curl" in printed
    assert list(tmp_path.iterdir()) == []


def test_interrupted_it_takes_its_service_away(tmp_path: Path) -> None:
    play = subprocess.Popen(COMMAND, env=environment(tmp_path), stdout=subprocess.PIPE, text=True)
    assert play.stdout
    while "It runs at" not in play.stdout.readline():
        assert play.poll() is None
    family = psutil.Process(play.pid).children(recursive=True)
    assert family
    play.send_signal(signal.SIGINT)
    printed, _ = play.communicate(timeout=PATIENCE)
    assert play.returncode == 130
    assert "Stopped" in printed
    wait_until_gone(family)
    assert list(tmp_path.iterdir()) == []


def test_a_service_that_runs_already_asks_for_a_token(tmp_path: Path) -> None:
    played = subprocess.run(
        [*COMMAND, "--url", "http://127.0.0.1:1"],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert played.returncode == 2
    assert "--token" in played.stderr
