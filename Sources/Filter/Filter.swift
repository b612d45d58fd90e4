package import Journal

/// What is to be done with a message; the words of the reply belong to the door.
package enum Verdict: Hashable, Sendable {
    case accept
    /// Something was found; never empty.
    case reject([Finding])
    /// Nothing was found, but not everybody has looked; never empty.
    case `defer`([Outage])
}

/// What an engine found.
package struct Finding: Hashable, Sendable {
    package let engine: String
    package let name: String

    package init(engine: String, name: String) {
        self.engine = engine
        self.name = name
    }
}

/// An engine that gave no verdict.
package struct Outage: Hashable, Sendable {
    package let engine: String
    package let failure: EngineFailure

    package init(engine: String, failure: EngineFailure) {
        self.engine = engine
        self.failure = failure
    }
}

/// Shows each message to every engine at once and makes one verdict of theirs.
///
/// Any finding rejects. Any failure defers, unless that engine is optional; an engine that is down
/// never lets mail pass by itself.
package struct Filter: Sendable {
    /// An engine and the terms on which it is heard.
    package struct Member: Sendable {
        package let engine: any ContentEngine
        /// Time the engine has for one message.
        package let budget: Duration
        /// When the engine fails, mail passes as if it had not been asked.
        package let isOptional: Bool

        package init(
            _ engine: any ContentEngine,
            budget: Duration = .seconds(30),
            isOptional: Bool = false
        ) {
            self.engine = engine
            self.budget = budget
            self.isOptional = isOptional
        }
    }

    private let members: [Member]
    private let journal: Journal

    package init(_ members: [Member], journal: Journal) {
        self.members = members
        self.journal = journal
    }

    /// True when there is no engine, so that every message is accepted unseen.
    package var isEmpty: Bool { members.isEmpty }

    /// Judges a message; `queueID` and `client` are for the journal.
    ///
    /// Takes no longer than the longest budget. The first finding ends the other scans.
    package func judge(_ message: [UInt8], queueID: String, client: String) async -> Verdict {
        if members.isEmpty { return .accept }
        let verdicts = await verdicts(on: message)

        var findings: [Finding] = []
        var outages: [Outage] = []
        for (member, verdict) in zip(members, verdicts) {
            let engine = member.engine.name
            switch verdict {
            case .clean, nil: break
            case .infected(let name):
                findings.append(Finding(engine: engine, name: name))
                journal.record(
                    .infected(queueID: queueID, engine: engine, name: name, client: client)
                )
            case .failed(let failure):
                journal.record(.engineFailed(engine: engine, reason: failure.reason))
                if !member.isOptional { outages.append(Outage(engine: engine, failure: failure)) }
            }
        }
        if !findings.isEmpty { return .reject(findings) }
        return outages.isEmpty ? .accept : .defer(outages)
    }

    // In the order of the members; nil for a scan that was cut short because another one found
    // something.
    private func verdicts(on message: [UInt8]) async -> [EngineVerdict?] {
        await withTaskGroup(of: (Int, EngineVerdict).self) { group in
            for (index, member) in members.enumerated() {
                group.addTask { (index, await member.scan(message)) }
            }
            var verdicts = [EngineVerdict?](repeating: nil, count: members.count)
            for await (index, verdict) in group {
                verdicts[index] = verdict
                if case .infected = verdict {
                    group.cancelAll()
                    break
                }
            }
            return verdicts
        }
    }
}

extension Filter.Member {
    // The budget holds even for an engine that does not watch the clock itself.
    fileprivate func scan(_ message: [UInt8]) async -> EngineVerdict {
        await withTaskGroup(of: EngineVerdict?.self) { group in
            group.addTask { await engine.scan(message, within: budget) }
            group.addTask {
                // Cancelled when the engine has answered.
                try? await Task.sleep(for: budget)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first ?? .failed(.timedOut)
        }
    }
}
