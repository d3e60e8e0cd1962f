"""Two queues to the model, so that an impression of one line never waits behind a text of many pages."""

import asyncio
from collections.abc import Sequence
from functools import partial

from services.inference.batching import MicroBatcher
from services.text_classifier.reading.classifier import TextClassifier
from services.text_classifier.reading.reading import Reading
from services.text_classifier.settings import TextClassifierSettings
from shared.schemas.text import Classification

PART = "text-classifier"


class Lanes:
    """`quick` takes texts that are no more work than one window, many at a time; `slow` takes others, and those with
    evidence, singly.

    A long text is a batch of windows in itself, and taken singly it is not begun once its deadline is over.
    """

    def __init__(self, model: TextClassifier, settings: TextClassifierSettings) -> None:
        self._timeout_s = settings.request_timeout_s
        self._window = model.window
        self.quick = _batcher(model, settings, max_batch=settings.text_max_queue)
        self.slow = _batcher(model, settings, max_batch=1)

    async def classify(self, readings: Sequence[Reading]) -> list[Classification]:
        """All results in order, or the first error; what still waits then is withdrawn.

        Raises Overloaded, DeadlineExceeded, Unavailable or InferenceFailed.
        """
        slow = [reading for reading in readings if self._is_slow(reading)]
        if not slow:
            return await self.quick.submit_all(readings, timeout_s=self._timeout_s)
        quick = [reading for reading in readings if not self._is_slow(reading)]
        tasks = [
            asyncio.ensure_future(lane.submit_all(those, timeout_s=self._timeout_s))
            for lane, those in ((self.quick, quick), (self.slow, slow))
        ]
        try:
            of_quick, of_slow = map(iter, await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
        return [next(of_slow if self._is_slow(reading) else of_quick) for reading in readings]

    def _is_slow(self, reading: Reading) -> bool:
        return reading.evidence or reading.size > self._window


def _batcher(
    model: TextClassifier, settings: TextClassifierSettings, *, max_batch: int
) -> MicroBatcher[Reading, Classification]:
    return MicroBatcher(
        model.classify,
        run_crowded=partial(model.classify, crowded=True),
        workers=model.workers,
        max_batch=max_batch,
        max_size=model.tokens_per_run,
        max_queue=settings.text_max_queue,
        size_of=lambda reading: reading.size,
        name=PART,
    )
