"""Fixtures: each engine's database, a node on it, the peers.

The nodes and the servers live as long as the run; tests tell their messages apart by tokens.
"""

import os
import pathlib
import shutil
import tempfile

import pytest

from rig.certificate import Certificate
from rig.nexthop import NextHop
from rig.peers import Clamd, Postfix, Unbound
from rig.postgresql import PostgreSQL
from rig.relais import Relais
from rig.tools import free_port


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item, call):
    """Lets fixtures know that the test itself has failed: its nodes need not end well."""
    item.failed_before = getattr(item, "failed_before", False) or bool(call.excinfo)


AGENTS = ["anne", "benoit", "chloe", "david", "emma"]


@pytest.fixture(scope="session")
def folder():
    """Short, because a Unix socket's path is."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="relais-"))
    path.chmod(0o755)
    yield path
    if "KEEP" not in os.environ:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def certificate(folder):
    return Certificate(folder / "tls")


@pytest.fixture(scope="session")
def postgresql(folder):
    server = PostgreSQL(folder / "pg").start()
    yield server
    server.stop()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def engine(request):
    return request.param


@pytest.fixture(scope="session")
def database(engine, request):
    """Makes a new, empty database of the engine; None is the embedded one."""

    def make():
        return request.getfixturevalue("postgresql").new_database() if engine != "sqlite" else None

    return make


@pytest.fixture(scope="session")
def next_hop():
    hop = NextHop()
    yield hop
    hop.stop()


@pytest.fixture(scope="session")
def hop_port():
    """A port where at first nothing listens."""
    return free_port()


@pytest.fixture(scope="session")
def node(folder, engine, certificate, database, next_hop, hop_port):
    """The node that most tests share, with five agents."""
    node = Relais(
        folder / f"node-{engine}",
        certificate,
        database(),
        {
            "route": [
                {"domain": "remote.test", "host": "127.0.0.1", "port": next_hop.port},
                {"domain": "down.test", "host": "127.0.0.1", "port": hop_port},
            ],
        },
    )
    node.add_accounts(AGENTS)
    node.start()
    yield node
    node.stop()


@pytest.fixture(scope="session")
def clamd(folder):
    server = Clamd(folder / "clamd").start()
    yield server
    server.stop()


@pytest.fixture
def start_node(folder, engine, certificate, database, request):
    """Starts a node for one test alone."""
    nodes = []

    def start(settings=None, accounts=("anne", "benoit")):
        number = abs(hash((request.node.nodeid, len(nodes)))) % 1_000_000
        node = Relais(folder / f"own-{number}", certificate, database(), settings)
        nodes.append(node)
        if accounts:
            node.add_accounts(accounts)
        return node.start()

    yield start
    for node in nodes:
        if node.process and request.node.failed_before:
            node.kill()
        elif node.process:
            node.stop()


@pytest.fixture
def start_postfix(folder, certificate, request):
    servers = []

    def start(**routes):
        number = abs(hash((request.node.nodeid, len(servers)))) % 1_000_000
        server = Postfix(folder / f"postfix-{number}", certificate, routes)
        servers.append(server)
        return server.start()

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def start_unbound(folder, request):
    servers = []

    def start(*records):
        number = abs(hash((request.node.nodeid, len(servers)))) % 1_000_000
        server = Unbound(folder / f"unbound-{number}", *records).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()
