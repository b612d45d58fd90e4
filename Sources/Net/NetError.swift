/// Why a connection, a listener or a certificate did not do what it was asked.
package enum NetError: Error, Equatable {
    /// The peer answered the connection attempt with a reset.
    case refused
    /// No route to the peer, or its name does not resolve.
    case unreachable(String)
    case timedOut
    /// The connection has ended; nothing more can be sent.
    case closed
    /// The TLS handshake failed.
    case handshakeFailed(String)
    /// Bytes were waiting in clear behind STARTTLS: somebody tried to slip them in.
    ///
    /// RFC 3207 §6 (and CVE-2011-0411)
    case injectedPlaintext
    /// The certificate or key in `file` cannot be used.
    case certificate(file: String, reason: String)
    /// The address cannot be listened on.
    case cannotListen(String)
}
