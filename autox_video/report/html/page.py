"""The page: its sections one below another, with all that it needs inside."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
from collections.abc import Mapping
from functools import cache

from autox_video.presets import shared_folder
from autox_video.report.filmstrips import size_of
from autox_video.report.html.films import Films
from autox_video.report.html.markup import Html, as_json, escape, join, paragraph, say, tag
from autox_video.report.html.parts import ReportedRun, Section, Text
from autox_video.report.html.sections import section_modules

logger = logging.getLogger(__name__)


def make_sections(run: ReportedRun) -> list[Section]:
    """What there is to show of a run. A section that cannot be made says so in its place."""
    made = []
    for module in section_modules():
        try:
            one = module.section(run)
        except Exception as error:
            name = module.__name__.rpartition(".")[2]
            logger.warning("warning  the section %r of the report could not be made: %r", name, error)
            text = paragraph(Text("This section could not be made: ", "无法生成本节："), repr(error), kind="warning")
            one = Section(f"failed-{name.replace('_', '-')}", Text(name, name), text)
        if one is not None:
            made.append(one)
    return made


def make_page(run: ReportedRun, title: str, *, live: bool = False) -> str:
    """The whole page as HTML.

    Args:
        run: What is to be shown.
        title: Name of the run.
        live: Made by `watch`: the page asks for newer sections.
    """
    return filled(make_sections(run), draw_films(run.films), title, live=live)


def filled(
    sections: list[Section],
    films: dict[int, tuple[str, int, int]],
    title: str,
    *,
    live: bool = False,
    plots: bool = True,
) -> str:
    """A page of any sections.

    Args:
        sections: From top to bottom.
        films: What `draw_films` made.
        title: Its heading.
        live: See `make_page`.
        plots: Whether a section has a plot: what draws them takes megabytes.
    """
    files = {name: (_folder() / f"page.{name}").read_text(encoding="utf-8") for name in ("html", "css", "js")}
    scripts = [plotly() if plots else "", files["js"]]
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    values = {
        "title": escape(title),
        "policy": f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
        f"connect-src {chr(39)}{'self' if live else 'none'}{chr(39)}; form-action 'none'; base-uri 'none'",
        "live": "true" if live else "false",
        "style": files["css"],
        "navigation": navigation(sections),
        "sections": "\n".join([films_note(sections, films), *(section_html(one, films) for one in sections)]),
        "films": as_json({number: data for number, (data, _, _) in films.items()}),
        "plotly": scripts[0],
        "script": scripts[1],
    }
    # In one pass: what is filled in may hold braces of its own.
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], files["html"])


def navigation(sections: list[Section]) -> Html:
    """Links to the sections."""
    return join(tag("a", one.title, href=f"#{one.id}") for one in sections)


def section_html(one: Section, films: dict[int, tuple[str, int, int]]) -> str:
    """A section with its heading; the places of its filmstrips in the size that they will have."""

    def sized(found: re.Match[str]) -> str:
        _, width, height = films.get(int(found[1]), ("", 0, 0))
        return f'{found[0]} style="--w:{width};--h:{height}"' if width else f"{found[0]} data-empty"

    body = re.sub(r'data-film="([0-9]+)"', sized, one.html)
    # By the digest a page that is watched knows what has not changed.
    digest = _digest(f"{one.title}{body}")[:12]
    return f'<section id="{escape(one.id)}" data-digest="{digest}"><h2>{say(one.title)}</h2>{body}</section>'


def draw_films(films: Films) -> dict[int, tuple[str, int, int]]:
    """The filmstrips by number: JPEG in base64, width and height of a frame in pixels."""
    strips = {number: strip for number, strip in films.draw().items() if strip}
    return {
        number: (base64.b64encode(strip).decode("ascii"), *size_of(strip)) for number, strip in sorted(strips.items())
    }


def films_note(sections: list[Section], films: Mapping[int, object]) -> str:
    """How many filmstrips were left out, and why; empty where none was."""
    asked = {int(number) for one in sections for number in re.findall(r'data-film="([0-9]+)"', one.html)}
    left_out = len(asked - films.keys())
    if not left_out:
        return ""
    text = Text(
        f"{left_out} of {len(asked)} films are not drawn: the page stays below 20 MB, and drawing within a minute.",
        f"{len(asked)} 段影片中有 {left_out} 段未绘制：页面不超过 20 MB，绘制不超过一分钟。",
    )
    return paragraph(text, kind="note")


@cache
def plotly() -> str:
    """The library that draws the plots, as a script."""
    from plotly.offline import get_plotlyjs

    script: str = get_plotlyjs()
    return script


def _folder():  # type: ignore[no-untyped-def]
    return shared_folder("resources") / "report"


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
