"""A PostgreSQL server of our own, in a temporary folder, reached through a Unix socket."""

import os
import pathlib
import shutil
import signal
import subprocess

from rig.tools import as_user, eventually, run

PROGRAMS = pathlib.Path("/usr/lib/postgresql/15/bin")


class PostgreSQL:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        self.databases = 0
        assert (PROGRAMS / "initdb").exists(), "postgresql-15 is not installed"
        self.folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
            for parent in self.folder.parents:
                if parent.owner() == "root" and parent != pathlib.Path("/"):
                    parent.chmod(parent.stat().st_mode | 0o111)
        run(
            *as_user("postgres", PROGRAMS / "initdb", "-D", self.data, "-U", "relais"),
            "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
            cwd="/",
        )
        self.server = None

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.server = subprocess.Popen(
                as_user(
                    "postgres", PROGRAMS / "postgres", "-D", self.data, "-k", self.folder,
                    "-c", "listen_addresses=", "-c", "max_connections=200",
                ),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        eventually(self.is_ready, within=30)
        return self

    def is_ready(self):
        return run(PROGRAMS / "pg_isready", "-q", "-h", self.folder, check=False).returncode == 0

    def new_database(self):
        self.databases += 1
        name = f"test{self.databases}"
        run(PROGRAMS / "psql", "-X", "-q", "-c", f"CREATE DATABASE {name}", self.url("postgres"))
        return self.url(name)

    def url(self, name):
        return f"postgresql://relais@/{name}?host={self.folder}"

    def postmaster(self):
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def kill(self):
        """Kills the server and every process of it at once, as a crash of the machine would."""
        postmaster = self.postmaster()
        children = pathlib.Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text()
        for process in [postmaster, *map(int, children.split())]:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.server.wait()
        # Until the last child is gone, the data folder counts as in use.
        for process in map(int, children.split()):
            eventually(lambda: not pathlib.Path(f"/proc/{process}").exists() or is_zombie(process))

    def stop(self):
        if self.server and self.server.poll() is None:
            # Nothing of it is needed again: no checkpoint.
            os.kill(self.postmaster(), signal.SIGQUIT)
            self.server.wait(timeout=30)


def is_zombie(process):
    try:
        return ") Z " in pathlib.Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return True
