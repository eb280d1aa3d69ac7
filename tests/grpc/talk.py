"""Starts an app of gRPC and a gateway before it, and talks to the one through the other.

    talk.py PROGRAM plain|tls FOLDER
"""

import pathlib
import queue
import signal
import socket
import subprocess
import sys
import time
from concurrent import futures

import grpc

ROUNDS = 50
LARGE = b"x" * (3 << 20)
FINE = ("shop-cost", "7"), ("shop-note-bin", b"\x00\xff")


class Shop(grpc.GenericRpcHandler):
    """Messages are bytes as they come: what they mean is nobody's business on the way."""

    seen = []

    def service(self, call):
        self.seen.append(dict(call.invocation_metadata))
        kinds = {
            "Echo": grpc.unary_unary_rpc_method_handler(self.echo),
            "Count": grpc.unary_stream_rpc_method_handler(self.count),
            "Sum": grpc.stream_unary_rpc_method_handler(self.sum),
            "Talk": grpc.stream_stream_rpc_method_handler(self.talk),
            "Fail": grpc.unary_unary_rpc_method_handler(self.fail),
            "Sleep": grpc.unary_unary_rpc_method_handler(self.sleep),
        }
        return kinds.get(call.method.rpartition("/")[2])

    def echo(self, message, context):
        context.send_initial_metadata((("shop-hello", "yes"),))
        context.set_trailing_metadata(FINE)
        return message

    def count(self, message, _):
        for number in range(int(message)):
            yield str(number).encode()

    def sum(self, messages, _):
        return str(sum(len(message) for message in messages)).encode()

    def talk(self, messages, _):
        for message in messages:
            yield b"you said " + message

    def fail(self, _, context):
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "nothing left – 100 % sold")

    def sleep(self, _, context):
        while context.is_active():
            time.sleep(0.01)
        self.seen.append("left")
        return b""


def app(to_app, folder):
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    server.add_generic_rpc_handlers((Shop(),))
    if to_app == "tls":
        pair = (folder / "key.pem").read_bytes(), (folder / "chain.pem").read_bytes()
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials((pair,)))
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def configuration(folder, to_app, port, inside, app_port):
    scheme, trust = {
        "plain": ("http", ""),
        "tls": ("https", 'ca = "chain.pem"\nserver_name = "localhost"'),
    }[to_app]
    path = folder / f"{to_app}.toml"
    path.write_text(
        f"""
[listener.web]
address = "127.0.0.1:{port}"
certificate = "chain.pem"
key = "key.pem"
[listener.inside]
address = "127.0.0.1:{inside}"
h2c = true
[host.main]
origin = "https://localhost:{port}"
[relying_party.main]
environment = "sod"
client_id = "nobody-signs-in-here"
client_secret = {{ value = "a secret" }}
[upstream.shop]
servers = ["{scheme}://127.0.0.1:{app_port}"]
protocol = "http/2"
{trust}
[route.open]
path = "/shop.Open"
upstream = "shop"
access = "public"
[route.gone]
path = "/shop.Gone"
upstream = "http://127.0.0.1:{free_port()}"
access = "public"
[route.guarded]
upstream = "shop"
[session]
keys = [{{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }}]
[admin]
enabled = false
[limits]
idle_timeout = "15s"
"""
    )
    return path


def refused(call, code, words):
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, (error.code(), error.details())
        assert words in error.details(), error.details()
        return
    raise AssertionError("the call was answered")


def unary(channel):
    echo = channel.unary_unary("/shop.Open/Echo")
    for message in [b"", b"hello", LARGE]:
        answer, call = echo.with_call(message, timeout=20, metadata=(("shop-who", "me"),))
        assert answer == message
        assert ("shop-hello", "yes") in call.initial_metadata()
        assert set(FINE) <= set(call.trailing_metadata()), call.trailing_metadata()
    assert Shop.seen[-1]["shop-who"] == "me", Shop.seen[-1]


def streams(channel):
    count = channel.unary_stream("/shop.Open/Count")
    assert [int(one) for one in count(b"2000", timeout=20)] == list(range(2000))
    total = channel.stream_unary("/shop.Open/Sum")
    assert int(total(iter([LARGE] * 4), timeout=60)) == 4 * len(LARGE)


def conversation(channel):
    """No side says the next word before it heard the last."""
    say = queue.Queue()
    heard = channel.stream_stream("/shop.Open/Talk")(iter(say.get, None), timeout=30)
    for round in range(ROUNDS):
        say.put(str(round).encode())
        assert next(heard) == f"you said {round}".encode()
    say.put(None)
    assert list(heard) == []


def flood(channel):
    """Both sides say more than every window on the way has room for."""
    heard = channel.stream_stream("/shop.Open/Talk")(iter([LARGE] * 8), timeout=60)
    assert [len(one) for one in heard] == [len(LARGE) + 9] * 8


def failures(channel):
    codes = grpc.StatusCode
    call = lambda path, **more: lambda: channel.unary_unary(path)(b"", **{"timeout": 20, **more})
    refused(call("/shop.Open/Fail"), codes.FAILED_PRECONDITION, "nothing left – 100 % sold")
    refused(call("/shop.Open/Nothing"), codes.UNIMPLEMENTED, "")
    refused(call("/shop.Guarded/Echo"), codes.UNAUTHENTICATED, "signed in")
    refused(call("/shop.Gone/Echo"), codes.UNAVAILABLE, "cannot be reached")
    refused(call("/shop.Open/Sleep", timeout=0.3), codes.DEADLINE_EXCEEDED, "")
    for _ in range(500):
        if Shop.seen[-1] == "left":
            return
        time.sleep(0.02)
    raise AssertionError("the app was not told that its client left")


def main(program, to_app, folder):
    folder = pathlib.Path(folder)
    server, app_port = app(to_app, folder)
    port, inside = free_port(), free_port()
    path = configuration(folder, to_app, port, inside, app_port)
    run = subprocess.Popen([program, "run", "--config", path], stdout=subprocess.DEVNULL)
    try:
        trusted = grpc.ssl_channel_credentials((folder / "chain.pem").read_bytes())
        with grpc.secure_channel(f"localhost:{port}", trusted) as channel:
            grpc.channel_ready_future(channel).result(timeout=30)
            for part in [unary, streams, conversation, flood, failures]:
                part(channel)
        named = [("grpc.default_authority", f"localhost:{port}")]
        with grpc.insecure_channel(f"127.0.0.1:{inside}", named) as channel:
            for part in [unary, conversation]:
                part(channel)
        assert not any("cookie" in seen for seen in Shop.seen)
    finally:
        run.send_signal(signal.SIGTERM)
        run.wait(timeout=30)
        server.stop(None)
    print(f"{to_app} to the app: unary, streams of either side and of both, refusals and deadlines")
    print("the same without TLS to the gateway: unary, and both sides word by word")


if __name__ == "__main__":
    main(*sys.argv[1:])
