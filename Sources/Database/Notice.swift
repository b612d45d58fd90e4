import Synchronization

/// What a listener learns.
package enum Notice: Equatable, Sendable {
    /// A committed transaction said so with `Transaction.notify`.
    case payload(String)

    /// Notices may have been lost, or another process changed the database: ask again for
    /// everything.
    case missed
}

/// A notice as a transaction gave it.
struct NoticeText: Hashable, Sendable {
    let channel: String
    let payload: String

    /// Bytes of channel and payload together; PostgreSQL carries less than 8,000.
    static let maximumLength = 4_000
}

/// Who listens in this process.
///
/// A mutex and not an actor: notices are handed over on the engine's threads, which cannot await.
final class Listeners: Sendable {
    private struct State {
        var next = 0
        var streams: [Int: (channel: String, continuation: AsyncStream<Notice>.Continuation)] = [:]
        var isClosed = false
    }

    private let state = Mutex(State())

    /// How many notices one slow listener may leave unread before it only learns `.missed`.
    static let unreadLimit = 4_096

    func listen(_ channel: String) -> AsyncStream<Notice> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Notice.self,
            bufferingPolicy: .bufferingNewest(Self.unreadLimit)
        )
        let key = state.withLock { state -> Int? in
            guard !state.isClosed else { return nil }
            state.next += 1
            state.streams[state.next] = (channel, continuation)
            return state.next
        }
        guard let key else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.streams.removeValue(forKey: key) }
        }
        return stream
    }

    func tell(_ notices: some Sequence<NoticeText>) {
        let streams = state.withLock { Array($0.streams.values) }
        guard !streams.isEmpty else { return }
        for notice in notices {
            for stream in streams where stream.channel == notice.channel {
                Self.hand(.payload(notice.payload), to: stream.continuation)
            }
        }
    }

    func tellMissed() {
        for stream in state.withLock({ Array($0.streams.values) }) {
            Self.hand(.missed, to: stream.continuation)
        }
    }

    func close() {
        let streams = state.withLock { state in
            state.isClosed = true
            return Array(state.streams.values)
        }
        for stream in streams { stream.continuation.finish() }
    }

    private static func hand(_ notice: Notice, to listener: AsyncStream<Notice>.Continuation) {
        if case .dropped = listener.yield(notice) { listener.yield(.missed) }
    }
}
