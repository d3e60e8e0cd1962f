"""Moments as numbers that compare as the moments do: microseconds since 1970, UTC."""

from datetime import UTC, datetime, timedelta

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = timedelta(microseconds=1)


def microseconds(moment: datetime) -> int:
    return (moment - _BEGINNING) // _STEP


def now() -> int:
    return microseconds(datetime.now(UTC))


def moment(microseconds: int) -> datetime:
    return _BEGINNING + microseconds * _STEP
