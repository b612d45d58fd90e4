/// Why a body was not stored or not found.
package enum BlobError: Error, Equatable {
    /// No such body.
    case missing(BlobID)
    /// The body is there, but not with the size it must have.
    case corrupt(BlobID)
    /// The disk is full, away or broken: `reason` is for the journal.
    case unavailable(reason: String)
}
