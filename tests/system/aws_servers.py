"""What tests of AWS talk to: moto (one of its own, or the one that DENDRO_TEST_MOTO names) and a small S3 of ours.

moto comes from PyPI once, into a virtual environment below the user's cache folder; where that cannot be had, the tests
are skipped and say so.
"""
import fcntl
import http.client
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
import unittest
import urllib.parse
import uuid
from pathlib import Path

MOTO = "moto[server]==5.2.1"


def moto_python():
    """The interpreter of an environment that has moto and botocore; SkipTest where it cannot be made."""
    if os.environ.get("DENDRO_TEST_PYTHON"):
        return Path(os.environ["DENDRO_TEST_PYTHON"])
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dendro"
    folder = cache / "moto-5.2.1"
    python = folder / "bin" / "python"
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "moto.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            for command in ([sys.executable, "-m", "venv", str(folder)],
                            [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", MOTO]):
                done = subprocess.run(command, capture_output=True, text=True)
                if done.returncode != 0:
                    raise unittest.SkipTest(f"{MOTO} cannot be installed: {(done.stderr or done.stdout).strip()[-300:]}")
            (folder / "complete").touch()
    return python


class Moto:
    """One server. `request` talks to a service with a made-up signature, which moto does not check unless told to."""

    def __init__(self, own=False):
        self.process = None
        self.url = os.environ.get("DENDRO_TEST_MOTO", "")
        if own or not self.url:
            self._start()
        self.host = self.url.removeprefix("http://").rstrip("/")

    def _start(self):
        python = moto_python()
        for _ in range(5):
            port = free_port()
            self.url = f"http://127.0.0.1:{port}"
            self.host = f"127.0.0.1:{port}"
            self.process = subprocess.Popen([python, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
                                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                            env={**os.environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"})
            deadline = time.monotonic() + 90
            while time.monotonic() < deadline and self.process.poll() is None:
                try:
                    if self.raw("GET", "/moto-api/")[0] == 200:
                        return
                except OSError:
                    time.sleep(0.05)
            self.stop()
        raise unittest.SkipTest("moto does not start")

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=30)
            self.process = None

    def raw(self, method, path, body=b"", headers=None):
        connection = http.client.HTTPConnection(self.host, timeout=60)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def request(self, service, method, path, body=b"", headers=None):
        signature = f"AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        status, reply = self.raw(method, path, body, {"Authorization": signature, **(headers or {})})
        if status >= 300:
            raise AssertionError(f"{service} {method} {path}: {status} {reply[:300]!r}")
        return reply

    def call(self, service, action, **parameters):
        """One action of a service that takes forms; the reply as text."""
        body = urllib.parse.urlencode({"Action": action, **parameters}).encode()
        return self.request(service, "POST", "/", body, {"Content-Type": "application/x-www-form-urlencoded"}).decode()

    def make_bucket(self):
        name = "dendro-" + uuid.uuid4().hex[:16]
        self.request("s3", "PUT", "/" + name)
        return name

    def put(self, bucket, key, body):
        self.request("s3", "PUT", f"/{bucket}/{urllib.parse.quote(key)}", body)

    def environment(self, key="test", secret="test"):
        """What a process needs to take this server for AWS."""
        return {"AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_REGION": "us-east-1",
                "AWS_EC2_METADATA_DISABLED": "true"}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def free_port():
    import socket
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def tag(xml, name):
    """The text of the first element of this name."""
    return xml.split(f"<{name}>", 1)[1].split(f"</{name}>", 1)[0]


class GeneratedS3:
    """A bucket with one object that is a line repeated to any size, made while it is read: for sizes that no test should
    store. Knows ListObjectsV2 and ranged GetObject; checks no signature."""

    def __init__(self, line, bytes_total):
        block = line * (1 + (16 << 20) // len(line))
        self.largest_range = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                if "list-type=2" in self.path:
                    body = ("<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>big.jsonl</Key>"
                            f"<Size>{bytes_total}</Size><ETag>&quot;e&quot;</ETag><LastModified>2026-01-01T00:00:00.000Z"
                            "</LastModified></Contents></ListBucketResult>").encode()
                    self.answer(200, body, {})
                    return
                assert self.headers["If-Match"] == '"e"', self.headers
                first, last = (int(word) for word in self.headers["Range"].removeprefix("bytes=").split("-"))
                last = min(last, bytes_total - 1)
                outer.largest_range = max(outer.largest_range, last + 1 - first)
                start = first % len(line)
                self.answer(206, memoryview(block)[start:start + last + 1 - first],
                            {"Content-Range": f"bytes {first}-{last}/{bytes_total}", "ETag": '"e"'})

            def answer(self, status, body, headers):
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
