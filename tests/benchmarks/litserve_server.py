"""LitServe around the bundled text model, with batches: a process for the API, one for the model."""

import sys

from litserve import LitAPI, LitServer

from services.text_classifier.reading.classifier import TextClassifier
from services.text_classifier.settings import BUNDLED_MODEL


class Classify(LitAPI):
    """A request holds one impression here."""

    def setup(self, device):
        self.model = TextClassifier.open(BUNDLED_MODEL, device="cpu")

    def decode_request(self, request):
        return self.model.read(request["impressions"][0])

    def batch(self, inputs):
        return inputs

    def predict(self, readings):
        return self.model.classify(readings)

    def unbatch(self, output):
        return output

    def encode_response(self, output):
        return {"results": [output.model_dump(mode="json")], "model": self.model.info.model_dump()}


if __name__ == "__main__":
    api = Classify(max_batch_size=32, batch_timeout=0.002, api_path="/v1/classify")
    LitServer(api, accelerator="cpu", workers_per_device=1).run(
        port=int(sys.argv[1]), log_level="error", generate_client_file=False, num_api_servers=1
    )
