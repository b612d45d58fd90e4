import Foundation
import Net
import Synchronization
import Testing
import Transfer

/// Debian's Postfix as a next hop: what it writes into its mailboxes is the judge.
@Suite("The relay and Postfix")
struct PostfixTests {
    @Test func postfixTakesMessagesOverTLSOnOneConnection() async throws {
        try await Postfix.run { postfix in
            let hop = NextHop(
                .name("mx.example"),
                port: postfix.port,
                security: .required(.authorities(postfix.certificate))
            )
            let clock = Clock()
            let relay = try RelayTests.relay(hop, clock: clock)
            let before = try await postfix.connections()
            for _ in 0..<3 {
                let outcomes = await relay.attempt(
                    try makeAttempt(
                        to: "example.org",
                        ["anne@example.org", "nobody@example.org", "benoit@example.org"]
                    )
                )
                let results = RelayTests.summaries(outcomes)
                #expect(results[0].hasPrefix("relayed 2.0.0 250 2.0.0 Ok: queued as "))
                #expect(results[1].hasPrefix("bounced 5.1.1 550 5.1.1 <nobody@example.org>"))
                #expect(results[2] == results[0])
            }
            for box in ["anne", "benoit"] {
                let mails = try await postfix.mails(in: box, count: 3)
                for mail in mails {
                    #expect(mail.contains("using TLSv1.3"), "\(mail)")
                    #expect(mail.contains("Return-Path: <emma@client.example>"))
                    // It adds fields that our message lacks.
                    #expect(mail.contains("\nSubject: hello\n"))
                    #expect(mail.hasSuffix("\n\n.dots\n"))
                }
            }
            clock.advance(milliseconds: 5_000)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await relay.run() }
                let connections = try await postfix.connections()
                #expect(connections == before + 1)
                group.cancelAll()
                try await group.waitForAll()
            }
        }
    }

    @Test func postfixTakesMessagesInClear() async throws {
        try await Postfix.run { postfix in
            let relay = try RelayTests.relay(
                NextHop(.name("mx.example"), port: postfix.port, security: .none)
            )
            let outcomes = await relay.attempt(try makeAttempt(to: "example.org"))
            #expect(RelayTests.summaries(outcomes).allSatisfy { $0.hasPrefix("relayed") })
            let mails = try await postfix.mails(in: "anne", count: 1)
            #expect(mails.allSatisfy { !$0.contains("using TLS") })
        }
    }
}

/// A clock that stands still until it is told.
final class Clock: Sendable {
    private let milliseconds = Mutex<Int64>(0)

    var now: Int64 { milliseconds.withLock { $0 } }

    func advance(milliseconds more: Int64) { milliseconds.withLock { $0 += more } }
}

/// A Postfix of our own on a loopback port, with its queue and mailboxes in a temporary folder.
struct Postfix {
    let folder: String
    let port: UInt16
    var certificate: String { "\(folder)/cert.pem" }
    var log: String { "\(folder)/log" }

    /// Starts it, runs `body`, stops it and removes its folder.
    static func run(_ body: (Postfix) async throws -> Void) async throws {
        let folder = "/tmp/relais-postfix-\(UUID().uuidString.prefix(8))"
        let probe = Server([Listener(try #require(Endpoint("127.0.0.1:0")))])
        let port = try #require(try await probe.bind().first?.port)
        await probe.drain(within: .zero)
        let postfix = Postfix(folder: folder, port: port)
        try await postfix.start()
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(postfix))
        } catch {
            result = .failure(error)
        }
        _ = try await command(["postfix", "-c", "\(folder)/etc", "stop"])
        try FileManager.default.removeItem(atPath: folder)
        try result.get()
    }

    private func start() async throws {
        let script = """
            set -e
            D=\(folder)
            mkdir -p $D/etc $D/spool $D/data $D/boxes
            chown postfix $D/data; chown nobody $D/boxes; chmod 755 $D
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
              -subj /CN=mx.example -addext subjectAltName=DNS:mx.example \
              -keyout $D/key.pem -out $D/cert.pem 2>/dev/null
            cat > $D/etc/main.cf <<C
            compatibility_level = 3.6
            queue_directory = $D/spool
            data_directory = $D/data
            command_directory = /usr/sbin
            daemon_directory = /usr/lib/postfix/sbin
            shlib_directory = /usr/lib/postfix
            meta_directory = /etc/postfix
            mail_owner = postfix
            setgid_group = postdrop
            maillog_file_prefixes = $D
            maillog_file = $D/log
            myhostname = mx.example
            mydestination =
            mynetworks = 127.0.0.0/8
            inet_interfaces = 127.0.0.1
            inet_protocols = ipv4
            alias_maps =
            alias_database =
            smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
            smtpd_tls_security_level = may
            smtpd_tls_cert_file = $D/cert.pem
            smtpd_tls_key_file = $D/key.pem
            smtpd_tls_received_header = yes
            virtual_mailbox_domains = example.org
            virtual_mailbox_base = $D/boxes
            virtual_mailbox_maps = inline:{anne@example.org=anne/, benoit@example.org=benoit/}
            virtual_uid_maps = static:65534
            virtual_gid_maps = static:65534
            virtual_transport = virtual
            C
            sed -E "s/^smtp( +inet.*)/127.0.0.1:\(port)\\1/; s/^([a-z0-9.:]+ +(inet|unix|fifo|pass) +[-yn] +[-yn] +)[y-]( .*)/\\1n\\3/" \
              /usr/share/postfix/master.cf.dist > $D/etc/master.cf
            grep -q ^postlog $D/etc/master.cf || echo "postlog unix-dgram n - n - 1 postlogd" >> $D/etc/master.cf
            postfix -c $D/etc start
            for i in $(seq 100); do (exec 3<>/dev/tcp/127.0.0.1/\(port)) 2>/dev/null && exit 0; sleep 0.1; done
            exit 1
            """
        let outcome = try await command(["bash", "-c", script])
        try #require(outcome.status == 0, "\(outcome.output)")
    }

    /// Connections that have ended, once none is open.
    func connections() async throws -> Int {
        for _ in 0..<600 {
            let text = try String(contentsOfFile: log, encoding: .utf8)
            let opened = text.components(separatedBy: ": connect from ").count
            let closed = text.components(separatedBy: ": disconnect from ").count
            if opened == closed, opened > 1 { return closed - 1 }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("connections stay open")
        return 0
    }

    /// What lies in a mailbox once `count` messages have come.
    func mails(in box: String, count: Int) async throws -> [String] {
        let folder = "\(folder)/boxes/\(box)/new"
        for _ in 0..<600 {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            if names.count >= count {
                return try names.map {
                    try String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8)
                }
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        Issue.record("\(box) has too few messages")
        return Array(repeating: "", count: count)
    }
}
