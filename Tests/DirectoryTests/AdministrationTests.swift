import Database
import Directory
import Mail
import TestRig
import Testing

@Suite("Administration")
struct AdministrationTests {
    @Test(arguments: TestEngine.allCases)
    func `accounts are listed with what was given`(_ engine: TestEngine) async throws {
        try await withDirectory(engine) { directory, _, _ in
            var new = try newAccount("Zoe.Müller".replacing("ü", with: "u"), password: nil)
            new.kind = .functional
            new.quotaBytes = 5_000_000_000
            new.quotaMessages = 10
            new.language = "fr"
            new.displayName = "Zoé Müller"
            try await directory.addAccount(new)
            try await directory.addAccount(newAccount("anne"))
            try await directory.addAlias(address("info@example.net"), to: "anne")
            let all = try await directory.accounts()
            #expect(all.map(\.account.login) == ["anne", "zoe.muller"])
            #expect(all.map(\.hasPassword) == [true, false])
            #expect(all[0].addresses.map(\.key) == ["anne@example.org", "info@example.net"])
            let zoe = all[1].account
            #expect(zoe.kind == .functional && zoe.state == .active)
            #expect(zoe.quotaBytes == 5_000_000_000 && zoe.quotaMessages == 10)
            #expect(zoe.language == "fr" && zoe.displayName == "Zoé Müller")
            let page = try await directory.accounts(after: "anne", limit: 1)
            #expect(page.map(\.account.login) == ["zoe.muller"])
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `each refusal is named and changes nothing`(_ engine: TestEngine) async throws {
        try await withDirectory(engine) { directory, _, _ in
            try await directory.addAccount(newAccount("anne"))
            var foreign = try newAccount("benoit")
            foreign.address = try address("benoit@elsewhere.example")
            var taken = try newAccount("benoit")
            taken.address = try address("Anne@example.org")
            let refusals: [(NewAccount, DirectoryError)] = [
                (try newAccount("ANNE"), .loginExists("anne")),
                (taken, .addressExists("anne@example.org")),
                (foreign, .foreignDomain("elsewhere.example")),
                (try newAccount("a b".replacing(" ", with: "!")), .invalidLogin("a!b")),
                (NewAccount(login: "", address: try address("x@example.org")), .invalidLogin("")),
                (try newAccount("benoit", password: ""), .invalidPassword),
            ]
            for (account, expected) in refusals {
                await #expect(throws: expected) { try await directory.addAccount(account) }
            }
            await #expect(throws: DirectoryError.noSuchAccount("nobody")) {
                try await directory.setPassword("secret", of: "nobody")
            }
            await #expect(throws: DirectoryError.noSuchAccount("nobody")) {
                _ = try await directory.deleteAccount("nobody")
            }
            await #expect(throws: DirectoryError.addressExists("anne@example.org")) {
                try await directory.addAlias(address("anne@example.org"), to: "anne")
            }
            await #expect(throws: DirectoryError.noSuchAddress("x@example.org")) {
                try await directory.removeAlias(address("x@example.org"))
            }
            await #expect(throws: DirectoryError.lastAddress("anne@example.org")) {
                try await directory.removeAlias(address("anne@example.org"))
            }
            let all = try await directory.accounts()
            #expect(all.map(\.account.login) == ["anne"])
            #expect(all[0].addresses.map(\.key) == ["anne@example.org"])
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `quota, state and aliases take effect at once`(_ engine: TestEngine) async throws {
        try await withDirectory(engine) { directory, _, _ in
            try await directory.addAccount(newAccount("anne"))
            try await directory.addAlias(address("info@example.org"), to: "anne")
            #expect(try await directory.account(login: "anne")?.quotaBytes == nil)
            try await directory.setQuota(bytes: 1_000, messages: nil, of: "ANNE")
            #expect(try await directory.account(login: "info@example.org")?.quotaBytes == 1_000)
            #expect(try await directory.destination(of: "info@example.org") == "anne")
            try await directory.removeAlias(address("INFO@example.org"))
            #expect(try await directory.destination(of: "info@example.org") == "unknown")
            try await directory.setState(.suspended, of: "anne")
            #expect(try await directory.destination(of: "anne@example.org") == "anne")
            #expect(try await directory.isAccepted("anne", "secret") == false)
            try await directory.setState(.closed, of: "anne")
            #expect(try await directory.destination(of: "anne@example.org") == "unknown")
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `a deleted account's key is never given again`(_ engine: TestEngine) async throws {
        try await withDirectory(engine) { directory, _, _ in
            let first = try await directory.addAccount(newAccount("anne"))
            let deleted = try await directory.deleteAccount("anne")
            #expect(deleted.id == first.id)
            #expect(try await directory.isAccepted("anne", "secret") == false)
            let second = try await directory.addAccount(newAccount("anne", password: nil))
            #expect(second.id > first.id)
            #expect(try await directory.isAccepted("anne", "secret") == false)
        }
    }

    @Test(arguments: TestEngine.allCases)
    func `of many who want one login, one gets it`(_ engine: TestEngine) async throws {
        try await withDirectory(engine) { directory, _, _ in
            let made = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        do {
                            try await directory.addAccount(newAccount("anne"))
                            return true
                        } catch { return false }
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(made == 1)
        }
    }
}
