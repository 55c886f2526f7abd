"""Runs oidc/provider.mjs, installing the package it needs once; and a browser that walks through its pages."""
import fcntl
import html
import http.client
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

PACKAGE = "oidc-provider@8.8.1"
SCRIPT = Path(__file__).resolve().parent / "oidc" / "provider.mjs"


def packages():
    """The folder of the package; raises RuntimeError, saying why, where it cannot be had."""
    if not shutil.which("npm") or not shutil.which("node"):
        raise RuntimeError("node and npm are not installed")
    folder = Path(os.environ.get("DENDRO_TEST_TOOLS", Path(tempfile.gettempdir()) / f"dendro-test-tools-{os.getuid()}")) / PACKAGE
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), PACKAGE], capture_output=True, timeout=300)
            if done.returncode != 0:
                raise RuntimeError(f"npm cannot install {PACKAGE}: {done.stderr.decode(errors='replace')[-300:]}")
            (folder / "complete").touch()
    return folder


class Provider:
    """One client, "dendro"; people "anna" (reader of shop) and "root" (admin of every tenant)."""

    def __init__(self, callback, secret=""):
        env = {**os.environ, "DENDRO_OIDC_PACKAGES": str(packages())}
        self.process = subprocess.Popen(["node", str(SCRIPT), callback, secret], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, env=env)
        self.issuer = ""
        for line in self.process.stdout:
            if line.startswith(b"issuer "):
                self.issuer = line.decode().split()[1]
                break
        if not self.issuer:
            raise RuntimeError("the provider did not start")

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()


class Browser:
    """Follows redirects one by one, keeps cookies by host, fills in forms."""

    def __init__(self):
        self.cookies = {}

    def fetch(self, url, form=None):
        """One exchange, no redirect followed: (status, headers as a list of pairs in lower case, body)."""
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
        headers = {}
        jar = self.cookies.setdefault(parts.netloc, {})
        if jar:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        body = None
        if form is not None:
            body = urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        path = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        connection.request("GET" if form is None else "POST", path, body, headers)
        reply = connection.getresponse()
        rows = [(name.lower(), value) for name, value in reply.getheaders()]
        text = reply.read().decode(errors="replace")
        connection.close()
        for name, value in rows:
            if name == "set-cookie":
                key, _, rest = value.partition("=")
                if "max-age=0" in value.lower() or "1970" in value:
                    jar.pop(key, None)
                else:
                    jar[key] = rest.split(";")[0]
        return reply.status, rows, text

    def walk(self, url, person, stop_at):
        """Signs in as `person` at the provider; gives the address it sends us back to once that starts with `stop_at`."""
        form = None
        for _ in range(20):
            if url.startswith(stop_at):
                return url
            status, rows, text = self.fetch(url, form)
            form = None
            if status in (302, 303):
                url = urljoin(url, dict(rows)["location"])
                continue
            if status != 200:
                raise AssertionError(f"{url} answered {status}: {text[:300]}")
            action = html.unescape(re.search(r'<form[^>]*action="([^"]+)"', text)[1])
            form = {name: value for name, value in re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"', text)}
            if 'name="login"' in text:
                form.update(login=person, password="x")
            url = urljoin(url, action)
        raise AssertionError("the provider's pages lead nowhere")
