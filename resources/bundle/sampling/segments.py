def choose_frames(times):
    """Numbers of the frames of each clip: of equal parts of the video the middle; for a second clip their beginning."""
    step = len(times) / HOW["clip_len"]
    begins = np.arange(HOW["clip_len"]) * step
    return np.stack([begins + step / 2, begins][: HOW["num_clips"]]).astype(int)
