import Access
import DNS
import Filter
import Journal
package import Logging
import Net
import Queue
import SMTP
import Store
import Transfer
import UnixSignals

/// One running node: the services, the doors before them, and what stops them.
package struct Node: Sendable {
    private let platform: Platform
    private let identity: TLSIdentity?
    private let doors: [OpenDoor]
    private let scheduler: QueueScheduler
    private let relay: Relay
    private let resolver: Resolver

    /// A server and what it does with a connection.
    private struct OpenDoor: Sendable {
        let name: String
        let server: Server
        let handler: @Sendable (Connection) async -> Void
    }

    /// Reads certificates, opens the database and puts the parts together; listens to nothing yet.
    package init(_ settings: Settings, log: Logger) async throws(StartError) {
        Memory.keepPages()
        do {
            identity = try settings.tls.identity()
            let platform = try await Platform.open(settings, log: log)
            self.platform = platform
            resolver = try Resolver(Resolver.Settings(servers: settings.dns.resolvers))
            let parts = try Self.doorParts(platform)
            let bodies = QueueBodies(platform.store)
            relay = try Relay(
                try settings.relaySettings(),
                dns: MailDNS(resolver),
                bodies: bodies,
                clock: Platform.clock,
                random: Platform.randomNumber
            )
            var limits = QueueScheduler.Limits()
            limits.attempts = settings.queue.maximumAttempts
            limits.attemptsPerDestination = settings.queue.maximumPerDestination
            scheduler = QueueScheduler(
                queue: platform.queue,
                parts: QueueScheduler.Parts(
                    agent: relay,
                    bodies: bodies,
                    notifications: parts.notifications,
                    journal: platform.journal,
                    log: log
                ),
                hostName: settings.node.hostname,
                node: settings.node.hostname,
                limits: limits,
                randomness: Platform.randomNumber
            )
            let identity = identity
            doors = try settings.listeners.map { listener in
                try Self.door(listener, platform, parts, identity)
            }
        } catch let error as StartError {
            throw error
        } catch {
            throw StartError("\(error)")
        }
    }

    /// Listens, serves until SIGTERM or SIGINT, then drains and closes.
    package func run() async throws(StartError) {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        for door in doors {
            do {
                let endpoints = try await door.server.bind()
                let places = endpoints.map(\.description).joined(separator: " ")
                platform.log.notice("event=listening protocol=\(door.name) endpoint=\(places)")
            } catch {
                throw StartError("\(door.name): \(error)")
            }
        }
        platform.log.notice("event=started hostname=\(platform.settings.node.hostname)")
        await withTaskGroup(of: Void.self) { helpers in
            helpers.addTask { await platform.directory.followChanges() }
            helpers.addTask { await platform.store.followOtherNodes() }
            helpers.addTask { await Upkeep(platform).run() }
            helpers.addTask { await relay.run() }
            await withTaskGroup(of: Void.self) { servers in
                servers.addTask { await scheduler.run() }
                for door in doors {
                    servers.addTask { await door.server.serve(door.handler) }
                }
                await waitForStop(signals)
                let patience = Duration.seconds(platform.settings.node.drainSeconds)
                scheduler.stop()
                await drain(within: patience)
                // An attempt that outlasts the patience is cut; its recipient stays in the queue.
                servers.cancelAll()
            }
            helpers.cancelAll()
        }
        await platform.close()
        platform.log.notice("event=stopped")
    }

    private func waitForStop(_ signals: UnixSignalsSequence) async {
        for await signal in signals {
            guard signal == .sighup else {
                platform.log.notice("event=draining signal=\(signal)")
                return
            }
            reload()
        }
    }

    /// Reads certificate and key again; a bad file leaves the old ones in use.
    private func reload() {
        do {
            try identity?.reload()
            platform.log.notice("event=reloaded")
        } catch {
            platform.log.error("event=reload_failed reason=\(LogLine.quoted("\(error)"))")
        }
    }

    private func drain(within patience: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            for door in doors {
                group.addTask { await door.server.drain(within: patience) }
            }
        }
    }
}

// MARK: - Putting the parts together

extension Node {
    private static func doorParts(_ platform: Platform) throws(StartError) -> DoorParts {
        let settings = platform.settings
        let policy = DeliveryPolicy(
            quota: settings.defaultQuota,
            language: settings.folderLanguage,
            postmaster: settings.mail.postmaster
        )
        return DoorParts(
            database: platform.database,
            directory: platform.directory,
            store: platform.store,
            queue: platform.queue,
            filter: Filter(
                try settings.antivirus.map { engine throws(StartError) in try engine.member() },
                journal: platform.journal
            ),
            journal: platform.journal,
            budget: BodyBudget(limit: settings.limits.heldMegabytes << 20),
            throttle: AuthenticationThrottle(clock: Platform.clock),
            notifications: NotificationRouter(
                directory: platform.directory,
                store: platform.store,
                queue: platform.queue,
                journal: platform.journal,
                policy: policy,
                hostName: settings.node.hostname,
                clock: Platform.clock,
                random: Platform.random
            ),
            policy: policy,
            clock: Platform.clock,
            random: Platform.random
        )
    }

    private static func door(
        _ listener: ListenerSettings,
        _ platform: Platform,
        _ parts: DoorParts,
        _ identity: TLSIdentity?
    ) throws(StartError) -> OpenDoor {
        guard let address = IPAddress(listener.address), let port = UInt16(exactly: listener.port)
        else { throw StartError("[[listener]] address \(listener.address) is not an IP address") }
        var security = Listener.Security.plain
        if listener.tls == .implicit {
            guard let identity else { throw StartError("[tls] certificate is missing") }
            security = .implicit(identity)
        }
        var limits = ServerLimits()
        limits.connections = listener.maximumConnections
        limits.connectionsPerClient = listener.maximumConnectionsPerClient
        let endpoint = Listener(.ip(address, port: port), security: security)
        let startTLS = listener.tls == .starttls ? identity : nil
        switch listener.serviceProtocol {
        case .smtp: return smtp(.mx, listener, endpoint, limits, startTLS, platform, parts)
        case .submission:
            return smtp(.submission, listener, endpoint, limits, startTLS, platform, parts)
        case .lmtp: return smtp(.lmtp, listener, endpoint, limits, startTLS, platform, parts)
        case .imap:
            var settings = IMAPSettings()
            settings.tls = startTLS
            settings.messageBytes = platform.settings.mail.maximumMessageBytes
            settings.sessionsPerAccount = platform.settings.limits.sessionsPerAccount
            settings.heldBytes = platform.settings.limits.heldMegabytes << 20
            settings.language = platform.settings.folderLanguage
            settings.quota = platform.settings.defaultQuota
            let door = IMAPDoor(
                settings: settings,
                store: platform.store,
                directory: platform.directory,
                journal: platform.journal,
                clock: Platform.clock,
                random: Platform.random
            )
            let login: CleartextLogin = listener.cleartextLogin ? .allowed : .refused
            return OpenDoor(
                name: "imap",
                server: Server([endpoint], limits: limits, refusal: IMAPDoor.farewell),
                handler: { await door.serve($0, cleartextLogin: login) }
            )
        }
    }

    private static func smtp(
        _ role: DoorRole,
        _ listener: ListenerSettings,
        _ endpoint: Listener,
        _ limits: ServerLimits,
        _ startTLS: TLSIdentity?,
        _ platform: Platform,
        _ parts: DoorParts
    ) -> OpenDoor {
        var conversation = ConversationLimits()
        conversation.messageSize = platform.settings.mail.maximumMessageBytes
        conversation.recipients = platform.settings.limits.recipients
        conversation.errors = platform.settings.limits.errorsPerSession
        let door = SMTPDoor(
            DoorSettings(
                role: role,
                hostName: platform.settings.node.hostname,
                tls: startTLS,
                allowsCleartextLogin: listener.cleartextLogin,
                limits: conversation
            ),
            parts: parts
        )
        return OpenDoor(
            name: role.door.rawValue,
            server: Server([endpoint], limits: limits, refusal: door.refusal),
            handler: door.serve
        )
    }
}
