import Foundation
import Net
import Testing

@Suite("Servers")
struct ServerTests {
    let dialer = Dialer()

    @Test func aUnixSocketServesLikeAPort() async throws {
        let path = "/tmp/relais-\(UUID().uuidString.prefix(8)).sock"
        let server = Server([Listener(.unix(path))])
        #expect(try await server.bind() == [.unix(path)])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await server.serve(echo) }
            let client = try await dialer.connect(to: .unix(path), within: patience)
            try await client.send([1, 2, 3])
            #expect(await client.read(3) == [1, 2, 3])
            await client.close()
            await server.drain(within: .seconds(5))
        }
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func bothFamiliesListenOnOnePort() async throws {
        let first = Server([Listener(try #require(Endpoint("0.0.0.0:0")))])
        let port = try #require(try await first.bind().first?.port)
        let second = Server([Listener(try #require(Endpoint("[::]:\(port)")))])
        #expect(try await second.bind() == [Endpoint("[::]:\(port)")])
        await first.drain(within: .zero)
        await second.drain(within: .zero)
    }

    @Test func aTakenPortIsNamed() async throws {
        try await withServer(handler: echo) { endpoint, _ in
            let other = Server([Listener(endpoint)])
            let error = await #expect(throws: NetError.self) { try await other.bind() }
            guard case .cannotListen(let text) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(text.hasPrefix("\(endpoint)"))
        }
    }

    @Test func oneConnectionTooManyIsToldSo() async throws {
        var limits = ServerLimits()
        limits.connections = 1
        try await withServer(
            limits: limits,
            refusal: { _ in Array("421 4.7.0 full\r\n".utf8) },
            handler: echo
        ) { endpoint, _ in
            let first = try await dialer.connect(to: endpoint, within: patience)
            try await first.send([1])
            #expect(await first.read(1) == [1])
            let second = try await dialer.connect(to: endpoint, within: patience)
            #expect(await second.readToEnd() == Array("421 4.7.0 full\r\n".utf8))
            await second.close()
            await first.close()
        }
    }

    @Test(arguments: [
        Array("PROXY TCP4 192.0.2.7 203.0.113.1 4711 25\r\n".utf8),
        [
            0x0D, 0x0A, 0x0D, 0x0A, 0, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A, 0x21, 0x11, 0, 15,
            192, 0, 2, 7, 203, 0, 113, 1, 0x12, 0x67, 0, 25, 4, 0, 0,
        ],
    ])
    func aTrustedProxyNamesTheClient(header: [UInt8]) async throws {
        let loopback = try #require(IPNetwork("127.0.0.0/8"))
        try await withServer(
            trustedProxies: [loopback],
            handler: { connection in
                let peer = connection.peer.map(String.init(describing:)) ?? "nobody"
                try? await connection.send(Array("\(peer)\n".utf8))
                await echo(connection)
            }
        ) { endpoint, _ in
            let client = try await dialer.connect(to: endpoint, within: patience)
            for byte in header { try await client.send([byte]) }
            try await client.send([0x2A])
            let expected = Array("192.0.2.7:4711\n*".utf8)
            #expect(await client.read(expected.count) == expected)
            await client.close()
        }
    }

    @Test func aClientBehindAProxyHasItsOwnLimit() async throws {
        var limits = ServerLimits()
        limits.connectionsPerClient = 1
        let loopback = try #require(IPNetwork("127.0.0.0/8"))
        try await withServer(
            trustedProxies: [loopback],
            limits: limits,
            refusal: { _ in Array("no\n".utf8) },
            handler: echo
        ) { endpoint, _ in
            func client(_ address: String) async throws -> Connection {
                let connection = try await dialer.connect(to: endpoint, within: patience)
                try await connection.send(
                    Array("PROXY TCP4 \(address) 203.0.113.1 4711 25\r\nx\n".utf8)
                )
                return connection
            }
            let first = try await client("192.0.2.7")
            #expect(await first.readLine() == "x\n")
            let second = try await client("192.0.2.7")
            #expect(await second.readLine() == "no\n")
            let third = try await client("192.0.2.8")
            #expect(await third.readLine() == "x\n")
            for each in [first, second, third] { each.abort() }
        }
    }

    @Test func aTrustedProxyThatSaysNothingOfItIsCut() async throws {
        let loopback = try #require(IPNetwork("127.0.0.0/8"))
        try await withServer(trustedProxies: [loopback], handler: echo) { endpoint, _ in
            let client = try await dialer.connect(to: endpoint, within: patience)
            try await client.send(Array("EHLO client.example\r\n".utf8))
            #expect(await client.readToEnd().isEmpty)
            await client.close()
        }
    }

    @Test func drainingWakesEveryoneAndCutsWhoStays() async throws {
        let loopback = try #require(Endpoint("127.0.0.1:0"))
        let server = Server([Listener(loopback)])
        let endpoint = try #require(try await server.bind().first)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await server.serve { connection in
                    var isStubborn = false
                    while true {
                        switch await connection.next(within: .seconds(60)) {
                        case .bytes(let bytes):
                            isStubborn = bytes == [0x53]
                            try? await connection.send(bytes)
                        case .woken:
                            guard connection.isDraining, !isStubborn else { continue }
                            try? await connection.send(Array("* BYE".utf8))
                            return
                        case .timedOut, .closed: return
                        }
                    }
                }
            }
            let polite = try await dialer.connect(to: endpoint, within: patience)
            try await polite.send([0x50])
            #expect(await polite.read(1) == [0x50])
            let stubborn = try await dialer.connect(to: endpoint, within: patience)
            try await stubborn.send([0x53])
            #expect(await stubborn.read(1) == [0x53])

            group.addTask { await server.drain(within: .milliseconds(500)) }
            #expect(await polite.readToEnd() == Array("* BYE".utf8))
            await polite.close()
            #expect(await stubborn.next(within: patience) == .closed)
            await stubborn.close()
            try await group.waitForAll()
            await #expect(throws: NetError.refused) {
                try await dialer.connect(to: endpoint, within: .seconds(1))
            }
        }
    }
}
