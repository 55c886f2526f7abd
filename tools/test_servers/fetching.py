"""Downloads, kept outside the tree: $DENDRO_SERVICES_CACHE, else ~/.cache/dendro-services.

An artifact is a folder named after a digest of all that decides its content (coordinates, sources, interpreter), made once: whoever
comes first makes it under a lock, the others wait for it. Its last file is the stamp; a folder without one is made anew. Nothing is
ever changed in a finished one, so the whole cache may be removed whenever no server runs.
"""
import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Callable, NamedTuple

from . import java

HERE = Path(__file__).resolve().parent
MAVEN_COPY = "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies"
STAMP = "complete.json"
MAVEN_ADVICE = re.compile(r"^\[ERROR\] (Re-run Maven|To see the full stack trace|For more information|\[Help 1\])")


class NotRun(Exception):
    """A server cannot run here; the text is the reason, for one line."""


class Artifact(NamedTuple):
    name: str
    files: tuple  # of the tree: their content decides the digest
    pins: tuple  # texts that decide it too
    install: Callable  # (folder, run): fills the folder or raises NotRun

    def digest(self):
        total = hashlib.sha256()
        for file in self.files:
            total.update(f"{file.name}\0".encode() + file.read_bytes() + b"\0")
        for pin in self.pins:
            total.update(f"{pin}\0".encode())
        return total.hexdigest()[:16]


class Cache:
    def __init__(self, folder=None, say=lambda text: None):
        self.folder = Path(folder or os.environ.get("DENDRO_SERVICES_CACHE") or Path.home() / ".cache" / "dendro-services").resolve()
        self._say = say

    def get(self, artifact):
        """The artifact's folder; makes it if it is not there. Raises NotRun."""
        folder = self.folder / f"{artifact.name}-{artifact.digest()}"
        if (folder / STAMP).is_file():
            return folder
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._lock(artifact.name.partition("-")[0]):  # one for all of Maven: its repository is not made for two at once
                if not (folder / STAMP).is_file():
                    self._make(artifact, folder)
        except OSError as error:
            raise NotRun(f"cannot write the cache {self.folder}: {error.strerror or error}") from error
        return folder

    def _make(self, artifact, folder):
        self._say(f"fetching {artifact.name}")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        artifact.install(folder, run)
        pins = {"files": [str(file.relative_to(HERE)) for file in artifact.files], "pins": list(artifact.pins)}
        (folder / STAMP).write_text(json.dumps(pins, indent=1) + "\n", encoding="utf-8")

    @contextlib.contextmanager
    def _lock(self, name):
        with open(self.folder / f"{name}.lock", "w", encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._say(f"waiting for another process that fetches for {name}")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @property
    def maven_repository(self):
        return self.folder / "maven"

    @property
    def go_folder(self):
        return self.folder / "go"


def run(*command, cwd=None, env=None, seconds=1800):
    """A tool of ours to its end; raises NotRun with its last lines. When we are interrupted its whole process group ends with us."""
    name = Path(str(command[0])).name
    try:
        process = subprocess.Popen([str(part) for part in command], cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    except FileNotFoundError as error:
        raise NotRun(f"{name} is not installed") from error
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise NotRun(f"{name} did not end within {seconds} s") from error
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    text = output.decode(errors="replace")
    if process.returncode != 0:
        raise NotRun(f"{name} failed: {last_words(text)}")
    return text


def last_words(text, lines=3, characters_max=400):
    """The end of a tool's output on one line, without the passwords that addresses may hold."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    plain = re.sub(r"(://)[^/@\s]+@", r"\1***@", plain)
    told = [line.strip() for line in plain.splitlines() if line.strip() not in ("", "[ERROR]") and not MAVEN_ADVICE.search(line)]
    kept = " / ".join(told[-lines:])
    return kept if len(kept) <= characters_max else "..." + kept[-characters_max:]


def python_packages(requirements):
    """A virtual environment with exactly the versions of python/REQUIREMENTS; its interpreter is bin/python."""
    file = HERE / "python" / requirements

    def install(folder, run_tool):
        run_tool(sys.executable, "-m", "venv", folder)
        run_tool(folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps",
                 "--retries", "2", "-r", file)

    return Artifact("python", (file,), (sys.version, os.path.realpath(sys.executable)), install)


def java_server(cache, name, program=None):
    """lib/ with the jars that java/NAME/pom.xml lists, classes/ with the compiled `program` (below java/) if there is one."""
    pom = HERE / "java" / name / "pom.xml"
    source = HERE / "java" / program if program else None

    def install(folder, run_tool):
        maven = {"JAVA_HOME": str(need_java(17).home)}
        run_tool("mvn", "-B", "-q", "-ntp", f"-Dmaven.repo.local={cache.maven_repository}", "-f", pom, MAVEN_COPY, "-DincludeScope=runtime",
                 f"-DoutputDirectory={folder / 'lib'}", env=maven)
        if source:
            run_tool(need_java(17, compiler=True).javac, "--release", "17", "-proc:none", "-cp", f"{folder / 'lib'}/*", "-d", folder / "classes", source)

    return Artifact(f"java-{name}", (pom, source) if source else (pom,), (MAVEN_COPY,), install)


def need_java(minimum, compiler=False):
    found = java.oldest(java.installed(), minimum, compiler)
    if not found:
        raise NotRun(f"no Java {minimum} or newer{' with a compiler' if compiler else ''} below /usr/lib/jvm (Debian: openjdk-17-jdk-headless)")
    return found


def go_environment(cache):
    return {"GOPATH": str(cache.go_folder / "path"), "GOCACHE": str(cache.go_folder / "build"), "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false -modcacherw"}


def go_install(cache, name, package, binary):
    """bin/BINARY of a published program, its version pinned in `package`; Go's checksum database vouches for the content."""

    def install(folder, run_tool):
        run_tool("go", "install", package, env={**go_environment(cache), "GOBIN": str(folder / "bin")})
        if not (folder / "bin" / binary).is_file():
            raise NotRun(f"go install {package} made no {binary}")

    return Artifact(f"go-{name}", (), (package,), install)


def go_program(cache, name):
    """bin/NAME, a program of ours in go/NAME; go.sum pins everything it is made of."""
    sources = tuple(HERE / "go" / name / file for file in ("go.mod", "go.sum", "main.go"))

    def install(folder, run_tool):
        run_tool("go", "build", "-mod=readonly", "-o", folder / "bin" / name, ".", cwd=HERE / "go" / name, env=go_environment(cache))

    return Artifact(f"go-{name}", sources, (), install)
