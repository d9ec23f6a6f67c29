"""Serve the site on this machine alone: python -m tools.serve [PORT]."""

from __future__ import annotations

import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SITE = Path(__file__).resolve().parents[1] / "_build/html"


def main(port: str = "8000", *, site: Path = SITE) -> int:
    """Serve a folder until Ctrl+C.  Returns: exit status."""
    try:
        server = ThreadingHTTPServer(("127.0.0.1", int(port)), partial(SimpleHTTPRequestHandler, directory=str(site)))
    except (OSError, ValueError, OverflowError) as error:
        print(f"cannot serve on port {port} ({error}); name another one: make serve PORT=8001", file=sys.stderr)
        return 1
    with server:
        print(f"http://127.0.0.1:{server.server_port} (Ctrl+C ends it)", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
