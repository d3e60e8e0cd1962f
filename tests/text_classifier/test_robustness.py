"""Whatever is sent, the service answers, and never with a 5xx.

CHEX_ROBUSTNESS_EXAMPLES sets the number of requests, of about six texts each (2000 of them take some minutes).
"""

import asyncio
import os

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.text_classifier.app import create_app
from services.text_classifier.settings import TextClassifierSettings
from shared.labels import LABELS

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("CHEX_ROBUSTNESS_EXAMPLES", "40"))
ADVERSARIAL = st.sampled_from(
    [
        *("no ", "not ", "1. ", "XXXX", "___", "[CLS]", "[SEP]", "[MASK]", "##a", "{}", "'; --", "%s", "\\", "<b>"),
        *("\x00", "\u202e", "\u0301", "\u200b", "\n\n", "\r", "\x7f", "ß", "ﬁ", "肺", "𝔼dema"),
        *("effusion", "a" * 300, "no" * 200, "effusion," * 50),
    ]
)
TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(ADVERSARIAL, max_size=40).map("".join),
    st.lists(st.one_of(ADVERSARIAL, st.text(max_size=8)), max_size=20).map(" ".join),
)


@pytest.fixture(scope="module")
def post(bundled):
    """Posts a body, from synchronous code: Hypothesis calls a test many times within one fixture."""
    app = create_app(TextClassifierSettings(request_timeout_s=60), bundled)
    with asyncio.Runner() as runner:
        lifespan = app.router.lifespan_context(app)
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://text")
        runner.run(lifespan.__aenter__())
        yield lambda **body: runner.run(client.post("/v1/classify", **body))
        runner.run(client.aclose())
        runner.run(lifespan.__aexit__(None, None, None))


def test_no_text_ends_in_a_5xx(post) -> None:
    @settings(max_examples=EXAMPLES, deadline=None)
    @given(st.lists(TEXTS, min_size=1, max_size=12), st.booleans())
    def try_texts(texts: list[str], evidence: bool) -> None:
        response = post(json={"impressions": texts, "evidence": evidence})
        assert response.status_code in (200, 422)
        if response.status_code == 200:
            for text, result in zip(texts, response.json()["results"], strict=True):
                assert set(result["labels"]) == set(LABELS)
                for entry in result["labels"].values():
                    assert all(
                        0 <= span["start"] < span["end"] <= len(text.strip()) for span in entry["evidence"] or ()
                    )

    try_texts()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'{"impressions": "edema"}', b'{"impressions": ["\\ud800"]}', b"\xff\xfe", b"[" * 5000],
)
def test_no_body_ends_in_a_5xx(post, content: bytes) -> None:
    response = post(content=content, headers={"content-type": "application/json"})
    assert 400 <= response.status_code < 500
