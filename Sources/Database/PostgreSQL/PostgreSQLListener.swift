import CPostgreSQL
import Dispatch
import Glibc
import Logging
import Synchronization

/// Brings other nodes' notices here, on a connection of its own.
final class PostgreSQLListener: Sendable {
    /// The one PostgreSQL channel used; ours are told apart by the text's first part.
    static let channel = "relais"

    private let url: String
    private let listeners: Listeners
    private let ownProcesses: OwnProcesses
    private let log: Logger
    private let wakePipe: (read: Int32, write: Int32)
    private let isStopped = Atomic(false)
    private let firstAttempt = DispatchSemaphore(value: 0)
    private let reconnectMilliseconds: Int

    init(
        _ url: String,
        to listeners: Listeners,
        except ownProcesses: OwnProcesses,
        settings: Database.Settings,
        log: Logger
    ) {
        self.url = url
        self.listeners = listeners
        self.ownProcesses = ownProcesses
        self.log = log
        reconnectMilliseconds = settings.reconnectMilliseconds
        var ends: [Int32] = [-1, -1]
        // Without a pipe the thread still ends, at its next notice.
        pipe(&ends)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        wakePipe = (ends[0], ends[1])
    }

    deinit {
        close(wakePipe.read)
        close(wakePipe.write)
    }

    static func encode(_ notice: NoticeText) -> String { "\(notice.channel) \(notice.payload)" }

    private static func decode(_ text: String) -> NoticeText? {
        guard let space = text.firstIndex(of: " ") else { return nil }
        return NoticeText(
            channel: String(text[..<space]),
            payload: String(text[text.index(after: space)...])
        )
    }

    func stop() {
        isStopped.store(true, ordering: .relaxed)
        var byte: UInt8 = 0
        Glibc.write(wakePipe.write, &byte, 1)
    }

    /// Listens until `stop()`; a connection that breaks is opened again, and listeners are told that
    /// they may have missed something.
    func run() {
        var pause = BackOff(longest: reconnectMilliseconds)
        var isFirst = true
        while !isStopped.load(ordering: .relaxed) {
            do throws(DatabaseError) {
                let connection = try connect(to: url, .listen)
                defer { PQfinish(connection) }
                try value(connection, "LISTEN \(Self.channel)")
                pause.reset()
                if isFirst { firstAttempt.signal() } else { listeners.tellMissed() }
                isFirst = false
                try receive(on: connection)
            } catch {
                if isFirst { firstAttempt.signal() }
                isFirst = false
                log.warning("notices from other nodes interrupted", metadata: ["cause": "\(error)"])
                sleep(milliseconds: pause.next())
            }
        }
    }

    /// Blocks until `run()` has connected or failed to; what is told later is not missed.
    func waitForFirstAttempt() {
        firstAttempt.wait()
    }

    private func receive(on connection: OpaquePointer) throws(DatabaseError) {
        while !isStopped.load(ordering: .relaxed) {
            var descriptors = [
                pollfd(fd: PQsocket(connection), events: Int16(POLLIN), revents: 0),
                pollfd(fd: wakePipe.read, events: Int16(POLLIN), revents: 0),
            ]
            poll(&descriptors, 2, -1)
            guard PQconsumeInput(connection) == 1 else {
                throw .unavailable(lastError(connection))
            }
            while let notify = PQnotifies(connection) {
                defer { PQfreemem(notify) }
                // What this process committed its listeners already know.
                guard !ownProcesses.contains(notify.pointee.be_pid),
                    let notice = Self.decode(String(cString: notify.pointee.extra))
                else { continue }
                listeners.tell([notice])
            }
        }
    }

    private func sleep(milliseconds: Int) {
        var descriptor = pollfd(fd: wakePipe.read, events: Int16(POLLIN), revents: 0)
        poll(&descriptor, 1, Int32(milliseconds))
    }
}

/// The server processes that serve this node's lanes.
final class OwnProcesses: Sendable {
    private let identifiers = Mutex<Set<Int32>>([])

    func insert(_ id: Int32) { identifiers.withLock { _ = $0.insert(id) } }

    func remove(_ id: Int32) { identifiers.withLock { _ = $0.remove(id) } }

    func contains(_ id: Int32) -> Bool { identifiers.withLock { $0.contains(id) } }
}

/// Growing pauses between attempts, in milliseconds.
struct BackOff {
    let longest: Int
    private var pause = 0

    init(longest: Int) {
        self.longest = longest
    }

    mutating func next() -> Int {
        pause = min(longest, max(50, pause * 2))
        return pause
    }

    mutating func reset() { pause = 0 }
}
