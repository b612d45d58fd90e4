"""A next hop that says what the test wants: a small SMTP server on the standard library."""

import socketserver
import threading


class NextHop:
    """Accepts every recipient but those whose local part begins with a word in `replies`."""

    def __init__(self, port=0, host="127.0.0.1", extensions=("PIPELINING", "8BITMIME", "SIZE")):
        self.replies = {"unknown": "550 5.1.1 No such user here", "later": "450 4.2.1 Try later"}
        self.extensions = extensions
        self.messages = []
        self.mail_commands = []
        self.rcpt_commands = []
        self.lock = threading.Lock()
        hop = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self):
                Conversation(hop, self.rfile, self.wfile).run()

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self.server = Server((host, port), Session)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def received(self, token):
        """The envelopes and bytes of the messages that contain `token`."""
        with self.lock:
            return [one for one in self.messages if token.encode() in one[2]]


class Conversation:
    def __init__(self, hop, reader, writer):
        self.hop, self.reader, self.writer = hop, reader, writer
        self.reset()

    def reset(self):
        self.reverse_path, self.forward_paths = None, []

    def say(self, *lines):
        self.writer.write("".join(line + "\r\n" for line in lines).encode())

    def run(self):
        self.say("220 next.hop ESMTP")
        try:
            while line := self.reader.readline():
                if not self.obey(line.decode("utf-8", "replace").rstrip("\r\n")):
                    return
        except OSError:
            pass

    def obey(self, line):
        verb = line.split(" ")[0].upper()
        if verb == "EHLO":
            words = ["next.hop", *self.hop.extensions]
            marks = ["-"] * (len(words) - 1) + [" "]
            self.say(*(f"250{mark}{word}" for mark, word in zip(marks, words)))
        elif verb == "MAIL":
            self.reset()
            self.reverse_path = line[10:].split(">")[0].lstrip("<")
            self.hop.mail_commands.append(line)
            self.say("250 2.1.0 OK")
        elif verb == "RCPT":
            path = line[8:].split(">")[0].lstrip("<")
            self.hop.rcpt_commands.append(line)
            refusal = next(
                (text for word, text in self.hop.replies.items() if path.startswith(word)), None
            )
            if not refusal:
                self.forward_paths.append(path)
            self.say(refusal or "250 2.1.5 OK")
        elif verb == "DATA":
            self.data()
        elif verb == "QUIT":
            self.say("221 2.0.0 Bye")
            return False
        elif verb in ("RSET", "NOOP"):
            self.reset()
            self.say("250 2.0.0 OK")
        else:
            self.say("502 5.5.1 What?")
        return True

    def data(self):
        if not self.forward_paths:
            self.say("554 5.5.1 No valid recipients")
            return
        self.say("354 Go ahead")
        lines = []
        while (line := self.reader.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        if line:
            with self.hop.lock:
                self.hop.messages.append(
                    (self.reverse_path, list(self.forward_paths), b"".join(lines))
                )
            self.say("250 2.0.0 Queued as 42")
        self.reset()
