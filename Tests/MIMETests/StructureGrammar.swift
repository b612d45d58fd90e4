/// A reader of body structures that knows only the grammar, to judge what we write.
///
/// RFC 9051 §9: `body`
struct StructureGrammar {
    final class Node {
        var type = ""
        var subtype = ""
        var octets: Int?
        var lines: Int?
        var parts: [Node] = []
        var message: Node?
        var isMultipart: Bool { !parts.isEmpty }
    }

    struct Refused: Error {
        let reason: String
        let offset: Int
    }

    private let bytes: [UInt8]
    private var i = 0
    private let extended: Bool

    private init(_ bytes: [UInt8], extended: Bool) {
        self.bytes = bytes
        self.extended = extended
    }

    static func body(_ bytes: [UInt8], extended: Bool) throws -> Node {
        var reader = StructureGrammar(bytes, extended: extended)
        let node = try reader.body()
        guard reader.i == bytes.count else { throw reader.refused("trailing bytes") }
        return node
    }

    static func envelope(_ bytes: [UInt8]) throws {
        var reader = StructureGrammar(bytes, extended: true)
        try reader.envelope()
        guard reader.i == bytes.count else { throw reader.refused("trailing bytes") }
    }

    private func refused(_ reason: String) -> Refused { Refused(reason: reason, offset: i) }

    private mutating func expect(_ text: String) throws {
        for byte in text.utf8 {
            guard i < bytes.count, bytes[i] == byte else { throw refused("expected \(text)") }
            i += 1
        }
    }

    private func next(is text: String) -> Bool {
        i < bytes.count && bytes[i...].starts(with: text.utf8)
    }

    private mutating func body() throws -> Node {
        let node = Node()
        try expect("(")
        if next(is: "(") {
            while next(is: "(") { node.parts.append(try body()) }
            try expect(" ")
            node.subtype = try string()
            if extended {
                try expect(" ")
                try parameters()
                try extensions()
            }
        } else {
            try leaf(node)
            if extended {
                try expect(" ")
                try nstring()
                try extensions()
            }
        }
        try expect(")")
        return node
    }

    private mutating func leaf(_ node: Node) throws {
        node.type = try string()
        try expect(" ")
        node.subtype = try string()
        guard node.type != "MULTIPART" else { throw refused("multipart without parts") }
        try expect(" ")
        try parameters()
        try expect(" ")
        try nstring()
        try expect(" ")
        try nstring()
        try expect(" ")
        _ = try string()
        try expect(" ")
        node.octets = try number()
        if node.type == "MESSAGE", ["RFC822", "GLOBAL"].contains(node.subtype) {
            try expect(" ")
            try envelope()
            try expect(" ")
            node.message = try body()
            try expect(" ")
            node.lines = try number()
        } else if node.type == "TEXT" {
            try expect(" ")
            node.lines = try number()
        }
    }

    private mutating func extensions() throws {
        try expect(" ")
        if next(is: "(") {
            try expect("(")
            _ = try string()
            try expect(" ")
            try parameters()
            try expect(")")
        } else {
            try expect("NIL")
        }
        try expect(" ")
        if next(is: "(") {
            try expect("(")
            _ = try string()
            while next(is: " ") {
                try expect(" ")
                _ = try string()
            }
            try expect(")")
        } else {
            try nstring()
        }
        try expect(" ")
        try nstring()
    }

    private mutating func parameters() throws {
        guard next(is: "(") else { return try expect("NIL") }
        try expect("(")
        while true {
            _ = try string()
            try expect(" ")
            _ = try string()
            guard next(is: " ") else { break }
            try expect(" ")
        }
        try expect(")")
    }

    private mutating func envelope() throws {
        try expect("(")
        try nstring()
        try expect(" ")
        try nstring()
        for _ in 0..<6 {
            try expect(" ")
            try addresses()
        }
        try expect(" ")
        try nstring()
        try expect(" ")
        try nstring()
        try expect(")")
    }

    private mutating func addresses() throws {
        guard next(is: "(") else { return try expect("NIL") }
        try expect("(")
        repeat {
            try expect("(")
            try nstring()
            for _ in 0..<3 {
                try expect(" ")
                try nstring()
            }
            try expect(")")
        } while next(is: "(")
        try expect(")")
    }

    private mutating func nstring() throws {
        if next(is: "NIL") { try expect("NIL") } else { _ = try string() }
    }

    private mutating func number() throws -> Int {
        let start = i
        while i < bytes.count, (0x30...0x39).contains(bytes[i]) { i += 1 }
        guard let number = Int(String(decoding: bytes[start..<i], as: UTF8.self)) else {
            throw refused("no number")
        }
        return number
    }

    private mutating func string() throws -> String {
        var content: [UInt8] = []
        if next(is: "{") {
            try expect("{")
            let count = try number()
            try expect("}\r\n")
            guard bytes.count - i >= count else { throw refused("short literal") }
            content = Array(bytes[i..<(i + count)])
            i += count
            guard !content.contains(0) else { throw refused("NUL in a literal") }
            return String(decoding: content, as: UTF8.self)
        }
        try expect("\"")
        while i < bytes.count, bytes[i] != 0x22 {
            if bytes[i] == 0x5C {
                i += 1
                guard next(is: "\"") || next(is: "\\") else { throw refused("bad escape") }
            }
            guard bytes[i] < 0x80, bytes[i] != 0, bytes[i] != 0x0D, bytes[i] != 0x0A else {
                throw refused("byte not allowed in a quoted string")
            }
            content.append(bytes[i])
            i += 1
        }
        try expect("\"")
        return String(decoding: content, as: UTF8.self)
    }
}
