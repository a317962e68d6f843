"""The data check: what is wrong or odd with the data, by kind, and what mends it."""

from __future__ import annotations

from autox_video.report.html.markup import Cell, Html, in_english, join, paragraph, table, tag
from autox_video.report.html.parts import ReportedRun, Section, Text

ORDER = 110
TITLE = Text("Data check", "数据检查")
LEVELS = {
    "refused": Text("refused", "拒绝"),
    "left out": Text("left out", "排除"),
    "note": Text("note", "提示"),
}
MAX_REPAIRS = 50


def section(run: ReportedRun) -> Section | None:
    """The findings; None before the data was looked at."""
    check = run.check
    if check is None:
        return None
    if not check.kinds:
        return Section("check", TITLE, paragraph(Text("Nothing is wrong.", "没有发现问题。"), kind="good"))
    rows = [
        (Cell(LEVELS.get(kind.level, Text(kind.level, kind.level)), kind.level), kind.kind, kind.count, kind.first)
        for kind in check.kinds
    ]
    head = (Text("level", "级别"), Text("kind", "类型"), Text("count", "数量"), Text("the first", "第一个"))
    repairs = [finding.repair for finding in check.findings if finding.repair]
    parts: list[Html] = [in_english("问题类型"), table(head, rows)]
    if repairs:
        summary = tag(
            "summary", Text(f"Commands that mend {len(repairs)} of them", f"修复其中 {len(repairs)} 个的命令")
        )
        lines = tag("pre", *(join([repair, Html("\n")]) for repair in repairs[:MAX_REPAIRS]))
        parts.append(tag("details", summary, lines))
    return Section("check", TITLE, join(parts))
