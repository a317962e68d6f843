"""A video with a few words below it, as sections show several of side by side."""

from __future__ import annotations

from typing import Any

from autox_video.report.html.films import Films
from autox_video.report.html.markup import Content, Html, film, tag


def figure(
    films: Films, split: str, path: str, piece: tuple[float | None, float | None], *caption: Content, **about: Any
) -> Html:
    """A film, its caption, and below in small letters which video it is.

    Args:
        films: `ReportedRun.films`.
        split: `train`, `val` or `test`.
        path: As listed.
        piece: Where the piece that is shown begins and ends, in seconds; None at the beginning and the end.
        caption: What is said of it.
        about: Attributes of the figure, such as filters go by.
    """
    named = path
    if piece != (None, None):
        start, end = ("" if value is None else f"{value:g}" for value in piece)
        named = f"{path} ({start}–{end} s)"
    said = tag("figcaption", *caption, tag("span", f"{split}: {named}", class_="file"))
    return tag("figure", film(films, path, *piece), said, **about)
