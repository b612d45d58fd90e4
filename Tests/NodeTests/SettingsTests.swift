import Foundation
import Testing

@testable import Node

@Suite("Settings")
struct SettingsTests {
    static let minimal = """
        [node]
        hostname = "mx.example.org"
        [mail]
        domains = ["example.org"]
        [[listener]]
        protocol = "smtp"
        port = 2025
        tls = "none"
        """

    private func problems(_ text: String) -> [String] {
        do {
            _ = try Settings(file: "relais.toml", text: text)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test("A minimal file is enough")
    func minimalFile() throws {
        let settings = try Settings(file: "relais.toml", text: Self.minimal)
        #expect(settings.listeners.count == 1)
        #expect(settings.mail.maximumMessageBytes == 50 << 20)
    }

    @Test("An unknown key is named with its line and the key that was meant")
    func unknownKey() {
        let text = Self.minimal + "\nmaximum_conections = 3\n"
        #expect(
            problems(text) == [
                "relais.toml:9: unknown key maximum_conections; did you mean maximum_connections?"
            ]
        )
    }

    @Test("An unknown table is named with its line")
    func unknownTable() {
        #expect(
            problems(Self.minimal + "\n[nodes]\n").first?.hasPrefix(
                "relais.toml:9: unknown key nodes"
            ) == true
        )
    }

    @Test("A wrong type is named with its line")
    func wrongType() {
        let text = Self.minimal.replacing("port = 2025", with: "port = \"smtp\"")
        #expect(
            problems(text) == [
                "relais.toml:7: port must be an integer", "relais.toml:7: port is required",
            ]
        )
    }

    @Test("The second of two listeners is named by its own line")
    func secondListener() {
        let text =
            Self.minimal + "\n[[listener]]\nprotocol = \"pop\"\nport = 2026\ntls = \"none\"\n"
        #expect(
            problems(text) == [
                "relais.toml:10: protocol must be one of \"smtp\", \"submission\", \"lmtp\", \"imap\", not \"pop\""
            ]
        )
    }

    @Test("Cleartext passwords are refused beyond loopback")
    func cleartextLogin() {
        let text = Self.minimal + "\naddress = \"0.0.0.0\"\ncleartext_login = true\n"
        #expect(
            problems(text) == [
                "relais.toml:10: cleartext_login is allowed on a loopback address only"
            ]
        )
    }

    @Test("TLS listeners without a certificate do not start")
    func missingCertificate() {
        let text = Self.minimal.replacing("tls = \"none\"", with: "tls = \"starttls\"")
        #expect(
            problems(text) == [
                "relais.toml: [tls] certificate and key are needed by a listener with tls"
            ]
        )
    }

    @Test("A password never leaves without TLS")
    func routeLogin() {
        let route = """

            [[route]]
            domain = "*"
            host = "relay.example.org"
            login = "us"
            password_file = "/etc/relais/relay.password"
            """
        #expect(
            problems(Self.minimal + route) == [
                "relais.toml:9: a route with a login needs tls = \"required\""
            ]
        )
    }

    @Test(
        "What could not work is an error of the file, not of the start",
        arguments: [
            (
                "hostname = \"mx.example.org\"", "hostname = \"mail demo\"",
                "relais.toml:2: hostname is not a host name: mail demo"
            ),
            (
                "domains = [\"example.org\"]", "domains = [\"@x\"]",
                "relais.toml:4: not a domain: @x"
            ),
            (
                "port = 2025", "port = 2025\naddress = \"not.an.ip\"",
                "relais.toml:8: address is not an IP address: not.an.ip"
            ),
            (
                "[mail]", "[dns]\nservers = [\"foo\"]\n[mail]",
                "relais.toml:4: not address or address@port: foo"
            ),
            (
                "[mail]", "[[antivirus]]\naddresses = [\"/run/x\"]\n[mail]",
                "relais.toml:4: not unix:/path or host:port: /run/x"
            ),
            (
                "domains = [\"example.org\"]",
                "domains = [\"example.org\"]\npostmaster = \"pm@other.example\"",
                "relais.toml:3: [mail] postmaster must be in one of the domains"
            ),
        ]
    )
    func nonsense(old: String, new: String, problem: String) {
        #expect(problems(Self.minimal.replacing(old, with: new)) == [problem])
    }

    @Test("Two listeners cannot share a port")
    func samePort() {
        let again = "\n[[listener]]\nprotocol = \"lmtp\"\nport = 2025\ntls = \"none\"\n"
        #expect(
            problems(Self.minimal + again) == [
                "relais.toml:5: two listeners at 127.0.0.1 port 2025"
            ]
        )
    }

    @Test("A file that is not TOML is refused with the line")
    func notTOML() {
        #expect(problems("[node\nhostname = 1").first?.hasPrefix("relais.toml:1: ") == true)
    }

    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test("The reference page is the one that the program prints")
    func reference() throws {
        let page = try String(
            contentsOf: Self.root.appendingPathComponent("docs/operators/configuration.md"),
            encoding: .utf8
        )
        #expect(page == Settings.reference(), "run make docs")
    }

    @Test(
        "Every example is a good configuration",
        arguments: ["one-machine.toml", "postgresql.toml", "demo/relais.toml"]
    )
    func example(name: String) throws {
        let text = try String(
            contentsOf: Self.root.appendingPathComponent("examples/\(name)"),
            encoding: .utf8
        )
        #expect(problems(text) == [])
    }
}
