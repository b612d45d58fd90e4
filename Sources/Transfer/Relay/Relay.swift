import DNS
import Mail
package import Net
package import Queue
import SMTP

/// Hands queued messages to their next hops over SMTP and LMTP.
///
/// What is tried, in this order: a session that is still open; then each address of each host of
/// the itinerary. An answer of a host about a recipient is final for this attempt; a host that
/// cannot be reached, or goes away before it has answered, leaves its recipients to the next.
///
/// RFC 5321 §5.1
package final class Relay: DeliveryAgent {
    let settings: RelaySettings
    let dns: MailDNS
    let dialer: Dialer
    let pool: SessionPool
    let clock: @Sendable () -> Int64
    private let bodies: any MessageBodies
    private let random: @Sendable () -> UInt64
    private let contexts: [NextHop.Verification: ClientTLS]

    /// - Parameter clock: milliseconds, for the age of idle sessions.
    package init(
        _ settings: RelaySettings,
        dns: MailDNS,
        bodies: any MessageBodies,
        dialer: Dialer = Dialer(),
        clock: @escaping @Sendable () -> Int64,
        random: @escaping @Sendable () -> UInt64
    ) throws(NetError) {
        self.settings = settings
        self.dns = dns
        self.bodies = bodies
        self.dialer = dialer
        self.clock = clock
        self.random = random
        pool = SessionPool(
            limit: settings.idleConnections,
            limitPerHost: settings.idleConnectionsPerHost,
            milliseconds: settings.idleMilliseconds
        )
        contexts = try Self.contexts(settings)
    }

    private static func contexts(
        _ settings: RelaySettings
    ) throws(NetError) -> [NextHop.Verification: ClientTLS] {
        var contexts: [NextHop.Verification: ClientTLS] = [:]
        let securities = settings.routes.values.map(\.security) + [settings.exchangerSecurity]
        for verification in Set(securities.map(\.verification)) {
            switch verification {
            case .none: contexts[verification] = try ClientTLS.opportunistic()
            case .system: contexts[verification] = try ClientTLS.verified()
            case .authorities(let file):
                contexts[verification] = try ClientTLS.verified(authorities: file)
            }
        }
        return contexts
    }

    func tls(for security: NextHop.Security) -> ClientTLS? { contexts[security.verification] }

    /// Closes idle sessions when their time is up; runs until it is cancelled.
    package func run() async {
        while !Task.isCancelled {
            await close(pool.takeExpired(at: clock()))
            try? await Task.sleep(for: .seconds(1))
        }
        await close(pool.takeExpired(at: nil))
    }

    private func close(_ sessions: [RelaySession]) async {
        await withDiscardingTaskGroup { group in
            for session in sessions {
                group.addTask {
                    var session = session
                    await session.close()
                }
            }
        }
    }

    // MARK: Attempts

    package func attempt(_ attempt: DeliveryAttempt) async -> [RecipientOutcome] {
        let hop =
            settings.route(to: attempt.destination)
            ?? NextHop(
                .exchangers(of: attempt.destination),
                port: settings.exchangerPort,
                security: settings.exchangerSecurity
            )
        let hosts: [Host]
        switch await self.hosts(of: hop) {
        case .found(let found): hosts = found
        case .failed(let result): return attempt.outcomes(result)
        }
        do {
            let message = try await bodies.read(attempt.message.body)
            return await RelayAttempt(self, attempt, message, hop).run(hosts)
        } catch {
            return attempt.outcomes(
                .deferred(
                    NextHopReply(
                        nextHop: settings.hostName,
                        status: EnhancedStatus(4, 3, 0),
                        text: "The message cannot be read now",
                        origin: .local
                    ),
                    scope: .recipient
                )
            )
        }
    }

    /// A host to try: its name, and its addresses when they are known.
    enum Host {
        case name(String)
        case endpoint(Endpoint)
    }

    private enum Hosts {
        case found([Host])
        case failed(AttemptResult)
    }

    private func hosts(of hop: NextHop) async -> Hosts {
        switch hop.host {
        case .endpoint(let endpoint): return .found([.endpoint(endpoint)])
        case .name(let name): return .found([.name(name)])
        case .exchangers(let domain):
            if domain.hasPrefix("[") { return hosts(ofLiteral: domain, port: hop.port) }
            let itinerary = Itinerary(
                to: domain,
                await dns.exchangers(domain),
                ownNames: settings.ownNames,
                random: random
            )
            switch itinerary {
            case .hosts(let names): return .found(names.map(Host.name))
            case .bounced(let status, let text):
                return .failed(.bounced(.local(domain, status, text)))
            case .deferred(let status, let text):
                return .failed(.deferred(.local(domain, status, text), scope: .destination))
            }
        }
    }

    /// RFC 5321 §4.1.3.
    private func hosts(ofLiteral domain: String, port: UInt16) -> Hosts {
        var text = domain.dropFirst()
        if text.hasSuffix("]") { text = text.dropLast() }
        if text.lowercased().hasPrefix("ipv6:") { text = text.dropFirst(5) }
        guard let address = IPAddress(String(text)) else {
            let status = EnhancedStatus(5, 1, 2)
            return .failed(.bounced(.local(domain, status, "Not an address: \(domain)")))
        }
        return .found([.endpoint(.ip(address, port: port))])
    }
}

extension DeliveryAttempt {
    /// The same result for every recipient.
    func outcomes(_ result: AttemptResult) -> [RecipientOutcome] {
        recipients.map { RecipientOutcome(number: $0.number, result: result) }
    }
}

extension NextHopReply {
    /// A sentence of ours.
    static func local(_ nextHop: String, _ status: EnhancedStatus, _ text: String) -> NextHopReply {
        NextHopReply(nextHop: nextHop, status: status, text: text, origin: .local)
    }

    init(_ verdict: ClientVerdict, from nextHop: String) {
        self.init(
            nextHop: nextHop,
            status: verdict.status,
            text: verdict.text,
            origin: verdict.isRemote ? .remote : .local
        )
    }
}
