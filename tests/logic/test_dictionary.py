"""Every figure has its definition, and the page about metrics says the same."""

from app.api.reports import asked, backlog, nps, rollout, routing, sla, versus, volume, waiting
from app.api.reports.answering import LineOut
from app.reports.dictionary import COUNTED, METRICS, Unit, facts_in_words, metrics_in_words
from app.reports.tally.fact import Measure
from app.settings import PROJECT

PAGE = (PROJECT / "docs" / "metrics.md").read_text("utf-8")
REPORTS = {
    "sla": sla.FIGURES,
    "sla/holders": waiting.FIGURES,
    "nps": nps.FIGURES,
    "volume": volume.FIGURES,
    "routing": routing.FIGURES,
    "routing/confusion": {**routing.CONFUSED, "found": Unit.COUNT, "right": Unit.COUNT, "right_share": Unit.SHARE},
    "backlog": backlog.FIGURES,
    "backlog/forecast": backlog.AHEAD,
    "rollout": rollout.DRAWN,
}


def test_every_figure_of_a_report_is_defined_once_and_in_its_order() -> None:
    for report, figures in REPORTS.items():
        defined = [(one.name, one.unit) for one in METRICS if one.report == report]
        assert defined == list(figures.items())


def test_every_member_of_a_line_that_no_chart_shows_is_defined() -> None:
    assert _own(asked.SilenceOut) == _defined("nps/asked")
    assert _own(versus.ComparisonLineOut) == ["this", "other", *_defined("nps/compare"), "more_than_noise"]


def test_every_fact_is_defined() -> None:
    assert list(COUNTED) == list(Measure)


def test_the_page_holds_the_tables_of_the_dictionary() -> None:
    for table in (facts_in_words(), *map(metrics_in_words, sorted({one.report for one in METRICS}))):
        assert table in PAGE, table


def _own(line: type[LineOut]) -> list[str]:
    return [name for name in line.model_fields if name not in LineOut.model_fields]


def _defined(report: str) -> list[str]:
    return [one.name for one in METRICS if one.report == report]
