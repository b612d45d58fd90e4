import ArgumentParser
import Foundation
import Journal
import struct Mail.EmailAddress
import enum Mail.ReversePath
import Node
import Queue

struct QueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue",
        abstract: "Look at and steer the mail that waits for its next hop.",
        subcommands: [
            List.self, Show.self, Counts.self, Hold.self, Release.self, Retry.self, Delete.self,
        ]
    )
}

/// Which recipients a verb is about.
struct QueueChoice: ParsableArguments {
    @Argument(help: "A queue id.") var queueID: String?
    @Option(help: "Only this recipient domain.") var domain: String?
    @Option(help: "Only this state: ready, deferred, held, failed.") var state: String?
    @Option(help: "Only this forward-path.") var recipient: AddressArgument?
    @Option(help: "Only this reverse-path.") var sender: AddressArgument?

    func filter() throws -> QueueFilter {
        var chosen: RecipientState?
        if let state {
            chosen = RecipientState(name: state)
            if chosen == nil {
                let names = RecipientState.allCases.map(\.name).joined(separator: ", ")
                throw ValidationError("state is one of \(names)")
            }
        }
        return QueueFilter(
            queueID: queueID,
            state: chosen,
            destination: domain,
            reversePath: sender.map { .address($0.address) },
            forwardPath: recipient?.address
        )
    }

    /// Says how many recipients were changed; a queue id that names none is a mistake.
    func report(_ count: Int, _ what: String) throws {
        if count == 0, let queueID {
            say("no recipient of \(queueID) was changed: see relais queue show \(queueID)")
            throw ExitCode.failure
        }
        print("\(count) recipients \(what)")
    }

    /// The filter of a verb that changes something: everything only with `--all`.
    func filter(all: Bool) throws -> QueueFilter {
        let filter = try filter()
        guard all || filter != QueueFilter() else {
            throw ValidationError("name a queue id, an option, or --all")
        }
        return filter
    }
}

private func moment(_ milliseconds: Int64?) -> String {
    guard let milliseconds else { return "-" }
    return Date(timeIntervalSince1970: Double(milliseconds) / 1_000).formatted(.iso8601)
}

private func text(_ path: ReversePath) -> String {
    switch path {
    case .null: "<>"
    case .address(let address): "<\(address.key)>"
    }
}

extension QueueCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "One line per recipient: id, size, arrival, state, next attempt, paths, reason."
        )

        @OptionGroup var common: ConfigurationOption
        @OptionGroup var choice: QueueChoice

        func run() async throws {
            let filter = try choice.filter()
            try await common.withPlatform { platform in
                var position: QueuePosition?
                var count = 0
                while true {
                    let page = try await platform.queue.list(filter, after: position)
                    for entry in page {
                        for recipient in entry.recipients {
                            count += 1
                            print(Self.line(entry, recipient))
                        }
                    }
                    guard let last = page.last else { break }
                    position = last.position
                }
                say("\(count) recipients")
            }
        }

        private static func line(_ entry: QueueEntry, _ recipient: QueueEntry.Recipient) -> String {
            [
                entry.message.queueID,
                "\(entry.message.body.size)",
                moment(entry.message.arrival),
                recipient.lease == nil ? recipient.state.name : "under-way",
                moment(recipient.nextAttempt),
                text(entry.message.reversePath),
                "<\(recipient.path.forwardPath.key)>",
                recipient.lastReply?.text ?? "",
            ].joined(separator: "\t")
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Everything about one message.")

        @OptionGroup var common: ConfigurationOption
        @Argument var queueID: String

        func run() async throws {
            try await common.withPlatform { platform in
                let entries = try await platform.queue.show(queueID)
                guard !entries.isEmpty else {
                    say("nothing in the queue has the id \(queueID)")
                    throw ExitCode.failure
                }
                for entry in entries {
                    print("queue id      \(entry.message.queueID)")
                    print("reverse-path  \(text(entry.message.reversePath))")
                    print("size          \(entry.message.body.size)")
                    print("from          \(entry.message.source)")
                    print("arrived       \(moment(entry.message.arrival))")
                    print("given up      \(moment(entry.expiry))")
                    for recipient in entry.recipients {
                        print("")
                        print("  recipient     <\(recipient.path.forwardPath.key)>")
                        print("  state         \(recipient.state.name)")
                        print("  attempts      \(recipient.attempts)")
                        print("  last attempt  \(moment(recipient.lastAttempt))")
                        print("  next attempt  \(moment(recipient.nextAttempt))")
                        if let lease = recipient.lease { print("  under way at  \(lease)") }
                        if let reply = recipient.lastReply {
                            print("  next hop      \(reply.nextHop)")
                            print("  last reply    \(reply.status) \(reply.text)")
                        }
                    }
                }
            }
        }
    }

    struct Counts: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Recipients per destination and state."
        )

        @OptionGroup var common: ConfigurationOption

        func run() async throws {
            try await common.withPlatform { platform in
                for count in try await platform.queue.counts() {
                    print(
                        [
                            count.destination, count.state.name, "\(count.recipients)",
                            "under way \(count.underWay)", "next \(moment(count.nextAttempt))",
                        ].joined(separator: "\t")
                    )
                }
            }
        }
    }

    struct Hold: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Keep recipients back until they are released."
        )

        @OptionGroup var common: ConfigurationOption
        @OptionGroup var choice: QueueChoice
        @Flag(help: "The whole queue.") var all = false

        func run() async throws {
            let filter = try choice.filter(all: all)
            try await common.withPlatform { platform in
                try choice.report(try await platform.queue.hold(filter), "held")
            }
        }
    }

    struct Release: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let held recipients go.")

        @OptionGroup var common: ConfigurationOption
        @OptionGroup var choice: QueueChoice
        @Flag(help: "The whole queue.") var all = false

        func run() async throws {
            let filter = try choice.filter(all: all)
            try await common.withPlatform { platform in
                try choice.report(try await platform.queue.release(filter), "released")
            }
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Try waiting recipients now, not at their next time."
        )

        @OptionGroup var common: ConfigurationOption
        @OptionGroup var choice: QueueChoice
        @Flag(help: "The whole queue.") var all = false

        func run() async throws {
            let filter = try choice.filter(all: all)
            try await common.withPlatform { platform in
                try choice.report(try await platform.queue.retryNow(filter), "are due now")
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take recipients out of the queue.",
            discussion: "Without --yes it only says what would be deleted."
        )

        @OptionGroup var common: ConfigurationOption
        @OptionGroup var choice: QueueChoice
        @Flag(help: "The whole queue.") var all = false
        @Flag(help: "Tell the reverse-path with a delivery report.") var notify = false
        @Flag(help: "Do it.") var yes = false

        func run() async throws {
            let filter = try choice.filter(all: all)
            try await common.withPlatform { platform in
                guard yes else {
                    var count = 0
                    var position: QueuePosition?
                    while true {
                        let page = try await platform.queue.list(filter, after: position)
                        count += page.reduce(0) { $0 + $1.recipients.count }
                        guard let last = page.last else { break }
                        position = last.position
                    }
                    print("would delete \(count) recipients; repeat with --yes")
                    return
                }
                let count = try await platform.queue.delete(
                    filter,
                    notify ? .notify : .silent,
                    bodies: QueueBodies(platform.store)
                )
                try choice.report(count, "deleted")
            }
        }
    }
}
