import Histogram
import NIOCore

/// The result of one run: what the table shows and what the JSON file holds.
package struct Report: Codable, Sendable {
    /// Latencies in milliseconds.
    package struct Latency: Codable, Sendable {
        package var of: String
        package var mean: Double
        package var p50: Double
        package var p95: Double
        package var p99: Double
        package var max: Double
    }

    package var command: String
    package var target: String
    package var unit: String
    package var items: Int
    package var seconds: Double
    /// Items in a second.
    package var rate: Double
    package var bytes: Int
    /// Millions of bytes in a second.
    package var megabytesPerSecond: Double
    package var failures: Int
    package var complaints: [String]
    package var latency: Latency?
    /// Further figures by name, such as `visible_per_second`.
    package var figures: [String: Double] = [:]
    /// The options that shaped the load.
    package var notes: [String: String] = [:]

    enum CodingKeys: String, CodingKey {
        case command, target, unit, items, seconds, rate, bytes
        case megabytesPerSecond = "megabytes_per_second"
        case failures, complaints, latency, figures, notes
    }

    init(
        command: String,
        target: Endpoint,
        figures: Recorder.Figures,
        elapsed: TimeAmount,
        unit: String,
        latency: String
    ) {
        self.command = command
        self.target = "\(target.host):\(target.port) \(target.security.rawValue)"
        self.unit = unit
        items = figures.items
        seconds = Double(elapsed.nanoseconds) / 1e9
        rate = seconds > 0 ? Double(items) / seconds : 0
        bytes = figures.bytes
        megabytesPerSecond = seconds > 0 ? Double(bytes) / seconds / 1e6 : 0
        failures = figures.failures
        complaints = figures.complaints
        let histogram = figures.latencies
        if histogram.totalCount > 0 {
            func milliseconds(_ percentile: Double) -> Double {
                Double(histogram.valueAtPercentile(percentile)) / 1000
            }
            self.latency = Latency(
                of: latency,
                mean: histogram.mean / 1000,
                p50: milliseconds(50),
                p95: milliseconds(95),
                p99: milliseconds(99),
                max: Double(histogram.maxRecorded) / 1000
            )
        }
    }

    mutating func addVisible(deliveries: Int, elapsed: TimeAmount) {
        let seconds = Double(elapsed.nanoseconds) / 1e9
        figures["visible_deliveries"] = Double(deliveries)
        figures["visible_seconds"] = seconds
        figures["visible_per_second"] = seconds > 0 ? Double(deliveries) / seconds : 0
    }

    /// The report as aligned lines of text.
    package var table: String {
        var rows: [(String, String)] = [
            ("command", command), ("target", target), (unit, String(items)),
            ("seconds", Self.number(seconds)), ("\(unit)/s", Self.number(rate)),
        ]
        if bytes > 0 { rows.append(("MB/s", Self.number(megabytesPerSecond))) }
        if failures > 0 { rows.append(("failures", String(failures))) }
        for complaint in complaints { rows.append(("  answer", complaint)) }
        if let latency {
            rows.append(("latency of", latency.of))
            rows.append(("  p50 ms", Self.number(latency.p50)))
            rows.append(("  p95 ms", Self.number(latency.p95)))
            rows.append(("  p99 ms", Self.number(latency.p99)))
            rows.append(("  max ms", Self.number(latency.max)))
        }
        for (name, value) in figures.sorted(by: { $0.key < $1.key }) {
            rows.append((name, Self.number(value)))
        }
        for (name, value) in notes.sorted(by: { $0.key < $1.key }) { rows.append((name, value)) }
        let width = rows.reduce(0) { max($0, $1.0.count) } + 2
        return rows.map { $0.0 + String(repeating: " ", count: width - $0.0.count) + $0.1 }
            .joined(separator: "\n")
    }

    /// A number with three to four significant digits, without Foundation.
    static func number(_ value: Double) -> String {
        let digits = abs(value) >= 1000 ? 0 : abs(value) >= 100 ? 1 : abs(value) >= 10 ? 2 : 3
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let rounded = (value * scale).rounded() / scale
        return digits == 0 || rounded == rounded.rounded()
            ? String(Int(rounded)) : "\(rounded)"
    }
}
