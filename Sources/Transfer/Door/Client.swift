import Net

/// The other end of a session, as trace fields and the journal name it.
struct Client: Sendable {
    let address: IPAddress?

    init(_ peer: Endpoint?) {
        address = peer?.address
    }

    /// The address, or `local` for a unix socket.
    var text: String { address.map(\.description) ?? "local" }

    /// As in a Received field: `[192.0.2.1]`.
    ///
    /// RFC 5321 §4.1.3
    var literal: String { address.map { "[\($0.literal)]" } ?? "[127.0.0.1]" }
}
