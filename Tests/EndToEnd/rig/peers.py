"""Postfix, clamd and unbound, each with a configuration of its own below a temporary folder."""

import os
import pathlib
import subprocess

from rig.tools import LOOPBACK, answers, eventually, free_port, program, run

SERVICES = """\
{listen} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

SETTINGS = """\
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
meta_directory = /etc/postfix
mail_owner = postfix
setgid_group = postdrop
maillog_file_prefixes = {folder}
maillog_file = {folder}/maillog
myhostname = postfix.remote.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
virtual_mailbox_domains = remote.test
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = inline:{{ benoit@remote.test=benoit/ }}
virtual_uid_maps = static:{owner}
virtual_gid_maps = static:{owner}
virtual_minimum_uid = 1
smtp_tls_security_level = encrypt
smtp_tls_loglevel = 1
smtpd_tls_security_level = encrypt
smtpd_tls_loglevel = 1
smtpd_tls_received_header = yes
smtpd_tls_cert_file = {certificate.chain}
smtpd_tls_key_file = {certificate.key}
{more}
"""


class Postfix:
    """Owns the domain remote.test; takes and gives mail only over TLS."""

    OWNER = 65534

    def __init__(self, folder, certificate, routes):
        assert os.geteuid() == 0, "Postfix starts only as root"
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        for name in ("etc", "spool", "data", "mail"):
            (self.folder / name).mkdir(parents=True)
        run("chown", "postfix", self.folder / "data")
        run("chown", str(self.OWNER), self.folder / "mail")
        for parent in [self.folder, *self.folder.parents][:-1]:
            parent.chmod(parent.stat().st_mode | 0o111)
        transport = ", ".join(
            f"{domain}=smtp:[{LOOPBACK}]:{port}" for domain, port in routes.items()
        )
        (self.folder / "etc/main.cf").write_text(
            SETTINGS.format(
                folder=self.folder,
                certificate=certificate,
                owner=self.OWNER,
                more=f"transport_maps = inline:{{ {transport} }}" if routes else "",
            )
        )
        (self.folder / "etc/master.cf").write_text(
            SERVICES.format(listen=f"{LOOPBACK}:{self.port}")
        )

    def start(self):
        run(program("postfix"), "-c", self.folder / "etc", "start")
        eventually(lambda: answers(self.port), within=20)
        return self

    def stop(self):
        run(program("postfix"), "-c", self.folder / "etc", "stop", check=False)

    def log(self):
        path = self.folder / "maillog"
        return path.read_text(errors="replace") if path.exists() else ""

    def mailbox(self, name):
        """The messages in a maildir, as bytes."""
        return [path.read_bytes() for path in self.folder.glob(f"mail/{name}/new/*")]


class Clamd:
    """The real engine with one signature of our own: the EICAR test file."""

    # The 68 bytes of the test file, in two halves so that no scanner takes this file for it.
    EICAR = r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        (self.folder / "signatures").mkdir(parents=True)
        self.port = free_port()
        self.socket = self.folder / "clamd.sock"
        self.process = None
        (self.folder / "signatures/local.ndb").write_text(
            f"Relais.Test.EICAR:0:*:{self.EICAR.encode().hex()}\n"
        )
        (self.folder / "clamd.conf").write_text(
            f"DatabaseDirectory {self.folder}/signatures\n"
            f"LocalSocket {self.socket}\n"
            f"TCPSocket {self.port}\nTCPAddr {LOOPBACK}\n"
            f"PidFile {self.folder}/clamd.pid\nLogFile {self.folder}/clamd.log\n"
            "Foreground true\nMaxThreads 4\n"
        )

    def start(self):
        self.process = subprocess.Popen(
            [program("clamd"), "-c", self.folder / "clamd.conf"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(lambda: self.socket.exists() and answers(self.port), within=30)
        return self

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=20)
            self.process = None


class Unbound:
    """A name server for the zones of a test."""

    def __init__(self, folder, *records):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        data = "".join(f"  local-data: '{record}'\n" for record in records)
        (self.folder / "unbound.conf").write_text(
            "server:\n"
            f"  interface: {LOOPBACK}\n  port: {self.port}\n"
            '  username: ""\n  chroot: ""\n  pidfile: ""\n  use-syslog: no\n'
            f'  directory: "{self.folder}"\n  logfile: "{self.folder}/log"\n'
            "  do-daemonize: no\n  access-control: 127.0.0.0/8 allow\n"
            '  module-config: "iterator"\n  local-zone: "test." static\n'
            f"{data}remote-control:\n  control-enable: no\n"
        )
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            [program("unbound"), "-d", "-c", self.folder / "unbound.conf"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(lambda: answers(self.port), within=20)
        return self

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=10)
            self.process = None
