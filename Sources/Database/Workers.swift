import Dispatch
import Foundation
import Synchronization

/// A queue between tasks and the threads of an engine.
///
/// A semaphore and a mutex: its takers are threads that block, never tasks.
final class Inbox<Element: Sendable>: Sendable {
    private struct State {
        var waiting: [Element] = []
        var first = 0
        var sleepers = 0
        var isClosed = false
    }

    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    /// Adds `element`; false when the inbox is closed or holds `limit` already.
    func put(_ element: Element) -> Bool {
        let (taken, wakes) = state.withLock { state -> (Bool, Bool) in
            guard !state.isClosed, state.waiting.count - state.first < limit else {
                return (false, false)
            }
            state.waiting.append(element)
            guard state.sleepers > 0 else { return (true, false) }
            state.sleepers -= 1
            return (true, true)
        }
        if wakes { wake.signal() }
        return taken
    }

    /// Takes up to `count` elements, sleeping until there is one; nil when closed and empty.
    func take(upTo count: Int) -> [Element]? {
        while true {
            let taken = state.withLock { state -> (elements: [Element], isOver: Bool) in
                let elements = Array(state.waiting[state.first...].prefix(count))
                if elements.isEmpty {
                    if !state.isClosed { state.sleepers += 1 }
                    return ([], state.isClosed)
                }
                state.first += elements.count
                if state.first == state.waiting.count {
                    state.waiting.removeAll(keepingCapacity: true)
                    state.first = 0
                } else if state.first > 1_024 {
                    state.waiting.removeFirst(state.first)
                    state.first = 0
                }
                return (elements, false)
            }
            if !taken.elements.isEmpty { return taken.elements }
            if taken.isOver { return nil }
            wake.wait()
        }
    }

    /// Sleeps; false at once when the inbox is closed, even while sleeping.
    func sleep(milliseconds: Int) -> Bool {
        let isOpen = state.withLock { state in
            if !state.isClosed { state.sleepers += 1 }
            return !state.isClosed
        }
        guard isOpen else { return false }
        if wake.wait(timeout: .now() + .milliseconds(milliseconds)) == .success {
            return state.withLock { !$0.isClosed }
        }
        return state.withLock { state in
            if state.sleepers > 0 { state.sleepers -= 1 }
            return !state.isClosed
        }
    }

    /// Refuses new elements; those already there are still taken.
    func close() {
        let sleepers = state.withLock { state in
            state.isClosed = true
            defer { state.sleepers = 0 }
            return state.sleepers
        }
        for _ in 0..<sleepers { wake.signal() }
    }
}

/// What a thread of an engine is asked to do: `run` yields how to acknowledge it.
struct Job<Context>: Sendable {
    let run: @Sendable (Context) throws -> @Sendable () -> Void
    let fail: @Sendable (any Error) -> Void
}

/// The engine's own threads: database calls block, and must not block the cooperative pool.
final class Threads: Sendable {
    private struct State {
        var running = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        state.withLock { $0.running += 1 }
        let thread = Thread {
            body()
            self.ended()
        }
        thread.name = name
        thread.stackSize = 2 << 20
        thread.start()
    }

    /// Runs `body` on a thread of its own, for the rare call that belongs to no lane.
    func once<Value: Sendable>(
        _ name: String,
        _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            start(name) { continuation.resume(with: Result { try body() }) }
        }
    }

    /// Returns when every thread has ended.
    func join() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                guard state.running > 0 else { return true }
                state.waiters.append(continuation)
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    private func ended() {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.running -= 1
            guard state.running == 0 else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
