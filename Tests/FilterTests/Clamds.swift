import Foundation
import Glibc
import Testing

@testable import Filter

/// The clamd of Debian with one signature of our own, in a folder that is removed afterwards.
final class RealClamd {
    let folder: URL
    let unix: ClamdAddress
    let tcp: ClamdAddress
    private let process = Process()

    /// Nil where clamd is not installed; a failure when `CI` is set.
    init?() throws {
        let program = "/usr/sbin/clamd"
        guard FileManager.default.isExecutableFile(atPath: program) else {
            if ProcessInfo.processInfo.environment["CI"] != nil {
                Issue.record("clamd is not installed (package clamav-daemon)")
            } else {
                print("skipped: clamd is not installed (package clamav-daemon)")
            }
            return nil
        }
        folder = FileManager.default.temporaryDirectory
            .appending(path: "relais-clamd-\(getpid())-\(UInt32.random(in: 0...UInt32.max))")
        let database = folder.appending(path: "db")
        try FileManager.default.createDirectory(at: database, withIntermediateDirectories: true)
        let signature =
            "Bench.EICAR:0:*:58354f2150254041505b345c505a58353428505e2937434329377d2445494341522d"
            + "5354414e444152442d414e544956495255532d544553542d46494c452124482b482a\n"
        try Data(signature.utf8).write(to: database.appending(path: "local.ndb"))
        let port = try FakeClamd.freePort()
        let socket = folder.appending(path: "s").path
        let configuration = """
            DatabaseDirectory \(database.path)
            LocalSocket \(socket)
            TCPSocket \(port)
            TCPAddr 127.0.0.1
            StreamMaxLength 1M
            MaxThreads 4
            Foreground yes
            SelfCheck 0

            """
        let file = folder.appending(path: "clamd.conf")
        try Data(configuration.utf8).write(to: file)
        unix = .unix(socket)
        tcp = .tcp(host: "127.0.0.1", port: port)
        process.executableURL = URL(filePath: program)
        process.arguments = ["-c", file.path]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    /// Waits until the signatures are loaded and the socket answers.
    func untilReady(_ engine: ClamdEngine) async throws {
        for _ in 0..<300 where await !engine.ping() {
            try #require(process.isRunning, "clamd ended")
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    func stop() {
        process.terminate()
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }
}

/// A server that takes one connection and answers in its own way; never, for nil.
final class FakeClamd: Sendable {
    let port: UInt16
    private let listener: Int32

    init(answer: String?) throws {
        let (listener, port) = try Self.listen()
        self.listener = listener
        self.port = port
        let bytes = answer.map { [UInt8]($0.utf8) }
        Thread.detachNewThread {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { return }
            var buffer = [UInt8](repeating: 0, count: 65_536)
            var received: [UInt8] = []
            // The command, chunks, and the empty chunk that ends them.
            while !received.suffix(4).elementsEqual([0, 0, 0, 0]) {
                let count = read(client, &buffer, buffer.count)
                if count <= 0 { break }
                received += buffer[..<count]
            }
            if let bytes {
                _ = bytes.withUnsafeBytes {
                    send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
            } else {
                _ = read(client, &buffer, buffer.count)
            }
            close(client)
        }
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    static func freePort() throws -> UInt16 {
        let (listener, port) = try listen()
        close(listener)
        return port
    }

    private static func listen() throws -> (Int32, UInt16) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && Glibc.listen(listener, 4) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        try #require(bound)
        return (listener, UInt16(bigEndian: address.sin_port))
    }
}
