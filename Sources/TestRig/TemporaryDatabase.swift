import Foundation
import Synchronization

/// An engine under test, for `@Test(arguments: TestEngine.allCases)`.
package enum TestEngine: CaseIterable, Sendable {
    case sqlite, postgreSQL
}

/// A new, empty database for one test.
///
/// It vanishes with this value, or with this process however that ends. The PostgreSQL server is
/// one per test process, the database one per test.
package final class TemporaryDatabase: Sendable {
    /// What `Database.open` takes.
    package let url: String

    private let folder: String?

    package init(_ engine: TestEngine) throws {
        switch engine {
        case .sqlite:
            let folder = try TemporaryFolder.make()
            self.folder = folder
            url = "sqlite:\(folder)/test.sqlite"
        case .postgreSQL:
            folder = nil
            url = try TemporaryPostgreSQL.shared().makeDatabase()
        }
    }

    deinit {
        if let folder { TemporaryFolder.remove(folder) }
    }
}

/// A PostgreSQL server of our own, in a temporary folder, reached through a Unix socket.
///
/// A shell stands beside it and waits for the end of a pipe that only this process holds open: when
/// this process ends, however it ends, the shell stops the server and removes the folder.
package final class TemporaryPostgreSQL: Sendable {
    private struct State {
        var databases = 0
        var guardian: Process?
    }

    package enum Failure: Error {
        case notInstalled
        case command(String, status: Int32, output: String)
        case doesNotAnswer(String)
    }

    private static let running = Mutex<TemporaryPostgreSQL?>(nil)

    private let folder: String
    private let lifeline = Pipe()
    private let state = Mutex(State())

    /// The server that this process's tests share, started at the first call.
    package static func shared() throws -> TemporaryPostgreSQL {
        try running.withLock { running in
            if let running { return running }
            let server = try TemporaryPostgreSQL()
            running = server
            return server
        }
    }

    /// Starts a server for one test alone, as for one that kills it.
    package init() throws {
        folder = try TemporaryFolder.make()
        if geteuid() == 0 { try run("chown", "postgres", folder) }
        try asServerUser(
            try Self.binary("initdb"),
            "-D",
            "\(folder)/data",
            "-U",
            "relais",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync"
        )
        for descriptor in [lifeline.fileHandleForWriting, lifeline.fileHandleForReading] {
            _ = fcntl(descriptor.fileDescriptor, F_SETFD, FD_CLOEXEC)
        }
        try start()
    }

    deinit {
        try? lifeline.fileHandleForWriting.close()
    }

    /// The URL of a new, empty database on this server.
    package func makeDatabase() throws -> String {
        let name = state.withLock { state in
            state.databases += 1
            return "test\(state.databases)"
        }
        try run(
            Self.binary("psql"),
            "-X",
            "-q",
            "-c",
            "CREATE DATABASE \(name)",
            url(of: "postgres")
        )
        return url(of: name)
    }

    package func url(of database: String) -> String {
        "postgresql://relais@/\(database)?host=\(folder)"
    }

    /// Kills the server and every process of it at once, as a crash of the machine would.
    package func kill() throws {
        let text = try String(contentsOfFile: "\(folder)/data/postmaster.pid", encoding: .utf8)
        guard let first = text.split(separator: "\n").first, let server = Int32(first) else {
            throw Failure.doesNotAnswer("no process number")
        }
        // Stopped first, so that no child is born between the list and the kill.
        Glibc.kill(server, SIGSTOP)
        let list = try String(
            contentsOfFile: "/proc/\(server)/task/\(server)/children",
            encoding: .utf8
        )
        let processes = [server] + list.split(separator: " ").compactMap { Int32($0) }
        for process in processes { Glibc.kill(process, SIGKILL) }
        // The server must be gone altogether, or its successor takes it for alive.
        while Glibc.kill(server, 0) == 0 { usleep(1_000) }
        for process in processes {
            while Glibc.kill(process, 0) == 0, !Self.isZombie(process) { usleep(1_000) }
        }
    }

    /// Starts the server, again after `kill()`, and waits until it has recovered.
    package func start() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = [
            "-c",
            """
            (\(Self.asUser) '\(try Self.binary("postgres"))' -D '\(folder)/data' -k '\(folder)' \
            -c listen_addresses= -c max_connections=200 \
            </dev/null >>'\(folder)/log' 2>&1) &
            cat >/dev/null
            kill -QUIT "$(head -n 1 '\(folder)/data/postmaster.pid')" 2>/dev/null
            wait
            rm -rf '\(folder)'
            """,
        ]
        process.standardInput = lifeline.fileHandleForReading
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        state.withLock { $0.guardian = process }
        let ready = try Self.binary("pg_isready")
        for _ in 0..<600 {
            if (try? run(ready, "-q", "-h", folder)) != nil { return }
            usleep(50_000)
        }
        let log = (try? String(contentsOfFile: "\(folder)/log", encoding: .utf8)) ?? ""
        throw Failure.doesNotAnswer(log)
    }

    /// PostgreSQL refuses to run as root; `setpriv` leaves no process between it and its shell.
    private static let userChange =
        geteuid() == 0
        ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : []
    private static let asUser = "exec \(userChange.joined(separator: " "))"

    private static func isZombie(_ process: Int32) -> Bool {
        let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
        return status?.contains(") Z ") ?? true
    }

    private static func binary(_ name: String) throws -> String {
        let path = "/usr/lib/postgresql/15/bin/\(name)"
        guard FileManager.default.isExecutableFile(atPath: path) else { throw Failure.notInstalled }
        return path
    }

    private func asServerUser(_ command: String...) throws {
        try run(Self.userChange + command)
    }

    private func run(_ command: String...) throws {
        try run(command)
    }

    private func run(_ command: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.currentDirectoryURL = URL(fileURLWithPath: "/")
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure.command(
                command.joined(separator: " "),
                status: process.terminationStatus,
                output: String(decoding: text, as: UTF8.self)
            )
        }
    }
}

/// Folders for tests.
package enum TemporaryFolder {
    package static func make() throws -> String {
        var template = Array("/tmp/relais-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw CocoaError(.fileWriteUnknown) }
        return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Removes the folder and what is in it; what cannot be removed stays.
    package static func remove(_ folder: String) {
        do { try FileManager.default.removeItem(atPath: folder) } catch {}
    }
}
