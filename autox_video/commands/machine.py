"""Commands that need no data: models, messages, the demo, this machine."""

from __future__ import annotations

import argparse
from pathlib import Path

from autox_video.commands.command import Command, settings_of


def _models(arguments: argparse.Namespace) -> int:
    from autox_video.presets import WHEEL_PREFIX, load_preset, preset_names, wheel_names
    from autox_video.report.models import card_lines, model_lines

    one, names = arguments.name, preset_names()
    if one == WHEEL_PREFIX:
        one, names = None, wheel_names()
    for line in card_lines(load_preset(one)) if one else model_lines(map(load_preset, names)):
        print(line)
    return 0


def _notify_test(arguments: argparse.Namespace) -> int:
    from autox_video.extras import check_extras
    from autox_video.notifying import send_test_message

    settings = settings_of(arguments)
    check_extras(settings)
    taken = send_test_message(settings)
    if taken:
        print(f"sent     a test message to {', '.join(map(str, settings.notify))}")
    return 0 if taken else 1


def _demo_data(arguments: argparse.Namespace) -> int:
    from autox_video.demo_data import write_demo_data

    write_demo_data(arguments.folder)
    print(f"demo data: {arguments.folder}")
    return 0


def _doctor(arguments: argparse.Namespace) -> int:
    from autox_video.doctor import diagnose

    findings = diagnose(arguments.work_dir)
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        mark = "ok" if finding.ok else "PROBLEM" if finding.required else "note"
        print(f"{mark:7}  {finding.name:{width}}  {finding.value}")
        if not finding.ok:
            print(f"{'':7}  {'':{width}}  {finding.cure}")
    return 1 if any(finding.required and not finding.ok for finding in findings) else 0


def _demo_data_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", type=Path, nargs="?", default=Path("data/demo"), help="a new folder (default: data/demo)"
    )


def _models_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="show all that the card of this one says; `mmaction::` lists MMAction2's",
    )


def _doctor_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--work-dir", type=Path, metavar="DIR", help="the folder whose disk is checked")


COMMANDS = {
    "models": Command("compare the models one can name", _models, _models_options, False),
    "notify-test": Command("send a test message to whom `notify` names", _notify_test),
    "demo-data": Command(
        "make the demo videos: 8 classes that only motion tells apart", _demo_data, _demo_data_options, False
    ),
    "doctor": Command("check this machine and name what fixes it", _doctor, _doctor_options, False),
}
