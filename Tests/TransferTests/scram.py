"""Submits one message after a SCRAM-SHA-256 login, with Python's own primitives.

Arguments: port, login, password. Prints what the server answered.
"""

import base64
import hashlib
import hmac
import smtplib
import sys

port, login, password = int(sys.argv[1]), sys.argv[2], sys.argv[3]


def b64(data):
    return base64.b64encode(data).decode()


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


with smtplib.SMTP("127.0.0.1", port, local_hostname="client.example", timeout=60) as client:
    client.ehlo()
    bare = f"n={login},r=rOprNGfwEbeRWgbNEkqO"
    code, challenge = client.docmd("AUTH", "SCRAM-SHA-256 " + b64(b"n,," + bare.encode()))
    assert code == 334, (code, challenge)
    first = base64.b64decode(challenge).decode()
    fields = dict(part.split("=", 1) for part in first.split(","))
    salted = hashlib.pbkdf2_hmac(
        "sha256", password.encode(), base64.b64decode(fields["s"]), int(fields["i"])
    )
    key = mac(salted, "Client Key")
    final = f"c=biws,r={fields['r']}"
    said = f"{bare},{first},{final}"
    signature = mac(hashlib.sha256(key).digest(), said)
    proof = bytes(a ^ b for a, b in zip(key, signature))
    code, answer = client.docmd(b64(f"{final},p={b64(proof)}".encode()))
    if code == 334:
        expected = "v=" + b64(mac(mac(salted, "Server Key"), said))
        assert base64.b64decode(answer).decode() == expected, answer
        code, answer = client.docmd("")
    print(code, answer.decode())
    if code == 235:
        print(client.sendmail(
            f"{login}@example.org",
            ["emma@example.org", "bob@elsewhere.example"],
            b"From: <%s@example.org>\r\nSubject: scram\r\n\r\n.dot\r\n..\r\n" % login.encode(),
        ))
