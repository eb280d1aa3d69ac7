"""Walks one proxy with the gateway behind it: walk.py PROXY GATEWAY SCRATCH."""

import json
import sys
import time

from house import NAVIGATION, Client, House, fail

ADMINISTRATOR = "astrid.berg@nordlys.example"
PERSON = "jonas.lie@nordlys.example"
JSON = "Accept: application/json\r\n"
# Every way to say who is calling, or what was asked, that a client may try.
FORGED = [
    "X-SuperOffice-User: forged",
    "x-superoffice-email: forged",
    "X_SuperOffice_User: forged",
    "X-SuperOffice_User: forged",
    "XSuperOfficeUser: forged",
    "X-Superoffice-Anything: forged",
    "SOTicket: forged",
    "SO_Ticket: forged",
    "SO-Ticket: forged",
    "Authorization: Bearer forged",
    "X-Original-URL: /public/forged",
    "X-Rewrite-URL: /public/forged",
    "X-HTTP-Method-Override: forged",
    "Connection: X-SuperOffice-User, close\r\nX-SuperOffice-User: forged",
    "X-SuperOffice-User: forged\r\nX-SuperOffice-User: forged",
]
ASKED = [
    "X-Forwarded-Uri: /public/forged",
    "X_Forwarded_Uri: /public/forged",
    "X-Forwarded-Method: OPTIONS",
    "X-Forwarded-Host: forged",
    "X-Forwarded-Uri: /public/a\r\nX-Forwarded-Uri: /public/b",
    "Connection: X-Forwarded-Uri, close\r\nX-Forwarded-Uri: /public/forged",
    "Connection: X-Forwarded-Host, close",
    "X-Original-URL: /public/forged",
    "X-Original-Method: OPTIONS",
    "X-Forwarded-For: 127.0.0.1",
]
# Addresses that somebody between here and the app might read as another one.
ODD = [
    "/public/../orders", "/public/%2e%2e/orders", "/public/..%2forders", "/public/.%2e/orders",
    "//orders", "/public//../orders", "/public;/../orders", "/public/..;/orders", "/public\\..\\orders",
    "/public%2f..%2forders", "/public/%252e%252e/orders", "/orders#/public", "/orders%23/public",
    "/orders%00/public", "/public/%5c../orders", "/%6frders", "/auth/../orders", "/auth/%2e%2e/orders",
    "/AUTH/../orders", "/auth%2f..%2forders", "/auth/..%2forders", "/auth//../orders", "/_check",
    "http://localhost/orders", "http://public/orders", "*",
]


def main(proxy, gateway, scratch):
    with House(proxy, gateway, scratch) as house:
        for step in STEPS:
            house.app.heard.clear()
            step(house)
            print(f"{proxy}: {step.__name__.replace('_', ' ')}", flush=True)


def same(what, found, wanted):
    if found != wanted:
        fail(f"{what}: {found!r}, not {wanted!r}")


def signed_in(house, person=PERSON):
    client = Client(house)
    answer = client.sign_in("/orders?id=7&b=2", person)
    same("where the sign-in led", (answer.status, answer.json().get("path")), (200, "/orders?id=7&b=2"))
    return client


def told(answer, name):
    return [value for known, value in answer.json()["headers"] if known == name]


def only_public(house, after):
    """Nothing that wants a sign-in, and nothing forged, has come to the app."""
    for note in house.app.heard:
        path = note["path"].split("?")[0]
        plain = path.startswith("/public/") and ".." not in path and "%" not in path
        if not (plain or path == "/public") or "forged" in json.dumps(note["headers"]):
            fail(f"after {after!r} the app heard {note}")


def a_browser_signs_in_and_comes_back_to_where_it_was_going(house):
    client = Client(house)
    answer = client.visit("/orders?id=7&b=2")
    same("the answer to nobody", answer.status, 303)
    start = f"http://localhost:{house.front}/auth/start?rd=%2Forders%3Fid%3D7%26b%3D2"
    same("where nobody is sent", answer.header("location"), start)
    same("what the app heard of nobody", house.app.heard, [])
    answer = client.sign_in("/orders?id=7&b=2", PERSON)
    same("the way back", (answer.status, answer.json()["path"]), (200, "/orders?id=7&b=2"))
    same("who it is", told(answer, "x-superoffice-user"), [PERSON])
    same("of which tenant", told(answer, "x-superoffice-context"), ["Cust12345"])
    same("with a token", [value[:7] for value in told(answer, "authorization")], ["Bearer "])
    answer = client.visit("/orders")
    same("the cookies the app sees", told(answer, "cookie"), ["theme=dark"])
    same("the public host", told(answer, "host"), [f"localhost:{house.front}"])
    posted = client.ask("/orders", NAVIGATION, "POST", body="name=value")
    same("a post", (posted.status, posted.json()["method"], posted.json()["body"]), (200, "POST", "name=value"))


def a_program_is_told_where_to_sign_in(house):
    answer = Client(house).ask("/orders?id=7", JSON)
    same("the answer", (answer.status, answer.json()["error"]), (401, "sign_in_required"))
    start = f"http://localhost:{house.front}/auth/start?rd=%2Forders%3Fid%3D7"
    same("where to", answer.json()["sign_in"], start)
    same("whether it may be kept", answer.header("cache-control"), "no-store")
    for method in ["POST", "PUT", "DELETE", "OPTIONS"]:
        same(method, Client(house).ask("/orders", NAVIGATION, method).status, 401)
    same("what the app heard", house.app.heard, [])


def everybody_sees_what_is_public(house):
    answer = Client(house).ask("/public/style.css", JSON)
    same("the answer", (answer.status, told(answer, "x-superoffice-user")), (200, []))
    same("a token", [value for value in told(answer, "authorization") if value], [])


def no_forged_header_reaches_the_app(house):
    for forged in FORGED:
        for client in [Client(house), signed_in(house)]:
            house.app.heard.clear()
            for path in ["/public/a", "/orders"]:
                client.ask(path, f"{JSON}{forged}\r\n")
            if "forged" in json.dumps([note["headers"] for note in house.app.heard]):
                fail(f"{forged!r} reached the app: {house.app.heard}")


def nothing_a_client_says_makes_it_another_request(house):
    for said in ASKED + FORGED:
        for path in ["/orders", "/administration"]:
            answer = Client(house).ask(path, f"{JSON}{said}\r\n")
            if answer.status < 400:
                fail(f"{said!r} was answered with {answer.status}")
        same(f"what the app heard after {said!r}", house.app.heard, [])
    person = signed_in(house)
    house.app.heard.clear()
    for said in ASKED:
        answer = person.ask("/administration", f"{NAVIGATION}{said}\r\n")
        if answer.status < 400:
            fail(f"{said!r} let somebody in who is no administrator: {answer.status}")
    same("what the app heard", house.app.heard, [])


def no_odd_address_goes_round_the_question(house):
    for target in ODD:
        for headers in [JSON, NAVIGATION]:
            answer = Client(house).ask(target, headers)
            only_public(house, target)
            if answer.status == 200 and not house.app.heard:
                fail(f"{target} was answered with 200 by nobody")
        house.app.heard.clear()
    for host in ["evil.example", "localhost", f"localhost:{house.front}.evil.example", ""]:
        answer = Client(house).ask("/orders", JSON, host=host or " ")
        if answer.status == 200:
            fail(f"host {host!r} was answered with 200")
    same("what the app heard", house.app.heard, [])


def nobody_outside_can_ask(house):
    person = signed_in(house)
    mine = f"localhost:{house.front}"
    said = f"X-Forwarded-Method: GET\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: {mine}\r\nX-Forwarded-Uri: /orders\r\n"
    for path in ["/auth/check", "/auth/check/orders", "/_check"]:
        answer = person.ask(path, JSON + said)
        if answer.status == 200 and path != "/_check":
            fail(f"{path} was answered with 200")
        for name in ["x-superoffice-user", "authorization", "soticket"]:
            same(f"{name} of {path}", answer.all(name), [])


def who_is_not_allowed_is_told_so_and_not_sent_to_sign_in(house):
    answer = signed_in(house).visit("/administration")
    same("a person", (answer.status, answer.header("location")), (403, ""))
    same("an administrator", signed_in(house, ADMINISTRATOR).visit("/administration").status, 200)


def a_page_of_another_site_opens_no_websocket(house):
    person = signed_in(house)
    house.app.heard.clear()
    upgrade = (
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    )
    answer = person.ask("/events", f"{upgrade}Origin: https://evil.example\r\n")
    same("a foreign one", (answer.status, house.app.heard), (403, []))
    answer = person.ask("/events", f"{upgrade}Origin: http://localhost:{house.front}\r\n")
    same("one of our own", (answer.status, len(house.app.heard)), (200, 1))


def the_session_is_renewed(house):
    person = signed_in(house)
    before, end = dict(person.cookies), time.monotonic() + 20
    while person.cookies["superid-gateway"] == before["superid-gateway"]:
        if time.monotonic() > end:
            fail("a session in use was not written anew")
        answer = person.visit("/orders")
        same("in use", answer.status, 200)
        time.sleep(0.2)
    same("no cookie of no name", [line for line in answer.all("set-cookie") if not line], [])
    same("with the new one", person.visit("/orders").status, 200)


def signing_out_ends_it(house):
    person = signed_in(house)
    copy = Client(house)
    copy.cookies = dict(person.cookies)
    answer = person.visit("/auth/sign_out")
    same("signing out", answer.status, 303)
    house.app.heard.clear()
    same("a copied cookie", copy.visit("/orders").status, 303)
    same("what the app heard", house.app.heard, [])


def without_the_gateway_nothing_passes(house):
    person = signed_in(house)
    house.stop("gateway")
    house.app.heard.clear()
    for path in ["/orders", "/public/a", "/administration"]:
        for client in [person, Client(house)]:
            answer = client.visit(path)
            if not 500 <= answer.status < 600:
                fail(f"without a gateway {path} was answered with {answer.status}")
    same("what the app heard", house.app.heard, [])


STEPS = [
    a_browser_signs_in_and_comes_back_to_where_it_was_going,
    a_program_is_told_where_to_sign_in,
    everybody_sees_what_is_public,
    no_forged_header_reaches_the_app,
    nothing_a_client_says_makes_it_another_request,
    no_odd_address_goes_round_the_question,
    nobody_outside_can_ask,
    who_is_not_allowed_is_told_so_and_not_sent_to_sign_in,
    a_page_of_another_site_opens_no_websocket,
    the_session_is_renewed,
    signing_out_ends_it,
    without_the_gateway_nothing_passes,
]

if __name__ == "__main__":
    main(*sys.argv[1:])
