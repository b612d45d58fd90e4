"""Mail that leaves: deferred, retried, bounced, held, looked up in the DNS."""

import os
import smtplib


from rig.mail import find, message, submit, token, wire
from rig.nexthop import NextHop
from rig.relais import DOMAIN
from rig.tools import LOOPBACK, eventually


def listed(node, *options):
    return [line.split("\t") for line in node.command("queue", "list", *options).stdout.splitlines()]


def test_what_cannot_be_delivered_waits_and_goes_out_later(node, hop_port):
    word = token()
    submit(node, message(word), to=["someone@down.test"])
    (line,) = eventually(
        lambda: [one for one in listed(node, "--domain", "down.test") if one[3] == "deferred"]
    )
    queue_id = line[0]
    assert line[5:7] == [f"<anne@{DOMAIN}>", "<someone@down.test>"]
    shown = node.command("queue", "show", queue_id).stdout
    assert "attempts      1" in shown and "4.4.1" in shown
    assert f"queue_id={queue_id}" in node.journal() and "event=deferred" in node.journal()

    hop = NextHop(port=hop_port)
    try:
        assert "1 recipients" in node.command("queue", "retry", queue_id).stdout
        ((reverse_path, forward_paths, _),) = eventually(lambda: hop.received(word))
        assert (reverse_path, forward_paths) == (f"anne@{DOMAIN}", ["someone@down.test"])
        eventually(lambda: not listed(node, "--domain", "down.test"))
    finally:
        hop.stop()


def test_a_temporary_refusal_concerns_only_its_recipient(node, next_hop):
    word = token()
    submit(node, message(word), to=["fine@remote.test", "later.a@remote.test"])
    eventually(lambda: next_hop.received(word))
    (line,) = eventually(
        lambda: [
            one for one in listed(node, "--recipient", "later.a@remote.test") if one[3] == "deferred"
        ]
    )
    assert "450 4.2.1" in line[7]
    assert node.command("queue", "delete", line[0], "--yes").stdout == "1 recipients deleted\n"


def test_a_failure_comes_back_in_both_languages(node, next_hop):
    word = token()
    submit(node, message(word, body="le corps\n"), to=["unknown@remote.test", "fine@remote.test"])
    (report,) = eventually(
        lambda: [one for one in find(node, "anne", '"Message non remis"') if word in str(one)]
    )
    assert report["Return-Path"] == "<>"
    assert report["Auto-Submitted"] == "auto-replied"
    assert report.get_content_type() == "multipart/report"
    text, status, returned = report.iter_parts()
    words = text.get_content()
    assert "n'existe pas" in words and "does not exist" in words and "unknown@remote.test" in words
    per_message, recipient = status.get_payload()
    assert per_message["Reporting-MTA"] == "dns; mail.demo.example"
    assert recipient["Final-Recipient"] == "rfc822; unknown@remote.test"
    assert recipient["Action"] == "failed" and recipient["Status"] == "5.1.1"
    assert "550 5.1.1 No such user here" in recipient["Diagnostic-Code"]
    assert word in returned.as_string() and "le corps" not in returned.as_string()
    assert len(eventually(lambda: next_hop.received(word))) == 1
    assert not [one for one in listed(node) if one[6] == "<unknown@remote.test>"]


def test_dsn_parameters_are_obeyed(node):
    """NOTIFY, RET, ENVID and ORCPT, RFC 3461; the next hop has no DSN extension."""
    word = token()
    letter = message(word, body="le corps\n", sender=f"benoit@{DOMAIN}")
    with smtplib.SMTP(LOOPBACK, node.submission, timeout=10) as client:
        client.login("benoit", "demo")
        assert client.mail(f"benoit@{DOMAIN}", ["RET=FULL", "ENVID=QQ+2B1"])[0] == 250
        assert client.rcpt("unknown.a@remote.test", ["NOTIFY=NEVER"])[0] == 250
        assert client.rcpt("unknown.b@remote.test", ["NOTIFY=FAILURE", "ORCPT=rfc822;Old+2Bb@remote.test"])[0] == 250
        assert client.rcpt("fine@remote.test", ["NOTIFY=SUCCESS"])[0] == 250
        assert client.data(wire(letter))[0] == 250

    def reports(word_of_subject):
        return [one for one in find(node, "benoit", word_of_subject) if word in str(one)]

    (failed,) = eventually(lambda: reports('"Message non remis"'))
    _, status, returned = failed.iter_parts()
    assert returned.get_content_type() == "message/rfc822" and "le corps" in str(returned)
    blocks = status.get_payload()
    assert blocks[0]["Original-Envelope-Id"] == "QQ+1"
    assert [block["Final-Recipient"] for block in blocks[1:]] == ["rfc822; unknown.b@remote.test"]
    assert blocks[1]["Original-Recipient"] == "rfc822; Old+b@remote.test"
    (relayed,) = eventually(lambda: reports('"Message transmis"'))
    assert "Action: relayed" in str(relayed)


def test_a_next_hop_with_dsn_is_given_the_parameters(start_node):
    hop = NextHop(extensions=("PIPELINING", "8BITMIME", "SIZE", "DSN", "ENHANCEDSTATUSCODES"))
    try:
        node = start_node({"route": [{"domain": "*", "host": LOOPBACK, "port": hop.port}]})
        word = token()
        with smtplib.SMTP(LOOPBACK, node.submission, timeout=10) as client:
            client.login("anne", "demo")
            client.mail(f"anne@{DOMAIN}", ["RET=HDRS", "ENVID=abc"])
            client.rcpt("x@anywhere.test", ["NOTIFY=SUCCESS,DELAY"])
            client.data(wire(message(word)))
        eventually(lambda: hop.received(word))
        assert "RET=HDRS" in hop.mail_commands[-1] and "ENVID=abc" in hop.mail_commands[-1]
        assert "NOTIFY=SUCCESS,DELAY" in hop.rcpt_commands[-1]
    finally:
        hop.stop()


def test_operators_hold_release_and_delete(node, next_hop):
    word = token()
    submit(node, message(word), to=["later.b@remote.test"])
    choice = ["--recipient", "later.b@remote.test"]
    eventually(lambda: [one for one in listed(node, *choice) if one[3] == "deferred"])
    assert "1 recipients held" in node.command("queue", "hold", *choice).stdout
    assert listed(node, *choice)[0][3] == "held"
    assert "1 recipients released" in node.command("queue", "release", *choice).stdout
    eventually(lambda: [one for one in listed(node, *choice) if one[3] == "deferred"])
    assert "would delete 1" in node.command("queue", "delete", *choice).stdout
    node.command("queue", "delete", *choice, "--notify", "--yes")
    eventually(lambda: not listed(node, *choice))
    (report,) = eventually(
        lambda: [one for one in find(node, "anne", '"Message non remis"') if word in str(one)]
    )
    assert "retiré ce message" in next(report.iter_parts()).get_content()


def test_mx_records_decide(start_node, start_unbound):
    """The best exchanger is down, the second takes it; a null MX and a missing domain bounce."""
    assert os.geteuid() == 0, "port 25 of a loopback address needs root"
    hop = NextHop(host="127.0.0.25", port=25)
    try:
        dns = start_unbound(
            "two.test. MX 10 first.two.test.",
            "two.test. MX 20 second.two.test.",
            "first.two.test. A 127.0.0.24",
            "second.two.test. A 127.0.0.25",
            "plain.test. A 127.0.0.25",
            "silent.test. MX 0 .",
        )
        node = start_node({"dns": {"servers": [f"{LOOPBACK}@{dns.port}"]}})
        word = token()
        submit(
            node, message(word),
            to=["a@two.test", "b@plain.test", "c@silent.test", "d@missing.test"],
        )
        eventually(lambda: len(hop.received(word)) == 2, within=30)
        assert sorted(path for _, paths, _ in hop.received(word) for path in paths) == [
            "a@two.test", "b@plain.test",
        ]

        def told():
            reports = find(node, "anne", '"Message non remis"', within=30)
            text = "".join(str(one) for one in reports)
            return "c@silent.test" in text and "d@missing.test" in text and text

        text = eventually(told, within=30)
        assert "5.1.10" in text and "5.1.2" in text
    finally:
        hop.stop()


def test_lmtp_is_a_next_hop(start_node):
    """A domain routed to another node's LMTP door."""
    other = start_node({"mail": {"domains": ["elsewhere.test"], "postmaster": "anne@elsewhere.test"}}, accounts=())
    other.command("account", "add", "zoe", "zoe@elsewhere.test", "--password-stdin", input="demo\n")
    node = start_node(
        {"route": [{"domain": "elsewhere.test", "protocol": "lmtp", "host": LOOPBACK, "port": other.lmtp}]}
    )
    word = token()
    submit(node, message(word), to=["zoe@elsewhere.test", "nobody@elsewhere.test"])
    assert len(find(other, "zoe", word)) == 1
    assert len(find(node, "anne", '"Message non remis"')) == 1


def test_the_queue_survives_a_restart(start_node, hop_port):
    node = start_node({"route": [{"domain": "*", "host": LOOPBACK, "port": hop_port}]})
    word = token()
    submit(node, message(word), to=["someone@down.test"])
    eventually(lambda: [one for one in listed(node) if one[3] == "deferred"])
    node.kill()
    hop = NextHop(port=hop_port)
    try:
        node.start()
        node.command("queue", "retry", "--all")
        assert len(eventually(lambda: hop.received(word))) == 1
    finally:
        hop.stop()
