"""Writes an ONNX model with its weights in half precision, readable by ONNX Runtime and by torch alike.

The matrices are stored as float16 and cast to float32 when the model is loaded: half the size, and the computation is
float32 all the same. The weights lie in a safetensors file, to which the graph points as external data:
one file serves both engines, and its hash names the model. Vectors (biases, norms) are small and stay float32.
"""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, external_data_helper, helper, numpy_helper
from safetensors.numpy import save_file


def save_half(source: Path, target: Path) -> None:
    """Rewrite the ONNX model `source` as `target` (`….onnx`) with weights in `target` with the ending `.safetensors`.

    The tensors keep the initializers' names. Every float32 initializer of two or more dimensions becomes float16.
    """
    model = onnx.load(source)
    _save(model, target, _halve_matrices(model.graph))


def save_full(source: Path, target: Path) -> None:
    """As `save_half`, with the weights as they are."""
    _save(onnx.load(source), target, [])


def _save(model: onnx.ModelProto, target: Path, halved: list[str]) -> None:
    """`halved`: the initializers to be cast to float32 when the model is loaded."""
    graph = model.graph
    weights_file = target.with_suffix(".safetensors")
    tensors = {init.name: numpy_helper.to_array(init) for init in graph.initializer if init.data_type in _FLOATS}
    save_file({name: np.ascontiguousarray(array) for name, array in tensors.items()}, weights_file)
    weights_file.chmod(0o644)  # made as its owner's alone, which the user of a container is not
    places = _places(weights_file)
    for init in graph.initializer:
        if init.name in places:
            start, end = places[init.name]
            external_data_helper.set_external_data(init, weights_file.name, offset=start, length=end - start)
            init.ClearField("raw_data")
            init.ClearField("float_data")
    casts = [
        helper.make_node("Cast", [f"{name}"], [f"{name}.float32"], name=f"{name}.cast", to=TensorProto.FLOAT)
        for name in halved
    ]
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    _drop_traces(graph)
    target.write_bytes(model.SerializeToString())


def _drop_traces(graph: onnx.GraphProto) -> None:
    """The exporter notes the source line of every node, paths of its machine included: bulky, and nobody's business."""
    del graph.metadata_props[:]
    for part in (*graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""


_FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16)


def _halve_matrices(graph: onnx.GraphProto) -> list[str]:
    """Turn the matrices into float16 in place, and point their readers at the float32 cast. Returns their names."""
    halved: list[str] = []
    for init in graph.initializer:
        if init.data_type == TensorProto.FLOAT and len(init.dims) > 1:
            array = numpy_helper.to_array(init).astype(np.float16)
            if not np.isfinite(array).all():
                raise ValueError(f"{init.name} has values beyond half precision")
            init.CopyFrom(numpy_helper.from_array(array, init.name))
            halved.append(init.name)
    renamed = {name: f"{name}.float32" for name in halved}
    for node in graph.node:
        for position, name in enumerate(node.input):
            node.input[position] = renamed.get(name, name)
    return halved


def _places(weights_file: Path) -> dict[str, tuple[int, int]]:
    """Where each tensor's bytes lie in a safetensors file (its header's length is in the first 8 bytes)."""
    with weights_file.open("rb") as stream:
        header_size = int.from_bytes(stream.read(8), "little")
        header = json.loads(stream.read(header_size))
    base = 8 + header_size
    return {
        name: (base + entry["data_offsets"][0], base + entry["data_offsets"][1])
        for name, entry in header.items()
        if name != "__metadata__"
    }
