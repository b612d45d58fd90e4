import Directory
import Journal
import Mail
import Net
import SASL
import SMTP

/// One client's session: a local value of the connection's task.
struct Session: ~Copyable {
    let door: SMTPDoor
    let connection: Connection
    let client: Client
    var conversation: ServerConversation
    /// Who authenticated; nil on the other doors.
    var account: Account?
    var transaction: MailTransaction?
    var authentication: AuthenticationDialogue?
    var lease: BodyLease
    private var commandDeadline = ContinuousClock.Instant.now
    private var messageDeadline: ContinuousClock.Instant?
    private var linesSeen = -1

    init(_ door: SMTPDoor, _ connection: Connection) {
        self.door = door
        self.connection = connection
        client = Client(connection.peer)
        conversation = ServerConversation(
            door.settings.role.dialect,
            hostName: door.settings.hostName,
            limits: door.settings.limits,
            offer: door.offer,
            isSecure: connection.isSecure
        )
        lease = BodyLease(door.parts.budget)
    }

    var parts: DoorParts { door.parts }
    var settings: DoorSettings { door.settings }

    /// Reads, decides and answers until the session ends.
    ///
    /// The replies to all that came together leave together.
    ///
    /// RFC 2920 §3.2
    mutating func run() async {
        conversation.greet()
        while await turn() {}
        let last = conversation.takeOutput()
        if !last.isEmpty { try? await connection.send(last) }
    }

    /// One turn of reading and answering; false at the end of the session.
    private mutating func turn() async -> Bool {
        while let request = conversation.next() {
            guard await handle(request) else { return false }
        }
        if transaction != nil, !conversation.isInTransaction { endTransaction() }
        watchBody()
        let output = conversation.takeOutput()
        if !output.isEmpty {
            do {
                try await connection.send(output)
            } catch {
                return false
            }
        }
        if connection.isDraining, !conversation.isInTransaction {
            conversation.close(with: .stopping)
            return false
        }
        switch await connection.next(within: patience()) {
        case .bytes(let bytes): conversation.receive(bytes)
        case .woken: break
        case .timedOut:
            conversation.close(with: .tooSlow)
            return false
        case .closed: return false
        }
        return true
    }

    private mutating func handle(_ request: Request) async -> Bool {
        switch request {
        case .mail(let command): await mail(command)
        case .rcpt(let command): await rcpt(command)
        case .bodyBegins(let expected): bodyBegins(expected)
        case .message(let message): await accept(message)
        case .messageRefused(let reply):
            refused(reply, forwardPath: nil)
            endTransaction()
        case .authenticate(let mechanism, let response): await authenticate(mechanism, response)
        case .authenticationResponse(let response): await authenticationResponse(response)
        case .startTLS: return await startTLS()
        case .close: return false
        }
        return true
    }

    // MARK: Time

    // A command line must be whole in its time however its octets trickle in, and so must a message.
    private mutating func patience() -> Duration {
        let now = ContinuousClock.now
        if conversation.isReceivingBody {
            let deadline = messageDeadline ?? now + settings.patience.message
            messageDeadline = deadline
            linesSeen = -1
            return max(.zero, min(settings.patience.dataBlock, deadline - now))
        }
        messageDeadline = nil
        if conversation.lineCount != linesSeen {
            linesSeen = conversation.lineCount
            commandDeadline = now + settings.patience.command
        }
        return max(.zero, commandDeadline - now)
    }

    // MARK: Memory

    // Lets go of the message when all doors together hold too much.
    private mutating func watchBody() {
        guard conversation.isInTransaction else { return }
        if !lease.grow(to: conversation.bufferedOctets) {
            conversation.abandonBody(.outOfMemory)
            lease.release()
        }
    }

    private mutating func bodyBegins(_ expected: Int?) {
        let first = min(expected ?? 0, settings.limits.messageSize)
        guard lease.grow(to: max(first, Self.smallestLease)) else {
            refused(.outOfMemory, forwardPath: nil)
            endTransaction()
            return conversation.refuse(.outOfMemory)
        }
        conversation.acceptBody(prefix: prefix())
    }

    /// Octets taken from the budget for any message, however small.
    private static let smallestLease = 16_384

    mutating func endTransaction() {
        transaction = nil
        lease.release()
    }

    // MARK: TLS

    private mutating func startTLS() async -> Bool {
        guard let identity = settings.tls else { return false }
        let output = conversation.takeOutput()
        do {
            try await connection.startTLS(identity, saying: output)
        } catch .injectedPlaintext {
            conversation.close(with: .plaintextInjected)
            return false
        } catch {
            return false
        }
        conversation.tlsStarted()
        transaction = nil
        account = nil
        return true
    }

    // MARK: Journal

    /// Tells the journal of a refusal.
    func refused(_ reply: Reply, forwardPath: EmailAddress?) {
        parts.journal.record(
            .refused(
                door: settings.role.door,
                client: client.text,
                reversePath: transaction?.command.reversePath,
                forwardPath: forwardPath,
                status: reply.status,
                reason: reply.summary
            )
        )
    }
}
