import Wire

/// The server's side of SCRAM-SHA-256 without channel binding.
///
///     client-first  n,,n=anne,r=<client nonce>
///     server-first  r=<both nonces>,s=<salt>,i=<iterations>
///     client-final  c=biws,r=<both nonces>,p=<proof>
///     server-final  v=<server signature>
///
/// The last goes out as a challenge, to which the client sends an empty answer: SMTP, IMAP and POP3
/// have no place for data beside their success reply.
///
/// RFC 5802 §3, §5, §7, RFC 7677 §3
struct SCRAMExchange {
    private struct Opening {
        let gs2Header: [UInt8]
        let bare: [UInt8]
        let clientNonce: [UInt8]
        let authzid: String?
        let login: String
    }

    private enum State {
        case waitingForFirst
        case waitingForCredential(Opening)
        case waitingForFinal(Opening, SCRAMCredential, isKnown: Bool, serverFirst: [UInt8])
        case waitingForAcknowledgement(Opening)
    }

    private let secrets: ExchangeSecrets
    private var state = State.waitingForFirst

    init(secrets: ExchangeSecrets) {
        self.secrets = secrets
    }

    mutating func receive(_ message: [UInt8]) -> Step {
        switch state {
        case .waitingForFirst:
            switch Self.parseFirst(message) {
            case .success(let opening):
                state = .waitingForCredential(opening)
                return .needsCredential(login: opening.login)
            case .failure(let failure):
                return .failure(failure)
            }
        case .waitingForCredential:
            return .failure(.outOfOrder)
        case .waitingForFinal(let opening, let credential, let isKnown, let serverFirst):
            return receiveFinal(message, opening, credential, isKnown, serverFirst)
        case .waitingForAcknowledgement(let opening):
            guard message.isEmpty else { return .failure(.malformed) }
            return .success(authzid: opening.authzid, authcid: opening.login)
        }
    }

    mutating func provide(_ found: SCRAMCredential?) -> Step {
        guard case .waitingForCredential(let opening) = state else { return .failure(.outOfOrder) }
        // A credential over another hash cannot serve this mechanism: treated as absent.
        let usable = found?.hash == .sha256 ? found : nil
        let credential =
            usable ?? .decoy(login: opening.login, secret: secrets.decoySecret)
        var message: [UInt8] = []
        message.append("r=")
        message += opening.clientNonce + secrets.nonce
        message.append(",s=")
        message += Base64.encode(credential.salt)
        message.append(",i=")
        message.append(decimal: credential.iterations)
        state = .waitingForFinal(
            opening,
            credential,
            isKnown: usable != nil,
            serverFirst: message
        )
        return .challenge(message)
    }

    // client-first-message = gs2-header client-first-message-bare
    // gs2-header = ("p=" cb-name / "n" / "y") "," [ "a=" saslname ] ","
    private static func parseFirst(_ message: [UInt8]) -> Result<Opening, Failure> {
        var cursor = Cursor(message)
        if cursor.take("p=") { return .failure(.channelBindingUnsupported) }
        guard cursor.next().map({ $0 == 0x6E || $0 == 0x79 }) == true, cursor.take(comma) else {
            return .failure(.malformed)
        }
        var authzid: String?
        if !cursor.take(comma) {
            guard cursor.take(exactly: "a=") else { return .failure(.malformed) }
            authzid = saslName(cursor.take(while: { $0 != comma }))
            guard authzid != nil, cursor.take(comma) else { return .failure(.malformed) }
        }
        let gs2Header = Array(message[..<cursor.position])
        let bare = Array(cursor.rest)

        // A mandatory extension ("m=") would stand here, and we know none.
        guard cursor.take(exactly: "n="),
            let login = saslName(cursor.take(while: { $0 != comma })),
            cursor.take(comma), cursor.take(exactly: "r=")
        else { return .failure(.malformed) }
        let nonce = cursor.take(while: { $0 != comma })
        guard !nonce.isEmpty, nonce.allSatisfy({ (0x21...0x7E).contains($0) }),
            cursor.isAtEnd || cursor.peek == comma
        else { return .failure(.malformed) }
        return .success(
            Opening(
                gs2Header: gs2Header,
                bare: bare,
                clientNonce: Array(nonce),
                authzid: authzid,
                login: login
            )
        )
    }

    // client-final-message = channel-binding "," nonce ["," extensions] "," proof
    private mutating func receiveFinal(
        _ message: [UInt8],
        _ opening: Opening,
        _ credential: SCRAMCredential,
        _ isKnown: Bool,
        _ serverFirst: [UInt8]
    ) -> Step {
        guard let proofComma = message.lastIndex(of: comma) else { return .failure(.malformed) }
        let withoutProof = message[..<proofComma]
        var ending = Cursor(message[(proofComma + 1)...])
        var cursor = Cursor(withoutProof)
        guard cursor.take(exactly: "c="),
            let binding = Base64.decode(cursor.take(while: { $0 != comma })),
            cursor.take(comma), cursor.take(exactly: "r=")
        else { return .failure(.malformed) }
        let nonce = cursor.take(while: { $0 != comma })
        guard cursor.isAtEnd || cursor.peek == comma, ending.take(exactly: "p="),
            let proof = Base64.decode(ending.rest), proof.count == credential.hash.length
        else { return .failure(.malformed) }
        guard binding == opening.gs2Header,
            Array(nonce) == opening.clientNonce + secrets.nonce
        else { return .failure(.malformed) }

        let authMessage =
            opening.bare + [comma] + serverFirst + [comma] + Array(withoutProof)
        let hash = credential.hash
        let signature = hash.hmac(credential.storedKey, authMessage)
        let clientKey = zip(proof, signature).map { $0 ^ $1 }
        let matches = equalInConstantTime(hash.digest(clientKey), credential.storedKey)
        guard matches, isKnown else { return .failure(.rejected) }

        var answer: [UInt8] = []
        answer.append("v=")
        answer += Base64.encode(hash.hmac(credential.serverKey, authMessage))
        state = .waitingForAcknowledgement(opening)
        return .challenge(answer)
    }

    // saslname = 1*(value-safe-char / "=2C" / "=3D")
    private static func saslName(_ bytes: ArraySlice<UInt8>) -> String? {
        var cursor = Cursor(bytes)
        var result: [UInt8] = []
        while let byte = cursor.next() {
            if byte != 0x3D {
                guard byte != 0 else { return nil }
                result.append(byte)
            } else if cursor.take(exactly: "2C") {
                result.append(comma)
            } else if cursor.take(exactly: "3D") {
                result.append(0x3D)
            } else {
                return nil
            }
        }
        return result.isEmpty ? nil : String(utf8: result)
    }
}

private let comma: UInt8 = 0x2C

extension Cursor {
    /// Takes `text` if it comes next, letter case included.
    fileprivate mutating func take(exactly text: StaticString) -> Bool {
        let expected = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        guard rest.starts(with: expected) else { return false }
        _ = take(count: expected.count)
        return true
    }
}
