"""Something to download, served on 127.0.0.1."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Served:
    """Bytes at an address of this machine, and what was asked for there."""

    def __init__(self, content: bytes, path: str) -> None:
        self.content = content
        self.requests: list[str] = []
        served = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                served.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.address = f"http://127.0.0.1:{self._server.server_port}/{path}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Give out the bytes, whatever is asked for."""
        self.requests.append(request.path)
        request.send_response(200)
        request.end_headers()
        request.wfile.write(self.content)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
