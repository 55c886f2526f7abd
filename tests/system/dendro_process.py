"""Starts the real binary for a test: free port, temporary data folder, waits for the line `ready`."""
import http.client
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("DENDRO_BINARY", str(ROOT / "build/dev/dendro"))
CORPORA = ROOT.parent / "shared" / "data" / "corpora"


def run(*args, input_bytes=None, env=None, timeout=120, cwd=None):
    """Runs `dendro ARGS`; gives exit code, stdout and stderr as text."""
    full = {k: v for k, v in os.environ.items() if not k.startswith("DENDRO_")}
    full.update(env or {})
    done = subprocess.run([BINARY, *map(str, args)], input=input_bytes if input_bytes is not None else b"", capture_output=True,
                          env=full, timeout=timeout, cwd=cwd)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


class Server:
    """`dendro serve` on a free port. As a context manager it stops with SIGTERM and demands exit code 0."""

    def __init__(self, *args, listen=("127.0.0.1:0",), data=None, env=None):
        self.own_folder = data is None
        self.data = data or tempfile.mkdtemp(prefix="dendro-test-")
        command = [BINARY, "serve", "--data", str(self.data)]
        for spec in listen:
            command += ["--listen", spec]
        full = {k: v for k, v in os.environ.items() if not k.startswith("DENDRO_")}
        full.update(env or {})
        self.process = subprocess.Popen([*command, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=full)
        self.addresses = []
        self.log = []
        self.drain = threading.Thread(target=self._read_log, daemon=True)
        self.drain.start()
        for line in self.process.stdout:
            text = line.decode().strip()
            if text.startswith("listening on "):  # "listening on 127.0.0.1:41234 (platform, tls)"
                self.addresses.append(text.split()[2])
            if text == "ready":
                break
        else:
            self.process.wait()
            self.drain.join()
            raise RuntimeError(f"the server did not start, exit {self.process.returncode}: {''.join(self.log)}")
        self.host, port = self.addresses[0].rsplit(":", 1)
        self.port = int(port)
        self.url = f"http://{self.addresses[0]}"

    def _read_log(self):
        for line in self.process.stderr:
            self.log.append(line.decode(errors="replace"))

    def connect(self, index=0, timeout=60):
        host, port = self.addresses[index].rsplit(":", 1)
        return http.client.HTTPConnection(host.strip("[]"), int(port), timeout=timeout)

    def request(self, method, path, body=None, headers=None, index=0):
        """One exchange: (status, headers in lower case, body bytes)."""
        connection = self.connect(index)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            reply = connection.getresponse()
            return reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read()
        finally:
            connection.close()

    def ingest(self, records, **headers):
        body = "".join(json.dumps(r) + "\n" for r in records)
        status, _, reply = self.request("POST", "/api/v1/ingest", body.encode(), headers)
        return status, json.loads(reply)

    def query(self, query, **params):
        """Rows and the final status line of one query."""
        status, _, reply = self.request("GET", "/api/v1/query?" + urlencode({"query": query, **params}))
        lines = [json.loads(line) for line in reply.decode().splitlines()]
        if status != 200:
            raise AssertionError(f"query {query!r} answered {status}: {reply.decode()}")
        rows = [line for line in lines if not (set(line) & {"_meta", "_progress", "_status"} and len(line) == 1)]
        return rows, lines[-1]["_status"]

    def count(self, query):
        rows, status = self.query(query + " | stats count() as n")
        assert status["complete"], status
        return rows[0]["n"]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.drain.join()
        self.process.stdout.close()
        self.process.stderr.close()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        self.drain.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        code = self.stop()
        if self.own_folder:
            shutil.rmtree(self.data, ignore_errors=True)
        if kind is None and code != 0:
            raise AssertionError(f"the server ended with {code}: {''.join(self.log)}")
