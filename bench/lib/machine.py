"""Facts about the machine and what must be installed on it."""

import os
import pathlib
import re
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def install_packages():
    subprocess.run([str(ROOT / "scripts/install-packages"), "bench"], check=True)


def output(*words):
    try:
        return subprocess.run(
            words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT
        ).stdout.strip()
    except OSError:
        return ""


def first(pattern, path):
    try:
        found = re.search(pattern, pathlib.Path(path).read_text())
    except OSError:
        return ""
    return found.group(1).strip() if found else ""


def version(package):
    return output("dpkg-query", "-W", "-f", "${Version}", package)


def facts(directory):
    """Pairs of a name and a value, for the head of the page."""
    memory = int(first(r"MemTotal:\s+(\d+)", "/proc/meminfo") or 0)
    return [
        ("Date", time.strftime("%Y-%m-%d", time.gmtime())),
        ("Processor", f"{os.cpu_count()} cores, {first(r'model name.*: (.*)', '/proc/cpuinfo')}"),
        ("Memory", f"{memory / (1 << 20):.0f} GiB"),
        ("System", f"{first(r'PRETTY_NAME=.(.*).', '/etc/os-release')}, Linux {os.uname().release}"),
        ("File system", output("stat", "-f", "-c", "%T", str(directory))),
        ("Disk", f"{flushes(directory):,.0f} fdatasync/s of 4 KB appended by one process"),
        ("Relais", "commit " + (output("git", "rev-parse", "--short", "HEAD") or "unknown")),
        ("Swift", output("swift", "--version").partition("\n")[0].strip()),
        (
            "Peers",
            ", ".join(
                f"{name} {version(package)}"
                for name, package in [
                    ("Postfix", "postfix"), ("Dovecot", "dovecot-core"), ("Cyrus", "cyrus-common"),
                ]
            ),
        ),
    ]


def flushes(directory, seconds=2):
    """How often a second this disk makes a 4 KB append durable."""
    path = directory / "flush.tmp"
    block = os.urandom(4096)
    count = 0
    with open(path, "wb", buffering=0) as file:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            file.write(block)
            os.fdatasync(file.fileno())
            count += 1
    path.unlink()
    return count / seconds
