import CUnbound
import Glibc
import Synchronization

/// libunbound, run by one thread of ours that waits for its results.
///
/// | query state | where it stands                                    | leaves by                    |
/// |-------------|----------------------------------------------------|------------------------------|
/// | waiting     | `Table.waiting`; as many as `concurrency` are asked | a place, its time-out        |
/// | asked       | `Table.asked`; libunbound works on it              | the library's callback only  |
/// | answered    | nowhere; its caller has the answer                 |                              |
///
/// A caller whose time is up gets its answer at once, but the query keeps its place until libunbound
/// lets go of it: so the places bound what the library works on.
final class Unbound: Sendable {
    private let context: Mutex<OpaquePointer?>
    private let table = Mutex(Table())
    private let concurrency: Int
    private let descriptor: CInt
    /// A pipe that wakes the thread when there is something to time, or to stop.
    private let alarm: (read: CInt, write: CInt)

    private struct Table {
        var asked: [UInt: Asked] = [:]
        var waiting: [Query] = []
        var nextNumber: UInt = 1
        var isStopped = false
    }

    /// Starts the thread; it ends with `stop()`.
    init(_ settings: Resolver.Settings) throws(ResolverError) {
        let pointer = try Self.makeContext(settings)
        descriptor = ub_fd(pointer)
        var ends: [CInt] = [-1, -1]
        if pipe(&ends) == 0 {
            for end in ends {
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
                _ = fcntl(end, F_SETFL, O_NONBLOCK)
            }
        }
        alarm = (ends[0], ends[1])
        concurrency = max(settings.concurrentQueries, 1)
        context = Mutex(pointer)
        guard descriptor >= 0, alarm.read >= 0 else { throw .cannotStart }
        var thread = pthread_t()
        let me = Unmanaged.passRetained(self)
        let failure = pthread_create(
            &thread,
            nil,
            { argument in
                if let argument {
                    Unmanaged<Unbound>.fromOpaque(argument).takeRetainedValue().work()
                }
                return nil
            },
            me.toOpaque()
        )
        guard failure == 0 else {
            me.release()
            throw .cannotStart
        }
        pthread_detach(thread)
    }

    deinit {
        context.withLock { pointer in
            if let pointer { ub_ctx_delete(pointer) }
            pointer = nil
        }
        if alarm.read >= 0 {
            close(alarm.read)
            close(alarm.write)
        }
    }

    private static func makeContext(
        _ settings: Resolver.Settings
    ) throws(ResolverError) -> OpaquePointer {
        guard let context = ub_ctx_create() else { throw .cannotStart }
        do {
            // Private networks and forwarders on this host are ordinary for an administration.
            try check(ub_ctx_set_option(context, "unblock-lan-zones:", "yes"), "unblock-lan-zones")
            try check(
                ub_ctx_set_option(context, "do-not-query-localhost:", "no"),
                "do-not-query-localhost"
            )
            switch settings.servers {
            case .resolvConf(let path): try check(ub_ctx_resolvconf(context, path), path)
            case .forwarders(let servers):
                for server in servers { try check(ub_ctx_set_fwd(context, server), server) }
            case .roots: break
            }
            if let path = settings.hostsFile { try check(ub_ctx_hosts(context, path), path) }
            if let path = settings.trustAnchorFile {
                try check(ub_ctx_add_ta_file(context, path), path)
            }
            try check(ub_ctx_async(context, 1), "ub_ctx_async")
            if case .forwarders = settings.servers {
                // libunbound denies `test.` itself; whoever names a forwarder wants to hear it.
                try check(ub_ctx_zone_remove(context, "test."), "test.")
            }
        } catch {
            ub_ctx_delete(context)
            throw error
        }
        return context
    }

    private static func check(_ code: CInt, _ what: String) throws(ResolverError) {
        guard code != 0 else { return }
        throw .badSetting(what, String(cString: ub_strerror(code)))
    }

    // MARK: Asking

    /// Asks for `name`; answered within `milliseconds`.
    func ask(_ name: String, type: CInt, milliseconds: Int64) async -> RawAnswer {
        let query = Query(name: name, type: type, deadline: Self.now() + milliseconds)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                query.expect(continuation)
                submit(query)
            }
        } onCancel: {
            query.finish(.failed(.notAsked))
        }
    }

    private func submit(_ query: Query) {
        let isAccepted = table.withLock { table in
            guard !table.isStopped else { return false }
            table.waiting.append(query)
            return true
        }
        guard isAccepted else { return query.finish(.failed(.notAsked)) }
        askWaiting()
        ring()
    }

    /// Gives the free places to the queries that wait.
    private func askWaiting() {
        while true {
            let next = table.withLock { table -> Asked? in
                table.waiting.removeAll { $0.isFinished }
                guard !table.isStopped, table.asked.count < concurrency, !table.waiting.isEmpty
                else { return nil }
                let query = table.waiting.removeFirst()
                let asked = Asked(number: table.nextNumber, query: query, owner: self)
                table.nextNumber += 1
                table.asked[asked.number] = asked
                return asked
            }
            guard let asked = next else { return }
            let code = context.withLock { context -> CInt in
                guard let context else { return CInt(UB_INITFAIL.rawValue) }
                return ub_resolve_async(
                    context,
                    asked.query.name,
                    asked.query.type,
                    1,
                    Unmanaged.passUnretained(asked).toOpaque(),
                    answered,
                    nil
                )
            }
            if code != 0 {
                leave(asked.number)
                asked.query.finish(.failed(.notAsked))
            }
        }
    }

    fileprivate func leave(_ number: UInt) {
        table.withLock { _ = $0.asked.removeValue(forKey: number) }
    }

    // MARK: The thread

    /// Stops asking: every query under way fails, and the thread ends.
    func stop() {
        let left = table.withLock { table -> [Query] in
            table.isStopped = true
            defer { table.waiting = [] }
            return table.waiting + table.asked.values.map(\.query)
        }
        for query in left { query.finish(.failed(.notAsked)) }
        ring()
    }

    private func ring() {
        var byte: UInt8 = 1
        _ = write(alarm.write, &byte, 1)
    }

    /// Longest the thread sleeps while a query has a deadline, in milliseconds.
    private static let tick: CInt = 100

    private func work() {
        var rung = [UInt8](repeating: 0, count: 64)
        while true {
            let (isStopped, isIdle) = table.withLock { table in
                (table.isStopped, table.asked.isEmpty && table.waiting.isEmpty)
            }
            if isStopped { break }
            var waits = [
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: alarm.read, events: Int16(POLLIN), revents: 0),
            ]
            _ = poll(&waits, 2, isIdle ? -1 : Self.tick)
            while read(alarm.read, &rung, rung.count) == rung.count {}
            context.withLock { context in
                if let context { _ = ub_process(context) }
            }
            expire()
            askWaiting()
        }
        // From here on libunbound calls nobody back.
        context.withLock { context in
            if let context { ub_ctx_delete(context) }
            context = nil
        }
        table.withLock { $0.asked = [:] }
    }

    private func expire() {
        let now = Self.now()
        let late = table.withLock { table in
            (table.waiting + table.asked.values.map(\.query)).filter { $0.deadline <= now }
        }
        for query in late { query.finish(.failed(.timedOut)) }
    }

    /// Monotonic milliseconds.
    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}

/// What libunbound carries along with a query; the table keeps it alive.
private final class Asked: Sendable {
    let number: UInt
    let query: Query
    let owner: Unbound

    init(number: UInt, query: Query, owner: Unbound) {
        self.number = number
        self.query = query
        self.owner = owner
    }
}

/// Called by `ub_process`, on our thread and under the context's lock.
private func answered(
    _ argument: UnsafeMutableRawPointer?,
    _ failure: CInt,
    _ result: UnsafeMutablePointer<ub_result>?
) {
    guard let argument else { return }
    let asked = Unmanaged<Asked>.fromOpaque(argument).takeUnretainedValue()
    asked.owner.leave(asked.number)
    if failure == 0, let result {
        asked.query.finish(.answered(RawResult(result.pointee)))
    } else {
        asked.query.finish(.failed(.notAsked))
    }
    ub_resolve_free(result)
}

/// One question and whoever waits for its answer.
private final class Query: Sendable {
    let name: String
    let type: CInt
    let deadline: Int64
    private let state = Mutex(State.new)

    private enum State {
        case new
        case expected(CheckedContinuation<RawAnswer, Never>)
        case finished(RawAnswer)
    }

    init(name: String, type: CInt, deadline: Int64) {
        self.name = name
        self.type = type
        self.deadline = deadline
    }

    var isFinished: Bool {
        state.withLock { state in
            if case .finished = state { return true }
            return false
        }
    }

    func expect(_ continuation: CheckedContinuation<RawAnswer, Never>) {
        let early = state.withLock { state -> RawAnswer? in
            if case .finished(let answer) = state { return answer }
            state = .expected(continuation)
            return nil
        }
        if let early { continuation.resume(returning: early) }
    }

    /// Answers the caller; the first answer counts.
    func finish(_ answer: RawAnswer) {
        let waiter = state.withLock { state -> CheckedContinuation<RawAnswer, Never>? in
            switch state {
            case .finished: return nil
            case .new:
                state = .finished(answer)
                return nil
            case .expected(let continuation):
                state = .finished(answer)
                return continuation
            }
        }
        waiter?.resume(returning: answer)
    }
}

/// An answer before its records are read.
enum RawAnswer: Sendable {
    case answered(RawResult)
    case failed(Failure)

    enum Failure: Sendable {
        case timedOut, notAsked
    }
}

/// `ub_result`, copied.
struct RawResult: Sendable {
    /// RDATA of each record, at most `mostRecords`.
    let records: [[UInt8]]
    let responseCode: Int
    let isNoSuchDomain: Bool
    let isSecure: Bool
    /// Why the signatures do not verify; nil when they do or there are none.
    let bogus: String?

    private static let mostRecords = 1_000

    init(_ result: ub_result) {
        var records: [[UInt8]] = []
        if result.havedata != 0, let data = result.data, let lengths = result.len {
            while records.count < Self.mostRecords, let record = data[records.count] {
                let length = Int(max(lengths[records.count], 0))
                records.append(
                    Array(UnsafeRawBufferPointer(start: UnsafeRawPointer(record), count: length))
                )
            }
        }
        self.records = records
        responseCode = Int(result.rcode)
        isNoSuchDomain = result.nxdomain != 0
        isSecure = result.secure != 0
        bogus =
            result.bogus == 0
            ? nil : result.why_bogus.map { String(cString: $0) } ?? "signatures do not verify"
    }
}
