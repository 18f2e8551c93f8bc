"""Every figure has its definition, and the page about metrics says the same."""

from dataclasses import fields

from app.api.fields import OutModel
from app.api.reports import asked, routing, versus
from app.api.reports.answering import LineOut, ReportOut
from app.feedback.nps import Nps
from app.reports.attainment import Attainment
from app.reports.dictionary import COUNTED, METRICS, facts_in_words, metrics_in_words
from app.reports.figures import Course, Routed, Volume, Waiting
from app.reports.forecast import Ahead
from app.reports.tally.fact import Measure
from app.reports.waiting import Held
from app.settings import PROJECT

PAGE = (PROJECT / "docs" / "metrics.md").read_text("utf-8")
MADE = {
    "sla": Attainment._fields,
    "sla/holders": Held._fields,
    "nps": Nps._fields,
    "volume": Volume._fields,
    "routing": Routed._fields,
    "backlog": Waiting._fields,
    "rollout": Course._fields,
}


def test_every_figure_of_a_report_is_defined_once_and_in_its_order() -> None:
    for report, figures in MADE.items():
        assert _defined(report) == list(figures)


def test_every_member_of_other_lines_is_defined() -> None:
    assert ["at", *_defined("backlog/forecast")] == [member.name for member in fields(Ahead)]
    assert [*routing.CONFUSED, *_own(routing.ConfusionOut, ReportOut)] == [*_defined("routing/confusion"), "items"]
    assert _own(asked.SilenceOut) == _defined("nps/asked")
    assert _own(versus.ComparisonLineOut) == ["this", "other", *_defined("nps/compare"), "more_than_noise"]


def test_every_fact_is_defined() -> None:
    assert list(COUNTED) == list(Measure)


def test_the_page_holds_the_tables_of_the_dictionary() -> None:
    for table in (facts_in_words(), *map(metrics_in_words, sorted({one.report for one in METRICS}))):
        assert table in PAGE, table


def _own(model: type[OutModel], base: type[OutModel] = LineOut) -> list[str]:
    return [name for name in model.model_fields if name not in base.model_fields]


def _defined(report: str) -> list[str]:
    return [one.name for one in METRICS if one.report == report]
