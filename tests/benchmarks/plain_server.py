"""A FastAPI endpoint around the bundled text model, as FastAPI's own tutorial has it: a function, run in a thread."""

import sys

import uvicorn
from fastapi import FastAPI

from services.text_classifier.reading.classifier import TextClassifier
from services.text_classifier.settings import BUNDLED_MODEL
from shared.schemas.text import ClassifyRequest, ClassifyResponse

model = TextClassifier.open(BUNDLED_MODEL, device="cpu")
app = FastAPI()


@app.get("/health")
def health() -> str:
    return "ok"


@app.post("/v1/classify")
def classify(request: ClassifyRequest) -> ClassifyResponse:
    readings = [model.read(text) for text in request.impressions]
    return ClassifyResponse(results=model.classify(readings), model=model.info)


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False)
