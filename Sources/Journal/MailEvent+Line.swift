import Mail

extension MailEvent {
    /// The event's name, first field of its line.
    package var name: String {
        switch self {
        case .received: "received"
        case .delivered: "delivered"
        case .queued: "queued"
        case .relayed: "relayed"
        case .deferred: "deferred"
        case .bounced: "bounced"
        case .refused: "refused"
        case .infected: "infected"
        case .engineFailed: "engine_failed"
        case .login: "login"
        case .loginFailed: "login_failed"
        }
    }

    /// The event as one logfmt line, without line end.
    package var line: String {
        var line = LogLine(event: name)
        switch self {
        case .received(
            let queueID,
            let door,
            let reversePath,
            let recipients,
            let size,
            let client,
            let account
        ):
            line.add("queue_id", queueID)
            line.add("door", door.rawValue)
            line.add("reverse_path", reversePath)
            line.add("recipients", "\(recipients)")
            line.add("size", "\(size)")
            line.add("client", client)
            line.add("account", account)
        case .delivered(let queueID, let forwardPath, let mailbox, let uid):
            line.add("queue_id", queueID)
            line.add("forward_path", forwardPath)
            line.add("mailbox", mailbox)
            line.add("uid", "\(uid.rawValue)")
        case .queued(let queueID, let forwardPath):
            line.add("queue_id", queueID)
            line.add("forward_path", forwardPath)
        case .relayed(
            let queueID,
            let forwardPath,
            let nextHop,
            let status,
            let delay,
            let reply
        ):
            line.addAttempt(queueID, forwardPath, nextHop, status)
            line.add("delay", LogLine.seconds(delay))
            line.add("reply", reply)
        case .deferred(
            let queueID,
            let forwardPath,
            let nextHop,
            let status,
            let delay,
            let reason
        ):
            line.addAttempt(queueID, forwardPath, nextHop, status)
            line.add("delay", LogLine.seconds(delay))
            line.add("reason", reason)
        case .bounced(let queueID, let forwardPath, let nextHop, let status, let reason):
            line.addAttempt(queueID, forwardPath, nextHop, status)
            line.add("reason", reason)
        case .refused(
            let door,
            let client,
            let reversePath,
            let forwardPath,
            let status,
            let reason
        ):
            line.add("door", door.rawValue)
            line.add("client", client)
            if let reversePath { line.add("reverse_path", reversePath) }
            if let forwardPath { line.add("forward_path", forwardPath) }
            line.add("status", status?.description)
            line.add("reason", reason)
        case .infected(let queueID, let engine, let name, let client):
            line.add("queue_id", queueID)
            line.add("engine", engine)
            line.add("name", name)
            line.add("client", client)
        case .engineFailed(let engine, let reason):
            line.add("engine", engine)
            line.add("reason", reason)
        case .login(let door, let account, let client, let mechanism, let secure):
            line.add("door", door.rawValue)
            line.add("account", account)
            line.add("client", client)
            line.add("mechanism", mechanism)
            line.add("tls", secure ? "yes" : "no")
        case .loginFailed(let door, let name, let client, let mechanism):
            line.add("door", door.rawValue)
            line.add("name", name)
            line.add("client", client)
            line.add("mechanism", mechanism)
        }
        return line.text
    }
}

/// Builds one logfmt line: `name=value`, quoted where the value holds a blank, a quote or `=`.
package struct LogLine {
    private(set) var text: String

    init(event: String) {
        text = "event=\(event)"
    }

    mutating func add(_ name: String, _ value: String?) {
        guard let value else { return }
        text += " \(name)=\(Self.quoted(value))"
    }

    mutating func add(_ name: String, _ address: EmailAddress) {
        add(name, "<\(address.key)>")
    }

    mutating func add(_ name: String, _ path: ReversePath) {
        switch path {
        case .null: add(name, "<>")
        case .address(let address): add(name, address)
        }
    }

    mutating func addAttempt(
        _ queueID: String,
        _ forwardPath: EmailAddress,
        _ nextHop: String,
        _ status: EnhancedStatus
    ) {
        add("queue_id", queueID)
        add("forward_path", forwardPath)
        add("next_hop", nextHop)
        add("status", status.description)
    }

    /// Seconds with one decimal, without Foundation.
    static func seconds(_ value: Double) -> String {
        guard value.isFinite, value.magnitude < 1e12 else { return "0.0" }
        let tenths = Int64((value * 10).rounded())
        return "\(tenths / 10).\(tenths.magnitude % 10)"
    }

    /// Longest value written; the rest of a peer's reply or of a client's name is cut.
    static let longestValue = 1_000

    /// A value that holds control bytes, which could forge a second line, has them escaped.
    package static func quoted(_ value: String) -> String {
        let plain = value.utf8.allSatisfy {
            $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x3D && $0 != 0x5C
        }
        if plain, !value.isEmpty, value.utf8.count <= longestValue { return value }
        var result = "\""
        for scalar in value.unicodeScalars.prefix(longestValue) {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default:
                if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) {
                    result += "\\u{\(String(scalar.value, radix: 16))}"
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }
}
