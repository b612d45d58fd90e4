import Wire

/// One mail transaction of a client: what is still to be said, and what was answered.
struct ClientTransaction: Sendable {
    private enum Command {
        case rset, mail, data, chunk
        case rcpt(Int)
    }

    struct Piece {
        let bytes: [UInt8]
        let isLast: Bool
    }

    private enum Message {
        /// The server has not asked for it.
        case waiting
        case dotted(DotStuffing)
        case chunk(position: Int)
        case sent
        /// Every recipient was refused, or the server will not have it.
        case cancelled
    }

    private let envelope: OutgoingEnvelope
    private let bytes: [UInt8]
    private let peer: PeerExtensions
    private let usesChunk: Bool
    private var commands: [Command] = []
    private var verdicts: [ClientVerdict?]
    /// Recipients whose RCPT was accepted.
    private var isAccepted: [Bool]
    private var repliesDue: Int
    private var message = Message.waiting
    private var hasSpoken = false

    init(
        _ envelope: OutgoingEnvelope,
        message: [UInt8],
        peer: PeerExtensions,
        afterReset: Bool
    ) {
        self.envelope = envelope
        self.peer = peer
        bytes = message
        usesChunk = envelope.body == .binaryMIME
        verdicts = Array(repeating: nil, count: envelope.recipients.count)
        isAccepted = Array(repeating: false, count: envelope.recipients.count)
        repliesDue = 0
        if let obstacle = Self.obstacle(envelope, size: message.count, peer) {
            refuse(obstacle)
            return
        }
        commands = afterReset ? [.rset, .mail] : [.mail]
        commands += envelope.recipients.indices.map { .rcpt($0) }
        commands.append(usesChunk ? .chunk : .data)
        commands.reverse()
    }

    private static func obstacle(
        _ envelope: OutgoingEnvelope,
        size: Int,
        _ peer: PeerExtensions
    ) -> ClientVerdict? {
        if envelope.needsSMTPUTF8, !peer.smtpUTF8 { return .smtpUTF8NotOffered }
        if envelope.body == .binaryMIME, !peer.binaryMIME || !peer.chunking {
            return .binaryNotOffered
        }
        if envelope.body == .eightBitMIME, !peer.eightBitMIME { return .eightBitNotOffered }
        if let limit = peer.maximumSize, size > limit { return .tooBig }
        return nil
    }

    // MARK: Saying

    /// Recipients that will get the message if the server takes it.
    var acceptedRecipients: [Int] {
        isAccepted.indices.filter { isAccepted[$0] && verdicts[$0] == nil }
    }

    /// The next command worth saying; nil when there is none, or it must wait for replies.
    mutating func nextCommand(
        nothingExpected: Bool
    ) -> ([UInt8], ClientConversation.Expectation)? {
        while let command = commands.last {
            // Once all replies are in, what cannot succeed any more is not said.
            let isHopeless = nothingExpected && verdicts.allSatisfy { $0 != nil }
            switch command {
            case .chunk where !nothingExpected: return nil
            case .rset, .mail, .rcpt, .data, .chunk: commands.removeLast()
            }
            if isHopeless {
                message = .cancelled
                continue
            }
            switch command {
            case .rset: return (Array("RSET\r\n".utf8), .rset)
            case .mail:
                hasSpoken = true
                repliesDue += 1
                return (envelope.mailCommand(size: bytes.count, for: peer), .mail)
            case .rcpt(let number):
                repliesDue += 1
                let recipient = envelope.recipients[number]
                return (envelope.rcptCommand(recipient, for: peer), .rcpt(number))
            case .data:
                repliesDue += 1
                return (Array("DATA\r\n".utf8), .data)
            case .chunk:
                message = .chunk(position: 0)
                return nil
            }
        }
        return nil
    }

    /// The next piece of the message, once the server has asked for it.
    mutating func nextPiece(_ size: Int) -> Piece? {
        switch message {
        case .waiting, .sent, .cancelled: return nil
        case .dotted(var stuffing):
            let piece = stuffing.next(size) ?? []
            message = stuffing.isFinished ? .sent : .dotted(stuffing)
            return Piece(bytes: piece, isLast: stuffing.isFinished)
        case .chunk(let position):
            var piece: [UInt8] = []
            if position == 0 {
                piece.append("BDAT ")
                piece.append(decimal: bytes.count)
                piece.append(" LAST\r\n")
            }
            let end = min(position + size, bytes.count)
            piece += bytes[position..<end]
            let isLast = end == bytes.count
            message = isLast ? .sent : .chunk(position: end)
            return Piece(bytes: piece, isLast: isLast)
        }
    }

    // MARK: Hearing

    mutating func handle(_ reply: PeerReply, for expectation: ClientConversation.Expectation) {
        let verdict = ClientVerdict(reply)
        switch expectation {
        case .mail:
            repliesDue -= 1
            if verdict.kind != .accepted { refuse(verdict) }
        case .rcpt(let number):
            repliesDue -= 1
            if verdict.kind == .accepted {
                isAccepted[number] = true
            } else if verdicts[number] == nil {
                verdicts[number] = verdict
            }
        case .data:
            repliesDue -= 1
            if reply.code == 354, !acceptedRecipients.isEmpty {
                message = .dotted(DotStuffing(bytes))
            } else {
                message = .cancelled
                refuse(reply.classDigit >= 4 ? verdict : .unexpectedReply)
            }
        case .final(let number):
            if let number {
                verdicts[number] = verdict
            } else {
                refuse(verdict)
            }
        case .greeting, .hello, .plainHello, .startTLS, .auth, .rset, .quit, .ignored: break
        }
    }

    /// Gives `verdict` to all who have none yet.
    mutating func refuse(_ verdict: ClientVerdict) {
        for number in verdicts.indices where verdicts[number] == nil { verdicts[number] = verdict }
    }

    var isSent: Bool {
        if case .sent = message { return true }
        return false
    }

    /// The server may still hold a transaction of ours: no message was sent in it.
    var leavesOpen: Bool {
        hasSpoken && !isSent
    }

    /// All verdicts, once nothing is left to say or to hear.
    mutating func finished(lostBy verdict: ClientVerdict?) -> [ClientVerdict]? {
        if let verdict {
            refuse(verdict)
        } else {
            switch message {
            case .dotted, .chunk: return nil
            case .waiting, .sent, .cancelled: break
            }
        }
        guard verdict != nil || (commands.isEmpty && repliesDue == 0) else { return nil }
        let known = verdicts.compactMap { $0 }
        return known.count == verdicts.count ? known : nil
    }
}
