import pytest

from services.workbench.missing_packages import what_to_install


def test_a_package_that_is_missing_is_named_with_what_installs_it() -> None:
    with pytest.raises(SystemExit) as ended, what_to_install("text-classifier"):
        raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")
    assert str(ended.value).startswith("text-classifier: this needs matplotlib")
    assert str(ended.value).endswith("pip install '.[train]'")


def test_a_fault_of_our_own_is_not_told_as_a_missing_package() -> None:
    with pytest.raises(ImportError), what_to_install("text-classifier"):
        raise ImportError("cannot import name 'x'", name="services.text_classifier.rules")
