import NIOCore
import NIOPosix

/// The threads that move bytes: one event loop per core, shared by all doors.
package final class EventLoops: Sendable {
    /// One loop per core, for the life of the process.
    package static let shared = EventLoops()

    let group: MultiThreadedEventLoopGroup
    private let wheels: [ObjectIdentifier: DeadlineWheel]

    private init() {
        group = .singleton
        var wheels: [ObjectIdentifier: DeadlineWheel] = [:]
        for loop in group.makeIterator() {
            wheels[ObjectIdentifier(loop)] = DeadlineWheel(loop: loop)
        }
        self.wheels = wheels
    }

    func wheel(of loop: any EventLoop) -> DeadlineWheel {
        wheels[ObjectIdentifier(loop)] ?? DeadlineWheel(loop: loop)
    }
}
