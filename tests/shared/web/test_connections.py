"""What a caller can do with its connection, over real sockets: none of it may cost the others anything."""

import json
import socket
import time
from contextlib import ExitStack

import pytest

from tests.shared.web.conftest import app_that_waits

pytestmark = [pytest.mark.slow, pytest.mark.alone]

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n"


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def answer(connection: socket.socket) -> tuple[int, dict, dict]:
    """Status, headers and body of one answer that says how long it is; status 0 where the server hung up."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return 0, {}, {}
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers["content-length"]):
        body += connection.recv(65536)
    return int(first.split()[1]), headers, json.loads(body)


def hung_up_within(connection: socket.socket, seconds: float) -> bool:
    connection.settimeout(seconds)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True


def test_answers_on_a_kept_connection_are_not_held_back(serve):
    with connect(serve(app_that_waits([]))) as connection:
        took = []
        for _ in range(10):
            started = time.monotonic()
            connection.sendall(HEALTH)
            assert answer(connection)[0] == 200
            took.append(time.monotonic() - started)
    assert sorted(took)[5] < 0.03  # Nagle's algorithm and a delayed acknowledgement make it 0.04


def test_listener_names_its_protocol_so_that_asyncio_sets_nodelay():
    from shared.web.serve import _listen

    with _listen("127.0.0.1", 0, "test", "PORT") as listener:
        assert listener.proto == socket.IPPROTO_TCP


@pytest.mark.parametrize("sent", [b"", b"GET /heal", b"GET /healthz HTTP/1.1\r\nHost: t\r\nX-"])
def test_connection_without_a_whole_head_is_ended_in_time(serve, sent):
    with connect(serve(app_that_waits([]), head_timeout_s=0.3)) as connection:
        connection.sendall(sent)
        status, headers, problem = answer(connection)
        if sent:
            assert (status, headers["content-type"]) == (408, "application/problem+json")
            assert problem["type"] == "urn:chexretriever:request-timeout"
        assert hung_up_within(connection, 1)


def test_slow_head_on_a_kept_connection_is_ended_in_time(serve):
    with connect(serve(app_that_waits([]), head_timeout_s=0.3)) as connection:
        connection.sendall(HEALTH)
        assert answer(connection)[0] == 200
        connection.sendall(b"GET /")
        assert answer(connection)[0] == 408


def test_head_that_trickles_in_is_ended_all_the_same(serve):
    with connect(serve(app_that_waits([]), head_timeout_s=0.5)) as connection:
        started = time.monotonic()
        with pytest.raises(OSError):  # noqa: PT012 - broken pipe or reset, at whichever byte it happens
            for _ in range(100):
                connection.sendall(b"G" if not _ else b"E")
                time.sleep(0.05)
        assert time.monotonic() - started < 2


def test_endless_head_is_a_431(serve):
    with connect(serve(app_that_waits([]))) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        for number in range(3000):
            try:
                connection.sendall(b"X-%d: %s\r\n" % (number, b"y" * 60))
            except OSError:
                break
            time.sleep(0 if number % 100 else 0.002)
        try:
            assert answer(connection)[0] == 431
        except ConnectionResetError:  # it went on sending after the answer
            assert number < 2999


@pytest.mark.parametrize(
    "head",
    [
        b"POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /count HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        b"POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\nContent-Length: 36\r\n\r\n",
        b"POST /count HTTP/1.1\r\nHost: t\r\nContent-Length : 0\r\n\r\n",
        b"POST /count HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"POST /count HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_request_whose_end_is_in_doubt_is_one_400_and_the_end_of_the_connection(serve, head):
    with connect(serve(app_that_waits([]))) as connection:
        connection.sendall(head + HEALTH)
        status, headers, problem = answer(connection)
        assert (status, problem["status"]) == (400, 400)
        assert headers["content-type"] == "application/problem+json"
        assert headers["connection"] == "close"
        assert hung_up_within(connection, 1)


def test_callers_beyond_the_limit_are_told_so_and_health_is_answered(serve):
    port = serve(app_that_waits([]), most=3, reserved=2)
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(connect(port)).sendall(b"")
        time.sleep(0.1)
        fourth, fifth, sixth = (stack.enter_context(connect(port)) for _ in range(3))
        fourth.sendall(b"GET /work?seconds=0 HTTP/1.1\r\nHost: t\r\n\r\n")
        status, headers, problem = answer(fourth)
        assert (status, problem["type"]) == (503, "urn:chexretriever:unavailable")
        assert int(headers["retry-after"]) >= 1
        assert hung_up_within(fourth, 1)
        fifth.sendall(HEALTH)
        assert answer(fifth)[0] == 200
        del sixth
    with connect(port) as later:
        time.sleep(0.1)
        later.sendall(b"GET /work?seconds=0 HTTP/1.1\r\nHost: t\r\n\r\n")
        assert answer(later)[0] == 200


def test_work_for_a_caller_that_has_gone_is_cancelled(serve):
    ended: list[str] = []
    with connect(serve(app_that_waits(ended))) as connection:
        connection.sendall(b"GET /work?seconds=5 HTTP/1.1\r\nHost: t\r\n\r\n")
        time.sleep(0.2)
    deadline = time.monotonic() + 2
    while not ended and time.monotonic() < deadline:
        time.sleep(0.01)
    assert ended == ["cancelled"]


def test_half_sent_body_is_a_408_at_the_deadline_of_the_request(serve):
    with connect(serve(app_that_waits([], time_limit_s=0.3))) as connection:
        connection.sendall(b"POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nhalf")
        started = time.monotonic()
        status, headers, problem = answer(connection)
        assert time.monotonic() - started < 2
        assert (status, problem["type"]) == (408, "urn:chexretriever:request-timeout")
        assert headers["connection"] == "close"


def test_body_that_trickles_in_is_a_408_at_the_deadline_of_the_request(serve):
    with connect(serve(app_that_waits([], time_limit_s=0.5))) as connection:
        connection.sendall(b"POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(6):
            connection.sendall(b"x")
            time.sleep(0.1)
        assert answer(connection)[0] == 408


def test_body_of_which_nothing_comes_is_not_awaited_to_a_distant_deadline(serve, monkeypatch):
    monkeypatch.setattr("shared.web.time_limit.BODY_IDLE_S", 0.3)
    with connect(serve(app_that_waits([], time_limit_s=60))) as connection:
        connection.sendall(b"POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nhalf")
        assert answer(connection)[0] == 408


def test_answer_that_takes_too_long_is_a_504(serve):
    ended: list[str] = []
    with connect(serve(app_that_waits(ended, time_limit_s=0.2))) as connection:
        connection.sendall(b"GET /work?seconds=5 HTTP/1.1\r\nHost: t\r\n\r\n")
        status, _headers, problem = answer(connection)
        assert (status, problem["type"]) == (504, "urn:chexretriever:deadline-exceeded")
        assert ended == ["cancelled"]
        connection.sendall(HEALTH)  # the connection is as good as before
        assert answer(connection)[0] == 200


def test_deadline_that_the_caller_hands_on_counts_where_it_is_earlier(serve):
    port = serve(app_that_waits([], time_limit_s=60))
    with connect(port) as connection:
        connection.sendall(b"GET /work?seconds=5 HTTP/1.1\r\nHost: t\r\nX-Request-Deadline: 100\r\n\r\n")
        assert answer(connection)[0] == 504
        connection.sendall(b"GET /work?seconds=0 HTTP/1.1\r\nHost: t\r\nX-Request-Deadline: soon\r\n\r\n")
        assert answer(connection)[0] == 200


def test_caller_that_takes_nothing_of_its_answer_is_hung_up_on(serve):
    with connect(serve(app_that_waits([]), read_timeout_s=0.5)) as connection:
        connection.sendall(b"GET /long HTTP/1.1\r\nHost: t\r\n\r\n")
        time.sleep(1.2)
        taken = 0
        connection.settimeout(5)
        with pytest.raises(ConnectionResetError):  # noqa: PT012
            while part := connection.recv(2**20):
                taken += len(part)
            raise ConnectionResetError  # an orderly end before the answer's
        assert taken < 50_000_000


def test_rest_of_a_refused_body_is_not_awaited_for_ever(serve):
    with connect(serve(app_that_waits([]), head_timeout_s=0.4)) as connection:
        connection.sendall(b"POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 9000000\r\n\r\nx")
        assert answer(connection)[0] == 413
        started = time.monotonic()
        with pytest.raises(OSError):  # noqa: PT012 - it trickles on until it is cut off
            for _ in range(50):
                connection.sendall(b"x")
                time.sleep(0.1)
        assert time.monotonic() - started < 3


def test_connection_lives_on_after_a_refused_body_was_sent_to_its_end(serve):
    with connect(serve(app_that_waits([]), head_timeout_s=0.5)) as connection:
        connection.sendall(b"POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 2_000_000)
        assert answer(connection)[0] == 413
        connection.sendall(HEALTH)
        assert answer(connection)[0] == 200


def test_pipelined_requests_are_answered_in_order(serve):
    with connect(serve(app_that_waits([]))) as connection:
        connection.sendall(HEALTH * 3 + b"GET /nowhere HTTP/1.1\r\nHost: t\r\n\r\n")
        data = b""
        while data.count(b"HTTP/1.1 ") < 4:
            data += connection.recv(65536)
        assert data.count(b"HTTP/1.1 200") == 3
        assert data.rindex(b"HTTP/1.1 404") > data.rindex(b"HTTP/1.1 200")


WEBSOCKET = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n"
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"


@pytest.mark.parametrize("offer", [WEBSOCKET, H2C])
@pytest.mark.parametrize("split", [None, 40, -2])
def test_offer_to_speak_something_else_is_passed_over_and_the_body_is_read(serve, offer, split):
    request = b"POST /count HTTP/1.1\r\nHost: t\r\n" + offer + b"Content-Length: 5\r\n\r\nhello"
    with connect(serve(app_that_waits([]))) as connection:
        for part in (request[:split], request[split:] if split else b""):
            connection.sendall(part)
            time.sleep(0.05)
        status, _headers, body = answer(connection)
        assert (status, body) == (200, 5)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: t\r\n" + offer + b"\r\n" + HEALTH)
        data = b""
        while data.count(b'{"status":"alive"}') < 2:  # that request's, and that behind it
            data += connection.recv(65536)


def test_connection_that_only_offers_something_else_is_ended_in_time(serve):
    with connect(serve(app_that_waits([]), head_timeout_s=0.3)) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: t\r\n" + WEBSOCKET)
        assert answer(connection)[0] == 408


def test_blank_lines_keep_no_connection(serve):
    with connect(serve(app_that_waits([]), head_timeout_s=0.5)) as connection:
        connection.sendall(HEALTH)
        assert answer(connection)[0] == 200
        started = time.monotonic()
        with pytest.raises(OSError):  # noqa: PT012 - broken pipe or reset, at whichever it happens
            for _ in range(100):
                connection.sendall(b"\r\n")
                time.sleep(0.05)
        assert time.monotonic() - started < 2


@pytest.mark.parametrize("line", [b"A: b\r\n" * 1000, b"a" * 6000])
def test_endless_trailers_are_cut_off(serve, line):
    with connect(serve(app_that_waits([]))) as connection:
        connection.sendall(b"POST /count HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n")
        sent = 0
        with pytest.raises(OSError):  # noqa: PT012
            while sent < 50_000_000:
                connection.sendall(line)
                sent += len(line)
        assert sent < 10_000_000  # what the sockets hold of it


def test_trailers_do_not_become_headers(serve):
    with connect(serve(app_that_waits([]))) as connection:
        connection.sendall(b"POST /count HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.sendall(b"2\r\nok\r\n0\r\nX-Request-ID: late\r\n\r\n")
        status, headers, body = answer(connection)
        assert (status, body) == (200, 2)
        assert headers["x-request-id"] != "late"


def test_long_head_in_one_piece_is_a_431(serve):
    with connect(serve(app_that_waits([]))) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: t\r\nX-Long: " + b"y" * 98_000 + b"\r\n\r\n")
        status, headers, problem = answer(connection)
        assert status == 431
        assert problem["request_id"] == headers["x-request-id"]


def test_garbage_behind_a_request_does_not_take_its_answer(serve):
    ended: list[str] = []
    with connect(serve(app_that_waits(ended))) as connection:
        connection.sendall(b"GET /work?seconds=0.3 HTTP/1.1\r\nHost: t\r\n\r\n" + b"\0garbage\r\n\r\n")
        assert answer(connection)[0] == 200
        assert hung_up_within(connection, 1)
    assert ended == ["done"]


def test_broken_body_is_a_400_and_ends_the_work(serve):
    with connect(serve(app_that_waits([]))) as connection:
        connection.sendall(b"POST /count HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nxyz\r\n")
        assert answer(connection)[0] == 400
        assert hung_up_within(connection, 1)


def test_silent_connections_make_room_for_those_that_speak(serve, monkeypatch):
    monkeypatch.setattr("shared.web.connections._SILENT_S", 0.1)
    port = serve(app_that_waits([]), most=3, reserved=1)
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(connect(port))
        time.sleep(0.3)
        for _ in range(3):
            speaking = stack.enter_context(connect(port))
            speaking.sendall(b"GET /work?seconds=0 HTTP/1.1\r\nHost: t\r\n\r\n")
            assert answer(speaking)[0] == 200


def test_request_behind_an_early_answer_is_not_cut_off(serve):
    with connect(serve(app_that_waits([]))) as connection:
        connection.sendall(b"POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 2000000\r\n\r\nx")
        assert answer(connection)[0] == 413
        rest = b"x" * 1_999_999
        connection.sendall(rest + b"GET /work?seconds=6 HTTP/1.1\r\nHost: t\r\n\r\n")  # longer than idle ones live
        assert answer(connection)[0] == 200


def test_answer_that_is_not_taken_by_the_deadline_ends_the_connection_without_a_word(serve, capfd):
    with connect(serve(app_that_waits([], time_limit_s=0.3))) as connection:
        connection.sendall(b"GET /long HTTP/1.1\r\nHost: t\r\n\r\n" * 3)
        time.sleep(1)
        connection.settimeout(5)
        with pytest.raises(ConnectionResetError):  # noqa: PT012
            while connection.recv(2**20):
                pass
            raise ConnectionResetError  # an orderly end before the answers'
    said = capfd.readouterr()
    assert "unhandled_error" not in said.out + said.err
    assert "without" not in said.err
