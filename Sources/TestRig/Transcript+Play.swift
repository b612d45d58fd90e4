/// What a test supplies so that a transcript can be played: connections to the server, and an
/// answer to each `then`.
package protocol TranscriptPeer: Sendable {
    /// Sends on connection `number`, opening it first when it is new.
    func send(_ bytes: [UInt8], on number: Int) async throws

    /// What the server sent next on connection `number`, opening it first when it is new; nil once
    /// the server has closed it. Throws when nothing came in the test's patience.
    func receive(on number: Int) async throws -> [UInt8]?

    /// Does what a `C!` line says, such as `tls` or `close`.
    func perform(_ verb: String, on number: Int) async throws

    /// Throws unless `fact`, the text after `then`, holds.
    func check(_ fact: String) async throws
}

extension Transcript {
    /// Plays the dialogue to its end.
    ///
    /// - Throws: `TranscriptFailure` where the server said something else, or the peer's own error.
    package func play(
        against peer: some TranscriptPeer,
        _ segmentation: Segmentation
    ) async throws {
        var player = TranscriptPlayer(self, segmentation)
        while true {
            switch try player.next() {
            case .send(let bytes, let connection):
                try await peer.send(bytes, on: connection)
            case .receive(let connection):
                if let bytes = try await peer.receive(on: connection) {
                    player.received(bytes, on: connection)
                } else {
                    player.closed(on: connection)
                }
            case .perform(let verb, let connection):
                try await peer.perform(verb, on: connection)
            case .check(let fact):
                try await peer.check(fact)
            case .finished:
                return
            }
        }
    }
}
