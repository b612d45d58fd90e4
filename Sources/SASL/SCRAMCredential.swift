import Wire

/// What a server keeps of a password: enough to verify it, not enough to log in with.
///
/// RFC 5802 §3, RFC 5803 §2
package struct SCRAMCredential: Equatable, Sendable {
    package let hash: SCRAMHash
    package let salt: [UInt8]
    package let iterations: Int
    package let storedKey: [UInt8]
    package let serverKey: [UInt8]

    /// The iteration count for new credentials.
    ///
    /// The minimum that the mechanism asks for: each login over PLAIN costs this many HMACs.
    ///
    /// RFC 7677 §4
    package static let defaultIterations = 4096

    /// Iteration counts accepted; above, one login would stop a core for seconds.
    package static let acceptedIterations = 1...1_000_000

    /// Bytes of salt for new credentials.
    package static let saltLength = 16

    /// Derives a credential from a password and a random salt; nil when the password cannot be
    /// used (empty, or with control characters) or the count is out of range.
    ///
    /// Takes about a millisecond of CPU at the default count: keep it off the cooperative pool.
    package static func derive(
        password: String,
        salt: [UInt8],
        iterations: Int = defaultIterations,
        hash: SCRAMHash = .sha256
    ) -> SCRAMCredential? {
        guard acceptedIterations.contains(iterations), !salt.isEmpty,
            let password = preparedPassword(password),
            let salted = hash.saltedPassword(password, salt: salt, iterations: iterations)
        else { return nil }
        let clientKey = hash.hmac(salted, Array("Client Key".utf8))
        return SCRAMCredential(
            hash: hash,
            salt: salt,
            iterations: iterations,
            storedKey: hash.digest(clientKey),
            serverKey: hash.hmac(salted, Array("Server Key".utf8))
        )
    }

    /// True when `password` is the one this was derived from; compared in constant time.
    ///
    /// Costs as much as `derive`.
    package func verify(password: String) -> Bool {
        guard
            let other = Self.derive(
                password: password,
                salt: salt,
                iterations: iterations,
                hash: hash
            )
        else { return false }
        return equalInConstantTime(other.storedKey, storedKey)
    }

    /// A credential that no password opens, always the same for the same login and secret.
    ///
    /// Verifying a password against it takes as long as against a real one.
    package static func decoy(login: String, secret: [UInt8]) -> SCRAMCredential {
        let hash = SCRAMHash.sha256
        func part(_ purpose: StaticString) -> [UInt8] {
            var label: [UInt8] = []
            label.append(purpose)
            label.append(0)
            label.append(text: login.lowercased())
            return hash.hmac(secret, label)
        }
        return SCRAMCredential(
            hash: hash,
            salt: Array(part("salt").prefix(saltLength)),
            iterations: defaultIterations,
            storedKey: part("stored key"),
            serverKey: part("server key")
        )
    }
}

extension SCRAMCredential {
    /// The text form: `SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>`.
    ///
    /// PostgreSQL and LDAP directories keep the same.
    ///
    /// RFC 5803 §2
    package var text: String {
        func base64(_ bytes: [UInt8]) -> String { String(lossyUTF8: Base64.encode(bytes)) }
        return "\(hash.rawValue)$\(iterations):\(base64(salt))"
            + "$\(base64(storedKey)):\(base64(serverKey))"
    }

    /// Reads the text form; nil when it is not one.
    package init?(text: String) {
        let fields = Array(text.utf8).split(separator: 0x24, omittingEmptySubsequences: false)
        guard fields.count == 3, let name = String(utf8: fields[0]),
            let hash = SCRAMHash(rawValue: name)
        else { return nil }
        let parameters = fields[1].split(separator: 0x3A, omittingEmptySubsequences: false)
        let keys = fields[2].split(separator: 0x3A, omittingEmptySubsequences: false)
        guard parameters.count == 2, keys.count == 2,
            let count = String(utf8: parameters[0]), let iterations = Int(count),
            Self.acceptedIterations.contains(iterations),
            let salt = Base64.decode(parameters[1]), !salt.isEmpty,
            let storedKey = Base64.decode(keys[0]), storedKey.count == hash.length,
            let serverKey = Base64.decode(keys[1]), serverKey.count == hash.length
        else { return nil }
        self.init(
            hash: hash,
            salt: salt,
            iterations: iterations,
            storedKey: storedKey,
            serverKey: serverKey
        )
    }
}

/// A password as the mechanisms compare it; nil when it is empty or holds a control character.
///
/// The mapping and prohibition steps of the profile, without its normalisation to form KC, which
/// the standard library lacks: a password whose letters come composed on one keyboard and
/// decomposed on another does not match.
///
/// RFC 4013 §2
private func preparedPassword(_ password: String) -> [UInt8]? {
    var result: [UInt8] = []
    for scalar in password.unicodeScalars {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0: return nil
        case 0xAD, 0x34F, 0x1806, 0x180B...0x180D, 0x200B...0x200D, 0x2060, 0xFE00...0xFE0F,
            0xFEFF:
            continue
        case 0xA0, 0x1680, 0x2000...0x200A, 0x202F, 0x205F, 0x3000: result.append(.space)
        default: result.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
        }
    }
    return result.isEmpty ? nil : result
}
