import NIOCore

/// One of the parallel places of a load: connects, and connects again, until the plan is over.
///
/// Lives on its event loop.
final class SMTPSlot {
    /// The user this slot sends as, from 1.
    private let user: Int
    private let connector: Connector
    private let job: SMTPJob
    private let over: EventLoopPromise<Void>
    private var lost = 0

    /// After this many connections lost in a row the run fails.
    static let mostLost = 20

    init(number: Int, connector: Connector, job: SMTPJob) {
        user = number % job.load.users + 1
        self.connector = connector
        self.job = job
        over = connector.loop.makePromise()
    }

    func run() -> EventLoopFuture<Void> {
        connect()
        return over.futureResult
    }

    private func connect() {
        let slot = NIOLoopBound(self, eventLoop: connector.loop)
        let job = job
        let user = user
        connector.connect { connector in
            SMTPSession(user: user, connector: connector, job: job) { slot.value.ended($0) }
        }
        .whenFailure { slot.value.over.fail(BenchError.connection("\($0)")) }
    }

    private func ended(_ end: SMTPSession.End) {
        switch end {
        case .planOver:
            over.succeed()
        case .reconnect:
            lost = 0
            connect()
        case .lost(let reason):
            lost += 1
            job.recorder.fail(reason)
            if lost > Self.mostLost {
                over.fail(BenchError.connection(reason))
            } else {
                connect()
            }
        }
    }
}
