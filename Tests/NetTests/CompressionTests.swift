import Net
import Testing

@Suite("Compression")
struct CompressionTests {
    /// Answers one clear line, then echoes compressed.
    @Sendable static func server(_ connection: Connection) async {
        guard case .bytes = await connection.next(within: patience) else { return }
        do {
            try await connection.send(Array("a OK DEFLATE active\r\n".utf8))
            try connection.startCompression()
        } catch {
            return
        }
        await echo(connection)
    }

    /// Python's zlib is the judge: raw DEFLATE, flushed so that each answer can be read at once.
    @Test func pythonUnderstandsEveryAnswer() async throws {
        try await withServer(handler: Self.server) { endpoint, _ in
            let script = """
                import os, socket, sys, zlib
                s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
                f = s.makefile("rb")
                s.sendall(b"a COMPRESS DEFLATE\\r\\n")
                assert f.readline() == b"a OK DEFLATE active\\r\\n"
                out, inn = zlib.compressobj(9, zlib.DEFLATED, -15), zlib.decompressobj(-15)
                def talk(text):
                    data = out.compress(text) + out.flush(zlib.Z_SYNC_FLUSH)
                    for i in range(0, len(data), 7): s.send(data[i:i+7])
                    got = b""
                    while len(got) < len(text): got += inn.decompress(f.read1(4096))
                    assert got == text, (len(got), len(text))
                talk(b"a NOOP\\r\\n")
                talk(b"x" * 1000)
                talk(os.urandom(30000))
                talk(b"yz" * 30000)
                """
            let outcome = try await run(["python3", "-c", script, "\(endpoint.port ?? 0)"])
            #expect(outcome.status == 0, "\(outcome.output)")
        }
    }

    @Test func bothSidesCarryMegabytes() async throws {
        try await withServer(handler: Self.server) { endpoint, _ in
            let client = try await Dialer().connect(to: endpoint, within: patience)
            try await client.send(Array("a COMPRESS DEFLATE\r\n".utf8))
            #expect(await client.readLine() == "a OK DEFLATE active\r\n")
            try client.startCompression()
            let sent = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 / 1000 ^ $0 % 17) }
            async let received = client.read(sent.count)
            try await client.send(sent)
            #expect(await received == sent)
            await client.close()
        }
    }

    @Test func aBombIsExpandedOnlyAsFastAsItIsTaken() async throws {
        let (largest, report) = AsyncStream.makeStream(of: (Int, Int).self)
        try await withServer(handler: { connection in
            guard case .bytes = await connection.next(within: patience) else { return }
            try? await connection.send(Array("ok\n".utf8))
            do { try connection.startCompression() } catch { return }
            var (largest, total) = (0, 0)
            while case .bytes(let bytes) = await connection.next(within: patience) {
                largest = max(largest, bytes.count)
                total += bytes.count
            }
            report.yield((largest, total))
        }) { endpoint, _ in
            let script = """
                import socket, sys, zlib
                s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
                s.sendall(b"go\\n")
                s.recv(3)
                out = zlib.compressobj(9, zlib.DEFLATED, -15)
                data = b"".join(out.compress(bytes(1000000)) for _ in range(200)) + out.flush(zlib.Z_SYNC_FLUSH)
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
                s.recv(1)
                """
            let outcome = try await run(["python3", "-c", script, "\(endpoint.port ?? 0)"])
            #expect(outcome.status == 0, "\(outcome.output)")
            let (bytes, total) = try #require(await largest.first { _ in true })
            #expect(bytes <= ConnectionLimits().inboundBytes)
            #expect(total == 200_000_000)
        }
    }

    @Test func garbageEndsTheConnection() async throws {
        try await withServer(handler: Self.server) { endpoint, _ in
            let client = try await Dialer().connect(to: endpoint, within: patience)
            try await client.send(Array("a COMPRESS DEFLATE\r\n".utf8))
            #expect(await client.readLine() == "a OK DEFLATE active\r\n")
            try await client.send([UInt8](repeating: 0xFF, count: 100))
            #expect(await client.next(within: patience) == .closed)
            await client.close()
        }
    }
}
