"""A certificate authority for one run, and certificates for loopback."""

import pathlib

from rig.tools import program, run


class Certificate:
    """A self-signed certificate, made by openssl."""

    def __init__(self, folder, name="mail.demo.example"):
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.chain = str(folder / f"{name}.pem")
        self.key = str(folder / f"{name}.key")
        run(
            program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={name}",
            "-addext", f"subjectAltName=DNS:{name},DNS:localhost,IP:127.0.0.1",
            "-keyout", self.key, "-out", self.chain,
        )
        pathlib.Path(self.key).chmod(0o644)
