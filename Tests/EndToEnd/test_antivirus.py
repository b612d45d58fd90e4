"""A real clamd in the path, over its Unix socket and over TCP."""

import smtplib

import pytest

from rig.mail import deliver, find, message, token, wire
from rig.relais import DOMAIN
from rig.tools import LOOPBACK


@pytest.fixture
def scanned(start_node, clamd, engine):
    """One engine of database goes with the Unix socket, the other with TCP."""
    address = f"unix:{clamd.socket}" if engine == "sqlite" else f"{LOOPBACK}:{clamd.port}"
    return start_node(
        {"antivirus": [{"engine": "clamd", "addresses": [address], "timeout_seconds": 10}]}
    )


def infected(clamd):
    letter = message(token())
    letter.add_attachment(clamd.EICAR.encode(), maintype="application", subtype="octet-stream", filename="a.com")
    return letter


def test_the_engine_judges_every_message(scanned, clamd):
    word = token()
    deliver(scanned, message(word), [f"anne@{DOMAIN}"])
    assert len(find(scanned, "anne", word)) == 1

    letter = infected(clamd)
    with pytest.raises(smtplib.SMTPDataError) as refusal:
        deliver(scanned, letter, [f"anne@{DOMAIN}"])
    assert refusal.value.smtp_code in (550, 554)
    assert refusal.value.smtp_error.startswith(b"5.7."), refusal.value
    assert "event=infected" in scanned.journal()

    with smtplib.SMTP(LOOPBACK, scanned.submission, timeout=30) as client:
        client.login("anne", "demo")
        with pytest.raises(smtplib.SMTPDataError):
            client.send_message(letter)

    with smtplib.LMTP(LOOPBACK, scanned.lmtp) as client:
        client.ehlo("front.test")
        client.mail("someone@remote.test")
        client.rcpt(f"anne@{DOMAIN}")
        assert client.data(wire(letter))[0] in (550, 554)

    clamd.stop()
    with pytest.raises(smtplib.SMTPDataError) as deferral:
        deliver(scanned, message(token()), [f"anne@{DOMAIN}"])
    assert deferral.value.smtp_code == 451
    assert deferral.value.smtp_error.startswith(b"4."), deferral.value
    assert "event=engine_failed" in scanned.journal()

    clamd.start()
    word = token()
    deliver(scanned, message(word), [f"anne@{DOMAIN}"])
    assert len(find(scanned, "anne", word)) == 1
