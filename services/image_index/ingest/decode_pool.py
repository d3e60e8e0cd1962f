"""Files become pictures in threads of their own, while the event loop goes on."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from services.image_index.encoding.encoder import Encoder
from services.image_index.ingest.prepare import Prepared, prepare
from services.image_index.pictures.burned_in.check import TextCheck
from services.image_index.pictures.dicom.isolated import IsolatedDecoders
from services.image_index.settings import ImageIndexSettings
from shared.errors import Overloaded


class DecodePool:
    """`decode_threads` files at once; `decode_max_queue` more wait, and whoever comes then is refused."""

    def __init__(self, encoder: Encoder, settings: ImageIndexSettings, part: str) -> None:
        self._encoder = encoder
        self._limits = settings.limits
        self._most = settings.decode_threads + settings.decode_max_queue
        self._part = part
        self._at_once = settings.decode_threads
        self._taken = 0
        self.refused = 0
        self._threads = ThreadPoolExecutor(settings.decode_threads, thread_name_prefix="decode")
        self._decoders = IsolatedDecoders()

    async def __call__(self, data: bytes, text_check: TextCheck) -> Prepared:
        """Raises Overloaded, or what `prepare` raises of the file. What was begun is finished, whoever gives up."""
        if self._taken >= self._most:
            self.refused += 1
            raise Overloaded("Too many files wait to be decoded; send this again later.", part=self._part)
        self._taken += 1
        decoded = asyncio.get_running_loop().run_in_executor(
            self._threads, prepare, data, self._encoder, self._limits, self._decoders, text_check
        )
        decoded.add_done_callback(self._give_back)
        return await decoded

    @property
    def waiting(self) -> int:
        return max(0, self._taken - self._at_once)

    def _give_back(self, _done: "asyncio.Future[Prepared]") -> None:
        self._taken -= 1

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)
        self._decoders.close()
