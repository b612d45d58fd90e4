import DNS
import Filter
import Foundation
import Net
import SMTP
import Transfer

extension Settings {
    /// Reads what the file names, certificates and passwords, without starting anything.
    package func rehearse() throws(StartError) {
        _ = try tls.identity()
        _ = try relaySettings()
    }
}

// What the tables of the file mean to the rooms that are opened with them.

extension TLSSettings {
    /// The certificate and key, read now; nil when none are named.
    func identity() throws(StartError) -> TLSIdentity? {
        guard let certificate, let key else { return nil }
        do {
            return try TLSIdentity(certificatePath: certificate, keyPath: key)
        } catch {
            throw StartError("[tls] \(error)")
        }
    }
}

extension DNSSettings {
    var resolvers: Resolver.Servers {
        servers.isEmpty ? .resolvConf("/etc/resolv.conf") : .forwarders(servers)
    }
}

extension AntivirusSettings {
    func member() throws(StartError) -> Filter.Member {
        let parsed = addresses.compactMap(ClamdAddress.init)
        guard parsed.count == addresses.count, !parsed.isEmpty else {
            throw StartError("[[antivirus]] addresses are unix:/path or host:port")
        }
        return Filter.Member(
            ClamdEngine(addresses: parsed),
            budget: .seconds(timeoutSeconds),
            isOptional: optional
        )
    }
}

extension RouteSettings {
    func nextHop() throws(StartError) -> NextHop {
        let place: NextHop.Host =
            IPAddress(host).map { address in
                .endpoint(.ip(address, port: UInt16(clamping: port)))
            } ?? .name(host)
        let security: NextHop.Security =
            switch tls {
            case .none: .none
            case .opportunistic: .opportunistic
            case .required: .required(.system)
            }
        var credentials: ClientSettings.Credentials?
        if let login, let passwordFile {
            let secret: String
            do {
                secret = try String(contentsOfFile: passwordFile, encoding: .utf8)
            } catch {
                throw StartError("[[route]] password_file: \(error.localizedDescription)")
            }
            credentials = ClientSettings.Credentials(
                login: login,
                password: secret.trimmingCharacters(in: .newlines)
            )
        }
        return NextHop(
            place,
            port: UInt16(clamping: port),
            dialect: hop == .lmtp ? .lmtp : .smtp,
            security: security,
            credentials: credentials
        )
    }
}

extension Settings {
    func relaySettings() throws(StartError) -> RelaySettings {
        var hops: [String: NextHop] = [:]
        for route in routes {
            guard hops[route.domain] == nil else {
                throw StartError("[[route]] \(route.domain) stands twice")
            }
            hops[route.domain] = try route.nextHop()
        }
        return RelaySettings(
            hostName: node.hostname,
            routes: hops,
            ownNames: [node.hostname.lowercased()]
        )
    }
}
