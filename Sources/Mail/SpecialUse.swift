/// What a mailbox is for, so that clients find it whatever its name.
///
/// RFC 6154 §2
package enum SpecialUse: String, CaseIterable, Sendable {
    case all = "\\All"
    case archive = "\\Archive"
    case drafts = "\\Drafts"
    case flagged = "\\Flagged"
    case junk = "\\Junk"
    case sent = "\\Sent"
    case trash = "\\Trash"
}
