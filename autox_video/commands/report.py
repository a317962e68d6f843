"""Commands that show a run: its report as a file, and as a page while it trains."""

from __future__ import annotations

import argparse
from contextlib import suppress
from pathlib import Path

from autox_video.commands.command import Command
from autox_video.errors import Problem, RequestError, StoppedError

DEFAULT_PORT = 8765


def _report(arguments: argparse.Namespace) -> int:
    from autox_video.report.html.writing import read_results_of, write_report

    work_dir, results_file = _run_of(arguments)
    if not work_dir.root.is_dir():
        cure = "Name the work_dir of a run"
        raise RequestError(Problem(str(work_dir.root), "there is no such folder", cure))
    results = read_results_of(results_file)
    if results is None:
        print(f"note     {results_file} does not exist yet: the report has no figures of a test")
    print(f"report   {write_report(work_dir, results, work_dir.report_of(results_file))}")
    return 0


def _watch(arguments: argparse.Namespace) -> int:
    from autox_video.report.html.live import watching

    work_dir, results_file = _run_of(arguments)
    with suppress(StoppedError), watching(work_dir, results_file, arguments.port) as server:
        if arguments.port and server.port != arguments.port:
            print(f"note     port {arguments.port} is taken")
        print(f"watch    {server.url} (Ctrl-C ends it; the training goes on)", flush=True)
        server.serve()
    return 0


def _run_of(arguments: argparse.Namespace):  # type: ignore[no-untyped-def]
    """The run that is meant, and the file with its results: by its work dir alone, or by a config.yaml."""
    from autox_video.settings.load import load_settings
    from autox_video.work_dir import WorkDir

    if arguments.config is None and arguments.work_dir is not None:
        return WorkDir(arguments.work_dir.absolute()), arguments.work_dir.absolute() / "results.json"
    settings = load_settings(arguments.config or Path("config.yaml"), arguments.set, work_dir=arguments.work_dir)
    return WorkDir(settings.work_dir), settings.test_results_path


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-c", "--config", type=Path, metavar="FILE", help="the settings (default: config.yaml)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change one setting, such as work_dir=runs/a"
    )
    parser.add_argument(
        "--work-dir", type=Path, metavar="DIR", help="the run's folder; without -c nothing else is read"
    )


def _watch_options(parser: argparse.ArgumentParser) -> None:
    _options(parser)
    help = f"of 127.0.0.1 (default: {DEFAULT_PORT}, or a free one)"
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, metavar="N", help=help)


COMMANDS = {
    "report": Command("write report.html anew: figures, curves, mistakes as films", _report, _options, False),
    "watch": Command("show how a training goes, in the browser", _watch, _watch_options, False),
}
