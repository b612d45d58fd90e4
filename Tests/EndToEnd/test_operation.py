"""What an operator does: check, start, reload, drain, manage accounts."""

import imaplib
import pathlib
import signal
import smtplib
import socket
import ssl
import threading
import time

import pytest

from rig.certificate import Certificate
from rig.mail import Mailbox, deliver, find, message, token
from rig.relais import DOMAIN, PASSWORD
from rig.tools import LOOPBACK, answers, eventually, said


def test_a_good_configuration_is_called_good(node):
    assert "good" in node.command("check-config").stdout


@pytest.mark.parametrize(
    "line, complaint",
    [
        ('[node]\nhostnam = "x"\n', "unknown key hostnam; did you mean hostname?"),
        ("[limits]\nrecipients_per_transaction = 1\n", "recipients_per_transaction"),
        ('[queue]\nretry_minutes = "often"\n', "retry_minutes"),
        ("[surprise]\n", "surprise"),
        ("[node\n", "relais.toml:1"),
    ],
)
def test_a_bad_configuration_names_the_line(node, tmp_path, line, complaint):
    config = tmp_path / "relais.toml"
    config.write_text(line)
    from rig.relais import BINARY
    from rig.tools import run

    result = run(str(BINARY), "check-config", "--config", str(config), check=False)
    assert result.returncode != 0
    assert complaint in said(result)
    assert f"{config}:" in said(result)


def can_login(node, login, password):
    try:
        with Mailbox(node, login, password=password):
            return True
    except imaplib.IMAP4.error:
        return False


def test_accounts_are_managed_while_the_node_runs(node):
    login = node.add_account(token())
    assert login in node.command("account", "list").stdout
    with Mailbox(node, login):
        pass
    node.command("account", "password", login, input="another\n")
    eventually(lambda: can_login(node, login, "another"), within=5)
    assert not can_login(node, login, PASSWORD)
    alias = token()
    node.command("account", "alias", login, f"{alias}@{DOMAIN}")
    word = token()
    deliver(node, message(word), [f"{alias}@{DOMAIN}"])
    with Mailbox(node, login, password="another") as mailbox:
        mailbox.select()
        assert len(mailbox.uids("SUBJECT", word)) == 1
    assert "would delete" in node.command("account", "delete", login).stdout
    node.command("account", "delete", login, "--yes")
    with smtplib.SMTP(LOOPBACK, node.smtp, timeout=10) as client:
        client.ehlo("peer.test")
        client.mail("someone@remote.test")
        eventually(lambda: client.rcpt(f"{login}@{DOMAIN}")[0] == 550, within=90)


def test_a_full_mailbox_is_refused_at_rcpt_or_data(node):
    login = node.add_account(token())
    node.command("account", "quota", login, "--megabytes", "1")
    big = message("gros", "x" * 70 + "\n")
    big.set_content(("y" * 70 + "\n") * 9000)
    codes = []
    for _ in range(4):
        try:
            deliver(node, big, [f"{login}@{DOMAIN}"])
            codes.append(250)
        except smtplib.SMTPRecipientsRefused as refusal:
            codes.append(refusal.recipients[f"{login}@{DOMAIN}"][0])
        except smtplib.SMTPDataError as refusal:
            codes.append(refusal.smtp_code)
    assert codes[0] == 250 and codes[-1] in (452, 552), codes
    with Mailbox(node, login) as mailbox:
        status, answer = mailbox.client.getquotaroot("INBOX")
        assert status == "OK" and b"STORAGE" in answer[1][0]


def served_name(port):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection((LOOPBACK, port), timeout=5) as plain:
        with context.wrap_socket(plain) as secure:
            return secure.getpeercert(binary_form=True)


def test_sighup_reloads_the_certificate_and_keeps_sessions(start_node, folder, tmp_path):
    mine = Certificate(tmp_path / "tls")
    node = start_node({"tls": {"certificate": mine.chain, "key": mine.key}})
    before = served_name(node.imaps)
    with Mailbox(node, "anne", tls=True) as session:
        new = Certificate(tmp_path / "new")
        for old, fresh in ((mine.chain, new.chain), (mine.key, new.key)):
            pathlib.Path(old).write_bytes(pathlib.Path(fresh).read_bytes())
        node.signal(signal.SIGHUP)
        eventually(lambda: served_name(node.imaps) != before)
        assert session.select() == 0
    eventually(lambda: served_name(node.submissions) == served_name(node.imaps))


def test_a_broken_certificate_keeps_the_old_one(start_node, tmp_path):
    mine = Certificate(tmp_path / "tls")
    node = start_node({"tls": {"certificate": mine.chain, "key": mine.key}})
    before = served_name(node.imaps)
    pathlib.Path(mine.chain).write_text("no certificate\n")
    node.signal(signal.SIGHUP)
    time.sleep(0.5)
    assert served_name(node.imaps) == before


def test_sigterm_lets_a_transaction_finish(start_node):
    node = start_node()
    word = token()
    client = smtplib.SMTP(LOOPBACK, node.smtp, timeout=30)
    client.ehlo("peer.test")
    client.mail("someone@remote.test")
    client.rcpt(f"anne@{DOMAIN}")
    client.docmd("DATA")
    client.sock.sendall(f"Subject: {word}\r\n\r\n".encode())
    stopping = threading.Thread(target=node.signal, args=(signal.SIGTERM,))
    stopping.start()
    eventually(lambda: not answers(node.smtp))
    client.sock.sendall(b"the end\r\n.\r\n")
    assert client.getreply()[0] == 250
    client.close()
    stopping.join()
    assert node.process.wait(timeout=40) == 0
    node.process = None
    node.start()
    assert len(find(node, "anne", word)) == 1


def test_sigterm_right_after_the_start_ends_the_program(start_node):
    """Connections that arrive while the listeners close are let go too."""
    node = start_node(accounts=())
    for _ in range(4):
        node.signal(signal.SIGTERM)
        assert node.process.wait(timeout=20) == 0
        node.start()


def test_the_journal_tells_the_life_of_a_message(node):
    word = token()
    deliver(node, message(word), [f"anne@{DOMAIN}"])
    find(node, "anne", word)
    received = eventually(
        lambda: [one for one in node.journal().splitlines() if "event=received" in one]
    )[-1]
    assert "door=mx" in received and "reverse_path=" in received and "client=" in received
    queue_id = received.split("queue_id=")[1].split()[0]
    delivered = [
        one for one in node.journal().splitlines()
        if f"queue_id={queue_id}" in one and "event=delivered" in one
    ]
    assert len(delivered) == 1 and "mailbox=INBOX" in delivered[0]
    assert word not in node.journal()


def test_the_journal_holds_no_password(node):
    with Mailbox(node, "anne"):
        pass
    with pytest.raises(Exception):
        Mailbox(node, "anne", password="hunter2-secret")
    assert "hunter2-secret" not in node.journal()
    assert f"password={PASSWORD}" not in node.journal()


def test_fsck_finds_nothing(node):
    node.command("fsck")
