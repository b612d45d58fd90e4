import Wire

/// Domain names as the DNS wants them asked.
enum DomainName {
    /// `domain` in ASCII, each label that is not encoded with Punycode; nil when no such name can
    /// exist.
    ///
    /// Letters are taken to lower case and nothing else is mapped: what arrives here was typed as an
    /// address, and an address that needs more than that is not one that was registered.
    ///
    /// RFC 5891 §5.5, RFC 1035 §2.3.4
    static func ascii(_ domain: String) -> String? {
        var labels: [String] = []
        var trimmed = domain[...]
        if trimmed.hasSuffix(".") { trimmed = trimmed.dropLast() }
        for label in trimmed.split(separator: ".", omittingEmptySubsequences: false) {
            guard let encoded = asciiLabel(label) else { return nil }
            labels.append(encoded)
        }
        let name = labels.joined(separator: ".")
        return name.utf8.count <= 253 ? name : nil
    }

    private static func asciiLabel(_ label: Substring) -> String? {
        guard !label.isEmpty else { return nil }
        let lower = label.lowercased()
        if lower.utf8.allSatisfy({ $0 < 0x80 }) {
            let isPlain = lower.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x5C }
            return isPlain && lower.utf8.count <= 63 ? lower : nil
        }
        guard lower.unicodeScalars.count <= 63,
            let encoded = Punycode.encode(Array(lower.unicodeScalars)), encoded.count <= 59
        else { return nil }
        return "xn--" + String(decoding: encoded, as: UTF8.self)
    }
}

/// Unicode in the letters, digits and hyphens of host names.
///
/// RFC 3492 §6
enum Punycode {
    private static let base = 36
    private static let tMin = 1
    private static let tMax = 26
    private static let skew = 38
    private static let damp = 700
    private static let initialBias = 72
    private static let initialN: UInt32 = 128

    /// Nil when the label is too long for its differences to be counted.
    static func encode(_ label: [Unicode.Scalar]) -> [UInt8]? {
        var output = label.filter(\.isASCII).map { UInt8(truncatingIfNeeded: $0.value) }
        let basic = output.count
        var handled = basic
        if basic > 0 { output.append(0x2D) }

        var n = initialN
        var delta = 0
        var bias = initialBias
        while handled < label.count {
            guard let next = label.map(\.value).filter({ $0 >= n }).min() else { return nil }
            let (step, overflow) = Int(next - n).multipliedReportingOverflow(by: handled + 1)
            guard !overflow, delta <= Int.max - step else { return nil }
            delta += step
            n = next
            for scalar in label.map(\.value) {
                if scalar < n { delta += 1 }
                guard scalar == n else { continue }
                append(delta, bias: bias, to: &output)
                bias = adapted(delta, count: handled + 1, isFirst: handled == basic)
                delta = 0
                handled += 1
            }
            delta += 1
            n += 1
        }
        return output
    }

    private static func append(_ delta: Int, bias: Int, to output: inout [UInt8]) {
        var rest = delta
        var k = base
        while true {
            let threshold = min(max(k - bias, tMin), tMax)
            guard rest >= threshold else { break }
            output.append(digit(threshold + (rest - threshold) % (base - threshold)))
            rest = (rest - threshold) / (base - threshold)
            k += base
        }
        output.append(digit(rest))
    }

    private static func adapted(_ delta: Int, count: Int, isFirst: Bool) -> Int {
        var delta = isFirst ? delta / damp : delta / 2
        delta += delta / count
        var k = 0
        while delta > (base - tMin) * tMax / 2 {
            delta /= base - tMin
            k += base
        }
        return k + (base - tMin + 1) * delta / (delta + skew)
    }

    private static func digit(_ value: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: value < 26 ? 0x61 + value : 0x30 + value - 26)
    }
}
