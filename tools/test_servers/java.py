"""The Java runtimes of this machine."""
import os
import re
from pathlib import Path
from typing import NamedTuple


class Jdk(NamedTuple):
    major: int
    home: Path

    @property
    def java(self):
        return self.home / "bin" / "java"

    @property
    def javac(self):
        return self.home / "bin" / "javac"


def installed(folder=None):
    """Every runtime below /usr/lib/jvm (or $DENDRO_SERVICES_JVM_FOLDER), oldest first."""
    found = {}
    for release in Path(folder or os.environ.get("DENDRO_SERVICES_JVM_FOLDER", "/usr/lib/jvm")).glob("*/release"):
        major = release_major(release.read_text(encoding="utf-8", errors="replace"))
        home = release.parent.resolve()
        if major and os.access(home / "bin" / "java", os.X_OK):
            found[home] = Jdk(major, home)
    return sorted(found.values())


def release_major(text):
    """17 of a `release` file that says JAVA_VERSION="17.0.15"; 8 of "1.8.0_452"."""
    match = re.search(r'^JAVA_VERSION="(?:1\.)?(\d+)', text, re.MULTILINE)
    return int(match.group(1)) if match else None


def oldest(runtimes, minimum, compiler=False):
    """The oldest that is new enough, so that a server runs on what it was made for; None if there is none."""
    return next((jdk for jdk in runtimes if jdk.major >= minimum and (not compiler or os.access(jdk.javac, os.X_OK))), None)


def newest(runtimes, minimum):
    return next((jdk for jdk in reversed(runtimes) if jdk.major >= minimum), None)
