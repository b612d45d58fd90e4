import Synchronization

/// What all sessions of an SMTP load share.
struct SMTPJob: Sendable {
    let load: SMTPLoad
    let source: MessageSource
    let plan: Plan
    let recorder = Recorder()
    let delivered: Deliveries

    init(load: SMTPLoad, source: MessageSource) {
        self.load = load
        self.source = source
        plan = Plan(load.amount)
        delivered = Deliveries(users: load.users)
    }

    /// The users that message `index` goes to, from 1.
    func recipients(of index: Int) -> [Int] {
        (0..<load.recipientsPerMessage).map {
            (index * load.recipientsPerMessage + $0) % load.users + 1
        }
    }
}

/// How many acknowledged messages each user should find.
final class Deliveries: Sendable {
    private let counts: Mutex<[Int]>

    init(users: Int) {
        counts = Mutex(Array(repeating: 0, count: users + 1))
    }

    func add(to users: [Int]) {
        counts.withLock { counts in
            for user in users { counts[user] += 1 }
        }
    }

    func count(of user: Int) -> Int { counts.withLock { $0[user] } }

    var total: Int { counts.withLock { $0.reduce(0, +) } }
}
