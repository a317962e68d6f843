"""The verdict: what the figures mean, in plain words."""

from __future__ import annotations

from autox_video.report.html.markup import tag
from autox_video.report.html.parts import ReportedRun, Section, Text
from autox_video.report.html.remarks import RULES

ORDER = 20
TITLE = Text("In plain words", "通俗解读")


def section(run: ReportedRun) -> Section | None:
    """What every rule in `remarks` has to say; None where none has."""
    remarks = [remark for rule in RULES for remark in rule(run)]
    if not remarks:
        return None
    items = (tag("li", remark.text, class_=remark.level) for remark in remarks)
    return Section("verdict", TITLE, tag("ul", *items, class_="remarks"))
