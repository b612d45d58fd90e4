package import Database

extension Queue {
    /// The queue's tables, step by step; docs/internals/queue.md says what each column means.
    package static let migrations: [Migration] = [
        Migration(
            "queue",
            """
            CREATE TABLE queue_message (
                id BIGINT NOT NULL PRIMARY KEY,
                queue_id TEXT NOT NULL,
                body_id BIGINT NOT NULL,
                size BIGINT NOT NULL,
                reverse_path TEXT NOT NULL,
                envelope_id TEXT,
                return_content BIGINT,
                requirements BIGINT NOT NULL,
                arrival BIGINT NOT NULL,
                expiry BIGINT NOT NULL,
                source TEXT NOT NULL,
                language TEXT,
                remaining BIGINT NOT NULL
            );
            CREATE INDEX queue_message_by_queue_id ON queue_message (queue_id);
            CREATE INDEX queue_message_by_body ON queue_message (body_id);
            CREATE INDEX queue_message_by_reverse_path ON queue_message (reverse_path);
            CREATE TABLE queue_recipient (
                message_id BIGINT NOT NULL,
                number BIGINT NOT NULL,
                forward_path TEXT NOT NULL,
                original_recipient TEXT,
                notify BIGINT,
                destination TEXT NOT NULL,
                state BIGINT NOT NULL,
                due BIGINT NOT NULL,
                lease TEXT,
                attempts BIGINT NOT NULL,
                warned BIGINT NOT NULL,
                last_attempt BIGINT,
                next_hop TEXT,
                status TEXT,
                reply TEXT,
                reply_origin BIGINT,
                PRIMARY KEY (message_id, number)
            ) {clustered};
            CREATE INDEX queue_recipient_by_due ON queue_recipient (due, destination);
            CREATE INDEX queue_recipient_by_destination ON queue_recipient (destination, due);
            CREATE INDEX queue_recipient_by_lease ON queue_recipient (lease)
                WHERE lease IS NOT NULL;
            """,
            onPostgreSQL: "ALTER TABLE queue_recipient SET (fillfactor = 70)"
        )
    ]
}

/// The queue's statements; rows are read by the column lists beside them.
enum SQL {
    static let insertMessage: Statement = """
        INSERT INTO queue_message (id, queue_id, body_id, size, reverse_path, envelope_id,
            return_content, requirements, arrival, expiry, source, language, remaining)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        """

    static let insertRecipient: Statement = """
        INSERT INTO queue_recipient (message_id, number, forward_path, original_recipient, notify,
            destination, state, due, attempts, warned)
        VALUES ($1, $2, $3, $4, $5, $6, 0, $7, 0, 0)
        """

    /// What `StoredMessage` reads.
    static let messageColumns = """
        m.id, m.queue_id, m.body_id, m.size, m.reverse_path, m.envelope_id, m.return_content,
        m.requirements, m.arrival, m.expiry, m.source, m.language
        """

    /// What `StoredRecipient` reads.
    static let recipientColumns = """
        message_id, number, forward_path, original_recipient, notify, destination, state, due,
        attempts, warned, last_attempt, next_hop, status, reply, reply_origin, lease
        """

    static let message = Statement(
        stringLiteral: "SELECT \(messageColumns) FROM queue_message m WHERE m.id = $1"
    )

    static let recipients = Statement(
        stringLiteral: """
            SELECT \(recipientColumns) FROM queue_recipient WHERE message_id = $1 ORDER BY number
            """
    )

    static let dueDestinations: Statement = """
        SELECT destination FROM (
            SELECT destination, due FROM queue_recipient WHERE due <= $1 ORDER BY due LIMIT $2
        ) AS d GROUP BY destination ORDER BY MIN(due)
        """

    /// The same without the destinations that have no place free.
    static func dueDestinations(without excluded: Int) -> Statement {
        let marks = (0..<excluded).map { "$\($0 + 3)" }.joined(separator: ", ")
        return .composed(
            """
            SELECT destination FROM (
                SELECT destination, due FROM queue_recipient
                WHERE due <= $1 AND destination NOT IN (\(marks)) ORDER BY due LIMIT $2
            ) AS d GROUP BY destination ORDER BY MIN(due)
            """
        )
    }

    /// Leases a destination's due recipients, all those of a message together.
    ///
    /// The condition stands twice because another node may have taken a row since the inner
    /// statement looked.
    static let claim = Statement(
        stringLiteral: """
            UPDATE queue_recipient SET due = $1, lease = $2
            WHERE destination = $3 AND due <= $4 AND message_id IN (
                SELECT message_id FROM queue_recipient WHERE destination = $3 AND due <= $4
                ORDER BY due LIMIT $5)
            RETURNING \(recipientColumns)
            """
    )

    static let renewLease: Statement =
        "UPDATE queue_recipient SET due = $1 WHERE lease = $2"

    static let releaseLease: Statement =
        "UPDATE queue_recipient SET due = $1, lease = NULL WHERE lease = $2"

    /// Gives back what earlier runs of a node had leased.
    static let releaseOldLeases: Statement = """
        UPDATE queue_recipient SET due = $1, lease = NULL
        WHERE lease IS NOT NULL AND substr(lease, 1, length($2)) = $2
        """

    static let nextDue: Statement =
        "SELECT MIN(due) FROM queue_recipient"

    static let remove: Statement =
        "DELETE FROM queue_recipient WHERE message_id = $1 AND number = $2"

    static let removeLeased: Statement =
        "DELETE FROM queue_recipient WHERE message_id = $1 AND number = $2 AND lease = $3"

    static let setOutcome: Statement = """
        UPDATE queue_recipient SET state = $4, due = $5, lease = NULL, attempts = $6, warned = $7,
            last_attempt = $8, next_hop = $9, status = $10, reply = $11, reply_origin = $12
        WHERE message_id = $1 AND number = $2 AND lease = $3
        """

    static let setOutcomeUnleased: Statement = """
        UPDATE queue_recipient SET state = $3, due = $4, lease = NULL, attempts = $5, warned = $6,
            last_attempt = $7, next_hop = $8, status = $9, reply = $10, reply_origin = $11
        WHERE message_id = $1 AND number = $2
        """

    static let countDown: Statement = """
        UPDATE queue_message SET remaining = remaining - $2 WHERE id = $1 RETURNING remaining
        """

    static let removeMessage: Statement =
        "DELETE FROM queue_message WHERE id = $1"

    static let bodyInUse: Statement =
        "SELECT 1 FROM queue_message WHERE body_id = $1 LIMIT 1"

    static let countsByDestination: Statement = """
        SELECT destination, state, COUNT(*), MIN(due),
            SUM(CASE WHEN lease IS NULL THEN 0 ELSE 1 END)
        FROM queue_recipient GROUP BY destination, state ORDER BY destination, state
        """
}
