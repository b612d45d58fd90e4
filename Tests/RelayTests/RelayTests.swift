import DNS
import Mail
import Net
import Queue
import SMTP
import Synchronization
import Testing
import Transfer

@Suite("The relay")
struct RelayTests {
    static let message = Array("Subject: hello\r\n\r\n.dots\r\n".utf8)

    /// A relay for which every name has the loopback address, and `exchangers` are the exchangers.
    static func relay(
        _ hop: NextHop,
        exchangers: Answer<MailExchanger> = .noData(.insecure),
        clock: Clock = Clock(),
        _ change: (inout RelaySettings) -> Void = { _ in }
    ) throws -> Relay {
        var settings = RelaySettings(hostName: "relay.example", routes: ["example.org": hop])
        settings.exchangerPort = hop.port
        settings.connectTimeout = .seconds(60)
        change(&settings)
        let loopback = try #require(IPAddress("127.0.0.1"))
        let other = try #require(IPAddress("127.0.0.2"))
        return try Relay(
            settings,
            dns: MailDNS(
                exchangers: { _ in exchangers },
                addresses: { host in
                    switch host {
                    case "two.example": .records([loopback, other], .insecure)
                    case "other.example": .records([other], .insecure)
                    case "nowhere.example": .noSuchDomain(.insecure)
                    default: .records([loopback], .insecure)
                    }
                }
            ),
            bodies: FakeBodies(messages: [1: message]),
            clock: { clock.now },
            random: { 4 }
        )
    }

    static func summaries(_ outcomes: [RecipientOutcome]) -> [String] {
        outcomes.sorted { $0.number < $1.number }.map(\.result.summary)
    }

    @Test func aMessageIsHandedOverWithItsEnvelope() async throws {
        let server = FakeServer()
        try await server.serve { port in
            let relay = try Self.relay(NextHop(.name("mx.example"), port: port))
            let outcomes = await relay.attempt(
                try makeAttempt(to: "example.org", ["anne@example.org", "benoit@example.org"])
            )
            #expect(
                Self.summaries(outcomes) == [
                    "relayed 2.0.0 250 2.0.0 OK", "relayed 2.0.0 250 2.0.0 OK",
                ]
            )
            #expect(outcomes.allSatisfy { $0.result.reply.nextHop == "mx.example" })
        }
        #expect(
            server.received == [
                FakeServer.Received(
                    envelope: [
                        "MAIL FROM:<emma@client.example>", "RCPT TO:<anne@example.org>",
                        "RCPT TO:<benoit@example.org>",
                    ],
                    message: "Subject: hello\n\n..dots"
                )
            ]
        )
    }

    @Test func lmtpIsAFinalDelivery() async throws {
        let server = FakeServer(lmtp: true)
        try await server.serve { port in
            let hop = NextHop(.name("store.example"), port: port, dialect: .lmtp)
            let outcomes = try await Self.relay(hop).attempt(
                try makeAttempt(to: "example.org", ["anne@example.org", "benoit@example.org"])
            )
            #expect(
                Self.summaries(outcomes) == [
                    "delivered 2.0.0 250 2.0.0 OK", "delivered 2.0.0 250 2.0.0 OK",
                ]
            )
        }
    }

    @Test func theNextMessageUsesTheSameConnection() async throws {
        let server = FakeServer()
        try await server.serve { port in
            let relay = try Self.relay(NextHop(.name("mx.example"), port: port))
            for _ in 0..<3 {
                let outcomes = await relay.attempt(try makeAttempt(to: "example.org"))
                #expect(Self.summaries(outcomes) == ["relayed 2.0.0 250 2.0.0 OK"])
            }
            #expect(server.connections == 1)
            #expect(server.commands.filter { $0.hasPrefix("EHLO") }.count == 1)
        }
        #expect(server.received.count == 3)
    }

    @Test func aKeptConnectionThatWasClosedCostsNothing() async throws {
        let server = FakeServer { line, before in
            line == "." && before == 0 ? .say("250 2.0.0 OK\r\n421 4.3.2 Bye") : nil
        }
        try await server.serve { port in
            let relay = try Self.relay(NextHop(.name("mx.example"), port: port))
            for _ in 0..<2 {
                let outcomes = await relay.attempt(try makeAttempt(to: "example.org"))
                #expect(Self.summaries(outcomes) == ["relayed 2.0.0 250 2.0.0 OK"])
            }
            #expect(server.connections == 2)
        }
    }

    @Test func aConnectionServesOnlySoManyMessages() async throws {
        let server = FakeServer()
        try await server.serve { port in
            let relay = try Self.relay(NextHop(.name("mx.example"), port: port)) {
                $0.transactionsPerConnection = 2
            }
            for _ in 0..<4 { _ = await relay.attempt(try makeAttempt(to: "example.org")) }
            #expect(server.connections == 2)
            #expect(server.commands.filter { $0 == "QUIT" }.count == 2)
        }
    }

    @Test func everyRecipientHasAnAnswerOfItsOwn() async throws {
        let server = FakeServer { line, _ in
            if line.contains("<nobody@") { return .say("550 5.1.1 No such user") }
            if line.contains("<full@") { return .say("452 4.2.2 Full") }
            return nil
        }
        try await server.serve { port in
            let outcomes = try await Self.relay(NextHop(.name("mx.example"), port: port)).attempt(
                try makeAttempt(
                    to: "example.org",
                    ["anne@example.org", "nobody@example.org", "full@example.org"]
                )
            )
            #expect(
                Self.summaries(outcomes) == [
                    "relayed 2.0.0 250 2.0.0 OK", "bounced 5.1.1 550 5.1.1 No such user",
                    "deferred 4.2.2 452 4.2.2 Full",
                ]
            )
        }
    }

    @Test func tooManyRecipientsGoInSeveralTransactions() async throws {
        let server = FakeServer { line, before in
            line.hasPrefix("RCPT") && before % 4 >= 2 ? .say("452 4.5.3 Too many") : nil
        }
        try await server.serve { port in
            let relay = try Self.relay(NextHop(.name("mx.example"), port: port)) {
                $0.recipientsPerTransaction = 4
            }
            let outcomes = await relay.attempt(
                try makeAttempt(to: "example.org", (0..<6).map { "agent\($0)@example.org" })
            )
            #expect(outcomes.count == 6)
            #expect(outcomes.allSatisfy { $0.result.summary.hasPrefix("relayed") })
            #expect(server.received.count == 3)
        }
    }

    // MARK: Hostile servers

    @Test(arguments: [
        ("", "deferred destination 4.3.2 421 4.3.2 Bye"),
        ("EHLO", "deferred destination 4.3.2 421 4.3.2 Bye"),
        ("MAIL", "deferred destination 4.3.2 421 4.3.2 Bye"),
        ("RCPT", "deferred destination 4.3.2 421 4.3.2 Bye"),
        ("DATA", "deferred destination 4.3.2 421 4.3.2 Bye"),
        (".", "deferred destination 4.3.2 421 4.3.2 Bye"),
    ])
    func aShutdownAtAnyPointDefers(verb: String, expected: String) async throws {
        let server = FakeServer { line, _ in
            line.prefix { $0 != " " } == verb ? .cut("421 4.3.2 Bye\r\n") : nil
        }
        try await server.serve { port in
            let outcomes = try await Self.relay(NextHop(.name("mx.example"), port: port)).attempt(
                try makeAttempt(to: "example.org")
            )
            #expect(Self.summaries(outcomes) == [expected])
        }
        #expect(server.received.isEmpty)
    }

    @Test(arguments: ["", "EHLO", "MAIL", "RCPT", "DATA", "."])
    func aLineCutInTheMiddleDefers(verb: String) async throws {
        let server = FakeServer { line, _ in
            line.prefix { $0 != " " } == verb ? .cut("250-half a re") : nil
        }
        try await server.serve { port in
            let outcomes = try await Self.relay(NextHop(.name("mx.example"), port: port)).attempt(
                try makeAttempt(to: "example.org")
            )
            #expect(
                Self.summaries(outcomes) == ["deferred destination 4.4.2 The connection was lost"]
            )
        }
    }

    @Test(arguments: ["", "MAIL", "RCPT", "."])
    func silenceDefersInBoundedTime(verb: String) async throws {
        let server = FakeServer { line, _ in line.prefix { $0 != " " } == verb ? .silence : nil }
        try await server.serve { port in
            let relay = try Self.relay(NextHop(.name("mx.example"), port: port)) {
                $0.timeouts.greeting = .milliseconds(400)
                $0.timeouts.rcpt = .milliseconds(400)
                $0.timeouts.mail = .milliseconds(400)
                $0.timeouts.dataTermination = .milliseconds(400)
            }
            let attempt = try makeAttempt(to: "example.org")
            let taken = await ContinuousClock().measure {
                let outcomes = await relay.attempt(attempt)
                #expect(
                    Self.summaries(outcomes) == ["deferred destination 4.4.2 No answer in time"]
                )
            }
            #expect(taken < .seconds(60))
        }
    }

    @Test(arguments: ["", "EHLO", "RCPT", "."])
    func repliesWithoutEndDefer(verb: String) async throws {
        let server = FakeServer { line, _ in line.prefix { $0 != " " } == verb ? .flood : nil }
        try await server.serve { port in
            let outcomes = try await Self.relay(NextHop(.name("mx.example"), port: port)).attempt(
                try makeAttempt(to: "example.org")
            )
            #expect(
                Self.summaries(outcomes) == [
                    "deferred destination 4.5.0 What came was not an SMTP reply"
                ]
            )
        }
    }

    @Test func aReplyTooManyDoesNotReachTheNextMessage() async throws {
        let server = FakeServer { line, before in
            line.hasPrefix("MAIL") && before == 0 ? .say("250 OK\r\n550 5.1.1 Stray") : nil
        }
        try await server.serve { port in
            let relay = try Self.relay(NextHop(.name("mx.example"), port: port))
            _ = await relay.attempt(try makeAttempt(to: "example.org"))
            let second = await relay.attempt(try makeAttempt(to: "example.org"))
            #expect(Self.summaries(second) == ["relayed 2.0.0 250 2.0.0 OK"])
            #expect(server.connections == 2)
        }
    }

    @Test func aRefusingGreetingIsNoBounce() async throws {
        let server = FakeServer { line, _ in line.isEmpty ? .say("554 5.3.2 No service") : nil }
        try await server.serve { port in
            let outcomes = try await Self.relay(NextHop(.name("mx.example"), port: port)).attempt(
                try makeAttempt(to: "example.org")
            )
            #expect(Self.summaries(outcomes) == ["deferred destination 4.3.2 554 5.3.2 No service"])
        }
    }

    // MARK: Hosts

    @Test func aHostThatIsDownLeavesItToTheNext() async throws {
        let server = FakeServer()
        try await server.serve(at: "127.0.0.2") { port in
            let relay = try Self.relay(NextHop(.name("two.example"), port: port))
            let outcomes = await relay.attempt(try makeAttempt(to: "example.org"))
            #expect(Self.summaries(outcomes) == ["relayed 2.0.0 250 2.0.0 OK"])
        }
    }

    @Test func exchangersAreTriedInOrderAndAnAnswerIsFinal() async throws {
        let down = FakeServer { line, _ in line.hasPrefix("RCPT") ? .cut("421 4.3.2 Bye\r\n") : nil
        }
        let up = FakeServer()
        let exchangers = Answer<MailExchanger>.records(
            [
                MailExchanger(preference: 10, exchange: "nowhere.example"),
                MailExchanger(preference: 20, exchange: "mx.example"),
                MailExchanger(preference: 30, exchange: "other.example"),
            ],
            .insecure
        )
        try await down.serve { port in
            try await up.serve(at: "127.0.0.2", port: port) { _ in
                let hop = NextHop(.exchangers(of: "example.org"), port: port)
                let relay = try Self.relay(hop, exchangers: exchangers)
                let outcomes = await relay.attempt(try makeAttempt(to: "example.org"))
                #expect(Self.summaries(outcomes) == ["relayed 2.0.0 250 2.0.0 OK"])
                #expect(outcomes.first?.result.reply.nextHop == "other.example")
            }
        }
        #expect(down.connections == 1)
    }

    @Test func nobodyListeningDefers() async throws {
        let hop = NextHop(.name("two.example"), port: 1)
        let outcomes = try await Self.relay(hop).attempt(try makeAttempt(to: "example.org"))
        #expect(Self.summaries(outcomes) == ["deferred destination 4.4.1 Connection refused"])
    }

    @Test func theNullExchangerBounces() async throws {
        let null = Answer<MailExchanger>.records([.init(preference: 0, exchange: "")], .insecure)
        let relay = try Self.relay(NextHop(.exchangers(of: "example.org")), exchangers: null)
        let outcomes = await relay.attempt(try makeAttempt(to: "example.org"))
        #expect(
            Self.summaries(outcomes) == [
                "bounced 5.1.10 556 Domain example.org does not accept mail"
            ]
        )
    }

    @Test func hostsWithoutAnyAddressBounce() async throws {
        let relay = try Self.relay(NextHop(.name("nowhere.example")))
        let outcomes = await relay.attempt(try makeAttempt(to: "example.org"))
        #expect(Self.summaries(outcomes).first?.hasPrefix("bounced 5.4.4 ") == true)
    }

    @Test func anAddressLiteralNeedsNoDNS() async throws {
        let server = FakeServer()
        try await server.serve { port in
            let relay = try Self.relay(NextHop(.name("unused.example"), port: port))
            let outcomes = await relay.attempt(try makeAttempt(to: "[127.0.0.1]"))
            #expect(Self.summaries(outcomes) == ["relayed 2.0.0 250 2.0.0 OK"])
        }
    }
}

@Suite("Itineraries and routes")
struct ItineraryTests {
    func summary(_ relay: Relay, _ destination: String) async throws -> String {
        let outcomes = await relay.attempt(try makeAttempt(to: destination))
        return try #require(outcomes.first).result.summary
    }

    @Test(arguments: [
        (["10 relay.example"], "bounced 5.4.6 Mail for example.net loops back to this host"),
        (
            ["10 relay.example", "10 mx.example", "20 mx.example"],
            "bounced 5.4.6 Mail for example.net loops back to this host"
        ),
        (
            ["5 mx.example", "10 relay.example"],
            "deferred destination 4.4.1 Connection refused"
        ),
    ])
    func whatIsNoBetterThanWeAreIsLeftOut(
        exchangers: [String],
        expected: String
    ) async throws {
        let records = try exchangers.map { text in
            let words = text.split(separator: " ").map(String.init)
            return MailExchanger(preference: try #require(UInt16(words[0])), exchange: words[1])
        }
        let relay = try RelayTests.relay(
            NextHop(.name("unused"), port: 1),
            exchangers: .records(records, .insecure)
        )
        #expect(try await summary(relay, "example.net") == expected)
    }

    @Test func whatTheDNSSaysDecides() async throws {
        let hop = NextHop(.name("unused"), port: 1)
        let unknown = try RelayTests.relay(hop, exchangers: .noSuchDomain(.insecure))
        #expect(
            try await summary(unknown, "example.net")
                == "bounced 5.1.2 Domain example.net does not exist"
        )
        let silent = try RelayTests.relay(hop, exchangers: .temporaryFailure(.timedOut))
        #expect(
            try await summary(silent, "example.net")
                == "deferred destination 4.4.3 The DNS does not answer (no answer in time)"
        )
        let plain = try RelayTests.relay(hop, exchangers: .noData(.insecure))
        #expect(
            try await summary(plain, "example.net")
                == "deferred destination 4.4.1 Connection refused"
        )
    }

    @Test func exchangersOfOnePreferenceAreShuffled() async throws {
        let asked = Mutex<[String]>([])
        let records = (0..<8).map { MailExchanger(preference: 10, exchange: "mx\($0).example") }
        let lots = Mutex<UInt64>(0)
        let relay = try Relay(
            RelaySettings(hostName: "relay.example"),
            dns: MailDNS(
                exchangers: { _ in .records(records, .insecure) },
                addresses: { host in
                    asked.withLock { $0.append(host) }
                    return .noData(.insecure)
                }
            ),
            bodies: FakeBodies(messages: [1: []]),
            clock: { 0 },
            random: {
                lots.withLock { lot in
                    lot = lot &* 5 &+ 3
                    return lot % 8
                }
            }
        )
        _ = await relay.attempt(try makeAttempt(to: "example.net"))
        let order = asked.withLock { $0 }
        #expect(order.sorted() == records.map(\.exchange) && order != records.map(\.exchange))
    }

    @Test func theNearestRouteIsTaken() async throws {
        var settings = RelaySettings(hostName: "relay.example")
        for (name, port) in [("*", 1), (".example.net", 2), ("mail.example.net", 3)] {
            settings.routes[name] = NextHop(.name("hop\(port).example"), port: UInt16(port))
        }
        let asked = Mutex<[String]>([])
        let relay = try Relay(
            settings,
            dns: MailDNS(
                exchangers: { _ in .noData(.insecure) },
                addresses: { host in
                    asked.withLock { $0.append(host) }
                    return .noData(.insecure)
                }
            ),
            bodies: FakeBodies(messages: [1: []]),
            clock: { 0 },
            random: { 0 }
        )
        for destination in ["mail.example.net", "a.b.example.net", "example.net", "Example.COM"] {
            _ = await relay.attempt(try makeAttempt(to: destination))
        }
        #expect(
            asked.withLock { $0 } == [
                "hop3.example", "hop2.example", "hop1.example", "hop1.example",
            ]
        )
    }
}
