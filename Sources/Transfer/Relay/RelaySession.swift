import Mail
import Net
import SMTP

/// One connection to a next hop and the conversation on it.
struct RelaySession: Sendable {
    /// How a conversation got to where something has to be decided.
    enum Stop {
        case ready
        case transactionEnded([ClientVerdict])
        case over(ClientVerdict?)
        /// The server offered TLS and the handshake failed.
        case handshakeFailed(String)
    }

    private let connection: Connection
    private var client: ClientConversation
    private let tls: ClientTLS?
    private let serverName: String
    /// The name of the host, for DSNs and the journal.
    let hostName: String

    init(
        _ connection: Connection,
        _ client: ClientConversation,
        tls: ClientTLS?,
        hostName: String
    ) {
        self.connection = connection
        self.client = client
        self.tls = tls
        serverName = hostName
        self.hostName = hostName
    }

    var isReusable: Bool { client.isReusable }
    var transactions: Int { client.transactions }
    var offersDSN: Bool { client.extensions.dsn }
    /// The last transaction's message went out whole: without an answer its fate is unknown.
    var sentMessage: Bool { client.sentMessage }

    /// Hears the greeting and introduces itself.
    mutating func open() async -> Stop { await run() }

    /// One mail transaction; a verdict for each recipient of `envelope`.
    mutating func deliver(_ envelope: OutgoingEnvelope, _ message: [UInt8]) async -> Stop {
        client.begin(envelope, message: message)
        return await run()
    }

    /// After a transaction: true when the session can carry another.
    mutating func settle() async -> Bool {
        if case .ready = await run() { return isReusable }
        return false
    }

    /// True when the peer has kept quiet since the last transaction and is still there.
    mutating func isAlive() async -> Bool {
        await connection.next(within: .zero) == .timedOut
    }

    /// Says good-bye if it can, and closes.
    mutating func close() async {
        client.quit()
        _ = await run()
        await connection.close()
    }

    /// Does what the conversation asks until somebody has to decide.
    private mutating func run() async -> Stop {
        while true {
            switch client.next() {
            case .send(let bytes):
                do {
                    try await connection.send(bytes)
                } catch {
                    await hearLastWords()
                }
            case .receive(let limit):
                switch await connection.next(within: limit) {
                case .bytes(let bytes): client.received(bytes)
                case .woken: continue
                case .timedOut: client.timedOut()
                case .closed: client.ended()
                }
            case .startTLS:
                guard let tls else {
                    client.ended()
                    continue
                }
                do {
                    try await connection.startTLS(tls, serverName: serverName)
                    client.tlsStarted()
                } catch {
                    return .handshakeFailed("\(error)")
                }
            case .ready: return .ready
            case .transactionEnded(let verdicts): return .transactionEnded(verdicts)
            case .over(let verdict): return .over(verdict)
            }
        }
    }

    /// The peer takes nothing more, but may have said why before it closed.
    private mutating func hearLastWords() async {
        while case .bytes(let bytes) = await connection.next(within: .seconds(1)) {
            client.received(bytes)
        }
        client.ended()
    }
}
