import Foundation

/// Runs a group of jobs in one durable transaction, each with its own result.
///
/// First all together, without savepoints. When a job fails that has written, the transaction is
/// undone and the group runs again with a savepoint per job, so that each failure is told apart
/// from its neighbours. What a conflict or a refused commit still leaves is run job by job.
struct GroupCommit {
    /// How often a job that meets a conflict is run alone before its caller is told.
    var attemptsAlone = 6

    /// Called with what a durable group had to announce.
    let announce: ([NoticeText]) -> Void

    /// Settles every job, except when it throws: then the connection was lost before a commit was
    /// sent, no job has been settled, and the group may run again on another connection.
    ///
    /// - Returns: whether the group got in the way of another lane's.
    func run(
        _ jobs: [Job<Transaction>],
        on session: any WriterSession
    ) throws(DatabaseError) -> Contention {
        switch try runTogether(jobs, on: session, isolation: .none) {
        case .settled: return .none
        case .conflict:
            try runAlone(jobs, on: session)
            return .met
        case .undone where jobs.count > 1: break
        case .undone:
            try runAlone(jobs, on: session)
            return .none
        }
        switch try runTogether(jobs, on: session, isolation: .savepoints) {
        case .settled: return .none
        case .undone, .conflict:
            try runAlone(jobs, on: session)
            return .none
        }
    }

    enum Contention { case none, met }

    private enum Isolation { case none, savepoints }

    private enum End {
        /// Every job has its answer.
        case settled
        /// Nothing was written, no job has an answer.
        case undone
        /// The same, because of another lane's locks.
        case conflict
    }

    private enum Outcome {
        case success(acknowledge: @Sendable () -> Void)
        case failure(any Error)
        /// Worth another try by itself.
        case conflict
    }

    private func runTogether(
        _ jobs: [Job<Transaction>],
        on session: any WriterSession,
        isolation: Isolation
    ) throws(DatabaseError) -> End {
        var outcomes: [Outcome] = []
        var transactions: [Transaction] = []
        outcomes.reserveCapacity(jobs.count)
        transactions.reserveCapacity(jobs.count)
        do {
            try session.begin(.group)
            for job in jobs {
                let transaction = Transaction(session)
                let outcome: Outcome
                switch isolation {
                case .none:
                    outcome = try attempt(job, in: transaction, on: session)
                    if case .success = outcome {
                    } else if session.failure != nil
                        || transaction.hasWritten
                    {
                        session.rollBack()
                        return .undone
                    }
                case .savepoints:
                    try session.savepoint()
                    outcome = try attemptInSavepoint(job, in: transaction, on: session)
                }
                outcomes.append(outcome)
                transactions.append(transaction)
            }
        } catch {
            return try giveUp(jobs, because: error, on: session)
        }
        let kept = zip(outcomes, transactions).compactMap { outcome, transaction in
            if case .success = outcome { transaction } else { nil }
        }
        let notices = distinctNotices(of: kept)
        do {
            try session.commit(with: notices)
        } catch {
            return try giveUp(jobs, because: error, on: session)
        }
        for transaction in kept {
            for hook in transaction.hooks { hook() }
        }
        if !notices.isEmpty { announce(notices) }
        var again: [Job<Transaction>] = []
        for (job, outcome) in zip(jobs, outcomes) {
            switch outcome {
            case .success(let acknowledge): acknowledge()
            case .failure(let error): job.fail(error)
            case .conflict: again.append(job)
            }
        }
        if !again.isEmpty {
            do {
                try runAlone(again, on: session)
            } catch {
                for job in again { job.fail(error) }
            }
        }
        return .settled
    }

    /// After an error of the transaction itself: settles the jobs when nothing more can be done.
    private func giveUp(
        _ jobs: [Job<Transaction>],
        because error: any Error,
        on session: any WriterSession
    ) throws(DatabaseError) -> End {
        let cause = error as? DatabaseError ?? .failed("\(error)")
        if session.isCommitUnknown {
            for job in jobs { job.fail(cause) }
            return .settled
        }
        if session.isLost { throw cause }
        session.rollBack()
        if case .unavailable = cause {
            for job in jobs { job.fail(cause) }
            return .settled
        }
        if case .conflict = cause { return .conflict }
        return .undone
    }

    /// After a job without a savepoint: nil when the group may go on.
    ///
    /// A job that fails before it wrote anything disturbs nobody.
    private func end(
        of outcome: Outcome,
        in transaction: Transaction,
        on session: any WriterSession
    ) -> End? {
        switch outcome {
        case .success: return nil
        case .failure where session.failure == nil && !transaction.hasWritten: return nil
        case .failure:
            session.rollBack()
            return .undone
        case .conflict:
            session.rollBack()
            return .conflict
        }
    }

    /// Runs each job in a transaction of its own.
    ///
    /// Throws only when no job has been settled yet.
    private func runAlone(
        _ jobs: [Job<Transaction>],
        on session: any WriterSession
    ) throws(DatabaseError) {
        for (index, job) in jobs.enumerated() {
            do {
                try runAlone(job, on: session)
            } catch {
                if index == 0 { throw error }
                for rest in jobs[index...] { rest.fail(error) }
                return
            }
        }
    }

    private func runAlone(
        _ job: Job<Transaction>,
        on session: any WriterSession
    ) throws(DatabaseError) {
        for attempt in 1... {
            let transaction = Transaction(session)
            let cause: any Error
            do {
                try session.begin(.alone)
                let acknowledge = try job.run(transaction)
                if let failure = session.failure { throw failure }
                try session.commit(with: distinctNotices(of: [transaction]))
                for hook in transaction.hooks { hook() }
                if !transaction.notices.isEmpty { announce(distinctNotices(of: [transaction])) }
                return acknowledge()
            } catch {
                cause = session.failure ?? error
            }
            if session.isCommitUnknown { return job.fail(cause) }
            if session.isLost { throw cause as? DatabaseError ?? .unavailable("\(cause)") }
            session.rollBack()
            guard case .conflict? = cause as? DatabaseError, attempt < attemptsAlone else {
                return job.fail(cause)
            }
            Thread.sleep(forTimeInterval: 0.002 * Double(1 << attempt))
        }
    }

    /// Throws only when the connection is lost.
    private func attempt(
        _ job: Job<Transaction>,
        in transaction: Transaction,
        on session: any WriterSession
    ) throws -> Outcome {
        do {
            let acknowledge = try job.run(transaction)
            guard let failure = session.failure else { return .success(acknowledge: acknowledge) }
            throw failure
        } catch {
            let cause = session.failure ?? error
            if session.isLost { throw cause }
            if case .conflict? = cause as? DatabaseError { return .conflict }
            return .failure(cause)
        }
    }

    private func attemptInSavepoint(
        _ job: Job<Transaction>,
        in transaction: Transaction,
        on session: any WriterSession
    ) throws -> Outcome {
        let outcome = try attempt(job, in: transaction, on: session)
        guard case .success = outcome else {
            try session.rollBackToSavepoint()
            return outcome
        }
        do {
            try session.release()
            return outcome
        } catch {
            if session.isLost { throw error }
            try session.rollBackToSavepoint()
            if case .conflict = error { return .conflict }
            return .failure(error)
        }
    }

    private func distinctNotices(of transactions: [Transaction]) -> [NoticeText] {
        var seen: Set<NoticeText> = []
        var notices: [NoticeText] = []
        for transaction in transactions {
            for notice in transaction.notices where seen.insert(notice).inserted {
                notices.append(notice)
            }
        }
        return notices
    }
}
