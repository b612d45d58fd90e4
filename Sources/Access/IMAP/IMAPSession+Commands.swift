import IMAP

extension IMAPSession {
    /// Carries out one command; nil when the tagged response comes later or was already written.
    ///
    /// RFC 9051 §6
    mutating func perform(_ tagged: TaggedCommand) async throws(Refusal) -> Completion? {
        switch tagged.command {
        // Any state.
        case .capability: return capability()
        case .noop: return noop()
        case .logout: return logout()
        case .id(let fields): return id(fields)
        // Not authenticated.
        case .startTLS: return try await startTLS(tag: tagged.tag)
        case .authenticate(let command): return try await authenticate(command)
        case .login(let command): return try await login(command)
        // Authenticated.
        case .enable(let words): return try enable(words)
        case .select(let command): return try await select(command, .readWrite)
        case .examine(let command): return try await select(command, .readOnly)
        case .create(let command): return try await create(command)
        case .delete(let name): return try await delete(name)
        case .rename(let name, let newName): return try await rename(name, to: newName)
        case .subscribe(let name): return try await subscribe(name)
        case .unsubscribe(let name): return try await unsubscribe(name)
        case .list(let command): return try await list(command)
        case .lsub(let command): return try await lsub(command)
        case .namespace: return try namespace()
        case .status(let command): return try await status(command)
        case .append(let command): return try await append(command)
        case .idle: return try await idle(tag: tagged.tag)
        case .compress(let mechanism): return try await compress(mechanism, tag: tagged.tag)
        case .getQuota(let root): return try await getQuota(root)
        case .getQuotaRoot(let name): return try await getQuotaRoot(name)
        case .setQuota: return try setQuota()
        // Selected.
        case .check: return try check()
        case .close: return try await close()
        case .unselect: return try unselect()
        case .expunge: return try await expunge(nil)
        case .uidExpunge(let set): return try await expunge(set)
        case .search(let command): return try await search(command, tag: tagged.tag)
        case .fetch(let command): return try await fetch(command)
        case .store(let command): return try await store(command)
        case .copy(let command): return try await copy(command)
        case .move(let command): return try await move(command)
        }
    }

    /// The account, or BAD before login.
    func account() throws(Refusal) -> Authenticated {
        guard let authenticated else { throw Refusal(.bad, nil, "Log in first") }
        return authenticated
    }
}

extension Command {
    /// Whether EXPUNGE may precede this command's tagged response.
    ///
    /// RFC 9051 §7.5.1
    var letsExpungesBeTold: ExpungePolicy {
        switch self {
        case .fetch(let command): command.numbering == .uid ? .expungesAllowed : .expungesHeld
        case .store(let command): command.numbering == .uid ? .expungesAllowed : .expungesHeld
        case .search(let command): command.numbering == .uid ? .expungesAllowed : .expungesHeld
        default: .expungesAllowed
        }
    }
}
