"""An app without a line of sign-in code: it shows who is calling, as the gateway's headers say."""

from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class App(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        told = [
            f"<dt>{escape(name)}<dd>{escape(value)}"
            for name, value in self.headers.items()
            if name.lower().startswith("x-superoffice-")
        ]
        page = f"<!doctype html><title>App</title><h1>{escape(self.path)}</h1><dl>{''.join(told)}</dl>"
        page += '<a href="/auth/sign_out">Sign out</a>\n'
        body = page.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", 3000), App).serve_forever()
