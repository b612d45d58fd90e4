import DNS
import Mail
import Net

/// The hosts to try for a destination, best first; or why there is none.
///
/// | what the DNS says | what follows |
/// |---|---|
/// | exchangers | in order of preference, those of one preference shuffled |
/// | only the null exchanger | bounced with 5.1.10 |
/// | ourselves among them | we and all that are no better are left out; nobody left: bounced with 5.4.6 |
/// | no exchanger, but the name exists | the name itself is the host |
/// | no such name | bounced with 5.1.2 |
/// | no answer | deferred with 4.4.3 |
///
/// RFC 5321 §5.1, RFC 7505 §4.2
enum Itinerary: Equatable {
    case hosts([String])
    case bounced(EnhancedStatus, String)
    case deferred(EnhancedStatus, String)

    /// Exchangers looked at; a domain with more is served by its best.
    static let maximumHosts = 20

    init(
        to domain: String,
        _ answer: Answer<MailExchanger>,
        ownNames: Set<String>,
        random: () -> UInt64
    ) {
        switch answer {
        case .temporaryFailure(let failure):
            self = .deferred(EnhancedStatus(4, 4, 3), "The DNS does not answer (\(failure.words))")
        case .noSuchDomain:
            self = .bounced(EnhancedStatus(5, 1, 2), "Domain \(domain) does not exist")
        case .noData:
            self =
                ownNames.contains(domain.lowercased()) ? Self.loop(domain) : .hosts([domain])
        case .records(let records, _):
            self.init(to: domain, records, ownNames: ownNames, random: random)
        }
    }

    private init(
        to domain: String,
        _ records: [MailExchanger],
        ownNames: Set<String>,
        random: () -> UInt64
    ) {
        let real = records.filter { !$0.isNull }
        guard !real.isEmpty else {
            self = .bounced(EnhancedStatus(5, 1, 10), "556 Domain \(domain) does not accept mail")
            return
        }
        let ours = real.filter { ownNames.contains($0.exchange) }.map(\.preference).min()
        let better = real.filter { record in ours.map { record.preference < $0 } ?? true }
        guard !better.isEmpty else {
            self = Self.loop(domain)
            return
        }
        let ranked = better.map { (record: $0, lot: random()) }
            .sorted { ($0.record.preference, $0.lot) < ($1.record.preference, $1.lot) }
        self = .hosts(ranked.prefix(Self.maximumHosts).map(\.record.exchange))
    }

    private static func loop(_ domain: String) -> Itinerary {
        .bounced(EnhancedStatus(5, 4, 6), "Mail for \(domain) loops back to this host")
    }
}

extension Answer.Failure {
    /// What an operator reads of it.
    var words: String {
        switch self {
        case .timedOut: "no answer in time"
        case .notAsked: "not asked"
        case .responseCode(let code): "response code \(code)"
        case .bogus: "DNSSEC validation failed"
        case .malformed: "malformed record"
        }
    }
}
