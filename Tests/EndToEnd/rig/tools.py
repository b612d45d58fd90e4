"""Ports, programs, waiting."""

import os
import shutil
import socket
import subprocess
import time

LOOPBACK = "127.0.0.1"


def free_port():
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]


def program(name):
    """The path of a peer; a missing one fails the test, it never skips."""
    path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    assert path, f"{name} is not installed"
    return path


def run(*command, check=True, timeout=60, **options):
    result = subprocess.run(
        command, capture_output=True, timeout=timeout, **{"text": True, **options}
    )
    if check:
        assert result.returncode == 0, f"{command}: {result.returncode}\n{said(result)}"
    return result


def said(result):
    return f"{result.stdout}\n{result.stderr}"


def eventually(check, within=15.0, every=0.05):
    """Returns the first true result of `check`; fails with the last one when time is up."""
    end = time.monotonic() + within
    while True:
        result = check()
        if result:
            return result
        assert time.monotonic() < end, f"not within {within} s; the last answer was {result!r}"
        time.sleep(every)


def answers(port, host=LOOPBACK):
    try:
        socket.create_connection((host, port), timeout=1).close()
        return True
    except OSError:
        return False


def as_user(user, *command):
    """`command` for a program that refuses to run as root."""
    return ["runuser", "-u", user, "--", *command] if os.geteuid() == 0 else list(command)
