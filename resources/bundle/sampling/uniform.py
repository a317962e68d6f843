def choose_frames(times):
    """Numbers of the frames of each clip: one of each of equal parts of the video, further in from clip to clip."""
    part = (len(times) - 1) / HOW["clip_len"]
    further = (part / (HOW["num_clips"] + 1) * np.arange(1, HOW["num_clips"] + 1)).astype(int)
    return np.round(np.arange(HOW["clip_len"]) * part).astype(int) + further[:, None]
