import Foundation

/// Debian's unbound, authoritative for a few names on a free port of 127.0.0.1.
final class LocalUnbound: Sendable {
    let port: UInt16
    private let process: Process
    private let folder: URL

    struct DidNotStart: Error {
        let output: String
    }

    /// Another program may take the port between the moment it is found free and unbound's start, so
    /// a few are tried.
    init(_ zones: String) throws {
        var attempt = 1
        while true {
            do {
                (port, process, folder) = try Self.launch(zones)
                return
            } catch let error as DidNotStart where attempt < 3 {
                print("unbound did not start, trying another port: \(error.output)")
                attempt += 1
            }
        }
    }

    private static func launch(
        _ zones: String
    ) throws -> (port: UInt16, process: Process, folder: URL) {
        let port = try freePort()
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("relais-unbound-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appendingPathComponent("unbound.conf")
        let configuration = """
            server:
              verbosity: 0
              interface: 127.0.0.1
              port: \(port)
              access-control: 127.0.0.0/8 allow
              username: ""
              chroot: ""
              directory: "\(folder.path)"
              pidfile: ""
              use-syslog: no
              logfile: "\(folder.path)/log"
              do-daemonize: no
              num-threads: 1
              module-config: "iterator"
            \(zones)
            remote-control:
              control-enable: no
            """
        try configuration.write(to: file, atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/sbin/unbound")
        process.arguments = ["-d", "-c", file.path]
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        do {
            try waitForAnswer(from: port, process, folder)
        } catch {
            process.terminate()
            throw error
        }
        return (port, process, folder)
    }

    deinit {
        process.terminate()
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }

    /// Asks for localhost until a datagram comes back, for ten seconds at most.
    private static func waitForAnswer(
        from port: UInt16,
        _ process: Process,
        _ folder: URL
    ) throws {
        let header: [UInt8] = [0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        let question = header + [9] + Array("localhost".utf8) + [0, 0, 1, 0, 1]
        for _ in 0..<100 where process.isRunning {
            let handle = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
            defer { close(handle) }
            var wait = timeval(tv_sec: 0, tv_usec: 100_000)
            setsockopt(
                handle,
                SOL_SOCKET,
                SO_RCVTIMEO,
                &wait,
                socklen_t(MemoryLayout<timeval>.size)
            )
            var address = loopback(port)
            let answered = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { target in
                    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
                    guard connect(handle, target, size) == 0 else { return false }
                    send(handle, question, question.count, 0)
                    var answer = [UInt8](repeating: 0, count: 512)
                    return recv(handle, &answer, answer.count, 0) > 0
                }
            }
            if answered { return }
            usleep(100_000)
        }
        let log = try? String(contentsOf: folder.appendingPathComponent("log"), encoding: .utf8)
        throw DidNotStart(output: log ?? "")
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private static func freePort() throws -> UInt16 {
        let handle = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(handle) }
        var address = loopback(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let failure = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { target in
                bind(handle, target, size) != 0 || getsockname(handle, target, &size) != 0
            }
        }
        if failure { throw DidNotStart(output: "no free port") }
        return UInt16(bigEndian: address.sin_port)
    }
}
