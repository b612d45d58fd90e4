import NIOCore
import NIOPosix
import Wire

#if canImport(Glibc)
import Glibc
#endif

/// The event loops of the load generator, its progress line and its patience.
package struct Runner: Sendable {
    package enum Progress: Sendable {
        case shown
        case silent
    }

    private let group: MultiThreadedEventLoopGroup
    private let loops: [any EventLoop]
    private let progress: Progress
    /// Seconds without any progress after which a run fails.
    private let patience: Int

    package init(threads: Int, progress: Progress, patience: Int) {
        group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, threads))
        loops = Array(group.makeIterator())
        self.progress = progress
        self.patience = patience
        Self.raiseDescriptorLimit()
    }

    func loop(_ number: Int) -> any EventLoop { loops[number % loops.count] }

    /// Stops the event loops.
    package func shutDown() async throws {
        try await group.shutdownGracefully()
    }

    /// Writes a line to standard error, unless told to be silent.
    func say(_ text: String) {
        if progress == .shown { Self.print(text + "\n") }
    }

    /// Starts the work of `begin` and waits for its end, showing progress; fails when `done` stands
    /// still for too long.
    func watching(
        what: String,
        total: Int?,
        done: @escaping @Sendable () -> Int,
        _ begin: () throws -> EventLoopFuture<Void>
    ) async throws {
        let over = loop(0).makePromise(of: Void.self)
        do { try begin().cascade(to: over) } catch { over.fail(error) }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await watch(what: what, total: total, done: done, over: over) }
            defer { tasks.cancelAll() }
            try await over.futureResult.get()
        }
    }

    func watching(
        _ recorder: Recorder,
        plan: Plan,
        what: String,
        _ begin: () throws -> EventLoopFuture<Void>
    ) async throws {
        try await watching(what: what, total: plan.total, done: { recorder.done }, begin)
    }

    private func watch(
        what: String,
        total: Int?,
        done: @Sendable () -> Int,
        over: EventLoopPromise<Void>
    ) async {
        var last = 0
        var quiet = 0
        var seconds = 0
        while true {
            do { try await Task.sleep(for: .seconds(1)) } catch { break }
            seconds += 1
            let now = done()
            if progress == .shown {
                let goal = total.map { " of \($0)" } ?? ""
                Self.print("\r\(seconds) s  \(now)\(goal) \(what)  \(now - last)/s   ")
            }
            quiet = now == last ? quiet + 1 : 0
            last = now
            if quiet >= patience {
                over.fail(BenchError.stalled(seconds: quiet))
                break
            }
        }
        if seconds > 0, progress == .shown { Self.print("\n") }
    }

    private static func print(_ text: String) {
        var bytes = Array(text.utf8)
        _ = write(STDERR_FILENO, &bytes, bytes.count)
    }

    /// Takes as many file descriptors as the system allows, for thousands of connections.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
