"""What the network sees of a video: which frames, how large, how varied."""

from __future__ import annotations

from autox_video.dataset.facts import SplitFacts
from autox_video.errors import Problem, RequestError
from autox_video.plan.rules.common import asked, given, round_to_multiple
from autox_video.plan.schema import Decision
from autox_video.presets import Card, Preset
from autox_video.settings.schema import AUTO, Settings

# `video_length` keeps the meaning it had in the original tool: four frames for each second.
FRAMES_PER_SECOND_OF_VIDEO_LENGTH = 4
# A frame_interval that is short of a whole number by less than this is rounded up: 23.976 frames a second count as 24,
# and a clip may ask for a frame or two after the end, where the last one is repeated.
INTERVAL_TOLERANCE = 0.2
# Patches of 4 pixels, merged twice before the windows of the third stage: other sizes are only padded up. So they are
# by the convolutions that halve a frame four or five times.
INPUT_SIZE_MULTIPLE = 16


def choose_clip_len(settings: Settings, card: Card, train: SplitFacts) -> Decision[int]:
    """Frames in a clip."""
    if decision := asked(settings, "clip.clip_len"):
        return decision
    if card.fixed_clip_len:
        return Decision(card.clip_len, "preset", "the network is made for this number of frames alone")
    multiple = card.clip_len_multiple
    if settings.video_length != AUTO:
        frames = round_to_multiple(FRAMES_PER_SECOND_OF_VIDEO_LENGTH * settings.video_length, multiple)
        value = min(frames, card.clip_len)
        why = f"{FRAMES_PER_SECOND_OF_VIDEO_LENGTH} frames for each of the {settings.video_length:g} s of video_length"
        if value < frames:
            why += f", but no more than the {card.clip_len} of the preset"
        return Decision(value, settings.origins.get("video_length", "default"), why)
    if train.num_frames.p50 < card.clip_len:
        value = max(multiple, int(train.num_frames.p50) // multiple * multiple)
        return Decision(value, "data", f"half of the videos have at most {train.num_frames.p50:.0f} frames")
    return Decision(card.clip_len, "preset", "the clip of the preset")


def choose_frame_interval(settings: Settings, card: Card, train: SplitFacts, clip_len: int) -> Decision[int]:
    """Distance between the frames of a clip, so that the clip covers the wanted time at the real frame rate."""
    if decision := asked(settings, "clip.frame_interval"):
        return decision
    if card.sampling != "dense":
        why = f"one frame from each of {clip_len} equal parts of the video, however long it is"
        if settings.video_length != AUTO:
            why += "; video_length limits only their number"
        return Decision(1, "preset", why)
    fps = train.fps.p50
    if settings.video_length != AUTO:
        seconds, source = settings.video_length, settings.origins.get("video_length", "default")
        what = f"{seconds:g} s of video_length"
    else:
        seconds, source = min(train.duration_seconds.p50, card.clip_seconds), "data"
        whole = train.duration_seconds.p50 <= card.clip_seconds
        what = f"{seconds:.2g} s ({'the median duration' if whole else 'the most the preset spreads a clip over'})"
    interval = max(1, int(seconds * fps / clip_len + INTERVAL_TOLERANCE))
    return Decision(interval, source, f"{clip_len} frames cover {what} at {fps:.4g} frames a second")


def choose_input_size(settings: Settings, card: Card, train: SplitFacts, pretrained: bool) -> Decision[int]:
    """Side of the square the network sees, in pixels."""
    if decision := asked(settings, "clip.input_size"):
        return decision
    if card.fixed_input_size:
        return Decision(card.input_size, "preset", "the network is made for this size alone")
    short_side = int(train.short_side_px.p50)
    if pretrained or short_side >= card.input_size:
        return Decision(card.input_size, "preset", "the size of the preset")
    value = max(32, short_side // INPUT_SIZE_MULTIPLE * INPUT_SIZE_MULTIPLE)
    return Decision(value, "data", f"half of the videos have a short side of at most {short_side} pixels")


def check_clip(
    preset: Preset, clip_len: Decision[int], frame_interval: Decision[int], input_size: Decision[int]
) -> None:
    """See to it that the network can take what was asked for.

    Raises:
        RequestError: It cannot; all that is wrong is named.
    """
    card, name, problems = preset.card, preset.name, []
    multiple = card.clip_len_multiple
    if card.fixed_clip_len and clip_len.value != card.clip_len:
        wrong, cure = f"{name} is made for {card.clip_len} frames alone", "Remove the key, or choose another model"
        problems.append(Problem(f"{clip_len.source}: clip.clip_len", wrong, cure, str(clip_len.value)))
    elif clip_len.value % multiple:
        wrong = f"must be a multiple of {multiple} for {name}"
        cure = f"Choose {max(1, clip_len.value // multiple) * multiple}"
        problems.append(Problem(f"{clip_len.source}: clip.clip_len", wrong, cure, str(clip_len.value)))
    if card.sampling != "dense" and frame_interval.value != 1:
        wrong = f"{name} takes one frame from each of {clip_len.value} equal parts of a video, at no fixed distance"
        where = f"{frame_interval.source}: clip.frame_interval"
        problems.append(Problem(where, wrong, "Remove the key", str(frame_interval.value)))
    if card.fixed_input_size and input_size.value != card.input_size:
        wrong = f"{name} is made for {card.input_size} x {card.input_size} pixels alone"
        where = f"{input_size.source}: clip.input_size"
        problems.append(Problem(where, wrong, "Remove the key, or choose another model", str(input_size.value)))
    if problems:
        raise RequestError(problems)


def choose_num_repeats(settings: Settings, videos_per_gpu: Decision[int]) -> Decision[int]:
    """Views of one decoding in a batch.

    Raises:
        RequestError: A batch is no multiple of them.
    """
    decision = given(settings, "augment.num_repeats")
    if problem := repeats_problem(decision, videos_per_gpu):
        raise RequestError(problem)
    return decision


def repeats_problem(num_repeats: Decision[int], videos_per_gpu: Decision[int]) -> Problem | None:
    """What is wrong where a batch does not hold all views of each of its videos."""
    if videos_per_gpu.value % num_repeats.value == 0:
        return None
    wrong = f"does not divide the {videos_per_gpu.value} clips of a batch"
    cure = f"Choose one that does, or set videos_per_gpu to a multiple of {num_repeats.value}"
    return Problem(f"{num_repeats.source}: augment.num_repeats", wrong, cure, str(num_repeats.value))
