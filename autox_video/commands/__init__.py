"""The sub-commands: one table, each calls one function of a layer below and prints what comes of it.

A file holds commands of one kind, in its own table `COMMANDS`; `--help` lists the kinds in the order below.
"""

from __future__ import annotations

from autox_video.commands import explain, export, labels, machine, predict, report, run, several_runs, timeline
from autox_video.commands.command import Command

KINDS = (run, report, predict, timeline, explain, export, labels, several_runs, machine)
COMMANDS: dict[str, Command] = {name: command for kind in KINDS for name, command in kind.COMMANDS.items()}
