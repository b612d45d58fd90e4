// swift-tools-version: 6.2

import PackageDescription

// The rooms, floor by floor. A module imports only lower floors (ARCHITECTURE.md); the tidy test
// and `--explicit-target-dependency-import-check error` hold them to it.

/// Parsers of hostile input, built with libFuzzer's instrumentation when RELAIS_FUZZ is set.
let fuzzing = Context.environment["RELAIS_FUZZ"] != nil

/// `make test ONLY=IMAPTests` builds that test target alone.
let onlyTests = Context.environment["ONLY"]

let settings: [SwiftSetting] =
    [.enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault")]
    + (fuzzing ? [.unsafeFlags(["-sanitize=fuzzer", "-parse-as-library"])] : [])

func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(
    of name: String,
    _ dependencies: [Target.Dependency] = [],
    reading folders: [String] = []
)
    -> Target
{
    .testTarget(
        name: "\(name)Tests",
        dependencies: (name == "TestRig" ? [] : [.target(name: name)]) + ["TestRig"] + dependencies,
        exclude: folders,
        swiftSettings: settings
    )
}

/// A libFuzzer target, `Fuzz/<parser>`; only there when RELAIS_FUZZ is set.
func fuzz(_ parser: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: "fuzz-\(parser)",
        dependencies: dependencies,
        path: "Fuzz/\(parser)",
        exclude: ["corpus"],
        swiftSettings: settings,
        linkerSettings: [.unsafeFlags(["-sanitize=fuzzer"])]
    )
}

func system(_ name: String, pkgConfig: String, apt: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let unixSignals = Target.Dependency.product(
    name: "UnixSignals",
    package: "swift-service-lifecycle"
)
let toml = Target.Dependency.product(name: "TOMLKit", package: "TOMLKit")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")

let libraries: [Target] = [
    system("CPostgreSQL", pkgConfig: "libpq", apt: "libpq-dev"),
    system("CUnbound", pkgConfig: "libunbound", apt: "libunbound-dev"),
    system("CZstd", pkgConfig: "libzstd", apt: "libzstd-dev"),
    system("CZlib", pkgConfig: "zlib", apt: "zlib1g-dev"),
    .systemLibrary(name: "CMalloc"),
]

let rooms: [Target] = [
    // 0 bytes
    room("Wire"),
    room("Net", ["Wire", nioCore, nioPosix, nioSSL, logging, "CZlib"]),
    // 1 languages
    room("Mail", ["Wire"]),
    room("MIME", ["Mail", "Wire"]),
    room("SMTP", ["Mail", "Wire"]),
    room("IMAP", ["Mail", "Wire"]),
    room("SASL", ["Wire", crypto, cryptoExtras]),
    // 2 peers
    room("DNS", ["CUnbound", "Net", "Wire"]),
    room("Database", ["CPostgreSQL", grdb, logging, sqlite]),
    room("Blobs", ["Net"]),
    // 3 services
    room("Journal", ["Mail", logging]),
    room("Directory", ["Database", "Mail", "Net", "SASL", crypto]),
    room("Filter", ["Journal", "Mail", "Net", "Wire"]),
    room("Queue", ["Database", "Journal", "Mail", "Wire", logging]),
    room(
        "Store",
        ["Blobs", "CZstd", "Database", "MIME", "Mail", "Net", crypto]
    ),
    // 4 doors
    room(
        "Transfer",
        [
            "DNS", "Database", "Directory", "Filter", "Journal", "MIME", "Mail", "Net", "Queue",
            "SASL", "SMTP", "Store", "Wire", logging,
        ]
    ),
    room(
        "Access",
        [
            "Database", "Directory", "IMAP", "Journal", "MIME", "Mail", "Net", "SASL", "Store",
            "Wire", logging,
        ]
    ),
    // 5 house
    room(
        "Node",
        [
            "Access", "Blobs", "CMalloc", "DNS", "Database", "Directory", "Filter", "Journal",
            "Mail",
            "Net", "Queue", "SASL", "SMTP", "Store", "Transfer", "Wire", unixSignals,
            logging, toml,
        ]
    ),
    .executableTarget(
        name: "relais",
        dependencies: [
            "Database", "Directory", "Mail", "Node", "Queue", "Store", arguments, logging,
        ],
        swiftSettings: settings
    ),
    // beside
    room("Bench", ["Wire", nioCore, nioPosix, nioSSL, histogram]),
    .executableTarget(
        name: "relais-bench",
        dependencies: ["Bench", arguments],
        swiftSettings: settings
    ),
    room("TestRig", ["Wire", "Mail"]),
]

let testTargets: [Target] = [
    tests(of: "Bench"),
    tests(of: "Database", [logging]),
    tests(of: "Directory", ["Database", "Mail", "SASL", logging]),
    .testTarget(name: "TidyTests", swiftSettings: settings),
    tests(of: "Node", ["Mail"]),
    tests(of: "Net"),
    .testTarget(
        name: "RelayTests",
        dependencies: [
            "DNS", "Database", "Mail", "Net", "Queue", "SMTP", "TestRig", "Transfer", "Wire",
        ],
        swiftSettings: settings
    ),
    tests(of: "Blobs", ["Net"]),
    tests(of: "SASL", ["Wire"]),
    tests(of: "SMTP", ["Mail", "Wire"]),
    tests(of: "TestRig"),
    tests(
        of: "Transfer",
        [
            "Blobs", "Database", "Directory", "Filter", "Journal", "Mail", "Net", "Queue", "SMTP",
            "Store", logging,
        ],
        reading: ["scram.py"]
    ),
    tests(of: "Journal", ["Mail"]),
    tests(of: "Wire"),
    tests(of: "IMAP", ["Mail"]),
    tests(
        of: "Access",
        [
            "Blobs", "Database", "Directory", "IMAP", "Journal", "Mail", "Net", "Store", "Wire",
            logging,
        ]
    ),
    tests(of: "Mail"),
    tests(of: "MIME", ["Mail"], reading: ["judge.py"]),
    tests(of: "Filter", ["Journal", "Net", logging]),
    tests(of: "DNS", ["Net"]),
    tests(of: "Store", ["Blobs", "Database", "Mail", logging]),
    tests(of: "Queue", ["Database", "Journal", "Mail", "Wire"]),
]

let fuzzTargets: [Target] =
    fuzzing
    ? [
        fuzz("imap", ["IMAP"]),
        fuzz("mime", ["MIME"]),
        fuzz("smtp", ["SMTP", "Wire"]),
    ] : []

let package = Package(
    name: "relais",
    products: [
        .executable(name: "relais", targets: ["relais"]),
        .executable(name: "relais-bench", targets: ["relais-bench"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: libraries + rooms + fuzzTargets
        + testTargets.filter { onlyTests == nil || $0.name == onlyTests },
    swiftLanguageModes: [.v6]
)
