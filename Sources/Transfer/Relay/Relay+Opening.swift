import Mail
import Net
import SMTP

extension Relay {
    enum Opening {
        case success(RelaySession)
        case failure(ClientVerdict)
    }

    /// Connects and introduces itself, with TLS as the hop's security wants it.
    ///
    /// A handshake that fails where TLS is only an opportunity costs one more connection, in clear.
    ///
    /// RFC 7435 §4
    func open(_ key: SessionPool.Key) async -> Opening {
        switch await open(key, security: key.hop.security) {
        case .handshakeFailed(let reason):
            guard case .opportunistic = key.hop.security else {
                return .failure(.handshakeFailed(reason))
            }
            switch await open(key, security: .none) {
            case .opened(let session): return .success(session)
            case .failed(let verdict): return .failure(verdict)
            case .handshakeFailed(let reason): return .failure(.handshakeFailed(reason))
            }
        case .opened(let session): return .success(session)
        case .failed(let verdict): return .failure(verdict)
        }
    }

    private enum Try {
        case opened(RelaySession)
        case failed(ClientVerdict)
        case handshakeFailed(String)
    }

    private func open(_ key: SessionPool.Key, security: NextHop.Security) async -> Try {
        let tls = tls(for: key.hop.security)
        let connection: Connection
        do {
            connection = try await dialer.connect(
                to: key.endpoint,
                within: settings.connectTimeout,
                from: source(for: key.endpoint)
            )
        } catch {
            return .failed(.notConnected(error))
        }
        var isSecure = false
        if case .implicit = security, let tls {
            do {
                try await connection.startTLS(tls, serverName: key.hostName)
                isSecure = true
            } catch {
                await connection.close()
                return .handshakeFailed("\(error)")
            }
        }
        var client = ClientSettings(
            hello: settings.hostName,
            dialect: key.hop.dialect,
            tls: security.demand,
            credentials: key.hop.credentials
        )
        client.timeouts = settings.timeouts
        var session = RelaySession(
            connection,
            ClientConversation(client, isSecure: isSecure),
            tls: tls,
            hostName: key.hostName
        )
        switch await session.open() {
        case .ready: return .opened(session)
        case .handshakeFailed(let reason):
            await connection.close()
            return .handshakeFailed(reason)
        case .over(let verdict):
            await connection.close()
            return .failed(verdict ?? .notConnected(.closed))
        case .transactionEnded:
            await connection.close()
            return .failed(.notConnected(.closed))
        }
    }

    /// The configured source address, when it is of the endpoint's family.
    private func source(for endpoint: Endpoint) -> IPAddress? {
        guard let source = settings.source, source.isIPv6 == endpoint.address?.isIPv6 else {
            return nil
        }
        return source
    }
}

extension ClientVerdict {
    /// The only place where a network error becomes a verdict.
    fileprivate static func notConnected(_ error: NetError) -> ClientVerdict {
        let text =
            switch error {
            case .refused: "Connection refused"
            case .unreachable(let reason): "Host unreachable (\(reason))"
            case .timedOut: "Connection timed out"
            case .closed: "Connection closed"
            case .handshakeFailed: "TLS handshake failed"
            case .injectedPlaintext: "Bytes in clear after STARTTLS"
            case .certificate, .cannotListen: "No connection"
            }
        return ClientVerdict(.temporary, EnhancedStatus(4, 4, 1), text)
    }

    fileprivate static func handshakeFailed(_ reason: String) -> ClientVerdict {
        let text = "TLS is required and the handshake failed (\(reason.prefix(200)))"
        return ClientVerdict(.temporary, EnhancedStatus(4, 7, 5), text)
    }
}
