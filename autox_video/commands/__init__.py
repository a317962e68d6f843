"""The sub-commands: one table, each calls one function of a layer below and prints what comes of it.

A file holds commands of one kind, in its own table `COMMANDS`; `--help` lists them in the order below.
"""

from __future__ import annotations

from autox_video.commands import looking, machine, run, several_runs
from autox_video.commands.command import Command

COMMANDS: dict[str, Command] = {**run.COMMANDS, **looking.COMMANDS, **several_runs.COMMANDS, **machine.COMMANDS}
