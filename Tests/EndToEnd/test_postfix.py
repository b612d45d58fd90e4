"""A real Postfix on the wire, in both directions, over STARTTLS only."""

import smtplib

from rig.mail import find, message, submit, token, trusting, wire
from rig.relais import DOMAIN
from rig.tools import LOOPBACK, eventually


def test_postfix_sends_to_us_and_receives_from_us(start_node, start_postfix):
    # Both need to know the other's port before they start.
    routes = {}
    postfix = start_postfix()
    node = start_node(
        {"route": [{"domain": "remote.test", "host": LOOPBACK, "port": postfix.port}]}
    )
    routes[DOMAIN] = node.smtp

    word = token()
    submit(node, message(word, to="benoit@remote.test"), to=["benoit@remote.test"])
    (letter,) = eventually(lambda: postfix.mailbox("benoit"), within=30)
    assert word.encode() in letter
    assert b"with ESMTPS id" in letter and b"TLSv1.3" in letter
    assert f"Return-Path: <anne@{DOMAIN}>".encode() in letter
    eventually(lambda: "event=relayed" in node.journal())
    assert "0 recipients" in node.command("queue", "list").stderr

    sender = start_postfix(**routes)
    word = token()
    with smtplib.SMTP(LOOPBACK, sender.port, timeout=30) as client:
        client.starttls(context=trusting())
        client.sendmail(
            "benoit@remote.test",
            [f"anne@{DOMAIN}", f"benoit@{DOMAIN}"],
            wire(message(word, "é" * 2000 + "\n.\n..\n")),
        )
    for login in ("anne", "benoit"):
        (new,) = find(node, login, word, within=30)
        assert "with ESMTPS" in new.get_all("Received")[0]
        assert "Postfix" in new.get_all("Received")[1]
        assert new.get_content().splitlines()[1:] == [".", ".."]
    assert "status=sent" in sender.log()


def test_postfix_returns_what_we_refuse(start_node, start_postfix):
    node = start_node()
    sender = start_postfix(**{DOMAIN: node.smtp})
    with smtplib.SMTP(LOOPBACK, sender.port, timeout=30) as client:
        client.starttls(context=trusting())
        client.sendmail("benoit@remote.test", [f"nobody@{DOMAIN}"], b"Subject: x\r\n\r\nx\r\n")
    (bounce,) = eventually(lambda: sender.mailbox("benoit"), within=30)
    assert b"550 5.1.1" in bounce and b"Undelivered Mail" in bounce
