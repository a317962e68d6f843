def choose_frames(times):
    """Numbers of the frames of each clip: evenly close together; a video that ends too early stands still there."""
    room = max(0, len(times) - (HOW["clip_len"] - 1) * HOW["frame_interval"] - 1)
    starts = np.round(np.linspace(0, room, HOW["num_clips"])) if HOW["num_clips"] > 1 else np.array([room // 2])
    frames = starts[:, None].astype(int) + np.arange(HOW["clip_len"]) * HOW["frame_interval"]
    return np.where(frames < len(times), frames, (frames * (frames < len(times))).max(1, keepdims=True))
