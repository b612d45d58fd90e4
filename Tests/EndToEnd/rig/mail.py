"""Messages and mailboxes, through Python's own clients."""

import email
import email.message
import email.policy
import imaplib
import secrets
import smtplib
import socket
import ssl

from rig.relais import DOMAIN, PASSWORD
from rig.tools import LOOPBACK, eventually


def token():
    return "t" + secrets.token_hex(8)


def message(subject, body="Bonjour,\n\nà demain.\n", sender=f"anne@{DOMAIN}", to=f"benoit@{DOMAIN}"):
    new = email.message.EmailMessage()
    new["From"], new["To"], new["Subject"] = sender, to, subject
    new["Message-ID"] = f"<{secrets.token_hex(8)}@{DOMAIN}>"
    new["Date"] = "Mon, 23 Nov 2026 16:05:00 +0000"
    new.set_content(body)
    return new


def wire(new):
    """A message as it travels: with CRLF, which smtplib leaves alone when given bytes."""
    return new.as_bytes(policy=email.policy.SMTP)


def trusting():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def submit(node, new, login="anne", to=None, tls=False, **options):
    """Sends `new` through the submission door as `login`."""
    client = (
        smtplib.SMTP_SSL(LOOPBACK, node.submissions, timeout=30, context=trusting())
        if tls
        else smtplib.SMTP(LOOPBACK, node.submission, timeout=30)
    )
    with client:
        client.login(login, PASSWORD)
        return client.send_message(new, to_addrs=to, **options)


def deliver(node, new, to, sender="someone@remote.test"):
    """Gives `new` to the MX door, as another host would."""
    with smtplib.SMTP(LOOPBACK, node.smtp, timeout=30) as client:
        return client.sendmail(sender, to, wire(new))


class Mailbox:
    """One account's mail over IMAP."""

    def __init__(self, node, login, password=PASSWORD, tls=False):
        self.client = (
            imaplib.IMAP4_SSL(LOOPBACK, node.imaps, ssl_context=trusting(), timeout=30)
            if tls
            else imaplib.IMAP4(LOOPBACK, node.imap, timeout=30)
        )
        # imaplib writes the end of a literal apart, which Nagle would hold back for 40 ms.
        self.client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.client.login(login, password)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.logout()

    def select(self, name="INBOX"):
        status, answer = self.client.select(name)
        assert status == "OK", answer
        return int(answer[0])

    def uids(self, *criteria):
        status, answer = self.client.uid("SEARCH", *criteria)
        assert status == "OK", answer
        return [int(uid) for uid in answer[0].split()]

    def raw(self, uid):
        status, answer = self.client.uid("FETCH", str(uid), "(BODY.PEEK[])")
        assert status == "OK" and isinstance(answer[0], tuple), answer
        return answer[0][1]

    def read(self, uid):
        return email.message_from_bytes(self.raw(uid), policy=email.policy.default)


def find(node, login, word, folder="INBOX", within=15):
    """The messages of an account that have `word` in their subject, once there is one."""

    def look():
        with Mailbox(node, login) as mailbox:
            mailbox.select(folder)
            return [mailbox.read(uid) for uid in mailbox.uids("SUBJECT", word)]

    return eventually(look, within=within, every=0.2)
