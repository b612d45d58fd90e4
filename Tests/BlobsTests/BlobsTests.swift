import Blobs
import Foundation
import Net
import Testing

@Suite("Blobs")
struct BlobsTests {
    /// Runs `body` with a root of its own that is gone afterwards.
    func withRoot(_ body: (String) async throws -> Void) async throws {
        let root = FileManager.default.temporaryDirectory
            .appendingPathComponent("relais-blobs-\(UUID().uuidString)").path
        try await body(root)
        try FileManager.default.removeItem(atPath: root)
    }

    /// A name with a chosen beginning; the store does not hash.
    func id(_ first: UInt8, _ last: UInt8 = 0) throws -> BlobID {
        try #require(BlobID(bytes: [first, 0xCD] + [UInt8](repeating: 7, count: 29) + [last]))
    }

    @Test func aBodyComesBackWholeAndInParts() async throws {
        try await withRoot { root in
            let blobs = try await Blobs(root: root)
            let id = try id(0xAB)
            let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }
            try await blobs.put(id, bytes)
            #expect(try await blobs.get(id, size: bytes.count) == bytes)
            #expect(try await blobs.get(id, range: 500..<70_000) == Array(bytes[500..<70_000]))
            #expect(try await blobs.get(id, range: 0..<0) == [])
            let path = "\(root)/ab/cd/\(id)"
            #expect(FileManager.default.contents(atPath: path) == Data(bytes))
        }
    }

    @Test func whatIsNotThereIsMissing() async throws {
        try await withRoot { root in
            let blobs = try await Blobs(root: root)
            let id = try id(1)
            #expect(try await !blobs.exists(id))
            await #expect(throws: BlobError.missing(id)) { try await blobs.get(id, size: 1) }
            try await blobs.delete(id)
            try await blobs.put(id, [1])
            #expect(try await blobs.exists(id))
            try await blobs.delete(id)
            #expect(try await !blobs.exists(id))
        }
    }

    @Test func aTruncatedBodyIsCorruptUntilItIsPutAgain() async throws {
        try await withRoot { root in
            let blobs = try await Blobs(root: root)
            let id = try id(0xAB)
            try await blobs.put(id, [1, 2, 3, 4])
            try Data([1, 2]).write(to: URL(fileURLWithPath: "\(root)/ab/cd/\(id)"))
            await #expect(throws: BlobError.corrupt(id)) { try await blobs.get(id, size: 4) }
            await #expect(throws: BlobError.corrupt(id)) { try await blobs.get(id, range: 1..<4) }
            try await blobs.put(id, [1, 2, 3, 4])
            #expect(try await blobs.get(id, size: 4) == [1, 2, 3, 4])
        }
    }

    @Test func puttingAgainKeepsTheFile() async throws {
        try await withRoot { root in
            let blobs = try await Blobs(root: root)
            let id = try id(0xAB)
            try await blobs.put(id, [1, 2, 3])
            func inode() throws -> Int? {
                try FileManager.default.attributesOfItem(atPath: "\(root)/ab/cd/\(id)")[
                    .systemFileNumber
                ] as? Int
            }
            let before = try inode()
            try await blobs.put(id, [1, 2, 3])
            #expect(try before != nil && inode() == before)
        }
    }

    @Test func manyWritersOfTheSameBodiesDoNoHarm() async throws {
        try await withRoot { root in
            let blobs = try await Blobs(root: root)
            let batch = try (0..<20).map { number in
                Blobs.Blob(
                    id: try id(UInt8(number % 3), UInt8(number)),
                    bytes: [UInt8](repeating: UInt8(number), count: 5_000)
                )
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 { group.addTask { try await blobs.put(batch) } }
                try await group.waitForAll()
            }
            for blob in batch {
                #expect(try await blobs.get(blob.id, size: blob.bytes.count) == blob.bytes)
            }
            let listed = try await blobs.list(prefix: 1)
            #expect(listed.map(\.id) == batch.filter { $0.id.bytes[0] == 1 }.map(\.id))
            #expect(listed.allSatisfy { $0.size == 5_000 && $0.modified > 1_600_000_000 })
            #expect(try await blobs.list(prefix: 0xEE).isEmpty)
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(root)/tmp").isEmpty)
        }
    }

    @Test func leftoversOfACrashAreRemovedAndBodiesStay() async throws {
        try await withRoot { root in
            let blobs = try await Blobs(root: root)
            try await blobs.put(try id(1), [1])
            try Data([9]).write(to: URL(fileURLWithPath: "\(root)/tmp/4711-1"))
            let now = Int64(Date().timeIntervalSince1970)
            #expect(try await blobs.removeLeftovers(before: now - 60) == 0)
            #expect(try await blobs.removeLeftovers(before: now + 60) == 1)
            #expect(try await blobs.exists(try id(1)))
        }
    }

    /// The disk takes half of the body and is full: nothing of it may be seen, then or later.
    @Test func aFullDiskLeavesNothingBehind() async throws {
        try await withRoot { root in
            let blobs = try await Blobs(
                root: root,
                writer: { descriptor, bytes in
                    if bytes.count > 500 {
                        return writeToFile(
                            descriptor,
                            UnsafeRawBufferPointer(rebasing: bytes.prefix(bytes.count / 2))
                        )
                    }
                    errno = ENOSPC
                    return -1
                }
            )
            let id = try id(0xAB)
            let error = await #expect(throws: BlobError.self) {
                try await blobs.put(id, [UInt8](repeating: 1, count: 1_000))
            }
            guard case .unavailable(let reason) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(reason.contains("No space left"))
            #expect(try await !blobs.exists(id))
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(root)/tmp").isEmpty)
        }
    }

    @Test func aNameIsSixtyFourDigits() throws {
        let id = try id(0xAB, 0x0F)
        #expect(BlobID(hexadecimal: id.description) == id)
        #expect(BlobID(hexadecimal: id.description.uppercased()) == nil)
        #expect(BlobID(hexadecimal: "\(id)0") == nil)
        #expect(BlobID(bytes: [1, 2]) == nil)
    }
}
