"""Rewrite tests/golden/config_*.py after a meant change: `python tests/render/regenerate_golden.py`."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS.parent), str(TESTS), str(TESTS / "render")]

import samples  # noqa: E402
from test_render_config import CASES, GOLDEN  # noqa: E402

from autox_video.render.config import config_text, render_config  # noqa: E402

for name, (hardware, values) in CASES.items():
    for stock in (False, True):
        config = render_config(*samples.plan(hardware, **values), samples.RUN, stock=stock)
        path = GOLDEN / f"config_{name}{'_stock' if stock else ''}.py"
        path.write_text(config_text(config, stock=stock), encoding="utf-8")
