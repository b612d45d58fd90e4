"""Reads one delivery status notification from stdin and prints what it says.

Fails where the structure is not that of RFC 6522, RFC 3464 and RFC 6533.
"""

import email
import email.policy
import sys

data = sys.stdin.buffer.read()
message = email.message_from_bytes(data, policy=email.policy.SMTPUTF8)


def need(condition, what):
    if not condition:
        sys.exit("not so: " + what)


def walk_defects(part):
    need(not part.defects, f"{part.get_content_type()} has defects {part.defects}")
    for child in part.iter_parts() if part.is_multipart() else ():
        walk_defects(child)


walk_defects(message)
need(message.get_content_type() == "multipart/report", "multipart/report")
need(message.get_param("report-type") == "delivery-status", "report-type=delivery-status")
need(message["Auto-Submitted"] == "auto-replied", "Auto-Submitted")
need(message["From"].addresses[0].username == "MAILER-DAEMON", "From")
need(message["Message-ID"] and message["Date"].datetime, "Message-ID and Date")
need(message["Subject"].strip(), "Subject")
parts = list(message.iter_parts())
need(len(parts) == 3, "three parts")

text, status, returned = parts
need(text.get_content_type() == "text/plain", "text/plain first")
words = text.get_content()
need("avis automatique" in words and "automatic notice" in words, "two languages")
french_first = words.index("avis automatique") < words.index("automatic notice")
need(french_first == text["Content-Language"].startswith("fr"), "languages in order")
print("to=" + message["To"].addresses[0].addr_spec)
print("languages=" + text["Content-Language"])

kind = status.get_content_type()
need(kind in ("message/delivery-status", "message/global-delivery-status"), kind)
if kind == "message/delivery-status":
    blocks = status.get_payload()
    need(status.as_bytes().isascii(), "7-bit status fields")
else:
    # The package has no parser for the type of RFC 6533; the syntax is that of header blocks.
    start = data.index(b"\r\n\r\n", data.index(kind.encode())) + 4
    end = data.index(b"\r\n--" + message.get_boundary().encode(), start)
    blocks = [
        email.message_from_bytes(block, policy=email.policy.SMTPUTF8)
        for block in data[start:end].strip().split(b"\r\n\r\n")
    ]
first, recipients = blocks[0], blocks[1:]
need(first["Reporting-MTA"] == "dns; mx.demo.example", "Reporting-MTA")
need(first["Arrival-Date"] == "Mon, 23 Nov 2026 16:05:00 +0000", "Arrival-Date")
if first["Original-Envelope-Id"]:
    print("envelope=" + first["Original-Envelope-Id"])
for block in recipients:
    address_type, address = block["Final-Recipient"].split("; ")
    need(address_type == ("rfc822" if address.isascii() else "utf-8"), "address type")
    remote = block["Remote-MTA"] and block["Remote-MTA"].removeprefix("dns; ")
    need(bool(remote) == bool(block["Diagnostic-Code"]), "a diagnostic names who said it")
    need(block["Last-Attempt-Date"], "Last-Attempt-Date")
    line = f"recipient={address} action={block['Action']} status={block['Status']} remote={remote}"
    if block["Original-Recipient"]:
        line += f" original={block['Original-Recipient']}"
    if block["Will-Retry-Until"]:
        line += f" until={block['Will-Retry-Until']}"
    print(line)

kind = returned.get_content_type()
if kind == "message/rfc822":
    original = returned.get_payload(0)
else:
    start = data.index(b"\r\n\r\n", data.index(kind.encode())) + 4
    original = email.message_from_bytes(
        data[start : data.index(b"\r\n--" + message.get_boundary().encode(), start)]
    )
body = bool(original.get_payload().strip())
print(f"returned={kind} subject={original['Subject']} body={body}")
