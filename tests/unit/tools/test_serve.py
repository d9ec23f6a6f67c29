"""The site is served on this machine; a port that cannot be had is named, with what to type."""

import socket
import threading
import urllib.request
from http.server import ThreadingHTTPServer

import pytest

from tools import serve


def test_a_taken_port_is_one_sentence(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert serve.main(str(port)) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"cannot serve on port {port} (") and said.endswith("make serve PORT=8001\n")
    assert said.count("\n") == 1


@pytest.mark.parametrize("port", ["abc", "-1", "65536", "8.5"])
def test_what_is_no_port_is_one_sentence(capsys, port):
    assert serve.main(port) == 1 and capsys.readouterr().err.count("\n") == 1


def test_a_free_port_serves_the_folder_until_ctrl_c(tmp_path, monkeypatch):
    (tmp_path / "index.html").write_text("the site")
    loop, seen = ThreadingHTTPServer.serve_forever, []

    def visit(server):
        thread = threading.Thread(target=loop, args=(server, 0.01))
        thread.start()
        seen.append(urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/").read())
        server.shutdown()
        thread.join()
        raise KeyboardInterrupt

    monkeypatch.setattr(ThreadingHTTPServer, "serve_forever", visit)
    assert serve.main("0", site=tmp_path) == 0 and seen == [b"the site"]
