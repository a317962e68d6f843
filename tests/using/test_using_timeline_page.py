"""The page of a timeline."""

from __future__ import annotations

import re
from pathlib import Path

from autox_video.report.html.films import Films
from autox_video.using.timeline.page import MAX_FILMS, _segments, _strip
from autox_video.using.timeline.record import OK, Model, Settings, Timeline
from autox_video.using.timeline.segments import Segment

COUNT = MAX_FILMS + 20


def test_every_link_of_a_strip_leads_somewhere_however_many_segments_there_are():
    model = Model("m", "best.pth", "0", 1, ("a",), False)
    settings = Settings((0.5,), (0.3,), "", None, None, None, (), None)
    segments = tuple(Segment(float(number), number + 0.5, "a", 0.9) for number in range(COUNT))
    row = Timeline(1, "a.mp4", 1, 1, OK, None, model, settings, duration_seconds=float(COUNT), segments=segments)
    films = Films()
    strip, shown = (
        part.html for part in (_strip(row, Path("a.mp4"), None, films), _segments(row, Path("a.mp4"), films))
    )
    assert len(re.findall(r"<a [^>]*>", strip)) == COUNT
    links = re.findall(r'href="#([^"]+)"', strip)
    assert links == [f"segment-{number}" for number in range(1, MAX_FILMS + 1)]
    assert set(links) <= set(re.findall(r'id="([^"]+)"', shown))
