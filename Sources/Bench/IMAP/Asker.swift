import NIOCore
import Synchronization

/// One session's rounds; lives on its loop.
final class Asker {
    private let load: IMAPRoundsLoad
    private let exists: Int
    private let session: IMAPSession
    private let recorder: Recorder
    private let rates: Rates
    private let over: EventLoopPromise<Void>
    private var round = 0
    private var first = 1
    private var roundStart = NIODeadline.now()
    private var roundItems = 0

    init(
        load: IMAPRoundsLoad,
        exists: Int,
        session: IMAPSession,
        recorder: Recorder,
        rates: Rates,
        over: EventLoopPromise<Void>
    ) {
        self.load = load
        self.exists = exists
        self.session = session
        self.recorder = recorder
        self.rates = rates
        self.over = over
    }

    func run() -> EventLoopFuture<Void> {
        next()
        return over.futureResult
    }

    private func next() {
        guard round < load.rounds else { return over.succeed() }
        if first == 1 {
            roundStart = .now()
            roundItems = 0
        }
        let last = min(exists, first + (load.batch ?? exists) - 1)
        let set = load.batch == nil ? load.set : "\(first):\(last)"
        session.send(load.command(round: round, set: set)) { [self] response in
            guard response.status == .ok else {
                recorder.fail(response.text)
                return over.fail(
                    BenchError.refused(command: "round \(round)", response: response.text)
                )
            }
            let items = load.items(response, asked: last - first + 1, exists: exists)
            recorder.finish(since: response.start, items: items, bytes: response.bytes)
            roundItems += items
            first = last + 1
            if load.batch == nil || first > exists {
                rates.add(items: roundItems, in: .now() - roundStart)
                round += 1
                first = 1
            }
            next()
        }
    }
}

/// The rate of each round, in items per second.
final class Rates: Sendable {
    private let values = Mutex<[Double]>([])

    func add(items: Int, in time: TimeAmount) {
        let seconds = Double(max(1, time.nanoseconds)) / 1e9
        values.withLock { $0.append(Double(items) / seconds) }
    }

    var first: Double { values.withLock { $0.first ?? 0 } }

    var median: Double {
        values.withLock { values in
            values.isEmpty ? 0 : values.sorted()[values.count / 2]
        }
    }
}
