import DNS
import Net
import Testing

/// Against Debian's unbound as the forwarder.
@Suite("Resolver")
struct ResolverTests {
    private static let zones = """
          local-zone: "demo.test." static
          local-data: "demo.test. 60 IN MX 20 mx2.demo.test."
          local-data: "demo.test. 60 IN MX 10 MX1.Demo.Test."
          local-data: "demo.test. 60 IN NS ns.demo.test."
          local-data: "demo.test. 60 IN SOA ns.demo.test. root.demo.test. 1 60 60 60 60"
          local-data: "mx1.demo.test. 60 IN A 192.0.2.10"
          local-data: "mx1.demo.test. 60 IN AAAA 2001:db8::10"
          local-data: "mx2.demo.test. 60 IN A 192.0.2.20"
          local-data: "alias.demo.test. 60 IN CNAME mx1.demo.test."
          local-data: "silent.demo.test. 60 IN MX 0 ."
          local-data: 'spf.demo.test. 60 IN TXT "v=spf1 ip4:192.0.2.0/24" " -all"'
          local-data: "_25._tcp.mx1.demo.test. 60 IN TLSA 3 1 1 00112233"
          local-data: "xn--bcher-kva.demo.test. 60 IN A 192.0.2.30"
          local-data-ptr: "192.0.2.10 mx1.demo.test"
          local-data-ptr: "2001:db8::10 mx1.demo.test"
          local-zone: "refused.test." always_refuse
          local-zone: "slow.test." always_deny
          local-zone: "10.in-addr.arpa." transparent
          local-data-ptr: "10.1.2.3 private.demo.test"
        """

    private func resolver(
        _ server: LocalUnbound,
        timeout: Int64 = 10_000,
        concurrent: Int = 256
    ) throws -> Resolver {
        try Resolver(
            Resolver.Settings(
                servers: .forwarders(["127.0.0.1@\(server.port)"]),
                timeoutMilliseconds: timeout,
                concurrentQueries: concurrent
            )
        )
    }

    @Test func readsEveryTypeThatMailAsks() async throws {
        let server = try LocalUnbound(Self.zones)
        let dns = try resolver(server)

        let exchangers = [
            MailExchanger(preference: 10, exchange: "mx1.demo.test"),
            MailExchanger(preference: 20, exchange: "mx2.demo.test"),
        ]
        #expect(await dns.mx("Demo.test") == .records(exchangers, .insecure))

        let both = [try #require(IPAddress("2001:db8::10")), try #require(IPAddress("192.0.2.10"))]
        #expect(await dns.addresses("mx1.demo.test") == .records(both, .insecure))
        #expect(await dns.addresses("alias.demo.test") == .records(both, .insecure))
        #expect(
            await dns.addresses("mx2.demo.test")
                == .records([.v4(0xC000_0214)], .insecure)
        )
        #expect(
            await dns.addresses("bücher.demo.test") == .records([.v4(0xC000_021E)], .insecure)
        )

        let policy = Array("v=spf1 ip4:192.0.2.0/24 -all".utf8)
        #expect(await dns.txt("spf.demo.test") == .records([policy], .insecure))
        for address in both {
            #expect(await dns.ptr(address) == .records(["mx1.demo.test"], .insecure))
        }
        let promise = TLSAssociation(
            usage: 3,
            selector: 1,
            matchingType: 1,
            data: [0, 0x11, 0x22, 0x33]
        )
        #expect(await dns.tlsa("mx1.demo.test", port: 25) == .records([promise], .insecure))
        withExtendedLifetime(server) {}
    }

    @Test func tellsTheNullMXFromNone() async throws {
        let server = try LocalUnbound(Self.zones)
        let dns = try resolver(server)
        guard case .records(let silent, _) = await dns.mx("silent.demo.test") else {
            Issue.record("no records")
            return
        }
        #expect(silent.map(\.isNull) == [true])
        #expect(await dns.mx("mx1.demo.test") == .noData(.insecure))
        #expect(await dns.mx("nobody.demo.test") == .noSuchDomain(.insecure))
        #expect(await dns.mx("not a name") == .noSuchDomain(.insecure))
        withExtendedLifetime(server) {}
    }

    /// A private network's reverse zone is the forwarder's to answer.
    @Test func asksForPrivateAddresses() async throws {
        let server = try LocalUnbound(Self.zones)
        let dns = try resolver(server)
        let address = try #require(IPAddress("10.1.2.3"))
        #expect(await dns.ptr(address) == .records(["private.demo.test"], .insecure))
        withExtendedLifetime(server) {}
    }

    @Test func aRefusalIsTemporary() async throws {
        let server = try LocalUnbound(Self.zones)
        let dns = try resolver(server, timeout: 20_000)
        #expect(await dns.mx("a.refused.test") == .temporaryFailure(.responseCode(2)))
        withExtendedLifetime(server) {}
    }

    /// Questions without an answer end in time and keep nobody else waiting for ever.
    @Test func silenceEndsInTime() async throws {
        let server = try LocalUnbound(Self.zones)
        let dns = try resolver(server, timeout: 300)
        let clock = ContinuousClock()
        let start = clock.now
        await withTaskGroup(of: Answer<MailExchanger>.self) { group in
            for number in 0..<50 {
                group.addTask { await dns.mx("n\(number).slow.test") }
            }
            for await answer in group { #expect(answer == .temporaryFailure(.timedOut)) }
        }
        #expect(clock.now - start < .seconds(5))
        withExtendedLifetime(server) {}
    }

    /// Two places for sixty questions: the others wait their turn and are answered.
    @Test func boundsWhatIsAskedAtOnce() async throws {
        let server = try LocalUnbound(Self.zones)
        let dns = try resolver(server, concurrent: 2)
        let names = (0..<60).map { "n\($0).demo.test" }
        let answers = await withTaskGroup(of: Answer<MailExchanger>.self) { group in
            for name in names { group.addTask { await dns.mx(name) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.allSatisfy { $0 == .noSuchDomain(.insecure) })
        #expect(answers.count == names.count)
        withExtendedLifetime(server) {}
    }

    @Test func stoppingAnswersEverybody() async throws {
        let server = try LocalUnbound(Self.zones)
        let dns = try resolver(server, timeout: 60_000)
        async let first = dns.mx("a.slow.test")
        async let second = dns.mx("b.slow.test")
        dns.stop()
        #expect(await first == .temporaryFailure(.notAsked))
        #expect(await second == .temporaryFailure(.notAsked))
        #expect(await dns.mx("demo.test") == .temporaryFailure(.notAsked))
        withExtendedLifetime(server) {}
    }

    @Test func aCancelledTaskIsAnswered() async throws {
        let server = try LocalUnbound(Self.zones)
        let dns = try resolver(server, timeout: 60_000)
        await withTaskGroup(of: Answer<MailExchanger>.self) { group in
            group.addTask { await dns.mx("c.slow.test") }
            group.cancelAll()
            for await answer in group { #expect(answer == .temporaryFailure(.notAsked)) }
        }
        withExtendedLifetime(server) {}
    }

    @Test func aBadSettingIsNamed() {
        #expect(throws: ResolverError.self) {
            try Resolver(Resolver.Settings(servers: .forwarders(["not an address"])))
        }
        #expect(throws: ResolverError.self) {
            try Resolver(Resolver.Settings(servers: .resolvConf("/nonexistent/resolv.conf")))
        }
    }
}
