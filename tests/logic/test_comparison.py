"""When a new model is better: on labels that nobody learned from, and on no topic worse."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.cli.topics.screen import comparison_lines
from app.topics.labels.labelling import Labelling, Source
from app.topics.versions.comparison import LEAST, MATTERS, MOST, Fared, JudgedOn, compare, fared, hold_out
from tests.support.clock import MORNING


def said(text: str, topic: str = "roaming", *, mine: bool = True, minutes: int = 0) -> Labelling:
    at = MORNING + timedelta(minutes=minutes)
    return Labelling(topic, mine, Source.CORRECTION, "agent:anna", at, text=text)


def posts(count: int) -> list[Labelling]:
    return [said(f"post {number}", minutes=number) for number in range(count)]


def test_the_newest_third_of_what_is_new_judges_and_the_rest_teaches() -> None:
    old, new = posts(100), [replace(one, at=one.at + timedelta(days=1)) for one in posts(30)]
    judged_on, teaching, judging = hold_out([*new, *old], old[-1].at)
    assert judged_on is JudgedOn.UNSEEN
    assert judging == new[20:]
    assert teaching == [*old, *new[:20]]


def test_too_few_new_labels_all_teach_and_what_is_known_judges() -> None:
    known = posts(40)
    assert hold_out(known, known[19].at) == (JudgedOn.KNOWN, known, known)
    assert hold_out(known, known[40 - 3 * LEAST - 1].at)[0] is JudgedOn.UNSEEN


def test_without_labels_there_is_nothing_to_judge_by() -> None:
    assert hold_out([], None) == (JudgedOn.KNOWN, [], [])


def test_no_more_are_held_out_than_make_a_figure_surer() -> None:
    _, teaching, judging = hold_out(posts(4 * MOST), None)
    assert (len(teaching), len(judging)) == (3 * MOST, MOST)


def test_labels_of_one_file_are_parted_by_chance_and_always_the_same() -> None:
    """Files are often in the order of their topics."""
    file = [said(f"post {number}", topic=f"topic_{number // 30}") for number in range(300)]
    _, _, judging = hold_out(file, None)
    assert len({one.topic for one in judging}) == 10
    assert hold_out(reversed(file), None)[2] == judging


def test_what_became_of_posts_is_counted_for_both_topics() -> None:
    judged = [said("1"), said("2"), said("3"), said("4", "coverage"), said("5", mine=False), said("6", mine=False)]
    found = fared(judged, ["roaming", None, "coverage", "coverage", "roaming", "coverage"])
    assert found == {"roaming": Fared(right=1, triage=1, wrong=1, taken=1), "coverage": Fared(right=1, taken=1)}


@pytest.mark.parametrize(
    ("before", "after", "better"),
    [
        ([None] * 4, ["roaming"] * 4, True),
        (["roaming"] * 4, ["roaming"] * 4, False),
        (["roaming", None, None, None], ["roaming", "roaming", "roaming", "coverage"], False),
        (["roaming", "coverage", "coverage", None], ["roaming", "coverage", None, None], True),
        ([None] * 4, ["roaming", "roaming", "roaming", "coverage"], False),
    ],
)
def test_a_wrong_answer_costs_as_much_as_three_right_ones_bring(
    before: list[str | None], after: list[str | None], better: bool
) -> None:
    judged = [said(str(number)) for number in range(4)]
    assert compare(JudgedOn.UNSEEN, 1, judged, before, after, {"roaming": MATTERS - 1}).better is better


def test_what_is_known_may_only_not_get_worse() -> None:
    judged = [said("1"), said("2")]
    same = compare(JudgedOn.KNOWN, 1, judged, ["roaming", None], [None, "roaming"], {})
    worse = compare(JudgedOn.KNOWN, 1, judged, ["roaming", None], [None, None], {})
    assert (same.better, worse.better) == (True, False)
    assert compare(JudgedOn.KNOWN, None, [], [], [], {}).better


@pytest.mark.parametrize(("labels", "worse"), [(MATTERS - 1, []), (MATTERS, ["coverage"])])
def test_no_gain_pays_for_a_topic_with_many_labels_that_got_worse(labels: int, worse: list[str]) -> None:
    judged = [said("1"), said("2"), said("3", "coverage")]
    compared = compare(
        JudgedOn.UNSEEN, 1, judged, [None, None, "coverage"], ["roaming", "roaming", None], {"coverage": labels}
    )
    assert compared.worse == worse
    assert compared.better is not bool(worse)


def test_a_comparison_is_shown_with_all_its_figures() -> None:
    compared = compare(
        JudgedOn.UNSEEN, 3, [said("1"), said("2")], [None, "coverage"], ["roaming", None], {"roaming": 2}
    )
    told = compared.as_json()
    assert told["before"] == {"right": 0, "wrong": 1, "triage": 1, "taken": 1}
    assert told["topics"]["coverage"]["before"] == {"right": 0, "wrong": 0, "triage": 0, "taken": 1}
    assert told["topics"]["roaming"]["after"] == {"right": 1, "wrong": 0, "triage": 1, "taken": 0}
    assert (told["against"], told["posts"], told["better"]) == (3, 2, True)


@pytest.mark.parametrize(
    ("posts", "words"),
    [
        (0, "No labelled post could try it against phrases alone yet: it counts as better."),
        (9, "Tried on 9 labelled posts that both know, against phrases alone: better."),
    ],
)
def test_a_model_that_nothing_could_try_says_so(posts: int, words: str) -> None:
    none = {"right": 0, "wrong": 0, "triage": 0, "taken": 0}
    told = {"posts": posts, "evidence": "known", "against": None, "better": True, "worse": [], "topics": {}}
    assert next(comparison_lines({**told, "before": none, "after": none})) == words
