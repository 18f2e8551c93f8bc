"""The benchmark of the agents' day still runs against the service as it is; its figures are not looked at."""

import json
import os
import subprocess
import sys
from pathlib import Path

TEXTS = ["Waar blijft mijn pakketje?", "Ik snap mijn factuur niet", "Goedemorgen allemaal", "Dank jullie wel"]


def test_agents_are_measured_at_a_tiny_size(tmp_path: Path) -> None:
    pool = tmp_path / "load_pool.jsonl"
    pool.write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS))

    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.agents", "--quick"],
        env={**os.environ, "WEBCARE_SHARED_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "none of a ticket that somebody had" in done.stdout
