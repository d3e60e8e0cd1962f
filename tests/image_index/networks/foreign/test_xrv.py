"""TorchXRayVision's weights, from the place where that library looks for them, answer as the library does."""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import numpy as np
import pytest
import torch
from torch import nn

from services.image_index.encoding.encoder import Encoder
from services.image_index.networks.foreign.pickled import read_pickled_network
from services.image_index.networks.foreign.read import read_foreign
from services.image_index.parts import open_model
from services.image_index.ranking.prior import shipped_prior
from services.image_index.training.convert import convert
from services.inference.model_files import ModelLoadError
from shared.labels import LABELS
from tests.image_index.conftest import png_bytes
from tests.image_index.networks.foreign.conftest import settled

pytestmark = pytest.mark.slow

NAME = "densenet121-res224-all"
THEIRS = {"Pleural Effusion": "Effusion"}  # named as here, otherwise


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home folder in which the library finds a DenseNet and a ResNet of its own making."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        yield home


def place(home: Path, name: str) -> Path:
    import torchxrayvision as xrv

    folder = home / ".torchxrayvision" / "models_data"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / xrv.models.model_urls[name]["weights_url"].rsplit("/", 1)[-1]


@pytest.fixture(scope="module")
def densenet(home: Path, pictures: torch.Tensor) -> nn.Module:
    """As the library loads it from its weights' place."""
    import torchxrayvision as xrv

    torch.manual_seed(1)
    network = settled(xrv.models.DenseNet(num_classes=18, in_channels=1), (2 * pictures - 1) * 1024)
    points = torch.tensor(xrv.models.model_urls[NAME]["op_threshs"])
    network.classifier.bias.data = points.logit()  # findings are as rare as they are, and some are present
    torch.save(network, place(home, NAME))
    return xrv.models.DenseNet(weights=NAME)


@pytest.fixture(scope="module")
def pixels(square: Callable[[int], torch.Tensor]) -> torch.Tensor:
    """The phantom as the library normalises it."""
    import torchxrayvision as xrv

    grey = np.rint(square(224)[0, 0].numpy() * 255)
    return torch.from_numpy(xrv.utils.normalize(grey, 255))[None, None]


@pytest.fixture(scope="module")
def folder(densenet: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("converted")
    convert(f"xrv:{NAME}", folder)
    return folder


@pytest.fixture(scope="module")
def encoder(densenet: nn.Module) -> Encoder:
    """Of what lies in the library's place."""
    return open_model(f"xrv:{NAME}", device="cpu")


@torch.no_grad()
def raw_logits(network: nn.Module, pixels: torch.Tensor) -> dict[str, float]:
    """Of the library's network, by its own names, before it bends them around the operating points."""
    points, network.op_threshs = network.op_threshs, None
    logits = dict(zip(network.targets, network(pixels)[0].tolist(), strict=True))
    network.op_threshs = points
    return logits


def same_finding(logits: dict[str, float]) -> dict[str, float]:
    """The library's logits by our names, where label and finding are the same."""
    return {label: logits[THEIRS.get(label, label)] for label in LABELS if THEIRS.get(label, label) in logits}


@pytest.fixture(scope="module")
def models(folder: Path) -> dict[str, str | Path]:
    """What is configured for each engine."""
    return {"torch": f"xrv:{NAME}", "onnxruntime": folder}


@pytest.fixture(scope="module")
def logits(densenet: nn.Module, pixels: torch.Tensor) -> dict[str, float]:
    return same_finding(raw_logits(densenet, pixels))


@pytest.mark.parametrize("engine", ["torch", "onnxruntime"])
async def test_an_image_is_put_found_and_shown(
    engine: str,
    models: dict[str, str | Path],
    logits: dict[str, float],
    phantom_512: np.ndarray,
    serving: Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]],
) -> None:
    async with serving(models[engine]) as client:
        model = (await client.get("/v1/model")).json()
        put = await client.put("/v1/images/a", content=png_bytes(phantom_512))
        found = (await client.post("/v1/search", json={"labels": ["Cardiomegaly"], "k": 3})).json()
        heatmap = await client.get("/v1/images/a/heatmap", params={"label": "Pneumonia"})
        unknown = await client.get("/v1/images/a/heatmap", params={"label": "Support Devices"})

    assert (model["engine"], model["name"]) == (engine, f"xrv:{NAME}")
    assert put.status_code == 201, put.text
    probabilities = put.json()["probabilities"]
    assert len(logits) == 11
    for label, logit in logits.items():
        assert np.log(probabilities[label] / (1 - probabilities[label])) == pytest.approx(logit, abs=1e-4)
    assert [hit["image_id"] for hit in found["hits"]] == ["a"]
    assert heatmap.headers["content-type"] == "image/png"
    assert unknown.status_code == 404
    assert "does not know" in unknown.json()["detail"]


def test_a_label_is_present_where_the_library_says_more_than_half(
    encoder: Encoder, densenet: nn.Module, phantom_512: np.ndarray, pixels: torch.Tensor
) -> None:
    (encoding,) = encoder.encode([encoder.prepare(phantom_512)])
    with torch.no_grad():
        theirs = same_finding(dict(zip(densenet.targets, densenet(pixels)[0].tolist(), strict=True)))
    present = encoding.probabilities >= encoder.thresholds

    assert {label: bool(present[LABELS.index(label)]) for label in theirs} == {
        label: score > 0.5 for label, score in theirs.items()
    }
    assert len({score > 0.5 for score in theirs.values()}) == 2  # some are, some are not


def test_a_finding_under_two_names_is_the_likelier_one(
    encoder: Encoder, densenet: nn.Module, phantom_512: np.ndarray, pixels: torch.Tensor
) -> None:
    (encoding,) = encoder.encode([encoder.prepare(phantom_512)])
    theirs = raw_logits(densenet, pixels)
    place = LABELS.index("Pleural Other")
    p = float(encoding.probabilities[place])

    assert np.log(p / (1 - p)) == pytest.approx(max(theirs["Pleural_Thickening"], theirs["Fibrosis"]), abs=1e-4)
    assert encoding.cam[place].astype(float).mean() == pytest.approx(np.log(p / (1 - p)), abs=1e-2)


def test_an_unknown_label_has_its_base_rate_and_is_never_present(folder: Path, phantom_512: np.ndarray) -> None:
    encoder = open_model(folder, device="cpu")
    (encoding,) = encoder.encode([encoder.prepare(phantom_512)])
    rates = shipped_prior().base_rates

    for label in ("No Finding", "Support Devices"):
        column = LABELS.index(label)
        assert encoder.details.label_support[label] == "none"
        assert encoding.probabilities[column] == pytest.approx(rates[column])
        assert encoder.thresholds[column] == 1.0
        assert not encoding.cam[column].any()
    assert "does not know: No Finding, Support Devices" in (folder / "README.md").read_text()


@pytest.mark.parametrize(
    ("name", "unknown"),
    [
        ("densenet121-res224-nih", {"Enlarged Cardiomediastinum", "Fracture", "No Finding", "Support Devices"}),
        ("densenet121-res224-chex", {"No Finding", "Pleural Other", "Support Devices"}),
        # Its Enlarged Cardiomediastinum was trained on nothing: the library has no operating point for it.
        ("resnet50-res512-all", {"Enlarged Cardiomediastinum", "No Finding", "Support Devices"}),
    ],
)
def test_each_of_its_weights_says_which_labels_it_knows(name: str, unknown: set[str]) -> None:
    support = read_foreign(f"xrv:{name}").config["label_support"]
    assert {label for label in LABELS if support[label] == "none"} == unknown


def test_its_resnet_reads_512_pixels(home: Path, pictures: torch.Tensor, square: Callable[[int], torch.Tensor]) -> None:
    import torchxrayvision as xrv
    from torchvision.models import resnet50

    inner = resnet50(weights=None, num_classes=18)
    inner.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    file = place(home, "resnet50-res512-all")
    torch.save(settled(inner, (2 * pictures - 1) * 1024).state_dict(), file)
    theirs = xrv.models.ResNet(weights="resnet50-res512-all")
    file = file.rename(home / file.name)
    encoder = open_model(f"xrv:resnet50-res512-all@{file.parent}", device="cpu")

    grey = np.rint(square(512)[0, 0].numpy() * 255).astype(np.uint8)
    logits = raw_logits(theirs, torch.from_numpy(xrv.utils.normalize(grey, 255))[None, None])
    (encoding,) = encoder.encode([grey])
    assert encoding.cam.shape == (14, 16, 16)
    for label, source in {"Edema": "Edema", "Lung Opacity": "Lung Opacity"}.items():
        p = float(encoding.probabilities[LABELS.index(label)])
        assert np.log(p / (1 - p)) == pytest.approx(logits[source], abs=1e-4)


@pytest.mark.parametrize("modern", [True, False])
def test_a_pickled_network_is_read_without_being_run(modern: bool, densenet: nn.Module, tmp_path: Path) -> None:
    """In torch's present file format, and in that of before 2020, as the published files are."""
    torch.save(densenet, tmp_path / "whole.pt", _use_new_zipfile_serialization=modern)
    state = read_pickled_network(tmp_path / "whole.pt")

    expected = densenet.state_dict()
    assert set(state) == set(expected)
    assert all(torch.equal(state[name].nan_to_num(), expected[name].nan_to_num()) for name in expected)


class _Code:
    def __reduce__(self):
        return (print, ("run!",))


@pytest.mark.parametrize("modern", [True, False])
def test_code_in_a_pickled_network_is_refused(modern: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = nn.Sequential(nn.Linear(2, 2))
    network.trap = _Code()
    torch.save(network, tmp_path / "trap.pt", _use_new_zipfile_serialization=modern)

    with pytest.raises(ModelLoadError, match=r"would run code: __builtin__\.print"):
        read_pickled_network(tmp_path / "trap.pt")
    assert "run!" not in capsys.readouterr().out


def test_missing_weights_are_named_with_where_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match=r"best\.pt does not exist.*https://github"):
        open_model(f"xrv:{NAME}@{tmp_path}", device="cpu")


def test_other_weights_in_their_place_are_refused(tmp_path: Path) -> None:
    import torchxrayvision as xrv

    file = tmp_path / xrv.models.model_urls[NAME]["weights_url"].rsplit("/", 1)[-1]
    torch.save(nn.Sequential(nn.Linear(2, 2)), file)
    with pytest.raises(ModelLoadError, match=r"missing: .* unknown: 0\.weight"):
        open_model(f"xrv:{NAME}@{tmp_path}", device="cpu")


def test_unknown_weights_are_answered_with_those_there_are() -> None:
    with pytest.raises(ModelLoadError, match=r"has no weights densenet7.*resnet50-res512-all"):
        open_model("xrv:densenet7", device="cpu")
