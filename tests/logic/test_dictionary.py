"""Every figure has its definition, and the page about metrics says the same."""

from collections.abc import Iterable
from dataclasses import fields

import yaml

from app.api import ownership
from app.api.fields import OutModel
from app.api.reports import asked, breaches, routing, standing, versus
from app.api.reports.answering import LineOut, ReportOut
from app.feedback.effort import Effort
from app.feedback.nps import Nps
from app.reports.attainment import Attainment
from app.reports.dictionary import COUNTED, METRICS
from app.reports.figures import Course, Routed, Volume, Waiting
from app.reports.forecast import Ahead
from app.reports.tally.fact import PROMISES, Measure
from app.reports.waiting import Held
from app.routing.readiness import Figures, Gates, judge
from app.settings import PROJECT

PAGE = (PROJECT / "docs" / "metrics.md").read_text("utf-8")
WORDS = yaml.safe_load((PROJECT / "app" / "api" / "reports" / "en.yaml").read_text("utf-8"))
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


def test_every_figure_of_what_stands_is_defined() -> None:
    assert _own(standing.AgedOut) == ["holder", "age", *_defined("backlog/now")]
    assert _own(standing.BrokenOut) == ["metric", "due_at", *_defined("sla/late")]
    assert _own(breaches.BreachOut, standing.TicketLine)[-3:] == _defined("sla/breaches")
    assert _defined("effort") == [member.name for member in fields(Effort)]
    gates = [f"gates.{gate.name}" for gate in judge(Figures(), Gates())]
    counts = list(ownership.FiguresOut.model_fields)
    assert _defined("ownership") == ["opened", "share", "coverage", *counts, *gates]
    assert set(_defined("today")) <= set(WORDS["pages"]["today"])


def test_every_fact_is_defined() -> None:
    assert list(COUNTED) == list(Measure)


def test_the_page_holds_the_tables_of_the_dictionary() -> None:
    assert facts_in_words() in PAGE, facts_in_words()
    sections = PAGE.split("\n## ")
    for report, path in dict.fromkeys((one.report, one.path) for one in METRICS):
        table = metrics_in_words(report)
        assert [f"`{path}`" in one.partition("\n")[0] for one in sections if table in one] == [True], table


def facts_in_words() -> str:
    rows = ((f"`{measure}`", one.says, one.at, one.counts_for) for measure, one in COUNTED.items())
    return _table(("fact", "what it is", "date axis", "counts for"), rows)


def metrics_in_words(report: str) -> str:
    metrics = [one for one in METRICS if one.report == report]
    rows = ((f"`{one.name}`", one.formula, _named(one.measures) or one.at, one.clock, one.unit) for one in metrics)
    of = "of the facts" if metrics[0].measures else "date axis"
    return _table(("figure", "formula", of, "clock", "unit"), rows)


def _named(measures: tuple[Measure, ...]) -> str:
    return "promises" if measures == PROMISES else ", ".join(measures)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))


def _own(model: type[OutModel], base: type[OutModel] = LineOut) -> list[str]:
    return [name for name in model.model_fields if name not in base.model_fields]


def _defined(report: str) -> list[str]:
    return [one.name for one in METRICS if one.report == report]
