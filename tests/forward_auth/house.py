"""The gateway, an emulated SuperID, an app that keeps notes and one proxy, all on loopback."""

import base64
import contextlib
import http.server
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading
import time

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "forward-auth"
PATIENCE = 20

GATEWAY = """
[listener.web]
address = "127.0.0.1:{pages}"
[listener.checks]
address = "127.0.0.1:{checks}"
forward_auth = {{ proxies = ["127.0.0.1"] }}
[listener.nginx]
address = "127.0.0.1:{nginx_checks}"
forward_auth = {{ proxies = ["127.0.0.1"], sign_in = "unauthorized" }}
[forwarded]
trusted_proxies = ["127.0.0.1"]
[host.main]
origin = "http://localhost:{front}"
[environment.emulated]
issuer = "{superid}"
authorize_url = "{superid}/login/common/oauth/authorize"
tenant_authorize_url = "{superid}/login/{{ctx}}/oauth/authorize"
token_url = "{superid}/login/common/oauth/tokens"
jwks_url = "{superid}/login/.well-known/jwks"
logout_url = "{superid}/login/logout"
legacy_login_url = "{superid}/login/"
addresses = ["{superid}"]
[relying_party.main]
environment = "emulated"
client_id = "demo-app"
client_secret = {{ value = "demo-secret" }}
[route.app]
upstream = "checked"
[route.administration]
path = "/administration"
upstream = "checked"
administrator = true
[route.public]
path = "/public"
upstream = "checked"
access = "public"
[session]
keys = [{{ value = "{key}" }}]
idle = "1m"
[admin]
address = "127.0.0.1:{admin}"
"""


def free_ports(count):
    """Ports that nobody has at this moment."""
    open_ones = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in open_ones]
    for one in open_ones:
        one.close()
    return ports


def until(what, holds):
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise SystemExit(f"in vain: {what}")
        time.sleep(0.05)


def listens(port):
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    return False


class App(http.server.ThreadingHTTPServer):
    """Tells what it was asked, and remembers it."""

    def __init__(self):
        self.heard = []
        super().__init__(("127.0.0.1", 0), Notes)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        """A proxy that closes a connection is no trouble."""


class Notes(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        headers = [(name.lower(), value) for name, value in self.headers.items()]
        note = {"method": self.command, "path": self.path, "headers": headers, "body": body}
        self.server.heard.append(note)
        told = json.dumps(note).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        self.send_header("Set-Cookie", "theme=dark; Path=/")
        self.end_headers()
        self.wfile.write(told)

    do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer

    def log_message(self, *_):
        pass


class House:
    """All of it, until left."""

    def __init__(self, proxy, gateway, scratch):
        self.proxy, self.binary, self.scratch = proxy, gateway, pathlib.Path(scratch)
        self.processes = {}

    def __enter__(self):
        try:
            self.build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self.processes.values():
            process.kill()
            process.wait()

    def build(self):
        names = ["front", "pages", "checks", "nginx_checks", "admin", "superid_port"]
        ports = dict(zip(names, free_ports(len(names))))
        self.front, self.pages, self.checks = ports["front"], ports["pages"], ports["checks"]
        self.app = App()
        self.superid = f"http://127.0.0.1:{ports['superid_port']}"
        self.start("superid", [self.binary, "emulator", "--port", str(ports["superid_port"])])
        until("the emulated SuperID", lambda: listens(ports["superid_port"]))
        key = base64.b64encode(os.urandom(32)).decode()
        text = GATEWAY.format(superid=self.superid, key=key, **ports)
        (self.scratch / "gateway.toml").write_text(text)
        self.start("gateway", [self.binary, "run", "--config", str(self.scratch / "gateway.toml")])
        until("the gateway", lambda: listens(ports["pages"]) and listens(ports["checks"]))
        self.start(self.proxy, getattr(self, self.proxy)(ports))
        until(self.proxy, lambda: listens(self.front))

    def start(self, name, command):
        log = open(self.scratch / f"{name}.log", "wb")
        self.processes[name] = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.scratch
        )

    def stop(self, name):
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def example(self, name, ports, *changes):
        """A file as it is shipped, with other names and ports; each change has to find its place."""
        text = (EXAMPLES / name).read_text()
        app = self.app.server_address[1]
        common = [(":8443", f":{ports['front']}"), (":3000", f":{app}"), (":8080", f":{ports['pages']}")]
        for old, new in [*changes, *common]:
            if name.endswith(".lua") and (old, new) in common:
                continue
            if old not in text:
                raise SystemExit(f"{name} has no {old!r}")
            text = text.replace(old, new)
        (self.scratch / name).write_text(text)
        return str(self.scratch / name)

    def nginx(self, ports):
        public = f"localhost:{ports['front']}"
        path = self.example(
            "nginx.conf",
            ports,
            ("server_name app.example", "server_name localhost"),
            ("X-Forwarded-Proto https", "X-Forwarded-Proto http"),
            ("app.example", public),
            (":8082", f":{ports['nginx_checks']}"),
        )
        return ["nginx", "-p", str(self.scratch), "-c", path, "-g", "daemon off;"]

    def haproxy(self, ports):
        public = f"localhost:{ports['front']}"
        self.example("superid-check.lua", ports, (":8081", f":{ports['checks']}"))
        path = self.example(
            "haproxy.cfg", ports, ("app.example", public), ("X-Forwarded-Proto https", "X-Forwarded-Proto http")
        )
        return ["haproxy", "-db", "-f", path]

    def caddy(self, ports):
        path = self.example(
            "Caddyfile",
            ports,
            ("http://app.example:8443", "http://localhost:8443"),
            ("X-Forwarded-Proto https", "X-Forwarded-Proto http"),
            (":8081", f":{ports['checks']}"),
        )
        os.environ["HOME"] = str(self.scratch)
        return ["caddy", "run", "--config", path, "--adapter", "caddyfile"]


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def all(self, name):
        return [value for known, value in self.headers if known == name]

    def header(self, name):
        return (self.all(name) or [""])[0]

    def json(self):
        return json.loads(self.body)


class Client:
    """Sends messages by the byte, and keeps cookies as one browser does."""

    def __init__(self, house):
        self.house, self.cookies = house, {}

    def ask(self, target, headers="", method="GET", port=None, host=None, body=""):
        port = port or self.house.front
        host = host or f"localhost:{port}"
        pairs = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        cookie = f"Cookie: {pairs}\r\n" if pairs else ""
        head = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{cookie}{headers}"
        if body:
            head += f"Content-Length: {len(body)}\r\n"
        if "connection:" not in headers.lower():
            head += "Connection: close\r\n"
        answer = exchanged(port, f"{head}\r\n{body}".encode("latin-1"))
        for line in answer.all("set-cookie"):
            name, _, value = line.split(";")[0].partition("=")
            if re.search(r"max-age=0", line, re.I):
                self.cookies.pop(name.strip(), None)
            else:
                self.cookies[name.strip()] = value
        return answer

    def visit(self, target, headers=""):
        return self.ask(target, NAVIGATION + headers)

    def sign_in(self, target, person):
        """From an address of the app to where its sign-in leads, step by step."""
        answer = self.visit(target)
        elsewhere = Client(self.house)
        for _ in range(12):
            location = answer.header("location")
            if location.startswith(self.house.superid):
                superid = int(self.house.superid.rsplit(":", 1)[1])
                path = location[len(self.house.superid):]
                page = elsewhere.ask(path, NAVIGATION, port=superid)
                found = re.search(r'name="request" value="([^"]*)"', page.body)
                if not found:
                    raise SystemExit(f"no sign-in page at {location}: {page.status} {page.body[:300]}")
                form = f"request={found.group(1)}&person={person.replace('@', '%40')}"
                kind = "Content-Type: application/x-www-form-urlencoded\r\n"
                answer = elsewhere.ask("/login/sign-in", NAVIGATION + kind, "POST", superid, None, form)
            elif answer.status in (302, 303):
                path = re.sub(r"^http://localhost:\d+", "", location)
                answer = self.visit(path)
            else:
                return answer
        raise SystemExit("redirected for ever")


NAVIGATION = (
    "Accept: text/html,*/*;q=0.8\r\nSec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-Dest: document\r\n"
)


def exchanged(port, message):
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as stream:
        stream.settimeout(PATIENCE)
        stream.sendall(message)
        reply = stream.makefile("rb")
        first = reply.readline().decode("latin-1")
        if not first:
            return Answer(0, [], "")
        headers = []
        while (line := reply.readline().decode("latin-1").rstrip("\r\n")) != "":
            name, _, value = line.partition(":")
            headers.append((name.lower(), value.strip()))
        answer = Answer(int(first.split()[1]), headers, "")
        if answer.header("transfer-encoding") == "chunked":
            body = b""
            while (size := int(reply.readline().split(b";")[0] or b"0", 16)) > 0:
                body += reply.read(size)
                reply.readline()
        elif answer.header("content-length"):
            body = reply.read(int(answer.header("content-length")))
        else:
            body = b"" if answer.status in (101, 204, 304) else reply.read()
        answer.body = body.decode("utf-8", "replace")
        return answer


def fail(what):
    sys.exit(f"not as promised: {what}")
