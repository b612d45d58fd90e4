import Wire

/// A SASL mechanism that the doors may announce.
package enum Mechanism: String, CaseIterable, Sendable {
    case scramSHA256 = "SCRAM-SHA-256"
    case plain = "PLAIN"
    case login = "LOGIN"

    /// Finds a mechanism by the name a client sent; letters compared without case.
    ///
    /// RFC 4422 §3.1
    package init?(name: some Collection<UInt8>) {
        if name.equalsIgnoringCase("PLAIN") {
            self = .plain
        } else if name.equalsIgnoringCase("LOGIN") {
            self = .login
        } else if name.equalsIgnoringCase("SCRAM-SHA-256") {
            self = .scramSHA256
        } else {
            return nil
        }
    }
}
