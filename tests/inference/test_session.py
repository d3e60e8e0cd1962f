import hashlib
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

from services.inference.model_files import ModelLoadError
from services.inference.session import open_session
from services.workbench.half import save_half

RNG = np.random.default_rng(7)


@pytest.fixture
def weights() -> dict[str, np.ndarray]:
    return {
        "linear.weight": RNG.normal(size=(3, 4)).astype(np.float32),
        "linear.bias": RNG.normal(size=3).astype(np.float32),
    }


@pytest.fixture
def raw_onnx(tmp_path: Path, weights) -> Path:
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["x", *weights], ["logits"], transB=1, doc_string="/home/someone/model.py")],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 3])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "raw.onnx")
    return tmp_path / "raw.onnx"


@pytest.fixture
def folder(tmp_path: Path, raw_onnx: Path) -> Path:
    (tmp_path / "model").mkdir()
    save_half(raw_onnx, tmp_path / "model" / "model.onnx")
    return tmp_path / "model"


def build_torch(folder: Path) -> torch.nn.Module:
    class Linear(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(4, 3)

        def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"logits": self.linear(x)}

    module = Linear()
    stored = load_file(folder / "model.safetensors")
    module.load_state_dict({name: torch.from_numpy(array).float() for name, array in stored.items()})
    return module.eval()


def test_matrices_are_stored_in_half_precision_and_vectors_are_not(folder, weights):
    stored = load_file(folder / "model.safetensors")
    assert {name: array.dtype.name for name, array in stored.items()} == {
        "linear.weight": "float16",
        "linear.bias": "float32",
    }


def test_graph_computes_in_float32_with_the_rounded_weights(folder, weights):
    x = RNG.normal(size=(5, 4)).astype(np.float32)
    rounded = weights["linear.weight"].astype(np.float16).astype(np.float32)
    logits = open_session(folder).run({"x": x})["logits"]
    np.testing.assert_allclose(logits, x @ rounded.T + weights["linear.bias"], atol=1e-6)


def test_graph_keeps_no_trace_of_where_it_was_made(folder):
    assert b"/home/someone" not in (folder / "model.onnx").read_bytes()


def test_weights_can_be_read_by_another_user(folder):
    assert (folder / "model.safetensors").stat().st_mode & 0o444 == 0o444


def test_value_beyond_half_precision_is_refused(raw_onnx, tmp_path):
    model = onnx.load(raw_onnx)
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.full((3, 4), 1e6, np.float32), "linear.weight"))
    onnx.save(model, raw_onnx)
    with np.errstate(over="ignore"), pytest.raises(ValueError, match=r"linear\.weight"):
        save_half(raw_onnx, tmp_path / "model.onnx")


def test_hash_is_that_of_the_weights_file(folder):
    expected = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert open_session(folder).weights_sha256 == expected


def test_both_engines_agree_on_one_weights_file(folder):
    x = RNG.normal(size=(5, 4)).astype(np.float32)
    onnx_session = open_session(folder, build_torch=build_torch)
    (folder / "model.onnx").rename(folder / "graph.bak")
    torch_session = open_session(folder, build_torch=build_torch)
    assert (onnx_session.engine, torch_session.engine) == ("onnxruntime", "torch")
    assert onnx_session.weights_sha256 == torch_session.weights_sha256
    np.testing.assert_allclose(onnx_session.run({"x": x})["logits"], torch_session.run({"x": x})["logits"], atol=1e-5)


def test_missing_folder_is_named(tmp_path):
    with pytest.raises(ModelLoadError, match="nowhere does not exist"):
        open_session(tmp_path / "nowhere")


def test_empty_folder_says_what_it_should_hold(tmp_path):
    with pytest.raises(ModelLoadError, match=r"model\.safetensors"):
        open_session(tmp_path)


def test_damaged_graph_is_a_clear_error(folder):
    (folder / "model.onnx").write_bytes(b"not a graph")
    with pytest.raises(ModelLoadError, match="cannot be loaded"):
        open_session(folder)


@pytest.mark.skipif(torch.cuda.is_available(), reason="CUDA is there, so asking for it is no error")
def test_asking_for_cuda_where_there_is_none_says_so(folder):
    with pytest.raises(ModelLoadError, match="CHEX_DEVICE"):
        open_session(folder, device="cuda", build_torch=build_torch)
