"""Load, and SIGKILL at random moments: of the program, and of PostgreSQL.

Every acknowledged message is there exactly once; one whose acknowledgement was cut, and which the
client therefore sent again, at most twice. UIDs never go back, and `relais fsck` finds nothing.
"""

import email
import imaplib
import random
import re
import smtplib
import threading
import time

from rig.mail import Mailbox, message, token, wire
from rig.nexthop import NextHop
from rig.postgresql import PostgreSQL
from rig.relais import DOMAIN, PASSWORD, Relais
from rig.tools import LOOPBACK, answers, eventually

ACCOUNTS = [f"u{number}" for number in range(4)]
ROUNDS = 6
SENDERS = 6


class Load:
    """Clients that send until they are told to stop, and remember what they were told."""

    def __init__(self, node, seed):
        self.node = node
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        # Token to the logins that must have it, once or (when cut) up to twice.
        self.acknowledged = {}
        self.cut = {}
        self.remote = set()
        # (login, token) to the UID that APPEND announced.
        self.announced = {}
        self.failures = []
        self.threads = []

    def start(self):
        work = [self.smtp] * (SENDERS - 3) + [self.lmtp, self.append, self.submit]
        self.threads = [threading.Thread(target=self.keep, args=(one,)) for one in work]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(timeout=60)
            assert not thread.is_alive(), "a client hangs"
        assert self.failures == []

    def keep(self, work):
        while not self.stopping.is_set():
            try:
                work()
            except (OSError, EOFError, smtplib.SMTPException, imaplib.IMAP4.error, AssertionError):
                time.sleep(0.05)
            except Exception as error:
                self.failures.append(error)
                return

    def note(self, table, word, logins):
        with self.lock:
            table.setdefault(word, set()).update(logins)

    def transaction(self, client, logins):
        """One mail transaction; a cut one is noted and repeated by the next connection."""
        word = token()
        client.ehlo_or_helo_if_needed()
        if client.mail("load@remote.test")[0] != 250:
            return client.rset()
        taken = [one for one in logins if client.rcpt(f"{one}@{DOMAIN}")[0] == 250]
        if not taken:
            return client.rset()
        self.finish(client, word, taken)

    def finish(self, client, word, logins):
        size = self.random.choice([100, 3000, 60_000])
        letter = wire(message(word, "z" * 70 + "\n" + ("é" * 60 + "\n") * (size // 120)))
        try:
            code = client.data(letter)[0]
        except smtplib.SMTPDataError:
            return
        except (OSError, smtplib.SMTPServerDisconnected):
            self.note(self.cut, word, logins)
            self.again(word, letter, logins)
            raise
        if code == 250:
            self.note(self.acknowledged, word, logins)
        elif code >= 400:
            # A temporary failure may hide a commit whose answer was lost.
            self.note(self.cut, word, logins)

    def again(self, word, letter, logins):
        """What a real client does after a cut: it sends the message again."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                with smtplib.SMTP(LOOPBACK, self.node.smtp, timeout=20) as client:
                    client.sendmail("load@remote.test", [f"{one}@{DOMAIN}" for one in logins], letter)
                self.note(self.acknowledged, word, logins)
                return
            except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused):
                time.sleep(0.2)
            except (OSError, smtplib.SMTPException):
                # Cut again: a third copy would be allowed, which the test does not count.
                return

    def smtp(self):
        with smtplib.SMTP(LOOPBACK, self.node.smtp, timeout=20) as client:
            for _ in range(10):
                if self.stopping.is_set():
                    return
                self.transaction(client, self.random.sample(ACCOUNTS, self.random.choice([1, 1, 3])))

    def lmtp(self):
        with smtplib.LMTP(LOOPBACK, self.node.lmtp) as client:
            client.sock.settimeout(20)
            for _ in range(10):
                if self.stopping.is_set():
                    return
                # One recipient: smtplib reads one reply.
                self.transaction(client, [self.random.choice(ACCOUNTS)])

    def submit(self):
        word = token()
        with smtplib.SMTP(LOOPBACK, self.node.submission, timeout=20) as client:
            client.login("u0", PASSWORD)
            client.mail(f"u0@{DOMAIN}")
            client.rcpt(f"{word}@remote.test")
            client.rcpt(f"u1@{DOMAIN}")
            try:
                code = client.data(wire(message(word, sender=f"u0@{DOMAIN}")))[0]
            except (OSError, smtplib.SMTPServerDisconnected, smtplib.SMTPDataError):
                self.note(self.cut, word, ["u1"])
                raise
            if code == 250:
                self.note(self.acknowledged, word, ["u1"])
                with self.lock:
                    self.remote.add(word)
            else:
                self.note(self.cut, word, ["u1"])

    def append(self):
        login = self.random.choice(ACCOUNTS)
        with Mailbox(self.node, login) as mailbox:
            for _ in range(10):
                if self.stopping.is_set():
                    return
                word = token()
                try:
                    status, answer = mailbox.client.append("INBOX", None, None, wire(message(word)))
                except imaplib.IMAP4.readonly:
                    raise
                except (OSError, imaplib.IMAP4.abort):
                    self.note(self.cut, word, [login])
                    raise
                if status == "OK":
                    uid = int(re.search(rb"APPENDUID \d+ (\d+)", answer[0])[1])
                    with self.lock:
                        self.announced[login, word] = uid
                    self.note(self.acknowledged, word, [login])
                else:
                    self.note(self.cut, word, [login])


def contents(node, login):
    """UIDVALIDITY, UIDNEXT and the token of each UID."""
    with Mailbox(node, login) as mailbox:
        mailbox.select()
        validity = int(mailbox.client.response("UIDVALIDITY")[1][0])
        upcoming = int(mailbox.client.response("UIDNEXT")[1][0])
        status, answer = mailbox.client.uid("FETCH", "1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        assert status == "OK"
        letters = {}
        for one in answer:
            if isinstance(one, tuple):
                uid = int(re.search(rb"UID (\d+)", one[0])[1])
                letters[uid] = email.message_from_bytes(one[1])["Subject"].strip()
        return validity, upcoming, letters


def check(node, load, before):
    """Compares what is there with what was promised; returns it for the next round."""
    now = {login: contents(node, login) for login in ACCOUNTS}
    for login, (validity, upcoming, letters) in now.items():
        if login in before:
            old_validity, old_upcoming, old_letters = before[login]
            assert validity == old_validity
            assert upcoming >= old_upcoming, "UIDNEXT went back"
            for uid, word in old_letters.items():
                assert letters.get(uid) == word, f"UID {uid} of {login} changed or vanished"
            late = {
                uid: word
                for uid, word in letters.items()
                if uid not in old_letters and uid < old_upcoming
            }
            assert not late, f"below the UIDNEXT {old_upcoming} of the last round: {late}"
        assert all(uid < upcoming for uid in letters)

        times = {}
        for word in letters.values():
            times[word] = times.get(word, 0) + 1
        for word, logins in load.acknowledged.items():
            if login in logins:
                limit = 2 if login in load.cut.get(word, ()) else 1
                assert 1 <= times.get(word, 0) <= limit, f"{word} is {times.get(word, 0)} times in {login}"
        for word, count in times.items():
            assert count <= (2 if login in load.cut.get(word, ()) else 1), f"{word}: {count}"
    for (login, word), uid in load.announced.items():
        assert now[login][2].get(uid) == word, f"APPENDUID {uid} of {login} is not {word}"
    return now


def play(node, chance, crash, recover):
    load = Load(node, chance.random())
    hop = node.hop
    before, acknowledged = {}, 0
    for number in range(ROUNDS):
        load.stopping.clear()
        load.start()
        time.sleep(chance.uniform(0.3, 1.6))
        crash()
        time.sleep(chance.uniform(0.0, 0.3))
        load.stopping.set()
        recover()
        load.stop()
        before = check(node, load, before)
        node.command("fsck")
        assert len(load.acknowledged) > acknowledged, f"nothing was acknowledged in round {number}"
        acknowledged = len(load.acknowledged)

    def all_went_out():
        # Again and again, because what is under way is not made due.
        node.command("queue", "retry", "--all")
        return all(hop.received(word) for word in load.remote)

    eventually(all_went_out, within=40, every=0.5)
    print(f"{acknowledged} acknowledged, {len(load.cut)} cut, {len(load.remote)} relayed")


def make_node(folder, certificate, database):
    hop = NextHop()
    node = Relais(
        folder, certificate, database,
        {"route": [{"domain": "*", "host": LOOPBACK, "port": hop.port}]},
    )
    node.hop = hop
    node.add_accounts(ACCOUNTS)
    return node.start()


def test_killing_the_program(folder, engine, certificate, database):
    node = make_node(folder / f"killed-{engine}", certificate, database())
    try:
        play(node, random.Random(f"kill {engine}"), node.kill, node.start)
    finally:
        if node.process:
            node.stop()
        node.hop.stop()


def test_killing_postgresql(folder, certificate):
    """The program stays up, answers 4yz meanwhile, and goes on when the server is back."""
    server = PostgreSQL(folder / "pgk").start()
    node = make_node(folder / "killed-server", certificate, server.new_database())

    def recover():
        server.start()

        def works():
            """Every connection of the pool has found the new server."""
            try:
                for login in ACCOUNTS * 3:
                    with Mailbox(node, login) as mailbox:
                        mailbox.select()
                return True
            except (OSError, imaplib.IMAP4.error, AssertionError):
                return False

        eventually(works, within=30, every=0.2)
        assert all(answers(port) for port in node.ports)

    try:
        play(node, random.Random("kill the server"), server.kill, recover)
    finally:
        if node.process:
            node.stop()
        node.hop.stop()
        server.stop()
