/// An enhanced mail system status code, as in `5.1.1`.
///
/// RFC 3463 §2
package struct EnhancedStatus: Hashable, Sendable, CustomStringConvertible {
    /// 2 success, 4 persistent transient failure, 5 permanent failure.
    package let classDigit: UInt8
    package let subject: UInt16
    package let detail: UInt16

    package init(_ classDigit: UInt8, _ subject: UInt16, _ detail: UInt16) {
        self.classDigit = classDigit
        self.subject = subject
        self.detail = detail
    }

    package var description: String { "\(classDigit).\(subject).\(detail)" }
}
