import DNS
import Mail
import Net
import Queue
import SMTP

/// One attempt under way: who still waits for an answer, and what went wrong last.
struct RelayAttempt {
    private let relay: Relay
    private let attempt: DeliveryAttempt
    private let message: [UInt8]
    private let hop: NextHop
    private var waiting: [DeliveryAttempt.Recipient]
    private var outcomes: [RecipientOutcome] = []
    private var addressesLeft: Int
    private var failure: AttemptResult

    init(_ relay: Relay, _ attempt: DeliveryAttempt, _ message: [UInt8], _ hop: NextHop) {
        self.relay = relay
        self.attempt = attempt
        self.message = message
        self.hop = hop
        waiting = attempt.recipients
        addressesLeft = relay.settings.addressesPerAttempt
        failure = .bounced(
            .local(
                attempt.destination,
                EnhancedStatus(5, 4, 4),
                "No mail host of \(attempt.destination) has an address"
            )
        )
    }

    /// Tries the hosts one after the other; returns an outcome for every recipient.
    consuming func run(_ hosts: [Relay.Host]) async -> [RecipientOutcome] {
        for host in hosts where !waiting.isEmpty && addressesLeft > 0 {
            switch host {
            case .endpoint(let endpoint):
                await visit(endpoint, called: endpoint.address?.literalOrName ?? "\(endpoint)")
            case .name(let name): await visit(name)
            }
        }
        return outcomes
            + waiting.map { RecipientOutcome(number: $0.number, result: failure) }
    }

    private mutating func visit(_ name: String) async {
        let addresses: [IPAddress]
        switch await relay.dns.addresses(name) {
        case .records(let found, _): addresses = found
        case .noData, .noSuchDomain: return
        case .temporaryFailure(let reason):
            let status = EnhancedStatus(4, 4, 3)
            let text = "The address of \(name) is not known now (\(reason.words))"
            failure = .deferred(.local(name, status, text), scope: .destination)
            return
        }
        for address in addresses where !waiting.isEmpty && addressesLeft > 0 {
            await visit(.ip(address, port: hop.port), called: name)
        }
    }

    private mutating func visit(_ endpoint: Endpoint, called name: String) async {
        addressesLeft -= 1
        let key = SessionPool.Key(endpoint: endpoint, hostName: name, hop: hop)
        while var session = relay.pool.take(key, at: relay.clock()) {
            if await session.isAlive() {
                await deliver(over: session, key)
            } else {
                await session.close()
            }
            if waiting.isEmpty { return }
        }
        switch await relay.open(key) {
        case .failure(let verdict): fail(verdict, at: name)
        case .success(let session): await deliver(over: session, key)
        }
    }

    // MARK: Transactions

    /// Sends the message for all who wait, as many transactions as it takes, while the session lasts.
    private mutating func deliver(over session: RelaySession, _ key: SessionPool.Key) async {
        var session = session
        while !waiting.isEmpty, session.isReusable {
            let batch = Array(waiting.prefix(relay.settings.recipientsPerTransaction))
            switch await session.deliver(envelope(for: batch), message) {
            case .transactionEnded(let verdicts):
                let isAlive = await session.settle()
                let isProgress = record(verdicts, of: batch, session, sessionGoesOn: isAlive)
                guard isAlive, isProgress else { return await part(from: session, key) }
            case .over(let verdict):
                if let verdict { fail(verdict, at: key.hostName) }
                return await part(from: session, key)
            case .ready, .handshakeFailed:
                return await part(from: session, key)
            }
        }
        await part(from: session, key)
    }

    /// Notes what was said of each recipient of `batch`; false when another round would say the same.
    private mutating func record(
        _ verdicts: [ClientVerdict],
        of batch: [DeliveryAttempt.Recipient],
        _ session: RelaySession,
        sessionGoesOn: Bool
    ) -> Bool {
        let host = session.hostName
        let someAccepted = verdicts.contains { $0.kind == .accepted }
        var again: [DeliveryAttempt.Recipient] = []
        for (recipient, verdict) in zip(batch, verdicts) {
            let reply = NextHopReply(verdict, from: host)
            let result: AttemptResult
            switch verdict.kind {
            case .accepted:
                result =
                    hop.dialect == .lmtp
                    ? .delivered(reply) : .relayed(reply, keepsDSN: session.offersDSN)
            case .permanent: result = .bounced(reply)
            case .temporary:
                if sessionGoesOn, verdict.isTooMany, someAccepted {
                    again.append(recipient)
                    continue
                }
                if !sessionGoesOn, !session.sentMessage {
                    again.append(recipient)
                    failure = .deferred(reply, scope: .destination)
                    continue
                }
                result = .deferred(reply, scope: sessionGoesOn ? .recipient : .destination)
            }
            outcomes.append(RecipientOutcome(number: recipient.number, result: result))
        }
        waiting = again + waiting.dropFirst(batch.count)
        return again.count < batch.count
    }

    /// Keeps the session for the next message, or ends it.
    private func part(from session: RelaySession, _ key: SessionPool.Key) async {
        var session = session
        let isWorn = session.transactions >= relay.settings.transactionsPerConnection
        if session.isReusable, !isWorn, relay.pool.keep(session, key, at: relay.clock()) { return }
        await session.close()
    }

    /// A host that does not even let us begin says nothing final about anybody's mail.
    private mutating func fail(_ verdict: ClientVerdict, at host: String) {
        let reply = NextHopReply(
            nextHop: host,
            status: EnhancedStatus(4, verdict.status.subject, verdict.status.detail),
            text: verdict.text,
            origin: verdict.isRemote ? .remote : .local
        )
        failure = .deferred(reply, scope: .destination)
    }

    private func envelope(for recipients: [DeliveryAttempt.Recipient]) -> OutgoingEnvelope {
        let queued = attempt.message
        let body: BodyType =
            queued.requirements.contains(.binary)
            ? .binaryMIME : queued.requirements.contains(.eightBit) ? .eightBitMIME : .sevenBit
        return OutgoingEnvelope(
            reversePath: queued.reversePath,
            recipients: recipients.map { recipient in
                OutgoingEnvelope.Recipient(
                    recipient.path.forwardPath,
                    notify: recipient.path.notify.map { DSNNotify(rawValue: $0.rawValue) },
                    originalRecipient: recipient.path.originalRecipient
                )
            },
            body: body,
            needsSMTPUTF8: queued.requirements.contains(.smtpUTF8),
            envelopeID: queued.envelopeID,
            returnContent: queued.returnContent.map { $0 == .full ? .full : .headers }
        )
    }
}

extension IPAddress {
    /// How a host that is only known by its address is named.
    fileprivate var literalOrName: String { "[\(literal)]" }
}
