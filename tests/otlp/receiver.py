"""Starts a collector and a gateway that is told of it, sends requests, and looks at the spans.

    receiver.py PROGRAM PROTOCOL FOLDER
"""

import http.server
import pathlib
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from concurrent import futures

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as service_grpc

EVERY_SPAN = 4
REQUESTS = 20
arrived = queue.Queue()


class OverHttp(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = service.ExportTraceServiceRequest.FromString(body)
        arrived.put((self.path, self.headers.get("api-key"), request))
        answer = service.ExportTraceServiceResponse().SerializeToString()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class OverGrpc(service_grpc.TraceServiceServicer):
    def Export(self, request, context):
        metadata = dict(context.invocation_metadata())
        arrived.put(("grpc", metadata.get("api-key"), request))
        return service.ExportTraceServiceResponse()


class App(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    told = []

    def do_GET(self):
        self.told.append(self.headers.get("traceparent"))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def serve(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def collector(protocol):
    if protocol == "http":
        return serve(OverHttp)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    service_grpc.add_TraceServiceServicer_to_server(OverGrpc(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    collector.kept = server
    return port


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def configuration(folder, protocol, port, collector_port, app_port):
    path = pathlib.Path(folder) / f"{protocol}.toml"
    path.write_text(
        f"""
[listener.web]
address = "127.0.0.1:{port}"
[host.main]
origin = "http://localhost:{port}"
[route.app]
upstream = "http://127.0.0.1:{app_port}"
access = "public"
[session]
keys = [{{ value = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }}]
[admin]
enabled = false
[log]
access_fields = ["path", "trace_id"]
[traces]
endpoint = "http://127.0.0.1:{collector_port}"
protocol = "{protocol}"
headers = {{ api-key = {{ value = "the-collectors-key" }} }}
"""
    )
    return path


def ask(port):
    for _ in range(200):
        try:
            urllib.request.urlopen(f"http://localhost:{port}/orders?password=hunter2").read()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the gateway does not answer")


def received(wanted):
    spans, resources = [], []
    while len(spans) < wanted:
        where, key, request = arrived.get(timeout=20)
        assert where in ("/v1/traces", "grpc"), where
        assert key == "the-collectors-key", key
        for resourced in request.resource_spans:
            resources.append({pair.key: pair.value for pair in resourced.resource.attributes})
            for scoped in resourced.scope_spans:
                assert scoped.scope.name == "superid-gateway"
                spans.extend(scoped.spans)
    return spans, resources


def check(spans, resources, told):
    assert all(one["service.name"].string_value == "superid-gateway" for one in resources)
    requests = [span for span in spans if span.name == "GET app"]
    assert len(requests) == REQUESTS, len(requests)
    for request in requests:
        parts = {span.name: span for span in spans if span.parent_span_id == request.span_id}
        assert set(parts) == {"admission", "authentication", "upstream"}, parts
        attributes = {pair.key: pair.value for pair in request.attributes}
        assert attributes["url.path"].string_value == "/orders"
        assert attributes["http.response.status_code"].int_value == 200
        assert request.kind == 2 and parts["upstream"].kind == 3
        for part in parts.values():
            assert part.trace_id == request.trace_id
            assert request.start_time_unix_nano <= part.start_time_unix_nano
            assert part.end_time_unix_nano <= request.end_time_unix_nano
        parent = f"00-{request.trace_id.hex()}-{parts['upstream'].span_id.hex()}-01"
        assert parent in told, parent
    assert not any("hunter2" in str(span) for span in spans)


def main(program, protocol, folder):
    port, app_port, collector_port = free_port(), serve(App), collector(protocol)
    path = configuration(folder, protocol, port, collector_port, app_port)
    run = subprocess.Popen([program, "run", "--config", path], stdout=subprocess.PIPE, text=True)
    try:
        for _ in range(REQUESTS):
            ask(port)
        spans, resources = received(EVERY_SPAN * REQUESTS)
    finally:
        run.send_signal(signal.SIGTERM)
        log, _ = run.communicate(timeout=20)
    check(spans, resources, App.told)
    traces = {span.trace_id.hex() for span in spans}
    assert sum(f'"trace_id":"{trace}"' in log for trace in traces) == REQUESTS, log
    assert "the-collectors-key" not in log
    print(f"{protocol}: {len(spans)} spans of {REQUESTS} requests, as OpenTelemetry reads them")


if __name__ == "__main__":
    main(*sys.argv[1:])
