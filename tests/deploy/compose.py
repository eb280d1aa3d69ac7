"""Starts what deploy/compose/compose.yaml has, as it has it but for the engine, and signs in.

  compose.py PROGRAM

PROGRAM starts `superid-gateway` in the image's root file system, where the compose file's
configuration is /etc/superid-gateway/compose.toml. Ports 3000, 7400 and 8080 are free here.
"""

import http.cookiejar
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import yaml

PATIENCE = 20


def main(program):
    file = pathlib.Path("deploy/compose/compose.yaml")
    services = yaml.safe_load(file.read_text(encoding="utf-8"))["services"]
    command = {name: command_of(program, service) for name, service in services.items()}
    for _ in range(2):
        subprocess.run(command["keys"], check=True, timeout=PATIENCE, stdout=subprocess.DEVNULL)
    running = []
    try:
        for name, port in [("superid", 7400), ("app", 3000), ("gateway", 8080)]:
            running.append(subprocess.Popen(command[name], stdout=subprocess.DEVNULL))
            listens(port)
        page = signed_in()
        assert "astrid.berg@nordlys.example" in page and "x-superoffice-context" in page, page
        print("compose: signed in by SuperID, and the app knows who is calling")
    finally:
        for process in reversed(running):
            process.send_signal(signal.SIGTERM)
        codes = [process.wait(PATIENCE) for process in running]
    assert [codes[0], codes[2]] == [0, 0], codes


def command_of(program, service):
    command = [part.replace("/gateway.toml", "/compose.toml") for part in service["command"]]
    if service["image"] == "superid-gateway":
        return [program, *command]
    (source, _) = service["volumes"][0].split(":", 1)
    return [sys.executable, str(pathlib.Path("deploy/compose", source))]


def signed_in():
    jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    browser = urllib.request.build_opener(jar)
    browser.addheaders = [("Accept", "text/html")]
    page = browser.open("http://localhost:8080/orders/7", timeout=PATIENCE).read().decode()
    request = re.search(r'name="request" value="([^"]*)"', page)[1]
    form = {"request": request, "person": "astrid.berg@nordlys.example"}
    answer = browser.open(
        "http://127.0.0.1:7400/login/sign-in", urllib.parse.urlencode(form).encode(), PATIENCE
    )
    assert answer.url == "http://localhost:8080/orders/7", answer.url
    return answer.read().decode()


def listens(port):
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except ConnectionRefusedError:
            assert time.monotonic() < end, f"nobody listens on {port}"


main(sys.argv[1])
