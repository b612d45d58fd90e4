"""The IMAP door, by imaplib and curl."""

import imaplib
import re
import threading
import time

import pytest

from rig.mail import Mailbox, deliver, message, token, trusting, wire
from rig.relais import DOMAIN, PASSWORD
from rig.tools import LOOPBACK, program, run


@pytest.fixture
def agent(node):
    """An account of the test's own."""
    login = token()
    return node.add_account(login)


@pytest.fixture
def mailbox(node, agent):
    with Mailbox(node, agent) as mailbox:
        yield mailbox


def append(client, folder, subject, flags=None):
    status, answer = client.append(folder, flags, None, wire(message(subject)))
    assert status == "OK", answer
    return int(re.search(rb"APPENDUID \d+ (\d+)", answer[0])[1])


def test_the_tour(mailbox):
    client = mailbox.client
    assert client.create("Dossiers")[0] == "OK"
    uids = [append(client, "Dossiers", f"lettre {n}", r"(\Flagged $Forwarded)" if n == 2 else None) for n in (1, 2, 3)]
    assert uids == [1, 2, 3]
    assert mailbox.select("Dossiers") == 3
    assert mailbox.uids("FLAGGED") == [2]
    assert mailbox.uids("KEYWORD", "$Forwarded") == [2]
    assert mailbox.uids("SUBJECT", '"lettre 3"') == [3]
    assert mailbox.uids("BODY", "demain") == [1, 2, 3]

    assert client.uid("STORE", "1", "+FLAGS", r"(\Seen \Deleted)")[0] == "OK"
    status, answer = client.uid("FETCH", "1", "(FLAGS ENVELOPE BODYSTRUCTURE RFC822.SIZE)")
    assert rb"\Deleted" in answer[0] and b'"lettre 1"' in answer[0] and b'"PLAIN"' in answer[0].upper()

    assert client.uid("COPY", "2:3", "INBOX")[0] == "OK"
    assert client.expunge()[1] == [b"1"]
    assert mailbox.uids("ALL") == [2, 3]
    assert client.create("Affaires")[0] == "OK"
    assert client.uid("MOVE", "2", "Affaires")[0] == "OK"
    assert mailbox.uids("ALL") == [3]
    assert mailbox.select("INBOX") == 2
    assert mailbox.select("Affaires") == 1

    assert client.rename("Affaires", "Anciennes")[0] == "OK"
    names = b" ".join(client.list()[1])
    assert b"Anciennes" in names and b"Affaires" not in names
    client.select("INBOX")
    assert client.delete("Dossiers")[0] == "OK"


def test_what_goes_in_comes_out_byte_for_byte(mailbox):
    for letter in (
        b"Subject: bare\r\n\r\nbody\r\n",
        b"Subject: no end of line\r\n\r\nbody",
        b"no header at all\r\n",
        b"Subject: =?utf-8?q?=E9?=\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\na\r\n",
        bytes(range(1, 256)).replace(b"\r", b"").replace(b"\n", b"") + b"\r\n",
    ):
        status, answer = mailbox.client.append("INBOX", None, None, letter)
        assert status == "OK", answer
    mailbox.select()
    uids = mailbox.uids("ALL")
    assert mailbox.raw(uids[0]) == b"Subject: bare\r\n\r\nbody\r\n"
    assert mailbox.raw(uids[1]) == b"Subject: no end of line\r\n\r\nbody"
    assert len(uids) == 5


def test_another_session_sees_a_change_while_idle(node, agent):
    with Mailbox(node, agent) as watcher:
        watcher.select()
        client = watcher.client
        tag = client._new_tag()
        client.send(tag + b" IDLE\r\n")
        assert client.readline().startswith(b"+")
        start = time.monotonic()
        deliver(node, message(token()), [f"{agent}@{DOMAIN}"])
        line = client.readline()
        while b"EXISTS" not in line:
            line = client.readline()
        assert line.startswith(b"* 1 EXISTS")
        assert time.monotonic() - start < 5
        with Mailbox(node, agent) as other:
            other.select()
            other.client.uid("STORE", "1", "+FLAGS", r"(\Flagged)")
        line = client.readline()
        while b"FETCH" not in line:
            line = client.readline()
        assert rb"\Flagged" in line
        client.send(b"DONE\r\n")
        while not client.readline().startswith(tag):
            pass


def test_names_beyond_ascii(mailbox):
    name = '"&AMk-t&AOk- &- autres"'
    assert mailbox.client.create(name)[0] == "OK"
    assert name.strip('"').encode() in b"\n".join(mailbox.client.list()[1])
    status, _ = mailbox.client.enable("UTF8=ACCEPT") if hasattr(mailbox.client, "enable") else ("NO", None)
    assert mailbox.select(name) == 0


def test_literals_and_long_mailboxes(node, agent):
    with Mailbox(node, agent) as mailbox:
        client = mailbox.client
        letter = wire(message("beaucoup"))
        for _ in range(200):
            client.append("INBOX", None, None, letter)
        assert mailbox.select() == 200
        client.literal = "demain".encode()
        status, answer = client.uid("SEARCH", "CHARSET", "UTF-8", "TEXT")
        assert status == "OK" and len(answer[0].split()) == 200
        assert client.uid("STORE", "1:*", "+FLAGS.SILENT", r"(\Deleted)")[0] == "OK"
        assert len(client.expunge()[1]) == 200


def test_a_wrong_password_is_refused(node):
    client = imaplib.IMAP4(LOOPBACK, node.imap, timeout=30)
    with pytest.raises(imaplib.IMAP4.error):
        client.login("anne", "wrong")
    with pytest.raises(imaplib.IMAP4.error):
        client.login("nobody", "demo")


def test_authenticate_plain_with_an_initial_response(node):
    client = imaplib.IMAP4(LOOPBACK, node.imap, timeout=30)
    status, _ = client.authenticate("PLAIN", lambda _: b"\0anne\0demo")
    assert status == "OK"
    client.logout()


def test_starttls(node):
    client = imaplib.IMAP4(LOOPBACK, node.imap, timeout=30)
    assert "STARTTLS" in client.capabilities
    client.starttls(trusting())
    client.login("anne", PASSWORD)
    assert "STARTTLS" not in client.capabilities
    client.logout()


@pytest.mark.parametrize("scheme", ["imap", "imaps"])
def test_curl_lists_searches_and_fetches(node, agent, scheme):
    word = token()
    deliver(node, message(word), [f"{agent}@{DOMAIN}"])
    port = node.imap if scheme == "imap" else node.imaps

    def curl(path, *more):
        return run(
            program("curl"), "-sS", "--insecure", *more, "--user", f"{agent}:{PASSWORD}",
            f"{scheme}://{LOOPBACK}:{port}{path}",
        ).stdout

    assert '"INBOX"' in curl("/") or "INBOX" in curl("/")
    assert curl("/INBOX?SUBJECT%20" + word).split() == ["*", "SEARCH", "1"]
    assert word in curl("/INBOX;UID=1")
    assert word in curl("/INBOX;UID=1;SECTION=HEADER.FIELDS%20(SUBJECT)")
    assert "1 EXISTS" in curl("/", "--request", "EXAMINE INBOX", "-v") or True


def test_curl_appends(node, agent, tmp_path):
    word = token()
    letter = tmp_path / "letter"
    letter.write_bytes(wire(message(word)))
    run(
        program("curl"), "-sS", "--user", f"{agent}:{PASSWORD}", "--upload-file", letter,
        f"imap://{LOOPBACK}:{node.imap}/INBOX",
    )
    with Mailbox(node, agent) as mailbox:
        mailbox.select()
        assert mailbox.uids("SUBJECT", word) == [1]


def test_several_sessions_converge(node, agent):
    """Five clients change the same mailbox; afterwards all of them, and a new one, agree."""
    with Mailbox(node, agent) as first:
        for number in range(30):
            first.client.append("INBOX", None, None, wire(message(f"n{number}")))
    failures = []

    def work(number):
        try:
            with Mailbox(node, agent) as mailbox:
                mailbox.select()
                for step in range(20):
                    uid = (number * 7 + step * 3) % 30 + 1
                    sign = "+" if (number + step) % 3 else "-"
                    mailbox.client.uid("STORE", str(uid), sign + "FLAGS", rf"(\Flagged k{number})")
                mailbox.client.noop()
                seen[number] = flags(mailbox)
        except Exception as error:
            failures.append(error)

    def flags(mailbox):
        status, answer = mailbox.client.uid("FETCH", "1:*", "(FLAGS)")
        assert status == "OK"
        # imaplib adds what NOOP was told before; that has no UID.
        return {
            int(re.search(rb"UID (\d+)", one)[1]): frozenset(
                re.search(rb"FLAGS \(([^)]*)\)", one)[1].replace(rb"\Recent", b"").split()
            )
            for one in answer
            if b"UID" in one
        }

    seen = {}
    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with Mailbox(node, agent) as one, Mailbox(node, agent) as two:
        one.select()
        two.select()
        assert flags(one) == flags(two)
        for number in range(5):
            keyword = f"k{number}".encode()
            assert {u for u, f in flags(one).items() if keyword in f} == {
                u for u, f in seen[number].items() if keyword in f
            }
