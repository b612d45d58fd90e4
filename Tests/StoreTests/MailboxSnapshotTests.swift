import Mail
import Testing

@testable import Store

@Suite struct MailboxSnapshotTests {
    /// Random arrivals, flag changes and expunges, told to a snapshot and to a plain list.
    @Test(arguments: 1...12)
    func `numbers, sets and changes agree with a plain list`(seed: UInt64) {
        var random = RandomNumbers(seed: seed)
        var mailbox = Simulated()
        var snapshots: [(MailboxSnapshot, [UInt32: Message])] = []
        for _ in 0..<25 {
            mailbox.step(using: &random)
            snapshots.append((mailbox.snapshot, mailbox.messages))
        }

        let snapshot = mailbox.snapshot
        let uids = mailbox.messages.keys.sorted()
        #expect(snapshot.count == uids.count)
        #expect(Array(snapshot.uids) == uids)
        for (index, uid) in uids.enumerated() {
            let number = UInt32(index + 1)
            #expect(snapshot.sequenceNumber(of: UID(rawValue: uid)) == number)
            #expect(snapshot.uid(at: number) == UID(rawValue: uid))
        }
        #expect(snapshot.uid(at: 0) == nil)
        #expect(snapshot.uid(at: UInt32(uids.count + 1)) == nil)
        #expect(
            Array(snapshot.uids(with: .seen)) == uids.filter { mailbox.messages[$0]?.seen == true }
        )
        #expect(
            Array(snapshot.uids(without: .seen))
                == uids.filter { mailbox.messages[$0]?.seen == false }
        )
        #expect(
            snapshot.firstUnseen?.rawValue == uids.first { mailbox.messages[$0]?.seen == false }
        )
        if uids.count > 4 {
            let numbers = UIDSet([2...UInt32(uids.count - 1), 1...1])
            #expect(
                Array(snapshot.uids(atSequenceNumbers: numbers)) == Array(uids.dropLast())
            )
            let some = UIDSet([uids[1]...uids[3], .max - 5 ... .max])
            #expect(snapshot.sequenceNumbers(of: some) == UIDSet(2...4))
        }
        var visited: [UInt32] = []
        snapshot.forEach(in: UIDSet(1...UInt32.max)) { number, uid, flags in
            visited.append(uid.rawValue)
            #expect(Int(number) == visited.count)
            #expect(flags.isSeen == mailbox.messages[uid.rawValue]?.seen)
        }
        #expect(visited == uids)

        for (earlier, known) in snapshots {
            let changes = snapshot.changes(since: earlier)
            let gone = known.keys.filter { mailbox.messages[$0] == nil }.sorted()
            #expect(Array(changes.expunged) == gone)
            let arrived = uids.filter { $0 >= earlier.uidNext }
            #expect(Array(changes.arrived) == arrived)
            let changed = known.keys.filter {
                guard let now = mailbox.messages[$0] else { return false }
                return now.changed > earlier.highestModSeq.rawValue
            }.sorted()
            #expect(Array(changes.flagsChanged) == changed)
            #expect(
                Array(snapshot.expunged(since: earlier.highestModSeq))
                    == mailbox.expunged
                    .filter { $0.value > earlier.highestModSeq.rawValue }.map(\.key).sorted()
            )

            let shown = snapshot.keeping(visible: earlier)
            #expect(Array(shown.uids) == Array(Set(uids).union(known.keys)).sorted())
            #expect(Array(snapshot.changes(since: shown).expunged) == gone)
            #expect(snapshot.changes(since: shown).arrived.isEmpty)
        }
    }

    @Test func `an empty mailbox has nothing`() {
        let snapshot = Simulated().snapshot
        #expect(snapshot.count == 0)
        #expect(snapshot.uids.isEmpty)
        #expect(snapshot.firstUnseen == nil)
        #expect(!snapshot.contains(UID(rawValue: 1)))
        #expect(!snapshot.contains(UID(rawValue: 0)))
        #expect(!snapshot.contains(UID(rawValue: .max)))
    }

    @Test func `a hundred thousand untouched messages cost a hundred empty chunks`() {
        let snapshot = MailboxSnapshot(
            id: MailboxID(rawValue: 1),
            uidValidity: UIDValidity(rawValue: 1),
            uidNext: 100_001,
            highestModSeq: ModSeq(rawValue: 1),
            keywords: KeywordTable()
        )
        #expect(snapshot.count == 100_000)
        #expect(snapshot.chunks.count == 98)
        #expect(snapshot.chunks.allSatisfy { $0.words.isEmpty && $0.runs.isEmpty })
        #expect(snapshot.uids.ranges == [1...100_000])
    }
}

private struct Message {
    var seen = false
    var changed: Int64 = 0
}

/// The plain list, and the snapshot that is told the same.
private struct Simulated {
    var messages: [UInt32: Message] = [:]
    var expunged: [UInt32: Int64] = [:]
    var modSeq: Int64 = 1
    var chunks: [Int: ChunkState] = [:]
    var uidNext: UInt32 = 1
    var snapshot = MailboxSnapshot(
        id: MailboxID(rawValue: 7),
        uidValidity: UIDValidity(rawValue: 9),
        uidNext: 1,
        highestModSeq: ModSeq(rawValue: 1),
        keywords: KeywordTable()
    )

    mutating func step(using random: inout RandomNumbers) {
        modSeq += 1
        var touched: [UInt32] = []
        switch Int.random(in: 0...3, using: &random) {
        case 0, 1:
            for _ in 0..<Int.random(in: 1...700, using: &random) {
                messages[uidNext] = Message()
                uidNext += 1
            }
        case 2:
            for uid in messages.keys.sorted() where Int.random(in: 0...9, using: &random) < 3 {
                messages[uid]?.seen.toggle()
                messages[uid]?.changed = modSeq
                touched.append(uid)
            }
        default:
            for uid in messages.keys.sorted() where Int.random(in: 0...9, using: &random) < 2 {
                messages[uid] = nil
                expunged[uid] = modSeq
                touched.append(uid)
            }
        }
        var changed: Set<Int> = []
        for uid in touched {
            let (number, slot) = MailboxSnapshot.place(uid)
            var state = chunks[number] ?? ChunkState()
            let one = SlotSet(slot..<(slot + 1))
            if let message = messages[uid] {
                if message.seen {
                    state.insert(one, into: ChunkState.Column.seen)
                } else {
                    state.remove(one, from: ChunkState.Column.seen)
                }
            } else {
                state.insert(one, into: ChunkState.Column.expunged)
            }
            state.stamp(one, with: modSeq)
            chunks[number] = state
            changed.insert(number)
        }
        snapshot.advance(
            uidNext: uidNext,
            highestModSeq: ModSeq(rawValue: modSeq),
            keywords: KeywordTable(),
            chunks: changed.compactMap { number in chunks[number].map { (number, $0) } }
        )
    }
}
