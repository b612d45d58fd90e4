"""Prints, for each file that Python's email package finds sound, its path and its parts.

Python looks for a message in every message/* part; only two of these types hold one.
"""

import email
import sys

MESSAGES = ("message/rfc822", "message/global")


def visit(part, depth, out):
    kind = part.get_content_type()
    out.append("%d:%s" % (depth, kind))
    holds = part.get_content_maintype() == "multipart" or kind in MESSAGES
    if part.is_multipart() and holds:
        for child in part.get_payload():
            visit(child, depth + 1, out)


def defects(part):
    found = list(part.defects)
    if part.is_multipart():
        for child in part.get_payload():
            found += defects(child)
    return found


for path in sys.argv[1:]:
    with open(path, "rb") as file:
        message = email.message_from_bytes(file.read())
    if "/malformed/" in path or defects(message):
        continue
    parts = []
    visit(message, 0, parts)
    print("%s\t%s" % (path, " ".join(parts)))
