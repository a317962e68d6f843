"""HTML from plain values. Everything that comes from outside is escaped here and nowhere else.

Functions that return HTML return `Html`; what is no `Html` is escaped when it is put in.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autox_video.report.html.films import Film, Films
from autox_video.report.html.parts import Text


class Html(str):
    """Text that is HTML already. Only this module and what it returns are trusted to make it."""

    __slots__ = ()


Content = Html | Text | str | float | int | None


def escape(text: str) -> Html:
    """A plain text from anywhere, harmless in HTML, in quoted attributes too; what cannot be shown stands as `\\n`."""
    shown = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in text
    )
    return Html(html.escape(shown, quote=True))


def say(content: Content) -> Html:
    """A value as HTML: a `Text` in both languages, of which one is seen; a number in short; None as a dash."""
    if isinstance(content, Html):
        return content
    if isinstance(content, Text):
        en, zh = escape(content.en), escape(content.zh)
        return en if en == zh else Html(f'<span lang="en">{en}</span><span lang="zh">{zh}</span>')
    if content is None:
        return Html("–")
    if isinstance(content, float):
        return Html(f"{content:.4g}")
    return escape(str(content))


def join(parts: Iterable[Content], between: str = "") -> Html:
    """Several, one after another."""
    return Html(between.join(map(say, parts)))


def tag(name: str, /, *content: Content, **attributes: Any) -> Html:
    """An element: `tag("p", text, class_="note")`.

    Args:
        name: Of the element.
        content: What stands in it.
        attributes: Escaped; an underscore at the end is left out and others become hyphens. True stands
            without a value, False and None are left out.
    """
    told = ""
    for key, value in attributes.items():
        key = key.rstrip("_").replace("_", "-")
        if value is True:
            told += f" {key}"
        elif value is not None and value is not False:
            told += f' {key}="{escape(str(value))}"'
    return Html(f"<{name}{told}>{join(content)}</{name}>")


def paragraph(*content: Content, kind: str = "") -> Html:
    """A paragraph; `kind` is `note` for one in small grey letters, `warning` for one to be seen."""
    return tag("p", *content, class_=kind or None)


def in_english(what: str) -> Html:
    """A note on the Chinese page alone: `what`, in Chinese, stands there in English."""
    return tag("p", f"{what}保留英文原文。", lang="zh", class_="note")


def table(head: Sequence[Content], rows: Iterable[Sequence[Content]], *, max_rows: int = 12) -> Html:
    """A table that is sorted by a click on a heading: by number where cells are numbers, else by text.

    Args:
        head: A heading a column.
        rows: Of as many cells. A `Cell` sorts by something else than what it shows.
        max_rows: Of more rows the others are folded away behind a button.
    """
    cells = "".join(tag("th", tag("button", name, type="button"), scope="col", aria_sort="none") for name in head)
    body: list[str] = []
    for row in rows:
        shown = "".join(_cell(cell) for cell in row)
        body.append(f"<tr{' class=more' if len(body) >= max_rows else ''}>{shown}</tr>")
    many = f' data-rows="{len(body)}"' if len(body) > max_rows else ""
    return Html(
        f'<div class="table"{many}><table><thead><tr>{cells}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'
    )


class Cell(Html):
    """A cell of a table with the value that it is sorted by."""

    value: float | str | None

    def __new__(cls, content: Content, value: float | str | None) -> Cell:
        """The cell."""
        cell = super().__new__(cls, say(content))
        cell.value = value
        return cell


def _cell(content: Content) -> Html:
    value = content.value if isinstance(content, Cell) else content if isinstance(content, (int, float)) else None
    number = isinstance(value, (int, float)) or (isinstance(content, Cell) and value is None)
    return tag("td", content, data_value=value, class_="number" if number else None)


def percent(share: float | None) -> Cell:
    """A share in [0, 1] as `92.5 %`."""
    return Cell("–" if share is None else f"{100 * share:.1f} %", share)


def plot(data: Sequence[Mapping[str, Any]], layout: Mapping[str, Any], title: Text, *, height: int = 320) -> Html:
    """A figure of Plotly, drawn when it comes into view in the colours of the page.

    Args:
        data: Traces, in the words of plotly.js. A `Text` anywhere in them is shown in the language of the page; names
            from outside pass through `in_plot`. Colours are those of the page: `c0` to `c7`, `--good`, `--bad`,
            `--note`, `--accent`, `--text`, `--faint`, `--line`.
        layout: Likewise; fonts, backgrounds and grids are the page's.
        title: What the figure shows, for those who do not see it.
        height: In pixels.
    """
    figure = {"data": list(data), "layout": dict(layout)}
    block = Html(f'<script type="application/json">{as_json(figure)}</script>')
    described = {"role": "img", "aria_label": title.en, "data_en": title.en, "data_zh": title.zh}
    return tag("div", block, class_="plot", style=f"height:{height}px", **described)


def in_plot(text: str) -> str:
    """A name from outside as Plotly shows it as it is: it takes some HTML for markup."""
    return str(escape(text))


def as_json(value: Any) -> Html:
    """JSON that may stand in a script element: nothing in it ends that."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, default=_plain, separators=(",", ":"))
    return Html(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _plain(value: Any) -> Any:
    if isinstance(value, Text):
        return {"en": value.en, "zh": value.zh}
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} does not stand in a figure")


def film(
    films: Films, path: str, start_seconds: float | None = None, end_seconds: float | None = None, *, label: str = ""
) -> Html:
    """A filmstrip of a video that plays where it is seen.

    Args:
        films: `ReportedRun.films`.
        path: As listed.
        start_seconds: Where the piece to be shown begins; None at the beginning.
        end_seconds: Where it ends; None at the end.
        label: What is to be seen, for those who do not see it; the path where it is empty.
    """
    number = films.number(Film(path, start_seconds, end_seconds))
    return tag("div", class_="film", data_film=number, role="img", aria_label=label or path)


def choices(name: str, said: Text, options: Mapping[Text, Mapping[str, Any]]) -> Html:
    """Buttons that change the plot behind them in the same element of class `choosing`; the first is pressed.

    Args:
        name: Of the group.
        said: Its caption.
        options: What stands on a button, and what it changes: `visible`, a truth value a trace, and `layout`, merged
            into that of the plot.
    """
    buttons = [
        tag("button", text, type="button", data_choice=name, data_patch=as_json(patch), aria_pressed=str(not n).lower())
        for n, (text, patch) in enumerate(options.items())
    ]
    return tag("div", tag("span", said), *buttons, class_="choices", role="group")


def picture(jpeg: bytes, label: Text) -> Html:
    """A picture that stands still, no wider than the page; `label` says it to those who do not see it."""
    data = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"
    return Html(f'<img style="max-width:100%" src="{data}" alt="{escape(label.en)}">')
