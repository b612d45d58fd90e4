import MIME
import Testing

/// What must hold for every sequence of bytes.
enum MessageChecks {
    static func run(_ bytes: [UInt8], _ name: String) throws {
        let message = Message(bytes)
        let structure = message.bodyStructure()
        #expect(Message(bytes).bodyStructure() == structure, "\(name): not stable")
        try StructureGrammar.envelope(message.envelope())
        let root = try StructureGrammar.body(structure, extended: true)
        _ = try StructureGrammar.body(message.body(), extended: false)
        #expect(BodyStructure.withoutExtensions(structure) == message.body(), "\(name)")

        let header = try range(message.section([], .header))
        let text = try range(message.section([], .text))
        #expect(header.lowerBound == 0 && header.upperBound == text.lowerBound, "\(name)")
        #expect(text.upperBound == bytes.count, "\(name)")
        #expect(message.section([]) == .range(0..<bytes.count))
        try check(root, at: [], within: text, message, name)
        _ = DeliverySummary(of: bytes)
        _ = message.contains(SearchPattern("no such text"), in: .text)
    }

    // The structure's sizes are the sections' sizes, and no section leaves its parent.
    private static func check(
        _ node: StructureGrammar.Node,
        at numbers: [UInt32],
        within parent: Range<Int>,
        _ message: Message,
        _ name: String
    ) throws {
        if node.isMultipart {
            for (index, part) in node.parts.enumerated() {
                let path = numbers + [UInt32(index + 1)]
                let body = try range(message.section(path))
                #expect(parent.clamped(to: body) == body, "\(name) \(path) leaves its parent")
                try check(part, at: path, within: body, message, name)
            }
            let beyond = numbers + [UInt32(node.parts.count + 1)]
            #expect(message.section(beyond) == nil, "\(name) \(beyond)")
            #expect(message.section(numbers + [0]) == nil)
            return
        }
        // A message that is no multipart has its body as part 1.
        let isMessageBody = numbers.isEmpty
        let path = isMessageBody ? [1] : numbers
        let body = try range(message.section(path))
        #expect(body.count == node.octets, "\(name) \(path)")
        if let lines = node.lines {
            #expect(message.bytes[body].count { $0 == 0x0A } == lines, "\(name) \(path)")
        }
        #expect(message.section(path, .mime) != nil)
        #expect(message.binary(path) != nil)
        guard let inner = node.message else {
            #expect(message.section(path, .header) == nil)
            #expect(message.section(path + [1]) == nil)
            return
        }
        let header = try range(message.section(path, .header))
        let text = try range(message.section(path, .text))
        #expect(header.lowerBound == body.lowerBound, "\(name) \(path)")
        #expect(header.upperBound == text.lowerBound, "\(name) \(path)")
        #expect(text.upperBound == body.upperBound, "\(name) \(path)")
        #expect(header.count + text.count == node.octets, "\(name) \(path)")
        if inner.isMultipart {
            try check(inner, at: path, within: text, message, name)
        } else {
            try check(inner, at: path + [1], within: body, message, name)
        }
    }

    private static func range(_ content: SectionContent?) throws -> Range<Int> {
        guard case .range(let range) = try #require(content) else {
            throw StructureGrammar.Refused(reason: "not one piece", offset: 0)
        }
        return range
    }
}
