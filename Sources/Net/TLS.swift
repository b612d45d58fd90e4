internal import NIOSSL
import Synchronization

/// A server's certificate chain and key, read from PEM files and re-readable.
package final class TLSIdentity: Sendable {
    package let certificatePath: String
    package let keyPath: String
    private let current: Mutex<NIOSSLContext>

    /// Reads both files; the error names the one that cannot be used.
    package init(certificatePath: String, keyPath: String) throws(NetError) {
        self.certificatePath = certificatePath
        self.keyPath = keyPath
        current = Mutex(try Self.load(certificatePath, keyPath))
    }

    /// Reads the files again, for connections to come; on failure the old ones stay in use.
    package func reload() throws(NetError) {
        let context = try Self.load(certificatePath, keyPath)
        current.withLock { $0 = context }
    }

    var context: NIOSSLContext { current.withLock { $0 } }

    private static func load(
        _ certificatePath: String,
        _ keyPath: String
    ) throws(NetError) -> NIOSSLContext {
        let chain: [NIOSSLCertificate]
        do {
            chain = try NIOSSLCertificate.fromPEMFile(certificatePath)
        } catch {
            throw .certificate(file: certificatePath, reason: "\(error)")
        }
        guard !chain.isEmpty else {
            throw .certificate(file: certificatePath, reason: "holds no certificate")
        }
        do {
            let key = try NIOSSLPrivateKey(file: keyPath, format: .pem)
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) },
                privateKey: .privateKey(key)
            )
            configuration.minimumTLSVersion = .tlsv12
            configuration.shutdownTimeout = .seconds(2)
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw .certificate(file: keyPath, reason: "\(error)")
        }
    }
}

/// How this side checks a server's certificate.
package struct ClientTLS: Sendable {
    let context: NIOSSLContext

    /// Encrypts and checks nothing: better than clear text where nothing was promised.
    ///
    /// RFC 7435 §3
    package static func opportunistic() throws(NetError) -> ClientTLS {
        try ClientTLS(verification: .none, roots: nil)
    }

    /// Checks chain and name against the CA certificates in `authorities`, or the system's.
    package static func verified(authorities: String? = nil) throws(NetError) -> ClientTLS {
        try ClientTLS(verification: .fullVerification, roots: authorities)
    }

    private init(verification: CertificateVerification, roots: String?) throws(NetError) {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.certificateVerification = verification
        configuration.shutdownTimeout = .seconds(2)
        if let roots { configuration.trustRoots = .file(roots) }
        do {
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw .certificate(file: roots ?? "system roots", reason: "\(error)")
        }
    }
}
