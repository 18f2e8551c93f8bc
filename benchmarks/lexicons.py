"""How well the words of `tones.yaml` tell what people themselves said, and what reading and hearing a post costs.

    python -m benchmarks.lexicons FOLDER

Knows labelled sets by the names of their files. Refuses to tune anything on them: lexicons are written by people, and a
word goes in because of what it means. Sets that are not in the folder are left out, and it says so.
"""

import csv
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import mean

from app.rulebook import Rulebook, load
from app.settings import PROJECT

LONGEST = 10_000_000  # characters in a field
Row = dict[str, str]
# file, its text, and what its author meant: below 0 bad, above 0 good, None where it is neither
SETS: tuple[tuple[str, str, str, Callable[[Row], float | None]], ...] = (
    (
        "airline_tweets_60.csv",
        "text",
        "en",
        lambda row: {"negative": -1.0, "positive": 1.0}.get(row["airline_sentiment"]),
    ),
    ("bolcom_reviews_nl.csv", "text", "nl", lambda row: float(row["polarity"])),
    ("neobank_app_reviews_en.csv", "Comment", "en", lambda row: float(row["Rating"]) - 3),
    ("keytrade_trustpilot_nl_fr_en_60.csv", "text", "nl", lambda row: float(row["rating"]) - 3),
    (
        "semeval16_restaurants_nl_60.csv",
        "text",
        "nl",
        lambda row: {"negative": -1.0, "positive": 1.0}.get(row["polarities"]),
    ),
)


def main(folder: Path) -> None:
    rulebook = load(PROJECT / "routing_rules")
    csv.field_size_limit(LONGEST)
    print(f"{'set':40}{'posts':>7}{'heard':>8}{'right':>8}{'r':>7}{'us a post':>11}")
    for name, column, language, meant in SETS:
        path = folder / name
        if not path.is_file():
            print(f"{name:40} is not there")
            continue
        with path.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row.get("lang", language) == language]
        pairs = [(row[column], wanted) for row in rows if (wanted := meant(row))]
        print(f"{name:40}{_figures(rulebook, pairs)}")


def _figures(rulebook: Rulebook, pairs: Iterable[tuple[str, float]]) -> str:
    """How many posts there are, of how many any word is heard, how many of these are told right, Pearson's r over all
    of them, and the CPU time of reading and hearing one, in microseconds.
    """
    texts, wanted = zip(*pairs, strict=True)
    began = time.process_time()
    heard = rulebook.hear([rulebook.read(text) for text in texts])
    spent = time.process_time() - began
    found = [one.tones["mood"].score if "mood" in one.tones else 0.0 for one in heard]
    told = [(score, meant) for score, meant in zip(found, wanted, strict=True) if score]
    right = mean((score > 0) is (meant > 0) for score, meant in told)
    count = len(texts)
    figures = f"{count:7}{len(told) / count:8.2f}{right:8.3f}{_correlation(found, wanted):7.2f}"
    return f"{figures}{spent / count * 1e6:11.0f}"


def _correlation(left: list[float], right: tuple[float, ...]) -> float:
    """Pearson's r."""
    centre, other = mean(left), mean(right)
    together = sum((one - centre) * (two - other) for one, two in zip(left, right, strict=True))
    spread = sum((one - centre) ** 2 for one in left) * sum((two - other) ** 2 for two in right)
    return float(together / spread**0.5) if spread else 0.0


if __name__ == "__main__":
    main(Path(sys.argv[1]))
