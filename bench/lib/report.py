"""The results as a page and as a short table."""

from statistics import median

from . import scenarios

# Figures in the order of the page: name, what it is, unit, and whether more is better.
FIGURES = [
    ("smtp-mix", "SMTP to visible in the mailbox, mix, 10 sessions", "messages/s", True),
    ("smtp-mix-accepted", "– accepted by SMTP", "messages/s", True),
    ("smtp-mix-cpu", "– processor time of the server per message", "ms", False),
    ("disk-mix", "– disk per message of the mix", "bytes", False),
    ("lmtp-4k", "LMTP, 4 KB, 10 sessions", "messages/s", True),
    ("lmtp-4k-p99", "– 99th percentile of the time to the reply", "ms", False),
    ("append-4k", "APPEND, 4 KB, 10 connections", "messages/s", True),
    ("append-mix", "APPEND, mix, 10 connections", "messages/s", True),
    ("login", "IMAP logins, 20 at a time", "logins/s", True),
    ("select", "SELECT, 10,000 messages", "commands/s", True),
    ("fetch-flags", "FETCH 1:* FLAGS, 10,000 messages", "messages/s", True),
    ("fetch-envelope", "FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)", "messages/s", True),
    ("fetch-structure", "– the same with BODYSTRUCTURE", "messages/s", True),
    ("fetch-body", "FETCH 1:* BODY.PEEK[], 10,000 of the mix", "MB/s", True),
    ("store", "STORE 1:* ±FLAGS, 10,000 messages", "messages/s", True),
    ("store-silent", "STORE 1:* ±FLAGS.SILENT, 10,000 messages", "messages/s", True),
    ("search-text", "SEARCH TEXT, 10,000 of the mix, nothing found", "messages/s", True),
    ("search-subject", "SEARCH SUBJECT, 10,000 messages, nothing found", "messages/s", True),
    ("large-flags", "FETCH 1:* FLAGS, 100,000 messages", "messages/s", True),
    ("large-select", "SELECT, 100,000 messages", "commands/s", True),
    ("idle-plain", "memory per idle IMAP connection", "KB", False),
    ("idle-tls", "memory per idle IMAP connection, TLS", "KB", False),
    ("calls-lmtp-all", "system calls per message, LMTP 4 KB", "calls", False),
    ("calls-lmtp-sync", "– of them fsync, fdatasync", "calls", False),
    ("calls-smtp-all", "system calls per message, SMTP mix", "calls", False),
    ("calls-smtp-sync", "– of them fsync, fdatasync", "calls", False),
]


def number(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def cell(values):
    if not values:
        return "–"
    middle = number(median(values))
    if len(values) == 1:
        return middle
    return f"**{middle}** ({number(min(values))}–{number(max(values))})"


def ratio(ours, theirs, more_is_better):
    """How many times better ours is; a star when the worst of ours beats the best of theirs."""
    if not ours or not theirs or not median(ours) or not median(theirs):
        return "–"
    if more_is_better:
        value, clear = median(ours) / median(theirs), min(ours) > max(theirs)
    else:
        value, clear = median(theirs) / median(ours), max(ours) < min(theirs)
    clear = clear and len(ours) > 1
    text = f"{value:.1f}×" if value < 100 else f"{value:.0f}×"
    return text + ("\\*" if clear else "")


def rows(results, field):
    subject, peers = field[0], field[1:]
    yield (
        ["", "unit"] + [server.title for server in field]
        + [f"against {peer.name.capitalize()}" for peer in peers]
    )
    for name, title, unit, more_is_better in FIGURES:
        if name not in results:
            continue
        values = {server.name: results[name].get(server.name, []) for server in field}
        yield (
            [title, unit] + [cell(values[server.name]) for server in field]
            + [ratio(values[subject.name], values[peer.name], more_is_better) for peer in peers]
        )


def table(results, field):
    lines = []
    for index, row in enumerate(rows(results, field)):
        lines.append("| " + " | ".join(row) + " |")
        if index == 0:
            lines.append("|" + "---|" * len(row))
    return "\n".join(lines)


def summary(results, wanted, field):
    return "\n" + table(results, field).replace("\\*", "*").replace("**", "")


def page(facts, results, wanted, field, chosen):
    lines = [
        "# What was measured, side by side",
        "",
        "Written by `make bench`; every figure below comes from this one run.",
        "",
        "| | |",
        "|---|---|",
    ]
    lines += [f"| {name} | {value} |" for name, value in facts]
    lines += [
        "",
        f"Figures are medians of {chosen.rounds} rounds (memory of 2, system calls of 1), smallest and",
        "largest in parentheses. \"against\" says how many times better the first column is, more",
        "being better for rates and less for costs; a star marks a figure whose worst round beats the",
        "other's best. The load generator runs on the same machine and shares its cores.",
        "",
        table(results, field),
        "",
        "## How",
        "",
        "- One server runs at a time; in each round each is started, loaded and stopped, and the order",
        "  turns. All servers listen on loopback, and are durable as each one's own defaults have it:",
        "  mail is flushed to disk before it is acknowledged.",
        f"- {chosen.accounts} accounts; messages go to them in turn. Mix means 70 % of 4 KB (text),",
        "  25 % of 30 KB (text and HTML) and 5 % of 500 KB (text and an attachment of random bytes in",
        "  base64), 36,000 bytes on average; no two messages are alike, and every server gets the same.",
        "- *SMTP to visible* ends when STATUS counts every message in its recipient's INBOX.",
        "- *Disk* is the growth of the data directories (`du`, blocks) over the messages of that run,",
        "  the server being stopped before and after.",
        "- *Memory* is the growth of the proportional set size of the server's processes, divided by",
        "  the connections: " + connections(field) + ", each with INBOX selected and in IDLE.",
        "- *System calls* are counted by `strace -c -f` over all processes of the server, in a run of",
        "  its own.",
        "",
        "## Commands",
        "",
        "    bench/run --servers " + chosen.servers + f" --rounds {chosen.rounds} --seed {chosen.seed}",
        "",
        "runs, for each server (`bench/peers/NAME start` shows how it is set up):",
        "",
    ]
    lines += [f"    {line}" for line in COMMANDS]
    return "\n".join(lines) + "\n"


def connections(field):
    return ", ".join(f"{scenarios.CONNECTIONS[server.name]:,} for {server.title}" for server in field)


COMMANDS = [
    f"relais-bench smtp --size {scenarios.MIX} --count 4000 --sessions 10 --visible imap://…",
    "relais-bench lmtp --size 4k --count 10000 --sessions 10",
    "relais-bench imap-append --size 4k --count 10000 --sessions 10",
    f"relais-bench imap-append --size {scenarios.MIX} --count 4000 --sessions 10",
    "relais-bench imap-login --count 1500 --at-once 20",
    f"relais-bench imap-fill --size {scenarios.MIX} --messages 10000 --mailbox filled",
    "relais-bench imap-select --mailbox filled --rounds 20",
    "relais-bench imap-fetch --mailbox filled --items flags|envelope|structure|body",
    "relais-bench imap-store --mailbox filled [--silent]",
    "relais-bench imap-search --mailbox filled [--key 'SUBJECT \"nowhere to be found\"']",
    "relais-bench imap-idle --connections N --rest idle [--security tls] --pid …",
]
