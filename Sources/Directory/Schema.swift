package import Database

extension Directory {
    /// The tables of the directory's own source.
    package static let migrations: [Migration] = [
        Migration(
            "accounts, addresses and credentials",
            """
            CREATE TABLE account (
                id {id},
                login TEXT NOT NULL UNIQUE,
                kind TEXT NOT NULL,
                state TEXT NOT NULL,
                quota_bytes BIGINT,
                quota_messages BIGINT,
                language TEXT,
                display_name TEXT,
                created BIGINT NOT NULL
            );
            CREATE TABLE address (
                key TEXT NOT NULL PRIMARY KEY,
                account_id BIGINT NOT NULL,
                local_part TEXT NOT NULL,
                domain TEXT NOT NULL,
                position BIGINT NOT NULL
            );
            CREATE INDEX address_by_account ON address (account_id, position);
            CREATE TABLE credential (
                account_id BIGINT NOT NULL PRIMARY KEY,
                scram TEXT NOT NULL
            );
            CREATE TABLE directory_secret (
                name TEXT NOT NULL PRIMARY KEY,
                value {blob} NOT NULL
            )
            """
        )
    ]
}

/// The directory's statements.
enum SQL {
    static let accountColumns = """
        account.id, account.login, account.kind, account.state, account.quota_bytes,
        account.quota_messages, account.language, account.display_name
        """

    static let byAddress = Statement(
        stringLiteral: """
            SELECT \(accountColumns), credential.scram FROM address
            JOIN account ON account.id = address.account_id
            LEFT JOIN credential ON credential.account_id = account.id
            WHERE address.key = $1
            """
    )

    static let byLogin = Statement(
        stringLiteral: """
            SELECT \(accountColumns), credential.scram FROM account
            LEFT JOIN credential ON credential.account_id = account.id
            WHERE account.login = $1
            """
    )

    static let page = Statement(
        stringLiteral: """
            SELECT \(accountColumns), credential.scram FROM account
            LEFT JOIN credential ON credential.account_id = account.id
            WHERE account.login > $1 ORDER BY account.login LIMIT $2
            """
    )

    static let addresses: Statement = """
        SELECT local_part, domain FROM address WHERE account_id = $1 ORDER BY position, key
        """

    static let insertAccount: Statement = """
        INSERT INTO account (login, kind, state, quota_bytes, quota_messages, language,
            display_name, created)
        VALUES ($1, $2, 'active', $3, $4, $5, $6, $7)
        ON CONFLICT (login) DO NOTHING RETURNING id
        """

    static let insertAddress: Statement = """
        INSERT INTO address (key, account_id, local_part, domain, position)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (key) DO NOTHING
        """

    static let nextPosition: Statement =
        "SELECT COALESCE(MAX(position), 0) + 1 FROM address WHERE account_id = $1"

    static let putCredential: Statement = """
        INSERT INTO credential (account_id, scram) VALUES ($1, $2)
        ON CONFLICT (account_id) DO UPDATE SET scram = excluded.scram
        """

    static let setQuota: Statement =
        "UPDATE account SET quota_bytes = $2, quota_messages = $3 WHERE id = $1"

    static let setState: Statement = "UPDATE account SET state = $2 WHERE id = $1"

    static let deleteAccount: Statement = "DELETE FROM account WHERE id = $1"
    static let deleteAddresses: Statement = "DELETE FROM address WHERE account_id = $1"
    static let deleteCredential: Statement = "DELETE FROM credential WHERE account_id = $1"
    static let deleteAddress: Statement = "DELETE FROM address WHERE key = $1"

    static let putSecret: Statement = """
        INSERT INTO directory_secret (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING
        """

    static let secret: Statement = "SELECT value FROM directory_secret WHERE name = $1"
}
