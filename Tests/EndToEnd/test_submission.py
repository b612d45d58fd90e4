"""The SMTP doors, by smtplib, swaks, curl and openssl."""

import smtplib
import subprocess

import pytest

from rig.mail import Mailbox, deliver, find, message, submit, token, trusting, wire
from rig.relais import DOMAIN, PASSWORD
from rig.tools import LOOPBACK, program, run


def test_mail_from_another_host_is_in_the_mailbox_at_once(node):
    word = token()
    refused = deliver(node, message(word), [f"benoit@{DOMAIN}", f"Chloe@{DOMAIN.upper()}"])
    assert refused == {}
    for login in ("benoit", "chloe"):
        with Mailbox(node, login) as mailbox:
            mailbox.select()
            (uid,) = mailbox.uids("SUBJECT", word)
            new = mailbox.read(uid)
            assert new["Received"] and "à demain" in new.get_content()
            assert new["Return-Path"] == "<someone@remote.test>"


def test_an_unknown_recipient_is_refused_at_rcpt(node):
    with smtplib.SMTP(LOOPBACK, node.smtp, timeout=10) as client:
        client.ehlo("peer.test")
        client.mail("someone@remote.test")
        code, text = client.rcpt(f"nobody@{DOMAIN}")
        assert code == 550 and text.startswith(b"5.1.1"), text
        assert client.rcpt(f"benoit@{DOMAIN}")[0] == 250


@pytest.mark.parametrize("path", ["x@elsewhere.test", f"x%elsewhere.test@{DOMAIN}", "x!y@z.test"])
def test_the_mx_door_is_no_open_relay(node, path):
    with smtplib.SMTP(LOOPBACK, node.smtp, timeout=10) as client:
        client.ehlo("peer.test")
        client.mail("someone@remote.test")
        assert client.rcpt(path)[0] // 100 == 5


def test_submission_wants_a_login_and_an_address_of_ones_own(node):
    with smtplib.SMTP(LOOPBACK, node.submission, timeout=10) as client:
        client.ehlo("peer.test")
        assert client.mail(f"anne@{DOMAIN}")[0] == 530
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("anne", "wrong")
        client.login("anne", PASSWORD)
        code, _ = client.mail(f"benoit@{DOMAIN}")
        if code == 250:
            code, _ = client.rcpt(f"chloe@{DOMAIN}")
        assert code // 100 == 5


@pytest.mark.parametrize("tls", [False, True])
def test_submitted_mail_arrives(node, tls):
    word = token()
    submit(node, message(word), tls=tls)
    (new,) = find(node, "benoit", word)
    assert new["From"] == f"anne@{DOMAIN}"


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_swaks_logs_in_over_starttls(node, mechanism):
    word = token()
    run(
        program("swaks"), "--server", f"{LOOPBACK}:{node.submission}", "--tls",
        "--auth", mechanism, "--auth-user", "anne", "--auth-password", PASSWORD,
        "--from", f"anne@{DOMAIN}", "--to", f"emma@{DOMAIN}",
        "--header", f"Subject: {word}", "--body", "Bonjour", timeout=30,
    )
    (new,) = find(node, "emma", word)
    assert "with ESMTPSA" in new["Received"]


def test_swaks_speaks_lmtp_with_a_reply_for_each_recipient(node):
    word = token()
    said = run(
        program("swaks"), "--protocol", "LMTP", "--server", f"{LOOPBACK}:{node.lmtp}",
        "--from", "someone@remote.test", "--to", f"david@{DOMAIN},emma@{DOMAIN}",
        "--header", f"Subject: {word}", timeout=30,
    ).stdout
    assert said.count("<-  250 2.") >= 4, said
    for login in ("david", "emma"):
        assert len(find(node, login, word)) == 1


def test_python_speaks_lmtp(node):
    word = token()
    with smtplib.LMTP(LOOPBACK, node.lmtp) as client:
        client.ehlo("front.test")
        client.mail("someone@remote.test")
        assert client.rcpt(f"anne@{DOMAIN}")[0] == 250
        assert client.rcpt(f"nobody@{DOMAIN}")[0] == 550
        assert client.data(wire(message(word)))[0] == 250
    assert len(find(node, "anne", word)) == 1


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_curl_submits(node, tmp_path, scheme):
    word = token()
    letter = tmp_path / "letter"
    letter.write_bytes(wire(message(word)))
    port = node.submission if scheme == "smtp" else node.submissions
    run(
        program("curl"), "-sS", "--insecure", "--ssl-reqd", f"{scheme}://{LOOPBACK}:{port}",
        "--user", f"anne:{PASSWORD}", "--mail-from", f"anne@{DOMAIN}",
        "--mail-rcpt", f"benoit@{DOMAIN}", "--upload-file", letter,
    )
    assert len(find(node, "benoit", word)) == 1


@pytest.mark.parametrize("door", ["smtp", "imap", "smtps", "imaps"])
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_verifies_the_certificate(node, certificate, door, version):
    port = {
        "smtp": node.smtp, "imap": node.imap, "smtps": node.submissions, "imaps": node.imaps,
    }[door]
    upgrade = ["-starttls", door] if door in ("smtp", "imap") else []
    said = run(
        program("openssl"), "s_client", "-connect", f"{LOOPBACK}:{port}", *upgrade, version,
        "-CAfile", certificate.chain, "-verify_return_error", "-verify_hostname", certificate.name,
        input="QUIT\n" if "smtp" in door else "a LOGOUT\n",
    )
    assert "Verify return code: 0 (ok)" in said.stdout


def test_old_tls_is_refused(node):
    result = run(
        program("openssl"), "s_client", "-connect", f"{LOOPBACK}:{node.imaps}", "-tls1_1",
        "-cipher", "ALL:@SECLEVEL=0", check=False, input="",
    )
    assert result.returncode != 0


def test_what_follows_starttls_in_the_same_packet_is_not_obeyed(node):
    import socket

    with socket.create_connection((LOOPBACK, node.smtp), timeout=10) as plain:
        reader = plain.makefile("rb")
        reader.readline()
        plain.sendall(b"EHLO x\r\n")
        while reader.readline()[3:4] == b"-":
            pass
        plain.sendall(b"STARTTLS\r\nMAIL FROM:<injected@remote.test>\r\n")
        answer = reader.readline()
        if answer.startswith(b"220"):
            with trusting().wrap_socket(plain) as secure:
                secure.sendall(b"RCPT TO:<benoit@demo.example>\r\n")
                assert secure.recv(1000).startswith((b"503", b"501"))


def test_a_dot_line_that_is_not_crlf_dot_crlf_does_not_end_the_message(node):
    """SMTP smuggling: neither LF.LF nor CR.CR ends DATA."""
    for ending in (b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n"):
        with smtplib.SMTP(LOOPBACK, node.smtp, timeout=10) as client:
            client.ehlo("peer.test")
            client.mail("someone@remote.test")
            client.rcpt(f"benoit@{DOMAIN}")
            client.docmd("DATA")
            word = token()
            inner = (
                b"MAIL FROM:<evil@remote.test>\r\nRCPT TO:<benoit@demo.example>\r\nDATA\r\n"
                b"Subject: " + word.encode() + b"\r\n\r\nsmuggled\r\n.\r\n"
            )
            client.sock.sendall(b"Subject: outer\r\n\r\nfirst" + ending + inner)
            code, _ = client.getreply()
            assert code in (250, 500, 501, 550, 554), code
            try:
                client.noop()
            except smtplib.SMTPException:
                pass
        with Mailbox(node, "benoit") as mailbox:
            mailbox.select()
            assert mailbox.uids("SUBJECT", word) == [], ending


def test_a_message_above_the_limit_is_refused(node):
    with smtplib.SMTP(LOOPBACK, node.smtp, timeout=30) as client:
        client.ehlo("peer.test")
        assert client.esmtp_features["size"] == str(20 << 20)
        assert client.mail("someone@remote.test", [f"SIZE={21 << 20}"])[0] == 552


def test_a_large_message_comes_back_byte_for_byte(node):
    word = token()
    line = b"0123456789abcdef" * 4 + b"\r\n"
    body = line * (8_000_000 // len(line))
    letter = f"Subject: {word}\r\nFrom: a@remote.test\r\n\r\n".encode() + body
    with smtplib.SMTP(LOOPBACK, node.smtp, timeout=60) as client:
        client.ehlo("peer.test")
        client.mail("someone@remote.test", ["BODY=8BITMIME"])
        client.rcpt(f"benoit@{DOMAIN}")
        assert client.data(letter)[0] == 250
    with Mailbox(node, "benoit") as mailbox:
        mailbox.select()
        (uid,) = mailbox.uids("SUBJECT", word)
        assert mailbox.raw(uid).endswith(letter)


def test_binary_chunks_are_taken(node):
    """CHUNKING and BINARYMIME, RFC 3030: bytes that DATA could not carry."""
    word = token()
    header = (
        f"Subject: {word}\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n"
        "Content-Transfer-Encoding: binary\r\n\r\n"
    ).encode()
    body = bytes(range(256)) * 40 + b"\n.\n\r.\r\n"
    with smtplib.SMTP(LOOPBACK, node.smtp, timeout=10) as client:
        client.ehlo("peer.test")
        assert {"chunking", "binarymime"} <= set(client.esmtp_features)
        assert client.mail("someone@remote.test", ["BODY=BINARYMIME"])[0] == 250
        client.rcpt(f"benoit@{DOMAIN}")
        for chunk, last in ((header, ""), (body, " LAST")):
            client.sock.sendall(f"BDAT {len(chunk)}{last}\r\n".encode() + chunk)
            assert client.getreply()[0] == 250
    with Mailbox(node, "benoit") as mailbox:
        mailbox.select()
        (uid,) = mailbox.uids("SUBJECT", word)
        _, answer = mailbox.client.uid("FETCH", str(uid), "(BINARY.PEEK[1])")
        assert answer[0][1] == body


def test_addresses_in_utf8_are_taken(start_node):
    node = start_node(accounts=())
    node.command("account", "add", "benoit", f"benoît@{DOMAIN}", "--password-stdin", input="demo\n")
    word = token()
    with smtplib.SMTP(LOOPBACK, node.smtp, timeout=10) as client:
        client.ehlo("peer.test")
        client.command_encoding = "utf-8"
        assert client.mail("élise@remote.test", ["SMTPUTF8", "BODY=8BITMIME"])[0] == 250
        assert client.rcpt(f"benoît@{DOMAIN}")[0] == 250
        assert client.data(f"Subject: {word} été\r\n\r\nÉté\r\n".encode())[0] == 250
    assert word in node.journal() or "event=delivered" in node.journal()


def test_mail_for_the_postmaster_is_taken(node):
    word = token()
    deliver(node, message(word), [f"postmaster@{DOMAIN}"])
    assert len(find(node, "anne", word)) == 1


def test_the_null_reverse_path_is_taken(node):
    word = token()
    deliver(node, message(word), [f"anne@{DOMAIN}"], sender="")
    assert find(node, "anne", word)[0]["Return-Path"] == "<>"


def test_a_message_that_goes_in_circles_is_refused(node):
    loop = "".join(f"Received: from a{n} by b{n}; Mon, 23 Nov 2026 16:05:00 +0000\r\n" for n in range(150))
    with smtplib.SMTP(LOOPBACK, node.smtp, timeout=10) as client:
        client.ehlo("peer.test")
        client.mail("someone@remote.test")
        client.rcpt(f"benoit@{DOMAIN}")
        code, text = client.data((loop + "Subject: loop\r\n\r\n").encode())
        assert code == 554 and text.startswith(b"5.4.6"), (code, text)
