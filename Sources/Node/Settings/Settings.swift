package import Mail
import TOMLKit

/// Everything a node is told by its configuration file.
///
/// Read once, strictly: an unknown key, a wrong type or an impossible combination is an error that
/// names the line, and nothing starts.
package struct Settings: Sendable {
    package var node: NodeSettings
    package var mail: MailSettings
    package var database: DatabaseSettings
    package var tls: TLSSettings
    package var listeners: [ListenerSettings]
    package var antivirus: [AntivirusSettings]
    package var routes: [RouteSettings]
    package var dns: DNSSettings
    package var queue: QueueSettings
    package var limits: LimitSettings

    /// Reads `text`; throws every problem found, in the order of the file's tables.
    package init(file name: String, text: String) throws(SettingsProblems) {
        let table: TOMLTable
        do {
            table = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            throw SettingsProblems([
                SettingsProblem(
                    file: name,
                    line: error.source.begin.line,
                    text: error.description
                )
            ])
        } catch {
            throw SettingsProblems([
                SettingsProblem(file: name, line: nil, text: "not a TOML document: \(error)")
            ])
        }
        let file = SettingsFile(name: name, text: text)
        let reader = SettingsReader(table, path: "", file: file)
        self.init(reader)
        reader.finish()
        check(reader)
        if !file.problems.isEmpty { throw SettingsProblems(file.problems) }
    }

    private init(_ reader: SettingsReader) {
        node = reader.section("node", NodeSettings.init)
        mail = reader.section("mail", MailSettings.init)
        database = reader.section("database", DatabaseSettings.init)
        tls = reader.section("tls", TLSSettings.init)
        listeners = reader.sections("listener", ListenerSettings.init)
        antivirus = reader.sections("antivirus", AntivirusSettings.init)
        routes = reader.sections("route", RouteSettings.init)
        dns = reader.section("dns", DNSSettings.init)
        queue = reader.section("queue", QueueSettings.init)
        limits = reader.section("limits", LimitSettings.init)
    }

    /// Checks what concerns more than one table.
    private func check(_ reader: SettingsReader) {
        if listeners.isEmpty {
            reader.complain("listener", "at least one [[listener]] is needed")
        }
        let needsTLS = listeners.contains { $0.tls != .none }
        if needsTLS, tls.certificate == nil || tls.key == nil {
            reader.complain(
                "tls",
                "[tls] certificate and key are needed by a listener with tls"
            )
        }
        if mail.domains.isEmpty {
            reader.complain("mail", "[mail] domains must name at least one domain")
        }
        if let postmaster = mail.postmaster, !mail.domains.contains(postmaster.domain) {
            reader.complain("mail", "[mail] postmaster must be in one of the domains")
        }
        var places: Set<String> = []
        for listener in listeners
        where !places.insert("\(listener.address) \(listener.port)").inserted {
            reader.complain(
                "listener",
                "two listeners at \(listener.address) port \(listener.port)"
            )
        }
        var routed: Set<String> = []
        for route in routes {
            if !routed.insert(route.domain).inserted {
                reader.complain("route", "two routes for \(route.domain)")
            }
            if mail.domains.contains(route.domain) {
                reader.complain("route", "a route for our own domain \(route.domain)")
            }
        }
    }

    /// The reference page: every table, key, type, default and meaning, as Markdown.
    package static func reference() -> String {
        let file = SettingsFile(name: "", text: "", isReference: true)
        _ = Settings(SettingsReader(TOMLTable(), path: "", file: file))
        var page = """
            # Configuration

            One TOML file, `/etc/relais/relais.toml` unless `--config` says otherwise. Unknown keys,
            wrong types and impossible combinations are errors that name the line:
            `relais check-config`. A table in double brackets may stand several times. `examples/`
            has whole files. This page is generated from the program: `make docs`.

            """
        var table: String?
        for description in file.descriptions {
            if description.table != table {
                table = description.table
                page += "\n## `[\(description.table)]`\n\n| key | type | default | meaning |\n"
                page += "|---|---|---|---|\n"
            }
            page += "| `\(description.key)` | \(description.type) | \(description.defaultValue) "
            page += "| \(description.text) |\n"
        }
        return page
    }
}

/// All that is wrong with a configuration file.
package struct SettingsProblems: Error, CustomStringConvertible {
    package let problems: [SettingsProblem]

    init(_ problems: [SettingsProblem]) {
        self.problems = problems
    }

    package var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}
