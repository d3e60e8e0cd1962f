import os
import subprocess
import sys

import pytest
from pydantic import Field, SecretStr

from gateway.demo.environment import DemoSettings
from gateway.settings import GatewaySettings
from services.image_index.settings import ImageIndexSettings
from services.text_classifier.settings import TextClassifierSettings
from shared.environment import read_environment, unknown_variables
from shared.settings import ServiceSettings
from shared.variables import SETTINGS
from tests.repository import REPOSITORY

pytestmark = pytest.mark.slow

ALL = (GatewaySettings, TextClassifierSettings, ImageIndexSettings)


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in os.environ:
        if name.startswith("CHEX_"):
            monkeypatch.delenv(name)


def refusal(settings: type[ServiceSettings]) -> str:
    with pytest.raises(SystemExit) as ended:
        read_environment(settings, "part")
    return str(ended.value.code)


@pytest.mark.parametrize(
    ("settings", "variable", "value", "takes"),
    [
        (GatewaySettings, "CHEX_GATEWAY_PORT", "abc", "a whole number from 0 to 65535"),
        (GatewaySettings, "CHEX_GATEWAY_PORT", "70000", "a whole number from 0 to 65535"),
        (GatewaySettings, "CHEX_LOG_LEVEL", "loud", "debug, info, warning or error"),
        (GatewaySettings, "CHEX_TEXT_URL", "foo", "an address that begins with http:// or https://"),
        (GatewaySettings, "CHEX_WADO_RS_URL", "ftp://x", "an address that begins with http:// or https://"),
        (GatewaySettings, "CHEX_REQUEST_TIMEOUT_S", "0", "a number above 0"),
        (GatewaySettings, "CHEX_REQUEST_TIMEOUT_S", "inf", "a number above 0"),
        (GatewaySettings, "CHEX_ROOT_PATH", "chex", "such as `/chex`"),
        (GatewaySettings, "CHEX_VIEWER_URL", "x", "an http(s) URL; it may hold {study_instance_uid}"),
        (ImageIndexSettings, "CHEX_DEVICE", "gpu", "auto, cpu or cuda"),
        (ImageIndexSettings, "CHEX_KEEP_STUDY_DATE", "maybe", "true or false"),
        (ImageIndexSettings, "CHEX_CHEST_THRESHOLD", "2", "a number from 0 to 1"),
        (ImageIndexSettings, "CHEX_IMAGE_MAX_QUEUE", "0", "a whole number of 1 or more"),
        (TextClassifierSettings, "CHEX_THREADS", "100000000", "a whole number from 0 to 1024"),
        (DemoSettings, "CHEX_TEXT_PORT", "0", "a whole number from 1 to 65535"),
    ],
)
def test_wrong_setting_is_one_sentence_that_names_it_and_what_it_takes(monkeypatch, settings, variable, value, takes):
    monkeypatch.setenv(variable, value)
    said = refusal(settings)
    assert said.startswith(f"part: {variable} must be ")
    assert takes in said
    assert "\n" not in said


def test_every_wrong_setting_has_its_own_sentence(monkeypatch):
    monkeypatch.setenv("CHEX_GATEWAY_PORT", "abc")
    monkeypatch.setenv("CHEX_LOG_LEVEL", "loud")
    monkeypatch.setenv("CHEX_VIEWER_URL", "x")
    lines = refusal(GatewaySettings).splitlines()
    assert {line.split()[1] for line in lines} == {"CHEX_GATEWAY_PORT", "CHEX_LOG_LEVEL", "CHEX_VIEWER_URL"}
    assert len(lines) == 3


def test_no_value_is_ever_repeated(monkeypatch):
    class Keyed(ServiceSettings):
        patient_key: SecretStr = Field(min_length=50)

    for name in ("CHEX_PATIENT_KEY", "CHEX_LOG_LEVEL", "CHEX_REQUEST_TIMEOUT_S"):
        monkeypatch.setenv(name, "hunter2")
    said = refusal(Keyed)
    assert len(said.splitlines()) == 3
    assert "hunter2" not in said


def test_empty_variable_counts_as_not_set(monkeypatch):
    for name in SETTINGS:
        monkeypatch.setenv(name, "")
    assert ImageIndexSettings() == ImageIndexSettings.model_construct()
    assert str(ImageIndexSettings().data_dir) == "data"


def test_misspelt_variable_is_told_with_the_nearest_known_name_and_without_its_value(monkeypatch, capsys):
    monkeypatch.setenv("CHEX_GATWAY_PORT", "hunter2")
    read_environment(GatewaySettings, "gateway")
    said = capsys.readouterr().err
    assert said == "gateway: CHEX_GATWAY_PORT is no setting, and nobody reads it. Is CHEX_GATEWAY_PORT meant?\n"


def test_settings_of_the_other_parts_are_known_to_each():
    assert unknown_variables(dict.fromkeys([*SETTINGS, "CHEX_PUBLISH", "PATH", "chex_text_port"], "")) == []
    assert len(unknown_variables({"CHEX_SOMETHING_ELSE_ENTIRELY": "1"})) == 1


def test_the_list_of_settings_is_what_the_parts_read():
    """A new setting is added to SETTINGS in shared/variables.py, an old one taken out."""
    assert {f"CHEX_{name.upper()}" for part in ALL for name in part.model_fields} == SETTINGS


@pytest.mark.parametrize(
    "command", [["gateway"], ["services.text_classifier", "serve"], ["services.image_index", "serve"]]
)
def test_each_process_ends_with_the_sentence_and_status_1(command):
    environment = {**os.environ, "CHEX_LOG_LEVEL": "loud"}
    ended = subprocess.run(
        [sys.executable, "-m", *command], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "CHEX_LOG_LEVEL must be debug, info, warning or error.\n" in ended.stderr
    assert "Traceback" not in ended.stderr
