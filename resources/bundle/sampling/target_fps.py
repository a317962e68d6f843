def choose_frames(times):
    """Numbers of the frames of each clip: those on the screen so many times a second, whatever the video has."""
    room = max(0.0, times[-1] * len(times) / max(1, len(times) - 1) - HOW["clip_len"] / HOW["target_fps"])
    starts = np.linspace(0, room, HOW["num_clips"]) if HOW["num_clips"] > 1 else np.array([room / 2])
    wanted = starts[:, None] + np.arange(HOW["clip_len"]) / HOW["target_fps"]
    return np.clip(np.searchsorted(times, wanted + 1e-3, side="right") - 1, 0, len(times) - 1)
