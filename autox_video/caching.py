"""What becomes of the proxies of a run before its first batch: which there are to be, where, and from when on."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from contextlib import suppress

from autox_video.dataset.messages import plural
from autox_video.errors import Problem, RequestError, RunError
from autox_video.plan.room import Need, check_room, size_in_words
from autox_video.plan.rules.cache import duration, side_for
from autox_video.plan.schema import Decision, Plan
from autox_video.proxies.background import num_processes
from autox_video.proxies.listing import Listing, list_proxies
from autox_video.proxies.writing import can_write
from autox_video.records import read_record
from autox_video.work_dir import WorkDir

logger = logging.getLogger(__name__)


def prepare_cache(decided: Plan, work_dir: WorkDir, begun: Plan | None, needs: Sequence[Need]) -> Plan:
    """List the proxies of a run, say what they take, and decide from which epoch on they are read.

    A run that goes on keeps the epoch, so that it reads what an uninterrupted one does.

    Args:
        decided: The plan.
        work_dir: Of the run, with its lists.
        begun: The plan that the run began with, where it goes on.
        needs: What else is to be written.

    Returns:
        The plan, where `auto` has chosen proxies without them if there is no room, or no video that needs one.

    Raises:
        RequestError: Something has less room than it needs, or proxies that were asked for have no place.
    """
    if decided.cache.value == "off":
        check_room(needs)
        return decided
    # What a run has begun with is not given up silently, who ever chose it.
    is_bound = decided.cache.source not in ("data", "default") or (begun is not None and begun.cache.value == "proxy")
    listing = list_proxies(work_dir, decided.data_root, side_for(decided))
    if not listing.proxied:
        logger.info("note     no video of train and val needs a proxy: none is so much larger than training needs it")
        check_room(needs)
        return _without(decided, "no video is so much larger than training needs it")
    missing = [one.proxy for one in listing.to_write(work_dir)]
    take = sum(listing.num_bytes[proxy] for proxy in missing)
    need = Need(work_dir.proxies, "proxies", int(take), ", or write data: {cache: off}")
    try:
        _refuse_impossible(decided, work_dir)
        check_room([*needs, need])
    except RequestError as error:
        if is_bound:
            raise
        check_room(needs)
        return _without(decided, f"it would pay, but {error.problems[0]}")
    if begun is None:
        begun = _begun_unsaved(work_dir)
    if begun is not None and begun.cache.value == "proxy":
        decided = dataclasses.replace(decided, proxies_from_epoch=begun.proxies_from_epoch)
    else:
        first = Decision(2, "data", "they are written while the first one trains")
        if not missing:
            first = Decision(1, "data", "all of them were there when the run began")
        decided = dataclasses.replace(decided, proxies_from_epoch=first)
    _tell(decided, work_dir, listing, missing, take)
    return decided


def _begun_unsaved(work_dir: WorkDir) -> Plan | None:
    """The plan of a run that was killed before its first save, and is to end as it would have."""
    with suppress(RunError):
        return read_record(work_dir.plan, Plan)
    return None


def _without(decided: Plan, why: str) -> Plan:
    return dataclasses.replace(decided, cache=Decision("off", "data", why))


def _refuse_impossible(decided: Plan, work_dir: WorkDir) -> None:
    problems = []
    # Beside a work dir that lies in the user's data they would be taken for videos of his.
    if work_dir.proxies.is_relative_to(decided.data_root):
        wrong = "would get the proxies, and lies in data_root, where nothing is written"
        cure = "Choose a work_dir outside of it, or write data: {cache: off}"
        problems.append(Problem(str(work_dir.proxies.parent), wrong, cure))
    if not can_write():
        cure = "Install PyAV's own wheel (pip install --force-reinstall av), or write data: {cache: off}"
        problems.append(Problem("data.cache", "the FFmpeg of PyAV has no libx264 to write proxies with", cure))
    if problems:
        raise RequestError(problems)


def _tell(decided: Plan, work_dir: WorkDir, listing: Listing, missing: Sequence[str], take: float) -> None:
    state = "all there"
    if missing:
        seconds = sum(listing.seconds[proxy] for proxy in missing) / num_processes(decided.hardware.num_cpus)
        size = size_in_words(take)
        state = f"{len(missing)} to be written in the background, about {size} and {duration(seconds)}"
    some = f"{len(listing.proxied)} for the {listing.num_videos} videos of train and val"
    logger.info("proxies  %s in %s: %s", some, work_dir.proxies, state)
    logger.info("         read from epoch %d on; data: {cache: off} does without", decided.proxies_from_epoch.value)
    if listing.num_pieces:
        logger.info("note     %s no proxy: too little of it is used", _have(listing.num_pieces))


def _have(count: int) -> str:
    return plural(count, "video") + (" has" if count == 1 else " have")
