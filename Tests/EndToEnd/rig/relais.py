"""The program under test, with a configuration of its own."""

import os
import pathlib
import signal
import subprocess

from rig.tools import LOOPBACK, answers, eventually, free_port, run

BINARY = pathlib.Path(
    os.environ.get("RELAIS_BIN", pathlib.Path(__file__).parents[3] / ".build/debug/relais")
).absolute()

DOMAIN = "demo.example"
PASSWORD = "demo"


class Relais:
    """One node on free loopback ports, with everything it keeps in `folder`."""

    def __init__(self, folder, certificate, database=None, settings=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.smtp, self.lmtp, self.submission, self.submissions, self.imap, self.imaps = (
            free_port() for _ in range(6)
        )
        self.config = self.folder / "relais.toml"
        self.log = self.folder / "log"
        self.process = None
        self.config.write_text(self.configuration(certificate, database, settings or {}))

    def configuration(self, certificate, database, settings):
        tables = {
            "node": {"hostname": "mail.demo.example", "data": str(self.folder / "data")},
            "mail": {
                "domains": [DOMAIN],
                "postmaster": f"anne@{DOMAIN}",
                "maximum_message_megabytes": 20,
            },
            "database": {"url": database} if database else {},
            "tls": {"certificate": certificate.chain, "key": certificate.key},
            "listener": [
                {"protocol": "smtp", "port": self.smtp},
                {"protocol": "lmtp", "port": self.lmtp, "tls": "none"},
                {"protocol": "submission", "port": self.submission, "cleartext_login": True},
                {"protocol": "submission", "port": self.submissions, "tls": "implicit"},
                {"protocol": "imap", "port": self.imap, "cleartext_login": True},
                {"protocol": "imap", "port": self.imaps, "tls": "implicit"},
            ],
        }
        for name, values in settings.items():
            if isinstance(values, list):
                tables[name] = values
            else:
                tables.setdefault(name, {}).update(values)
        return "".join(written(name, table) for name, table in tables.items())

    @property
    def ports(self):
        return [
            self.smtp,
            self.lmtp,
            self.submission,
            self.submissions,
            self.imap,
            self.imaps,
        ]

    def start(self):
        assert BINARY.exists(), f"{BINARY} is not built"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [BINARY, "serve", "--config", self.config],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        eventually(self.is_up, within=30)
        return self

    def is_up(self):
        assert self.process.poll() is None, f"relais ended:\n{self.journal()[-4000:]}"
        return all(answers(port) for port in self.ports)

    def stop(self):
        """Ends it as systemd would; it must end well."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self.process = None
        assert status == 0, f"relais ended with {status}:\n{self.journal()[-4000:]}"

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def signal(self, number):
        self.process.send_signal(number)

    def journal(self):
        return self.log.read_text(errors="replace")

    def command(self, *arguments, **options):
        """Runs `relais …` on this node's configuration."""
        words = [str(argument) for argument in arguments]
        return run(str(BINARY), *words, "--config", str(self.config), **options)

    def add_account(self, login, password=PASSWORD, *options):
        self.command(
            "account", "add", login, f"{login}@{DOMAIN}", "--password-stdin", *options,
            input=password + "\n",
        )
        return login

    def add_accounts(self, logins):
        lines = "".join(f"{login},{login}@{DOMAIN},{PASSWORD}\n" for login in logins)
        self.command("account", "import", input=lines)


def written(name, table):
    """`table` as TOML; a list becomes an array of tables."""
    if isinstance(table, list):
        return "".join(f"[[{name}]]\n{lines(one)}\n" for one in table)
    return f"[{name}]\n{lines(table)}\n"


def lines(table):
    return "".join(f"{key} = {value_text(value)}\n" for key, value in table.items())


def value_text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(value_text(one) for one in value) + "]"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


__all__ = ["DOMAIN", "LOOPBACK", "PASSWORD", "Relais"]
