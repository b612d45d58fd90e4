import Wire

/// One pass over a message from its first byte to its last.
///
/// Every line of a body is looked at once. A line that begins with two hyphens is compared with the
/// boundaries of the open multiparts, innermost first, so a part whose closing boundary is missing
/// ends where one around it goes on.
///
/// RFC 2046 §5.1.1
struct MessageParser {
    private let bytes: [UInt8]
    private let limits: MIMELimits
    private(set) var parts: [Part] = []
    private(set) var fields: [IndexedField] = []
    /// Boundaries of the open multiparts, outermost first.
    private var boundaries: [[UInt8]] = [] {
        didSet { shortestBoundary = boundaries.lazy.map(\.count).min() ?? 0 }
    }
    private var shortestBoundary = 0
    private var position = 0
    /// Line feeds before `position`.
    private var newlines = 0

    init(_ bytes: [UInt8], limits: MIMELimits) {
        self.bytes = bytes
        self.limits = limits
        parts.reserveCapacity(8)
        fields.reserveCapacity(24)
    }

    mutating func parse() {
        _ = entity(depth: 0, defaultType: .plainText)
    }

    /// Where a content ended, and by which boundary.
    private struct Stop {
        /// Before the line break that belongs to the boundary.
        let contentEnd: Int
        /// Line feeds before `contentEnd`.
        let newlines: Int
        /// Which open multipart's boundary it was; -1 for the end of the message.
        let level: Int
        let isClose: Bool
    }

    private mutating func entity(depth: Int, defaultType: MediaType) -> (index: Int, stop: Stop) {
        let index = parts.count
        let start = position
        let firstField = fields.count
        parts.append(Part(header: start..<start, bodyStart: start, fieldsStart: firstField))
        let early = header()
        let bodyStart = early.map { max(start, $0.contentEnd) } ?? position
        let bodyNewlines = newlines
        parts[index].header = start..<bodyStart
        parts[index].fields = firstField..<fields.count
        describe(index, defaultType: defaultType)

        let stop: Stop
        if let early {
            // Nothing follows the header, so there is nothing to look inside.
            let type = parts[index].mediaType
            if type.type == "MULTIPART" || type.isMessage { parts[index].mediaType = .plainText }
            stop = early
        } else {
            stop = content(of: index, depth: depth)
        }
        parts[index].body = bodyStart..<max(bodyStart, stop.contentEnd)
        parts[index].lines = max(0, stop.newlines - bodyNewlines)
        clampLastChild(of: index)
        return (index, stop)
    }

    // The empty line that ends the header of the last part inside may be the line break of the
    // boundary that follows; then it is outside its parent.
    private mutating func clampLastChild(of parent: Int) {
        let end = parts[parent].body.upperBound
        var index = parent
        while let child = lastChild(of: index), parts[child].header.upperBound > end {
            let start = min(parts[child].header.lowerBound, end)
            parts[child].header = start..<end
            parts[child].body = end..<end
            index = child
        }
    }

    private func lastChild(of index: Int) -> Int? {
        switch parts[index].content {
        case .leaf: nil
        case .message(let inner): inner
        case .multipart(let children): children.last
        }
    }

    // Reads the header; gives a stop when a boundary or the end came before the empty line.
    private mutating func header() -> Stop? {
        var fieldStart = position
        var fieldEnd = position
        while position < bytes.count {
            let lineStart = position
            if bytes[lineStart] == 0x2D, let stop = takeDelimiter() {
                indexField(from: fieldStart, to: fieldEnd)
                return stop
            }
            var lineEnd = skipLine()
            if lineEnd > lineStart, bytes[lineEnd - 1] == .cr { lineEnd -= 1 }
            if lineEnd == lineStart {
                indexField(from: fieldStart, to: fieldEnd)
                return nil
            }
            if !bytes[lineStart].isBlank {
                indexField(from: fieldStart, to: fieldEnd)
                fieldStart = lineStart
            }
            fieldEnd = lineEnd
        }
        indexField(from: fieldStart, to: fieldEnd)
        return endOfMessage
    }

    private var endOfMessage: Stop {
        Stop(contentEnd: bytes.count, newlines: newlines, level: -1, isClose: false)
    }

    // Moves to the next line and gives the index of this one's line feed, or the end.
    private mutating func skipLine() -> Int {
        guard let newline = bytes.firstIndex(ofByte: .lf, from: position) else {
            position = bytes.count
            return position
        }
        position = newline + 1
        newlines += 1
        return newline
    }

    private mutating func indexField(from start: Int, to end: Int) {
        guard start < end, fields.count < limits.fields,
            let name = HeaderFields.name(in: bytes, from: start, to: end),
            let field = KnownField(bytes[start..<name.end])
        else { return }
        fields.append(IndexedField(field: field, value: (name.colon + 1)..<end))
    }

    private mutating func describe(_ index: Int, defaultType: MediaType) {
        var type: MediaType?
        var encoding: TransferEncoding?
        for field in fields[parts[index].fields] {
            if field.field == .contentType, type == nil {
                type = MediaType(bytes, field.value, limits: limits)
            } else if field.field == .contentTransferEncoding, encoding == nil {
                encoding = TransferEncoding(bytes, field.value)
            }
        }
        parts[index].mediaType = type ?? defaultType
        parts[index].encoding = encoding ?? .sevenBit
    }

    private mutating func content(of index: Int, depth: Int) -> Stop {
        let type = parts[index].mediaType
        let isMultipart = type.type == "MULTIPART"
        guard isMultipart || type.isMessage else { return scan() }
        let isEncoded = type.isMessage && parts[index].encoding == .base64
        guard depth + 1 < limits.depth, parts.count < limits.parts, !isEncoded else {
            parts[index].mediaType = type.opaque
            return scan()
        }
        guard isMultipart else {
            let (inner, stop) = entity(depth: depth + 1, defaultType: .plainText)
            parts[index].content = .message(inner)
            return stop
        }
        guard let boundary = boundary(of: type) else {
            parts[index].mediaType = .plainText
            return scan()
        }
        return multipart(index, boundary: boundary, depth: depth)
    }

    private func boundary(of type: MediaType) -> [UInt8]? {
        guard var boundary = type.parameters.raw("BOUNDARY") else { return nil }
        while let last = boundary.last, Lexer.isBlank(last) { boundary.removeLast() }
        return (1...limits.boundaryBytes).contains(boundary.count) ? boundary : nil
    }

    private mutating func multipart(_ index: Int, boundary: [UInt8], depth: Int) -> Stop {
        let level = boundaries.count
        boundaries.append(boundary)
        let isDigest = parts[index].mediaType.subtype == "DIGEST"
        var children: [Int] = []
        var stop = scan()
        while stop.level == level, !stop.isClose, parts.count < limits.parts {
            let child = entity(depth: depth + 1, defaultType: isDigest ? .message : .plainText)
            children.append(child.index)
            stop = child.stop
        }
        boundaries.removeLast()
        if stop.level == level { stop = scan() }
        if children.isEmpty {
            // Grammar wants a part, and a reader wants the text.
            parts[index].mediaType = .plainText
        } else {
            parts[index].content = .multipart(children)
        }
        return stop
    }

    // Goes on to the next boundary of an open multipart, or to the end.
    private mutating func scan() -> Stop {
        if boundaries.isEmpty {
            while position < bytes.count { _ = skipLine() }
            return endOfMessage
        }
        while position < bytes.count {
            if bytes[position] == 0x2D, let stop = takeDelimiter() { return stop }
            _ = skipLine()
        }
        return endOfMessage
    }

    // Takes the line at `position` if it is the boundary of an open multipart: the boundary, two
    // hyphens perhaps, and nothing but blanks, so that one boundary may begin with another.
    private mutating func takeDelimiter() -> Stop? {
        let start = position
        guard start + 2 < bytes.count, bytes[start + 1] == 0x2D, !boundaries.isEmpty else {
            return nil
        }
        let newline = bytes.firstIndex(ofByte: .lf, from: start)
        var end = newline ?? bytes.count
        while end > start, Lexer.isBlank(bytes[end - 1]) { end -= 1 }
        guard end - start - 2 >= shortestBoundary else { return nil }
        for level in boundaries.indices.reversed() {
            guard let isClose = matches(boundaries[level], from: start + 2, to: end) else {
                continue
            }
            let stop = stop(before: start, level: level, isClose: isClose)
            position = newline.map { $0 + 1 } ?? bytes.count
            if newline != nil { newlines += 1 }
            return stop
        }
        return nil
    }

    // Nil when the line is not this boundary; else whether it closes.
    private func matches(_ boundary: [UInt8], from start: Int, to end: Int) -> Bool? {
        let extra = end - start - boundary.count
        guard extra == 0 || extra == 2,
            bytes[start + boundary.count - 1] == boundary[boundary.count - 1],
            bytes[start..<(start + boundary.count)].elementsEqual(boundary)
        else { return nil }
        if extra == 0 { return false }
        return bytes[end - 1] == 0x2D && bytes[end - 2] == 0x2D ? true : nil
    }

    private func stop(before lineStart: Int, level: Int, isClose: Bool) -> Stop {
        var end = lineStart
        var count = newlines
        if end > 0, bytes[end - 1] == .lf {
            end -= 1
            count -= 1
            if end > 0, bytes[end - 1] == .cr { end -= 1 }
        }
        return Stop(contentEnd: end, newlines: count, level: level, isClose: isClose)
    }
}
