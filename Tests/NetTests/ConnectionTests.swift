import Net
import Testing

@Suite("Connections")
struct ConnectionTests {
    let dialer = Dialer()

    @Test func everyByteComesBackHoweverItIsCut() async throws {
        try await withServer(handler: echo) { endpoint, _ in
            let client = try await dialer.connect(to: endpoint, within: patience)
            let text = Array("A1 NOOP\r\n".utf8)
            for byte in text { try await client.send([byte]) }
            #expect(await client.read(text.count) == text)
            await client.close()
        }
    }

    @Test func megabytesComeBackInOrder() async throws {
        try await withServer(handler: echo) { endpoint, _ in
            let client = try await dialer.connect(to: endpoint, within: patience)
            let sent = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
            async let received = client.read(sent.count)
            try await client.send(sent)
            #expect(await received == sent)
            await client.close()
        }
    }

    @Test func aThousandConnectionsAreServedAtOnce() async throws {
        try await withServer(handler: echo) { endpoint, server in
            var clients: [Connection] = []
            for _ in 0..<1_000 {
                clients.append(try await dialer.connect(to: endpoint, within: patience))
            }
            for (number, client) in clients.enumerated() {
                try await client.send(Array("\(number)\n".utf8))
            }
            for (number, client) in clients.enumerated() {
                #expect(await client.readLine() == "\(number)\n")
            }
            #expect(server.connectionCount == 1_000)
            for client in clients { client.abort() }
        }
    }

    @Test func aWakeEndsAWait() async throws {
        try await withServer(handler: echo) { endpoint, _ in
            let client = try await dialer.connect(to: endpoint, within: patience)
            async let event = client.next(within: patience)
            client.wake()
            #expect(await event == .woken)
            await client.close()
        }
    }

    @Test func wakesBeforeTheWaitAreRememberedAsOne() async throws {
        try await withServer(handler: echo) { endpoint, _ in
            let client = try await dialer.connect(to: endpoint, within: patience)
            client.wake()
            client.wake()
            #expect(await client.next(within: patience) == .woken)
            #expect(await client.next(within: .milliseconds(10)) == .timedOut)
            await client.close()
        }
    }

    @Test func aWaitEndsWithItsTimeAndNotBefore() async throws {
        try await withServer(handler: echo) { endpoint, _ in
            let client = try await dialer.connect(to: endpoint, within: patience)
            let clock = ContinuousClock()
            for milliseconds in [20, 150, 310] {
                let limit = Duration.milliseconds(milliseconds)
                let taken = await clock.measure {
                    #expect(await client.next(within: limit) == .timedOut)
                }
                #expect(taken >= limit && taken < limit + .seconds(20))
            }
            await client.close()
        }
    }

    /// A deadline that is not reached leaves a place in the wheel; a nearer one must still be met.
    @Test func aNearerDeadlineIsMetAfterAFartherOne() async throws {
        try await withServer(handler: echo) { endpoint, _ in
            let client = try await dialer.connect(to: endpoint, within: patience)
            try await client.send([1])
            #expect(await client.next(within: .seconds(1_000)) == .bytes([1]))
            let taken = await ContinuousClock().measure {
                #expect(await client.next(within: .milliseconds(200)) == .timedOut)
            }
            #expect(taken < .seconds(100))
            await client.close()
        }
    }

    @Test func aPeerThatEndsHasItsBytesReadFirst() async throws {
        try await withServer(handler: { connection in
            try? await connection.send(Array("bye".utf8))
        }) { endpoint, _ in
            let client = try await dialer.connect(to: endpoint, within: patience)
            #expect(await client.readToEnd() == Array("bye".utf8))
            #expect(await client.next(within: patience) == .closed)
            await client.close()
            await #expect(throws: NetError.closed) { try await client.send([1]) }
        }
    }

    @Test func aResetEndsTheWait() async throws {
        let (ended, end) = AsyncStream.makeStream(of: Connection.Event.self)
        try await withServer(handler: { connection in
            try? await connection.send([UInt8](repeating: 7, count: 10_000))
            end.yield(await connection.next(within: patience))
        }) { endpoint, _ in
            let script = """
                import socket, struct, sys
                s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
                s.recv(1)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                s.close()
                """
            _ = try await run(["python3", "-c", script, "\(endpoint.port ?? 0)"])
            #expect(await ended.first { _ in true } == .closed)
        }
    }

    @Test func aClientThatHalfClosesStillGetsItsReplies() async throws {
        try await withServer(handler: echo) { endpoint, _ in
            let script = """
                import socket, sys
                s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
                s.sendall(b"QUIT\\r\\n")
                s.shutdown(socket.SHUT_WR)
                got = b""
                while True:
                    part = s.recv(100)
                    if not part: break
                    got += part
                sys.exit(0 if got == b"QUIT\\r\\n" else 1)
                """
            let outcome = try await run(["python3", "-c", script, "\(endpoint.port ?? 0)"])
            #expect(outcome.status == 0, "\(outcome.output)")
        }
    }

    /// A reply followed by a close must not be destroyed by bytes the client sent in vain.
    @Test func theLastReplySurvivesUnreadInput() async throws {
        try await withServer(handler: { connection in
            _ = await connection.next(within: patience)
            try? await connection.send(Array("421 4.7.0 enough\r\n".utf8))
        }) { endpoint, _ in
            let client = try await dialer.connect(to: endpoint, within: patience)
            try await client.send([UInt8](repeating: 0x41, count: 2_000_000))
            #expect(await client.readLine() == "421 4.7.0 enough\r\n")
            await client.close()
        }
    }

    @Test func aPeerThatTakesNothingIsGivenUp() async throws {
        var limits = ServerLimits()
        limits.connection.sendTimeout = .milliseconds(400)
        let (accepted, report) = AsyncStream.makeStream(of: Int.self)
        try await withServer(
            limits: limits,
            handler: { connection in
                var count = 0
                let piece = [UInt8](repeating: 0, count: 100_000)
                do {
                    while count < 1_000 {
                        try await connection.send(piece)
                        count += 1
                    }
                } catch {}
                report.yield(count * piece.count)
            }
        ) { endpoint, _ in
            let script = """
                import socket, sys, time
                s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
                time.sleep(3)
                """
            async let sleeper = run([
                "python3", "-c", script, "\(endpoint.port ?? 0)",
            ])
            let bytes = try #require(await accepted.first { _ in true })
            #expect(bytes < 20_000_000)
            _ = try await sleeper
        }
    }

    @Test func whatNobodyTakesStaysWithThePeer() async throws {
        let (held, report) = AsyncStream.makeStream(of: Int.self)
        try await withServer(handler: { connection in
            try? await Task.sleep(for: .milliseconds(500))
            report.yield(connection.bufferedBytes)
            _ = await connection.readToEnd()
        }) { endpoint, _ in
            let client = try await dialer.connect(to: endpoint, within: patience)
            try await client.send([UInt8](repeating: 1, count: 20_000_000))
            let bytes = try #require(await held.first { _ in true })
            #expect(bytes > 0 && bytes <= 2 * ConnectionLimits().inboundBytes)
            await client.close()
        }
    }

    @Test func connectionAttemptsFailForTheRightReason() async throws {
        let nobody = try #require(Endpoint("127.0.0.1:1"))
        await #expect(throws: NetError.refused) {
            try await dialer.connect(to: nobody, within: .seconds(2))
        }
        await #expect(throws: NetError.refused) {
            try await dialer.connect(to: .unix("/nonexistent/socket"), within: .seconds(2))
        }
    }

    @Test func theFirstEndpointThatAnswersIsTaken() async throws {
        try await withServer(handler: echo) { endpoint, _ in
            let nobody = try #require(Endpoint("127.0.0.1:1"))
            let client = try await dialer.connect(
                toFirstOf: [nobody, endpoint],
                within: .seconds(2),
                from: IPAddress("127.0.0.2")
            )
            #expect(client.peer == endpoint)
            #expect(client.local?.address == IPAddress("127.0.0.2"))
            await client.close()
        }
    }

    @Test func aCancelledWaitEnds() async throws {
        try await withServer(handler: echo) { endpoint, _ in
            let client = try await dialer.connect(to: endpoint, within: patience)
            await withTaskGroup(of: Void.self) { group in
                group.addTask { _ = await client.next(within: .seconds(1_000)) }
                group.cancelAll()
            }
            await client.close()
        }
    }
}
