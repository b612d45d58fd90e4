/// What the DNS says about one name and type.
package enum Answer<Record: Sendable & Equatable>: Sendable, Equatable {
    /// At least one record, in the order of the answer.
    case records([Record], Validation)

    /// The name exists, but not with this type.
    case noData(Validation)

    /// The name does not exist.
    case noSuchDomain(Validation)

    /// Nobody could say: no answer in time, SERVFAIL, signatures that do not verify.
    case temporaryFailure(Failure)

    /// Whether DNSSEC vouches for an answer.
    ///
    /// RFC 4033 §5
    package enum Validation: Sendable, Equatable {
        /// Signed, and the signatures verify up to a configured trust anchor.
        case secure
        /// Not signed, or no trust anchor is configured.
        case insecure
    }

    /// Why there is no answer.
    package enum Failure: Sendable, Equatable {
        case timedOut
        /// The question could not be asked: no name, shut down, library failure.
        case notAsked
        /// The RCODE of the answer, 2 for SERVFAIL.
        case responseCode(Int)
        /// An answer came, but its signatures do not verify; the text says why, for the log.
        case bogus(String)
        /// A record that breaks the format of its type.
        case malformed
    }
}

/// Where mail for a domain goes.
///
/// RFC 5321 §5.1
package struct MailExchanger: Sendable, Hashable {
    package let preference: UInt16
    /// In lower case, without the final dot; empty for the null MX.
    package let exchange: String

    package init(preference: UInt16, exchange: String) {
        self.preference = preference
        self.exchange = exchange
    }

    /// True when the domain declares that it takes no mail.
    ///
    /// RFC 7505 §3
    package var isNull: Bool { exchange.isEmpty }
}

/// A promise about the certificate of a TLS service.
///
/// RFC 6698 §2.1
package struct TLSAssociation: Sendable, Hashable {
    package let usage: UInt8
    package let selector: UInt8
    package let matchingType: UInt8
    package let data: [UInt8]

    package init(usage: UInt8, selector: UInt8, matchingType: UInt8, data: [UInt8]) {
        self.usage = usage
        self.selector = selector
        self.matchingType = matchingType
        self.data = data
    }
}
