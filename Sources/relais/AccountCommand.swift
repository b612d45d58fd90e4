import ArgumentParser
import Directory
import Glibc
import struct Mail.EmailAddress
import Node
import Store

struct AccountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account",
        abstract: "Create, show and change accounts.",
        subcommands: [
            Add.self, Import.self, List.self, Password.self, Quota.self, State.self, Alias.self,
            Delete.self,
        ]
    )
}

/// Reads `NAME@DOMAIN` as ArgumentParser wants it.
struct AddressArgument: ExpressibleByArgument {
    let address: EmailAddress

    init?(argument: String) {
        guard let address = EmailAddress(parsing: Array(argument.utf8)[...]) else { return nil }
        self.address = address
    }
}

/// A storage limit as typed; nil stays nil.
func bytes(megabytes: Int64?) throws -> Int64? {
    guard let megabytes else { return nil }
    guard (0...1 << 30).contains(megabytes) else {
        throw ValidationError("megabytes is a number from 0 to \(1 << 30)")
    }
    return megabytes << 20
}

/// A password from standard input, or typed twice at a terminal without being shown.
func readPassword() throws -> String {
    guard isatty(STDIN_FILENO) != 0 else {
        guard let line = readLine(strippingNewline: true) else {
            throw ValidationError("no password on standard input")
        }
        return line
    }
    func ask(_ prompt: String) throws -> String {
        guard let typed = getpass(prompt) else {
            throw ValidationError("no terminal to read a password from")
        }
        return String(cString: typed)
    }
    let first = try ask("Password: ")
    guard try ask("Again: ") == first else { throw ValidationError("the two differ") }
    return first
}

extension AccountCommand {
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create an account with its address.",
            discussion: "Without --no-password the password is asked for, or read from a pipe."
        )

        @OptionGroup var common: ConfigurationOption
        @Argument(help: "The login, as in anne or anne.martin.") var login: String
        @Argument(help: "The primary address.") var address: AddressArgument
        @Flag(help: "Read the password from standard input, also at a terminal.")
        var passwordStdin = false
        @Flag(help: "Create the account without a password: it receives, nobody logs in.")
        var noPassword = false
        @Flag(help: "Succeed without change when the login exists.") var ifMissing = false
        @Option(help: "person, functional, group or system.") var kind = "person"
        @Option(help: "Name shown to people.") var displayName: String?
        @Option(help: "Storage limit in MiB; default: that of the configuration.")
        var quotaMegabytes: Int64?

        func run() async throws {
            guard let kind = Account.Kind(rawValue: kind) else {
                throw ValidationError("kind is person, functional, group or system")
            }
            var new = NewAccount(login: login, address: address.address)
            new.kind = kind
            new.displayName = displayName
            new.quotaBytes = try bytes(megabytes: quotaMegabytes)
            if !noPassword {
                new.password = passwordStdin ? readLine(strippingNewline: true) : try readPassword()
            }
            try await common.withPlatform { platform in
                do {
                    let account = try await platform.directory.addAccount(new)
                    print("\(account.login) receives mail for \(address.address.key)")
                } catch DirectoryError.loginExists where ifMissing {
                    print("\(login) exists")
                }
            }
        }
    }

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create many accounts from lines LOGIN,ADDRESS,PASSWORD on standard input.",
            discussion:
                "Logins that exist are left alone, so an interrupted import can be repeated."
        )

        @OptionGroup var common: ConfigurationOption

        func run() async throws {
            try await common.withPlatform { platform in
                var made = 0
                var known = 0
                var failed = 0
                var batch: [NewAccount] = []
                func flush() async {
                    let outcomes = await Self.add(batch, to: platform.directory)
                    made += outcomes.made
                    known += outcomes.known
                    failed += outcomes.failed
                    batch = []
                    say("\(made + known + failed) lines read")
                }
                var number = 0
                while let line = readLine(strippingNewline: true) {
                    number += 1
                    guard !line.isEmpty else { continue }
                    let fields = line.split(separator: ",", omittingEmptySubsequences: false)
                    guard fields.count == 3,
                        let address = AddressArgument(argument: String(fields[1]))
                    else {
                        say("line \(number): not LOGIN,ADDRESS,PASSWORD")
                        failed += 1
                        continue
                    }
                    var new = NewAccount(login: String(fields[0]), address: address.address)
                    new.password = fields[2].isEmpty ? nil : String(fields[2])
                    batch.append(new)
                    if batch.count == 500 { await flush() }
                }
                await flush()
                print("\(made) created, \(known) existed, \(failed) failed")
                if failed > 0 { throw ExitCode.failure }
            }
        }

        /// Adds a batch side by side, so that its accounts share commits.
        private static func add(
            _ accounts: [NewAccount],
            to directory: Directory
        ) async -> (made: Int, known: Int, failed: Int) {
            await withTaskGroup(of: DirectoryError?.self) { group in
                for account in accounts {
                    group.addTask {
                        do throws(DirectoryError) {
                            try await directory.addAccount(account)
                            return nil
                        } catch {
                            return error
                        }
                    }
                }
                var made = 0
                var known = 0
                var failed = 0
                for await error in group {
                    switch error {
                    case nil: made += 1
                    case .loginExists: known += 1
                    case let error?:
                        say("\(error)")
                        failed += 1
                    }
                }
                return (made, known, failed)
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show accounts: login, state, addresses, storage used and allowed."
        )

        @OptionGroup var common: ConfigurationOption

        func run() async throws {
            try await common.withPlatform { platform in
                var last = ""
                while true {
                    let page = try await platform.directory.accounts(after: last)
                    for listing in page {
                        let usage = try await platform.store.usage(of: listing.account.id)
                        print(Self.line(listing, usage, platform.settings.defaultQuota))
                    }
                    guard let end = page.last else { return }
                    last = end.account.login
                }
            }
        }

        private static func line(
            _ listing: AccountListing,
            _ usage: QuotaUsage,
            _ fallback: QuotaLimit
        ) -> String {
            let account = listing.account
            let limit = (account.quotaBytes ?? fallback.bytes).map { "\($0 >> 20)" } ?? "-"
            return [
                account.login,
                account.kind.rawValue,
                account.state.rawValue + (listing.hasPassword ? "" : ",no-password"),
                "\(usage.bytes >> 20)/\(limit) MiB",
                "\(usage.messages) messages",
                listing.addresses.map(\.key).joined(separator: ","),
                account.displayName ?? "",
            ].joined(separator: "\t")
        }
    }

    struct Password: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Set a password.")

        @OptionGroup var common: ConfigurationOption
        @Argument var login: String

        func run() async throws {
            let password = try readPassword()
            try await common.withPlatform { platform in
                try await platform.directory.setPassword(password, of: login)
                print("password of \(login) set")
            }
        }
    }

    struct Quota: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set an account's own limits; without options, return to the defaults."
        )

        @OptionGroup var common: ConfigurationOption
        @Argument var login: String
        @Option(help: "MiB.") var megabytes: Int64?
        @Option(help: "Number of messages.") var messages: Int64?

        func run() async throws {
            let bytes = try bytes(megabytes: megabytes)
            guard messages ?? 0 >= 0 else { throw ValidationError("messages is not negative") }
            try await common.withPlatform { platform in
                try await platform.directory.setQuota(
                    bytes: bytes,
                    messages: messages,
                    of: login
                )
                print("limits of \(login) set")
            }
        }
    }

    struct State: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set an account's state: active, suspended (receives only) or closed."
        )

        @OptionGroup var common: ConfigurationOption
        @Argument var login: String
        @Argument var state: String

        func run() async throws {
            guard let state = Account.State(rawValue: state) else {
                throw ValidationError("state is active, suspended or closed")
            }
            try await common.withPlatform { platform in
                try await platform.directory.setState(state, of: login)
                print("\(login) is \(state.rawValue)")
            }
        }
    }

    struct Alias: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give an account another address, or take one away."
        )

        @OptionGroup var common: ConfigurationOption
        @Flag(help: "Take the address away.") var remove = false
        @Argument var login: String
        @Argument var address: AddressArgument

        func run() async throws {
            try await common.withPlatform { platform in
                if remove {
                    let owner = try await platform.directory.account(login: address.address.key)
                    guard owner?.login == login.lowercased() else {
                        throw DirectoryError.noSuchAddress(address.address.key)
                    }
                    try await platform.directory.removeAlias(address.address)
                    print("\(address.address.key) removed")
                } else {
                    try await platform.directory.addAlias(address.address, to: login)
                    print("\(login) receives mail for \(address.address.key)")
                }
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete an account and all its mail.",
            discussion: "Without --yes it only says what would be deleted."
        )

        @OptionGroup var common: ConfigurationOption
        @Argument var login: String
        @Flag(help: "Do it.") var yes = false

        func run() async throws {
            try await common.withPlatform { platform in
                guard let account = try await platform.directory.account(login: login) else {
                    throw DirectoryError.noSuchAccount(login)
                }
                let usage = try await platform.store.usage(of: account.id)
                let extent = "\(usage.messages) messages, \(usage.bytes >> 20) MiB"
                guard yes else {
                    print("would delete \(account.login) with \(extent); repeat with --yes")
                    return
                }
                // The account first: with no address left, nothing new arrives meanwhile.
                _ = try await platform.directory.deleteAccount(account.login)
                try await platform.store.removeAccount(account.id)
                print("\(account.login) deleted with \(extent)")
            }
        }
    }
}
