package import Net

/// Asks the DNS what mail needs to know.
///
/// Built on libunbound, which keeps its own cache bounded by the records' times to live and verifies
/// DNSSEC where a trust anchor is configured.
package final class Resolver: Sendable {
    /// Whom to ask and how long to wait.
    package struct Settings: Sendable {
        package var servers: Servers
        /// A file in the format of `/etc/hosts` that is looked at first.
        package var hostsFile: String?
        /// A file with the DNS root's key; without one nothing is ever `secure`.
        package var trustAnchorFile: String?
        /// Longest wait for one answer, in milliseconds.
        package var timeoutMilliseconds: Int64
        /// Questions that libunbound works on at once; more wait.
        package var concurrentQueries: Int

        package init(
            servers: Servers,
            hostsFile: String? = nil,
            trustAnchorFile: String? = nil,
            timeoutMilliseconds: Int64 = 20_000,
            concurrentQueries: Int = 256
        ) {
            self.servers = servers
            self.hostsFile = hostsFile
            self.trustAnchorFile = trustAnchorFile
            self.timeoutMilliseconds = timeoutMilliseconds
            self.concurrentQueries = concurrentQueries
        }
    }

    package enum Servers: Sendable, Equatable {
        /// The name servers of a file in the format of `/etc/resolv.conf`.
        case resolvConf(String)
        /// Addresses of resolvers, each `address` or `address@port`.
        case forwarders([String])
        /// None: start from the DNS root.
        case roots
    }

    private let unbound: Unbound
    private let timeout: Int64

    package init(_ settings: Settings) throws(ResolverError) {
        unbound = try Unbound(settings)
        timeout = settings.timeoutMilliseconds
    }

    deinit { unbound.stop() }

    /// Ends every question under way with `.notAsked`, and takes no more.
    package func stop() { unbound.stop() }

    /// The mail exchangers of `domain`, best first; equal preferences in the order of the answer.
    ///
    /// RFC 5321 §5.1
    package func mx(_ domain: String) async -> Answer<MailExchanger> {
        let answer = await ask(domain, type: 15, RecordData.mailExchanger)
        guard case .records(let records, let validation) = answer else { return answer }
        return .records(records.sorted { $0.preference < $1.preference }, validation)
    }

    /// The IPv6 and IPv4 addresses of `host`, in this order.
    ///
    /// When one family is known and the other cannot be had, the known one is the answer.
    package func addresses(_ host: String) async -> Answer<IPAddress> {
        async let four = ask(host, type: 1, RecordData.address)
        async let six = ask(host, type: 28, RecordData.address)
        return Self.joined(await six, await four)
    }

    /// The TXT records of `name`, the strings of each joined.
    package func txt(_ name: String) async -> Answer<[UInt8]> {
        await ask(name, type: 16, RecordData.text)
    }

    /// The names of `address`.
    package func ptr(_ address: IPAddress) async -> Answer<String> {
        await ask(address.reverseName, type: 12) { RecordData.name($0[...]) }
    }

    /// The promises about the certificate of the TLS service at `port` of `host`, over TCP.
    ///
    /// RFC 6698 §3
    package func tlsa(_ host: String, port: UInt16) async -> Answer<TLSAssociation> {
        await ask("_\(port)._tcp.\(host)", type: 52, RecordData.tlsAssociation)
    }

    private func ask<Record>(
        _ name: String,
        type: CInt,
        _ read: ([UInt8]) -> Record?
    ) async -> Answer<Record> {
        guard let question = DomainName.ascii(name) else { return .noSuchDomain(.insecure) }
        let answer = await unbound.ask(question, type: type, milliseconds: timeout)
        switch answer {
        case .failed(.timedOut): return .temporaryFailure(.timedOut)
        case .failed(.notAsked): return .temporaryFailure(.notAsked)
        case .answered(let result): return Self.answer(result, read)
        }
    }

    private static func answer<Record>(
        _ result: RawResult,
        _ read: ([UInt8]) -> Record?
    ) -> Answer<Record> {
        if let reason = result.bogus { return .temporaryFailure(.bogus(reason)) }
        let validation: Answer<Record>.Validation = result.isSecure ? .secure : .insecure
        if result.isNoSuchDomain { return .noSuchDomain(validation) }
        guard result.responseCode == 0 else {
            return .temporaryFailure(.responseCode(result.responseCode))
        }
        guard !result.records.isEmpty else { return .noData(validation) }
        let records = result.records.compactMap(read)
        return records.isEmpty ? .temporaryFailure(.malformed) : .records(records, validation)
    }

    /// Both families together; secure only when both answers are.
    private static func joined(
        _ six: Answer<IPAddress>,
        _ four: Answer<IPAddress>
    ) -> Answer<IPAddress> {
        switch (six, four) {
        case (.records(let a, let first), .records(let b, let second)):
            .records(a + b, first == .secure && second == .secure ? .secure : .insecure)
        case (.records, _): six
        case (_, .records): four
        case (.temporaryFailure, _): six
        case (_, .temporaryFailure): four
        case (.noData, _): six
        default: four
        }
    }
}

/// Why a resolver could not be made.
package enum ResolverError: Error, Equatable {
    /// No memory, descriptor or thread.
    case cannotStart
    /// libunbound refused a setting: which one, and its words.
    case badSetting(String, String)
}
