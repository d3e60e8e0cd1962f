import pytest

from gateway.upstream.templates import template_of


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/v1/search/by-image", "/v1/search/by-image"),
        ("/v1/images/1.2.840", "/v1/images/{}"),
        ("/v1/images/Jane Doe/thumbnail", "/v1/images/{}/thumbnail"),
        ("/v1/studies/1.2/report", "/v1/studies/{}/report"),
        ("/prefix/v1/index", "/{}/v1/index"),
    ],
)
def test_a_template_holds_nothing_that_a_caller_sent(path, template):
    assert template_of(path) == template
