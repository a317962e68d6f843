"""Say what videos show: python predict.py VIDEO ...  Needs torch, numpy and PyAV: pip install torch numpy av"""

import json
import sys
from pathlib import Path

import av
import numpy as np
import torch
from torch.nn.functional import avg_pool2d, interpolate

BUNDLE = json.loads(Path(__file__).with_name("bundle.json").read_text(encoding="utf-8"))
HOW = BUNDLE["preprocessing"]


# choose_frames


def crops(frame):
    """What the network sees of a frame, uint8, (crops, 3, side, side): the whole short side, of the long one parts."""
    picture, side = np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90)), HOW["input_size"]
    true = np.array(picture.shape[:2])
    size = np.floor(true * (side / true.min()) + 0.5).astype(int)
    y, x = (size - side) // 2
    places = ((0, 0), (2 * y, 2 * x), (y, x))
    if HOW["num_crops"] == 1:  # the middle alone, which is cut out before it is scaled
        (top, left), (bottom, right) = np.rint(np.array([[y, x], [y + side, x + side]]) * true / size).astype(int)
        picture, size, places = picture[top:bottom, left:right], (side, side), places[:1]
    pixels = torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None].float()
    while pixels.shape[2] >= 2 * size[0] and pixels.shape[3] >= 2 * size[1]:
        pixels = avg_pool2d(pixels, 2)
    pixels = interpolate(pixels, tuple(map(int, size)), mode="bilinear")[0].round().byte()
    return torch.stack([pixels[:, a : a + side, b : b + side] for a, b in places])


def clips_of(video):
    """What the network takes of a video: uint8, (1, crops x clips, 3, clip_len, side, side), or frame by frame."""
    with av.open(video) as file:
        packets = [packet for packet in file.demux(file.streams.best("video")) if packet.size and not packet.is_discard]
        times = sorted(float((p.dts if p.pts is None else p.pts) * p.time_base) for p in packets)
    chosen = choose_frames(np.array(times) - times[0])
    with av.open(video) as file:
        frames = zip(range(chosen.max() + 1), file.decode(file.streams.best("video")))
        seen = {number: crops(frame) for number, frame in frames if number in chosen}
    shown = torch.stack([seen[min(number, max(seen))] for number in chosen.flatten()], 1).flatten(0, 1)
    return (shown if HOW["layout"] == "NCHW" else shown.unflatten(0, (-1, HOW["clip_len"])).transpose(1, 2))[None]


def judge(scores):
    """What is said of a video by the network's scores, (classes,): as `autox-video predict` does it, calibrated."""
    several, known = BUNDLE["task"] == "multi_label", BUNDLE["calibration"] or {"temperature": 1, "num_videos": 0}
    # As if the logits were divided by the temperature: of several labels each by itself, to have it or not.
    cases = np.stack([scores, 1 - scores]).clip(1e-7) if several else scores[None].clip(1e-12)
    powers = cases ** (1 / known["temperature"])
    likely = powers / powers.sum(0 if several else 1, keepdims=True)
    said = scores >= (BUNDLE["thresholds"] or 0.5) if several else np.arange(len(scores)) == scores.argmax()
    sure = float(np.where(said, *likely).prod() if several else likely.max())
    uncertain = sure < (known["certain_from"] or 2) if known["num_videos"] >= 20 else None
    return {"labels": np.array(BUNDLE["classes"])[said].tolist(), "confidence": sure, "uncertain": uncertain}


if __name__ == "__main__":
    network = torch.jit.load(Path(__file__).with_name("model.pt")).eval()
    for video in sys.argv[1:]:
        scores = network(clips_of(video))[0].double().numpy()
        row = {"file": video, **judge(scores), "scores": dict(zip(BUNDLE["classes"], scores.tolist()))}
        print(json.dumps(row, ensure_ascii=False), flush=True)
