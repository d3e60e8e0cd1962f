import pytest

from shared.commands import run


class Mendable(Exception):
    pass


def raising(error: BaseException):
    def command() -> None:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Mendable("The folder is empty."), "part: The folder is empty."),
        (PermissionError(13, "Permission denied", "/data"), "part: /data: Permission denied."),
        (OSError(28, "No space left on device"), "part: No space left on device."),
        (KeyboardInterrupt(), 130),
        (SystemExit(3), 3),
    ],
)
def test_what_the_user_can_mend_ends_in_one_sentence(error, status):
    with pytest.raises(SystemExit) as ended:
        run(raising(error), "part", Mendable)
    assert ended.value.code == status


def test_a_fault_of_ours_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        run(raising(ZeroDivisionError()), "part", Mendable)
