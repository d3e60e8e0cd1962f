"""An image model small enough to be made in a test, whose answers can be worked out by hand.

Label number i looks at one of 4 x 4 regions of the picture: its grid holds 8 · (brightness - 0.5) there and
-4 elsewhere, and its logit is the grid's mean. With the calibration 16 · logit + 60, the probability is
sigmoid(8 · (brightness of region i - 0.5)).
"""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from shared.labels import LABELS

SIDE = 16


def write_tiny_model(folder: Path, *, version: str = "1") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    n = len(LABELS)
    masks = np.zeros((1, n, 4, 4), dtype=np.float32)
    for label in range(n):
        masks[0, label, label // 4, label % 4] = 1
    constants = {
        "masks": masks,
        "background": -4 * (1 - masks),
        "eight": np.array(8, dtype=np.float32),
        "four": np.array(4, dtype=np.float32),
    }
    nodes = [
        helper.make_node("AveragePool", ["pixels"], ["regions"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Mul", ["regions", "eight"], ["bright"]),
        helper.make_node("Sub", ["bright", "four"], ["evidence"]),
        helper.make_node("Mul", ["evidence", "masks"], ["looked_at"]),
        helper.make_node("Add", ["looked_at", "background"], ["cam"]),
        helper.make_node("ReduceMean", ["cam"], ["logits"], axes=[2, 3], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["batch", 1, SIDE, SIDE])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", n]),
            helper.make_tensor_value_info("cam", TensorProto.FLOAT, ["batch", n, 4, 4]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
        doc_string=version,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, folder / "model.onnx")
    config = {
        "name": "tiny",
        "version": version,
        "architecture": "tiny",
        "input_size": SIDE,
        "channels": 1,
        "mean": [0.0],
        "std": [1.0],
        "labels": list(LABELS),
        "label_support": dict.fromkeys(LABELS, "real"),
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "calibration.json").write_text(json.dumps({name: {"slope": 16.0, "intercept": 60.0} for name in LABELS}))
    (folder / "thresholds.json").write_text(json.dumps(dict.fromkeys(LABELS, 0.5)))
    return folder


def picture_of(*labels: str, brightness: int = 255, size: int = 64) -> np.ndarray:
    """A dark picture, bright in the regions of these labels."""
    picture = np.full((size, size), 20, dtype=np.uint8)
    region = size // 4
    for name in labels:
        row, column = divmod(LABELS.index(name), 4)
        picture[row * region : (row + 1) * region, column * region : (column + 1) * region] = brightness
    return picture
