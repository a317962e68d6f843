"""The headline: the figures of the test."""

from __future__ import annotations

from autox_video.report.common import numbers
from autox_video.report.html.markup import join, paragraph, say, tag
from autox_video.report.html.parts import ReportedRun, Section, Text

ORDER = 10


def section(run: ReportedRun) -> Section | None:
    """The figures; None before the test."""
    if run.results is None:
        return None
    title = Text("How good it is", "效果如何")
    if run.results.metrics is None:
        return Section("figures", title, paragraph(run.results.metrics_note or ""))
    cards = (
        tag("div", tag("div", name, class_="name"), tag("div", say(value), class_="figure"), class_="card")
        for name, value in numbers(run.results.metrics).items()
    )
    return Section("figures", title, tag("div", join(cards), class_="cards"))
