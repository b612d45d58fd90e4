package import Mail
import Synchronization

/// The one image of a mailbox that the sessions of this process share while they have it open.
///
/// Commits of this process move it forward without a query; after a gap, as when another node has
/// written, `Store.refresh` reads what has changed since.
package final class MailboxImage: Sendable {
    package let id: MailboxID
    package let owner: AccountID

    private struct State {
        var snapshot: MailboxSnapshot
        /// The highest mod-sequence that a commit or a notice has spoken of.
        var known: Int64
        /// How often a notice may have been lost, and how often that has been answered by a read.
        var doubts = 1
        var settledDoubts = 0
        var isRemoved = false

        var isBehind: Bool {
            doubts > settledDoubts || known > snapshot.highestModSeq.rawValue
        }
    }

    private let state: Mutex<State>

    /// Begins in doubt: a commit may have come between the read of `snapshot` and this.
    init(_ snapshot: MailboxSnapshot, owner: AccountID) {
        id = snapshot.id
        self.owner = owner
        state = Mutex(State(snapshot: snapshot, known: snapshot.highestModSeq.rawValue))
    }

    /// The latest state that this process has seen.
    package var snapshot: MailboxSnapshot { state.withLock { $0.snapshot } }

    /// The mailbox has been deleted.
    package var isRemoved: Bool { state.withLock { $0.isRemoved } }

    /// The database may hold more than `snapshot` shows.
    var isBehind: Bool { state.withLock(\.isBehind) }

    /// Give this, taken before a read, to `take` after it.
    var doubts: Int { state.withLock(\.doubts) }

    /// Takes over a committed change; true when it followed directly on what was known.
    @discardableResult
    func apply(_ change: CommittedChange) -> Bool {
        state.withLock { state in
            state.known = max(state.known, change.modSeq.rawValue)
            guard state.snapshot.highestModSeq.rawValue == change.modSeq.rawValue - 1
            else { return false }
            state.snapshot.advance(
                uidNext: change.uidNext,
                highestModSeq: change.modSeq,
                keywords: change.keywords ?? state.snapshot.keywords,
                chunks: change.chunks
            )
            return true
        }
    }

    /// Takes over what a read found, unless a commit has moved further meanwhile.
    func take(_ later: MailboxSnapshot, settling doubts: Int) {
        state.withLock { state in
            state.settledDoubts = max(state.settledDoubts, doubts)
            guard later.highestModSeq > state.snapshot.highestModSeq else { return }
            state.snapshot = later
            state.known = max(state.known, later.highestModSeq.rawValue)
        }
    }

    func heard(of modSeq: Int64) {
        state.withLock { $0.known = max($0.known, modSeq) }
    }

    func doubt() {
        state.withLock { $0.doubts += 1 }
    }

    func remove() {
        state.withLock { $0.isRemoved = true }
    }
}

/// What one committed operation changed in a mailbox; each takes exactly one mod-sequence.
struct CommittedChange: Sendable {
    let mailbox: MailboxID
    let modSeq: ModSeq
    let uidNext: UInt32
    /// Nil when no keyword was added.
    var keywords: KeywordTable?
    var chunks: [(number: Int, state: ChunkState)] = []
}

/// The images of this process: those in use, and the last few that were.
///
/// A mutex and not an actor: looked up on the engine's threads after a commit.
final class ImageTable: Sendable {
    private struct Entry {
        weak var image: MailboxImage?
    }

    private struct State {
        var entries: [MailboxID: Entry] = [:]
        /// Kept alive though no session has them open; a ring.
        var recent: [MailboxImage] = []
        var next = 0
        var sweepAt = 1_024
    }

    private let state = Mutex(State())
    private let recentLimit: Int

    init(recentLimit: Int) {
        self.recentLimit = recentLimit
    }

    func image(of mailbox: MailboxID) -> MailboxImage? {
        state.withLock { $0.entries[mailbox]?.image }
    }

    /// Adds `image`, or yields the one that another session has added meanwhile.
    func add(_ image: MailboxImage) -> MailboxImage {
        state.withLock { state in
            if let other = state.entries[image.id]?.image { return other }
            if state.entries.count >= state.sweepAt {
                state.entries = state.entries.filter { $0.value.image != nil }
                state.sweepAt = max(1_024, state.entries.count * 2)
            }
            state.entries[image.id] = Entry(image: image)
            if state.recent.count < recentLimit {
                state.recent.append(image)
            } else if recentLimit > 0 {
                state.recent[state.next % recentLimit] = image
                state.next += 1
            }
            return image
        }
    }

    var all: [MailboxImage] {
        state.withLock { $0.entries.values.compactMap(\.image) }
    }
}
