import IMAP
import Mail
import Net
import Store
import Wire

/// One client's connection, from greeting to farewell.
///
/// Responses gather in `writer` and leave when the client has nothing more for us to do, so that
/// pipelined commands are answered in one send.
///
/// RFC 9051 §3
struct IMAPSession {
    let door: IMAPDoor
    let connection: Connection
    let cleartextLogin: CleartextLogin
    /// Unix milliseconds.
    let began: Int64
    var reader = CommandReader(limits: .beforeLogin)
    var writer = ResponseWriter()
    var client = Client()
    /// Nil until the client has logged in.
    var authenticated: Authenticated?
    /// Nil while no mailbox is selected.
    var selected: Selected?
    var phase = Phase.commands
    /// The command being answered counts in UIDs, so untagged FETCH responses show them.
    var tellsUIDs = false
    /// Bytes of messages taken from `HeldBytes` for the APPEND that is being received.
    var heldBytes = 0

    /// What the session expects next from the client.
    enum Phase {
        case commands
        /// A line `DONE` ends the IDLE command with this tag.
        case idle(tag: String)
        /// The session is over once what is written has gone out.
        case ending
    }

    /// What is known of the program at the other end.
    struct Client {
        var isRev2 = false
        /// CONDSTORE is in use: responses carry MODSEQ.
        ///
        /// RFC 7162 §3.1
        var usesCondstore = false
        var usesQuickResync = false
        var failedLogins = 0
        var badCommands = 0
    }

    /// Who is logged in.
    struct Authenticated {
        let account: AccountID
        let name: String
        let quota: QuotaLimit
    }

    init(_ door: IMAPDoor, _ connection: Connection, _ cleartextLogin: CleartextLogin) {
        self.door = door
        self.connection = connection
        self.cleartextLogin = cleartextLogin
        began = door.clock()
    }

    // MARK: The loop

    mutating func run() async {
        writer.untagged(.ok, .capability(capabilities), "Relais ready")
        while true {
            while !isEnding, let event = reader.next() {
                await handle(event)
                // Many small commands may ask for much more than they weigh.
                if writer.bytes.count >= Self.sliceBytes {
                    guard await flush() else { return }
                }
            }
            guard await flush() else { return }
            if isEnding { return }
            reader.releaseBuffer()
            guard await wait() else { return }
        }
    }

    private var isEnding: Bool {
        if case .ending = phase { return true }
        return false
    }

    /// Waits for bytes or a change; false when the session is over.
    private mutating func wait() async -> Bool {
        if connection.isDraining {
            writer.bye(.unavailable, "Server is stopping")
            _ = await flush()
            return false
        }
        switch await connection.next(within: patience) {
        case .bytes(let bytes):
            reader.feed(bytes)
            return true
        case .woken:
            if case .idle = phase { await tellChanges(.expungesAllowed) }
            return true
        case .timedOut:
            writer.bye(nil, "Autologout; idle for too long")
            _ = await flush()
            return false
        case .closed:
            return false
        }
    }

    /// How long the client may be silent now.
    private var patience: Duration {
        guard authenticated != nil else { return timeToLogIn }
        return reader.isWithinCommand ? door.settings.commandTimeout : door.settings.idleTimeout
    }

    /// What is left of the time in which a stranger must log in.
    var timeToLogIn: Duration {
        let spent = Duration.milliseconds(door.clock() - began)
        return max(.zero, door.settings.loginTimeout - spent)
    }

    /// Sends what has been written; false when the client is gone.
    mutating func flush() async -> Bool {
        guard !writer.bytes.isEmpty else { return true }
        do throws(NetError) {
            try await connection.send(writer.drain())
            return true
        } catch {
            phase = .ending
            return false
        }
    }

    /// Sends what has been written once it is a good slice, so that memory stays bounded and a slow
    /// client makes us wait.
    mutating func flushSlice() async throws(Refusal) {
        guard writer.bytes.count >= Self.sliceBytes else { return }
        guard await flush() else { throw Refusal(.no, .unavailable, "Connection lost") }
    }

    /// Bytes of responses gathered before they are sent.
    static let sliceBytes = 131_072

    /// Gives back what the session holds outside itself.
    mutating func leave() {
        selected = nil
        if let authenticated { door.sessions.leave(authenticated.account) }
        authenticated = nil
        releaseHeldBytes()
    }

    // MARK: Events

    private mutating func handle(_ event: CommandReader.Event) async {
        switch event {
        case .command(let text):
            await command(text)
            releaseHeldBytes()
        case .literalRequested:
            writer.continuation("Ready".utf8)
        case .messageOffered(let size):
            guard door.held.take(size) else {
                reader.refuseMessage(
                    Refusal(.no, .unavailable, "Server is busy, try again later")
                )
                return
            }
            heldBytes += size
            if reader.acceptMessage() { writer.continuation("Ready".utf8) }
        case .refused(let refusal):
            releaseHeldBytes()
            writer.refuse(refusal)
            countBadCommand(refusal)
        case .line(let line):
            await idleEnded(by: line)
        case .overlongLine:
            await idleEnded(by: [])
        case .overrun:
            writer.bye(.tooBig, "Too much data")
            phase = .ending
        }
    }

    private mutating func releaseHeldBytes() {
        guard heldBytes > 0 else { return }
        door.held.giveBack(heldBytes)
        heldBytes = 0
    }

    private mutating func countBadCommand(_ refusal: Refusal) {
        guard refusal.condition == .bad else { return }
        client.badCommands += 1
        guard client.badCommands >= door.settings.badCommands else { return }
        writer.bye(.clientBug, "Too many invalid commands")
        phase = .ending
    }

    private mutating func command(_ text: CommandText) async {
        let tag: String
        let completion: Completion
        do throws(Refusal) {
            let command = try TaggedCommand(parsing: text, encoding: writer.encoding)
            tag = command.tag
            do throws(Refusal) {
                guard let done = try await perform(command) else { return }
                completion = done
                await tellChanges(command.command.letsExpungesBeTold)
            } catch {
                var refusal = error
                refusal.tag = tag
                throw refusal
            }
        } catch {
            writer.refuse(error)
            countBadCommand(error)
            return
        }
        writer.tagged(tag, completion.condition, completion.code, completion.text)
    }
}

/// The tagged response of a command that was not refused.
struct Completion {
    var condition = Condition.ok
    var code: ResponseCode?
    var text: String

    init(_ code: ResponseCode? = nil, _ text: String) {
        self.code = code
        self.text = text
    }
}
