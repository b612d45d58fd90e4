package import DNS
package import Net

/// The two questions that routing asks the DNS.
package struct MailDNS: Sendable {
    package var exchangers: @Sendable (_ domain: String) async -> Answer<MailExchanger>
    package var addresses: @Sendable (_ host: String) async -> Answer<IPAddress>

    package init(
        exchangers: @escaping @Sendable (_ domain: String) async -> Answer<MailExchanger>,
        addresses: @escaping @Sendable (_ host: String) async -> Answer<IPAddress>
    ) {
        self.exchangers = exchangers
        self.addresses = addresses
    }

    package init(_ resolver: Resolver) {
        self.init(
            exchangers: { await resolver.mx($0) },
            addresses: { await resolver.addresses($0) }
        )
    }
}
