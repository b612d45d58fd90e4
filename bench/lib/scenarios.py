"""What is measured. A scenario runs against one server and returns {figure: value}."""

import re
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from typing import Callable

from . import servers

MIX = "4k:70,30k:25,500k:5"
# The user whose mailbox "filled" is read; the last one.
FILLED = "filled"
FILLED_MESSAGES = 10_000
LARGE = "large"
LARGE_MESSAGES = 100_000


@dataclass
class Scenario:
    name: str
    group: str
    title: str
    measure: Callable
    most_rounds: int = 100

    def run(self, server, number, scale):
        return self.measure(self, server, number, scale)


def count(number, scale):
    return max(20, int(number * scale) // 20 * 20)


# Cyrus drops a message whose Message-ID a mailbox has had already, so no two loads of a run, and no
# two runs over the same data, may share a seed.
run_seed = 0


def seed(load, number):
    return run_seed * 1000 + load * 100 + number


# Mail coming in


def smtp_mix(scenario, server, number, scale):
    server.stop()
    before = server.data_bytes()
    server.start()
    messages = count(4000, scale)
    cpu = server.cpu_seconds()
    measured = server.load(
        "smtp", "--port", server.ports["smtp"], "--size", MIX, "--count", messages,
        "--sessions", 10, "--users", server.accounts, "--seed", seed(1, number),
        "--visible", f"imap://127.0.0.1:{server.ports['imap']}",
    )
    cpu = server.cpu_seconds() - cpu
    server.stop()
    after = server.data_bytes()
    server.start()
    return {
        "smtp-mix": measured["figures"]["visible_per_second"],
        "smtp-mix-accepted": measured["rate"],
        "smtp-mix-cpu": cpu * 1000 / messages,
        "disk-mix": (after - before) / messages,
    }


def lmtp(size, messages):
    def measure(scenario, server, number, scale):
        measured = server.load(
            "lmtp", "--port", server.ports["lmtp"], "--size", size,
            "--count", count(messages, scale), "--sessions", 10,
            "--users", server.accounts, "--seed", seed(2 if size == "4k" else 3, number),
        )
        return {scenario.name: measured["rate"], f"{scenario.name}-p99": measured["latency"]["p99"]}

    return measure


def append(size, messages):
    def measure(scenario, server, number, scale):
        measured = server.load(
            "imap-append", "--port", server.ports["imap"], "--size", size,
            "--count", count(messages, scale), "--sessions", 10,
            "--seed", seed(4 if size == "4k" else 5, number),
        )
        return {scenario.name: measured["rate"]}

    return measure


# Mail being read


def fill(server, mailbox, size, messages):
    if (server.name, mailbox) in fill.done:
        return
    measured = server.load(
        "imap-fill", "--port", server.ports["imap"], "--number", server.accounts,
        "--mailbox", mailbox, "--size", size, "--messages", messages, "--patience", 600,
    ) if not filled(server, mailbox, messages) else None
    fill.done.add((server.name, mailbox))
    if measured:
        print(f"filled {mailbox} of {server.name}: {measured['rate']:,.0f} messages/s", flush=True)


fill.done = set()


def filled(server, mailbox, messages):
    try:
        measured = server.load(
            "imap-select", "--port", server.ports["imap"], "--number", server.accounts,
            "--mailbox", mailbox, "--rounds", 1,
        )
    except servers.Failed:
        return False
    return measured["figures"]["mailbox_messages"] >= messages


def ask(command, *words, mailbox=FILLED, size=MIX, messages=FILLED_MESSAGES, rounds=5, rate=None):
    def measure(scenario, server, number, scale):
        fill(server, mailbox, size, int(messages * min(1, scale)))
        measured = server.load(
            command, "--port", server.ports["imap"], "--number", server.accounts,
            "--mailbox", mailbox, "--rounds", rounds, *words,
        )
        if rate == "megabytes":
            return {scenario.name: measured["megabytes_per_second"]}
        if rate == "milliseconds":
            return {scenario.name: measured["latency"]["p50"]}
        return {scenario.name: measured["figures"]["median_round_per_second"]}

    return measure


def login(scenario, server, number, scale):
    measured = server.load(
        "imap-login", "--port", server.ports["imap"], "--at-once", 20,
        "--count", count(1500, scale), "--users", server.accounts,
    )
    return {scenario.name: measured["rate"]}


# Memory

# Peers get fewer connections: a process each makes the figure the same, and 5,000 of them slow.
CONNECTIONS = {"relais": 5000, "relais-postgresql": 5000, "dovecot": 500, "cyrus": 200}


def idle(port, *words):
    def measure(scenario, server, number, scale):
        server.stop()
        server.start()
        time.sleep(2)
        roots = [word for pid in server.roots() for word in ("--pid", pid)]
        measured = server.load(
            "imap-idle", "--port", server.ports[port], *words, *roots,
            "--connections", max(100, int(CONNECTIONS[server.name] * min(1, scale))),
            "--users", server.accounts, "--rest", "idle", "--settle", 5,
        )
        return {scenario.name: measured["figures"]["pss_kb_per_connection"]}

    return measure


# System calls


def calls(command, size, messages):
    def measure(scenario, server, number, scale):
        server.stop()
        server.start()
        time.sleep(2)
        extra = []
        if command == "smtp":
            extra = ["--visible", f"imap://127.0.0.1:{server.ports['imap']}", "--users", 20]
        with tempfile.NamedTemporaryFile("r") as output:
            pids = [word for pid in server.tree() for word in ("-p", str(pid))]
            tracer = subprocess.Popen(
                ["strace", "-f", "-c", "-q", "-o", output.name, *pids],
                stderr=subprocess.DEVNULL, start_new_session=True,
            )
            time.sleep(2)
            try:
                server.load(
                    command, "--port", server.ports[command], "--size", size,
                    "--count", messages, "--sessions", 10, *extra,
                    "--seed", seed(6 if command == "smtp" else 7, number),
                )
                time.sleep(1)
            finally:
                tracer.send_signal(signal.SIGINT)
                tracer.wait(30)
            total, syncs = read_strace(output.read())
        return {
            f"{scenario.name}-all": total / messages,
            f"{scenario.name}-sync": syncs / messages,
        }

    return measure


def read_strace(text):
    total = syncs = 0
    for line in text.splitlines():
        fields = line.split()
        if len(fields) < 5 or not re.fullmatch(r"[\d.]+", fields[0]) or fields[-1] == "total":
            continue
        total += int(fields[3])
        if fields[-1] in ("fsync", "fdatasync", "sync_file_range", "msync", "syncfs"):
            syncs += int(fields[3])
    return total, syncs


ALL = [
    Scenario("smtp-mix", "delivery", "SMTP to visible in the mailbox, mix, 10 sessions", smtp_mix),
    Scenario("lmtp-4k", "delivery", "LMTP, 4 KB, 10 sessions", lmtp("4k", 10_000)),
    Scenario("append-4k", "delivery", "APPEND, 4 KB, 10 connections", append("4k", 10_000)),
    Scenario("append-mix", "delivery", "APPEND, mix, 10 connections", append(MIX, 4000)),
    Scenario("login", "reading", "IMAP logins, 20 at a time", login),
    Scenario("select", "reading", "SELECT, 10,000 messages", ask("imap-select", rounds=20)),
    Scenario("fetch-flags", "reading", "FETCH 1:* FLAGS", ask("imap-fetch", "--items", "flags")),
    Scenario(
        "fetch-envelope", "reading",
        "FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)",
        ask("imap-fetch", "--items", "envelope"),
    ),
    Scenario(
        "fetch-structure", "reading", "the same with BODYSTRUCTURE",
        ask("imap-fetch", "--items", "structure"),
    ),
    Scenario(
        "fetch-body", "reading", "FETCH 1:* BODY.PEEK[], mix",
        ask("imap-fetch", "--items", "body", rounds=3, rate="megabytes"),
    ),
    Scenario("store", "reading", "STORE 1:* ±FLAGS", ask("imap-store", rounds=6)),
    Scenario(
        "store-silent", "reading", "STORE 1:* ±FLAGS.SILENT",
        ask("imap-store", "--silent", rounds=6),
    ),
    Scenario(
        "search-text", "reading", "SEARCH TEXT without an index, mix",
        ask("imap-search", rounds=1),
    ),
    Scenario(
        "search-subject", "reading", "SEARCH SUBJECT",
        ask("imap-search", "--key", 'SUBJECT "nowhere to be found"', rounds=3),
    ),
    Scenario(
        "large-flags", "large", "FETCH 1:* FLAGS, 100,000 messages",
        ask("imap-fetch", "--items", "flags", mailbox=LARGE, size="2k", messages=LARGE_MESSAGES),
    ),
    Scenario(
        "large-select", "large", "SELECT, 100,000 messages",
        ask("imap-select", mailbox=LARGE, size="2k", messages=LARGE_MESSAGES, rounds=20),
    ),
    Scenario("idle-plain", "memory", "memory per idle connection", idle("imap"), 2),
    Scenario(
        "idle-tls", "memory", "memory per idle connection, TLS",
        idle("imaps", "--security", "tls"), 2,
    ),
    Scenario("calls-lmtp", "calls", "system calls, LMTP 4 KB", calls("lmtp", "4k", 400), 1),
    Scenario("calls-smtp", "calls", "system calls, SMTP mix", calls("smtp", MIX, 200), 1),
]

# Groups that run only when they are named.
ON_REQUEST = {"large"}


def select(only, skip):
    def named(scenario, words):
        return scenario.name in words or scenario.group in words

    words = only.split(",") if only else []
    known = {name for scenario in ALL for name in (scenario.name, scenario.group)}
    for word in words + (skip.split(",") if skip else []):
        if word not in known:
            raise SystemExit(f"no scenario or group is called {word}; see --list")
    chosen = [
        scenario for scenario in ALL
        if (named(scenario, words) if words else scenario.group not in ON_REQUEST)
    ]
    return [scenario for scenario in chosen if not (skip and named(scenario, skip.split(",")))]
