package import Database
package import Queue
package import Store

/// The store's bodies, as the queue asks for them.
package struct QueueBodies: MessageBodies {
    private let store: Store

    package init(_ store: Store) {
        self.store = store
    }

    package func read(_ body: QueuedBody) async throws -> [UInt8] {
        try await store.body(BodyID(rawValue: body.id))
    }

    package func release(_ body: QueuedBody, in transaction: Transaction) throws {
        try store.releaseBody(BodyID(rawValue: body.id), in: transaction)
    }
}
