import CPostgreSQL
import GRDBSQLite

/// One row of a result, valid inside the closure that receives it and nowhere else.
///
/// Columns are counted from 0. NULL reads as 0, the empty text or no bytes; ask `isNull`, or use
/// the `…OrNil` forms where it matters. Reading a column as another kind than it has is a
/// programmer's mistake and traps.
package struct Row: ~Copyable {
    enum Source {
        case sqlite(OpaquePointer)
        case postgreSQL(OpaquePointer, Int32)
    }

    let source: Source

    package func isNull(_ column: Int) -> Bool {
        switch source {
        case .sqlite(let statement):
            sqlite3_column_type(statement, Int32(column)) == SQLITE_NULL
        case .postgreSQL(let result, let row):
            PQgetisnull(result, row, Int32(column)) != 0
        }
    }

    package func int(_ column: Int) -> Int64 {
        switch source {
        case .sqlite(let statement):
            sqlite3_column_int64(statement, Int32(column))
        case .postgreSQL(let result, let row):
            postgreSQLInteger(result, row, Int32(column))
        }
    }

    package func bool(_ column: Int) -> Bool { int(column) != 0 }

    package func text(_ column: Int) -> String {
        withBytes(column) { String(decoding: $0, as: UTF8.self) }
    }

    package func bytes(_ column: Int) -> [UInt8] {
        withBytes(column) { [UInt8]($0) }
    }

    package func intOrNil(_ column: Int) -> Int64? { isNull(column) ? nil : int(column) }

    package func textOrNil(_ column: Int) -> String? { isNull(column) ? nil : text(column) }

    package func bytesOrNil(_ column: Int) -> [UInt8]? { isNull(column) ? nil : bytes(column) }

    /// Lends the bytes of a blob or text column without a copy.
    @inlinable package func withBytes<Result, Failure: Error>(
        _ column: Int,
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(rawBytes(column))
    }

    @usableFromInline func rawBytes(_ column: Int) -> UnsafeRawBufferPointer {
        switch source {
        case .sqlite(let statement):
            // The pointer first, then the length: the order SQLite asks for.
            let start = sqlite3_column_blob(statement, Int32(column))
            let count = sqlite3_column_bytes(statement, Int32(column))
            return UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(count))
        case .postgreSQL(let result, let row):
            return UnsafeRawBufferPointer(
                start: PQgetvalue(result, row, Int32(column)),
                count: Int(PQgetlength(result, row, Int32(column)))
            )
        }
    }
}

/// An integer in PostgreSQL's binary format: any width, or the `numeric` that `sum` yields.
private func postgreSQLInteger(_ result: OpaquePointer, _ row: Int32, _ column: Int32) -> Int64 {
    guard let value = PQgetvalue(result, row, column) else { return 0 }
    let bytes = UnsafeRawBufferPointer(
        start: value,
        count: Int(PQgetlength(result, row, column))
    )
    if PQftype(result, column) == PostgreSQLType.numeric { return integer(ofNumeric: bytes) }
    switch bytes.count {
    case 8: return Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
    case 4: return Int64(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self)))
    case 2: return Int64(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self)))
    case 1: return Int64(bytes[0])
    case 0: return 0
    default: preconditionFailure("column \(column) read as an integer is none")
    }
}

/// The whole part of a `numeric`, at most `Int64.max` in size.
///
/// The format: digit count, weight of the first digit, sign, scale, then digits of base 10,000.
private func integer(ofNumeric bytes: UnsafeRawBufferPointer) -> Int64 {
    func word(_ index: Int) -> Int {
        let offset = index * 2
        guard offset + 2 <= bytes.count else { return 0 }
        return Int(Int16(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int16.self)))
    }
    let digits = word(0)
    let weight = word(1)
    guard weight >= 0 else { return 0 }
    var value: Int64 = 0
    for index in 0...weight {
        let (scaled, tooLarge) = value.multipliedReportingOverflow(by: 10_000)
        let digit = index < digits ? Int64(word(4 + index)) : 0
        let (sum, carry) = scaled.addingReportingOverflow(digit)
        if tooLarge || carry { return .max }
        value = sum
    }
    return word(2) == 0x4000 ? -value : value
}
