import Database

/// The statements that more than one operation uses.
enum SQL {
    static let insertBody: Statement = """
        INSERT INTO body (id, hash, size, codec, stored, bytes)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (id) DO NOTHING
        """

    // The size bound lets the engines see that the partial index serves.
    static let bodyWithHash: Statement = """
        SELECT id FROM body
        WHERE hash = $1 AND size = $2 AND size >= 32768 AND codec = $3 AND stored = $4
            AND NOT EXISTS (SELECT 1 FROM body_orphan WHERE body_orphan.id = body.id)
        ORDER BY id LIMIT 1
        """

    static let advanceSequence: Statement =
        "UPDATE store_sequence SET value = value + $2 WHERE name = $1 RETURNING value"

    static let advanceUIDValidity: Statement = """
        UPDATE store_sequence
        SET value = CASE WHEN value >= $1 THEN value + 1 ELSE $1 END
        WHERE name = 'uidvalidity' RETURNING value
        """

    static let insertMessage: Statement = """
        INSERT INTO message (id, modseq, internal_date, save_date, size, body_id, email_id,
            thread_id, envelope, structure, preview)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """

    /// Takes UIDs and a mod-sequence; whoever has done this holds the mailbox until the commit.
    static let advanceNamedMailbox: Statement = """
        UPDATE mailbox SET uidnext = uidnext + $3, highestmodseq = highestmodseq + 1,
            messages = messages + $3, unseen = unseen + $4, deleted = deleted + $5,
            size = size + $6
        WHERE account_id = $1 AND name = $2
        RETURNING id, uidvalidity, uidnext, highestmodseq
        """

    static let advanceMailbox: Statement = """
        UPDATE mailbox SET uidnext = uidnext + $2, highestmodseq = highestmodseq + 1,
            messages = messages + $2, unseen = unseen + $3, deleted = deleted + $4,
            size = size + $5
        WHERE id = $1 AND removed_at IS NULL
        RETURNING id, uidvalidity, uidnext, highestmodseq
        """

    static let adjustMailbox: Statement = """
        UPDATE mailbox SET messages = messages + $2, unseen = unseen + $3,
            deleted = deleted + $4, size = size + $5
        WHERE id = $1
        """

    static let useQuota: Statement = """
        UPDATE store_account
        SET used_bytes = used_bytes + $2, used_messages = used_messages + $3
        WHERE id = $1 AND used_bytes + $2 <= $4 AND used_messages + $3 <= $5
        """

    static let freeQuota: Statement = """
        UPDATE store_account
        SET used_bytes = used_bytes - $2, used_messages = used_messages - $3
        WHERE id = $1
        """

    static let mailboxByName: Statement = """
        SELECT id, uidvalidity, uidnext, highestmodseq, messages, size
        FROM mailbox WHERE account_id = $1 AND name = $2
        """

    static let keywords: Statement =
        "SELECT number, name FROM keyword WHERE mailbox_id = $1 ORDER BY number"

    static let insertKeyword: Statement =
        "INSERT INTO keyword (mailbox_id, number, name) VALUES ($1, $2, $3)"

    static let chunks: Statement = """
        SELECT id, highestmodseq, value FROM mailbox_state
        WHERE id BETWEEN $1 AND $2 ORDER BY id
        """

    static let putChunk: Statement = """
        INSERT INTO mailbox_state (id, highestmodseq, value) VALUES ($1, $2, $3)
        ON CONFLICT (id) DO UPDATE
        SET highestmodseq = excluded.highestmodseq, value = excluded.value
        """

    static let markOrphan: Statement = """
        INSERT INTO body_orphan (id, since)
        SELECT body.id, $2 FROM body
        WHERE body.id = $1 AND NOT EXISTS (SELECT 1 FROM message WHERE body_id = $1)
        ON CONFLICT (id) DO NOTHING
        """
}
