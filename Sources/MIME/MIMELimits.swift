/// How far the parser follows a message before it takes the rest as opaque.
///
/// Beyond a limit nothing is lost: the bytes stay in the part that holds them, which is then shown
/// as a single leaf.
package struct MIMELimits: Hashable, Sendable {
    /// Multiparts and messages inside one another.
    package var depth = 64
    /// Parts of one message, the message itself included.
    package var parts = 10_000
    /// Header fields that matter to structure, over all parts of a message.
    package var fields = 65_536
    /// Parameters of one Content-Type or Content-Disposition field.
    package var parameters = 64
    /// Octets of one field that an ENVELOPE or BODYSTRUCTURE repeats; the rest is cut off.
    package var fieldBytes = 65_536
    /// Octets that one ENVELOPE and all those inside a BODYSTRUCTURE may take together.
    package var structureBytes = 1_048_576
    /// Octets of a boundary; RFC 2046 §5.1.1 allows 70, some senders use more.
    package var boundaryBytes = 250

    package init() {}
}
