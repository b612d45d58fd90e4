"""Mail programs that people use: mbsync and mutt."""

import os
import pty
import re
import select
import time

from rig.mail import Mailbox, deliver, find, message, token, wire
from rig.relais import DOMAIN, PASSWORD
from rig.tools import LOOPBACK, program, run


def test_mbsync_both_ways_and_then_no_change(node, tmp_path):
    login = node.add_account(token())
    with Mailbox(node, login) as mailbox:
        mailbox.client.create("Dossiers")
        mailbox.client.create('"Dossiers/&AMk-t&AOk-"')
        for folder in ("INBOX", "Dossiers", '"Dossiers/&AMk-t&AOk-"'):
            for number in range(5):
                mailbox.client.append(folder, r"(\Seen)" if number == 1 else None, None, wire(message(f"n{number}")))
    near = tmp_path / "mail"
    near.mkdir()
    settings = tmp_path / "mbsyncrc"
    settings.write_text(
        f"IMAPStore far\nHost localhost\nPort {node.imaps}\nUser {login}\nPass {PASSWORD}\n"
        f"SSLType IMAPS\nCertificateFile {node.config.parent.parent}/tls/mail.demo.example.pem\n\n"
        f"MaildirStore near\nPath {near}/\nInbox {near}/INBOX\nSubFolders Verbatim\n\n"
        "Channel all\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nRemove Both\nExpunge Both\n"
        "SyncState *\n"
    )

    def sync():
        return run(program("mbsync"), "-c", settings, "-V", "-a", timeout=60)

    def state():
        """What both sides hold."""
        here = sorted(
            (str(path.relative_to(near).parent.parent), path.name.rpartition(":2,")[2], path.read_bytes())
            for path in near.rglob("*")
            if path.is_file() and path.parent.name in ("cur", "new")
        )
        there = []
        with Mailbox(node, login) as mailbox:
            for name in ("INBOX", "Dossiers", '"Dossiers/&AMk-t&AOk-"'):
                mailbox.select(name)
                there.append(mailbox.client.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[])"))
        return here, there

    sync()
    first = state()
    assert len(first[0]) == 15
    sync()
    assert state() == first

    # A change on either side: a flag and a new message here, an expunge there.
    letter = next(path for path in near.glob("Dossiers/*/*") if not path.name.endswith("S"))
    base = letter.name.partition(":2,")[0]
    (near / "Dossiers/cur").mkdir(exist_ok=True)
    letter.rename(near / "Dossiers/cur" / f"{base}:2,F")
    (near / "INBOX/new/local.1").write_bytes(b"Subject: from here\n\nhello\n")
    with Mailbox(node, login) as mailbox:
        mailbox.select()
        mailbox.client.uid("STORE", "1", "+FLAGS", r"(\Deleted)")
        mailbox.client.expunge()
    sync()
    with Mailbox(node, login) as mailbox:
        mailbox.select("Dossiers")
        assert len(mailbox.uids("FLAGGED")) == 1
        mailbox.select()
        assert len(mailbox.uids("SUBJECT", '"from here"')) == 1
    after = state()
    assert len(after[0]) == 15
    for _ in range(2):
        sync()
        assert state() == after


def typed(command, keys, within=30, **environment):
    """Runs a full-screen program in a terminal of its own."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(environment, TERM="vt100")
        os.execvp(command[0], command)
    end = time.monotonic() + within
    screen = b""
    for key in keys:
        os.write(terminal, key)
    while time.monotonic() < end:
        ready, _, _ = select.select([terminal], [], [], 0.2)
        if ready:
            try:
                part = os.read(terminal, 65536)
            except OSError:
                break
            if not part:
                break
            screen += part
    else:
        os.kill(child, 9)
        os.waitpid(child, 0)
        raise AssertionError(f"did not end:\n{re.sub(rb'[^ -~]+', b' ', screen)[-2000:]}")
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), screen


def mutt_settings(node, tmp_path, login):
    settings = tmp_path / "muttrc"
    settings.write_text(
        f'set folder="{tmp_path}"\nset from="{login}@{DOMAIN}"\nset use_from=yes\nset record=""\nset header_cache=""\n'
        f'set smtp_url="smtp://{login}@{LOOPBACK}:{node.submission}/"\nset smtp_pass="{PASSWORD}"\n'
        'set smtp_authenticators="plain"\nset ssl_starttls=no\nset ssl_force_tls=no\n'
        f'set imap_user="{login}"\nset imap_pass="{PASSWORD}"\nset wait_key=no\nset confirmappend=no\nset confirmcreate=no\n'
        'set sleep_time=0\nset mail_check=0\nset quit=yes\nset delete=yes\nset move=no\nset timeout=2\n'
    )
    return settings


def test_mutt_sends_in_batch_mode(node, tmp_path):
    word = token()
    attachment = tmp_path / "pièce.txt"
    attachment.write_text("été\n" * 50)
    run(
        program("mutt"), "-n", "-F", mutt_settings(node, tmp_path, "anne"), "-s", f"{word} été",
        "-a", attachment, "--", f"benoit@{DOMAIN}", input="Bonjour,\nà bientôt.\n",
        env={**os.environ, "HOME": str(tmp_path), "LANG": "C.UTF-8"},
    )
    (new,) = find(node, "benoit", word)
    assert new["Subject"] == f"{word} été"
    assert "à bientôt" in new.get_body().get_content()
    (part,) = new.iter_attachments()
    assert part.get_content().split() == ["été"] * 50


def test_mutt_reads_saves_and_deletes(node, tmp_path):
    login = node.add_account(token())
    for number in range(3):
        deliver(node, message(f"lettre {number}"), [f"{login}@{DOMAIN}"])
    saved = tmp_path / "saved"
    keys = (
        f"<delete-pattern>~s 'lettre 1'<enter>"
        f"<tag-pattern>~s 'lettre 2'<enter><tag-prefix><copy-message><kill-line>{saved}<enter>"
        "<sync-mailbox><quit>"
    )
    status, screen = typed(
        [
            program("mutt"), "-n", "-F", str(mutt_settings(node, tmp_path, login)),
            "-f", f"imap://{LOOPBACK}:{node.imap}/INBOX", "-e", f'push "{keys}"',
        ],
        [],
        HOME=str(tmp_path),
        LANG="C.UTF-8",
    )
    assert status == 0, screen
    assert b"Subject: lettre 2" in saved.read_bytes()
    with Mailbox(node, login) as mailbox:
        mailbox.select()
        assert mailbox.uids("ALL") == [1, 3]
