"""The servers of a comparison, each driven through its script in bench/peers."""

import json
import os
import pathlib
import shutil
import subprocess

PEERS = pathlib.Path(__file__).resolve().parent.parent / "peers"

TITLES = {
    "relais": "Relais (SQLite)",
    "relais-postgresql": "Relais (PostgreSQL)",
    "dovecot": "Postfix + Dovecot (mdbox)",
    "cyrus": "Postfix + Cyrus",
}


class Failed(Exception):
    """A run that gave no figure."""


class Server:
    def __init__(self, name, chosen, directory):
        self.name = name
        self.title = TITLES[name]
        self.directory = directory
        self.accounts = chosen.accounts
        self.generator = chosen.generator
        self.commands = {}
        self.environment = dict(
            os.environ,
            BENCH_DIR=str(directory),
            BENCH_ACCOUNTS=str(chosen.accounts),
            BENCH_RELAIS=chosen.program,
        )
        self.primed = chosen.keep
        fields = self.script("ports").split()
        self.ports = dict(field.split("=") for field in fields)
        self.login = self.ports.pop("login")

    def script(self, *words):
        done = subprocess.run(
            [str(PEERS / self.name), *words],
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        if done.returncode != 0:
            raise Failed(f"{self.name} {' '.join(words)} failed")
        return done.stdout

    def start(self):
        self.script("start")
        if not self.primed:
            # Every mailbox gets its first message here, unmeasured.
            self.load("lmtp", "--port", self.ports["lmtp"], "--count", self.accounts,
                      "--users", self.accounts, "--seed", 1)
            self.primed = True

    def stop(self):
        self.script("stop")

    def forget(self):
        """Removes all data of the server."""
        for path in (self.directory / f"postfix-{self.name}", self.data_root()):
            shutil.rmtree(path, ignore_errors=True)

    def data_root(self):
        return pathlib.Path(self.script("data").split()[0]).parent

    def roots(self):
        return [int(pid) for pid in self.script("pids").split()]

    def data_bytes(self):
        """Disk blocks of the store's data; of a stopped or flushed server."""
        os.sync()
        paths = self.script("data").split()
        listing = subprocess.run(
            ["du", "-s", "-B1", *paths], stdout=subprocess.PIPE, text=True, check=True
        ).stdout
        return sum(int(line.split()[0]) for line in listing.splitlines())

    def load(self, command, *words, user_option="--user"):
        """Runs the generator and returns what it measured."""
        output = self.directory / "load.json"
        output.unlink(missing_ok=True)
        words = [str(word) for word in words]
        if command.startswith("imap"):
            words += [user_option, self.login]
        elif "--visible" in words:
            words += ["--visible-user", self.login]
        line = [self.generator, command, *words, "--quiet", "--json", str(output)]
        done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0 or not output.exists():
            raise Failed(f"{self.name}: {' '.join(line[1:])}\n{done.stdout}")
        measured = json.loads(output.read_text())
        if measured["failures"] > 0:
            raise Failed(f"{self.name}: {' '.join(line[1:])}\n{measured['complaints']}")
        return measured

    def tree(self):
        """The process numbers of the server's process trees."""
        children = {}
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parent = int(stat.rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
        found, waiting = [], self.roots()
        while waiting:
            pid = waiting.pop()
            if pid not in found:
                found.append(pid)
                waiting += children.get(pid, [])
        return found

    def cpu_seconds(self):
        """User and system time of the process trees, children that ended included."""
        ticks = 0
        for pid in self.tree():
            try:
                fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            ticks += sum(int(field) for field in fields[11:15])
        return ticks / os.sysconf("SC_CLK_TCK")


def field(chosen, directory):
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o755)
    return [Server(name, chosen, directory) for name in chosen.servers.split(",")]

