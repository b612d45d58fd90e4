import NIOPosix

/// Threads for work that blocks: files, databases, C libraries.
///
/// Whoever makes one shuts it down; a task waits for its turn, never a thread of the cooperative
/// pool.
package final class BlockingThreads: Sendable {
    /// For work that belongs to nobody in particular; never shut down.
    package static let shared = BlockingThreads(pool: .singleton)

    private let pool: NIOThreadPool

    /// Starts `count` threads.
    package init(count: Int) {
        pool = NIOThreadPool(numberOfThreads: max(1, count))
        pool.start()
    }

    private init(pool: NIOThreadPool) {
        self.pool = pool
    }

    /// Runs `body` on one of the threads and returns what it returns.
    package func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await pool.runIfActive(body)
    }

    /// Lets running work finish and ends the threads; work not begun throws.
    package func shutdown() async {
        try? await pool.shutdownGracefully()
    }
}
