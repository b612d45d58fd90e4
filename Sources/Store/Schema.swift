package import Database

// The tables of the store. Keys are our own numbers, never the engine's, so that a row can be
// written without asking for its key; `INTEGER PRIMARY KEY` makes the key the order of the table
// on SQLite. docs/internals/store.md says what each column means.

extension Store {
    /// The store's schema, step by step.
    package static let migrations: [Migration] = [
        Migration(
            "mailboxes, messages and bodies",
            "",
            onSQLite: tables(key: "INTEGER PRIMARY KEY", blob: "BLOB", clustered: "WITHOUT ROWID"),
            onPostgreSQL: tables(key: "BIGINT PRIMARY KEY", blob: "BYTEA", clustered: "") + """
                ;
                ALTER TABLE body ALTER COLUMN bytes SET STORAGE EXTERNAL;
                ALTER TABLE message ALTER COLUMN envelope SET STORAGE MAIN;
                ALTER TABLE message ALTER COLUMN structure SET STORAGE MAIN;
                ALTER TABLE mailbox SET (fillfactor = 50);
                ALTER TABLE mailbox_state SET (fillfactor = 50);
                ALTER TABLE store_account SET (fillfactor = 50)
                """
        )
    ]

    private static func tables(key: String, blob: String, clustered: String) -> String {
        """
        CREATE TABLE store_sequence (
            name TEXT NOT NULL PRIMARY KEY,
            value BIGINT NOT NULL
        );
        INSERT INTO store_sequence (name, value)
            VALUES ('mailbox', 0), ('uidvalidity', 0), ('body', 0);
        CREATE TABLE store_account (
            id \(key),
            used_bytes BIGINT NOT NULL,
            used_messages BIGINT NOT NULL,
            created BIGINT NOT NULL
        );
        CREATE TABLE mailbox (
            id \(key),
            account_id BIGINT NOT NULL,
            name TEXT,
            uidvalidity BIGINT NOT NULL,
            uidnext BIGINT NOT NULL,
            highestmodseq BIGINT NOT NULL,
            messages BIGINT NOT NULL,
            unseen BIGINT NOT NULL,
            deleted BIGINT NOT NULL,
            size BIGINT NOT NULL,
            special_use TEXT,
            read_state BIGINT NOT NULL,
            created BIGINT NOT NULL,
            purged_modseq BIGINT NOT NULL,
            removed_at BIGINT,
            removed_name TEXT
        );
        CREATE UNIQUE INDEX mailbox_by_name ON mailbox (account_id, name);
        CREATE TABLE subscription (
            account_id BIGINT NOT NULL,
            name TEXT NOT NULL,
            PRIMARY KEY (account_id, name)
        ) \(clustered);
        CREATE TABLE keyword (
            mailbox_id BIGINT NOT NULL,
            number BIGINT NOT NULL,
            name TEXT NOT NULL,
            PRIMARY KEY (mailbox_id, number)
        ) \(clustered);
        CREATE TABLE body (
            id \(key),
            hash \(blob) NOT NULL,
            size BIGINT NOT NULL,
            codec BIGINT NOT NULL,
            stored BIGINT NOT NULL,
            bytes \(blob)
        );
        CREATE INDEX body_by_hash ON body (hash) WHERE size >= 32768;
        CREATE TABLE body_orphan (
            id \(key),
            since BIGINT NOT NULL
        );
        CREATE TABLE body_dictionary (
            id \(key),
            bytes \(blob) NOT NULL
        );
        CREATE TABLE message (
            id \(key),
            modseq BIGINT NOT NULL,
            internal_date BIGINT NOT NULL,
            save_date BIGINT NOT NULL,
            size BIGINT NOT NULL,
            body_id BIGINT NOT NULL,
            email_id \(blob) NOT NULL,
            thread_id BIGINT NOT NULL,
            envelope \(blob) NOT NULL,
            structure \(blob) NOT NULL,
            preview \(blob) NOT NULL
        );
        CREATE INDEX message_by_body ON message (body_id);
        CREATE TABLE mailbox_state (
            id \(key),
            highestmodseq BIGINT NOT NULL,
            value \(blob) NOT NULL
        );
        CREATE TABLE expunge_log (
            mailbox_id BIGINT NOT NULL,
            modseq BIGINT NOT NULL,
            at BIGINT NOT NULL,
            PRIMARY KEY (mailbox_id, modseq)
        ) \(clustered)
        """
    }
}
