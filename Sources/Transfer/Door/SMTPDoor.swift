package import Net
import SMTP

/// One door of the platform: serves the connections of its listeners.
///
/// Used by a `Server`, one call of `serve` for each connection, in that connection's task.
package struct SMTPDoor: Sendable {
    let settings: DoorSettings
    let parts: DoorParts

    package init(_ settings: DoorSettings, parts: DoorParts) {
        self.settings = settings
        self.parts = parts
    }

    /// Serves one client until it leaves, is too slow, or the server stops.
    package func serve(_ connection: Connection) async {
        var session = Session(self, connection)
        await session.run()
    }

    /// What a client is told that is not served at all.
    package func refusal(_ refusal: Net.Refusal) -> [UInt8] {
        switch refusal {
        case .tooManyConnections, .tooManyFromClient:
            var bytes: [UInt8] = []
            Reply.tooManyConnections.encode(into: &bytes)
            return bytes
        }
    }

    /// What the door announces.
    var offer: Offer {
        switch settings.role {
        case .mx, .lmtp: Offer(startTLS: settings.tls != nil)
        case .submission:
            Offer(
                startTLS: settings.tls != nil,
                mechanisms: ["SCRAM-SHA-256", "PLAIN", "LOGIN"],
                allowsCleartextAuthentication: settings.allowsCleartextLogin
            )
        }
    }
}
