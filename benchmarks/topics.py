"""How well topics are told, how honest the probabilities are, and what it costs: the figures of the topic model.

    python -m benchmarks.topics [--only banking77 few sib200 clinc150]

Every model learns from a training split alone, with `app.topics.training.train` as the worker calls it: its calibration
and thresholds come from held-out folds of that split. Test splits are read once, to be scored. Only the threshold of
what is out of scope is chosen on CLINC150's validation split, where it recognises most without costing more than one
in twenty of the messages in scope. Times are of the processor, as other things may run beside.
"""

import argparse
import csv
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt

from app.settings import PROJECT
from app.topics.classify import PRECISION
from app.topics.label import Label
from app.topics.model import Judged, Model
from app.topics.reading import normalised, readable
from app.topics.training import train
from benchmarks.harness import machine

DATA = Path(os.environ.get("WEBCARE_SHARED_DATA", PROJECT.parent / "shared" / "data"))
BINS = 15  # of the calibration error
BATCH = 256
SPENT_ON_SCOPE = 0.05  # the part of messages in scope that may be called out of scope


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts and the topic of each."""

    texts: Sequence[str]
    topics: Sequence[str]


def rows(file: str) -> list[dict[str, str]]:
    path = DATA / file
    if not path.exists():
        sys.exit(f"No {path}: set WEBCARE_SHARED_DATA to the folder that holds it.")
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


def read(file: str, **wanted: str) -> Texts:
    """The rows of which all `wanted` columns hold that."""
    found = [row for row in rows(file) if all(row[name] == value for name, value in wanted.items())]
    return Texts([row["text"] for row in found], [row["label"] for row in found])


def learned(taught: Texts) -> Model:
    """The model, and on a line of its own what it took."""
    before = time.process_time()
    labels = [Label(text, topic) for text, topic in zip(taught.texts, taught.topics, strict=True)]
    model = train(labels, dict.fromkeys(taught.topics, PRECISION))
    spent = time.process_time() - before
    size = len(model.content) / 2**20
    print(f"  learned {len(labels)} texts of {len(model.learned.topics)} topics in {spent:.1f} s; {size:.1f} MB")
    return model


def ready(texts: Iterable[str]) -> list[str]:
    return [normalised(readable(text)) for text in texts]


def judged(model: Model, texts: Sequence[str]) -> list[Judged]:
    plain = ready(texts)
    return [one for start in range(0, len(plain), BATCH) for one in model.judge(plain[start : start + BATCH])]


def chances(opinions: Iterable[Judged]) -> npt.NDArray[np.float64]:
    return np.array([one.best[0][1] if one.best else 0.0 for one in opinions])


def right(opinions: Iterable[Judged], truth: Iterable[str]) -> npt.NDArray[np.bool_]:
    return np.array([bool(one.best) and one.best[0][0] == topic for one, topic in zip(opinions, truth, strict=True)])


def calibration_error(chance: npt.NDArray[np.float64], hits: npt.NDArray[np.bool_]) -> float:
    """Expected calibration error over bins of equal width (Guo et al. 2017)."""
    bins = np.minimum((chance * BINS).astype(int), BINS - 1)
    gaps = [abs(chance[bins == one].sum() - hits[bins == one].sum()) for one in range(BINS)]
    return float(sum(gaps) / len(chance))


def honest_error(chance: npt.NDArray[np.float64]) -> float:
    """The calibration error that is to be expected of probabilities that are exactly right, on so many texts."""
    rng = np.random.default_rng(0)
    return float(np.mean([calibration_error(chance, rng.random(len(chance)) < chance) for _ in range(200)]))


def share(hits: npt.NDArray[np.bool_]) -> str:
    """With Wilson's interval of 95 %."""
    if not len(hits):
        return "-"
    n, p, z = len(hits), hits.mean(), 1.96
    middle, reach = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + (z / (2 * n)) ** 2)
    low, high = ((middle + way * reach) / (1 + z**2 / n) for way in (-1, 1))
    return f"{p:.3f} ({low:.3f} to {high:.3f})"


def score(name: str, model: Model, asked: Texts) -> None:
    opinions = judged(model, asked.texts)
    hits, chance = right(opinions, asked.topics), chances(opinions)
    alone = np.array([one.topic is not None for one in opinions])
    error, honest = calibration_error(chance, hits), honest_error(chance)
    print(f"  {name}: accuracy {hits.mean():.4f}, calibration error {error:.4f}; {honest:.4f} would be by chance alone")
    print(f"  decides {alone.mean():.3f} alone at a wanted {PRECISION}, of these right {share(hits[alone])}")


def banking77() -> None:
    print("Banking77, all of the training split")
    model = learned(read("banking77_train.csv"))
    asked = read("banking77_test.csv")
    score("test", model, asked)
    speed(model, asked.texts)


def few() -> None:
    tests = {"BANKING77": read("banking77_test.csv"), "CLINC150": read("clinc150.csv", split="test")}
    for name, asked in tests.items():
        for count in ("5", "10"):
            print(f"{name}, {count} examples of each topic")
            score("test", learned(read("fewshot_fixed_splits.csv", dataset=name, split=f"train_{count}")), asked)


def sib200() -> None:
    print("SIB-200, Dutch")
    score("dev", learned(read("sib200_nld_train.csv")), read("sib200_nld_dev.csv"))


def clinc150() -> None:
    print("CLINC150, all of the training split")
    model = learned(read("clinc150.csv", split="train"))
    score("test", model, read("clinc150.csv", split="test"))
    inside = {split: chances(judged(model, read("clinc150.csv", split=split).texts)) for split in ("val", "test")}
    outside = chances(judged(model, read("clinc150.csv", split="oos_test").texts))
    threshold = np.quantile(inside["val"], SPENT_ON_SCOPE)
    kept = (inside["test"] >= threshold).mean()
    recall = (outside < threshold).mean()
    print(f"  out of scope below {threshold:.3f}: recall {recall:.3f}; {kept:.3f} of what is in scope kept")


def speed(model: Model, texts: Sequence[str]) -> None:
    plain = ready(texts)
    for size in (1, 16, BATCH):
        lists = [plain[start : start + size] for start in range(0, len(plain) - size + 1, size)][:1_000]
        spent = median(timed(lambda one=one: model.judge(one)) for one in lists) / size  # type: ignore[misc]
        print(f"  lists of {size}: {spent * 1e3:.3f} ms a message, {1 / spent:,.0f}/s")


def timed(call: Callable[[], object]) -> float:
    before = time.process_time()
    call()
    return time.process_time() - before


SETS = {"few": few, "sib200": sib200, "banking77": banking77, "clinc150": clinc150}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=SETS, default=list(SETS), help="some of the sets")
    chosen = parser.parse_args().only
    print(machine())
    for name in chosen:
        SETS[name]()


if __name__ == "__main__":
    main()
