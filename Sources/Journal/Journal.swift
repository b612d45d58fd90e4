package import Logging

/// Where every mail event is told, once.
///
/// One line per event at level `notice`, through the logger that was passed in; a client's mistake
/// is never louder than that.
package struct Journal: Sendable {
    private let log: Logger

    package init(log: Logger) {
        self.log = log
    }

    package func record(_ event: MailEvent) {
        log.notice("\(event.line)")
    }
}
